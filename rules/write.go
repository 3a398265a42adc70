package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
			for id := range r.refers.ids(res) {
				ids = append(ids, ID{Type: r.refers.typ, ID: id})
			}
		}
	}
	return ids
}

// ids reads the ids that a reference holds.
func (ref *reference) ids(res *scim.Resource) func(yield func(string) bool) {
	v := res.Get(ref.holder)
	one := [1]scim.Value{v}
	elems := one[:]
	if v.Kind() == scim.KindList {
		elems = v.Elems()
	}
	return func(yield func(string) bool) {
		for _, e := range elems {
			if ref.value != nil {
				e = e.Get(ref.value)
			}
			if s := e.String(); s != "" && !yield(ref.trim(s)) {
				return
			}
		}
	}
}

// NewRecord makes the record that a create stores: every mapped attribute,
// defaults for those the client said nothing about (an explicit null is
// something: C-04), and the constants. Of two rules for one field the first that
// has a value counts.
func (m *Mapping) NewRecord(res *scim.Resource, null func(*scim.Attribute) bool, keys Keys) (adapters.Record, error) {
	rec := adapters.NewRecord(m.shape, "")
	res = m.withDefaults(res, null)
	if err := m.Accepts(res); err != nil {
		return rec, err
	}
	elems := m.assign(res)
	for _, r := range m.rules {
		if !r.writable || r.field == "" {
			continue
		}
		v, err := r.write(res, elems, keys, nil)
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
	if err := m.settle(rec, res); err != nil || m.IsIn(rec) != "" { // elsewhere the key is made as it is made there
		return rec, err
	}
	return rec, m.makeKey(&rec, res)
}

// makeKey gives a new record the key that the configuration makes.
func (m *Mapping) makeKey(rec *adapters.Record, res *scim.Resource) error {
	if m.newKey == nil {
		return nil
	}
	v, err := m.newKey.onResource(res, nil, scim.Value{}, nil)
	parts := make([]string, 0, len(m.key))
	list, several := v.([]any)
	if !several {
		list = []any{v}
	}
	for _, p := range list {
		if text := adapters.Text(p); !adapters.NoValue(p) && text != "" {
			parts = append(parts, text)
		}
	}
	if err != nil || len(parts) != len(m.key) {
		return scim.Bad(scim.InvalidValue, "No key can be made for a %s like this one: the configuration's expression for it (newKey) gives none.", m.Type.Name)
	}
	rec.Key = adapters.JoinKey(parts...)
	return nil
}

// Accepts reports, as a SCIM error, a resource that this backend does not take.
func (m *Mapping) Accepts(res *scim.Resource) error {
	if m.when == nil || m.PlaceOf(res) != "" {
		return nil
	}
	v, err := m.when.onResource(res, nil, scim.Value{}, nil)
	if ok, _ := v.(bool); ok && err == nil {
		return nil
	}
	return scim.Bad(scim.InvalidValue, "No backend takes a %s like this one: the configuration's condition for it (when) is not met.", m.Type.Name)
}

// withDefaults returns the resource with the defaults of the configuration.
func (m *Mapping) withDefaults(res *scim.Resource, null func(*scim.Attribute) bool) *scim.Resource {
	out := res
	for _, r := range m.rules {
		if !r.hasDef || silenced(r.attr, null) {
			continue
		}
		if out == res {
			out = res.Clone()
		}
		if r.group != nil {
			m.defaultElement(out, r)
		} else if !out.Get(r.attr).Present() {
			out.Set(r.attr, r.fallback)
		}
	}
	return out
}

// KeepDefaulted gives a replacement what was there before for attributes that have
// a default and that the client said nothing about. They are never without a value;
// and who leaves active out does not mean to enable an account (U-04).
func (m *Mapping) KeepDefaulted(before, after *scim.Resource, null func(*scim.Attribute) bool) {
	for _, r := range m.rules {
		if r.hasDef && r.group == nil && !silenced(r.attr, null) && !after.Get(r.attr).Present() {
			after.Set(r.attr, before.Get(r.attr))
		}
	}
}

// silenced reports an explicit null for the attribute or what it is part of.
func silenced(a *scim.Attribute, null func(*scim.Attribute) bool) bool {
	for ; a != nil; a = a.Parent() {
		if null(a) {
			return true
		}
	}
	return false
}

// defaultElement completes the group's element; it makes one only where the
// client has sent no element at all.
func (m *Mapping) defaultElement(res *scim.Resource, r *Rule) {
	g := r.group
	elems := slices.Clone(res.Get(g.attr).Elems())
	at := m.assign(res).index[g.index]
	switch {
	case at >= 0 && elems[at].Get(r.attr).Present():
		return
	case at >= 0:
		elems[at] = elems[at].Clone()
	case len(elems) > 0:
		return
	default:
		e := scim.NewComplex(g.attr)
		for _, c := range g.consts {
			e.Set(c.attr, c.value)
		}
		elems, at = append(elems, e), 0
	}
	elems[at].Set(r.attr, r.fallback)
	res.Set(g.attr, scim.List(elems...))
}

func unknownReference(r *Rule, id string) error {
	return scim.Bad(scim.InvalidValue, "%s: there is no %s with the id %q; create it first.", r.refers.holder.Path(), r.refers.typ, clip(id))
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}

// write makes the field's value of a resource.
func (r *Rule) write(res *scim.Resource, elems assignment, keys Keys, kept Kept) (any, error) {
	var v scim.Value
	if r.group != nil {
		v = elems.of(r.group).Get(r.attr)
	} else {
		v = res.Get(r.attr)
	}
	switch {
	case r.columns != nil:
		return r.writeRows(v)
	case r.out != nil:
		return r.compute(res, v, kept)
	case r.refers != nil:
		return r.writeReference(res, keys)
	case !v.Present():
		return nil, nil
	case r.list:
		return r.writeList(v)
	case r.split != "":
		return r.join(v)
	}
	return r.encode(v)
}

// compute runs the out expression. Where the attribute has no value and the
// expression cannot do without, the field has none either.
func (r *Rule) compute(res *scim.Resource, v scim.Value, kept Kept) (any, error) {
	if !v.Present() && r.attr.Mutability == scim.WriteOnly {
		return nil, nil // a password that was not sent is not changed
	}
	out, err := r.out.onResource(res, r.attr, v, r.recall(kept, v))
	switch {
	case err != nil && !v.Present() && errors.Is(err, errAbsent):
		return nil, nil
	case err != nil:
		return nil, scim.Bad(scim.InvalidValue, "%s cannot be stored: the rule for it fails on the values given.", r.attr.Path())
	}
	switch o := out.(type) {
	case int:
		return int64(o), nil
	case nil, string, bool, int64, float64, time.Time:
		return o, nil
	}
	return nil, scim.Bad(scim.InvalidValue, "%s cannot be stored: the rule for it gives no plain value.", r.attr.Path())
}

// encode makes what the backend holds for one value.
func (r *Rule) encode(v scim.Value) (any, error) {
	if r.codes == nil {
		out, err := fromValue(r.item, v, r.format)
		if err != nil {
			return nil, scim.Bad(scim.InvalidValue, "%s", err)
		}
		return out, nil
	}
	for _, c := range r.codes {
		if same(r.item, c.value, v) {
			return c.backend, nil
		}
	}
	var known []string
	for _, c := range r.codes {
		if s := fmt.Sprint(toAny(r.item, c.value)); !slices.Contains(known, s) {
			known = append(known, s)
		}
	}
	return nil, scim.Bad(scim.InvalidValue, "%s must be one of: %s.", r.attr.Path(), strings.Join(known, ", "))
}

// same compares two values as filters do.
func same(a *scim.Attribute, x, y scim.Value) bool {
	if x.Kind() == scim.KindString && y.Kind() == scim.KindString && a.Type == scim.TypeString && !a.CaseExact {
		return strings.EqualFold(x.String(), y.String())
	}
	return x.Equal(y)
}

// join makes one text of several values.
func (r *Rule) join(v scim.Value) (any, error) {
	var parts []string
	for _, e := range v.Elems() {
		if r.item != r.attr {
			e = e.Get(r.item)
		}
		out, err := r.encode(e)
		if err != nil {
			return nil, err
		}
		s := strings.TrimSpace(text(out))
		if strings.Contains(s, separator(r.split)) {
			return nil, scim.Bad(scim.InvalidValue, "A value of %s holds %q, which separates the values in the backend.", r.attr.Path(), separator(r.split))
		}
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return strings.Join(parts, r.split), nil
}

func (r *Rule) writeReference(res *scim.Resource, keys Keys) (any, error) {
	var found []string
	var seen map[string]bool
	for id := range r.refers.ids(res) {
		key, ok := keys(r.refers.typ, id)
		switch {
		case !ok:
			return nil, unknownReference(r, id)
		case !r.relation:
			return key, nil // the field holds one; Unplaced speaks of the others
		case seen == nil:
			seen = map[string]bool{}
		}
		if !seen[key] {
			seen[key] = true
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return r.Hold(found)
}
