package ldap

import (
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/scim/filter"
)

// Conditions are filters in the text of RFC 4515. The empty one is true of every
// entry.
const (
	always = ""
	never  = "(!(objectClass=*))"
)

func allOf(terms ...string) string {
	var out []string
	for _, t := range terms {
		switch t {
		case never:
			return never
		case always:
		default:
			out = append(out, t)
		}
	}
	return joined("&", out, always)
}

func anyOf(terms ...string) string {
	var out []string
	for _, t := range terms {
		switch t {
		case always:
			return always
		case never:
		default:
			out = append(out, t)
		}
	}
	return joined("|", out, never)
}

func joined(sign string, terms []string, none string) string {
	switch len(terms) {
	case 0:
		return none
	case 1:
		return terms[0]
	}
	return "(" + sign + strings.Join(terms, "") + ")"
}

// equals is the condition that an attribute has a value.
func equals(attribute, value string) string { return "(" + attribute + "=" + escaped(value) + ")" }

func present(attribute string) string { return "(" + attribute + "=*)" }

// escaped is a value as RFC 4515 wants it: all that is not plainly harmless as
// hexadecimal digits.
func escaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.@:,=+/", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789abcdef"
		b.Write([]byte{'\\', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// wide is a condition that is true of every entry that a comparison is true of, by
// what the schema says about the attribute. It may be true of more.
func (v *server) wide(attribute string, c *filter.Compare) string {
	null := c.Value.Kind == filter.Null
	switch {
	case c.Op == filter.Eq && null, c.Op == filter.Ne && !null:
		return always
	case c.Op == filter.Pr, c.Op == filter.Ne, c.Match == filter.Presence:
		return present(attribute)
	}
	t := v.attribute(attribute)
	if t == nil {
		t = &attributeType{}
	}
	switch c.Match {
	case filter.Exact, filter.Folded:
		return t.wideText(attribute, c)
	case filter.Integer, filter.Decimal:
		return t.wideNumber(attribute, c)
	case filter.DateTime:
		return t.wideTime(attribute, c)
	}
	return present(attribute)
}

// ignoresCase reports rules that prepare text by folding it (RFC 4518).
func ignoresCase(rule string) bool {
	return rule == "caseignorematch" || rule == "caseignoreia5match" || rule == "telephonenumbermatch"
}

func (t *attributeType) wideText(attribute string, c *filter.Compare) string {
	s, folds := c.Value.Str, ignoresCase(t.Equality)
	switch {
	case t.binary() || t.Syntax == syntaxOctets: // what is shown is not what is held
		return present(attribute)
	case c.Op == filter.Eq && t.Equality == "integermatch" && !canonical(s):
		return present(attribute)
	case c.Op == filter.Eq && (t.Equality == "booleanmatch" || t.Equality == "generalizedtimematch"):
		return present(attribute)
	case c.Op == filter.Eq && c.Match == filter.Exact:
		return equals(attribute, s) // equal by every rule that there is
	case c.Op == filter.Eq && folds && plain(s) && !t.foreign:
		return equals(attribute, s)
	}
	if t.Substring == "" || !folds && c.Match == filter.Folded || !folds && t.Equality != "caseexactmatch" && t.Equality != "caseexactia5match" {
		return present(attribute)
	}
	begins, ends := c.Op == filter.Eq || c.Op == filter.Sw, c.Op == filter.Eq || c.Op == filter.Ew
	if !begins && !ends && c.Op != filter.Co {
		return present(attribute) // the order of bytes is no directory's
	}
	if !t.foreign || c.Match == filter.Exact {
		return "(" + attribute + "=" + pattern(s, begins, ends, false) + ")"
	}
	var any []string
	for _, way := range spellings(s) {
		if c.Op == filter.Eq && plain(s) {
			any = append(any, equals(attribute, way))
		} else {
			any = append(any, "("+attribute+"="+pattern(way, begins, ends, true)+")")
		}
	}
	if len(any) == 0 { // too many
		return "(" + attribute + "=" + pattern(unspelled.Replace(s), begins, ends, false) + ")"
	}
	return anyOf(any...)
}

// canonical reports a number as directories write it.
func canonical(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}

// plain reports text in ASCII without control characters. Letters of other scripts
// are folded differently by different servers.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func (t *attributeType) wideNumber(attribute string, c *filter.Compare) string {
	if c.Value.Kind != filter.Int || t.Equality != "integermatch" {
		return present(attribute)
	}
	n := strconv.FormatInt(c.Value.Num, 10)
	switch c.Op {
	case filter.Eq:
		return equals(attribute, n)
	case filter.Gt, filter.Ge:
		return t.ordered(attribute, ">=", n)
	case filter.Lt, filter.Le:
		return t.ordered(attribute, "<=", n)
	}
	return present(attribute)
}

func (t *attributeType) ordered(attribute, sign, value string) string {
	if t.Ordering == "" {
		return present(attribute)
	}
	return "(" + attribute + sign + escaped(value) + ")"
}

func (t *attributeType) wideTime(attribute string, c *filter.Compare) string {
	at, err := time.Parse(time.RFC3339Nano, c.Value.Str)
	if err != nil || t.Equality != "generalizedtimematch" {
		return present(attribute)
	}
	from := at.UTC().Truncate(time.Second)
	to := from.Add(time.Second)
	if from.Year() < 1 || to.Year() > 9999 {
		return present(attribute)
	}
	layout := timeLayout
	if t.foreign { // without it, Samba's finds nothing before an instant
		layout = fraction
	}
	after := t.ordered(attribute, ">=", from.Format(layout))
	before := t.ordered(attribute, "<=", to.Format(layout))
	switch c.Op {
	case filter.Eq:
		return allOf(after, before)
	case filter.Gt, filter.Ge:
		return after
	case filter.Lt, filter.Le:
		return before
	}
	return present(attribute)
}
