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

// add adds members to an owner, given as its key is stored. It reads none.
func (l *link) add(ctx context.Context, s session, op string, owner any, members []string) error {
	list, bad := l.elements(members)
	if bad {
		return l.fault(op, adapters.Invalid, "no member can have this key")
	}
	if len(list) == 0 {
		return nil
	}
	array, err := jsonArray(list)
	if err != nil {
		return err
	}
	if err := l.known(ctx, s.few(len(list)), op, array, len(list)); err != nil {
		return err
	}
	b := l.addition(owner, array)
	_, err = s.few(len(list)).exec(ctx, string(b.text), b.args...)
	return l.refused(op, err)
}

// refused says what it means that members were not added.
func (l *link) refused(op string, err error) error {
	if err == nil {
		return nil
	}
	switch f := l.d.classify(err); {
	case f.busy || f.stale:
		return err
	case f.foreign, f.kind == adapters.Invalid:
		return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: l.field, Err: err}
	case f.kind == adapters.Exists: // not the pair, which was not there
		return &adapters.Error{Kind: adapters.Conflict, Op: op, Field: l.field, Err: err}
	}
	return err
}

// known fails unless all of the n elements of an array are in the target.
func (l *link) known(ctx context.Context, s session, op, array string, n int) error {
	if l.target == nil {
		return nil
	}
	b := newBuilder().add("SELECT count(*) FROM ")
	l.targets(b, array)
	count, err := values(s.query(ctx, string(b.text), b.args...))
	if err != nil {
		return err
	}
	if found, _ := count[0].(int64); found < int64(n) {
		return l.fault(op, adapters.Invalid, "a member does not exist")
	}
	return nil
}

// targets writes the records of the target whose keys are in an array.
func (l *link) targets(b *builder, array string) {
	from, _, value := l.d.list(l.target)
	b.add(from, " CROSS JOIN ", l.others, " WHERE ", l.d.exactly(l.target), " = ", value, " AND ")
	b.args = append(b.args, array)
	b.include(l.within)
}

// remove takes members away from an owner. Who does not count is not there.
func (l *link) remove(ctx context.Context, s session, owner any, members []string) error {
	list, _ := l.elements(members)
	if len(list) == 0 {
		return nil
	}
	array, err := jsonArray(list)
	if err != nil {
		return err
	}
	b := newBuilder().add(l.d.deletion(l.table, "j"), " WHERE ")
	l.ownedBy(b, owner)
	b.add(" AND ")
	if l.target != nil {
		x, y := l.d.pair(l.member, l.held)
		if x == l.member.ref {
			x = l.d.exactly(l.member)
		}
		b.add(x, " IN (SELECT ", y, " FROM ")
		l.targets(b, array)
	} else {
		from, _, value := l.d.list(l.member)
		b.add(l.d.exactly(l.member), " IN (SELECT ", value, " FROM ", from)
		b.args = append(b.args, array)
	}
	b.add(")")
	_, err = s.few(len(list)).exec(ctx, string(b.text), b.args...)
	return err
}

// elements makes distinct elements of a list of keys, and reports whether there
// were some that no member can have.
func (l *link) elements(members []string) (list []any, bad bool) {
	key := l.member
	if l.target != nil {
		key = l.target
	}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if m == "" || seen[m] {
			continue
		}
		seen[m] = true
		if v, ok := l.d.element(key, m); ok {
			list = append(list, v)
		} else {
			bad = true
		}
	}
	slices.SortFunc(list, compareStored) // several who add the same wait for each other in this order
	return list, bad
}

// replace makes the members that count be those of a list, if they still are
// what they were when they were read.
func (l *link) replace(ctx context.Context, s session, op string, owner any, old, wanted []string) error {
	lists, err := l.members(ctx, s, []any{owner})
	if err != nil {
		return err
	}
	have, was, want := setOf(lists[0]), setOf(old), setOf(wanted)
	if len(have) != len(was) || len(without(have, was)) > 0 {
		return l.fault(op, adapters.Conflict, "the members are not what they were when they were read")
	}
	if err := l.remove(ctx, s, owner, without(have, want)); err != nil {
		return err
	}
	return l.add(ctx, s, op, owner, without(want, have))
}

// renamed carries an owner's rows over to its new key.
func (l *link) renamed(ctx context.Context, s session, c *column, from, to any) error {
	if l.holds(c) != nil {
		return nil
	}
	return l.carry(ctx, s, c, from, to)
}

// carry gives the rows with a value at one end another one.
func (l *link) carry(ctx context.Context, s session, c *column, from, to any) error {
	b := newBuilder().add("UPDATE ", l.table, " AS j SET ", c.quoted, " = ")
	l.d.stored(b, c, to)
	b.add(" WHERE ", c.ref, " = ")
	l.d.stored(b, c, from)
	_, err := s.exec(ctx, string(b.text), b.args...)
	return err
}

// forget removes all rows with a key at one end.
func (l *link) forget(ctx context.Context, s session, c *column, key any) error {
	b := newBuilder().add(l.d.deletion(l.table, "j"), " WHERE ")
	if c == l.owner {
		l.ownedBy(b, key)
	} else {
		l.about(b, key)
	}
	_, err := s.exec(ctx, string(b.text), b.args...)
	return err
}

func (l *link) fault(op string, k adapters.Kind, text string) error {
	return &adapters.Error{Kind: k, Op: op, Field: l.field, Err: errors.New(text)}
}

func setOf(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		if s != "" {
			out[s] = true
		}
	}
	return out
}

// without lists what is in a and not in b.
func without(a, b map[string]bool) []string {
	var out []string
	for s := range a {
		if !b[s] {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}
