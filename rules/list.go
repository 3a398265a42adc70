package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Lists of plain values: a multi-valued attribute that is one field, of a backend
// whose fields can hold several values.

// isList reports a rule that a field with several values is mapped by.
func (c *compiler) isList(d *draft) bool {
	s, a := d.spec, d.at.attr
	plain := s.Field.Value != "" && !s.Kept && s.In.Value == "" && s.Out.Value == "" && s.Split.Value == "" && s.Refers.Value == "" &&
		s.Relation == nil && s.Rows == nil && s.Lookup == nil && s.Format.Value == ""
	return c.in.Texts && plain && a.MultiValued && d.at.element == nil && (a.Type != scim.TypeComplex || a.Find("value") != nil)
}

// List reports whether the rule's field holds several values that are no keys.
func (r *Rule) List() bool { return r.list }

// readList makes an element of each value. Those of which none can be made are left
// out, and the error speaks of the last.
func (r *Rule) readList(raw any) (scim.Value, error) {
	values, ok := raw.([]string)
	if !ok && !adapters.NoValue(raw) {
		values = []string{text(raw)}
	}
	var elems []scim.Value
	var failed error
	for _, s := range values {
		v, err := r.decode(s)
		if err != nil {
			failed = err
			continue
		}
		if r.item != r.attr {
			e := scim.NewComplex(r.attr)
			e.Set(r.item, v)
			v = e
		}
		elems = append(elems, v)
	}
	return scim.List(elems...), failed
}

// writeList makes the field's values of the elements.
func (r *Rule) writeList(v scim.Value) (any, error) {
	var out []string
	for _, e := range v.Elems() {
		if r.item != r.attr {
			e = e.Get(r.item)
		}
		one, err := r.encode(e)
		if err != nil {
			return nil, err
		}
		if s := text(one); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// keepUnknown adds to a list the values that the table of values does not know.
func (r *Rule) keepUnknown(is, raw any) any {
	out, _ := is.([]string)
	for _, s := range list(raw) {
		if _, err := r.decode(s); err != nil && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// listOf is the rule that makes an attribute, or the attribute that it is the value
// of, from a list; nil if none does.
func (m *Mapping) listOf(a *scim.Attribute) *Rule {
	r := m.byAttr[a]
	if r == nil && a.Parent() != nil && strings.EqualFold(a.Name, "value") {
		r = m.byAttr[a.Parent()]
	}
	if r == nil || !r.list {
		return nil
	}
	return r
}

// listCompare translates a comparison with the values of a list: of several values
// one that fits is enough, for the field as for the attribute.
func (m *Mapping) listCompare(c *filter.Compare, r *Rule) filter.Expr {
	switch {
	case !r.readable || r.codes != nil || r.item.Type != scim.TypeString && r.item.Type != scim.TypeReference:
		return nil
	case isPresence(c):
		return m.presence(c, &filter.Compare{Name: r.field, Op: filter.Pr, Match: filter.Exact})
	}
	return &filter.Compare{Name: r.field, Op: c.Op, Match: c.Match, Value: c.Value}
}
