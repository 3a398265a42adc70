package sql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A beside is a row of another table that a row leads to, together with what the
// database says about it: one that belongs to a record, or one that a look-up
// finds.
type beside struct {
	d      dialect
	table  *schema
	quoted string // its name
	alias  string
	theirs []*column // what they hold ...
	ours   []*column // ... these hold, too
	fixed  []Fixed
	within *builder // the condition that a row counts; nothing if all do
	joined *builder // the text of a join
	sparse bool     // a row without a value goes
	lookup *Lookup  // nil if the row belongs to the record
}

// A further is a column of such a row, as a field.
type further struct {
	*beside
	field string
	col   *column
}

// besides resolves the fields of sides and look-ups; nil for a field that is none.
type besides struct {
	a      *Database
	sides  []Side
	looks  []Lookup
	key    []*column
	column func(string) *column // of the row that leads to others
	prefix string               // of aliases
	known  map[string]*beside
}

func (r *besides) find(ctx context.Context, s session, field string) (*further, error) {
	for i := range r.looks {
		if r.looks[i].Field == field {
			return r.lookup(ctx, s, &r.looks[i])
		}
	}
	name, column, ok := strings.Cut(field, ".")
	if !ok {
		return nil, nil
	}
	i := slices.IndexFunc(r.sides, func(s Side) bool { return s.Name == name })
	if i < 0 {
		return nil, nil
	}
	return r.side(ctx, s, &r.sides[i], field, column)
}

func (r *besides) side(ctx context.Context, s session, side *Side, field, name string) (*further, error) {
	id, fixed := side.Name, side.Where
	if side.Names != "" {
		id, fixed = field, append(slices.Clone(fixed), Fixed{side.Names, name})
		name = side.Values
	}
	b := r.known[id]
	if b == nil {
		var err error
		if b, err = r.open(ctx, s, side.Table, side.On, r.key, fixed); err != nil {
			return nil, err
		}
		b.sparse = side.Names != ""
		r.known[id] = b
	}
	return b.further(field, name)
}

func (r *besides) lookup(ctx context.Context, s session, l *Lookup) (*further, error) {
	ours := r.column(l.Column)
	if ours == nil {
		return nil, fmt.Errorf("%w: %s", errStale, l.Column)
	}
	b, err := r.open(ctx, s, l.Table, []string{l.Key}, []*column{ours}, l.Where)
	if err != nil {
		return nil, err
	}
	b.lookup = l
	r.known[l.Field] = b
	return b.further(l.Field, l.Name)
}

// open looks at a table whose columns hold what others hold.
func (r *besides) open(ctx context.Context, s session, table string, on []string, ours []*column, fixed []Fixed) (*beside, error) {
	t, err := r.a.schema(ctx, s, table)
	if err != nil {
		return nil, err
	}
	b := &beside{d: r.a.dialect, table: t, quoted: r.a.dialect.relation(table), ours: ours, fixed: fixed,
		alias: r.prefix + strconv.Itoa(len(r.known)+1), within: newBuilder()}
	for _, name := range on {
		c := t.column(name)
		if c == nil {
			return nil, fmt.Errorf("%w: %s.%s", errStale, table, name)
		}
		b.theirs = append(b.theirs, c.under(b.alias))
	}
	if err := holdFixed(b.d, b.within, t, b.alias, fixed); err != nil {
		return nil, err
	}
	b.joined = newBuilder().add(" LEFT JOIN ", b.quoted, " AS ", b.alias, " ON ")
	b.meet(b.joined)
	return b, nil
}

// holdFixed writes the condition that columns hold what they are to hold in all
// rows that count, each behind an AND.
func holdFixed(d dialect, b *builder, t *schema, alias string, fixed []Fixed) error {
	for _, f := range fixed {
		c := t.column(f.Column)
		if c == nil {
			return fmt.Errorf("%w: %s.%s", errStale, t.name, f.Column)
		}
		b.add(" AND ")
		d.compare(b, c.under(alias), &filter.Compare{Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(f.Value)})
	}
	return nil
}

func (b *beside) further(field, name string) (*further, error) {
	c := b.table.column(name)
	if c == nil {
		return nil, fmt.Errorf("%w: %s.%s", errStale, b.table.name, name)
	}
	return &further{b, field, c.under(b.alias)}, nil
}

// meet writes the condition that a row is the one that another leads to.
func (b *beside) meet(w *builder) {
	for i := range b.theirs {
		if i > 0 {
			w.add(" AND ")
		}
		x, y := b.d.pair(b.theirs[i], b.ours[i])
		w.add(x, " = ", y)
	}
	w.include(b.within)
}

// compare writes a condition on the column. It is asked of the other table alone,
// so that an index there can lead; no row is no value.
func (f *further) compare(b *builder, c *filter.Compare) {
	if !filter.Test(c, filter.Value{}) {
		f.leads(b, func() { f.d.compare(b, f.col, c) })
		return
	}
	other := *c
	if c.Op == filter.Ne {
		other.Op = filter.Eq
	} else { // eq null
		other.Op = filter.Pr
	}
	b.add("(")
	f.leads(b, func() { f.d.compare(b, f.col, &other) })
	b.add(") IS NOT TRUE")
}

// leads writes the condition that there is a row of which a condition is true.
func (b *beside) leads(w *builder, condition func()) {
	if len(b.theirs) > 1 {
		w.add("EXISTS (SELECT 1 FROM ", b.quoted, " AS ", b.alias, " WHERE ")
		b.meet(w)
	} else {
		x, y := b.d.pair(b.ours[0], b.theirs[0])
		w.add(x, " IN (SELECT ", y, " FROM ", b.quoted, " AS ", b.alias, " WHERE ", b.d.truth(true))
		w.include(b.within)
	}
	w.add(" AND ")
	condition()
	w.add(")")
}

// holds writes the condition that the column still holds a value as it was read.
func (f *further) holds(b *builder, old any) {
	if !adapters.NoValue(old) {
		f.leads(b, func() { f.d.holds(b, f.col, old) })
		return
	}
	b.add("(")
	f.leads(b, func() { f.d.present(b, f.col) })
	b.add(") IS NOT TRUE")
}

// joins writes the joins that some fields need, each once.
func joins(b *builder, fields []*further) {
	done := map[*beside]bool{}
	for _, f := range fields {
		if f != nil && !done[f.beside] {
			done[f.beside] = true
			b.include(f.joined)
		}
	}
}
