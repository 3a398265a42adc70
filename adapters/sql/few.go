package sql

import (
	"cmp"
	"context"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Most lists are look-ups by a unique value, and find one record or none. To
// order them and to count them costs more than to read them.

// maxFew is more than a unique value can be in all its spellings; what exceeds
// it is read as any other list.
const maxFew = 64

// pinned reports whether a filter asks for a unique value.
func (p *plan) pinned(e filter.Expr) bool {
	switch e := e.(type) {
	case filter.And:
		return slices.ContainsFunc(e, p.pinned)
	case *filter.Compare:
		if e.Op != filter.Eq || e.Value.Kind != filter.String {
			return false
		}
		c := p.key[0]
		if e.Name != adapters.KeyField {
			if p.further(e.Name) != nil {
				return false
			}
			c = p.column(e.Name)
		}
		return c != nil && c.alone && (e.Match == filter.Exact || e.Match == filter.Folded && c.folded)
	}
	return false
}

// few reads all of what a filter finds that asks for a unique value, counts and
// orders it here. Nothing, if it is too much for that.
func (a *Adapter) few(ctx context.Context, s session, p *plan, q adapters.Query, from start, where *builder, columns []int) (*result, error) {
	b := newBuilder()
	p.selection(b, columns)
	p.source(b, columns, nil)
	b.include(where)
	p.dialect.limit(b, maxFew+1, 0)
	if err := b.check("list"); err != nil {
		return nil, err
	}
	out, err := a.rows(ctx, s.quick(), p, b, columns, false, 1)
	if err != nil {
		return nil, err
	}
	n := len(out.records)
	if n > maxFew || n > 1 && len(q.Sort) > 0 || !p.orders(out) {
		return nil, nil
	}
	skip := min(from.offset, n)
	out.records, out.keys = out.records[skip:], out.keys[skip:]
	if q.Limit < len(out.keys) {
		out.last = []any{out.keys[q.Limit-1]}
	}
	out.total = n
	return out, nil
}

// orders puts the records in the order of their keys; false if only the database
// knows it.
func (p *plan) orders(r *result) bool {
	return len(r.records) < 2 || !p.key[0].local && r.order()
}

// order puts the records in the order of their keys; false if it is not known.
func (r *result) order() bool {
	if len(r.records) < 2 {
		return true
	}
	index := make([]int, len(r.keys))
	for i, k := range r.keys {
		switch k.(type) {
		case int64, string:
		default:
			return false
		}
		index[i] = i
	}
	slices.SortFunc(index, func(i, j int) int { return compareStored(r.keys[i], r.keys[j]) })
	records, keys := make([]adapters.Record, len(index)), make([]any, len(index))
	for at, i := range index {
		records[at], keys[at] = r.records[i], r.keys[i]
	}
	r.records, r.keys = records, keys
	return true
}

// compareStored orders keys as they are stored: integers before text.
func compareStored(a, b any) int {
	x, xInt := a.(int64)
	y, yInt := b.(int64)
	switch {
	case xInt && yInt:
		return cmp.Compare(x, y)
	case xInt:
		return -1
	case yInt:
		return 1
	}
	return cmp.Compare(a.(string), b.(string))
}
