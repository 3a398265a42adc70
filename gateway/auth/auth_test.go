package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/provision"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func named(client string) Principal {
	return Principal{Caller: provision.Caller{Tenant: "t", Client: client}}
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func TestAuthenticate(t *testing.T) {
	b, err := NewBearer("scim", []Client{
		{Principal: named("entra"), Tokens: []Token{{Hash: HashToken("old")}, {Hash: HashToken("new+/=="), Expires: noon.Add(time.Hour)}}},
		{Principal: named("okta"), Tokens: []Token{{Hash: HashToken("gone"), Expires: noon}}},
	}, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	const bare, wrong, malformed = `Bearer realm="scim"`, `Bearer realm="scim", error="invalid_token"`, `Bearer realm="scim", error="invalid_request"`
	cases := []struct {
		name, client string
		header       []string
		status       int
		challenge    string
	}{
		{"first token", "entra", []string{"Bearer old"}, 0, ""},
		{"second token, live too", "entra", []string{"Bearer new+/=="}, 0, ""},
		{"scheme in any case", "entra", []string{"bEARER old"}, 0, ""},
		{"several spaces", "entra", []string{"Bearer   old "}, 0, ""},
		{"T-03 no credentials, no code", "", nil, 401, bare},
		{"T-03 another scheme, no code", "", []string{"Basic b2xkOm9sZA=="}, 401, bare},
		{"OKT no scheme at all", "", []string{"non-token"}, 401, bare},
		{"T-03 unknown", "", []string{"Bearer none"}, 401, wrong},
		{"T-03 case matters", "", []string{"Bearer OLD"}, 401, wrong},
		{"T-03 a prefix is not enough", "", []string{"Bearer ol"}, 401, wrong},
		{"T-03 expired at the very instant", "", []string{"Bearer gone"}, 401, wrong},
		{"T-03 the hash is not the token", "", []string{"Bearer " + strings.TrimPrefix(HashToken("old"), "sha256:")}, 401, wrong},
		{"T-03 empty token", "", []string{"Bearer "}, 400, malformed},
		{"T-03 empty header's scheme", "", []string{""}, 401, bare},
		{"T-03 no token", "", []string{"Bearer"}, 400, malformed},
		{"T-03 two tokens", "", []string{"Bearer old old"}, 400, malformed},
		{"T-03 a foreign character", "", []string{"Bearer öld"}, 400, malformed},
		{"T-03 padding only", "", []string{"Bearer =="}, 400, malformed},
		{"T-03 two headers", "", []string{"Bearer old", "Bearer old"}, 400, malformed},
		{"T-03 very long", "", []string{"Bearer " + strings.Repeat("a", 5000)}, 400, malformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for _, v := range c.header {
				h.Add("Authorization", v)
			}
			p, err := b.Authenticate(h)
			if p.Client != c.client {
				t.Errorf("client %q, want %q", p.Client, c.client)
			}
			var r *Refusal
			if errors.As(err, &r) != (c.status != 0) {
				t.Fatalf("error %v, want status %d", err, c.status)
			}
			if r != nil && (r.Status != c.status || r.Challenge != c.challenge || r.Detail == "") {
				t.Errorf("refused with %+v", r)
			}
		})
	}
}

func TestExpiryFollowsTheClock(t *testing.T) {
	now := noon
	b, err := NewBearer("scim", []Client{{Principal: named("c"), Tokens: []Token{{Hash: HashToken("x"), Expires: noon.Add(time.Second)}}}},
		func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Authorization": {"Bearer x"}}
	if _, err := b.Authenticate(h); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if _, err := b.Authenticate(h); err == nil {
		t.Fatal("T-05: an expired token was taken")
	}
}

func TestNewBearerProblems(t *testing.T) {
	h := HashToken
	cases := []struct {
		name, realm, want string
		clients           []Client
	}{
		{"three live", "r", "3 live tokens", []Client{{Principal: named("a"), Tokens: []Token{{Hash: h("1")}, {Hash: h("2")}, {Hash: h("3")}}}}},
		{"plain token", "r", "sha256:", []Client{{Principal: named("a"), Tokens: []Token{{Hash: "secret"}}}}},
		{"no hex", "r", "no hex digit", []Client{{Principal: named("a"), Tokens: []Token{{Hash: "sha256:" + strings.Repeat("z", 64)}}}}},
		{"shared", "r", `client "a" has the same token`, []Client{{Principal: named("a"), Tokens: []Token{{Hash: h("1")}}}, {Principal: named("b"), Tokens: []Token{{Hash: h("1")}}}}},
		{"realm", "a\"\r\n", "realm", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewBearer(c.realm, c.clients, at(noon))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want something about %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the problem repeats the secret: %v", err)
			}
		})
	}
	two := []Token{{Hash: h("1")}, {Hash: h("2")}, {Hash: h("3"), Expires: noon}}
	if _, err := NewBearer("r", []Client{{Tokens: two}}, at(noon)); err != nil {
		t.Errorf("an expired third token is no problem, got %v", err)
	}
}

func TestNewToken(t *testing.T) {
	token, hash := NewToken()
	again, _ := NewToken()
	if token == again || HashToken(token) != hash || !isB64token(token) || len(token) < 43 {
		t.Errorf("T-05: token %q, then %q, hash %q", token, again, hash)
	}
	if want := "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; HashToken("abc") != want {
		t.Errorf("HashToken(abc) = %s", HashToken("abc"))
	}
}

func FuzzAuthenticate(f *testing.F) {
	for _, s := range []string{"Bearer x", "bearer", "Basic x", "", "Bearer \x00", "Bearer a=b"} {
		f.Add(s)
	}
	b, err := NewBearer("scim", []Client{{Principal: named("c"), Tokens: []Token{{Hash: HashToken("right")}}}}, at(noon))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		p, err := b.Authenticate(http.Header{"Authorization": {header}})
		if (err == nil) != (p.Client == "c") {
			t.Fatalf("principal %+v with error %v", p, err)
		}
		if err == nil && !strings.Contains(header, "right") {
			t.Fatalf("%q let in", header)
		}
	})
}
