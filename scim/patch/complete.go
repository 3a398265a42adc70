package patch

import (
	"slices"

	"github.com/postern/postern/scim"
)

// checkComplete refuses a result in which the request has left something without what
// it requires. It looks at the end, because several operations may fill an
// element or an extension together (S-27, P-46). The error names the last
// operation on the attribute. Attributes that were not touched, and perhaps not
// even read, are not looked at: it must stay possible to disable a user whose
// record has no name.
func checkComplete(before, after *scim.Resource, ops []Operation) error {
	seen := make(map[*scim.Attribute]bool, len(ops))
	for i := len(ops) - 1; i >= 0; i-- {
		top := ops[i].Attr
		for top.Parent() != nil {
			top = top.Parent()
		}
		if seen[top] {
			continue
		}
		seen[top] = true
		if a := lacking(top, before.Get(top), after.Get(top), false); a != nil {
			return scim.Prefix(place(ops[i].Index), ops[i].required(a))
		}
	}
	return nil
}

// lacking returns what is required in a, was there before or belongs to
// something new, and is missing now.
func lacking(a *scim.Attribute, was, now scim.Value, isNew bool) *scim.Attribute {
	switch {
	case a.Mutability == scim.ReadOnly || (a.Mutability == scim.WriteOnly && !isNew):
		return nil
	case !now.Present():
		if a.Required && (isNew || was.Present()) {
			return a
		}
		return nil
	case now.Kind() == scim.KindComplex:
		return lackingPart(a, was, now)
	case now.Kind() != scim.KindList || !slices.ContainsFunc(a.Sub, func(s *scim.Attribute) bool { return s.Required }):
		return nil
	}
	for _, e := range now.Elems() {
		if part := lackingPart(a, scim.Value{}, e); part != nil && !slices.ContainsFunc(was.Elems(), e.Equal) {
			return part
		}
	}
	return nil
}

func lackingPart(a *scim.Attribute, was, now scim.Value) *scim.Attribute {
	for _, sub := range a.Sub {
		if part := lacking(sub, was.Get(sub), now.Get(sub), !was.Present()); part != nil {
			return part
		}
	}
	return nil
}
