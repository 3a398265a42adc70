package rest

import (
	"errors"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern/postern/adapters/steps"
)

// A Backend is one system that is reached over HTTP. Open makes it; its methods
// may be called from many goroutines.
type Backend struct {
	cfg  Config
	base *url.URL
	root string // base as text

	userAgent []string
	client    *http.Client
	session   *session     // nil: the credential is on every call by itself
	proof     *steps.Proof // nil: nothing to prove
	values    map[string]any
	locks     steps.KindLocks

	first      *credential
	credential atomic.Pointer[credential]
	reading    sync.Mutex
	read       time.Time // when the credential was read again
}

const (
	defaultSize      = 16 << 20
	defaultUserAgent = "Postern"
)

// Open makes a backend; it sends nothing. Problems are mistakes in the texts.
func Open(cfg Config) (*Backend, []steps.Problem, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, nil, errors.New("the url is no http or https URL")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	if cfg.Size == 0 {
		cfg.Size = defaultSize
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = defaultUserAgent
	}
	transport, err := newTransport(cfg.TLS)
	if err != nil {
		return nil, nil, err
	}
	b := &Backend{cfg: cfg, base: base, root: base.String(), userAgent: []string{cfg.UserAgent}, values: map[string]any{"session": nil}}
	b.first = credentialOf(cfg)
	b.credential.Store(b.first)
	maps.Copy(b.values, cfg.Values)
	b.values["secret"] = b.first.secrets
	b.client = &http.Client{Transport: transport, CheckRedirect: b.redirect}
	if cfg.Transport != nil {
		b.client.Transport = cfg.Transport(transport)
	}
	if cfg.Cookies {
		if b.client.Jar, err = cookiejar.New(nil); err != nil {
			return nil, nil, err
		}
	}
	var c steps.Compiler
	b.session = newSession(b, &c)
	b.proof = newProof(b, &c)
	return b, c.Problems, nil
}

const maxRedirects = 3

// redirect follows reads on the same host only: elsewhere the credential would
// go with them. What is not followed is an answer like any other.
func (b *Backend) redirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if !sameOrigin(req.URL, first.URL) || len(via) > maxRedirects || (first.Method != http.MethodGet && first.Method != http.MethodHead) {
		return http.ErrUseLastResponse
	}
	return nil
}

// sameOrigin compares as RFC 6454 section 5 says: a port that is the scheme's own may
// be left out, and a host's name is the same in capitals.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Close lets go of idle connections.
func (b *Backend) Close() { b.client.CloseIdleConnections() }
