package scim

import "unicode"

// foldRune maps a rune to the smallest rune of its simple-folding orbit, so
// that two strings fold alike exactly when strings.EqualFold says so.
func foldRune(r rune) rune {
	if r < 'A' || (r > 'Z' && r < 'a') {
		return r
	}
	if r <= 'z' && r != 'k' && r != 's' && r != 'K' && r != 'S' {
		return r &^ 0x20 // ASCII letters, whose orbit is the letter's two cases
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}
