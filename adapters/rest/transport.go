package rest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/postern/postern/internal/plainhttp"
)

// newTransport makes what carries requests: with files of its own if some are named,
// so that a certificate that is exchanged on disk is used from then on.
func newTransport(files TLS) (http.RoundTripper, error) {
	t, err := transportOf(files)
	switch {
	case err != nil:
		return nil, err
	case files == (TLS{}):
		return plainhttp.New(t), nil
	}
	return &renewing{files: files, seen: files.stamps(), now: t}, nil
}

func transportOf(files TLS) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if files.CA != "" {
		pem, err := os.ReadFile(files.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", files.CA)
		}
	}
	if files.Cert != "" {
		pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// A renewing transport begins anew when its files change. Connections that were made
// with the old ones are not used again.
type renewing struct {
	files TLS

	mu   sync.Mutex
	seen [3]os.FileInfo
	now  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (r *renewing) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.current().RoundTrip(req)
}

// current is the transport of the files as they are. While they do not fit together,
// as between the writing of a certificate and of its key, it is the one before.
func (r *renewing) current() *http.Transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := r.files.stamps()
	if same(is, r.seen) {
		return r.now
	}
	if t, err := transportOf(r.files); err == nil {
		r.now.CloseIdleConnections()
		r.now, r.seen = t, is
	}
	return r.now
}

// CloseIdleConnections is what http.Client looks for.
func (r *renewing) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.CloseIdleConnections()
}

// stamps tell whether the files are what they were.
func (t TLS) stamps() (out [3]os.FileInfo) {
	for i, name := range []string{t.CA, t.Cert, t.Key} {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil {
			out[i] = info
		}
	}
	return out
}

func same(a, b [3]os.FileInfo) bool {
	for i := range a {
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil || b[i] == nil:
			return false
		case !os.SameFile(a[i], b[i]) || !a[i].ModTime().Equal(b[i].ModTime()) || a[i].Size() != b[i].Size():
			return false
		}
	}
	return true
}
