package sql

import "github.com/postern/postern/scim/filter"

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
