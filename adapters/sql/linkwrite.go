package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
)

// This file changes the rows of join tables; link.go reads them.

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
