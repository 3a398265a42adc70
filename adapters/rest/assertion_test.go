package rest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// A signer is a key in the form that a configuration has, and in the one that the
// token endpoint knows.
type signer struct {
	alg     string
	private string
	public  any
}

func newSigner(t *testing.T, alg string) signer {
	t.Helper()
	switch alg {
	case "HS256":
		return signer{alg, rand.Text(), nil}
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return signer{alg, pemOf(t, key), key.Public()}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{alg, pemOf(t, key), key.Public()}
}

func pemOf(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// believes reports whether an assertion is signed by the signer, and is what RFC 7523
// section 3 wants.
func (s signer) believes(assertion, audience string) bool {
	key := s.public
	if key == nil {
		key = []byte(s.private)
	}
	token, err := jwt.Parse(assertion, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{s.alg}), jwt.WithAudience(audience), jwt.WithIssuer("postern"), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil {
		return false
	}
	claims := token.Claims.(jwt.MapClaims)
	subject, _ := claims.GetSubject()
	return subject != "" && claims["jti"] != "" && token.Header["kid"] == "k1"
}

const (
	jwtBearer       = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// asserts is a log-in by assertion, as one grant or the other.
func asserts(alg, grant string) *rest.Login {
	signed := `jwt({alg: "` + alg + `", kid: "k1"}, {iss: "postern", sub: "directory", aud: "https://login.example"}, secret.key)`
	body := `{grant_type: "` + jwtBearer + `", assertion: ` + signed + `}`
	if grant != jwtBearer {
		body = `{grant_type: "client_credentials", client_assertion_type: "` + clientAssertion + `", client_assertion: ` + signed + `}`
	}
	return &rest.Login{
		Steps:   step("post", "/token", send(body), format("form"), letting("token", "body.access_token", "expires", "body.expires_in")),
		Headers: pairs("Authorization", `"Bearer " + session.token`), Expires: text("session.expires"),
	}
}

func format(name string) func(*rest.Step) { return func(s *rest.Step) { s.Format = text(name) } }

// An issuer is a token endpoint, and the application behind it.
type issuer struct {
	door
	now  signer
	last string // the assertion that came last
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		if !i.knows(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			reply(w, 401, nil)
			return
		}
		reply(w, 200, user(1))
		return
	}
	assertion := r.FormValue("assertion")
	if r.FormValue("grant_type") == "client_credentials" && r.FormValue("client_assertion_type") == clientAssertion {
		assertion = r.FormValue("client_assertion")
	}
	i.last = assertion
	if !i.now.believes(assertion, "https://login.example") {
		reply(w, 400, map[string]any{"error": "invalid_grant"})
		return
	}
	reply(w, 200, map[string]any{"access_token": i.open(), "expires_in": 3600})
}

// TestAssertion: RFC 7523, as a grant (section 2.1) and as the authentication of a
// client (section 2.2); a key that is exchanged on disk is used when the old one is
// refused, and no error says it.
func TestAssertion(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "HS256"} {
		for _, grant := range []string{jwtBearer, "private_key_jwt"} {
			t.Run(alg+" "+grant, func(t *testing.T) {
				i := &issuer{now: newSigner(t, alg)}
				disk := i.now.private
				a := single(t, i.ServeHTTP, func(c *rest.Config, _ *rest.Target) {
					c.Secrets, c.Login = map[string]string{"key": disk}, asserts(alg, grant)
					c.Refresh = func() rest.Config { return rest.Config{Secrets: map[string]string{"key": disk}} }
				})
				get := func() error {
					_, err := a.Get(t.Context(), "1", adapters.AllFields)
					return err
				}
				for range 2 {
					if err := get(); err != nil {
						t.Fatal(err)
					}
				}
				if i.given != 1 {
					t.Errorf("%d tokens for two calls", i.given)
				}
				i.now = newSigner(t, alg)
				i.expire()
				err := get()
				wantKind(t, "another key", err, adapters.Denied)
				if strings.Contains(err.Error(), strings.Split(disk+"\nx", "\n")[1]) && alg != "HS256" || strings.Contains(err.Error(), i.last) || strings.Contains(err.Error(), disk) {
					t.Errorf("the error tells too much: %v", err)
				}
			})
		}
	}
}

// TestAssertionKeyRotates: the key file holds another one by now.
func TestAssertionKeyRotates(t *testing.T) {
	i := &issuer{now: newSigner(t, "ES256")}
	disk := i.now.private
	a := single(t, i.ServeHTTP, func(c *rest.Config, _ *rest.Target) {
		c.Secrets, c.Login = map[string]string{"key": disk}, asserts("ES256", jwtBearer)
		c.Refresh = func() rest.Config { return rest.Config{Secrets: map[string]string{"key": disk}} }
	})
	for range 2 {
		if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
			t.Fatal(err)
		}
		i.now = newSigner(t, "ES256")
		disk = i.now.private
		i.expire()
	}
}

// TestAssertionMistakes: a key that is none is said, and not shown.
func TestAssertionMistakes(t *testing.T) {
	for alg, want := range map[string]string{"RS256": "no private key in PEM for RS256", "none": "alg in its header is one of"} {
		i := &issuer{}
		a := single(t, i.ServeHTTP, func(c *rest.Config, _ *rest.Target) {
			c.Secrets, c.Login = map[string]string{"key": "s3cr3t"}, asserts(alg, jwtBearer)
		})
		_, err := a.Get(t.Context(), "1", adapters.AllFields)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// A renewer gives sessions that end at once, until it is told otherwise, and counts.
type renewer struct {
	mu                sync.Mutex
	logins, refreshes int
	refuse            int    // the status of refreshes; 0: they are good
	refresh           string // the refresh token that is good
	expires           time.Time
	valid             string
}

func (n *renewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	in := map[string]any{}
	if r.Method == "POST" {
		in = readBody(r)
	}
	switch {
	case r.URL.Path == "/login":
		n.logins++
	case r.URL.Path == "/refresh" && n.refuse != 0:
		n.refreshes++
		reply(w, n.refuse, map[string]any{"error": "invalid_grant"})
		return
	case r.URL.Path == "/refresh" && in["refresh"] == n.refresh:
		n.refreshes++
	case r.URL.Path == "/refresh":
		n.refreshes++
		reply(w, 400, map[string]any{"error": "the refresh token is not the last one"})
		return
	case r.Header.Get("X-Token") != n.valid || n.valid == "":
		reply(w, 401, nil)
		return
	default:
		reply(w, 200, user(1))
		return
	}
	n.refresh, n.valid = rand.Text(), rand.Text()
	reply(w, 200, map[string]any{"token": n.valid, "refresh": n.refresh, "tenant": in["tenant"], "expires": n.expires.Unix()})
}

func refreshing(t *testing.T, n *renewer) func() error {
	a := single(t, n.ServeHTTP, func(c *rest.Config, _ *rest.Target) {
		const ends = "body.expires"
		c.Login = &rest.Login{
			Steps:   step("post", "/login", send(`{tenant: "one"}`), letting("token", "body.token", "refresh", "body.refresh", "ends", ends, "tenant", "body.tenant")),
			Refresh: step("post", "/refresh", send("{refresh: session.refresh, tenant: session.tenant}"), letting("token", "body.token", "refresh", "body.refresh", "ends", ends)),
			Headers: pairs("X-Token", "session.token", "X-Tenant", "session.tenant"), Expires: text("session.ends"),
		}
	})
	return func() error {
		_, err := a.Get(t.Context(), "1", adapters.AllFields)
		return err
	}
}

// TestRefresh covers row 6: a session is refreshed before its end, once for everybody
// who waits, and what the refresh does not say stays what it was.
func TestRefresh(t *testing.T) {
	n := &renewer{expires: time.Now().Add(5 * time.Second)} // nearer than any call may be to its end
	get := refreshing(t, n)
	if err := get(); err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 3; round++ { // each has another refresh token
		n.mu.Lock()
		if n.expires = time.Now().Add(5 * time.Second); round == 3 {
			n.expires = time.Now().Add(time.Hour)
		}
		n.mu.Unlock()
		if err := get(); err != nil || n.logins != 1 || n.refreshes != round {
			t.Fatalf("%v: %d log-ins, %d refreshes, want 1 and %d", err, n.logins, n.refreshes, round)
		}
	}
	if err := get(); err != nil || n.refreshes != 3 {
		t.Errorf("%v: a session that is good was refreshed", err)
	}
}

func TestRefreshOnceForAll(t *testing.T) {
	n := &renewer{expires: time.Now().Add(-time.Hour)}
	get := refreshing(t, n)
	if err := get(); err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	n.expires = time.Now().Add(time.Hour)
	n.mu.Unlock()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if err := get(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n.logins != 1 || n.refreshes != 1 {
		t.Errorf("%d log-ins and %d refreshes, want one of each", n.logins, n.refreshes)
	}
}

// TestRefreshRefused: then there is a whole log-in, once; and a session that is
// refused before its end is not refreshed, for that might go on for ever.
func TestRefreshRefused(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 500} {
		n := &renewer{expires: time.Now().Add(-time.Hour), refuse: status}
		get := refreshing(t, n)
		if err := get(); err != nil {
			t.Fatal(err)
		}
		n.expires = time.Now().Add(time.Hour)
		if err := get(); err != nil || n.logins != 2 || n.refreshes != 1 {
			t.Errorf("%d: %v: %d log-ins, %d refreshes, want 2 and 1", status, err, n.logins, n.refreshes)
		}
		n.refuse, n.valid = 0, "another"
		if err := get(); err != nil || n.logins != 3 || n.refreshes != 1 {
			t.Errorf("%d: the session was revoked: %v: %d log-ins, %d refreshes, want 3 and 1", status, err, n.logins, n.refreshes)
		}
	}
}

// TestRefreshUnanswered: a token endpoint that is down is no refusal.
func TestRefreshUnanswered(t *testing.T) {
	n := &renewer{expires: time.Now().Add(-time.Hour), refuse: 503}
	get := refreshing(t, n)
	if err := get(); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "the endpoint is down", get(), adapters.Unavailable)
	n.refuse, n.expires = 0, time.Now().Add(time.Hour)
	if err := get(); err != nil || n.logins != 1 {
		t.Errorf("the endpoint is up again: %v, %d log-ins", err, n.logins)
	}
}
