package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postern/postern/provision"
)

// A Principal is an authenticated caller: the security subject of RFC 7644
// section 2, and the name under which its ids and externalIds are kept.
type Principal struct {
	provision.Caller
	Profile string   // whose habits to expect: "entra", "okta", or "" for nobody's in particular
	Scopes  []string // of an administrator; nil for clients
	// Reads and Writes are how many requests a second it may make; 0: any number.
	Reads, Writes int
	Subject       string // the userName of the user that the token stands for, if any
}

// A Token is one bearer token of a client, as its hash (HashToken).
type Token struct {
	Hash    string
	Expires time.Time // the first instant at which it is refused; zero: never
	Subject string    // the userName of the user that it stands for, if any
}

// A Client is a caller that the configuration names, with the tokens it may
// show. Two may be live at once, so that one can be rotated without a gap.
type Client struct {
	Principal Principal
	Tokens    []Token
}

// liveTokens is how many unexpired tokens a client may have.
const liveTokens = 2

// maxHeader bounds what of an Authorization header is looked at.
const maxHeader = 4096

// Bearer authenticates requests by the bearer token of RFC 6750 section 2.1.
// It is read-only after NewBearer: no attempt, failed or not, changes anything
// that another request could wait for.
type Bearer struct {
	realm  string
	tokens map[digest]grant
	now    func() time.Time
}

type grant struct {
	principal Principal
	expires   time.Time
}

// NewBearer takes the clients' tokens. Every problem is reported, each with
// the name of its client. The realm is what challenges name.
func NewBearer(realm string, clients []Client, now func() time.Time) (*Bearer, error) {
	b := &Bearer{realm: realm, tokens: make(map[digest]grant), now: now}
	var problems []error
	if strings.ContainsFunc(realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		problems = append(problems, fmt.Errorf("realm %q holds a character that a header cannot", realm))
	}
	for _, c := range clients {
		problems = append(problems, b.add(c)...)
	}
	return b, errors.Join(problems...)
}

func (b *Bearer) add(c Client) (problems []error) {
	live := 0
	for i, t := range c.Tokens {
		d, err := parseHash(t.Hash)
		if err != nil {
			problems = append(problems, fmt.Errorf("client %q, token %d: %w", c.Principal.Client, i+1, err))
			continue
		}
		if other, taken := b.tokens[d]; taken {
			problems = append(problems, fmt.Errorf("client %q, token %d: client %q has the same token",
				c.Principal.Client, i+1, other.principal.Client))
			continue
		}
		if t.Expires.IsZero() || b.now().Before(t.Expires) {
			live++
		}
		g := grant{principal: c.Principal, expires: t.Expires}
		g.principal.Subject = t.Subject
		b.tokens[d] = g
	}
	if live > liveTokens {
		problems = append(problems, fmt.Errorf("client %q has %d live tokens; at most %d, so that an old one does not stay for good",
			c.Principal.Client, live, liveTokens))
	}
	return problems
}

// Authenticate finds the caller. The error is a *Refusal.
//
// The token is hashed before it is looked up: how long the look-up takes
// depends on the hash, which tells a caller nothing about any real token.
func (b *Bearer) Authenticate(h http.Header) (Principal, error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return Principal{}, b.refuse(http.StatusUnauthorized, "",
			"This endpoint needs a bearer token: send the header \"Authorization: Bearer TOKEN\".")
	}
	if len(values) > 1 {
		return Principal{}, b.refuse(http.StatusBadRequest, "invalid_request", "There is more than one Authorization header; send one.")
	}
	token, err := b.token(values[0])
	if err != nil {
		return Principal{}, err
	}
	g, known := b.tokens[sha256.Sum256([]byte(token))]
	switch {
	case !known:
		return Principal{}, b.refuse(http.StatusUnauthorized, "invalid_token", "The bearer token is not known here; check that it was copied whole.")
	case !g.expires.IsZero() && !b.now().Before(g.expires):
		return Principal{}, b.refuse(http.StatusUnauthorized, "invalid_token", "The bearer token has expired; ask the operator of this gateway for a new one.")
	}
	return g.principal, nil
}

// HashSent is the hash (HashToken) of the token that a request shows, if it shows
// one as it should.
func HashSent(h http.Header) (hash string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	token, err := new(Bearer).token(values[0])
	return HashToken(token), err == nil
}

// token takes the token out of an Authorization header.
func (b *Bearer) token(header string) (string, error) {
	if len(header) > maxHeader {
		return "", b.refuse(http.StatusBadRequest, "invalid_request",
			fmt.Sprintf("The Authorization header is longer than %d bytes.", maxHeader))
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		// Another scheme is no attempt at this one: no error code (RFC 6750 section 3.1).
		return "", b.refuse(http.StatusUnauthorized, "",
			"This endpoint takes bearer tokens only: send the header \"Authorization: Bearer TOKEN\".")
	}
	token = strings.Trim(token, " ")
	if !isB64token(token) {
		return "", b.refuse(http.StatusBadRequest, "invalid_request",
			"The Authorization header is malformed: after \"Bearer\" come one space and one token of letters, digits and -._~+/=.")
	}
	return token, nil
}

// isB64token checks the syntax of RFC 6750 section 2.1.
func isB64token(s string) bool {
	body := strings.TrimRight(s, "=")
	if body == "" {
		return false
	}
	for i := 0; i < len(body); i++ {
		c := body[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return true
}
