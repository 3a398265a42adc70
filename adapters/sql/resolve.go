package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// What can be asked is declared before the types of the columns are known. A
// comparison that a column's type cannot express exactly, as that of dates with a
// column of text, is decided here: the column is read, and the rows found stand
// in the filter in its place.

// maxResolved bounds the rows that such a comparison may find.
const maxResolved = 50_000

// hard reports whether a filter holds such a comparison.
func (p *plan) hard(e filter.Expr) bool {
	switch e := e.(type) {
	case filter.And:
		return slices.ContainsFunc(e, p.hard)
	case filter.Or:
		return slices.ContainsFunc(e, p.hard)
	case filter.Not:
		return p.hard(e.Term)
	case *filter.Element:
		c := p.child(e.Name)
		return c != nil && c.hard(e.Where)
	case *filter.Compare:
		c := p.columnOf(e)
		return c != nil && !p.dialect.can(c, e)
	}
	return false
}

// columnOf is the column that a comparison is about, nil if it is about another
// thing.
func (p *plan) columnOf(c *filter.Compare) *column {
	if c.Name == adapters.KeyField {
		return nil
	}
	return p.find(c.Name)
}

// resolved is the condition of a filter with such comparisons.
func (a *Adapter) resolved(ctx context.Context, s session, p *plan, e filter.Expr) (*builder, error) {
	e, err := a.resolve(ctx, s, p, e)
	if err != nil {
		return nil, err
	}
	b := newBuilder()
	if err := p.where(b, e); err != nil {
		return nil, &adapters.Error{Kind: adapters.Unsupported, Op: "list", Err: err}
	}
	return b, nil
}

func (a *Adapter) resolve(ctx context.Context, s session, p *plan, e filter.Expr) (filter.Expr, error) {
	if !p.hard(e) {
		return e, nil
	}
	each := func(terms []filter.Expr) ([]filter.Expr, error) {
		out := make([]filter.Expr, len(terms))
		for i, t := range terms {
			r, err := a.resolve(ctx, s, p, t)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	}
	switch e := e.(type) {
	case filter.And:
		terms, err := each(e)
		return filter.And(terms), err
	case filter.Or:
		terms, err := each(e)
		return filter.Or(terms), err
	case filter.Not:
		term, err := a.resolve(ctx, s, p, e.Term)
		return filter.Not{Term: term}, err
	case *filter.Compare:
		return a.decide(ctx, s, p, e)
	case *filter.Element:
		return p.child(e.Name).decide(ctx, s, e.Where)
	}
	return e, nil
}

// decide reads a column of all records, and answers which those are that a
// comparison is true of.
func (a *Adapter) decide(ctx context.Context, s session, p *plan, c *filter.Compare) (filter.Expr, error) {
	at := a.caps.Shape.Index(c.Name)
	if at < 0 || len(p.key) > 1 {
		return nil, &adapters.Error{Kind: adapters.Unsupported, Op: "list", Field: c.Name, Err: errors.New("the column is of no type that can be compared so")}
	}
	b := newBuilder()
	p.selection(b, []int{at})
	p.source(b, []int{at}, nil)
	b.add(" WHERE ").include(p.visible)
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	sc := newScanner(1, 1, false)
	var found filter.Or
	for rows.Next() {
		r, _, err := sc.scan(rows, a.caps.Shape, p, []int{at})
		if err != nil {
			return nil, err
		}
		if !filter.Matches(c, r.Subject()) {
			continue
		}
		if len(found) == maxResolved {
			return nil, &adapters.Error{Kind: adapters.TooMany, Op: "list", Field: c.Name}
		}
		found = append(found, &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(string(r.Key))})
	}
	if len(found) == 0 {
		return filter.False{}, rows.Err()
	}
	return found, rows.Err()
}
