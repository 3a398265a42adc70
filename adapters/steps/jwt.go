package steps

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// assertionTime is how long an assertion is good, if its claims do not say it: as
// long as the exchange that it is for.
const assertionTime = 5 * time.Minute

// algorithms are those that jwt signs with; "none" is none of them.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"}

// A frank error says what is wrong in words of our own, without values: it may be
// told instead of "the expression fails".
type frank struct{ text string }

func (f frank) Error() string { return f.text }

// signed makes a JSON Web Token. The key is in none of its errors.
func signed(p ...any) (any, error) {
	header, _ := p[0].(map[string]any)
	claims, _ := p[1].(map[string]any)
	name, _ := header["alg"].(string)
	if !slices.Contains(algorithms, name) {
		return nil, frank{"jwt: alg in its header is one of " + strings.Join(algorithms, ", ")}
	}
	now := time.Now()
	all := jwt.MapClaims{"iat": now.Unix(), "exp": now.Add(assertionTime).Unix(), "jti": rand.Text()}
	maps.Copy(all, claims)
	token := jwt.NewWithClaims(jwt.GetSigningMethod(name), all)
	maps.Copy(token.Header, header)
	key, err := signingKey(name, textOf(p[2]))
	if err != nil {
		return nil, frank{"jwt: the key is no private key in PEM for " + name}
	}
	text, err := token.SignedString(key)
	if err != nil {
		return nil, frank{"jwt: the key does not sign with " + name}
	}
	return text, nil
}

// signingKey reads a key. A line break may be written as \n, as it is in variables of
// the environment.
func signingKey(algorithm, text string) (any, error) {
	if text == "" {
		return nil, errors.New("no key")
	}
	pem := []byte(text)
	if !strings.Contains(text, "\n") {
		pem = []byte(strings.ReplaceAll(text, `\n`, "\n"))
	}
	switch algorithm[:2] {
	case "HS":
		return []byte(text), nil
	case "RS", "PS":
		return jwt.ParseRSAPrivateKeyFromPEM(pem)
	case "ES":
		return jwt.ParseECPrivateKeyFromPEM(pem)
	case "Ed":
		return jwt.ParseEdPrivateKeyFromPEM(pem)
	}
	return nil, fmt.Errorf("no key for %s", algorithm)
}
