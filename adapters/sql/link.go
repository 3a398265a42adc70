package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A link is a relation together with what the database says about its tables.
// In statements the join table is j, and the table of its members m.
type link struct {
	db     *Database
	d      dialect
	field  string
	table  string // quoted
	owner  *column
	member *column
	target *column // the key of m; nil without Refers
	shown  *column // the key of a member that counts
	others string  // m in statements
	held   *column // of m, what member holds: the target, or another column
	own    *ownEnd // nil: owner holds the key of the record
	within *builder
	inline *builder // all members of a row t, as one text; nil: they are read by themselves

	triggered bool // there are triggers on the join table
	paired    bool // the join table cannot say the same twice
}

func (db *Database) link(ctx context.Context, s session, r *Relation) (*link, error) {
	t, err := db.schema(ctx, s, r.Table)
	if err != nil {
		return nil, err
	}
	l := &link{db: db, d: db.dialect, field: r.Field, table: db.dialect.relation(r.Table), within: newBuilder(), triggered: t.triggered}
	owner, member := t.column(r.Owner), t.column(r.Member)
	if owner == nil || member == nil {
		return nil, fmt.Errorf("%w: %s.%s, %s.%s", errStale, r.Table, r.Owner, r.Table, r.Member)
	}
	l.owner, l.member = owner.under("j"), member.under("j")
	l.paired = slices.Contains(t.pairs, pairOf(owner.name, member.name))
	l.shown = l.member
	if l.own, err = db.ownEnd(ctx, s, r); err != nil {
		return nil, err
	}
	if to := r.Refers; to != nil && to.Distinct && strings.EqualFold(to.Table, r.Table) && strings.EqualFold(to.Key, r.Member) {
		return l, withinScope(l.within, l.d, t, l.member, to.Where) // the row itself is what makes the member be there
	}
	if r.Refers != nil {
		if err := l.refer(ctx, s, r.Refers); err != nil {
			return nil, err
		}
		return l, l.hold(ctx, s, r)
	}
	l.d.present(l.within, l.shown)
	return l, nil
}

// refer lets only the records of a target count.
func (l *link) refer(ctx context.Context, s session, to *Target) error {
	t, err := l.db.schema(ctx, s, to.Table)
	if err != nil {
		return err
	}
	key := t.column(to.Key)
	if key == nil {
		return fmt.Errorf("%w: %s.%s", errStale, to.Table, to.Key)
	}
	l.target = key.under("m")
	l.shown, l.held, l.others = l.target, l.target, key.table+" AS m"
	if to.Distinct {
		l.others = distinctFrom(key) + " AS m"
	}
	return withinScope(l.within, l.d, t, l.target, to.Where)
}

// from writes the join table with its members, and the condition that they count.
// CROSS JOIN keeps the order of the tables: first whose members, then who.
func (l *link) from(b *builder, before string) {
	b.add(" FROM ", before, l.table, " AS j")
	if l.target != nil {
		b.add(" CROSS JOIN ", l.others)
	}
	b.add(" WHERE ")
	if l.target != nil {
		l.meet(b)
		b.add(" AND ")
	}
	b.include(l.within)
}

// meet writes the condition that a row of the join table is about a member.
func (l *link) meet(b *builder) {
	x, y := l.d.pair(l.held, l.member)
	b.add(x, " = ", y)
}

// compare writes a condition on the members of the row whose key is a column.
// Of several values one that fits is enough; no value is as package filter has it.
func (l *link) compare(b *builder, key *column, c *filter.Compare) error {
	key = l.ours(key)
	switch {
	case c.Op == filter.Pr, c.Value.Kind == filter.Null && c.Op == filter.Ne:
		l.any(b, key, nil)
	case c.Value.Kind == filter.Null && c.Op == filter.Eq:
		b.add("NOT ")
		l.any(b, key, nil)
	case c.Value.Kind == filter.Null:
		b.add(l.d.truth(false))
	case c.Op == filter.Eq && l.member.indexed:
		l.with(b, key, c)
	case c.Op == filter.Eq:
		l.any(b, key, c)
	case c.Op == filter.Ne:
		b.add("(NOT ")
		l.any(b, key, nil)
		b.add(" OR ")
		l.any(b, key, c)
		b.add(")")
	default:
		return fmt.Errorf("members cannot be compared by %v", c.Op)
	}
	return nil
}

// with writes the condition that a row is among the owners of a member: the
// member is looked up once, not for each row.
func (l *link) with(b *builder, key *column, c *filter.Compare) {
	x, y := l.d.pair(key, l.owner)
	b.add(x, " IN (SELECT ", y, " FROM ")
	if l.target != nil {
		b.add(l.others, " CROSS JOIN ")
	}
	b.add(l.table, " AS j WHERE ")
	l.d.compare(b, l.shown, c)
	if l.target != nil {
		b.add(" AND ")
		l.meet(b)
	}
	b.add(" AND ").include(l.within).add(")")
}

// any writes the condition that a row has a member, of which c is true if
// there is a c.
func (l *link) any(b *builder, key *column, c *filter.Compare) {
	b.add("EXISTS (SELECT 1")
	l.from(b, "")
	x, y := l.d.pair(l.owner, key)
	b.add(" AND ", x, " = ", y)
	if c != nil {
		b.add(" AND ")
		l.d.compare(b, l.shown, c)
	}
	b.add(")")
}

// members reads the members of each of some owners, ordered. One statement does
// for all whose key a JSON array can carry.
func (l *link) members(ctx context.Context, s session, owners []any) ([][]string, error) {
	out := make([][]string, len(owners))
	array, err := keyArray(owners)
	if len(owners) == 1 || err != nil {
		for i, owner := range owners {
			b := newBuilder().add("SELECT 0, ", l.d.selected(l.shown))
			l.from(b, "")
			b.add(" AND ")
			l.ownedBy(b, owner)
			b.add(" ORDER BY ", l.d.exactly(l.shown))
			if err := l.read(ctx, s, b, out[i:i+1]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	key, more := l.owner, ""
	if l.own != nil {
		key, more = l.own.key, l.own.from+" CROSS JOIN "
	}
	list, ord, value := l.d.list(key)
	b := newBuilder().add("SELECT ", ord, ", ", l.d.selected(l.shown))
	b.args = append(b.args, array)
	l.from(b, list+" CROSS JOIN "+more)
	if l.own != nil {
		x, y := l.d.pair(l.owner, l.own.held)
		b.add(" AND ", x, " = ", y)
	}
	b.add(" AND ", key.ref, " = ", value, " ORDER BY ", ord, ", ", l.d.exactly(l.shown))
	return out, l.read(ctx, s, b, out)
}

var errNoArray = errors.New("no JSON array of these keys")

// keyArray is a JSON array of keys as they are stored.
func keyArray(keys []any) (string, error) {
	for _, k := range keys {
		switch k := k.(type) {
		case int64:
		case string:
			if odd(k) {
				return "", errNoArray
			}
		default:
			return "", errNoArray
		}
	}
	return jsonArray(keys)
}

// read reads rows of an owner's position and a member. A join table may say the
// same twice.
func (l *link) read(ctx context.Context, s session, b *builder, into [][]string) error {
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var position, v any // scanning into an int is slow
	for rows.Next() {
		if err := rows.Scan(&position, &v); err != nil {
			return err
		}
		at, _ := position.(int64)
		list, text := into[at], adapters.Text(l.d.read(l.shown, v))
		if n := len(list); n == 0 || list[n-1] != text {
			into[at] = append(list, text)
		}
	}
	return rows.Err()
}
