package file

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
)

// Update implements adapters.Adapter.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	if err := ctx.Err(); err != nil {
		return adapters.Record{}, as("update", unavailable(err))
	}
	if err := a.possible(d); err != nil {
		return adapters.Record{}, err
	}
	files := append(a.linkFiles(), a.main)
	if a.renames(d) {
		files = append(a.referring(), files...)
	}
	after := key
	err := a.b.alter(ctx, files, func(now holding) error {
		v, err := a.whole(now)
		if err != nil {
			return err
		}
		e := v.find(key)
		if e == nil {
			return notFound("update")
		}
		if err := a.unchanged(now, e, d); err != nil {
			return err
		}
		if after, err = a.change(now, v, e, d); err != nil {
			return err
		}
		if after != key {
			if err := a.follow(now, string(key), string(after)); err != nil {
				return err
			}
		}
		return a.relate(now, string(after), d)
	})
	if err != nil {
		return adapters.Record{}, as("update", err)
	}
	return a.answer(ctx, "update", after, want)
}

// possible refuses changes of fields that there are not.
func (a *Adapter) possible(d adapters.Delta) error {
	for _, c := range d.Set {
		if a.caps.Shape.Index(c.Field) < 0 {
			return fieldError(adapters.Unsupported, "update", c.Field, "no such field")
		}
	}
	for _, m := range d.Members {
		if f, ok := a.caps.Field(m.Field); !ok || !f.Delta {
			return fieldError(adapters.Unsupported, "update", m.Field, "no member changes")
		}
	}
	return nil
}

// renames reports whether a change may give the record another key.
func (a *Adapter) renames(d adapters.Delta) bool {
	return slices.ContainsFunc(d.Set, func(c adapters.Change) bool { return slices.Contains(a.t.Key, c.Field) })
}

// unchanged fails with Conflict if a field holds something else than when it was
// read.
func (a *Adapter) unchanged(now holding, e *entry, d adapters.Delta) error {
	check := func(field string, old any) error {
		held, err := a.held(now, e, field)
		if err != nil {
			return err
		}
		if !adapters.Same(held, old) {
			return fieldError(adapters.Conflict, "update", field, "the value is not what it was when it was read")
		}
		return nil
	}
	for _, c := range d.Set {
		if err := check(c.Field, c.Old); err != nil {
			return err
		}
	}
	for _, name := range d.Held {
		if a.caps.Shape.Index(name) < 0 {
			continue
		}
		if err := check(name, d.Before.Get(name)); err != nil {
			return err
		}
	}
	return nil
}

// held is what a field holds, wherever it stands.
func (a *Adapter) held(now holding, e *entry, field string) (any, error) {
	if l := a.link(field); l != nil {
		p := l.of(now.content(l.file))
		return p.members(string(e.rec.Key)), p.whole()
	}
	return e.rec.Get(field), nil
}

// link is the link that a field is, nil for others.
func (a *Adapter) link(field string) *link {
	for _, l := range a.links {
		if l.Field == field {
			return l
		}
	}
	return nil
}

// change gives the row of a record its new values, and tells its key.
func (a *Adapter) change(now holding, v *view, e *entry, d adapters.Delta) (adapters.Key, error) {
	var set []cell
	for _, c := range d.Set {
		if a.link(c.Field) != nil {
			continue
		}
		one, err := a.cell(a.caps.Shape.Index(c.Field), c.Field, c.New, "update")
		if err != nil {
			return "", err
		}
		if !adapters.Same(one.value, e.rec.Get(c.Field)) {
			set = append(set, one)
		}
	}
	for _, m := range d.Members {
		if a.link(m.Field) == nil {
			set = with(set, m, e)
		}
	}
	if len(set) == 0 {
		return e.rec.Key, nil
	}
	text, bad := v.c.form.write(v.c, e.row, set)
	if bad != nil {
		return "", fieldError(adapters.Invalid, "update", a.fieldOf(bad.column), "%s", bad.why)
	}
	r := &row{line: e.row.line, text: text, end: e.row.end}
	next, err := a.made(v.c, r, "update")
	if err != nil {
		return "", err
	}
	if next.rec.Key != e.rec.Key && v.find(next.rec.Key) != nil {
		return "", fieldError(adapters.Exists, "update", a.keyName(), "the key is taken")
	}
	if err := a.free(v, next, e, "update"); err != nil {
		return "", err
	}
	c, err := v.c.with(map[*row]*row{e.row: r}, nil)
	if err != nil {
		return "", err
	}
	a.becomes(v, c, e, next)
	now.set(a.main, c)
	return next.rec.Key, nil
}

// with adds a change of members in a cell to the cells that change.
func with(set []cell, m adapters.MemberChange, e *entry) []cell {
	at := slices.IndexFunc(set, func(c cell) bool { return c.column == m.Field })
	list, _ := e.rec.Get(m.Field).([]string)
	if at >= 0 {
		list, _ = set[at].value.([]string)
	}
	changed := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(m.Remove, s) })
	for _, s := range m.Add {
		if s != "" && !slices.Contains(changed, s) {
			changed = append(changed, s)
		}
	}
	switch {
	case at >= 0:
		set[at].value = changed
	case !slices.Equal(changed, list):
		set = append(set, cell{column: m.Field, value: changed})
	}
	return set
}

// relate carries a change over to the pairs.
func (a *Adapter) relate(now holding, key string, d adapters.Delta) error {
	for _, c := range d.Set {
		l := a.link(c.Field)
		if l == nil {
			continue
		}
		list, err := a.list(l.at, c.Field, c.New, "update")
		if err != nil {
			return err
		}
		gone := slices.DeleteFunc(l.look(now.content(l.file)).members(key), func(s string) bool { return slices.Contains(list, s) })
		if err := l.relate(now, "update", key, list, gone); err != nil {
			return err
		}
	}
	for _, m := range d.Members {
		if l := a.link(m.Field); l != nil {
			if err := l.relate(now, "update", key, m.Add, m.Remove); err != nil {
				return err
			}
		}
	}
	return nil
}

// referring are the files in which others name records of this type.
func (a *Adapter) referring() []*source {
	var out []*source
	a.b.references(a.t.Type, func(o *Adapter, field string) {
		if l := o.link(field); l != nil {
			out = append(out, l.file)
		} else {
			out = append(out, o.main)
		}
	})
	return out
}

// references tells of each field that names records of a type.
func (b *Backend) references(typ string, f func(a *Adapter, field string)) {
	b.mu.Lock()
	all := slices.Clone(b.all)
	b.mu.Unlock()
	for _, o := range all {
		for _, r := range o.t.Refers {
			if r.Type == typ {
				f(o, r.Field)
			}
		}
	}
}

// follow carries a new key of a record over to where it is named: in its own pairs,
// and in lists and fields of others. With "" it goes from lists, and other fields
// stay as they are.
func (a *Adapter) follow(now holding, from, to string) error {
	for _, l := range a.links {
		if err := l.rename(now, from, to); err != nil {
			return err
		}
	}
	var err error
	a.b.references(a.t.Type, func(o *Adapter, field string) {
		if err != nil {
			return
		}
		if l := o.link(field); l != nil {
			other := &link{Link: Link{Field: field, File: l.File, Owner: l.Member, Member: l.Owner}, file: l.file}
			err = other.rename(now, from, to)
			return
		}
		err = o.renamed(now, field, from, to)
	})
	return err
}

// renamed is follow for a field of the adapter's own rows.
func (a *Adapter) renamed(now holding, field, from, to string) error {
	v, err := a.whole(now)
	if err != nil {
		return err
	}
	instead := map[*row]*row{}
	for _, e := range v.sorted {
		value, ok := swapped(e.rec.Get(field), from, to)
		if !ok {
			continue
		}
		text, bad := v.c.form.write(v.c, e.row, []cell{{column: field, value: value}})
		if bad != nil {
			return fieldError(adapters.Invalid, "update", field, "%s", bad.why)
		}
		instead[e.row] = &row{line: e.row.line, text: text, end: e.row.end}
	}
	if len(instead) > 0 {
		return now.replace(a.main, v.c, instead, nil)
	}
	return nil
}

// swapped is a value with a key in place of another; false if it stays.
func swapped(v any, from, to string) (any, bool) {
	list, ok := v.([]string)
	if !ok {
		return to, to != "" && adapters.Text(v) == from
	}
	at := slices.Index(list, from)
	if at < 0 {
		return nil, false
	}
	list = slices.Clone(list)
	if to == "" {
		return slices.Delete(list, at, at+1), true
	}
	list[at] = to
	return list, true
}
