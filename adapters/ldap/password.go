package ldap

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
)

// password is what an attribute is given for a password. apart says that it is sent by
// an operation of its own.
func (s *session) password(attribute, plain string) (encoded string, apart bool) {
	switch {
	case strings.EqualFold(attribute, "unicodePwd"):
		return unicodePassword(plain), false
	case s.d.cfg.Passwords == SSHA:
		var salt [16]byte
		_, _ = rand.Read(salt[:]) // never fails
		return ssha(plain, salt[:]), false
	case s.d.cfg.Passwords == Extended && (len(s.extensions) == 0 || slices.Contains(s.extensions, extendedPassword)):
		return plain, true
	}
	return plain, false
}

// ssha is a password as salted SHA-1, as directories read it.
func ssha(plain string, salt []byte) string {
	h := sha1.New()
	h.Write([]byte(plain))
	h.Write(salt)
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(h.Sum(nil), salt...))
}

// unicodePassword is a password as Active Directory wants it: in quotes, as UTF-16.
func unicodePassword(plain string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + plain + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// setPassword is the extended operation of RFC 3062.
func (s *session) setPassword(dn, plain string) error {
	return s.change(func() error {
		_, err := s.c.PasswordModify(ldap.NewPasswordModifyRequest(dn, "", plain))
		return err
	}, "", "password", dn)
}

// passwordField is the field to blame for a password.
func passwordField(a *Adapter) string {
	for i, f := range a.fields {
		if f.secret {
			return a.caps.Shape.Names()[i]
		}
	}
	return ""
}

// withBit is a number in which one bit is as a field says: "1" or "0".
func withBit(number string, mask int64, bit string) string {
	n, _ := strconv.ParseInt(number, 10, 64) // no number: no bits
	if n &^= mask; bit == "1" || strings.EqualFold(bit, "true") {
		n |= mask
	}
	return strconv.FormatInt(n, 10)
}
