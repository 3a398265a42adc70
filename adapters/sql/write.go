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
		keys, err := p.returned(ctx, s, insert.statement(p))
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
		m.set(c, parts[i])
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
	b := newBuilder().add("INSERT INTO ", p.dialect.quote(p.schema.name))
	if len(m.columns) == 0 {
		return b.add(" DEFAULT VALUES RETURNING ", p.keyNames)
	}
	names := make([]string, len(m.columns))
	for i, c := range m.columns {
		names[i] = c.quoted
	}
	b.add(" (", strings.Join(names, ", "), ") VALUES (").bind(m.values...)
	return b.add(") RETURNING ", p.keyNames)
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

// Update implements adapters.Adapter. Only the columns that change are written,
// and only while they hold what they held when they were read.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	if a.caps.NoUpdate {
		return adapters.Record{}, &adapters.Error{Kind: adapters.Denied, Op: "update"}
	}
	p, err := a.plan(ctx, "update")
	if err != nil {
		return adapters.Record{}, err
	}
	u, err := a.updateOf(p, key, d)
	if err != nil {
		return adapters.Record{}, err
	}
	var out adapters.Record
	err = a.change(ctx, "update", p, u.to.fields, func(ctx context.Context, s session) error {
		at, err := u.run(ctx, s)
		if err != nil {
			return err
		}
		out, err = a.stored(ctx, s, p, at, want)
		return err
	})
	return out, err
}

// An update is a delta sorted by what it touches.
type update struct {
	a       *Adapter
	p       *plan
	key     adapters.Key
	to      assignment
	old     []any // of the columns in to
	lists   []adapters.Change
	members []adapters.MemberChange
	renames bool
}

func (a *Adapter) updateOf(p *plan, key adapters.Key, d adapters.Delta) (*update, error) {
	u := &update{a: a, p: p, key: key, members: d.Members}
	for _, c := range d.Set {
		i := a.caps.Shape.Index(c.Field)
		if i < 0 {
			return nil, &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: c.Field, Err: errors.New("no such field")}
		}
		_, list := c.New.([]string)
		u.to.fields = append(u.to.fields, c.Field)
		switch col := p.columns[i]; {
		case list != (col == nil) && !adapters.NoValue(c.New):
			return nil, invalid("update", c.Field, errors.New("a list, or no list where one is needed"))
		case col == nil:
			u.lists = append(u.lists, c)
		default:
			v, err := p.writable(col, c.New)
			if err != nil {
				return nil, invalid("update", c.Field, err)
			}
			u.to.set(col, v)
			u.old = append(u.old, c.Old)
			u.renames = u.renames || a.isKey(c.Field)
		}
	}
	for _, m := range d.Members {
		if i := a.caps.Shape.Index(m.Field); i < 0 || p.links[i] == nil {
			return nil, &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: m.Field, Err: errors.New("no member changes")}
		}
		u.to.fields = append(u.to.fields, m.Field)
	}
	return u, nil
}

// run answers the key that the record then has.
func (u *update) run(ctx context.Context, s session) ([]any, error) {
	var from []any
	var err error
	if u.renames || len(u.to.columns) == 0 {
		if from, err = u.p.locate(ctx, s, u.key); err != nil {
			return nil, err
		}
	}
	at := from
	if len(u.to.columns) > 0 {
		if at, err = u.columns(ctx, s); err != nil {
			return nil, err
		}
	}
	if u.renames && keyOf(from) != keyOf(at) {
		if err := u.rename(ctx, s, from[0], at[0]); err != nil {
			return nil, err
		}
	}
	return at, u.relations(ctx, s, at[0])
}

func (u *update) columns(ctx context.Context, s session) ([]any, error) {
	if u.renames && u.p.dialect.deferred() != "" {
		if _, err := s.exec(ctx, u.p.dialect.deferred()); err != nil {
			return nil, err
		}
	}
	b := newBuilder().add("UPDATE ", u.p.from, " SET ")
	for i, c := range u.to.columns {
		if i > 0 {
			b.add(", ")
		}
		b.add(c.quoted, " = ").bind(u.to.values[i])
	}
	u.p.at(b, u.key)
	for i, c := range u.to.columns {
		b.add(" AND ")
		u.p.dialect.holds(b, c, u.old[i])
	}
	keys, err := u.p.returned(ctx, s, b.add(" RETURNING ", u.p.keyNames))
	switch {
	case err != nil:
		return nil, err
	case len(keys) > 1:
		return nil, errAmbiguous
	case len(keys) == 0:
		if _, err := u.p.locate(ctx, s, u.key); err != nil {
			return nil, err
		}
		return nil, &adapters.Error{Kind: adapters.Conflict, Err: errors.New("a value is not what it was when it was read")}
	case adapters.NoValue(keys[0][0]):
		return nil, u.a.noKey("a record must have a key")
	}
	return keys[0], nil
}

// rename carries the rows of join tables over to a new key.
func (u *update) rename(ctx context.Context, s session, from, to any) error {
	for _, l := range u.p.links {
		if l != nil {
			if err := l.renamed(ctx, s, l.owner, from, to); err != nil {
				return err
			}
		}
	}
	return u.a.referred(ctx, s, func(l *link) error { return l.renamed(ctx, s, l.member, from, to) })
}

func (u *update) relations(ctx context.Context, s session, owner any) error {
	for _, c := range u.lists {
		l := u.p.links[u.a.caps.Shape.Index(c.Field)]
		old, _ := c.Old.([]string)
		wanted, _ := c.New.([]string)
		if err := l.replace(ctx, s, "update", owner, old, wanted); err != nil {
			return err
		}
	}
	for _, m := range u.members {
		l := u.p.links[u.a.caps.Shape.Index(m.Field)]
		if err := l.remove(ctx, s, owner, m.Remove); err != nil {
			return err
		}
		if err := l.add(ctx, s, "update", owner, m.Add); err != nil {
			return err
		}
	}
	return nil
}

// locate answers the key of a record as it is stored. NotFound if there is none.
func (p *plan) locate(ctx context.Context, s session, key adapters.Key) ([]any, error) {
	b := newBuilder().add("SELECT ", p.keys, " FROM ", p.from)
	p.at(b, key)
	keys, err := p.returned(ctx, s, b.add(" LIMIT 2"))
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
		b := newBuilder().add("DELETE FROM ", p.from)
		p.at(b, key)
		_, err = s.exec(ctx, string(b.text), b.args...)
		return err
	})
}

func invalid(op, field string, err error) error {
	return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: field, Err: err}
}
