package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
)

// This file says what a write puts into the row of a record; write.go sends it.

// An assignment is columns and the values that they are to get.
type assignment struct {
	columns []*column
	values  []any
	fields  []string // names in the shape, of relations too

	referrals []referral
}

func (m *assignment) set(c *column, v any) {
	m.columns = append(m.columns, c)
	m.values = append(m.values, v)
}

// sets writes the columns with their values.
func (m *assignment) sets(b *builder) {
	for i, c := range m.columns {
		if i > 0 {
			b.add(", ")
		}
		b.add(c.quoted, " = ").bind(m.values[i])
	}
}

// names writes the columns.
func (m *assignment) names(b *builder) {
	for i, c := range m.columns {
		if i > 0 {
			b.add(", ")
		}
		b.add(c.quoted)
	}
}

// An insertion is what Create inserts.
type insertion struct {
	assignment
	record adapters.Record
	sides  []*sideChange
	looks  []naming
	lists  bool // there are members or elements
}

// A naming is a look-up that a write needs.
type naming struct {
	*further
	value any
}

func (a *Adapter) insertion(p *plan, r adapters.Record) (*insertion, error) {
	m := &insertion{record: r}
	sides := map[*beside]*sideChange{}
	for i, name := range a.caps.Shape.Names() {
		v := r.Get(name)
		if adapters.NoValue(v) {
			continue
		}
		m.fields = append(m.fields, name)
		if err := p.fitting(i, v); err != nil {
			return nil, invalid("create", name, err)
		}
		c, f := p.columns[i], p.besides[i]
		switch {
		case c == nil:
			m.lists = true
		case f != nil && f.lookup != nil:
			m.looks = append(m.looks, naming{f, v})
		case f != nil:
			if sides[f.beside] == nil {
				sides[f.beside] = &sideChange{beside: f.beside}
				m.sides = append(m.sides, sides[f.beside])
			}
			if err := sides[f.beside].put(f, nil, v); err != nil {
				return nil, invalid("create", name, err)
			}
		default:
			w, err := writable(p.dialect, c, v)
			if err != nil {
				return nil, invalid("create", name, err)
			}
			m.set(c, w)
			m.refer(p.refs[i], v)
		}
	}
	fixed, err := fixedValues(p.dialect, p.schema, a.table.Fixed)
	if err != nil {
		return nil, err
	}
	m.add(fixed)
	return m, a.insertKey(p, r.Key, &m.assignment)
}

// add adds the columns of another assignment that are not there.
func (m *assignment) add(o *assignment) {
	for i, c := range o.columns {
		if m.find(c) < 0 {
			m.set(c, o.values[i])
		}
	}
}

// resolved is what is inserted into the table itself, once look-ups are made.
func (m *insertion) resolved(ctx context.Context, s session) (*assignment, error) {
	row := &assignment{columns: slices.Clone(m.columns), values: slices.Clone(m.values), referrals: m.referrals}
	for _, l := range m.looks {
		c, key, err := l.resolve(ctx, s, "create", l.field, l.value)
		if err != nil {
			return nil, err
		}
		row.set(c, key)
	}
	return row, nil
}

// insertKey adds the columns of a key that was given.
func (a *Adapter) insertKey(p *plan, key adapters.Key, m *assignment) error {
	if key == "" {
		if a.caps.GivenKeys && !m.hasAll(p.key) {
			return a.noKey("a record must have a key")
		}
		return nil
	}
	if a.table.Generated != nil && *a.table.Generated {
		return a.noKey("the database makes the keys")
	}
	parts, ok := adapters.SplitKey(key, len(p.key))
	if !ok || adapters.JoinKey(parts...) != key {
		return a.noKey("no key of this table")
	}
	for i, c := range p.key {
		if at := m.find(c); at >= 0 {
			if adapters.Text(m.values[at]) != parts[i] {
				return a.noKey("the key is not what its field says")
			}
			continue
		}
		if _, ok := integer(parts[i]); c.kind == integerKind && c.number && !ok {
			return a.noKey("keys of this table are integers")
		}
		v := any(parts[i])
		if parts[i] != "" {
			w, err := p.dialect.write(c, parts[i])
			if err != nil {
				return a.noKey("no key of this table")
			}
			v = w
		}
		m.set(c, v)
	}
	return nil
}

func (m *assignment) find(c *column) int {
	for i, o := range m.columns {
		if o.name == c.name {
			return i
		}
	}
	return -1
}

func (m *assignment) hasAll(columns []*column) bool {
	for _, c := range columns {
		if m.find(c) < 0 {
			return false
		}
	}
	return true
}

func (m *assignment) statement(p *plan) *builder {
	b := newBuilder().add("INSERT INTO ", p.dialect.relation(p.schema.name))
	if len(m.columns) == 0 {
		return b.add(p.dialect.defaults())
	}
	b.add(" (")
	m.names(b)
	if len(m.referrals) == 0 {
		return b.add(") VALUES (").bind(m.values...).add(")")
	}
	b.add(") SELECT ").bind(m.values...)
	m.condition(b, " FROM (SELECT 1 AS one) AS d WHERE ")
	return b
}

var errComputed = errors.New("the database computes this column")

// writable is a value as the driver takes it.
func writable(d dialect, c *column, v any) (any, error) {
	if c.computed {
		return nil, errComputed
	}
	return d.write(c, v)
}
