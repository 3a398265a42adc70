package patch

import (
	"slices"

	"github.com/postern/postern/scim"
)

// elements is a list at work. It owns its slice, but not the elements: those
// are cloned before they are changed. What is unassigned in the end goes.
type elements struct {
	attr    *scim.Attribute
	list    []scim.Value
	changed []int    // indexes, each once, rising or appended
	named   *listing // of a remove with a list
}

func (l *elements) change(i int) { l.changed = append(l.changed, i) }

// put carries out o on the element at i, which o selects.
func (l *elements) put(i int, o *Operation) error {
	switch {
	case o.Sub != nil:
		return l.putSub(i, o)
	case o.Op == Remove:
		if l.named != nil && !l.named.has(l.list[i]) {
			return nil // a filter and a list: what both mean
		}
		l.list[i] = scim.Value{}
	case o.Op == Add && l.attr.Type == scim.TypeComplex && !o.unassigns():
		return l.complete(i, o.Value)
	case isReferences(l.attr) && sameElement(l.attr, l.list[i], o.Value):
		return l.complete(i, o.Value)
	default:
		l.list[i] = inherit(l.attr, l.list[i], o.Value)
	}
	l.change(i)
	return nil
}

// inherit gives an element that takes the place of was what the server has said
// of was, if it is the same element still.
func inherit(a *scim.Attribute, was, v scim.Value) scim.Value {
	if !hasServerParts(a) || !v.Present() || !sameElement(a, was, v) {
		return v
	}
	v = v.Clone()
	for _, sub := range a.Sub {
		if sub.Mutability == scim.ReadOnly {
			v.Set(sub, was.Get(sub))
		}
	}
	return v
}

func sameElement(a *scim.Attribute, v, w scim.Value) bool {
	k := keysOf(a)
	return k.of(v) == k.of(w)
}

func hasServerParts(a *scim.Attribute) bool {
	return slices.ContainsFunc(a.Sub, func(s *scim.Attribute) bool { return s.Mutability == scim.ReadOnly })
}

// putSub changes one sub-attribute of the element at i.
func (l *elements) putSub(i int, o *Operation) error {
	was := l.list[i].Get(o.Sub)
	now := l.nextSub(was, o)
	if was.Equal(now) {
		return nil
	}
	if was.Present() && o.Sub.Mutability == scim.Immutable && !same(o.Sub, was, now) {
		return l.immutable(o.Sub)
	}
	elem := l.list[i].Clone()
	elem.Set(o.Sub, now)
	if !now.Present() {
		if isReferences(l.attr) && o.Sub == l.attr.Find("value") || !isLabel(o.Sub) && onlyLabels(l.attr, elem) {
			elem = scim.Value{} // an e-mail without an address is none, nor is a reference to nobody
		} else if o.Sub.Required {
			return o.required(o.Sub)
		}
	}
	l.list[i] = elem
	l.change(i)
	return nil
}

func (l *elements) nextSub(was scim.Value, o *Operation) scim.Value {
	switch {
	case !o.Sub.MultiValued || o.Op == Replace || o.unassigns():
		if o.Op == Remove {
			return scim.Value{}
		}
		return o.Value
	case o.Op == Add:
		return scim.List(distinct(o.Sub, slices.Concat(was.Elems(), o.Value.Elems()))...)
	}
	return scim.List(slices.DeleteFunc(slices.Clone(was.Elems()), l.named.has)...)
}

func onlyLabels(a *scim.Attribute, elem scim.Value) bool {
	for _, sub := range a.Sub {
		if elem.Get(sub).Present() && !isLabel(sub) {
			return false
		}
	}
	return true
}

// complete gives the element at i the sub-attributes that v has. What a
// reference holds beside its value is not the client's to say.
func (l *elements) complete(i int, v scim.Value) error {
	if l.attr.Type != scim.TypeComplex {
		return nil
	}
	elem, own := l.list[i], false
	for _, sub := range l.attr.Sub {
		was, now := elem.Get(sub), v.Get(sub)
		if !now.Present() || was.Equal(now) || sub.Mutability == scim.ReadOnly {
			continue
		}
		if was.Present() && sub.Mutability == scim.Immutable && !same(sub, was, now) {
			if isReferences(l.attr) && l.attr.Find("value") != sub {
				continue
			}
			return l.immutable(sub)
		}
		if !own {
			elem, own = elem.Clone(), true
		}
		elem.Set(sub, now)
	}
	if own {
		l.list[i] = elem
		l.change(i)
	}
	return nil
}

func (l *elements) immutable(sub *scim.Attribute) error {
	return scim.Bad(scim.Mutability, "%q is immutable; remove the element and add another.", sub.Path())
}

// value ends the work: one primary at most, no element twice, none empty.
func (l *elements) value() (scim.Value, error) {
	if err := l.onePrimary(); err != nil {
		return scim.Value{}, err
	}
	if err := l.collapse(); err != nil {
		return scim.Value{}, err
	}
	for _, i := range l.changed {
		l.list[i] = l.list[i].Compact()
	}
	return scim.List(slices.DeleteFunc(l.list, func(e scim.Value) bool { return !e.Present() })...), nil
}

// distinctValue is value for elements that are known to differ and to hold
// something.
func (l *elements) distinctValue() (scim.Value, error) {
	if err := l.onePrimary(); err != nil {
		return scim.Value{}, err
	}
	return scim.List(l.list...), nil
}

// onePrimary takes primary from all other elements when a changed one has it
// (P-33).
func (l *elements) onePrimary() error {
	primary := l.attr.Find("primary")
	if primary == nil || primary.Type != scim.TypeBoolean {
		return nil
	}
	chosen := -1
	for _, i := range l.changed {
		if !l.list[i].Get(primary).Bool() {
			continue
		}
		if chosen >= 0 && chosen != i {
			return scim.Bad(scim.InvalidValue, "Only one element of %q can be primary, but the operation makes several so.", l.attr.Path())
		}
		chosen = i
	}
	if chosen < 0 {
		return nil
	}
	for i, e := range l.list {
		if i != chosen && e.Get(primary).Bool() {
			if primary.Mutability == scim.Immutable {
				return l.immutable(primary)
			}
			l.list[i] = e.Clone()
			l.list[i].Set(primary, scim.Bool(false))
		}
	}
	return nil
}

// collapse joins a changed element with another one that it has become the same
// as (S-19). Duplicates that were stored already stay as they are.
func (l *elements) collapse() error {
	if len(l.changed) == 0 || len(l.list) < 2 {
		return nil
	}
	key, at := keysOf(l.attr), make(map[string]int, len(l.changed))
	for _, i := range l.changed {
		if !l.list[i].Present() {
			continue
		}
		k := key.of(l.list[i])
		if _, twice := at[k]; twice {
			l.list[i] = scim.Value{}
			continue
		}
		at[k] = i
	}
	for i, n := 0, len(l.list); i < n; i++ {
		if !l.list[i].Present() {
			continue
		}
		k := key.of(l.list[i])
		c, ok := at[k]
		if !ok || c == i {
			continue
		}
		if err := l.complete(i, l.list[c]); err != nil {
			return err
		}
		l.list[c] = scim.Value{}
		at[k] = i
	}
	return nil
}
