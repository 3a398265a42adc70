package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// A resource's record may have parts in other backends, whose fields are called
// "part.field". Each backend is told of its own fields alone.

// PartOf is the part that a field is of, and its name there; the resource's own record
// is the part "".
func PartOf(parts []string, field string) (part, own string) {
	if name, rest, ok := strings.Cut(field, "."); ok && slices.Contains(parts, name) {
		return name, rest
	}
	return "", field
}

// View is what a mapping says of the fields of one part ("": of the record itself), for
// its adapter: their names are those that the part's backend knows. further are fields
// that no rule names. Requests are answered by the mapping itself.
func (m *Mapping) View(parts []string, part string, key []string, further ...string) *Mapping {
	typ := *m.Type
	v := &Mapping{Type: &typ, key: key}
	if part == "" {
		v.Relations, v.Rows, v.Lookups, v.scope, v.managed, v.birth, v.newKey, v.constants = m.Relations, m.Rows, m.Lookups, m.scope, m.managed, m.birth, m.newKey, m.constants
	} else {
		typ.Name += "." + part
	}
	var fields []string
	for _, n := range m.shape.Names() {
		if p, own := PartOf(parts, n); p == part {
			fields = append(fields, own)
		}
	}
	v.shape = adapters.NewShape(append(fields, further...)...)
	for _, r := range m.rules {
		p, own := PartOf(parts, r.field)
		if r.field == "" || p != part {
			continue
		}
		c := *r
		c.field, c.index = own, v.shape.Index(own)
		c.reads = nil
		for _, f := range r.reads {
			if p, own := PartOf(parts, f); p == part {
				c.reads = append(c.reads, own)
			}
		}
		v.rules = append(v.rules, &c)
	}
	return v
}
