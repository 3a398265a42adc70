package patch

import (
	"slices"

	"github.com/postern/postern/scim"
)

// nextList is a whole multi-valued attribute after the operation.
func (o *Operation) nextList(old scim.Value) (scim.Value, error) {
	switch o.Op {
	case Add:
		// To add nothing changes nothing, also when nothing is written [] or null.
		return o.addAll(old, o.Value.Elems())
	case Replace:
		return o.replaceAll(old)
	}
	if o.unassigns() {
		return scim.Value{}, nil
	}
	return o.removeListed(old), nil
}

// removeListed takes away the elements that the operation lists, and no other
// (P-48, J1). What is not there needs no removal (P-47).
func (o *Operation) removeListed(old scim.Value) scim.Value {
	gone := listingOf(o.Attr, o.Value.Elems())
	return scim.List(slices.DeleteFunc(slices.Clone(old.Elems()), gone.has)...)
}

// addAll adds the elements of in that old does not have, and completes those
// that it has (P-39, P-40).
func (o *Operation) addAll(old scim.Value, in []scim.Value) (scim.Value, error) {
	if len(in) == 0 {
		return old, nil
	}
	key, keys := keysOf(o.Attr), make([]string, len(in))
	todo := make(map[string]int, len(in))
	for i, e := range in {
		keys[i] = key.of(e)
		if _, twice := todo[keys[i]]; !twice {
			todo[keys[i]] = i
		}
	}
	l := elements{attr: o.Attr, list: slices.Grow(slices.Clone(old.Elems()), len(in))}
	for i, e := range l.list {
		at, ok := todo[key.of(e)]
		if !ok {
			continue
		}
		delete(todo, keys[at])
		if err := l.complete(i, in[at]); err != nil {
			return scim.Value{}, err
		}
	}
	for i, e := range in {
		switch at, ok := todo[keys[i]]; {
		case !ok || at != i:
		case i == 0 && o.leads:
			l.list = slices.Insert(l.list, 0, e) // of an attribute without primary: nobody asks what changed
		default:
			l.list = append(l.list, e)
			l.change(len(l.list) - 1)
		}
	}
	return l.distinctValue()
}

// replaceAll puts the given elements in place of all others. References that
// stay are kept as they are stored and where they are; a list that says what is
// there already changes nothing (P-12).
func (o *Operation) replaceAll(old scim.Value) (scim.Value, error) {
	in := distinct(o.Attr, o.Value.Elems())
	if !isReferences(o.Attr) {
		if unchanged(o.Attr, old, in) {
			return old, nil
		}
		return o.replaceOthers(old, in)
	}
	stay := listingOf(o.Attr, in)
	kept := slices.DeleteFunc(slices.Clone(old.Elems()), func(e scim.Value) bool { return !stay.has(e) })
	return o.addAll(scim.List(kept...), in)
}

// unchanged reports whether a list says what is there already, in whatever order.
// Letters in the other case are a change, though they compare alike, but where
// nothing can change.
func unchanged(a *scim.Attribute, old scim.Value, in []scim.Value) bool {
	immutable := func(a *scim.Attribute) bool { return a.Mutability == scim.Immutable }
	if immutable(a) || slices.ContainsFunc(a.Sub, immutable) {
		return same(a, old, scim.List(in...))
	}
	return sameElements(old.Elems(), in, func(e scim.Value) string { return string(scim.AppendValue(nil, a, e)) })
}

// replaceOthers is replaceAll for elements that are no references.
func (o *Operation) replaceOthers(old scim.Value, in []scim.Value) (scim.Value, error) {
	l := elements{attr: o.Attr, list: in}
	for i := range in {
		l.change(i)
	}
	if hasServerParts(o.Attr) {
		key, was := keysOf(o.Attr), byIdentity(o.Attr, old.Elems())
		for i, e := range in {
			in[i] = inherit(o.Attr, was[key.of(e)], e)
		}
	}
	return l.distinctValue()
}

// distinct drops elements that the list has already (S-19).
func distinct(a *scim.Attribute, in []scim.Value) []scim.Value {
	key, seen := keysOf(a), make(map[string]bool, len(in))
	return slices.DeleteFunc(slices.Clone(in), func(e scim.Value) bool {
		k := key.of(e)
		twice := seen[k]
		seen[k] = true
		return twice
	})
}

// nextElements is a multi-valued attribute after an operation on some of its
// elements (P-42, P-44, P-45, P-52, P-53).
func (o *Operation) nextElements(old scim.Value) (scim.Value, error) {
	if o.Op == Add && o.Sub == nil && o.unassigns() {
		return old, nil // nothing is added
	}
	l := elements{attr: o.Attr, list: slices.Clone(old.Elems())}
	if o.Op == Remove && !o.unassigns() {
		l.named = listingOf(o.aimed(), o.Value.Elems())
	}
	found := false
	for i, e := range l.list {
		if !o.selects(e) {
			continue
		}
		found = true
		if err := l.put(i, o); err != nil {
			return scim.Value{}, err
		}
	}
	if !found {
		return o.noMatch(old)
	}
	return l.value()
}

// noMatch is what happens when the filter selects nothing: there is nothing to
// take away, and an element to write to is made if the filter says how (J3, J4).
func (o *Operation) noMatch(old scim.Value) (scim.Value, error) {
	switch {
	case o.Op == Remove || o.unassigns():
		return old, nil
	case !o.fresh.Present():
		return scim.Value{}, o.noTarget()
	case o.Attr.Type != scim.TypeComplex:
		return o.addAll(old, []scim.Value{o.Value})
	}
	elem := o.fresh.Clone()
	if o.Sub != nil {
		elem.Set(o.Sub, o.Value)
	} else {
		elem = merged(o.Attr, elem, o.Value)
	}
	if isReferences(o.Attr) && !elem.Get(o.Attr.Find("value")).Present() {
		return scim.Value{}, o.noTarget() // a reference to nobody
	}
	return o.addAll(old, []scim.Value{elem})
}

func (o *Operation) noTarget() error {
	if o.Op == Replace {
		return scim.Bad(scim.NoTarget, "No element of %q matches the filter in the path; add the element instead of replacing it.", o.Attr.Path())
	}
	return scim.Bad(scim.NoTarget, "No element of %q matches the filter in the path, and its terms do not say what to make: "+
		"join them with eq and and, or add the whole element.", o.Attr.Path())
}
