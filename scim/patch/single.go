package patch

import (
	"slices"

	"github.com/postern/postern/scim"
)

// One element of a multi-valued attribute, found by its place in the list, for those who know
// elements by keys of their own.

// Identities are texts that two elements of the list have in common exactly when
// they are the same element for PATCH (P-39, P-40), in the order of the list.
func Identities(a *scim.Attribute, list scim.Value) []string {
	k := keysOf(a)
	out := make([]string, len(list.Elems()))
	for i, e := range list.Elems() {
		out[i] = k.of(e)
	}
	return out
}

// IsReferences reports whether elements of a are told apart by their value alone,
// because they name other resources.
func IsReferences(a *scim.Attribute) bool { return isReferences(a) }

// AddElement is the resource with one element more, or with that element completed
// if it is there already.
func AddElement(before *scim.Resource, a *scim.Attribute, elem scim.Value) (*scim.Resource, error) {
	if err := substantial(a, elem); err != nil {
		return nil, err
	}
	o := Operation{Op: Add, Attr: a, Value: scim.List(elem)}
	after := before.Clone()
	if err := o.apply(before, after); err != nil {
		return nil, err
	}
	return o.complete(before, after)
}

// PutElement is the resource with elem in the place of its element i. What the
// service provider says of an element stays if it is the same element still.
func PutElement(before *scim.Resource, a *scim.Attribute, i int, elem scim.Value) (*scim.Resource, error) {
	if err := substantial(a, elem); err != nil {
		return nil, err
	}
	elem = elem.Clone()
	for _, sub := range a.Sub {
		if sub.Mutability == scim.ReadOnly {
			elem.Set(sub, scim.Value{})
		}
	}
	o := Operation{Op: Replace, Attr: a, Value: elem}
	return o.single(before, func(l *elements) error {
		was := l.list[i]
		for _, sub := range a.Sub {
			if w, v := was.Get(sub), elem.Get(sub); sub.Mutability == scim.Immutable && w.Present() && !same(sub, w, v) &&
				(sub == a.Find("value") || !isReferences(a)) {
				return l.immutable(sub)
			}
		}
		if err := l.put(i, &o); err != nil {
			return err
		}
		key := keysOf(a)
		for j, e := range l.list {
			if j != i && key.of(e) == key.of(l.list[i]) {
				return scim.Errorf(409, scim.Uniqueness, "%q has another element already that is the same.", a.Path())
			}
		}
		return nil
	})
}

// substantial refuses an element that says only which one it is, and a reference to
// nobody.
func substantial(a *scim.Attribute, elem scim.Value) error {
	if value := a.Find("value"); onlyLabels(a, elem) || isReferences(a) && !elem.Get(value).Present() {
		return scim.Bad(scim.InvalidValue, "This is no element of %q: it needs a value beside type and primary.", a.Path())
	}
	return nil
}

// RemoveElement is the resource without its element i.
func RemoveElement(before *scim.Resource, a *scim.Attribute, i int) (*scim.Resource, error) {
	o := Operation{Op: Remove, Attr: a}
	return o.single(before, func(l *elements) error {
		l.list = slices.Delete(l.list, i, i+1)
		return nil
	})
}

// single carries out work on the list, and checks what every operation is held to.
func (o *Operation) single(before *scim.Resource, work func(*elements) error) (*scim.Resource, error) {
	if locked := o.locked(); locked != nil {
		return nil, scim.Bad(scim.Mutability, "%q is readOnly: the service provider sets it.", locked.Path())
	}
	old, after := before.Get(o.Attr), before.Clone()
	l := elements{attr: o.Attr, list: slices.Clone(old.Elems())}
	if err := work(&l); err != nil {
		return nil, err
	}
	now, err := l.value()
	if err != nil {
		return nil, err
	}
	if err := o.mayUnassign(old, now); err != nil {
		return nil, err
	}
	after.Set(o.Attr, now)
	if err := o.keepsImmutable(before, after); err != nil {
		return nil, err
	}
	return o.complete(before, after)
}

// complete refuses a result that lacks what is required.
func (o *Operation) complete(before, after *scim.Resource) (*scim.Resource, error) {
	top := o.Attr
	for top.Parent() != nil {
		top = top.Parent()
	}
	if a := lacking(top, before.Get(top), after.Get(top), false); a != nil {
		return nil, o.required(a)
	}
	return after, nil
}
