package ldap

import "strings"

// For SCIM the Kelvin sign is a k and the long s is an s (Unicode's simple folding).
// RFC 4518 says so, too, but not every directory follows it: Active Directory has rules
// of its own, and Samba's knows nothing of these two. It is asked for each way to write
// a text.
const (
	kelvin = '\u212a'
	longS  = '\u017f'
)

var unspelled = strings.NewReplacer("k", string(kelvin), "K", string(kelvin), "s", string(longS), "S", string(longS))

// maxSpellings bounds the ways to write one text.
const maxSpellings = 32

// spellings are the ways to write a text; none if they are too many.
func spellings(s string) []string {
	out := []string{""}
	for _, r := range s {
		ways := []string{string(r)}
		switch r {
		case 'k', 'K', kelvin:
			ways = []string{"k", string(kelvin)}
		case 's', 'S', longS:
			ways = []string{"s", string(longS)}
		}
		if len(out)*len(ways) > maxSpellings {
			return nil
		}
		var longer []string
		for _, way := range ways {
			for _, so := range out {
				longer = append(longer, so+way)
			}
		}
		out = longer
	}
	return out
}

// pattern is the value of a substring filter that every text fits which begins with
// s, ends with it, both or neither. Only the parts of s that every server prepares
// alike are in it: no blanks, which are squeezed or dropped; no letters other than
// ASCII's; no letter that a combining mark may follow, with which it would be one.
// spelled says that the Kelvin sign and the long s in it are meant as they are.
func pattern(s string, begins, ends, spelled bool) string {
	var parts []string
	var part []rune
	atStart := begins
	cut := func(marked bool) {
		if n := len(part); marked && n > 0 && combines(part[n-1]) {
			part = part[:n-1]
		}
		if len(part) == 0 && len(parts) == 0 {
			atStart = false
		}
		if len(part) > 0 {
			parts = append(parts, escaped(string(part)))
		}
		part = nil
	}
	for _, r := range s {
		if r > ' ' && r <= '~' && r != '-' || spelled && (r == kelvin || r == longS) {
			part = append(part, r)
			continue
		}
		cut(r != ' ')
	}
	atEnd := ends && len(part) > 0
	cut(!ends)
	if len(parts) == 0 {
		return "*"
	}
	out := strings.Join(parts, "*")
	if !atStart {
		out = "*" + out
	}
	if !atEnd {
		out += "*"
	}
	return out
}

// combines reports characters that form another with a combining mark.
func combines(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("<=>", c) || c == kelvin || c == longS
}
