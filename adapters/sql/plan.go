package sql

import (
	"context"
	stdsql "database/sql"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A plan is a table's description together with what the database says about
// it: all that statements are derived from. It is made by the first operation
// that reaches the database, and again when the database says that the table
// has changed.
type plan struct {
	scope
	db       *Database
	schema   *schema
	from     string
	base     string        // the table itself, where from is made of it
	columns  []*column     // by position in the shape; nil for lists
	shown    []*column     // the same, but of references the key of the target: what is read
	besides  []*further    // by position in the shape; nil for what is in the table itself
	links    []*link       // by position in the shape; nil for what is no relation
	children []*child      // by position in the shape; nil for what has no elements
	refs     []*reference  // by position in the shape; nil for all others
	visible  *builder      // the condition that a row is a record
	inScope  []filter.Expr // what is true of every record, in words that mean the same in a filter
	all      *builder      // how many records there are; nil if they have to be counted one by one
	selected []string      // the columns in a select list, by position in the shape; "" for references
	keys     string        // the key's columns in a select list
	keyNames string        // their names
	byKey    string        // their order
	after    *plan         // of the row that was just inserted; nil if it must be read

	lock      string            // ends a SELECT of rows that nobody else is to change meanwhile
	isolation *stdsql.TxOptions // of what changes; nil: the usual one
}

// plan answers the table's plan.
func (a *Adapter) plan(ctx context.Context, op string) (*plan, error) {
	if p := a.current.Load(); p != nil {
		return p, nil
	}
	a.planning.Lock()
	defer a.planning.Unlock()
	if p := a.current.Load(); p != nil {
		return p, nil
	}
	var p *plan
	err := a.db.view(ctx, op, false, func(ctx context.Context, s session) (err error) {
		p, err = a.derive(ctx, s)
		return err
	})
	if err != nil {
		a.db.forget() // what was read may be why
		return nil, err
	}
	a.current.Store(p)
	return p, nil
}

// forget makes the next operation look at the table again.
func (a *Adapter) forget() {
	a.db.forget()
	a.current.Store(nil)
}

func (a *Adapter) derive(ctx context.Context, s session) (*plan, error) {
	t, err := a.db.schema(ctx, s, a.table.Name)
	if err != nil {
		return nil, err
	}
	p, err := a.deriveFrom(ctx, s, t)
	if err == nil {
		p.after, err = a.afterwards(ctx, s, t)
	}
	if err == nil {
		err = a.claims(ctx, s, p)
	}
	return p, err
}

func (a *Adapter) deriveFrom(ctx context.Context, s session, t *schema) (*plan, error) {
	p := &plan{db: a.db, schema: t, from: a.db.dialect.relation(a.table.Name) + " AS t"}
	p.base = p.from
	if a.table.Distinct {
		var err error
		if t, err = t.distinct(a.table.Key[0]); err != nil {
			return nil, err
		}
		p.schema, p.from = t, distinctFrom(t.column(a.table.Key[0]))+" AS t"
	}
	p.dialect = a.db.dialect
	p.scope.column, p.scope.reference = t.column, noReference
	p.scope.link = byName(a.caps.Shape, &p.links)
	p.scope.further = byName(a.caps.Shape, &p.besides)
	p.scope.child = byName(a.caps.Shape, &p.children)
	if err := p.deriveKey(a.table.Key); err != nil {
		return nil, err
	}
	if err := p.deriveFields(ctx, s, a); err != nil {
		return nil, err
	}
	p.visible = newBuilder()
	p.keyPresent(p.visible)
	if err := holdFixed(p.dialect, p.visible, t, "t", a.table.Fixed); err != nil {
		return nil, err
	}
	if a.table.Where != nil {
		p.visible.add(" AND ")
		if err := p.write(p.visible, a.table.Where); err != nil {
			return nil, err
		}
	}
	var err error
	if p.all, err = p.countAll(a); err != nil {
		return nil, err
	}
	p.follow(a.caps.Shape)
	p.inScope = p.plainScope(a.table.Where)
	return p, p.visible.check("")
}

// follow makes filters, unlike the table's own scope, ask about references where
// they name a column with one.
func (p *plan) follow(shape *adapters.Shape) {
	p.scope.reference = byName(shape, &p.refs)
	p.scope.column = func(name string) *column {
		if p.scope.reference(name) != nil {
			return nil
		}
		return p.schema.column(name)
	}
}

func (p *plan) deriveKey(names []string) error {
	var refs, quoted, order []string
	for _, name := range names {
		c := p.schema.column(name)
		if c == nil {
			return fmt.Errorf("%w: %s.%s", errStale, p.schema.name, name)
		}
		c = p.dialect.key(c)
		p.key = append(p.key, c)
		refs = append(refs, p.dialect.selected(c))
		quoted = append(quoted, c.quoted)
		order = append(order, c.ref)
	}
	p.keys, p.keyNames, p.byKey = strings.Join(refs, ", "), strings.Join(quoted, ", "), strings.Join(order, ", ")
	return nil
}

func (p *plan) deriveFields(ctx context.Context, s session, a *Adapter) error {
	n := a.caps.Shape.Len()
	p.columns, p.shown, p.selected = make([]*column, n), make([]*column, n), make([]string, n)
	p.links, p.refs = make([]*link, n), make([]*reference, n)
	p.besides, p.children = make([]*further, n), make([]*child, n)
	others := &besides{a: a.db, sides: a.table.Sides, looks: a.table.Lookups, key: p.key, column: p.column, prefix: "s", known: map[string]*beside{}}
	for i := range a.caps.Shape.Names() {
		var err error
		switch {
		case a.relations[i] != nil:
			if p.links[i], err = a.db.link(ctx, s, a.relations[i]); err == nil {
				p.links[i].inline = p.links[i].gathered(p.key[0])
			}
		case a.children[i] != nil:
			p.children[i], err = a.db.child(ctx, s, a.children[i])
		default:
			err = p.deriveColumn(ctx, s, a, others, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deriveColumn finds the column that a field is, of the table or of one beside it.
func (p *plan) deriveColumn(ctx context.Context, s session, a *Adapter, others *besides, i int) error {
	name := a.caps.Shape.Names()[i]
	f, err := others.find(ctx, s, name)
	if err != nil {
		return err
	}
	c := p.schema.column(name)
	if f != nil {
		p.besides[i], c = f, f.col
	}
	if c == nil {
		return fmt.Errorf("%w: %s.%s", errStale, p.schema.name, name)
	}
	p.columns[i], p.shown[i] = c, c
	to := a.references[i]
	if to == nil || f != nil {
		p.selected[i] = p.dialect.selected(c)
		return nil
	}
	if p.refs[i], err = a.db.reference(ctx, s, name, c, to); err == nil {
		p.shown[i] = p.refs[i].target
	}
	return err
}

// byName finds by the name of a field what a plan has at its position.
func byName[T any](shape *adapters.Shape, all *[]*T) func(name string) *T {
	return func(name string) *T {
		if i := shape.Index(name); i >= 0 {
			return (*all)[i]
		}
		return nil
	}
}

// source writes the table, and those beside it that the columns at positions, or
// a sort, are of.
func (p *plan) source(b *builder, columns []int, by []adapters.Sort) {
	b.add(" FROM ", p.from)
	needed := make([]*further, 0, len(columns)+len(by))
	for _, i := range columns {
		needed = append(needed, p.besides[i])
	}
	for _, s := range by {
		needed = append(needed, p.further(s.Field))
	}
	joins(b, needed)
}

// keyPresent keeps out rows that have no key, where the table allows them.
func (p *plan) keyPresent(b *builder) {
	b.add(p.dialect.truth(true))
	for _, c := range p.key {
		switch {
		case c.rowid, c.notNull && (c.kind == integerKind || len(p.key) > 1):
		case len(p.key) > 1:
			b.add(" AND ", c.ref, " IS NOT NULL")
		default:
			b.add(" AND ")
			p.dialect.present(b, c)
		}
	}
}

// holds writes the condition that a column still holds what was read of it.
func (p *plan) holds(b *builder, at int, old any) {
	if r := p.refs[at]; r != nil {
		r.holds(b, old)
		return
	}
	p.dialect.holds(b, p.columns[at], old)
}

// column finds a column by its name, whose case does not matter.
func (t *schema) column(name string) *column {
	return t.columns[strings.ToLower(name)]
}

// wanted lists the positions of what is read with the rows, and of the lists that
// are read by themselves.
func (p *plan) wanted(want adapters.Fields) (columns, links []int) {
	columns = make([]int, 0, len(p.columns))
	for i, c := range p.columns {
		switch {
		case !want.Has(i):
		case c == nil && (p.links[i] == nil || p.links[i].inline == nil):
			links = append(links, i)
		default:
			columns = append(columns, i)
		}
	}
	return columns, links
}

// selection writes the select list of the key and the columns at positions.
func (p *plan) selection(b *builder, columns []int) {
	p.list(b.add("SELECT "), columns)
}

// list writes the key and the columns at positions.
func (p *plan) list(b *builder, columns []int) {
	b.add(p.keys)
	for _, i := range columns {
		switch b.add(", "); {
		case p.links[i] != nil:
			b.include(p.links[i].inline)
		case p.refs[i] != nil:
			b.include(p.refs[i].value)
		default:
			b.add(p.selected[i])
		}
	}
}

// where writes the condition that a row is a record of which e is true.
func (p *plan) where(b *builder, e filter.Expr) error {
	b.add(" WHERE ").include(p.visible)
	if e == nil {
		return nil
	}
	b.add(" AND ")
	return p.write(b, e)
}

// at writes the condition that a row is the record with a key.
func (p *plan) at(b *builder, key adapters.Key) {
	b.add(" WHERE ")
	p.keyIs(b, key)
	b.add(" AND ").include(p.visible)
}

// keyOf is the key of a row.
func keyOf(parts []any) adapters.Key {
	if len(parts) == 1 {
		return adapters.Key(adapters.Text(parts[0]))
	}
	texts := make([]string, len(parts))
	for i, v := range parts {
		texts[i] = adapters.Text(v)
	}
	return adapters.JoinKey(texts...)
}
