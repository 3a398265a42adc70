package file

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// An encoding is how characters are written as bytes; nil is UTF-8.
type encoding = *charmap.Charmap

// Encodings are the names of the encodings; the first is the default.
func Encodings() []string { return []string{"utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"} }

func encodingOf(name string) (encoding, bool) {
	switch name {
	case "", "utf-8":
		return nil, true
	case "iso-8859-1":
		return charmap.ISO8859_1, true
	case "iso-8859-15":
		return charmap.ISO8859_15, true
	case "windows-1252":
		return charmap.Windows1252, true
	}
	return nil, false
}

// decodeText is a file as text, and the first line that is not in the encoding, 0 if
// there is none.
func decodeText(e encoding, data []byte) (text string, bad int) {
	if e == nil {
		return string(data), 0
	}
	var b strings.Builder
	b.Grow(len(data))
	for i, c := range data {
		r := e.DecodeByte(c)
		if r == utf8.RuneError && bad == 0 {
			bad = 1 + bytes.Count(data[:i], []byte("\n"))
		}
		b.WriteRune(r)
	}
	return b.String(), bad
}

// encodeText is a text as it stands in a file.
func encodeText(e encoding, text string) ([]byte, error) {
	if e == nil {
		return []byte(text), nil
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		c, ok := e.EncodeRune(r)
		if !ok {
			return nil, fmt.Errorf("%s has no such character", e)
		}
		out = append(out, c)
	}
	return out, nil
}
