package identity

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// hexMark begins a stored key that had to be written in hexadecimal.
const hexMark = "\x01"

// storedKey makes text of any key. JSON and SQL text would take different keys
// for the same where they hold invalid UTF-8 or NUL, so those are written in
// hexadecimal. An externalId is stored in the same way.
func storedKey(key string) string {
	if isText(key) && !strings.HasPrefix(key, hexMark) {
		return key
	}
	return hexMark + hex.EncodeToString([]byte(key))
}

// originalKey is the inverse of storedKey.
func originalKey(stored string) string {
	if rest, ok := strings.CutPrefix(stored, hexMark); ok {
		if b, err := hex.DecodeString(rest); err == nil {
			return string(b)
		}
	}
	return stored
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// isID reports whether a key can serve as an id (S-32).
func isID(key string) bool {
	return key != "" && isText(key) && !strings.Contains(key, "bulkId")
}
