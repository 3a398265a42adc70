package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// References in a text: one field holds the keys of several records, with a
// separator between them. What is in it besides, such as the address of somebody who
// is no resource, is not shown and stays where it is.

// A TextField tells the adapter that a field is such a text.
type TextField struct{ Field, Separator, Refers string }

// TextFields lists the fields that are such texts.
func (m *Mapping) TextFields() []TextField {
	var out []TextField
	for _, r := range m.rules {
		if r.Joined() {
			out = append(out, TextField{r.field, separator(r.split), r.refers.typ})
		}
	}
	return out
}

// Joined reports whether the rule's field is such a text.
func (r *Rule) Joined() bool { return r.relation && r.split != "" }

// Keys are the keys of the records that the field's value refers to, in their order.
func (r *Rule) Keys(raw any) []string {
	if list, ok := raw.([]string); ok {
		return list
	}
	if r.Joined() {
		return slices.Collect(r.parts(raw))
	}
	if s := text(raw); s != "" {
		return []string{s}
	}
	return nil
}

// Hold is the field's value for the keys of several records. A key that would not be
// read as the same one is refused.
func (r *Rule) Hold(keys []string) (any, error) {
	if !r.Joined() {
		return keys, nil
	}
	if len(keys) == 0 {
		return nil, nil
	}
	for _, k := range keys {
		if got := r.Keys(k); len(got) != 1 || got[0] != k {
			return nil, scim.Bad(scim.InvalidValue, "A %s among %s cannot be stored there: its key holds %q, which separates the keys in the backend, or begins or ends with a blank.",
				r.refers.typ, r.refers.holder.Path(), separator(r.split))
		}
	}
	return strings.Join(keys, r.split), nil
}

// checkJoined refuses texts of keys that could not be kept up to date.
func (c *compiler) checkJoined(d *draft) bool {
	s := d.spec
	if s.Refers.Value == "" || s.Split.Value == "" {
		return true
	}
	side, _, beside := strings.Cut(s.Field.Value, ".")
	switch {
	case c.in.Lists:
		c.ps.add(s.Path, "", "the values of %s are keys, and where they stand in one text, with split, the backend must be a database", s.Path.Value)
	case s.Relation != nil || s.Lookup != nil || s.Kept || beside && slices.Contains(c.in.Joins, side):
		c.ps.add(s.Path, "", "the keys of %s are a text, which must be a column of the table itself", s.Path.Value)
	default:
		return true
	}
	return false
}

// widerReference: a text refers to a record only if it contains one of its keys.
func (m *Mapping) widerReference(c *filter.Compare, l Lookup) filter.Expr {
	r := m.references[attribute(c)]
	if r == nil || !r.Joined() || !r.readable || c.Op != filter.Eq || !identifies(c) || l.Key == nil && l.All == nil || r.refers.asURI() {
		return nil
	}
	keys := l.keysOf(r.refers.typ, c.Value.Str)
	terms := make([]filter.Expr, len(keys))
	for i, k := range keys {
		terms[i] = &filter.Compare{Name: r.field, Op: filter.Co, Match: filter.Exact, Value: filter.StringValue(k)}
	}
	return filter.OrOf(terms...)
}
