package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Multi-valued attributes whose elements the backend keeps one by one, as rows of
// a table. The field holds []adapters.Record; each column is a rule of its own,
// which makes a sub-attribute.

// A RowsField tells the adapter what is behind a field whose values have parts.
type RowsField struct {
	Field   string
	Rows    *Rows
	Shape   *adapters.Shape
	Lookups []LookupField
}

// A LookupField tells the adapter that a field holds the name of what a column
// holds the key of.
type LookupField struct {
	Field, Column string
	Lookup        *LookupTable
}

// lookedUp is the field that a rule with a look-up names: no column is called so.
func lookedUp(s Spec) string {
	if s.Lookup == nil {
		return s.Field.Value
	}
	return s.Field.Value + ">" + s.Lookup.Name.Value
}

// noteLookup adds a rule's look-up to those that the adapter must know.
func noteLookup(to []LookupField, s Spec) []LookupField {
	f := lookedUp(s)
	if s.Lookup == nil || slices.ContainsFunc(to, func(l LookupField) bool { return l.Field == f }) {
		return to
	}
	return append(to, LookupField{Field: f, Column: s.Field.Value, Lookup: s.Lookup})
}

// rows compiles the columns of a rule whose elements are rows.
func (c *compiler) rows(r *Rule) {
	s := r.spec.Rows
	if s == nil {
		return
	}
	r.field = relationPrefix + r.attr.Path()
	f := RowsField{Field: r.field, Rows: s}
	var names []string
	for _, col := range s.Columns {
		part := &Rule{Path: col.Path.Value, Line: col.Path.Line, attr: r.attr.Find(col.Path.Value), field: lookedUp(col), format: col.Format.Value, spec: col}
		if r.attr.Type != scim.TypeComplex {
			part.attr = r.attr
		}
		part.item = part.attr
		c.table(part)
		part.forms = formsOf(part)
		part.readable, part.writable = !hidden(part.attr), true
		r.columns = append(r.columns, part)
		names = append(names, part.field)
		f.Lookups = noteLookup(f.Lookups, col)
	}
	r.shape = adapters.NewShape(names...)
	for _, part := range r.columns {
		part.index = r.shape.Index(part.field)
	}
	f.Shape = r.shape
	c.m.Rows = append(c.m.Rows, f)
}

// checkRows refuses columns that are of no sub-attribute.
func (c *compiler) checkRows(d *draft) {
	a := d.at.attr
	seen := map[string]bool{}
	for _, col := range d.spec.Rows.Columns {
		name := strings.ToLower(col.Path.Value)
		sub := a.Find(col.Path.Value)
		switch {
		case a.Type != scim.TypeComplex && name != "value":
			c.ps.add(col.Path, "write value", "%s has plain values, which have no part %q", c.short(a), col.Path.Value)
			continue
		case a.Type != scim.TypeComplex:
			sub = a
		case sub == nil:
			path{at: col.Path}.noSub(&c.ps, a, col.Path.Value, 0)
			continue
		case seen[name]:
			c.ps.add(col.Path, "delete one of the two", "%s is mapped twice", col.Path.Value)
		case sub.Type == scim.TypeComplex || sub.MultiValued:
			c.ps.add(col.Path, "", "%s is complex or has several values, and one column cannot hold it", sub.Path())
		}
		seen[name] = true
		if col.Format.Value != "" && sub.Type != scim.TypeDateTime {
			c.ps.add(col.Format, "", "format says how a dateTime is stored, and %s is %s", sub.Path(), article(sub))
		}
	}
}

// includeRows keeps the sub-attributes that columns hold.
func (c *compiler) includeRows(a *scim.Attribute, s *Rows) {
	c.view.includeOnly(a)
	for _, col := range s.Columns {
		if sub := a.Find(col.Path.Value); sub != nil {
			c.view.includeOnly(sub)
		}
	}
}

// readRows makes the elements of rows. A row of which nothing can be made is
// none; the error speaks of the last part that could not be.
func (r *Rule) readRows(raw any) (scim.Value, error) {
	var elems []scim.Value
	var failed error
	rows, _ := raw.([]adapters.Record)
	for _, row := range rows {
		e, err := r.readRow(row)
		if err != nil {
			failed = err
		}
		if e.Present() {
			elems = append(elems, e)
		}
	}
	return scim.List(elems...), failed
}

func (r *Rule) readRow(row adapters.Record) (scim.Value, error) {
	var elem scim.Value
	var failed error
	for _, part := range r.columns {
		v, err := part.decode(row.At(part.index))
		switch {
		case err != nil:
			failed = err
		case !v.Present():
		case part.attr == r.attr:
			elem = v
		default:
			if !elem.Present() {
				elem = scim.NewComplex(r.attr)
			}
			elem.Set(part.attr, v)
		}
	}
	return elem, failed
}

// part is what an element has for a part.
func (r *Rule) part(elem scim.Value, part *Rule) scim.Value {
	if part.attr == r.attr {
		return elem
	}
	return elem.Get(part.attr)
}

func (r *Rule) writePart(elem scim.Value, part *Rule) (any, error) {
	v := r.part(elem, part)
	if !v.Present() {
		return nil, nil
	}
	return part.encode(v)
}

// writeRows makes rows of the elements of a new resource.
func (r *Rule) writeRows(v scim.Value) (any, error) {
	var rows []adapters.Record
	for _, elem := range v.Elems() {
		row := adapters.NewRecord(r.shape, "")
		if err := r.fillRow(row, elem, scim.Value{}); err != nil {
			return nil, err
		}
		if !row.Empty() {
			rows = append(rows, row)
		}
	}
	if rows == nil {
		return nil, nil
	}
	return rows, nil
}

// fillRow puts an element into a row that held another. What is written as it was
// stays as it is stored, even where a mapping loses detail.
func (r *Rule) fillRow(row adapters.Record, elem, before scim.Value) error {
	for _, part := range r.columns {
		is, err := r.writePart(elem, part)
		if err != nil {
			return err
		}
		if was, err := r.writePart(before, part); err == nil && equalValues(was, is) {
			continue
		}
		row.SetAt(part.index, is)
	}
	return nil
}

// reshape works out what becomes of the rows of a record: which stay, which hold
// something else, which go and which are new. Rows of which no element is made
// stay, for the client cannot have meant them.
func (m *Mapping) reshape(d *adapters.Delta, r *Rule, rec adapters.Record, after *scim.Resource) error {
	held, _ := rec.At(r.index).([]adapters.Record)
	old := make([]scim.Value, len(held))
	for i, row := range held {
		old[i], _ = r.readRow(row)
	}
	wanted := after.Get(r.attr).Elems()
	pairs := r.pair(old, wanted)
	var rows []adapters.Record
	for i, row := range held {
		if !old[i].Present() {
			rows = append(rows, row)
		}
	}
	for i, elem := range wanted {
		row, before := adapters.NewRecord(r.shape, ""), scim.Value{}
		if at := pairs[i]; at >= 0 {
			row, before = held[at].Clone(), old[at]
		}
		if err := r.fillRow(row, elem, before); err != nil {
			return err
		}
		if !row.Empty() {
			rows = append(rows, row)
		}
	}
	var is any
	if rows != nil {
		is = rows
	}
	if unchanged(held, rows) {
		return nil
	}
	d.After.SetAt(r.index, is)
	d.Set = append(d.Set, adapters.Change{Field: r.field, Old: rec.At(r.index), New: is})
	return nil
}

// unchanged reports whether the same rows hold the same; their order is the
// backend's.
func unchanged(held, rows []adapters.Record) bool {
	if len(held) != len(rows) {
		return false
	}
	used := make([]bool, len(held))
	for _, row := range rows {
		at := slices.IndexFunc(held, func(h adapters.Record) bool { return h.Key == row.Key && h.Equal(row) })
		for at >= 0 && used[at] {
			next := slices.IndexFunc(held[at+1:], func(h adapters.Record) bool { return h.Key == row.Key && h.Equal(row) })
			if next < 0 {
				return false
			}
			at += next + 1
		}
		if at < 0 {
			return false
		}
		used[at] = true
	}
	return true
}

// pair says for each wanted element which of the old ones it is, -1 for a new one:
// first those that are equal, then those that have most in common.
func (r *Rule) pair(old, wanted []scim.Value) []int {
	out, used := make([]int, len(wanted)), make([]bool, len(old))
	for i, w := range wanted {
		out[i] = -1
		for j, o := range old {
			if !used[j] && o.Present() && o.Equal(w) {
				out[i], used[j] = j, true
				break
			}
		}
	}
	for i, w := range wanted {
		if out[i] >= 0 {
			continue
		}
		best := 0
		for j, o := range old {
			if n := r.common(o, w); !used[j] && n > best {
				out[i], best = j, n
			}
		}
		if out[i] >= 0 {
			used[out[i]] = true
		}
	}
	return out
}

// common counts what two elements have in common. Its value says most about an
// element, whether it is primary says nothing.
func (r *Rule) common(a, b scim.Value) int {
	n := 0
	for _, part := range r.columns {
		x, y := r.part(a, part), r.part(b, part)
		if !x.Present() || !y.Present() || part.attr.Type == scim.TypeBoolean || !same(part.attr, x, y) {
			continue
		}
		n++
		if strings.EqualFold(part.attr.Name, "value") {
			n += len(r.columns)
		}
	}
	return n
}
