package gateway

import (
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/scim"
)

// A query is what the gateway reads of a URL's query. Parameters that RFC 7644
// does not define are ignored (H-07).
type query struct {
	filter, sortBy, sortOrder, startIndex, count, cursor param
	attributes, excluded                                 []string

	inURL bool // so that others than the two ends may have read it
}

// A param is one parameter; an empty one differs from a missing one.
type param struct {
	text  string
	given bool
}

// parseQuery takes a raw query apart. Names compare without case, so that a
// misspelt "Filter" is never dropped (F-02). Lists may be repeated and add up;
// any other parameter may be given once.
func parseQuery(raw string) (query, error) {
	var q query
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, ok := unescape(rawName, false)
		if !ok {
			continue // no name of ours
		}
		if err := q.take(name, rawValue); err != nil {
			return query{}, err
		}
	}
	return q, nil
}

func (q *query) take(name, raw string) error {
	switch {
	case strings.EqualFold(name, "filter"):
		return q.filter.set("filter", raw, true, scim.InvalidFilter)
	case strings.EqualFold(name, "attributes"):
		return addNames(&q.attributes, "attributes", raw)
	case strings.EqualFold(name, "excludedAttributes"):
		return addNames(&q.excluded, "excludedAttributes", raw)
	case strings.EqualFold(name, "sortBy"):
		return q.sortBy.set("sortBy", raw, false, scim.InvalidValue)
	case strings.EqualFold(name, "sortOrder"):
		return q.sortOrder.set("sortOrder", raw, false, scim.InvalidValue)
	case strings.EqualFold(name, "startIndex"):
		return q.startIndex.set("startIndex", raw, false, scim.InvalidValue)
	case strings.EqualFold(name, "cursor"):
		return q.cursor.set("cursor", raw, false, scim.InvalidCursor)
	case strings.EqualFold(name, "count"):
		return q.count.set("count", raw, false, scim.InvalidValue)
	}
	return nil
}

func (p *param) set(name, raw string, quoted bool, kind scim.Keyword) error {
	if p.given {
		return scim.Bad(kind, "The parameter %q is given twice; give it once.", name)
	}
	text, ok := unescape(raw, quoted && !isFormEncoded(raw))
	if !ok {
		return badEncoding(kind, name)
	}
	p.text, p.given = text, true
	return nil
}

// addNames reads a list of attribute names, separated by commas.
func addNames(to *[]string, name, raw string) error {
	text, ok := unescape(raw, false)
	if !ok {
		return badEncoding(scim.InvalidValue, name)
	}
	for n := range strings.SplitSeq(text, ",") {
		if n = strings.TrimSpace(n); n != "" {
			*to = append(*to, n)
		}
	}
	return nil
}

func badEncoding(kind scim.Keyword, name string) error {
	return scim.Bad(kind, "The parameter %q is not UTF-8 in valid percent-encoding; write a percent sign as %%25.", name)
}

// isFormEncoded reports whether a value can be the work of an encoder of HTML
// forms, as most libraries have one: it writes every space as a plus sign, every
// plus sign as %2B, and leaves next to nothing else as it is.
func isFormEncoded(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("%+-._~*!'()", c) < 0 {
			return false
		}
	}
	return !strings.Contains(s, "%20")
}

// unescape decodes a name or value of a query once (H-11). A plus sign is a
// space, as forms write it; but with quoted it stays a plus sign inside the
// strings of a filter, where clients that encode by hand, or by the rules of
// paths, leave it as it is (H-12).
func unescape(s string, quoted bool) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, utf8.ValidString(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	inside, escaped := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", false
			}
			c = hexValue(s[i+1])<<4 | hexValue(s[i+2])
			i += 2
		case c == '+' && !(quoted && inside):
			c = ' '
		}
		switch {
		case escaped:
			escaped = false
		case c == '\\' && inside:
			escaped = true
		case c == '"':
			inside = !inside
		}
		b.WriteByte(c)
	}
	return b.String(), utf8.ValidString(b.String())
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
