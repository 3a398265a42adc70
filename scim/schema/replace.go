package schema

import (
	"slices"

	"github.com/postern/postern/scim"
)

// CheckReplace makes after, decoded from the body of a PUT, a lawful successor
// of before: what the client cannot write or did not repeat because it cannot
// read it is carried over (readOnly, immutable, writeOnly; U-06, U-09), and an
// immutable attribute with another value is 400 mutability (U-05). It changes
// after. What is readWrite and left out stays cleared (U-04, U-10).
func CheckReplace(before, after *scim.Resource) error {
	for _, a := range after.Layout().Attributes() {
		if a == after.Layout().Schemas {
			continue
		}
		v, err := succeed(a, before.Get(a), after.Get(a))
		if err != nil {
			return located(a, err)
		}
		after.Set(a, v)
	}
	return nil
}

// succeed is the value that follows before when a client sends v for all of a.
func succeed(a *scim.Attribute, before, v scim.Value) (scim.Value, error) {
	switch a.Mutability {
	case scim.ReadOnly:
		return before, nil
	case scim.Immutable:
		if !before.Present() {
			return v, nil
		}
		if v.Present() && !sameValue(a, before, v) {
			return v, &fault{typ: scim.Mutability, text: "it has a value, which is immutable; send the same one or leave it out"}
		}
		return before, nil
	case scim.WriteOnly:
		if !v.Present() {
			return before, nil
		}
		return v, nil
	}
	switch {
	case asRead(a, before, v):
		return before, nil
	case a.Type != scim.TypeComplex || !before.Present():
		return v, nil
	case a.MultiValued:
		return succeedElements(a, before, v), nil
	}
	return succeedComplex(a, before, v)
}

// asRead reports whether v is what becomes of before when a client sends it back:
// canonical values in their own spelling, and no element twice (S-19, S-20). Then
// the client changed nothing, and what the backend holds stays as it is.
func asRead(a *scim.Attribute, before, v scim.Value) bool {
	if !before.Present() || !v.Present() || a.Type == scim.TypeComplex && (!a.MultiValued || slices.ContainsFunc(a.Sub, fixed)) {
		return false
	}
	return respelt(a, before.Clone()).Equal(v)
}

// respelt is the value as a client's is read. It changes v.
func respelt(a *scim.Attribute, v scim.Value) scim.Value {
	switch v.Kind() {
	case scim.KindList:
		elems := v.Elems()
		for i := range elems {
			elems[i] = respelt(a, elems[i])
		}
		return scim.List(distinct(a, elems)...)
	case scim.KindComplex:
		for _, sub := range a.Sub {
			v.Set(sub, respelt(sub, v.Get(sub)))
		}
	case scim.KindString:
		if c, ok := canonical(a, v.String()); ok {
			return scim.Str(c)
		}
	}
	return v
}

func succeedComplex(a *scim.Attribute, before, v scim.Value) (scim.Value, error) {
	out := scim.NewComplex(a)
	same := a.IsExtension() || v.Present() && sameReferent(a, before, v)
	for _, sub := range a.Sub {
		was := before.Get(sub)
		if derived(sub) && !same {
			was = scim.Value{} // what described the former value does not describe the new one
		}
		got, err := succeed(sub, was, v.Get(sub))
		if err != nil {
			return v, under(separator(a)+sub.Name, err)
		}
		out.Set(sub, got)
	}
	return out.Compact(), nil
}

// derived sub-attributes are filled in by the server from the others.
func derived(sub *scim.Attribute) bool {
	return sub.Mutability == scim.ReadOnly || sub.Name == "$ref"
}

func sameReferent(a *scim.Attribute, x, y scim.Value) bool {
	value := a.Find("value")
	return value == nil || sameValue(value, x.Get(value), y.Get(value))
}

// succeedElements gives elements that stay what their client cannot write: an
// element's immutable parts and those that the server fills in. An element with
// another identity is another element, not a changed one.
func succeedElements(a *scim.Attribute, before, v scim.Value) scim.Value {
	if !slices.ContainsFunc(a.Sub, fixed) {
		return v
	}
	was := make(map[string]scim.Value, len(before.Elems()))
	for _, e := range before.Elems() {
		was[elementKey(a, e)] = e
	}
	out := slices.Clone(v.Elems())
	for i, e := range out {
		old, stays := was[elementKey(a, e)]
		if !stays {
			continue
		}
		e = e.Clone()
		for _, sub := range a.Sub {
			if fixed(sub) && old.Get(sub).Present() {
				e.Set(sub, old.Get(sub))
			}
		}
		out[i] = e
	}
	return scim.List(out...)
}

func fixed(sub *scim.Attribute) bool { return derived(sub) || sub.Mutability == scim.Immutable }

// sameValue compares as filters do: by caseExact, multi-valued attributes as sets.
func sameValue(a *scim.Attribute, x, y scim.Value) bool {
	if x.Kind() != y.Kind() {
		return false
	}
	switch x.Kind() {
	case scim.KindList:
		return sameSet(a, x.Elems(), y.Elems())
	case scim.KindComplex:
		for _, sub := range a.Sub {
			if !sameValue(sub, x.Get(sub), y.Get(sub)) {
				return false
			}
		}
		return true
	}
	return comparisonKey(a, x) == comparisonKey(a, y)
}

func sameSet(a *scim.Attribute, x, y []scim.Value) bool {
	if len(x) != len(y) {
		return false
	}
	was := make(map[string]scim.Value, len(x))
	for _, e := range x {
		was[elementKey(a, e)] = e
	}
	for _, e := range y {
		old, ok := was[elementKey(a, e)]
		if !ok || !sameValue(a, old, e) {
			return false
		}
	}
	return true
}
