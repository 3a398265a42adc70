package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A token is one session: what the log-in yielded.
type token struct {
	values map[string]any
	until  time.Time // zero: until it is refused
}

// A session logs in when a call needs it, once for everybody who waits.
type session struct {
	login   steps.Operation
	refresh steps.Operation // nil: log in again
	headers []named
	expires *steps.Expr
	again   *steps.Expr // nil: status 401
	ttl     time.Duration
	secrets map[string]any
	now     func() time.Time

	turn    chan struct{} // held while logging in
	mu      sync.Mutex
	current *token
	ended   int // sessions that ended before their time
}

var loginRoots = steps.Roots{"secret", "session", "steps", "status", "headers", "body"}

// newSession compiles the log-in; nil if there is none.
func newSession(b *Backend, c *steps.Compiler) *session {
	l := b.cfg.Login
	if b.cfg.OAuth != nil {
		l = oauthLogin(b)
	}
	if l == nil {
		return nil
	}
	s := &session{ttl: l.Time, secrets: b.values, now: time.Now, turn: make(chan struct{}, 1)}
	roots := loginRoots.With(b.cfg.Values)
	s.login = steps.CompileSteps(c, b.tongue(true), "login", roots, l.Steps)
	s.refresh = steps.CompileSteps(c, b.tongue(true), "login", roots, l.Refresh)
	for _, h := range l.Headers {
		s.headers = append(s.headers, named{h.Name.Value, c.Expr(h.Value, roots)})
	}
	s.expires, s.again = c.Expr(l.Expires, roots), c.Expr(l.Again, roots)
	return s
}

// oauthLogin says the client credentials grant as a log-in.
func oauthLogin(b *Backend) *Login {
	o := b.cfg.OAuth
	t := func(s string) Text { return Text{Value: s} }
	pair := func(name, value string) Pair { return Pair{Name: t(name), Value: t(value)} }
	return &Login{
		Steps: []Step{{
			Verb: t("post"), Path: t(strings.NewReplacer("{", "{{", "}", "}}").Replace(o.URL)), Format: t("form"),
			Headers: []Pair{pair("Authorization", `"Basic " + base64(secret.oauth.basic)`)},
			Send:    t(`secret.oauth.scope == "" ? {grant_type: "client_credentials"} : {grant_type: "client_credentials", scope: secret.oauth.scope}`),
			Written: steps.Written{Let: []Pair{pair("token", "body.access_token"), pair("expires", "body.expires_in")}},
		}},
		Headers: []Pair{pair("Authorization", `"Bearer " + session.token`)},
		Expires: t("session.expires"),
	}
}

// get is the session that is open, or a new one.
func (s *session) get(ctx context.Context) (*token, error) {
	if t := s.open(); t != nil {
		return t, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, &adapters.Error{Kind: adapters.Unavailable, Op: "login", Err: ctx.Err()}
	}
	if t := s.open(); t != nil { // somebody else was first
		return t, nil
	}
	t, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = t
	return t, nil
}

func (s *session) open() *token {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.current; t != nil && (t.until.IsZero() || s.now().Before(t.until)) {
		return t
	}
	return nil
}

// drop forgets a session, unless a newer one is there.
func (s *session) drop(t *token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == t {
		s.current = nil
		s.ended++
	}
}

// clear forgets the session, whichever it is.
func (s *session) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current = nil
		s.ended++
	}
}

// lost is how many sessions ended before their time.
func (s *session) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// over reports whether an answer says that the session is over.
func (s *session) over(a steps.Answer) bool {
	if s.again == nil {
		return a.Values["status"] == http.StatusUnauthorized
	}
	return s.again.True(a.Values)
}

// next is the session after the one that ends: refreshed if it can be, begun anew if
// there is none or the backend refuses. A session that was refused before its time is
// not there any more, so that no refreshed one can be refused for ever.
func (s *session) next(ctx context.Context) (*token, error) {
	s.mu.Lock()
	old := s.current
	s.mu.Unlock()
	if old != nil && len(s.refresh) > 0 {
		values, err := steps.Values(ctx, "login", s.refresh, s.secrets, old.values)
		if err == nil {
			return s.dated(values)
		}
		if adapters.Is(err, adapters.Unavailable) {
			return nil, err
		}
	}
	return s.begin(ctx)
}

// begin logs in. What is refused there is the gateway's credential, whatever the
// status: nothing about it is the client's fault.
func (s *session) begin(ctx context.Context) (*token, error) {
	values, err := steps.Values(ctx, "login", s.login, s.secrets, nil)
	if err != nil {
		var e *adapters.Error
		if errors.As(err, &e) && e.Kind != adapters.Unavailable && e.Kind != adapters.Internal {
			return nil, &adapters.Error{Kind: adapters.Denied, Op: "login", Err: e}
		}
		return nil, err
	}
	return s.dated(values)
}

// dated is a session with its end.
func (s *session) dated(values map[string]any) (*token, error) {
	t := &token{values: values}
	if s.ttl > 0 {
		t.until = s.now().Add(s.ttl)
	}
	v, err := s.expires.Eval(scopeWith(s.secrets, "session", values))
	if err != nil {
		return nil, &adapters.Error{Kind: adapters.Internal, Op: "login", Err: err}
	}
	if at, ok := s.moment(v); ok && (t.until.IsZero() || at.Before(t.until)) {
		t.until = at
	}
	return t, nil
}

// margin is how long before its end a session is renewed.
const margin = 10 * time.Second

// moment reads seconds from now, a unix time, a date, or the end of a JWT.
func (s *session) moment(v any) (time.Time, bool) {
	n := 0.0
	switch v := v.(type) {
	case int:
		n = float64(v)
	case float64:
		n = v
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999Z07:00", "2006-01-02 15:04:05"} {
			if t, err := time.Parse(layout, v); err == nil {
				return t.Add(-margin), true
			}
		}
		if n = jwtEnd(v); n == 0 {
			n, _ = strconv.ParseFloat(v, 64) // seconds in quotes: some servers write them so
		}
	}
	switch {
	case n <= 0 || n > math.MaxInt32*1000.0:
		return time.Time{}, false
	case n > 1e9:
		return time.Unix(int64(n), 0).Add(-margin), true
	}
	d := time.Duration(n * float64(time.Second))
	return s.now().Add(d - min(margin, d/10)), true
}

// jwtEnd is the claim exp of a token (RFC 7519), 0 if there is none. It is not
// verified: it only says when to log in again.
func jwtEnd(token string) float64 {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return 0
	}
	return claims.Exp
}

var probeRoots = steps.Roots{"secret", "session", "steps", "status", "headers", "body"}

// newProof compiles the probe; nil if there is none. A session that sees too
// little may just be over: then a new one is asked.
func newProof(b *Backend, c *steps.Compiler) *steps.Proof {
	if b.cfg.Probe == nil {
		return nil
	}
	roots := probeRoots.With(b.cfg.Values)
	ops := steps.CompileSteps(c, b.tongue(false), "probe", roots, []Step{b.cfg.Probe.Step})
	p := steps.NewProof(ops[0], c.Expr(b.cfg.Probe.Expect, roots), b.cfg.Probe.Every, b.values)
	p.Renew = func() bool {
		t := b.session.open()
		if t != nil {
			b.session.drop(t)
		}
		return b.renew(b.credential.Load()) || t != nil
	}
	return p
}
