package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// hashPrefix names the hash in front of its digits, so that another one can
// follow without guessing by length.
const hashPrefix = "sha256:"

// tokenPrefix lets scanners for leaked secrets recognise a token.
const tokenPrefix = "pst_"

type digest = [sha256.Size]byte

// HashToken is the form in which the configuration holds a token:
// "sha256:" and the digest in lower-case hex. A token is 256 random bits (T-05),
// so that a plain hash cannot be reversed by trying.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hashPrefix + hex.EncodeToString(sum[:])
}

// NewToken makes a random token and its hash. The token is shown once, to
// whoever configures the client; only the hash is kept.
func NewToken() (token, hash string) {
	var random [32]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	return token, HashToken(token)
}

// parseHash reads what HashToken wrote.
func parseHash(s string) (d digest, err error) {
	digits, ok := strings.CutPrefix(s, hashPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("a token's hash is %q followed by %d hex digits; `postern token` prints one",
			hashPrefix, hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return d, fmt.Errorf("a token's hash holds something that is no hex digit: %w", err)
	}
	return d, nil
}
