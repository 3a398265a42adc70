package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Delta works out what must change in the backend for a resource to become
// another: fields whose rules give something else than before. Fields that no
// change touches stay as they are, even where a mapping loses detail.
func (m *Mapping) Delta(rec adapters.Record, before, after *scim.Resource, keys Keys, ids IDs) (adapters.Delta, error) {
	return m.DeltaOf(rec, nil, before, after, keys, ids)
}

// DeltaOf is Delta for a record for which something is kept.
func (m *Mapping) DeltaOf(rec adapters.Record, kept Kept, before, after *scim.Resource, keys Keys, ids IDs) (adapters.Delta, error) {
	d := adapters.Delta{Before: rec, After: rec.Clone()}
	if err := m.Accepts(after); err != nil {
		return d, err
	}
	var old, now assignment
	done := make([]bool, m.shape.Len())
	for _, r := range m.rules {
		if !r.writable || r.field == "" || done[r.index] || !r.affected(before, after) {
			continue
		}
		if r.relation {
			if err := m.relate(&d, r, after, keys, ids); err != nil {
				return d, err
			}
			done[r.index] = r.Joined()
			continue
		}
		if r.columns != nil {
			if err := m.reshape(&d, r, rec, after); err != nil {
				return d, err
			}
			continue
		}
		if r.group != nil && old.elems == nil {
			old, now = m.assign(before), m.assign(after)
		}
		is, err := r.write(after, now, keys, kept)
		if err != nil {
			return d, err
		}
		// What cannot be written as it was has changed.
		was, err := r.write(before, old, keys, kept)
		if err == nil && equalValues(was, is) {
			continue
		}
		done[r.index] = true
		switch {
		case r.split != "":
			is = r.withUnknown(is, rec.At(r.index))
		case r.list:
			is = r.keepUnknown(is, rec.At(r.index))
		}
		d.After.SetAt(r.index, is)
		d.Set = append(d.Set, adapters.Change{Field: r.field, Old: rec.At(r.index), New: is})
	}
	return d, nil
}

// affected reports whether a change of the resource can change the field.
func (r *Rule) affected(before, after *scim.Resource) bool {
	if differs(top(r.attr), before, after) {
		return true
	}
	return r.out != nil && slices.ContainsFunc(r.out.attrs, func(a *scim.Attribute) bool { return differs(a, before, after) })
}

func differs(a *scim.Attribute, before, after *scim.Resource) bool {
	return !before.Get(a).Equal(after.Get(a))
}

// withUnknown keeps the parts of a list of which no value could be made.
func (r *Rule) withUnknown(is, raw any) any {
	parts := []string{}
	if s := text(is); s != "" {
		parts = append(parts, s)
	}
	for s := range r.parts(raw) {
		if _, err := r.decode(s); err != nil {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return strings.Join(parts, r.split)
}

// MemberType is the resource type that a multi-valued reference points to.
func (m *Mapping) MemberType(attr *scim.Attribute) (string, bool) {
	if r := m.relationRule(attr); r != nil {
		return r.refers.typ, true
	}
	return "", false
}

func (m *Mapping) relationRule(attr *scim.Attribute) *Rule {
	if r := m.byAttr[attr]; r != nil && r.relation && r.refers.holder == attr {
		return r
	}
	return nil
}

func equalValues(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		u, also := b.(time.Time)
		return also && t.Equal(u)
	}
	if list(a) != nil || list(b) != nil {
		return adapters.Same(a, b)
	}
	return (adapters.NoValue(a) && adapters.NoValue(b)) || a == b
}

func list(v any) []string { l, _ := v.([]string); return l }
