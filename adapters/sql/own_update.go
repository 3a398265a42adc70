package sql

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// An ownChange is a delta, sorted by what makes it.
type ownChange struct {
	fields  []adapters.Change       // by the statements of update
	derived adapters.Delta          // by statements that are derived
	members []adapters.MemberChange // by statements of their own
	lists   []adapters.Change       // the same, as whole lists
}

// first is a field that derived statements would change.
func (c *ownChange) first() string {
	if len(c.derived.Set) > 0 {
		return c.derived.Set[0].Field
	}
	return c.derived.Members[0].Field
}

// ownUpdate changes a record by the statements of the configuration, and by those that
// are derived where it says none.
func (a *Adapter) ownUpdate(ctx context.Context, p *plan, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	c, fields := a.sorted(p, d)
	if a.table.Own.NoUpdate && !c.derived.Empty() {
		return adapters.Record{}, &adapters.Error{Kind: adapters.Unsupported, Op: "update", Field: c.first(), Err: errors.New("the configuration has no statements for a change")}
	}
	u, err := a.updateOf(p, key, c.derived)
	if err != nil {
		return adapters.Record{}, err
	}
	if err := a.fit(p, c.fields); err != nil {
		return adapters.Record{}, err
	}
	var out adapters.Record
	err = a.change(ctx, "update", p, fields, func(ctx context.Context, s session) error {
		at, err := p.locate(ctx, s, key)
		if err != nil {
			return err
		}
		to, err := a.ownFields(ctx, s, p, at, d, c.fields)
		if err != nil {
			return err
		}
		if to != keyOf(at) {
			if at, err = p.locate(ctx, s, to); err != nil {
				return moved(err)
			}
		}
		if u.key = to; !c.derived.Empty() {
			if at, err = u.run(ctx, s); err == nil {
				err = a.kept(ctx, s, p, "update", at)
			}
			if err != nil {
				return err
			}
		}
		if err := a.ownRelations(ctx, s, p, at, c); err != nil {
			return err
		}
		out, err = a.shows(ctx, s, p, keyOf(at), want)
		return err
	})
	return out, err
}

// moved is what it means that a record is not there after its change.
func moved(err error) error {
	if adapters.Is(err, adapters.NotFound) {
		return outside()
	}
	return err
}

// sorted says what makes each change, and which fields change.
func (a *Adapter) sorted(p *plan, d adapters.Delta) (ownChange, []string) {
	own, c := a.table.Own, ownChange{derived: adapters.Delta{Before: d.Before, After: d.After}}
	var fields []string
	for _, ch := range d.Set {
		fields = append(fields, ch.Field)
		i := a.caps.Shape.Index(ch.Field)
		list := i >= 0 && p.columns[i] == nil
		switch {
		case own.Members[ch.Field] != nil && list:
			c.lists = append(c.lists, ch)
		case own.Update != nil && i >= 0 && (!list || says(own.Update, ch.Field)):
			c.fields = append(c.fields, ch)
		default:
			c.derived.Set = append(c.derived.Set, ch)
		}
	}
	for _, m := range d.Members {
		fields = append(fields, m.Field)
		if own.Members[m.Field] != nil {
			c.members = append(c.members, m)
		} else {
			c.derived.Members = append(c.derived.Members, m)
		}
	}
	return c, fields
}

// fit refuses values that cannot be what their fields hold.
func (a *Adapter) fit(p *plan, all []adapters.Change) error {
	for _, c := range all {
		i := a.caps.Shape.Index(c.Field)
		if err := p.fitting(i, c.New); err != nil {
			return invalid("update", c.Field, err)
		}
	}
	return nil
}

// ownFields makes the changes that the statements of update make, if the record still
// holds what it held, and answers the key that it then has.
func (a *Adapter) ownFields(ctx context.Context, s session, p *plan, at []any, d adapters.Delta, all []adapters.Change) (adapters.Key, error) {
	if len(all) == 0 && len(d.Held) == 0 {
		return keyOf(at), nil
	}
	own := a.table.Own
	names := slices.Clone(d.Held)
	for _, c := range all {
		names = append(names, c.Field)
	}
	now, err := a.find(ctx, s, p, keyOf(at), a.ownWants(own.Update).Union(a.caps.Shape.FieldSet(names...)))
	if err != nil {
		return "", err
	}
	if err := holdsStill(now, d, all); err != nil || len(all) == 0 {
		return keyOf(at), err
	}
	after, changes, changed := now.Clone(), map[string]any{}, map[string]bool{}
	for _, c := range all {
		after.Set(c.Field, c.New)
		short := strings.TrimPrefix(c.Field, listPrefix)
		putAt(changes, strings.Split(short, "."), dataOf(c.New))
		changed[short] = true
	}
	w := &work{a: a, p: p, s: s, record: after, key: at, fields: names[len(d.Held):]}
	out, err := w.do(ctx, "update", own.Update, map[string]any{"old": objectOf(now), "changes": changes,
		"changed": func(name string) bool { return changed[name] }})
	if err != nil {
		return "", w.gone(ctx, err)
	}
	return a.ownRenamed(p, out, at, all), nil
}

// holdsStill compares what was read with what the change began from.
func holdsStill(now adapters.Record, d adapters.Delta, all []adapters.Change) error {
	conflict := func(field string) error {
		return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: field, Err: errChanged}
	}
	for _, c := range all {
		if !adapters.Same(now.Get(c.Field), c.Old) {
			return conflict(c.Field)
		}
	}
	for _, name := range d.Held {
		if !adapters.Same(now.Get(name), d.Before.Get(name)) {
			return conflict(name)
		}
	}
	return nil
}

// ownRenamed is the key after a change: what a statement says, or what a column of the
// key was given.
func (a *Adapter) ownRenamed(p *plan, out steps.Outcome, at []any, all []adapters.Change) adapters.Key {
	if out.Key != "" {
		return out.Key
	}
	key := slices.Clone(at)
	for _, c := range all {
		for i, k := range p.key {
			if strings.EqualFold(k.name, c.Field) {
				key[i] = c.New
			}
		}
	}
	return keyOf(key)
}

// ownRelations makes the changes of members that have statements of their own.
func (a *Adapter) ownRelations(ctx context.Context, s session, p *plan, at []any, c ownChange) error {
	for _, l := range c.lists {
		i := a.caps.Shape.Index(l.Field)
		now, err := p.links[i].members(ctx, s, at[:1])
		if err != nil {
			return err
		}
		old, _ := l.Old.([]string)
		wanted, _ := l.New.([]string)
		have, want := setOf(now[0]), setOf(wanted)
		if !adapters.Same(now[0], old) && len(have)+len(old) > 0 {
			return p.links[i].fault("update", adapters.Conflict, "the members are not what they were when they were read")
		}
		if err := a.ownMembers(ctx, s, p, i, "update", at, without(want, have), without(have, want)); err != nil {
			return err
		}
	}
	for _, m := range c.members {
		if err := a.ownMembers(ctx, s, p, a.caps.Shape.Index(m.Field), "update", at, m.Add, m.Remove); err != nil {
			return err
		}
	}
	return nil
}

// ownMembers adds and removes members, by the statements of the configuration if it
// says any. Who is there is not added, who is not is not removed: a procedure need not
// put up with that.
func (a *Adapter) ownMembers(ctx context.Context, s session, p *plan, i int, op string, at []any, add, remove []string) error {
	l, calls := p.links[i], a.table.Own.Members[a.caps.Shape.Names()[i]]
	if calls == nil {
		if err := l.remove(ctx, s, at[0], remove); err != nil {
			return err
		}
		return l.add(ctx, s, op, at[0], add)
	}
	adding, err := l.absent(ctx, s, op, at[0], add)
	if err != nil {
		return err
	}
	removing, err := l.present(ctx, s, at[0], remove, add)
	if err != nil {
		return err
	}
	w := &work{a: a, p: p, s: s, key: at, fields: []string{l.field}}
	if calls.Change != nil && len(adding)+len(removing) > 0 {
		_, err := w.do(ctx, "members", calls.Change, map[string]any{"add": shownValues(adding), "remove": shownValues(removing)})
		return blameMembers(err, l.field)
	}
	for _, part := range []struct {
		calls steps.Operation
		items []any
	}{{calls.Remove, removing}, {calls.Add, adding}} {
		for _, item := range part.items {
			if part.calls == nil {
				return &adapters.Error{Kind: adapters.Unsupported, Op: op, Field: l.field}
			}
			w.item = item
			if _, err := w.do(ctx, "members", part.calls, map[string]any{"item": shownValue(item)}); err != nil {
				return blameMembers(err, l.field)
			}
		}
	}
	return nil
}

func shownValues(list []any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = shownValue(v)
	}
	return out
}

// blameMembers names the field of members in an error that names none. That a member
// was there is no conflict of values, as nobody said that it is not.
func blameMembers(err error, field string) error {
	e, known := err.(*adapters.Error)
	if !known {
		return err
	}
	if e.Field == "" {
		e.Field = field
	}
	switch e.Kind {
	case adapters.Exists:
		e.Kind = adapters.Conflict
	case adapters.NotFound: // the member: the record was there a moment ago
		e.Kind = adapters.Invalid
	}
	return e
}

// absent are those of some members, as they are stored, that an owner does not have;
// it fails unless they all can be.
func (l *link) absent(ctx context.Context, s session, op string, owner any, members []string) ([]any, error) {
	list, bad := l.elements(members)
	if bad {
		return nil, l.fault(op, adapters.Invalid, "no member can have this key")
	}
	if len(list) == 0 {
		return nil, nil
	}
	array, err := jsonArray(list)
	if err == nil {
		err = l.known(ctx, s.few(len(list)), op, array, len(list))
	}
	if err != nil {
		return nil, err
	}
	has, err := l.has(ctx, s, owner, list)
	return slices.DeleteFunc(list, func(v any) bool { return has[adapters.Text(v)] }), err
}

// present are those of some members that an owner has, but for others.
func (l *link) present(ctx context.Context, s session, owner any, members, but []string) ([]any, error) {
	stays := setOf(but)
	list, _ := l.elements(members)
	list = slices.DeleteFunc(list, func(v any) bool { return stays[adapters.Text(v)] })
	if len(list) == 0 {
		return nil, nil
	}
	has, err := l.has(ctx, s, owner, list)
	return slices.DeleteFunc(list, func(v any) bool { return !has[adapters.Text(v)] }), err
}

// has tells which of some members an owner has. It reads no other.
func (l *link) has(ctx context.Context, s session, owner any, list []any) (map[string]bool, error) {
	array, err := jsonArray(list)
	if err != nil {
		return nil, err
	}
	from, _, value := l.d.list(l.shown)
	b := newBuilder().add("SELECT ", l.d.selected(l.shown))
	b.args = append(b.args, array)
	l.from(b, from+" CROSS JOIN ")
	b.add(" AND ", l.d.exactly(l.shown), " = ", value, " AND ")
	l.ownedBy(b, owner)
	found, err := values(s.few(len(list)).query(ctx, string(b.text), b.args...))
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(found))
	for _, v := range found {
		out[adapters.Text(l.d.read(l.shown, v))] = true
	}
	return out, nil
}
