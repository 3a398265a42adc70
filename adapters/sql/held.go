package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
)

// A join table may hold, in place of a key, another column of the table that an end
// belongs to: the login of a user, the name of a group. What a record's key is then
// leads there within the statement itself.

// An ownEnd is the table of the records that have the members, where the join table
// holds another column of it than the key. In statements it is o.
type ownEnd struct {
	from string // the table, as o
	key  *column
	held *column
}

func (db *Database) ownEnd(ctx context.Context, s session, r *Relation) (*ownEnd, error) {
	if r.OwnerHolds == "" {
		return nil, nil
	}
	t, err := db.schema(ctx, s, r.table)
	if err != nil {
		return nil, err
	}
	key, held := t.column(r.key), t.column(r.OwnerHolds)
	if key == nil || held == nil {
		return nil, fmt.Errorf("%w: %s.%s", errStale, r.table, r.OwnerHolds)
	}
	return &ownEnd{key.table + " AS o", key.under("o"), held.under("o")}, nil
}

// hold notes which column of the target the members are known by. Who has no value
// there can be none.
func (l *link) hold(ctx context.Context, s session, r *Relation) error {
	if r.MemberHolds == "" {
		return nil
	}
	t, err := l.db.schema(ctx, s, r.Refers.Table)
	if err != nil {
		return err
	}
	held := t.column(r.MemberHolds)
	if held == nil {
		return fmt.Errorf("%w: %s.%s", errStale, r.Refers.Table, r.MemberHolds)
	}
	l.held = held.under("m")
	l.within.add(" AND ")
	l.d.present(l.within, l.held)
	return nil
}

// holds is the column that an end of the join table holds, nil if that is the key.
func (l *link) holds(end *column) *column {
	switch {
	case end == l.owner && l.own != nil:
		return l.own.held
	case end == l.member && l.held != l.target:
		return l.held
	}
	return nil
}

// ours is what the owner's column holds, of the row with a key.
func (l *link) ours(key *column) *column {
	if l.own == nil {
		return key
	}
	return l.own.held.under(key.alias())
}

// ownedBy writes the condition that a row belongs to the record with a key.
func (l *link) ownedBy(b *builder, key any) {
	if l.own == nil {
		b.add(l.owner.ref, " = ")
		l.d.stored(b, l.owner, key)
		return
	}
	x, y := l.d.pair(l.owner, l.own.held)
	b.add(x, " = (SELECT ", y)
	l.find(b, l.own.from, l.own.key, key)
}

// about writes the condition that a row is about the member with a key.
func (l *link) about(b *builder, key any) {
	if l.held == l.target {
		b.add(l.member.ref, " = ")
		l.d.stored(b, l.member, key)
		return
	}
	x, y := l.d.pair(l.member, l.held)
	b.add(x, " = (SELECT ", y)
	l.find(b, l.others, l.target, key)
}

func (l *link) find(b *builder, from string, at *column, key any) {
	b.add(" FROM ", from, " WHERE ", at.ref, " = ")
	l.d.stored(b, at, key)
	b.add(")")
}

// ownerValue writes what the owner's column holds of the record with a key.
func (l *link) ownerValue(b *builder, key any) {
	if l.own == nil {
		l.d.stored(b, l.owner, key)
		return
	}
	b.add("(SELECT ", l.own.held.ref)
	l.find(b, l.own.from, l.own.key, key)
}

// addition writes the INSERT of members whose keys are in an array, but for those
// that are there. Each is looked up: as NOT EXISTS, PostgreSQL would sooner read all
// members than one, and MariaDB as well.
func (l *link) addition(owner any, array string) *builder {
	b := newBuilder().add("INSERT INTO ", l.table, " (", l.owner.quoted, ", ", l.member.quoted, ") SELECT ")
	l.ownerValue(b, owner)
	if l.held != l.target {
		b.add(", ", l.held.ref, " FROM ")
		l.targets(b, array)
		b.add(" AND (SELECT 1 FROM ", l.table, " AS j WHERE ")
		l.ownedBy(b, owner)
		b.add(" AND ")
		l.meet(b)
		return b.add(" LIMIT 1) IS NULL")
	}
	from, _, value := l.d.list(l.member)
	b.add(", ", l.d.put(value), " FROM ", from, " WHERE (SELECT 1 FROM ", l.table, " AS j WHERE ")
	b.args = append(b.args, array)
	l.ownedBy(b, owner)
	b.add(" AND ", l.d.exactly(l.member), " = ", value, " LIMIT 1) IS NULL")
	if d, ok := l.d.(sharing); ok && l.paired && plainKey(l.owner) && plainKey(l.member) {
		b.add(d.unless(l.owner.quoted, l.member.quoted)) // others may come between
	}
	return b
}

// A carriage takes the rows of a join table along when the column that they hold
// changes.
type carriage struct {
	l    *link
	end  *column
	held *column // of the record, t
	from any
}

// carriages are those that an update needs.
func (u *update) carriages(ctx context.Context, s session) ([]*carriage, error) {
	var out []*carriage
	add := func(l *link, end *column) error {
		if held := l.holds(end); held != nil && u.to.find(held) >= 0 {
			out = append(out, &carriage{l: l, end: end, held: held.under("t")})
		}
		return nil
	}
	for _, l := range u.p.links {
		if l != nil {
			_ = add(l, l.owner)
		}
	}
	if len(u.to.columns) == 0 {
		return nil, nil
	}
	return out, u.a.referred(ctx, s, func(l *link) error { return add(l, l.member) })
}

// value reads what the record with a key holds.
func (c *carriage) value(ctx context.Context, s session, p *plan, key []any) (any, error) {
	b := newBuilder().add("SELECT ", p.dialect.selected(c.held), " FROM ", p.from, " WHERE ")
	p.keyIs(b, keyOf(key))
	found, err := values(s.query(ctx, string(b.text), b.args...))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return p.dialect.read(c.held, found[0]), nil
}

// change makes a change, and takes along the rows that hold what it changes.
func (u *update) carrying(ctx context.Context, s session, from []any, all []*carriage, change func() ([]any, error)) ([]any, error) {
	var err error
	for _, c := range all {
		if c.from, err = c.value(ctx, s, u.p, from); err != nil {
			return nil, err
		}
	}
	at, err := change()
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(all) {
		to, err := c.value(ctx, s, u.p, at)
		if err != nil {
			return nil, err
		}
		switch {
		case adapters.NoValue(c.from) || adapters.Same(c.from, to):
		case adapters.NoValue(to):
			err = c.l.drop(ctx, s, c.end, c.from)
		default:
			err = c.l.carry(ctx, s, c.end, c.from, to)
		}
		if err != nil {
			return nil, err
		}
	}
	return at, nil
}

// drop removes all rows with a value at one end.
func (l *link) drop(ctx context.Context, s session, end *column, value any) error {
	b := newBuilder().add(l.d.deletion(l.table, "j"), " WHERE ", end.ref, " = ")
	l.d.stored(b, end, value)
	_, err := s.exec(ctx, string(b.text), b.args...)
	return err
}
