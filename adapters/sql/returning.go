package sql

import (
	"context"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// An INSERT can answer what it stored, which spares the statement that reads it.
// What it answers is the row before triggers that follow have had their turn: so
// this is only done where the table has none, and all that is asked for is in the
// row itself or hangs on its key. Whether there are triggers is looked up with the
// columns, at the first use of the table.

// An answering dialect has such statements.
type answering interface {
	// answers reports whether an INSERT's answer is exactly what a SELECT would find.
	answers(t *schema) bool

	// row is what an INSERT's answer calls the row by.
	row(t *schema) string
}

// answers is false for names that may also be an alias in a statement.
func (sqlite) answers(t *schema) bool { return !t.view && !t.triggered && len(t.name) > 2 }

func (d sqlite) row(t *schema) string { return d.quote(t.name) }

func (d postgres) answers(t *schema) bool {
	return !t.view && !t.triggered && len(bareName(t.name)) > 2
}

func (d postgres) row(t *schema) string { return d.quote(bareName(t.name)) }

// bareName is the name of a table without that of its schema.
func bareName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// afterwards is the plan whose statements speak of the row that was just inserted,
// which has no alias but is called as its table. Nil where there are no such.
func (a *Adapter) afterwards(ctx context.Context, s session, t *schema) (*plan, error) {
	d, ok := a.db.dialect.(answering)
	if !ok || !d.answers(t) || len(a.table.Fixed) > 0 || a.table.Distinct {
		return nil, nil
	}
	named := *t
	named.columns = make(map[string]*column, len(t.columns))
	alias := d.row(t)
	for name, c := range t.columns {
		named.columns[name] = c.under(alias)
	}
	return a.deriveFrom(ctx, s, &named)
}

// inserted inserts the row of a record and answers the record as it is stored. ok
// is false, and nothing was done, if that takes more than one statement.
func (a *Adapter) inserted(ctx context.Context, s session, p *plan, m *insertion, want adapters.Fields) (r adapters.Record, ok bool, err error) {
	columns, lists := p.wanted(want)
	if p.after == nil || len(lists) > 0 || len(m.sides) > 0 || m.lists || p.beside(columns) || p.selfmade(columns, m) {
		return r, false, nil
	}
	row, err := a.row(ctx, s, p, m)
	if err == nil {
		err = a.makeKey(ctx, s, p, row)
	}
	if err != nil {
		return r, true, err
	}
	b := row.statement(p).add(" RETURNING ")
	p.after.answer(b, columns)
	if err := b.check(""); err != nil {
		return r, true, err
	}
	found, err := a.rows(ctx, s.quick(), p.after, b, columns, true, 1)
	switch d, _ := p.dialect.(solitary); {
	case err != nil && d != nil && d.outside(err):
		err = outside()
	case err != nil:
	case len(found.records) == 0:
		if err = row.known(ctx, s, "create"); err == nil {
			err = a.noKey("the database makes no key here")
		}
	case found.total == 0:
		err = outside()
	default:
		r = found.records[0]
	}
	return r, true, err
}

// answer writes what a statement answers: the key, the columns at positions, and
// whether the row is a record.
func (p *plan) answer(b *builder, columns []int) {
	p.list(b, columns)
	if d, ok := p.dialect.(solitary); ok {
		d.within(b.add(", "), p.visible)
		return
	}
	b.add(", (").include(p.visible).add(")")
}

// selfmade reports whether a server puts something into a reference by itself, which
// may be the row that is made: what refers to it is found only after the statement.
func (p *plan) selfmade(columns []int, m *insertion) bool {
	return p.db.remote && slices.ContainsFunc(columns, func(i int) bool {
		return p.refs[i] != nil && p.columns[i].fallback && m.find(p.columns[i]) < 0
	})
}

// beside reports whether some of the columns are not of the table itself, or
// computed by it.
func (p *plan) beside(columns []int) bool {
	for _, i := range columns {
		if p.besides[i] != nil || p.columns[i] != nil && p.columns[i].computed {
			return true
		}
	}
	return false
}
