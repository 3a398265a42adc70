package ldap

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// noAttributes asks for the names of entries only (RFC 4511 section 4.5.1.8).
var noAttributes = []string{"1.1"}

// valuesOf are the values of an attribute of an entry, under whichever of its names
// the server calls it. An attribute with other options is another one.
func valuesOf(v *server, e *ldap.Entry, attribute string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, attribute) {
			return a.Values
		}
	}
	for _, a := range e.Attributes {
		if v.same(a.Name, attribute) {
			return a.Values
		}
	}
	return nil
}

// chosen is the one of several values that counts where one is wanted: the one that
// names the entry, or else the first.
func chosen(v *server, e *ldap.Entry, attribute string, values []string) string {
	if len(values) > 1 {
		for _, s := range values {
			if names(v, e.DN, attribute, s) {
				return s
			}
		}
	}
	return first(values)
}

// names reports whether the name of an entry is made of a value of an attribute. In
// names, blanks and capital letters do not count.
func names(v *server, dn, attribute, value string) bool {
	p, err := ldap.ParseDN(dn)
	if err != nil || len(p.RDNs) == 0 {
		return false
	}
	squeezed := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	return slices.ContainsFunc(p.RDNs[0].Attributes, func(x *ldap.AttributeTypeAndValue) bool {
		return v.same(x.Type, attribute) && squeezed(x.Value) == squeezed(value)
	})
}

// spelled reports a value that is in the name of an entry letter by letter. There it may be
// written otherwise than in the entry.
func spelled(v *server, dn, attribute, value string) bool {
	p, err := ldap.ParseDN(dn)
	return err == nil && len(p.RDNs) > 0 && slices.ContainsFunc(p.RDNs[0].Attributes, func(x *ldap.AttributeTypeAndValue) bool {
		return v.same(x.Type, attribute) && x.Value == value
	})
}

// fill puts what an entry holds into the fields of a record that are wanted, but for
// references.
func fill(v *server, e *ldap.Entry, fields []field, rec adapters.Record, want adapters.Fields) {
	for i, f := range fields {
		if f.refers != nil || f.secret || !want.Has(i) {
			continue
		}
		values := valuesOf(v, e, f.attribute)
		switch {
		case len(values) == 0:
		case f.mask > 0:
			if n, err := strconv.ParseInt(values[0], 10, 64); err == nil {
				rec.SetAt(i, strconv.FormatInt(min(n&f.mask, 1), 10))
			}
		case f.list:
			rec.SetAt(i, shownAll(v.attribute(f.attribute), values))
		default:
			rec.SetAt(i, decoded(v.attribute(f.attribute), chosen(v, e, f.attribute, values)))
		}
	}
}

// The ways to write an instant (RFC 4517 section 3.3.13). Some servers insist on the
// fraction, all take it.
const (
	timeLayout = "20060102150405Z"
	fraction   = "20060102150405.0Z"
)

// decoded is a value as the schema types it.
func decoded(t *attributeType, s string) any {
	if t == nil {
		t = &attributeType{}
	}
	switch {
	case s == "":
		return nil
	case t.Syntax == syntaxInteger && canonical(s):
		n, _ := strconv.ParseInt(s, 10, 64) // canonical
		return n
	case t.Syntax == syntaxTime:
		if at, err := ber.ParseGeneralizedTime([]byte(s)); err == nil {
			return at.UTC()
		}
	case t.binary() || !utf8.ValidString(s):
		return []byte(s)
	}
	return s
}

// shownAll are the values of a list. There is only text in one: what is none is base64.
func shownAll(t *attributeType, values []string) []string {
	out := make([]string, 0, len(values))
	for _, s := range values {
		if s != "" {
			out = append(out, shown(t, s))
		}
	}
	return out
}

func shown(t *attributeType, s string) string {
	if t != nil && t.binary() || !utf8.ValidString(s) {
		return base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

// sentAll are the values of a list that is shown so: those that are held as they are.
func (v *server) sentAll(attribute string, list any, held []string) []string {
	byText := make(map[string]string, len(held))
	for _, h := range held {
		byText[shown(v.attribute(attribute), h)] = h
	}
	texts, _ := list.([]string)
	var out []string
	for _, s := range texts {
		raw, ok := byText[s]
		if !ok {
			raw = v.encoded(attribute, s)
		}
		out = append(out, raw)
	}
	return without(out, nil)
}

// equal reports values that the directory takes for one, as far as it is known.
func (v *server) equal(attribute, x, y string) bool {
	t := v.attribute(attribute)
	if x == y || t == nil {
		return x == y
	}
	switch t.Equality {
	case "caseignorematch", "caseignoreia5match":
		return strings.EqualFold(strings.Join(strings.Fields(x), " "), strings.Join(strings.Fields(y), " "))
	case "telephonenumbermatch":
		digits := strings.NewReplacer(" ", "", "-", "")
		return strings.EqualFold(digits.Replace(x), digits.Replace(y))
	}
	return false
}

// binary reports syntaxes whose values are no text.
func (t *attributeType) binary() bool {
	return t.Syntax == syntaxBinary || t.Syntax == syntaxCertificate || t.Syntax == syntaxJPEG
}

// encoded is a value as the directory holds it.
func (v *server) encoded(attribute string, value any) string {
	t := v.attribute(attribute)
	if t == nil {
		t = &attributeType{}
	}
	switch x := value.(type) {
	case bool:
		if t.Syntax == syntaxInteger {
			return map[bool]string{true: "1", false: "0"}[x]
		}
		return strings.ToUpper(strconv.FormatBool(x))
	case time.Time:
		if t.Syntax != syntaxTime {
			break
		}
		switch {
		case x.Nanosecond() != 0:
			return x.UTC().Format("20060102150405.999999999Z")
		case v.active:
			return x.UTC().Format(fraction)
		}
		return x.UTC().Format(timeLayout)
	case string:
		if t.binary() {
			if raw, err := base64.StdEncoding.DecodeString(x); err == nil {
				return string(raw)
			}
		}
	}
	return adapters.Text(value)
}

// encodedAll are the values of an attribute; none for no value.
func (v *server) encodedAll(attribute string, value any) []string {
	if adapters.NoValue(value) {
		return nil
	}
	list, ok := value.([]string)
	if !ok {
		return []string{v.encoded(attribute, value)}
	}
	var out []string
	for _, e := range list {
		out = append(out, v.encoded(attribute, e))
	}
	return without(out, nil)
}

// without lists what is in all and not in some, each once.
func without(all, some []string) []string {
	known := make(map[string]bool, len(some))
	for _, s := range some {
		known[s] = true
	}
	var out []string
	for _, s := range all {
		if s != "" && !known[s] {
			known[s] = true
			out = append(out, s)
		}
	}
	return out
}
