package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
)

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
	if a.table.Own != nil {
		return a.ownUpdate(ctx, p, key, d, want)
	}
	u, err := a.updateOf(p, key, d)
	if err != nil {
		return adapters.Record{}, err
	}
	if joined, err := u.joinsAlone(ctx, want); joined || err != nil {
		return adapters.NewRecord(a.caps.Shape, key), err
	}
	if r, changed, err := u.changed(ctx, want); changed || err != nil {
		return r, err
	}
	var out adapters.Record
	err = a.change(ctx, "update", p, u.to.fields, func(ctx context.Context, s session) error {
		if joined, err := u.joins(ctx, s); joined || err != nil {
			if err == nil {
				out, err = u.joined(ctx, s, want)
			}
			return err
		}
		at, err := u.run(ctx, s)
		if err == nil {
			err = a.kept(ctx, s, p, "update", at)
		}
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
	at      []int // where they are in the shape
	lists   []adapters.Change
	held    []string
	before  adapters.Record
	members []adapters.MemberChange
	sides   []*sideChange
	looks   []naming
	wasOf   []any // of looks
	renames bool
	moves   bool // rows of other tables hold what changes
}

func (a *Adapter) updateOf(p *plan, key adapters.Key, d adapters.Delta) (*update, error) {
	u := &update{a: a, p: p, key: key, members: d.Members, held: d.Held, before: d.Before}
	for _, c := range d.Set {
		if err := u.take(c); err != nil {
			return nil, err
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

// take sorts in the change of a field.
func (u *update) take(c adapters.Change) error {
	p, i := u.p, u.a.caps.Shape.Index(c.Field)
	if i < 0 {
		return &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: c.Field, Err: errors.New("no such field")}
	}
	u.to.fields = append(u.to.fields, c.Field)
	if err := p.fitting(i, c.New); err != nil {
		return invalid("update", c.Field, err)
	}
	col, f := p.columns[i], p.besides[i]
	switch {
	case col == nil:
		u.lists = append(u.lists, c)
	case f != nil && f.lookup != nil:
		u.looks, u.wasOf = append(u.looks, naming{f, c.New}), append(u.wasOf, c.Old)
	case f != nil:
		if err := u.side(f).put(f, c.Old, c.New); err != nil {
			return invalid("update", c.Field, err)
		}
	default:
		v, err := writable(p.dialect, col, c.New)
		if err != nil {
			return invalid("update", c.Field, err)
		}
		u.to.set(col, v)
		u.to.refer(p.refs[i], c.New)
		u.old, u.at = append(u.old, c.Old), append(u.at, i)
		u.renames = u.renames || u.a.isKey(c.Field)
	}
	return nil
}

// side is the change of the row that a column is of.
func (u *update) side(f *further) *sideChange {
	for _, m := range u.sides {
		if m.beside == f.beside {
			return m
		}
	}
	m := &sideChange{beside: f.beside}
	u.sides = append(u.sides, m)
	return m
}

// run answers the key that the record then has.
func (u *update) run(ctx context.Context, s session) ([]any, error) {
	var from []any
	changes := u.changes()
	carried, err := u.carriages(ctx, s)
	if err != nil {
		return nil, err
	}
	u.moves = u.renames || len(carried) > 0
	if u.moves || !changes || len(u.held) > 0 {
		if from, err = u.p.locateFor(ctx, s, u.key, u.lock()); err != nil {
			return nil, err
		}
	}
	if err := u.holds(ctx, s, from); err != nil {
		return nil, err
	}
	at := from
	if changes {
		if at, err = u.carrying(ctx, s, from, carried, func() ([]any, error) { return u.columns(ctx, s) }); err != nil {
			return nil, err
		}
	}
	if u.renames && keyOf(from) != keyOf(at) {
		if err := u.rename(ctx, s, from, at); err != nil {
			return nil, err
		}
	}
	for _, m := range u.sides {
		if err := m.update(ctx, s, at); err != nil {
			return nil, err
		}
	}
	if err := u.relations(ctx, s, at); err != nil || !u.renames || keyOf(from) == keyOf(at) {
		return at, err
	}
	return at, u.a.renameTexts(ctx, s, from, at)
}

// lock is how the record is kept as it is: members may be added by several at once.
func (u *update) lock() string {
	if l, _, _ := u.joining(); l != nil {
		if d, ok := l.d.(sharing); ok {
			return d.share(u.p.key[0].alias())
		}
	}
	return u.p.dialect.lock()
}

// holds compares the fields that must hold what they held, in the row that was
// just locked. Rows of join tables that other programs insert without a look at
// it may come between.
func (u *update) holds(ctx context.Context, s session, at []any) error {
	if len(u.held) == 0 {
		return nil
	}
	now, err := u.a.stored(ctx, s, u.p, at, u.a.caps.Shape.FieldSet(u.held...))
	if err != nil {
		return err
	}
	for _, name := range u.held {
		if !adapters.Same(now.Get(name), u.before.Get(name)) {
			return &adapters.Error{Kind: adapters.Conflict, Field: name, Err: errors.New("the value is not what it was when it was read")}
		}
	}
	return nil
}

func (u *update) columns(ctx context.Context, s session) ([]any, error) {
	if u.moves && u.p.dialect.deferred() != "" {
		if _, err := s.exec(ctx, u.p.dialect.deferred()); err != nil {
			return nil, err
		}
	}
	if u.a.table.Distinct {
		return u.a.rename(ctx, s, u)
	}
	b, where, to, err := u.setting(ctx, s)
	if err != nil {
		return nil, err
	}
	keys, err := u.p.dialect.update(ctx, s.quick(), u.p, b, where, to)
	switch {
	case err != nil:
		return nil, err
	case len(keys) > 1:
		return nil, errAmbiguous
	case len(keys) == 0:
		if _, err := u.p.locate(ctx, s, u.key); err != nil {
			return nil, err
		}
		if err := u.to.known(ctx, s, "update"); err != nil {
			return nil, err
		}
		return nil, &adapters.Error{Kind: adapters.Conflict, Err: errors.New("a value is not what it was when it was read")}
	case adapters.NoValue(keys[0][0]):
		return nil, u.a.noKey("a record must have a key")
	}
	return keys[0], nil
}

// setting writes the UPDATE, and its condition: that the row is there, and holds
// what it held.
func (u *update) setting(ctx context.Context, s session) (set, where *builder, to *assignment, err error) {
	to = &assignment{columns: slices.Clone(u.to.columns), values: slices.Clone(u.to.values)}
	for _, l := range u.looks {
		c, key, err := l.resolve(ctx, s, "update", l.field, l.value)
		if err != nil {
			return nil, nil, nil, err
		}
		to.set(c, key)
	}
	stamps, err := u.p.stamped(ctx, u.a.table.Stamps.Change)
	if err != nil {
		return nil, nil, nil, err
	}
	to.add(stamps)
	set, where = newBuilder().add("UPDATE ", u.p.from, " SET "), newBuilder()
	to.sets(set)
	u.p.at(where, u.key)
	for i, at := range u.at {
		where.add(" AND ")
		u.p.holds(where, at, u.old[i])
	}
	for i, l := range u.looks {
		where.add(" AND ")
		l.holds(where, u.wasOf[i])
	}
	u.to.condition(where, " AND ")
	return set, where, to, nil
}

// rename carries the rows of other tables over to a new key.
func (u *update) rename(ctx context.Context, s session, from, to []any) error {
	for i, l := range u.p.links {
		if l != nil {
			if err := l.renamed(ctx, s, l.owner, from[0], to[0]); err != nil {
				return err
			}
		}
		if c := u.p.children[i]; c != nil {
			if err := c.renamed(ctx, s, from, to); err != nil {
				return err
			}
		}
	}
	for _, side := range u.p.owned() {
		if err := side.renamed(ctx, s, from, to); err != nil {
			return err
		}
	}
	return u.a.referred(ctx, s, func(l *link) error { return l.renamed(ctx, s, l.member, from[0], to[0]) })
}

func (u *update) relations(ctx context.Context, s session, owner []any) error {
	for _, c := range u.lists {
		i := u.a.caps.Shape.Index(c.Field)
		if child := u.p.children[i]; child != nil {
			old, _ := c.Old.([]adapters.Record)
			wanted, _ := c.New.([]adapters.Record)
			if err := child.replace(ctx, s, owner, old, wanted); err != nil {
				return err
			}
			continue
		}
		old, _ := c.Old.([]string)
		wanted, _ := c.New.([]string)
		if err := u.p.links[i].replace(ctx, s, "update", owner[0], old, wanted); err != nil {
			return err
		}
	}
	for _, m := range u.members {
		l := u.p.links[u.a.caps.Shape.Index(m.Field)]
		if err := l.remove(ctx, s, owner[0], m.Remove); err != nil {
			return err
		}
		if err := l.add(ctx, s, "update", owner[0], m.Add); err != nil {
			return err
		}
	}
	return nil
}
