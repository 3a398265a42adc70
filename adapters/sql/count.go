package sql

import (
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A list without a filter counts all records, which takes longer than to read a page
// of a large table. SQLite knows how many rows a table has from its pages, without a
// look at each; and what the scope keeps out is mostly little, and found by an index.
// So all rows are counted, and those that are no records are taken away.

// A counting dialect counts the rows of a table quickly where nothing is asked of
// them.
type counting interface{ countsAll() }

func (sqlite) countsAll() {}

// countAll writes the number of records. Nothing, if they have to be counted one by
// one. It is asked while names still are those of columns.
func (p *plan) countAll(a *Adapter) (*builder, error) {
	if _, ok := p.dialect.(counting); !ok || p.schema.view || a.table.Distinct || len(a.table.Fixed) > 0 {
		return nil, nil
	}
	present := newBuilder()
	if p.keyPresent(present); string(present.text) != p.dialect.truth(true) {
		return nil, nil
	}
	b := newBuilder().add("(SELECT count(*) FROM ", p.from, ")")
	if a.table.Where == nil {
		return b, nil
	}
	out := excluded(a.table.Where)
	for _, e := range out {
		if !p.seeks(e) {
			return nil, nil
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	b.add(" - (SELECT count(*) FROM ", p.from, " WHERE ")
	err := p.join(b, out, " OR ")
	return b.add(")"), err
}

// excluded lists conditions one of which is true of exactly what a scope keeps out;
// none, if the scope says rather what it lets in. Whatever is not true is false here.
func excluded(scope filter.Expr) []filter.Expr {
	switch e := scope.(type) {
	case filter.Not:
		return []filter.Expr{e.Term}
	case *filter.Compare:
		if e.Op == filter.Ne && e.Value.Kind != filter.Null {
			eq := *e
			eq.Op = filter.Eq
			return []filter.Expr{&eq}
		}
	case filter.And:
		var all []filter.Expr
		for _, t := range e {
			some := excluded(t)
			if some == nil {
				return nil
			}
			all = append(all, some...)
		}
		return all
	}
	return nil
}

// total writes how many records there are of which a filter is true, of which where
// is the condition.
func (p *plan) total(b *builder, e filter.Expr, where *builder) {
	if e == nil && p.all != nil {
		b.include(p.all)
		return
	}
	b.add("(SELECT count(*) FROM ", p.from).include(where).add(")")
}

// plainScope lists the terms of a scope all of whose names are those of columns in a
// filter too, and not of what a column refers to.
func (p *plan) plainScope(where filter.Expr) []filter.Expr {
	terms, ok := where.(filter.And)
	if !ok && where != nil {
		terms = filter.And{where}
	}
	var out []filter.Expr
	for _, t := range terms {
		plain := true
		filter.Walk(t, func(e filter.Expr) bool {
			if c, ok := e.(*filter.Compare); ok && c.Name != adapters.KeyField {
				plain = plain && p.column(c.Name) != nil && p.further(c.Name) == nil && p.link(c.Name) == nil
			}
			return plain
		})
		if plain {
			out = append(out, t)
		}
	}
	return out
}

// beyond is what a filter asks for that the scope does not say already: whoever asks
// may add the scope to it, and to ask twice takes twice as long.
func (p *plan) beyond(e filter.Expr) filter.Expr {
	said := func(t filter.Expr) bool {
		return slices.ContainsFunc(p.inScope, func(s filter.Expr) bool { return sameBound(s, t) })
	}
	terms, ok := e.(filter.And)
	switch {
	case e == nil || len(p.inScope) == 0:
		return e
	case !ok:
		terms = filter.And{e}
	}
	if !slices.ContainsFunc(terms, said) {
		return e
	}
	switch rest := slices.DeleteFunc(slices.Clone(terms), said); len(rest) {
	case 0:
		return nil
	case 1:
		return rest[0]
	default:
		return rest
	}
}

// sameBound reports whether two filters are the same, how they compare included.
func sameBound(a, b filter.Expr) bool {
	return filter.Equal(a, b) && slices.Equal(matches(a), matches(b))
}

func matches(e filter.Expr) []filter.Match {
	var out []filter.Match
	filter.Walk(e, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Compare); ok {
			out = append(out, c.Match)
		}
		return true
	})
	return out
}
