package patch

import (
	"github.com/postern/postern/scim"
)

// Apply carries the operations out on a copy of before, in order, and returns
// the copy. The first operation that fails fails them all (P-06, P-07); before is
// never changed. What schema.Validate demands of before it finds in the result; a
// fault that was there already, in the backend, is not held against the request.
func Apply(before *scim.Resource, ops []Operation) (*scim.Resource, error) {
	after := before.Clone()
	for i := 0; i < len(ops); {
		n := runByValue(ops[i:])
		var err error
		if n > 1 {
			err = applyRun(after, ops[i:i+n])
		} else {
			n, err = 1, ops[i].apply(before, after)
		}
		if err != nil {
			return nil, scim.Prefix(place(ops[i].Index), err)
		}
		i += n
	}
	if err := checkComplete(before, after, ops); err != nil {
		return nil, err
	}
	return after, nil
}

func (o *Operation) apply(before, after *scim.Resource) error {
	old := after.Get(o.Attr)
	if locked := o.locked(); locked != nil {
		if o.repeat && !o.elementwise() && o.repeats(old) {
			return nil
		}
		return scim.Bad(scim.Mutability, "%q is readOnly: leave it out, the service provider sets it.", locked.Path())
	}
	if err := o.unseen(); err != nil {
		return err
	}
	now, err := o.next(old)
	if err != nil {
		return err
	}
	if err := o.mayUnassign(old, now); err != nil {
		return err
	}
	after.Set(o.Attr, now)
	if err := o.keepsImmutable(before, after); err != nil {
		return err
	}
	o.followReference(after, old, now)
	return nil
}

// locked returns the readOnly attribute that stands in the operation's way: its
// target, or what the target is part of (P-30).
func (o *Operation) locked() *scim.Attribute {
	if o.Sub != nil && o.Sub.Mutability == scim.ReadOnly {
		return o.Sub
	}
	for a := o.Attr; a != nil; a = a.Parent() {
		if a.Mutability == scim.ReadOnly {
			return a
		}
	}
	return nil
}

// next is the value of the attribute after the operation.
func (o *Operation) next(old scim.Value) (scim.Value, error) {
	switch {
	case o.elementwise():
		return o.nextElements(old)
	case o.Attr.MultiValued:
		return o.nextList(old)
	case o.Op == Remove:
		return scim.Value{}, nil
	case o.Attr.Type == scim.TypeComplex && o.Value.Present():
		return merged(o.Attr, old, o.Value), nil
	}
	return o.Value, nil
}

// merged is old with the sub-attributes that v has: add and replace leave the
// others of a complex attribute alone (P-38, P-51).
func merged(a *scim.Attribute, old, v scim.Value) scim.Value {
	out := scim.NewComplex(a)
	for _, sub := range a.Sub {
		w := v.Get(sub)
		if !w.Present() {
			w = old.Get(sub)
		}
		out.Set(sub, w)
	}
	return out
}

// unseen refuses to unassign what is writeOnly: nobody can read it, so nobody
// could tell from the result that it should go.
func (o *Operation) unseen() error {
	a := o.aimed()
	addsNothing := o.Op == Add && a.MultiValued
	if a.Mutability != scim.WriteOnly || !o.unassigns() || addsNothing {
		return nil
	}
	return scim.Bad(scim.Mutability, "%q is writeOnly: it can be set, but not be unassigned.", a.Path())
}

// mayUnassign refuses to take away what must be there (P-46, P-54).
func (o *Operation) mayUnassign(old, now scim.Value) error {
	a := o.Attr
	if now.Present() || !old.Present() {
		return nil
	}
	if a.Required {
		return o.required(a)
	}
	if part := keptPart(a, old); part != nil {
		return scim.Bad(scim.Mutability, "%q cannot be removed as a whole, because its %q is %s and has a value.",
			a.Path(), part.Name, part.Mutability)
	}
	return nil
}

func (o *Operation) required(a *scim.Attribute) error {
	if o.Op == Remove {
		return scim.Bad(scim.Mutability, "%q is required and cannot be removed; replace its value.", a.Path())
	}
	return scim.Bad(scim.InvalidValue, "%q is required and cannot be unassigned; give it a value.", a.Path())
}

// keptPart returns a part of a single-valued complex value that must outlive it.
// ReadOnly parts of an extension stand on their own; those of an attribute, like
// manager.displayName, only follow it.
func keptPart(a *scim.Attribute, old scim.Value) *scim.Attribute {
	if a.MultiValued || a.Type != scim.TypeComplex {
		return nil
	}
	for _, sub := range a.Sub {
		if !old.Get(sub).Present() {
			continue
		}
		if sub.Mutability == scim.Immutable || (a.IsExtension() && sub.Mutability == scim.ReadOnly) {
			return sub
		}
	}
	return nil
}

// keepsImmutable compares with the resource before the request, so that an
// immutable attribute that had no value can be given one in several steps (P-31).
func (o *Operation) keepsImmutable(before, after *scim.Resource) error {
	for a := o.Attr; a != nil; a = a.Parent() {
		if a.Mutability != scim.Immutable {
			continue
		}
		if was := before.Get(a); was.Present() && !same(a, was, after.Get(a)) {
			return scim.Bad(scim.Mutability, "%q is immutable and has a value already; it cannot be changed.", a.Path())
		}
	}
	return nil
}

// followReference takes away what belonged to another reference: when
// manager.value changes, the old manager's $ref and displayName go, and the
// service provider fills them in anew.
func (o *Operation) followReference(r *scim.Resource, old, now scim.Value) {
	p := o.Attr.Parent()
	if p == nil || p.IsExtension() || p.MultiValued {
		return
	}
	if p.Find("value") == o.Attr && p.Find("$ref") != nil && !old.Equal(now) {
		for _, sub := range p.Sub {
			if sub.Mutability == scim.ReadOnly || sub.Name == "$ref" {
				r.Set(sub, scim.Value{})
			}
		}
	}
	if !now.Present() && onlyReadOnly(p, r.Get(p)) {
		r.Set(p, scim.Value{})
	}
}

func onlyReadOnly(a *scim.Attribute, v scim.Value) bool {
	for _, sub := range a.Sub {
		if v.Get(sub).Present() && sub.Mutability != scim.ReadOnly {
			return false
		}
	}
	return true
}

// repeats reports whether the value only says again what a readOnly attribute
// holds: each part that it has is equal, and in a list all elements are named, or,
// to be added, at least none that is not there (P-57).
func (o *Operation) repeats(stored scim.Value) bool {
	a := o.Attr
	if !a.MultiValued {
		return repeatsOne(a, o.Value, stored)
	}
	listed, elems := o.Value.Elems(), stored.Elems()
	if o.Op == Replace && len(listed) != len(elems) {
		return false
	}
	key, byKey := keysOf(a), byIdentity(a, elems)
	for _, e := range listed {
		w, ok := byKey[key.of(e)]
		if !ok || !repeatsOne(a, e, w) {
			return false
		}
	}
	return true
}

func repeatsOne(a *scim.Attribute, v, stored scim.Value) bool {
	if v.Kind() != scim.KindComplex {
		return same(a, v, stored)
	}
	_, ok := covers(a, v, stored, func(_, _ *scim.Attribute) bool { return true })
	return ok
}
