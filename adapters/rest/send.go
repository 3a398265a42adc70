package rest

import (
	"io"
	"net/http"

	"github.com/postern/postern/adapters/steps"
)

// Send makes one exchange with the backend's credential and session, for kinds of
// backend that speak HTTP in a way of their own. An answer 401 ends the session: it is
// begun anew and the exchange made once more.
func (b *Backend) Send(req *http.Request) (*http.Response, error) {
	for again := false; ; again = true {
		t, err := b.dress(req)
		if err != nil {
			return nil, err
		}
		resp, err := b.client.Do(req)
		if err != nil || t == nil || again || resp.StatusCode != http.StatusUnauthorized {
			return resp, err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, b.cfg.Size))
		_ = resp.Body.Close()
		b.session.drop(t)
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// dress puts the credential on a request, and gives the session that it belongs to.
func (b *Backend) dress(req *http.Request) (*token, error) {
	req.Header.Set("User-Agent", b.cfg.UserAgent)
	for name, v := range b.cfg.Headers {
		req.Header.Set(name, v)
	}
	if b.cfg.User != "" {
		req.SetBasicAuth(b.cfg.User, b.cfg.Password)
	}
	if b.session == nil {
		return nil, nil
	}
	t, err := b.session.get(req.Context())
	if err != nil {
		return nil, err
	}
	return t, setHeaders(req.Header, b.session.headers, scopeWith(steps.Scope(b.values), "session", t.values))
}
