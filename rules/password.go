package rules

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Passwords are hashed here where the application's own code did it before it
// wrote them down. Which scheme is good is for the application to say: it must be
// one that it reads.

// schemes are the names of what passwordHash can do.
var schemes = []string{"bcrypt", "sha256-crypt", "sha512-crypt", "ssha", "ssha256", "ssha512", "sha1-hex", "sha256-hex", "sha512-hex"}

// rounds are as many as the tools of an operating system take, which every
// application reads.
const rounds = 5000

// cost is that of bcrypt, as a power of two.
const cost = 12

func runPasswordHash(params ...any) (any, error) {
	scheme, _ := params[1].(string)
	if !slices.Contains(schemes, scheme) {
		return nil, fmt.Errorf("there is no scheme %q of passwords; there are %s", scheme, strings.Join(schemes, ", "))
	}
	if params[0] == nil {
		return nil, nil
	}
	password, ok := params[0].(string)
	if !ok {
		return nil, errors.New("a password is a text")
	}
	return passwordHash(password, scheme)
}

func passwordHash(password, scheme string) (any, error) {
	newHash := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}
	switch name, form, _ := strings.Cut(scheme, "-"); form {
	case "hex":
		h := newHash[name]()
		h.Write([]byte(password))
		return hex.EncodeToString(h.Sum(nil)), nil
	case "crypt":
		variant := map[string]shacrypt.Variant{"sha256": shacrypt.VariantSHA256, "sha512": shacrypt.VariantSHA512}[name]
		return encoded(shacrypt.New(shacrypt.WithVariant(variant), shacrypt.WithIterations(rounds)))(password)
	}
	switch scheme {
	case "bcrypt":
		return encoded(bcrypt.New(bcrypt.WithIterations(cost)))(password)
	case "ssha":
		return salted("{SSHA}", sha1.New(), password), nil
	case "ssha256":
		return salted("{SSHA256}", sha256.New(), password), nil
	}
	return salted("{SSHA512}", sha512.New(), password), nil
}

// encoded hashes with a salt of its own, in the form of crypt(3).
func encoded[H algorithm.Hash](h H, err error) func(string) (any, error) {
	return func(password string) (any, error) {
		if err != nil {
			return nil, err
		}
		digest, err := h.Hash(password)
		if err != nil {
			return nil, errors.New("the scheme takes no such password") // the error may hold it
		}
		return digest.Encode(), nil
	}
}

// salted is how directories write passwords (RFC 2307 and its successors): the
// hash and the salt behind it, in base64.
func salted(name string, h hash.Hash, password string) string {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // never fails
	h.Write([]byte(password))
	h.Write(salt)
	return name + base64.StdEncoding.EncodeToString(append(h.Sum(nil), salt...))
}
