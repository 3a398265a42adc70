package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A child is a field whose values are rows of another table, together with what
// the database says about that table. In statements it is c.
type child struct {
	scope
	db      *Database
	field   string
	shape   *adapters.Shape
	schema  *schema
	table   string    // quoted
	owner   []*column // they hold the record's key
	columns []*column // by position in the shape
	besides []*further
	row     []*column // tell the rows apart; nil: all columns do
	order   *column
	fixed   []Fixed
	within  *builder // the condition that a row counts
	by      string   // the order of the rows of a record
	chosen  string   // the select list: what tells rows apart, their order, the columns
}

// elements declares what can be asked about the parts.
func (c *Child) elements(column adapters.Field) *adapters.Elements {
	e := &adapters.Elements{Shape: c.Shape, Fields: make([]adapters.Field, c.Shape.Len())}
	for i := range e.Fields {
		e.Fields[i].Filter = column.Filter
	}
	return e
}

func (db *Database) child(ctx context.Context, s session, spec *Child) (*child, error) {
	t, err := db.schema(ctx, s, spec.Table)
	if err != nil {
		return nil, err
	}
	c := &child{db: db, field: spec.Field, shape: spec.Shape, schema: t, table: db.dialect.relation(spec.Table), fixed: spec.Where, within: newBuilder()}
	c.scope = scope{dialect: db.dialect, link: noLink, child: noChild, reference: noReference}
	c.scope.column = func(name string) *column {
		if k := t.column(name); k != nil {
			return k.under("c")
		}
		return nil
	}
	c.scope.further = byName(spec.Shape, &c.besides)
	if c.owner, err = c.all(spec.Owner); err != nil {
		return nil, err
	}
	if err := c.fields(ctx, s, spec); err != nil {
		return nil, err
	}
	if err := c.ordered(spec); err != nil {
		return nil, err
	}
	c.within.add(db.dialect.truth(true))
	return c, holdFixed(db.dialect, c.within, t, "c", spec.Where)
}

// all finds columns by their names.
func (c *child) all(names []string) ([]*column, error) {
	var out []*column
	for _, name := range names {
		k := c.scope.column(name)
		if k == nil {
			return nil, fmt.Errorf("%w: %s.%s", errStale, c.schema.name, name)
		}
		out = append(out, k)
	}
	return out, nil
}

func (c *child) fields(ctx context.Context, s session, spec *Child) error {
	n := spec.Shape.Len()
	c.columns, c.besides = make([]*column, n), make([]*further, n)
	others := &besides{a: c.db, looks: spec.Lookups, column: c.scope.column, prefix: "l", known: map[string]*beside{}}
	for i, name := range spec.Shape.Names() {
		f, err := others.find(ctx, s, name)
		if err != nil {
			return err
		}
		if f != nil {
			c.besides[i], c.columns[i] = f, f.col
			continue
		}
		found, err := c.all([]string{name})
		if err != nil {
			return err
		}
		c.columns[i] = found[0]
	}
	return nil
}

// ordered works out what tells rows apart and in which order they come.
func (c *child) ordered(spec *Child) error {
	var err error
	names := spec.Key
	if len(names) == 0 {
		names = c.schema.apart()
	}
	if c.row, err = c.all(names); err != nil {
		return err
	}
	var by, chosen []string
	if spec.Order != "" {
		found, err := c.all([]string{spec.Order})
		if err != nil {
			return err
		}
		c.order = found[0]
		by = append(by, c.order.ref)
	}
	for _, k := range c.row {
		by = append(by, k.ref)
		chosen = append(chosen, c.dialect.selected(k))
	}
	if c.order != nil {
		chosen = append(chosen, c.dialect.selected(c.order))
	}
	for i, k := range c.columns {
		chosen = append(chosen, c.dialect.selected(k))
		if len(c.row) == 0 && c.besides[i] == nil {
			by = append(by, k.ref)
		}
	}
	c.by, c.chosen = strings.Join(by, ", "), strings.Join(chosen, ", ")
	return nil
}

// apart are columns that tell the rows of a table apart, and never are null.
func (t *schema) apart() []string {
	whole := func(names []string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { c := t.column(n); return c == nil || !c.notNull && !c.rowid })
	}
	for _, names := range t.unique {
		if len(names) == 1 && t.column(names[0]).rowid {
			return names
		}
	}
	for _, names := range t.unique {
		if whole(names) {
			return names
		}
	}
	return nil
}

// from writes the table, and those that its rows lead to, and the condition that
// rows count.
func (c *child) from(b *builder, before string, further []*further) {
	b.add(" FROM ", before, c.table, " AS c")
	joins(b, further)
	b.add(" WHERE ").include(c.within)
}

// compare writes the condition that the record with a key has a row of which e is
// true.
func (c *child) compare(b *builder, key []*column, e filter.Expr) error {
	if len(key) > 1 {
		b.add("EXISTS (SELECT 1")
		c.from(b, "", nil)
		for i, k := range key {
			x, y := c.dialect.pair(c.owner[i], k)
			b.add(" AND ", x, " = ", y)
		}
	} else {
		x, y := c.dialect.pair(key[0], c.owner[0])
		b.add(x, " IN (SELECT ", y)
		c.from(b, "", nil)
	}
	b.add(" AND ")
	err := c.scope.write(b, e)
	b.add(")")
	return err
}

// hard reports whether a filter holds a comparison that a statement cannot say.
func (c *child) hard(e filter.Expr) bool {
	p := &plan{scope: c.scope}
	return p.hard(e)
}

// decide reads the parts of all rows, and answers whose rows those are that a
// filter is true of.
func (c *child) decide(ctx context.Context, s session, e filter.Expr) (filter.Expr, error) {
	if len(c.owner) > 1 {
		return nil, &adapters.Error{Kind: adapters.Unsupported, Op: "list", Field: c.field}
	}
	b := newBuilder().add("SELECT ", c.dialect.selected(c.owner[0]), ", ", c.chosen)
	c.from(b, "", c.besides)
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := filter.Or{}
	seen := map[string]bool{}
	sc := c.scanner(1)
	for rows.Next() {
		r, err := sc.next(rows)
		if err != nil {
			return nil, err
		}
		owner := adapters.Text(c.dialect.read(c.owner[0], sc.before[0]))
		if seen[owner] || !filter.Matches(e, r.Subject()) {
			continue
		}
		if len(found) == maxResolved {
			return nil, &adapters.Error{Kind: adapters.TooMany, Op: "list", Field: c.field}
		}
		seen[owner] = true
		found = append(found, &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(owner)})
	}
	if len(found) == 0 {
		return filter.False{}, rows.Err()
	}
	return found, rows.Err()
}
