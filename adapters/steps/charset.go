package steps

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// utf8Once reads a text that was written in UTF-8, taken for Windows-1252 or Latin-1, and
// written in UTF-8 again. What was not is left as it is.
func utf8Once(text string) string {
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := charmap.Windows1252.EncodeRune(r)
		switch {
		case r <= 0xff:
			b = byte(r)
		case !ok:
			return text
		}
		bytes = append(bytes, b)
	}
	if !utf8.Valid(bytes) {
		return text
	}
	return string(bytes)
}

// utf8Twice is the text as an application holds it that writes UTF-8 into columns of
// Windows-1252.
func utf8Twice(text string) string {
	runes := make([]rune, len(text))
	for i := range len(text) {
		if runes[i] = charmap.Windows1252.DecodeByte(text[i]); runes[i] == utf8.RuneError {
			runes[i] = rune(text[i]) // five bytes have no character there
		}
	}
	return string(runes)
}
