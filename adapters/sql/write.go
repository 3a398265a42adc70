package sql

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// Create implements adapters.Adapter. Fields without a value are left to the
// table's defaults.
func (a *Adapter) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	if a.caps.NoCreate {
		return adapters.Record{}, &adapters.Error{Kind: adapters.Denied, Op: "create"}
	}
	p, err := a.plan(ctx, "create")
	if err != nil {
		return adapters.Record{}, err
	}
	insert, err := a.insertion(p, r)
	if err != nil {
		return adapters.Record{}, err
	}
	var out adapters.Record
	err = a.change(ctx, "create", p, insert.fields, func(ctx context.Context, s session) error {
		if err := insert.known(ctx, s, "create"); err != nil {
			return err
		}
		keys, err := p.dialect.insert(ctx, s, p, insert)
		if err != nil {
			return err
		}
		if len(keys) != 1 || adapters.NoValue(keys[0][0]) {
			return a.noKey("the database makes no key here")
		}
		for i, l := range p.links {
			if l == nil {
				continue
			}
			members, _ := r.Get(l.field).([]string)
			if err := p.links[i].add(ctx, s, "create", keys[0][0], members); err != nil {
				return err
			}
		}
		out, err = a.stored(ctx, s, p, keys[0], want)
		return err
	})
	return out, err
}

// stored reads what the database holds after a write.
func (a *Adapter) stored(ctx context.Context, s session, p *plan, key []any, want adapters.Fields) (adapters.Record, error) {
	r, err := a.find(ctx, s, p, keyOf(key), want)
	if adapters.Is(err, adapters.NotFound) {
		return r, &adapters.Error{Kind: adapters.Invalid, Err: errors.New("the record would be outside the table's scope")}
	}
	return r, err
}

func (a *Adapter) noKey(text string) error {
	field := adapters.KeyField
	if i := a.caps.Shape.Index(a.table.Key[0]); i >= 0 {
		field = a.table.Key[0]
	}
	return &adapters.Error{Kind: adapters.Invalid, Op: "create", Field: field, Err: errors.New(text)}
}

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

// insertion is what Create inserts.
func (a *Adapter) insertion(p *plan, r adapters.Record) (*assignment, error) {
	m := &assignment{}
	for i, name := range a.caps.Shape.Names() {
		v := r.Get(name)
		_, list := v.([]string)
		switch c := p.columns[i]; {
		case adapters.NoValue(v):
		case list != (c == nil):
			return nil, invalid("create", name, errors.New("a list, or no list where one is needed"))
		case c == nil:
			m.fields = append(m.fields, name)
		default:
			w, err := p.writable(c, v)
			if err != nil {
				return nil, invalid("create", name, err)
			}
			m.set(c, w)
			m.refer(p.refs[i], v)
			m.fields = append(m.fields, name)
		}
	}
	return m, a.insertKey(p, r.Key, m)
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
	names := make([]string, len(m.columns))
	for i, c := range m.columns {
		names[i] = c.quoted
	}
	b.add(" (", strings.Join(names, ", "), ") VALUES (").bind(m.values...)
	return b.add(")")
}

// writable is a value as the driver takes it.
func (p *plan) writable(c *column, v any) (any, error) {
	if c.computed {
		return nil, errors.New("the database computes this column")
	}
	return p.dialect.write(c, v)
}

// returned runs a statement that answers the keys of the rows it touched.
func (p *plan) returned(ctx context.Context, s session, b *builder) ([][]any, error) {
	if err := b.check(""); err != nil {
		return nil, err
	}
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	sc := newScanner(len(p.key), 0, false)
	for rows.Next() {
		if err := sc.next(rows, p); err != nil {
			return nil, err
		}
		out = append(out, slices.Clone(sc.key))
	}
	return out, rows.Err()
}

// locate answers the key of a record as it is stored, and keeps others from
// changing it until the transaction ends. NotFound if there is none.
func (p *plan) locate(ctx context.Context, s session, key adapters.Key) ([]any, error) {
	b := newBuilder().add("SELECT ", p.keys, " FROM ", p.from)
	p.at(b, key)
	b.add(" LIMIT 2")
	if !p.schema.view {
		b.add(p.dialect.lock())
	}
	keys, err := p.returned(ctx, s, b)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, &adapters.Error{Kind: adapters.NotFound}
	case len(keys) > 1:
		return nil, errAmbiguous
	}
	return keys[0], nil
}

// referred calls f for each relation whose members are records of this table.
func (a *Adapter) referred(ctx context.Context, s session, f func(*link) error) error {
	if len(a.table.Key) != 1 {
		return nil
	}
	for _, r := range a.db.referring(a.table.Name, a.table.Key[0]) {
		l, err := a.db.link(ctx, s, r)
		if err != nil {
			return err
		}
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements adapters.Adapter. The record's rows in join tables go first.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	if a.caps.NoDelete {
		return &adapters.Error{Kind: adapters.Denied, Op: "delete"}
	}
	p, err := a.plan(ctx, "delete")
	if err != nil {
		return err
	}
	return a.change(ctx, "delete", p, nil, func(ctx context.Context, s session) error {
		at, err := p.locate(ctx, s, key)
		if err != nil {
			return err
		}
		for _, l := range p.links {
			if l != nil {
				if err := l.forget(ctx, s, l.owner, at[0]); err != nil {
					return err
				}
			}
		}
		err = a.referred(ctx, s, func(l *link) error { return l.forget(ctx, s, l.member, at[0]) })
		if err != nil {
			return err
		}
		b := newBuilder().add(p.dialect.deletion(p.dialect.relation(p.schema.name), "t"), " WHERE ")
		p.keyIs(b, keyOf(at)) // the row is locked, and in scope
		_, err = s.exec(ctx, string(b.text), b.args...)
		return err
	})
}

func invalid(op, field string, err error) error {
	return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: field, Err: err}
}
