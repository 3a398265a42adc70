package rest

import (
	"errors"
	"io"
	"net/http"
	"net/url"

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
		resp, err := b.do(req)
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

// do is http.Client's Do, without what that prepares for every request lest it is
// redirected: only an answer that redirects is handed to the client.
func (b *Backend) do(req *http.Request) (*http.Response, error) {
	if b.client.Jar != nil || req.URL.User != nil {
		return withoutURL(b.client.Do(req))
	}
	resp, err := b.client.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return resp, err
	}
	follower := *b.client
	follower.Transport = &begun{resp, b.client.Transport}
	return withoutURL(follower.Do(req))
}

// withoutURL takes the URL off an error of package net/http: its query may hold a key,
// and errors are logged.
func withoutURL(resp *http.Response, err error) (*http.Response, error) {
	if at := (*url.Error)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return resp, err
}

// A begun transport has the answer to the first request already.
type begun struct {
	answer *http.Response
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b *begun) RoundTrip(req *http.Request) (*http.Response, error) {
	if first := b.answer; first != nil {
		b.answer = nil
		return first, nil
	}
	return b.next.RoundTrip(req)
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
