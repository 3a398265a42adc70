package sql

import (
	"context"
	"errors"
	"slices"

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
	if !a.table.Own.creates() {
		if r, created, err := a.created(ctx, p, insert, want); created || err != nil {
			return r, err
		}
	}
	var out adapters.Record
	err = a.change(ctx, "create", p, insert.fields, func(ctx context.Context, s session) error {
		if a.table.Own.creates() {
			out, err = a.ownCreate(ctx, s, p, insert, want)
			return err
		}
		r, ok, err := a.inserted(ctx, s, p, insert, want)
		if ok || err != nil {
			out = r
			return err
		}
		key, err := a.insert(ctx, s, p, insert)
		if err != nil {
			return err
		}
		out, err = a.stored(ctx, s, p, key, want)
		return err
	})
	return out, err
}

// insert adds the row of a record and, with its key, those of other tables.
func (a *Adapter) insert(ctx context.Context, s session, p *plan, m *insertion) ([]any, error) {
	row, err := a.row(ctx, s, p, m)
	if err != nil {
		return nil, err
	}
	key, err := a.insertRow(ctx, s, p, row)
	if err != nil {
		return nil, err
	}
	for _, side := range m.sides {
		if err := side.insert(ctx, s, "create", key); err != nil {
			return nil, err
		}
	}
	for i, l := range p.links {
		if l != nil {
			members, _ := m.record.Get(l.field).([]string)
			if err := l.add(ctx, s, "create", key[0], members); err != nil {
				return nil, err
			}
		}
		if c := p.children[i]; c != nil {
			elems, _ := m.record.Get(c.field).([]adapters.Record)
			if err := (&rowset{c: c, owner: key}).insert(ctx, s, "create", elems); err != nil {
				return nil, err
			}
		}
	}
	return key, a.kept(ctx, s, p, "create", key)
}

// insertRow adds the row itself, and answers its key.
func (a *Adapter) insertRow(ctx context.Context, s session, p *plan, row *assignment) ([]any, error) {
	if a.table.Distinct {
		return a.begin(ctx, s, p, row)
	}
	if err := a.makeKey(ctx, s, p, row); err != nil {
		return nil, err
	}
	keys, err := p.dialect.insert(ctx, s.quick(), p, row)
	if err == nil && len(keys) == 0 {
		err = row.known(ctx, s, "create")
	}
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 || adapters.NoValue(keys[0][0]) {
		return nil, a.noKey("the database makes no key here")
	}
	return keys[0], nil
}

// row is what is inserted into the table itself.
func (a *Adapter) row(ctx context.Context, s session, p *plan, m *insertion) (*assignment, error) {
	row, err := m.resolved(ctx, s)
	if err != nil {
		return nil, err
	}
	stamps, err := p.stamped(ctx, a.table.Stamps.Create, a.table.Stamps.Change)
	if err == nil {
		row.add(stamps)
	}
	return row, err
}

// stored reads what the database holds after a write.
func (a *Adapter) stored(ctx context.Context, s session, p *plan, key []any, want adapters.Fields) (adapters.Record, error) {
	r, err := a.find(ctx, s, p, keyOf(key), want)
	if adapters.Is(err, adapters.NotFound) {
		return r, outside()
	}
	return r, err
}

func outside() error {
	return &adapters.Error{Kind: adapters.Invalid, Err: errors.New("the record would be outside the table's scope")}
}

func (a *Adapter) noKey(text string) error {
	field := adapters.KeyField
	if i := a.caps.Shape.Index(a.table.Key[0]); i >= 0 {
		field = a.table.Key[0]
	}
	return &adapters.Error{Kind: adapters.Invalid, Op: "create", Field: field, Err: errors.New(text)}
}

// fitting refuses lists where there is one value, one where there are lists, and
// elements where there are none.
func (p *plan) fitting(i int, v any) error {
	_, list := v.([]string)
	_, elems := v.([]adapters.Record)
	if adapters.NoValue(v) || list == (p.links[i] != nil) && elems == (p.children[i] != nil) {
		return nil
	}
	return errors.New("a list, or no list where one is needed")
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
	return p.locateFor(ctx, s, key, p.lock)
}

// locateFor is locate with a lock of its own.
func (p *plan) locateFor(ctx context.Context, s session, key adapters.Key, lock string) ([]any, error) {
	b := newBuilder().add("SELECT ", p.keys, " FROM ", p.base)
	p.at(b, key)
	if p.base == p.from {
		b.add(" LIMIT 2")
	} else { // they all are the record
		if err := p.claim(ctx, s, key); err != nil {
			return nil, err
		}
		b.add(" LIMIT 1")
	}
	if p.lock != "" {
		b.add(lock)
	}
	keys, err := p.returned(ctx, s.quick(), b)
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

func invalid(op, field string, err error) error {
	e := &adapters.Error{Kind: adapters.Invalid, Op: op, Field: field, Err: err}
	if errors.Is(err, errComputed) {
		e.Told = "the database computes it"
	}
	return e
}
