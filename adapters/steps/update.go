package steps

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
)

// Update implements adapters.Adapter. The record is read, compared with what the
// delta says it held, and changed under a lock: few backends compare by
// themselves.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	const op = "update"
	if err := alive(ctx, op); err != nil {
		return adapters.Record{}, err
	}
	if err := a.checkDelta(d); err != nil {
		return adapters.Record{}, err
	}
	unlock, err := a.locks.lock(ctx, op, key)
	if err != nil {
		return adapters.Record{}, err
	}
	defer unlock()
	if d.Empty() {
		return a.get(ctx, op, key, want)
	}
	now, err := a.get(ctx, op, key, a.wantedFor(d))
	if err != nil {
		return now, err
	}
	for _, c := range d.Set {
		if !adapters.Same(now.Get(c.Field), c.Old) {
			return now, fieldError(adapters.Conflict, op, c.Field, "the value is not what it was when it was read")
		}
	}
	for _, name := range d.Held {
		if !adapters.Same(now.Get(name), d.Before.Get(name)) {
			return now, fieldError(adapters.Conflict, op, name, "the value is not what it was when it was read")
		}
	}
	return a.change(ctx, op, key, now, d, want)
}

// change makes the calls of an update. now is the record as it is.
func (a *Adapter) change(ctx context.Context, op string, key adapters.Key, now adapters.Record, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	after := now.Clone()
	for _, c := range d.Set {
		after.Set(c.Field, c.New)
	}
	changed, err := a.changes(op, d.Set)
	if err != nil {
		return adapters.Record{}, err
	}
	is, err := a.object(op, after)
	if err != nil {
		return adapters.Record{}, err
	}
	was, err := a.object(op, now)
	if err != nil {
		return adapters.Record{}, err
	}
	r := newRun(op, a.scope(adapters.AllFields).with(map[string]any{
		"key": a.said(key), "record": is, "old": was, "changes": changed,
		"changed": func(name string) bool {
			return slices.ContainsFunc(d.Set, func(c adapters.Change) bool { return c.Field == name })
		},
	}))
	var y yield
	if len(changed) > 0 {
		if y, err = r.all(ctx, a.o.Update); err != nil {
			return adapters.Record{}, err
		}
	}
	key = a.renamed(key, was, is, y)
	joined, err := a.members(ctx, op, key, a.memberChanges(d))
	if err != nil {
		r.revert(ctx)
		return adapters.Record{}, err
	}
	return a.answer(ctx, r, y, key, want, joined || len(changed) == 0)
}

// renamed is the key after a change.
func (a *Adapter) renamed(key adapters.Key, was, is map[string]any, y yield) adapters.Key {
	if y.key != nil {
		return joined(y.key)
	}
	if k := a.keyOf(y.record); k != "" {
		return k
	}
	if k := a.keyOf(is); k != "" && k != a.keyOf(was) {
		return k
	}
	return key
}

// wantedFor are the fields that an update compares, or that its calls name.
func (a *Adapter) wantedFor(d adapters.Delta) adapters.Fields {
	names := slices.Clone(d.Held)
	for _, c := range d.Set {
		names = append(names, c.Field)
	}
	return a.caps.Shape.FieldSet(names...).Union(a.wantedBy(a.o.Update))
}

func (a *Adapter) checkDelta(d adapters.Delta) error {
	for _, c := range d.Set {
		i := a.caps.Shape.Index(c.Field)
		if i < 0 {
			return fieldError(adapters.Unsupported, "update", c.Field, "no such field")
		}
		if a.caps.NoUpdate && !a.fields[i].apart {
			return fieldError(adapters.Unsupported, "update", c.Field, "the configuration has no calls for a change")
		}
		if err := a.checkText("update", c.Field, c.New); err != nil {
			return err
		}
		if _, list := c.New.([]string); !adapters.NoValue(c.New) && list != a.fields[i].multi {
			return fieldError(adapters.Invalid, "update", c.Field, "a list, or no list where one is needed")
		}
	}
	for _, m := range d.Members {
		if f, ok := a.caps.Field(m.Field); !ok || !f.Delta {
			return fieldError(adapters.Unsupported, "update", m.Field, "no member changes")
		}
		if err := a.checkText("update", m.Field, slices.Concat(m.Add, m.Remove)); err != nil {
			return err
		}
	}
	return nil
}

// memberChanges are the changes of all fields whose members have calls of their
// own, whether they come as changes or as whole lists.
func (a *Adapter) memberChanges(d adapters.Delta) []adapters.MemberChange {
	out := slices.Clone(d.Members)
	for _, c := range d.Set {
		if !a.fields[a.caps.Shape.Index(c.Field)].apart {
			continue
		}
		was, _ := c.Old.([]string)
		is, _ := c.New.([]string)
		m := adapters.MemberChange{Field: c.Field}
		m.Add = without(is, was)
		m.Remove = without(was, is)
		out = append(out, m)
	}
	return out
}

// without lists what is in all and not in some, each once.
func without(all, some []string) []string {
	var out []string
	for _, s := range all {
		if s != "" && !slices.Contains(some, s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// join gives a new record the members that its calls of their own add.
func (a *Adapter) join(ctx context.Context, op string, key adapters.Key, in adapters.Record) (bool, error) {
	var all []adapters.MemberChange
	for i, f := range a.fields {
		list, _ := in.Get(a.caps.Shape.Names()[i]).([]string)
		if f.apart && len(list) > 0 {
			all = append(all, adapters.MemberChange{Field: f.name, Add: list})
		}
	}
	return a.members(ctx, op, key, all)
}

// members adds and removes. It reports whether there was anything to do.
func (a *Adapter) members(ctx context.Context, op string, key adapters.Key, all []adapters.MemberChange) (bool, error) {
	did := false
	for _, m := range all {
		add, remove := without(m.Add, nil), without(m.Remove, m.Add)
		if len(add)+len(remove) == 0 {
			continue
		}
		did = true
		calls := a.o.Members[m.Field]
		if calls.Change != nil {
			more := map[string]any{"add": listOf(add), "remove": listOf(remove)}
			if err := a.member(ctx, op, key, calls.Change, m.Field, add, remove, more); err != nil {
				return did, err
			}
			continue
		}
		if err := a.oneByOne(ctx, op, key, m.Field, add, remove); err != nil {
			return did, err
		}
	}
	return did, nil
}

// oneByOne adds and removes members by a call each. If one is refused, those before it
// are taken back: a change is made as a whole or not at all. What was so before is not
// touched, and is asked for that; a single call needs no asking.
func (a *Adapter) oneByOne(ctx context.Context, op string, key adapters.Key, name string, add, remove []string) error {
	var before []string
	if len(add)+len(remove) > 1 {
		rec, err := a.get(ctx, op, key, a.caps.Shape.FieldSet(name))
		if err != nil {
			return err
		}
		before, _ = rec.Get(name).([]string)
	}
	calls := a.o.Members[name]
	var added, removed []string
	for i, v := range slices.Concat(remove, add) {
		var err error
		there := slices.Contains(before, v)
		if i < len(remove) {
			if err = a.single(ctx, op, key, name, calls.Remove, nil, []string{v}); err == nil && there {
				removed = append(removed, v)
			}
		} else if err = a.single(ctx, op, key, name, calls.Add, []string{v}, nil); err == nil && !there {
			added = append(added, v)
		}
		if err != nil {
			a.takeBack(ctx, op, key, name, err, added, removed)
			return err
		}
	}
	return nil
}

// takeBack undoes what was added and removed before a call was refused. Without an
// answer nobody knows what was done, and whoever carries the change on needs no less
// of it; what fails here cannot be helped.
func (a *Adapter) takeBack(ctx context.Context, op string, key adapters.Key, name string, why error, added, removed []string) {
	calls, e := a.o.Members[name], (*adapters.Error)(nil)
	if !errors.As(why, &e) || e.Unsure || e.Kind == adapters.Unavailable {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	for _, v := range slices.Backward(added) {
		_ = a.single(ctx, op, key, name, calls.Remove, nil, []string{v})
	}
	for _, v := range slices.Backward(removed) {
		_ = a.single(ctx, op, key, name, calls.Add, []string{v}, nil)
	}
}

// single adds or removes one member. It may be the member that is changed: then
// nobody else is to change it meanwhile.
func (a *Adapter) single(ctx context.Context, op string, key adapters.Key, name string, calls Operation, add, remove []string) error {
	item := slices.Concat(add, remove)[0]
	if of := a.o.Members[name].Of; of != nil && of != a.locks {
		unlock, err := of.lock(ctx, op, adapters.Key(item))
		if err != nil {
			return err
		}
		defer unlock()
	}
	return a.member(ctx, op, key, calls, name, add, remove, map[string]any{"item": item})
}

// member makes the calls of one member change. Backends that refuse to add
// what is there, or to remove what is not, are asked what they hold: if it is
// what was wanted, there was no failure.
func (a *Adapter) member(ctx context.Context, op string, key adapters.Key, calls Operation, name string, add, remove []string, more map[string]any) error {
	if calls == nil {
		return fieldError(adapters.Unsupported, op, name, "the configuration has no call for it")
	}
	r := newRun(op, a.scope(adapters.Fields{}).with(map[string]any{"key": a.said(key)}).with(more))
	_, err := r.all(ctx, calls)
	var e *adapters.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case adapters.Invalid, adapters.Exists, adapters.Conflict, adapters.NotFound:
		rec, failed := a.get(ctx, op, key, a.caps.Shape.FieldSet(name))
		list, _ := rec.Get(name).([]string)
		if failed == nil && len(without(add, list)) == 0 && !slices.ContainsFunc(remove, func(v string) bool { return slices.Contains(list, v) }) {
			return nil
		}
		if e.Kind == adapters.NotFound { // the member; the record was there a moment ago
			e.Kind = adapters.Invalid
		}
	}
	if e.Field == "" {
		e.Field = name
	}
	return e
}
