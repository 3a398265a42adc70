package rest

import (
	"bytes"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// This file reads answers that are not in UTF-8, as those of older systems.

// charsetOf is an encoding by its name in HTTP and XML. Without one, and where it is
// UTF-8 or ASCII, characters are taken as they are.
func charsetOf(label string) (encoding.Encoding, bool) {
	switch strings.ToLower(label) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return encoding.Nop, true
	case "iso-8859-1", "latin1":
		return charmap.ISO8859_1, true
	case "iso-8859-15":
		return charmap.ISO8859_15, true
	case "windows-1252", "cp1252":
		return charmap.Windows1252, true
	}
	return nil, false
}

var xmlDeclared = regexp.MustCompile(`^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']`)

// inUTF8 is a body in UTF-8, if the answer's header says that it is in another
// encoding: what XML declares itself gives way to that (RFC 7303 section 3).
func inUTF8(resp *http.Response, data []byte) []byte {
	t := resp.Header.Get("Content-Type")
	if !strings.Contains(t, "=") || bytes.HasPrefix(data, []byte("\ufeff")) {
		return data
	}
	_, params, err := mime.ParseMediaType(t)
	e, known := charsetOf(params["charset"])
	if err != nil || !known || e == encoding.Nop {
		return data
	}
	text, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return data
	}
	return xmlDeclared.ReplaceAll(text, []byte("$1"))
}
