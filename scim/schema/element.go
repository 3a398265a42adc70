package schema

import (
	"strconv"

	"github.com/postern/postern/scim"
)

// SameElement reports whether two elements of the multi-valued attribute a are
// the same (P-40): members by their value, others by type and value, and those
// without a value by everything they hold.
func SameElement(a *scim.Attribute, x, y scim.Value) bool {
	return elementKey(a, x) == elementKey(a, y)
}

// elementKey is equal for elements that are the same. The first byte keeps the
// kinds of key apart.
func elementKey(a *scim.Attribute, v scim.Value) string {
	if a.Type != scim.TypeComplex {
		return "v" + comparisonKey(a, v)
	}
	value := a.Find("value")
	if value == nil || !v.Get(value).Present() {
		return "=" + string(scim.AppendValue(nil, a, v))
	}
	key := comparisonKey(value, v.Get(value))
	// Where value cannot change, it says who is meant: a member is in a group once.
	if t := a.Find("type"); t != nil && value.Mutability != scim.Immutable {
		key = comparisonKey(t, v.Get(t)) + "\x00" + key
	}
	return "v" + key
}

// comparisonKey is the comparison key of a simple value.
func comparisonKey(a *scim.Attribute, v scim.Value) string {
	switch v.Kind() {
	case scim.KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case scim.KindBool:
		return strconv.FormatBool(v.Bool())
	}
	if Exact(a) {
		return v.String()
	}
	return scim.Fold(v.String())
}

// Exact reports whether values of a compare with their case: what caseExact
// says for strings, and always for references and binaries (S-11, S-12).
func Exact(a *scim.Attribute) bool {
	return a.CaseExact || a.Type != scim.TypeString
}

// distinct collapses elements that are the same (S-19); the first stays, and
// takes from the later what it lacks.
func distinct(a *scim.Attribute, elems []scim.Value) []scim.Value {
	if len(elems) < 2 {
		return elems
	}
	at := make(map[string]int, len(elems))
	out := elems[:0]
	for _, e := range elems {
		key := elementKey(a, e)
		i, twice := at[key]
		if !twice {
			at[key] = len(out)
			out = append(out, e)
			continue
		}
		for _, sub := range a.Sub {
			if !out[i].Get(sub).Present() {
				out[i].Set(sub, e.Get(sub))
			}
		}
	}
	return out
}

// onePrimary refuses two primary elements (S-18).
func onePrimary(a *scim.Attribute, elems []scim.Value) error {
	primary := a.Find("primary")
	if primary == nil || primary.Type != scim.TypeBoolean {
		return nil
	}
	seen := false
	for _, e := range elems {
		if !e.Get(primary).Bool() {
			continue
		}
		if seen {
			return invalid("more than one element is primary; mark at most one")
		}
		seen = true
	}
	return nil
}
