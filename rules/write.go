package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Keys gives the backend's key of a resource of that type; false if the client
// knows no such resource.
type Keys func(typ, id string) (string, bool)

// An ID names a resource that another one refers to.
type ID struct{ Type, ID string }

// ReferencedIDs lists the ids that must be translated before the resource can
// be written.
func (m *Mapping) ReferencedIDs(res *scim.Resource) []ID {
	var ids []ID
	for _, r := range m.rules {
		if r.refers != nil && r.writable {
			for _, id := range r.refers.ids(res) {
				ids = append(ids, ID{Type: r.refers.typ, ID: id})
			}
		}
	}
	return ids
}

// ids reads the ids that a reference holds.
func (ref *reference) ids(res *scim.Resource) []string {
	v := res.Get(ref.holder)
	var ids []string
	for _, e := range append(v.Elems(), v) {
		if e.Kind() == scim.KindComplex && ref.value != nil {
			e = e.Get(ref.value)
		}
		if e.Kind() == scim.KindString && e.String() != "" {
			ids = append(ids, ref.trim(e.String()))
		}
	}
	return ids
}

// NewRecord makes the record that a create stores: every mapped attribute,
// defaults for those the client said nothing about (an explicit null is
// something: C-04), and the constants.
func (m *Mapping) NewRecord(res *scim.Resource, null func(*scim.Attribute) bool, keys Keys) (adapters.Record, error) {
	rec := adapters.NewRecord(m.shape, "")
	res = m.withDefaults(res, null)
	if err := m.Accepts(res); err != nil {
		return rec, err
	}
	elems := m.elements(res)
	for _, r := range m.rules {
		if !r.writable {
			continue
		}
		v, err := r.write(res, elems, keys)
		if err != nil {
			return rec, err
		}
		if adapters.NoValue(rec.At(r.index)) {
			rec.SetAt(r.index, v)
		}
	}
	for _, c := range m.constants {
		rec.Set(c.Field.Value, c.Value.Value)
	}
	return rec, nil
}

// withDefaults returns the resource with the defaults of the configuration.
func (m *Mapping) withDefaults(res *scim.Resource, null func(*scim.Attribute) bool) *scim.Resource {
	out := res
	for _, r := range m.rules {
		if r.hasDef && r.group == nil && !res.Get(r.attr).Present() && !null(r.attr) {
			if out == res {
				out = res.Clone()
			}
			out.Set(r.attr, r.fallback)
		}
	}
	return out
}

// Accepts reports, as a SCIM error, a resource that this backend does not take.
func (m *Mapping) Accepts(res *scim.Resource) error {
	if m.when == nil {
		return nil
	}
	v, err := m.when.onResource(res, nil, scim.Value{})
	if ok, _ := v.(bool); ok && err == nil {
		return nil
	}
	return scim.Bad(scim.InvalidValue, "no backend takes a %s like this one: the configuration's condition (when) is not met", m.Type.Name)
}

// Delta works out what must change in the backend for a resource to become
// another: fields whose rules give something else than before. Fields that no
// change touches stay as they are, even where a mapping loses detail.
func (m *Mapping) Delta(rec adapters.Record, before, after *scim.Resource, keys Keys, ids IDs) (adapters.Delta, error) {
	d := adapters.Delta{Before: rec, After: rec.Clone()}
	if err := m.Accepts(after); err != nil {
		return d, err
	}
	old, now := m.elements(before), m.elements(after)
	done := map[int]bool{}
	for _, r := range m.rules {
		if !r.writable || !r.affected(before, after) || done[r.index] {
			continue
		}
		if r.relation {
			if err := m.relate(&d, r, after, keys, ids); err != nil {
				return d, err
			}
			continue
		}
		was, err := r.write(before, old, keys)
		if err != nil {
			return d, err
		}
		is, err := r.write(after, now, keys)
		if err != nil {
			return d, err
		}
		if equalValues(was, is) {
			continue
		}
		done[r.index] = true
		d.After.SetAt(r.index, is)
		d.Set = append(d.Set, adapters.Change{Field: r.field, Old: rec.At(r.index), New: is})
	}
	return d, nil
}

func (m *Mapping) field(r *Rule) adapters.Field {
	if r.index < len(m.caps.Fields) {
		return m.caps.Fields[r.index]
	}
	return adapters.Field{}
}

// affected reports whether a change of the resource can change the field. Rules
// with an out expression may depend on any attribute.
func (r *Rule) affected(before, after *scim.Resource) bool {
	if r.out != nil {
		return true
	}
	top := r.attr
	for top.Parent() != nil {
		top = top.Parent()
	}
	return !before.Get(top).Equal(after.Get(top))
}

// MemberType is the resource type that a multi-valued reference points to.
func (m *Mapping) MemberType(attr *scim.Attribute) (string, bool) {
	if r := m.relationRule(attr); r != nil {
		return r.refers.typ, true
	}
	return "", false
}

func (m *Mapping) relationRule(attr *scim.Attribute) *Rule {
	for _, r := range m.rules {
		if r.relation && r.refers.holder == attr {
			return r
		}
	}
	return nil
}

func unknownReference(r *Rule, id string) error {
	return scim.Bad(scim.InvalidValue, "%s: there is no %s with the id %q; create it first", r.refers.holder.Path(), r.refers.typ, clip(id))
}

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

// write makes the field's value of a resource.
func (r *Rule) write(res *scim.Resource, elems map[*group]scim.Value, keys Keys) (any, error) {
	v := r.valueOf(res, elems)
	switch {
	case r.out != nil:
		return r.compute(res, v)
	case r.refers != nil:
		return r.writeReference(res, keys)
	case !v.Present():
		return nil, nil
	case r.codes != nil:
		return r.encode(v)
	case r.split != "":
		return r.join(v)
	}
	out, err := fromValue(r.attr, v, r.format)
	if err != nil {
		return nil, scim.Bad(scim.InvalidValue, "%s", err)
	}
	return out, nil
}

func (r *Rule) valueOf(res *scim.Resource, elems map[*group]scim.Value) scim.Value {
	if r.group != nil {
		return elems[r.group].Get(r.attr)
	}
	return res.Get(r.attr)
}

func (r *Rule) compute(res *scim.Resource, v scim.Value) (any, error) {
	if !v.Present() && r.attr.Mutability == scim.WriteOnly {
		return nil, nil // a password that was not sent is not changed
	}
	out, err := r.out.onResource(res, r.attr, v)
	if err != nil {
		return nil, scim.Bad(scim.InvalidValue, "%s cannot be stored: its rule failed on the values given", r.attr.Path())
	}
	switch o := out.(type) {
	case int:
		return int64(o), nil
	case nil, string, bool, int64, float64:
		return o, nil
	}
	return nil, scim.Bad(scim.InvalidValue, "%s cannot be stored: its rule gives no plain value", r.attr.Path())
}

func (r *Rule) encode(v scim.Value) (any, error) {
	for _, c := range r.codes {
		if c.value.Equal(v) || (!r.attr.CaseExact && c.value.Kind() == scim.KindString && v.Kind() == scim.KindString &&
			strings.EqualFold(c.value.String(), v.String())) {
			return c.backend, nil
		}
	}
	var known []string
	for _, c := range r.codes {
		known = append(known, fmt.Sprint(toAny(r.attr, c.value)))
	}
	return nil, scim.Bad(scim.InvalidValue, "%s must be one of: %s", r.attr.Path(), strings.Join(slices.Compact(known), ", "))
}

func (r *Rule) join(v scim.Value) (any, error) {
	var parts []string
	for _, e := range v.Elems() {
		if e.Kind() == scim.KindComplex {
			e = e.Get(r.attr.Find("value"))
		}
		s := fmt.Sprint(toAny(r.attr, e))
		if strings.Contains(s, strings.TrimSpace(r.split)) {
			return nil, scim.Bad(scim.InvalidValue, "a value of %s holds %q, which separates the values in the backend", r.attr.Path(), r.split)
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return strings.Join(parts, r.split), nil
}

func (r *Rule) writeReference(res *scim.Resource, keys Keys) (any, error) {
	var found []string
	for _, id := range r.refers.ids(res) {
		key, ok := keys(r.refers.typ, id)
		if !ok {
			return nil, unknownReference(r, id)
		}
		if !slices.Contains(found, key) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case r.relation:
		return found, nil
	default:
		return found[0], nil
	}
}

// elements finds for each group the element that it stores: the first one whose
// sub-attributes equal the group's constants. If an attribute has one group only,
// an element that says nothing about the constants is taken as well.
func (m *Mapping) elements(res *scim.Resource) map[*group]scim.Value {
	if len(m.groups) == 0 {
		return nil
	}
	found := make(map[*group]scim.Value, len(m.groups))
	for _, g := range m.groups {
		if e, ok := m.pick(g, res); ok {
			found[g] = e
		}
	}
	return found
}

func (m *Mapping) pick(g *group, res *scim.Resource) (scim.Value, bool) {
	elems := res.Get(g.attr).Elems()
	for _, e := range elems {
		if g.matches(e, false) {
			return e, true
		}
	}
	if len(elems) > 0 && m.only(g) {
		for _, e := range elems {
			if g.matches(e, true) {
				return e, true
			}
		}
	}
	return scim.Value{}, false
}

func (m *Mapping) only(g *group) bool {
	for _, o := range m.groups {
		if o != g && o.attr == g.attr {
			return false
		}
	}
	return true
}

func (g *group) matches(e scim.Value, lenient bool) bool {
	for _, c := range g.consts {
		v := e.Get(c.attr)
		same := v.Equal(c.value) || (!c.attr.CaseExact && v.Kind() == scim.KindString && strings.EqualFold(v.String(), c.value.String()))
		if !same && !(lenient && !v.Present()) {
			return false
		}
	}
	return true
}

// Unplaced lists the elements of multi-valued attributes that the mapping has
// no field for, as paths for a message.
func (m *Mapping) Unplaced(res *scim.Resource) []string {
	var lost []string
	picked := m.elements(res)
	seen := map[*scim.Attribute]bool{}
	for _, g := range m.groups {
		if seen[g.attr] {
			continue
		}
		seen[g.attr] = true
		for i, e := range res.Get(g.attr).Elems() {
			if !m.placed(g.attr, e, picked) {
				lost = append(lost, fmt.Sprintf("%s[%d]", g.attr.Path(), i))
			}
		}
	}
	return lost
}

func (m *Mapping) placed(a *scim.Attribute, e scim.Value, picked map[*group]scim.Value) bool {
	for g, p := range picked {
		if g.attr == a && p.Equal(e) {
			return true
		}
	}
	return false
}

func equalValues(a, b any) bool {
	la, aok := a.([]string)
	lb, bok := b.([]string)
	if aok || bok {
		add, remove := diff(la, lb)
		return len(add)+len(remove) == 0
	}
	return (adapters.NoValue(a) && adapters.NoValue(b)) || a == b
}

func list(v any) []string { l, _ := v.([]string); return l }

// diff lists what must be added to and removed from a set to make it another.
func diff(was, is []string) (add, remove []string) {
	old, now := map[string]bool{}, map[string]bool{}
	for _, s := range was {
		old[s] = true
	}
	for _, s := range is {
		now[s] = true
		if !old[s] {
			add = append(add, s)
		}
	}
	for _, s := range was {
		if !now[s] {
			remove = append(remove, s)
		}
	}
	return add, remove
}
