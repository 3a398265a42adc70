package ldap

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// The keys that are no text attribute.
const (
	keyDN   = "dn"
	keyGUID = "objectGUID"
)

// keyOf is the key of an entry; "" if it does not show one.
func (t *Entries) keyOf(v *server, e *ldap.Entry) adapters.Key {
	if t.Key == keyDN {
		return adapters.Key(e.DN)
	}
	values := valuesOf(v, e, t.Key)
	if len(values) == 0 {
		return ""
	}
	if t.Key == keyGUID && len(values[0]) == 16 {
		return adapters.Key(formatGUID([]byte(values[0])))
	}
	return adapters.Key(chosen(v, e, t.Key, values))
}

// keyCondition is the condition that an entry has a key.
func (t *Entries) keyCondition(v *server, key string) string {
	switch t.Key {
	case keyDN:
		if v.dnAttribute == "" || !utf8.ValidString(key) {
			return never
		}
		return equals(v.dnAttribute, key)
	case keyGUID:
		raw, ok := parseGUID(key)
		if !ok {
			return never
		}
		return equals(t.Key, string(raw))
	}
	if a := v.attribute(t.Key); a != nil && a.Equality == "uuidmatch" && !uuidText.MatchString(key) {
		return never // no text that the server would not understand, or take for another
	}
	return equals(t.Key, key)
}

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// plausible leaves out what cannot be a key: nobody need be asked about it.
func plausible(key adapters.Key) bool {
	return key != "" && len(key) <= 4096 && utf8.ValidString(string(key)) && !strings.ContainsRune(string(key), 0)
}

// mixed is the order of bytes in which objectGUID holds what its text says.
var mixed = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

// formatGUID writes an objectGUID as everybody does: 3f2504e0-4f89-11d3-9a0c-0305e82c3301.
func formatGUID(raw []byte) string {
	var b [16]byte
	for i, from := range mixed {
		b[i] = raw[from]
	}
	return formatUUID(b[:])
}

// parseGUID reads what formatGUID wrote, and nothing else.
func parseGUID(text string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, false
	}
	raw := make([]byte, 16)
	for i, to := range mixed {
		raw[to] = b[i]
	}
	return raw, formatGUID(raw) == text
}

func formatUUID(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// newUUID is a random UUID (RFC 9562 section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return formatUUID(b[:])
}
