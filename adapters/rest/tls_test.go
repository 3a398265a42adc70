package rest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// An authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, next: 1}
	_, a.key, a.cert = a.sign("authority", nil)
	return a
}

// sign makes a certificate and its key; the authority's own if there is none yet.
func (a *authority) sign(name string, change func(*x509.Certificate)) (der []byte, key *ecdsa.PrivateKey, cert *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.next++
	c := &x509.Certificate{SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature}
	parent, by := a.cert, a.key
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
		parent, by = c, key
	}
	if change != nil {
		change(c)
	}
	if der, err = x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by); err != nil {
		a.t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		a.t.Fatal(err)
	}
	return der, key, cert
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// replaced writes files beside the old ones and puts them in their place.
func replaced(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".new"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// issue writes a client's certificate and key, and gives the key's text.
func (a *authority) issue(dir, name string) string {
	der, key, _ := a.sign(name, nil)
	private := pemOf(a.t, key)
	replaced(a.t, dir, map[string]string{"client.pem": encoded("CERTIFICATE", der), "client.key": private})
	return private
}

// guarded is a TLS server that lets in whom clients signed, and notes who came last.
func guarded(t *testing.T, server, clients *authority) (srv *httptest.Server, last *string) {
	t.Helper()
	last = new(string)
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			*last = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		reply(w, 200, user(1))
	}))
	der, key, _ := server.sign("server", nil)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	if clients != nil {
		srv.TLS.ClientAuth, srv.TLS.ClientCAs = tls.RequireAndVerifyClientCert, clients.pool()
	}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, last
}

func behind(t *testing.T, url string, files rest.TLS) func() error {
	t.Helper()
	a := open(t, rest.Config{URL: url, TLS: files}, rest.Target{Fields: fields, Key: []string{"id"}, Get: step("get", "/users/{key}", record("body"))})
	return func() error {
		_, err := a.Get(t.Context(), "1", adapters.AllFields)
		return err
	}
}

// TestPrivateAuthority: only the one that is named is trusted, and another one once
// the file names it.
func TestPrivateAuthority(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	srv, _ := guarded(t, ours, nil)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	wantKind(t, "the system's authorities", behind(t, srv.URL, rest.TLS{})(), adapters.Unavailable)
	replaced(t, dir, map[string]string{"ca.pem": encoded("CERTIFICATE", others.cert.Raw)})
	get := behind(t, srv.URL, rest.TLS{CA: ca})
	wantKind(t, "another authority", get(), adapters.Unavailable)
	replaced(t, dir, map[string]string{"ca.pem": encoded("CERTIFICATE", ours.cert.Raw)})
	if err := get(); err != nil {
		t.Errorf("the file names the right authority by now: %v", err)
	}
	replaced(t, dir, map[string]string{"ca.pem": "no certificate"})
	if err := get(); err != nil {
		t.Errorf("a file that holds none is no reason to stop: %v", err)
	}
	replaced(t, dir, map[string]string{"ca.pem": encoded("CERTIFICATE", others.cert.Raw)})
	wantKind(t, "not trusted any more", get(), adapters.Unavailable)
}

// TestClientCertificate: who shows none, or one of somebody else, is refused; one
// that is exchanged on disk is shown from then on, also by connections that were
// open; and no error shows the key.
func TestClientCertificate(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	srv, last := guarded(t, ours, ours)
	dir := t.TempDir()
	replaced(t, dir, map[string]string{"ca.pem": encoded("CERTIFICATE", ours.cert.Raw)})
	files := rest.TLS{CA: filepath.Join(dir, "ca.pem")}
	wantKind(t, "no certificate", behind(t, srv.URL, files)(), adapters.Unavailable)

	files.Cert, files.Key = filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	key := theirs.issue(dir, "stranger")
	get := behind(t, srv.URL, files)
	err := get()
	wantKind(t, "a stranger's certificate", err, adapters.Unavailable)
	if line := strings.Split(key, "\n")[1]; strings.Contains(err.Error(), line) {
		t.Errorf("the error shows the key: %v", err)
	}
	for _, name := range []string{"first", "second"} {
		ours.issue(dir, name)
		for range 2 {
			if err := get(); err != nil || *last != name {
				t.Errorf("%s: %v, the server saw %q", name, err, *last)
			}
		}
	}
	_, other, _ := ours.sign("half", nil)
	replaced(t, dir, map[string]string{"client.key": pemOf(t, other)}) // the certificate is still to come
	if err := get(); err != nil || *last != "second" {
		t.Errorf("a key without its certificate: %v, the server saw %q", err, *last)
	}
}

// TestExpiredServer: a certificate that is over, or of another host, is none.
func TestExpiredServer(t *testing.T) {
	ours := newAuthority(t)
	dir := t.TempDir()
	replaced(t, dir, map[string]string{"ca.pem": encoded("CERTIFICATE", ours.cert.Raw)})
	for what, change := range map[string]func(*x509.Certificate){
		"expired":      func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
		"another host": func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} },
	} {
		der, key, _ := ours.sign("server", change)
		srv := httptest.NewUnstartedServer(http.NotFoundHandler())
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		wantKind(t, what, behind(t, srv.URL, rest.TLS{CA: filepath.Join(dir, "ca.pem")})(), adapters.Unavailable)
	}
}

// TestFilesAreChecked: what is wrong with the files is said at start.
func TestFilesAreChecked(t *testing.T) {
	dir := t.TempDir()
	replaced(t, dir, map[string]string{"empty.pem": "nothing"})
	for _, files := range []rest.TLS{
		{CA: filepath.Join(dir, "absent.pem")}, {CA: filepath.Join(dir, "empty.pem")},
		{Cert: filepath.Join(dir, "empty.pem"), Key: filepath.Join(dir, "empty.pem")},
	} {
		_, problems, err := rest.Open(rest.Config{URL: "https://127.0.0.1", TLS: files})
		if err == nil || len(problems) > 0 {
			t.Errorf("%+v: %v, %v", files, err, problems)
		}
	}
}
