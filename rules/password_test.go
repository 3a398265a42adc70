package rules

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-crypt/crypt"
)

// TestPasswordHash: what is hashed is recognised by other code, is salted where it should be, and
// does not hold the password.
func TestPasswordHash(t *testing.T) {
	const password = "t1meMaheen €"
	decoder, err := crypt.NewDefaultDecoder()
	if err != nil {
		t.Fatal(err)
	}
	for scheme, begin := range map[string]string{"bcrypt": "$2b$12$", "sha256-crypt": "$5$", "sha512-crypt": "$6$", "ssha": "{SSHA}", "ssha256": "{SSHA256}", "ssha512": "{SSHA512}"} {
		one, err := runPasswordHash(password, scheme)
		two, again := runPasswordHash(password, scheme)
		text, _ := one.(string)
		if err != nil || again != nil || one == two || !strings.HasPrefix(text, begin) || strings.Contains(text, password) {
			t.Errorf("%s: %v, %v; %v, %v", scheme, one, err, two, again)
		}
		if text[0] != '$' {
			continue
		}
		digest, err := decoder.Decode(text)
		if err != nil || !digest.Match(password) || digest.Match(password+"x") {
			t.Errorf("%s: %s is not recognised: %v", scheme, text, err)
		}
	}
	for _, c := range []struct {
		value  any
		scheme string
		ok     bool
	}{{nil, "bcrypt", true}, {"x", "md5", false}, {1, "ssha", false}} {
		if got, err := runPasswordHash(c.value, c.scheme); got != nil || (err == nil) != c.ok {
			t.Errorf("%v by %s: %v, %v", c.value, c.scheme, got, err)
		}
	}
}

// TestSalted: hash and salt, as a directory checks them.
func TestSalted(t *testing.T) {
	text, _ := runPasswordHash("secret", "ssha256")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text.(string), "{SSHA256}"))
	if err != nil || len(raw) != sha256.Size+8 {
		t.Fatal(text, err)
	}
	if sum := sha256.Sum256(append([]byte("secret"), raw[sha256.Size:]...)); string(sum[:]) != string(raw[:sha256.Size]) {
		t.Error("the hash is another")
	}
}

// TestCryptKnown: a hash that a C library made of the same password is recognised, so that the scheme is the same.
func TestCryptKnown(t *testing.T) {
	decoder, err := crypt.NewDefaultDecoder()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := decoder.Decode("$6$abcdefgh$bZXz4yrUHVNEf.13sBq2krivXGy9jKklhp86Y5GBbrQnjWHv1fyxgg/CMeAtpx6RHex3QiBFpCyMagd7kguWT/")
	if err != nil || !digest.Match("t1meMaheen") {
		t.Error(err)
	}
}
