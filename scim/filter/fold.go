package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fold maps every character to the smallest of its simple-folding orbit, so that
// two strings fold alike exactly when strings.EqualFold says so. It is the rule
// of scim.Fold, which this leaf may not import.
func Fold(s string) string { return strings.Map(foldRune, s) }

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'a' && r <= 'z' {
			return r - 0x20 // the smallest of its orbit, that of k and s too
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// appendFold is Fold into a buffer, which for most strings can be on the stack.
func appendFold(b []byte, s string) []byte {
	for _, r := range s {
		b = utf8.AppendRune(b, foldRune(r))
	}
	return b
}

// compareFold orders folded strings by code point.
func compareFold(a, b string) int {
	for a != "" && b != "" {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if ra != rb {
			if ra, rb = foldRune(ra), foldRune(rb); ra != rb {
				return int(ra - rb)
			}
		}
		a, b = a[na:], b[nb:]
	}
	return len(a) - len(b) // at least one is empty
}
