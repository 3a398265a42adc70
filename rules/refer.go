package rules

import (
	"net/url"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// IDs gives the id by which the client knows the record with a key; false where
// it may not see the record.
type IDs func(typ, key string) (id string, ok bool)

// Checked reports whether the backend itself sees to it that references to a
// resource type lead to records that exist and are in scope.
func (m *Mapping) Checked(typ string) bool {
	found := false
	for _, r := range m.rules {
		if r.refers != nil && r.refers.typ == typ {
			if !m.field(r).Checked {
				return false
			}
			found = true
		}
	}
	return found
}

// A ReferenceField tells the adapter that a field holds the key of one record.
type ReferenceField struct{ Field, Refers string }

// ReferenceFields lists the fields of which the backend may itself see to it that
// the record is there and in scope: what nothing but one reference reads.
func (m *Mapping) ReferenceFields() []ReferenceField {
	var out []ReferenceField
	for _, r := range m.rules {
		if r.refers != nil && !r.relation && r.field != "" && !m.usedBesides(r) {
			out = append(out, ReferenceField{r.field, r.refers.typ})
		}
	}
	return out
}

// usedBesides reports whether something but a rule needs the rule's field as the
// backend holds it.
func (m *Mapping) usedBesides(r *Rule) bool {
	if slices.Contains(m.key, r.field) || m.scope.names(r.field) || m.managed.names(r.field) {
		return true
	}
	for _, c := range m.constants {
		if c.Field.Value == r.field {
			return true
		}
	}
	return slices.ContainsFunc(m.rules, func(o *Rule) bool { return o != r && (o.field == r.field || slices.Contains(o.reads, r.field)) })
}

// IsReference reports whether the rule makes a reference to another resource.
func (r *Rule) IsReference() bool { return r.refers != nil }

// Holder is the attribute that a reference is the value of, or a part of: for it, too,
// the rule is needed. Nil if the rule makes no reference.
func (r *Rule) Holder() *scim.Attribute {
	if r.refers == nil {
		return nil
	}
	return r.refers.holder
}

// Refers is the resource type that the rule's field holds keys of, "" if it is no
// reference; list says that it may hold several.
func (r *Rule) Refers() (typ string, list bool) {
	if r.refers == nil {
		return "", false
	}
	return r.refers.typ, r.relation
}

// Writable reports whether clients may change what the rule makes.
func (r *Rule) Writable() bool { return r.writable }

// Consulted lists the top-level attributes that rules look at to write other
// fields, or to decide whether the backend takes the resource.
func (m *Mapping) Consulted() []*scim.Attribute {
	var out []*scim.Attribute
	if m.when != nil {
		out = append(out, m.when.attrs...)
	}
	for _, p := range m.places {
		out = append(out, p.when.attrs...)
	}
	for _, r := range m.rules {
		if r.out != nil {
			out = append(out, r.out.attrs...)
		}
	}
	return out
}

// Covers reports whether whatever o needs is part of p.
func (p *Plan) Covers(o *Plan) bool {
	for i, needed := range o.rules {
		if needed && !p.rules[i] {
			return false
		}
	}
	return true
}

// MemberIDs are the ids that the values of a multi-valued reference name, with
// the resource type that they are looked up in.
func (m *Mapping) MemberIDs(attr *scim.Attribute, values []scim.Value) []ID {
	r := m.relationRule(attr)
	if r == nil {
		return nil
	}
	out := make([]ID, len(values))
	for i, v := range values {
		if v.Kind() == scim.KindComplex && r.refers.value != nil {
			v = v.Get(r.refers.value)
		}
		out[i] = ID{Type: r.refers.typ, ID: r.refers.trim(v.String())}
	}
	return out
}

// trim takes the id out of a reference given as URI.
func (ref *reference) trim(s string) string {
	i := strings.LastIndex(s, ref.endpoint+"/")
	if i < 0 {
		return s
	}
	id := s[i+len(ref.endpoint)+1:]
	if plain, err := url.PathUnescape(id); err == nil {
		return plain
	}
	return id
}

// location is where a resource is.
func (ref *reference) location(base, id string) string {
	return base + ref.endpoint + "/" + url.PathEscape(id)
}

// relate works out who must be added to and removed from the members of a
// record. Members that the client may not see stay: it cannot have meant them.
// One whom the record names by several keys goes with all of them.
func (m *Mapping) relate(d *adapters.Delta, r *Rule, after *scim.Resource, keys Keys, ids IDs) error {
	wanted := map[string]string{} // id to key
	for given := range r.refers.ids(after) {
		key, ok := keys(r.refers.typ, given)
		if !ok {
			return unknownReference(r, given)
		}
		id := given
		if own, ok := ids(r.refers.typ, key); ok {
			id = own
		}
		wanted[id] = key
	}
	held := list(d.Before.At(r.index))
	old := any(held)
	if r.Joined() {
		old = d.Before.At(r.index)
		held = r.Keys(old)
	}
	var add, remove, keep []string
	there := map[string]bool{}
	for _, key := range held {
		id, visible := ids(r.refers.typ, key)
		if _, stays := wanted[id]; visible && !stays {
			remove = append(remove, key)
			continue
		}
		keep = append(keep, key)
		there[id] = true
	}
	for id, key := range wanted {
		if !there[id] {
			add = append(add, key)
		}
	}
	slices.Sort(add)
	if len(add)+len(remove) == 0 {
		return nil
	}
	whole, err := r.Hold(append(keep, add...))
	if err != nil {
		return err
	}
	d.After.SetAt(r.index, whole)
	if m.field(r).Delta {
		d.Members = append(d.Members, adapters.MemberChange{Field: r.field, Add: add, Remove: remove})
	} else {
		d.Set = append(d.Set, adapters.Change{Field: r.field, Old: old, New: whole})
	}
	return nil
}

// MemberDelta makes the delta that only adds and removes members of the
// multi-valued reference attr, without the record. False if the backend takes
// no such delta for it.
func (m *Mapping) MemberDelta(attr *scim.Attribute, add, remove []ID, l Lookup) (adapters.MemberChange, bool, error) {
	r := m.relationRule(attr)
	if r == nil || !r.writable || !m.field(r).Delta {
		return adapters.MemberChange{}, false, nil
	}
	c := adapters.MemberChange{Field: r.field}
	for _, id := range add {
		key, ok := l.Key(id.Type, id.ID)
		if !ok {
			return c, true, unknownReference(r, id.ID)
		}
		c.Add = append(c.Add, key)
	}
	for _, id := range remove {
		c.Remove = append(c.Remove, l.keysOf(id.Type, id.ID)...) // who is unknown is no member
	}
	return c, true, nil
}

// keysOf are the keys of all records that a reference in a filter may mean.
func (l Lookup) keysOf(typ, id string) []string {
	if l.All != nil {
		return l.All(typ, id)
	}
	if key, ok := l.Key(typ, id); ok {
		return []string{key}
	}
	return nil
}

// Identifies reports whether the values of an attribute are ids of resources: its
// own, or those of others.
func (m *Mapping) Identifies(a *scim.Attribute) bool {
	return a == m.Type.Layout.ID || m.references[a] != nil
}
