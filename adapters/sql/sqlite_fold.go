package sql

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SQLite's NOCASE folds the case of ASCII letters; filters fold that of all. A
// text of ASCII has few equals beyond NOCASE: the Kelvin sign is a k, and the
// long s an s. These functions list them, so that an index can find them.

const (
	maxVariants = 16
	maxSpans    = 500
)

// others lists the characters beyond ASCII that fold like r, and answers the
// ASCII letter that does, or 0.
func others(r rune) (ascii rune, rest []rune) {
	if r < utf8.RuneSelf {
		ascii = r
	} else {
		rest = append(rest, r)
	}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if f < utf8.RuneSelf {
			ascii = f
		} else {
			rest = append(rest, f)
		}
	}
	return ascii, rest
}

// odd reports whether NOCASE, or the decoding of broken text, makes more of s
// than its characters.
func odd(s string) bool { return strings.ContainsAny(s, "\x00\uFFFD") || !utf8.ValidString(s) }

// variants lists the texts, as NOCASE tells texts apart, that fold like s; none
// if they are more than maxVariants. Their number is a power of two, so that
// few statements differ by it; the last may be repeated.
func variants(s string) []any { return variantsUpTo(s, maxVariants) }

func variantsUpTo(s string, most int) []any {
	if odd(s) {
		return nil
	}
	out := []string{""}
	for _, r := range s {
		ascii, rest := others(r)
		if ascii != 0 {
			rest = append(rest, ascii)
		}
		if len(out)*len(rest) > most {
			return nil
		}
		out = extend(out, rest)
	}
	list := make([]any, 0, len(out))
	for _, v := range out {
		list = append(list, v)
	}
	for len(list)&(len(list)-1) != 0 {
		list = append(list, out[len(out)-1])
	}
	return list
}

// extend appends each of the characters to each of the texts.
func extend(texts []string, by []rune) []string {
	out := make([]string, 0, len(texts)*len(by))
	for _, t := range texts {
		for _, r := range by {
			out = append(out, t+string(r))
		}
	}
	return out
}

// spans lists, as a JSON array of [from, to), ranges in the order of NOCASE that
// hold every text that folds like s, and few others. "" if there are too many.
//
// Where a letter may stand for an ASCII letter, that is followed further and the
// others, which hardly occur, are left as what begins with them.
func spans(s string) string {
	if odd(s) {
		return ""
	}
	var ranges [][2]string
	open := []string{""}
	for _, r := range s {
		ascii, rest := others(r)
		if ascii == 0 && len(open)*len(rest) <= maxVariants {
			open = extend(open, rest)
			continue
		}
		for _, begun := range extend(open, rest) {
			to := after(begun)
			if to == "" {
				return ""
			}
			ranges = append(ranges, [2]string{begun, to})
		}
		if ascii == 0 {
			open = nil
			break
		}
		open = extend(open, []rune{ascii})
	}
	for _, whole := range open {
		ranges = append(ranges, [2]string{whole, whole + "\x01"})
	}
	if len(ranges) > maxSpans {
		return ""
	}
	text, err := json.Marshal(ranges)
	if err != nil {
		return ""
	}
	return string(text)
}

// plainPrefix is what s begins with before a letter that NOCASE does not fold
// as filters do.
func plainPrefix(s string) string {
	for i, r := range s {
		if _, rest := others(r); len(rest) > 0 || r == 0 {
			return s[:i]
		}
	}
	return s
}

// after is a text that is greater than every text that begins with s, byte for
// byte and by NOCASE, which orders letters as if they were small. "" if there
// is none.
func after(s string) string {
	r, size := utf8.DecodeLastRuneInString(s)
	switch {
	case r == utf8.RuneError || r == unicode.MaxRune:
		return ""
	case r >= 'A' && r <= 'Z':
		r += 'a' - 'A'
	case r == 0xD7FF:
		r = 0xDFFF // there are no characters between
	}
	return s[:len(s)-size] + string(r+1)
}
