package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// A door gives out tokens and counts them.
type door struct {
	mu     sync.Mutex
	given  int
	valid  string
	broken bool
}

func (d *door) open() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.given++
	d.valid = fmt.Sprintf("t%d", d.given)
	return d.valid
}

func (d *door) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.valid = ""
}

func (d *door) knows(token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return token != "" && token == d.valid
}

func letting(kv ...string) func(*rest.Step) { return func(s *rest.Step) { s.Let = pairs(kv...) } }

// TestLogin covers rows 2, 6 and 7: log in, keep the token, log in again once.
func TestLogin(t *testing.T) {
	for name, quiet := range map[string]bool{"401": false, "a code at 200": true} {
		t.Run(name, func(t *testing.T) {
			d := &door{}
			a := single(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" {
					if in := readBody(r); in["user"] != "u" || in["password"] != `p"w` || d.broken {
						reply(w, 403, nil)
						return
					}
					reply(w, 200, map[string]any{"data": []any{map[string]any{"token": d.open()}}})
					return
				}
				switch {
				case d.knows(r.Header.Get("X-Token")):
					reply(w, 200, user(1))
				case quiet:
					reply(w, 200, map[string]any{"error": "session"})
				default:
					reply(w, 401, nil)
				}
			}, func(c *rest.Config, _ *rest.Target) {
				c.Secrets = map[string]string{"user": "u", "password": `p"w`}
				c.Login = &rest.Login{
					Steps:   step("post", "/login", send("{user: secret.user, password: secret.password}"), letting("token", "body.data[0].token")),
					Headers: pairs("X-Token", "session.token"), Time: time.Hour,
				}
				if quiet {
					c.Login.Again = text(`body.error == "session"`)
				}
			})
			get := func() error {
				_, err := a.Get(t.Context(), "1", adapters.AllFields)
				return err
			}
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if err := get(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if d.given != 1 {
				t.Errorf("%d log-ins for 20 calls at once, want 1", d.given)
			}
			d.expire()
			if err := get(); err != nil || d.given != 2 {
				t.Errorf("after the session was over: %v, %d log-ins", err, d.given)
			}
			d.expire()
			d.broken = true
			wantKind(t, "when logging in is refused", get(), adapters.Denied)
		})
	}
}

// TestExpiry covers row 6: what the answer says about the end of the session.
func TestExpiry(t *testing.T) {
	for expires, logins := range map[string]int{
		`1000`: 1, `"1000"`: 1, `"` + fmt.Sprint(time.Now().Add(-time.Hour).Unix()) + `"`: 3, `"` + time.Now().Add(-time.Hour).Format(time.RFC3339) + `"`: 3, `int("` + fmt.Sprint(time.Now().Add(-time.Hour).Unix()) + `")`: 3,
		`"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"`: 1,
		`"eyJhbGciOiJub25lIn0.eyJleHAiOjE1MDAwMDAwMDB9.x"`:         3, `nil`: 1,
	} {
		d := &door{}
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				reply(w, 200, map[string]any{"token": d.open()})
				return
			}
			reply(w, 200, user(1))
		}, func(c *rest.Config, _ *rest.Target) {
			c.Login = &rest.Login{Steps: step("post", "/login", letting("token", "body.token")), Headers: pairs("X-Token", "session.token"), Expires: text(expires)}
		})
		for range 3 {
			if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
				t.Fatal(err)
			}
		}
		if d.given != logins {
			t.Errorf("expires %s: %d log-ins for three calls, want %d", expires, d.given, logins)
		}
	}
}

// TestOAuth covers the client credentials grant (RFC 6749 section 4.4).
func TestOAuth(t *testing.T) {
	d := &door{}
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			id, _ = url.QueryUnescape(id)
			secret, _ = url.QueryUnescape(secret)
			if r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "users all" || id != "me:too" || secret != "s+%/ é" || r.Header.Get("X-Static") != "" {
				reply(w, 400, map[string]any{"error": "invalid_client"})
				return
			}
			reply(w, 200, map[string]any{"access_token": d.open(), "token_type": "Bearer", "expires_in": 3600})
			return
		}
		if !d.knows(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			reply(w, 401, nil)
			return
		}
		reply(w, 200, user(1))
	}, func(c *rest.Config, _ *rest.Target) {
		c.Headers = map[string]string{"X-Static": "key"}
		c.OAuth = &rest.OAuth{URL: c.URL + "/token", Client: "me:too", Secret: "s+%/ é", Scope: "users all"}
	})
	for range 2 {
		if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
			t.Fatal(err)
		}
	}
	if d.given != 1 {
		t.Errorf("%d tokens, want 1", d.given)
	}
}

// TestCookies covers row 4: a cookie, and a token against forged requests that
// is read from a page first and sent in the body of what changes.
func TestCookies(t *testing.T) {
	var csrf atomic.Int32
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		cookie, _ := r.Cookie("sid")
		token := fmt.Sprintf("csrf%d", csrf.Load())
		switch {
		case r.URL.Path == "/csrf":
			reply(w, 200, map[string]any{"token": token})
		case r.URL.Path == "/login" && readBody(r)["csrf"] == token:
			csrf.Add(1)
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "open", Path: "/"})
			reply(w, 200, map[string]any{})
		case cookie == nil || cookie.Value != "open":
			reply(w, 401, nil)
		case r.Method == "POST" && readBody(r)["csrf"] != token:
			reply(w, 403, nil)
		default:
			reply(w, 200, user(1))
		}
	}, func(c *rest.Config, target *rest.Target) {
		c.Cookies = true
		login := append(step("get", "/csrf", named("first"), letting("before", "body.token")),
			step("post", "/login", send("{csrf: steps.first.before}"))...)
		c.Login = &rest.Login{Steps: append(login, step("get", "/csrf", letting("csrf", "body.token"))...)}
		target.Create = step("post", "/users", send("{csrf: session.csrf, user: record}"), record("body"))
	})
	if _, err := a.Create(t.Context(), newRecord(a, "name", "x"), adapters.AllFields); err != nil {
		t.Error(err)
	}
}

// TestSecretsStay: no error says a secret.
func TestSecretsStay(t *testing.T) {
	for name, path := range map[string]string{"no answer": "/gone", "a redirect to where none is": "/away"} {
		for _, cookies := range []bool{false, true} {
			a := single(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/away" {
					http.Redirect(w, r, "/gone?key=s3cr3t", http.StatusFound)
					return
				}
				panic(http.ErrAbortHandler)
			}, func(c *rest.Config, target *rest.Target) {
				c.Cookies, c.Secrets = cookies, map[string]string{"key": "s3cr3t"}
				target.Get = step("get", path, query("key", "secret.key"), record("body"))
			})
			_, err := a.Get(t.Context(), "1", adapters.AllFields)
			if wantKind(t, name, err, adapters.Unavailable); strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%s, cookies %t: %v", name, cookies, err)
			}
		}
	}
	a := single(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 400, nil) }, func(c *rest.Config, _ *rest.Target) {
		c.Secrets = map[string]string{"password": "s3cr3t"}
		c.Headers = map[string]string{"X-Key": "s3cr3t"}
		c.Login = &rest.Login{Steps: step("post", "/login", send("{p: secret.password}"), letting("token", "body.token"))}
	})
	_, err := a.Get(t.Context(), "1", adapters.AllFields)
	wantKind(t, "get", err, adapters.Denied)
	if strings.Contains(err.Error(), "s3cr3t") {
		t.Error(err)
	}
}

// TestRotation: a secret that was exchanged is read again when the old one is
// refused, whether it stands in a header, in Basic, or in a log-in.
func TestRotation(t *testing.T) {
	for _, kind := range []string{"header", "basic", "login"} {
		now, reads := "one", 0
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			_, password, _ := r.BasicAuth()
			if r.URL.Path == "/login" {
				if password, _ = readBody(r)["password"].(string); password == now {
					reply(w, 200, map[string]any{"token": now})
					return
				}
			}
			if r.Header.Get("X-Key") != now && password != now && r.Header.Get("X-Token") != now {
				reply(w, 401, nil)
				return
			}
			reply(w, 200, user(1))
		}, func(c *rest.Config, _ *rest.Target) {
			secrets := func() rest.Config {
				reads++
				return map[string]rest.Config{"header": {Headers: map[string]string{"X-Key": now}}, "basic": {User: "u", Password: now},
					"login": {Secrets: map[string]string{"password": now}}}[kind]
			}
			first := secrets()
			c.Headers, c.User, c.Password, c.Secrets, c.Refresh = first.Headers, first.User, first.Password, first.Secrets, secrets
			if kind == "login" {
				c.Login = &rest.Login{Steps: step("post", "/login", send("{password: secret.password}"), letting("token", "body.token")), Headers: pairs("X-Token", "session.token")}
			}
		})
		for _, now = range []string{"one", "two"} {
			for range 2 {
				if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
					t.Errorf("%s, %s: %v", kind, now, err)
				}
			}
		}
		if reads != 2 {
			t.Errorf("%s: the secret was read %d times, want 2", kind, reads)
		}
	}
}
