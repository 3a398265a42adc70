package rest

import (
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A credential is what opens the backend. It may be exchanged while Postern runs:
// a secret in a file, or of a program, is read again when it is refused.
type credential struct {
	headers        map[string]string
	lines          http.Header // the same
	user, password string
	secrets        map[string]any // secret.NAME in expressions
}

func credentialOf(cfg Config) *credential {
	c := &credential{headers: cfg.Headers, lines: http.Header{}, user: cfg.User, password: cfg.Password, secrets: map[string]any{}}
	for name, v := range cfg.Headers {
		c.lines.Set(name, v)
	}
	for name, v := range cfg.Secrets {
		c.secrets[name] = v
	}
	if o := cfg.OAuth; o != nil {
		c.secrets["oauth"] = oauthSecrets{o.Client, o.Secret, o.Scope}.values()
	}
	return c
}

// oauthSecrets are what the client credentials grant sends.
type oauthSecrets struct{ client, secret, scope string }

// values are those, and both as they stand in a header, each encoded as in a form
// (RFC 6749 section 2.3.1).
func (o oauthSecrets) values() map[string]any {
	basic := url.QueryEscape(o.client) + ":" + url.QueryEscape(o.secret)
	return map[string]any{"client": o.client, "secret": o.secret, "scope": o.scope, "basic": basic}
}

func (c *credential) equal(d *credential) bool {
	text := func(m map[string]any) map[string]string {
		out := map[string]string{}
		for name, v := range m {
			if inner, ok := v.(map[string]any); ok {
				for more, v := range inner {
					out[name+"."+more], _ = v.(string)
				}
			}
			if s, ok := v.(string); ok {
				out[name] = s
			}
		}
		return out
	}
	return c.user == d.user && c.password == d.password && maps.Equal(c.headers, d.headers) && maps.Equal(text(c.secrets), text(d.secrets))
}

// refreshed is how long a credential that was read again is left alone.
const refreshed = 5 * time.Second

// renew reads the credential again, after seen was refused. It reports whether
// there is another one now.
func (b *Backend) renew(seen *credential) bool {
	if b.cfg.Refresh == nil {
		return false
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.credential.Load() != seen {
		return true // somebody else was first
	}
	if !b.read.IsZero() && time.Since(b.read) < refreshed {
		return false
	}
	b.read = time.Now()
	now := credentialOf(b.cfg.Refresh())
	if now.equal(seen) {
		return false
	}
	b.credential.Store(now)
	if b.session != nil {
		b.session.clear()
	}
	return true
}

// refusedBy reports whether an exchange failed because of the credential.
func refusedBy(a steps.Answer, err error) bool {
	if err != nil {
		return adapters.Is(err, adapters.Denied)
	}
	return a.Fault != nil && a.Fault.Kind == adapters.Denied
}
