package ldap

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// escapedDN is a value as a part of a distinguished name (RFC 4514 section 2.4).
func escapedDN(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		edge := c == ' ' && (i == 0 || i == len(s)-1) || c == '#' && i == 0
		switch {
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%02x`, c)
		case edge || strings.IndexByte(`"+,;<>=\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// below joins the name of an entry and that of its parent; either may be empty.
func below(name, parent string) string {
	if name == "" || parent == "" {
		return name + parent
	}
	return name + "," + parent
}

// parent is the name of the entry above.
func parent(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',', ';':
			return dn[i+1:]
		}
	}
	return ""
}

// normalDN is equal for names that mean one entry in nearly every directory: the
// spelling of types, blanks and capital letters do not count.
func (s *schema) normalDN(dn string) string {
	p, err := ldap.ParseDN(dn)
	if err != nil {
		return dn
	}
	rdns := make([]string, len(p.RDNs))
	for i, r := range p.RDNs {
		parts := make([]string, len(r.Attributes))
		for n, a := range r.Attributes {
			typ := strings.ToLower(a.Type)
			if t := s.attribute(a.Type); t != nil {
				typ = t.OID
			}
			parts[n] = typ + "=" + escapedDN(strings.ToLower(strings.Join(strings.Fields(a.Value), " ")))
		}
		slices.Sort(parts)
		rdns[i] = strings.Join(parts, "+")
	}
	return strings.Join(rdns, ",")
}

// within reports whether an entry is one that a search of the base finds.
func (s *schema) within(dn, base string, subtree bool) bool {
	n, b := s.normalDN(dn), s.normalDN(base)
	if b == "" {
		return subtree || parent(n) == ""
	}
	if subtree && n == b {
		return true
	}
	if !strings.HasSuffix(n, ","+b) {
		return false
	}
	return subtree || parent(n) == b
}

// A part of a template for names: an attribute and what it is made of.
type part struct {
	attribute string
	text      []string // texts, and between them the fields
	fields    []string
}

// randomName stands in a template for a random UUID.
const randomName = "uuid"

var (
	attributeName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)
	slots         = regexp.MustCompile(`\{([^{}]*)\}`)
)

// parseRDN reads the template of relative names: "uid", which is "uid={uid}", or
// "cn={cn}+ou={department}".
func parseRDN(text string) ([]part, error) {
	if attributeName.MatchString(text) {
		return []part{{attribute: text, text: []string{"", ""}, fields: []string{text}}}, nil
	}
	var out []part
	for _, one := range strings.Split(text, "+") {
		name, value, ok := strings.Cut(strings.TrimSpace(one), "=")
		if !ok || !attributeName.MatchString(name) {
			return nil, fmt.Errorf("%q is no relative name", one)
		}
		p := part{attribute: name}
		last := 0
		for _, m := range slots.FindAllStringSubmatchIndex(value, -1) {
			p.text = append(p.text, value[last:m[0]])
			p.fields = append(p.fields, value[m[2]:m[3]])
			last = m[1]
		}
		p.text = append(p.text, value[last:])
		if len(p.fields) == 0 {
			return nil, fmt.Errorf("%q names no field, as cn={cn} does: all entries would have one name", one)
		}
		out = append(out, p)
	}
	return out, nil
}

// value fills the template in; "" if one of the fields has no value.
func (p part) value(of func(field string) string) string {
	out := p.text[0]
	for i, f := range p.fields {
		v := of(f)
		if v == "" {
			return ""
		}
		out += v + p.text[i+1]
	}
	return strings.TrimSpace(out)
}

// simple is the field that is the name by itself, "" if there is none.
func (p part) simple() string {
	if len(p.fields) == 1 && p.text[0] == "" && p.text[1] == "" && strings.EqualFold(p.fields[0], p.attribute) {
		return p.fields[0]
	}
	return ""
}

// name makes the relative name of a new entry, and the values that it adds.
func (a *Adapter) name(rec adapters.Record) (string, map[string]string, error) {
	var names []string
	values := map[string]string{}
	for _, p := range a.rdn {
		v := p.value(func(f string) string { return a.nameValue(rec, f) })
		if v == "" {
			return "", nil, &adapters.Error{Kind: adapters.Invalid, Field: a.nameField(), Err: errors.New("the entry has no name")}
		}
		names = append(names, p.attribute+"="+escapedDN(v))
		values[p.attribute] = v
	}
	return strings.Join(names, "+"), values, nil
}

func (a *Adapter) nameValue(rec adapters.Record, field string) string {
	if i := a.caps.Shape.Index(field); i >= 0 {
		switch v := rec.At(i).(type) {
		case []string:
			return first(v)
		default:
			return adapters.Text(v)
		}
	}
	if field == randomName {
		return newUUID()
	}
	return ""
}

// nameField is the field to blame when a name is taken: the only one that makes it.
func (a *Adapter) nameField() string {
	if len(a.rdn) == 1 && len(a.rdn[0].fields) == 1 && a.caps.Shape.Index(a.rdn[0].fields[0]) >= 0 {
		return a.rdn[0].fields[0]
	}
	return ""
}

// renamed is the relative name of an entry after a change: of its present name, what
// is made of a changed field is made anew. "" if it stays.
func (a *Adapter) renamed(v *server, dn string, now, after adapters.Record) (string, error) {
	p, err := ldap.ParseDN(dn)
	if err != nil || len(p.RDNs) == 0 {
		return "", fmt.Errorf("the directory's name for an entry cannot be read: %w", err)
	}
	changed := false
	var names []string
	for _, x := range p.RDNs[0].Attributes {
		is := a.newName(v, dn, x, now, after)
		if is == "" {
			return "", &adapters.Error{Kind: adapters.Invalid, Field: a.nameField(), Err: errors.New("the entry would have no name")}
		}
		changed = changed || is != x.Value
		names = append(names, x.Type+"="+escapedDN(is))
	}
	if !changed {
		return "", nil
	}
	return strings.Join(names, "+"), nil
}

// newName is what one part of a name becomes.
func (a *Adapter) newName(v *server, dn string, x *ldap.AttributeTypeAndValue, now, after adapters.Record) string {
	for i, f := range a.fields {
		if f.mask == 0 && f.refers == nil && names(v, dn, f.attribute, adapters.Text(now.At(i))) && v.same(f.attribute, x.Type) && !adapters.Same(now.At(i), after.At(i)) {
			return adapters.Text(after.At(i))
		}
	}
	for _, t := range a.rdn {
		if !v.same(t.attribute, x.Type) || t.simple() != "" {
			continue
		}
		of := func(r adapters.Record) string {
			return t.value(func(f string) string {
				if f == randomName && a.caps.Shape.Index(f) < 0 {
					return ""
				}
				return a.nameValue(r, f)
			})
		}
		if was, is := of(now), of(after); was == x.Value && was != is {
			return is
		}
	}
	return x.Value
}
