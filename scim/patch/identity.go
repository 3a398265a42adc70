package patch

import (
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// isReferences reports whether a is a multi-valued list of references, such as
// members and groups: its elements are told apart by value alone (P-40), and
// what else they hold follows from it.
func isReferences(a *scim.Attribute) bool {
	value := a.Find("value")
	return value != nil && (a.Find("$ref") != nil || value.Mutability == scim.Immutable)
}

// isLabel reports whether sub only describes an element: without anything else
// there is no element.
func isLabel(sub *scim.Attribute) bool {
	switch strings.ToLower(sub.Name) {
	case "type", "primary":
		return true
	}
	return sub.Mutability == scim.ReadOnly
}

// isSignificant reports whether sub takes part in telling elements of a apart.
func isSignificant(a, sub *scim.Attribute) bool {
	switch strings.ToLower(sub.Name) {
	case "primary":
		return false
	case "display":
		return a.Find("value") == nil
	}
	return sub.Mutability != scim.ReadOnly
}

// keys makes identities: strings that two elements of the multi-valued attribute
// have in common exactly when they are the same element (P-39, P-40).
type keys struct {
	attr  *scim.Attribute
	value *scim.Attribute // of references
}

func keysOf(a *scim.Attribute) keys {
	k := keys{attr: a}
	if isReferences(a) {
		k.value = a.Find("value")
	}
	return k
}

func (k keys) of(elem scim.Value) string {
	if k.value != nil {
		// Ids are compared byte for byte, whatever the schema says of value (S-32).
		return elem.Get(k.value).String()
	}
	if k.attr.Type != scim.TypeComplex {
		return string(appendKey(nil, k.attr, elem))
	}
	key := identityOf(k.attr, elem, isSignificant)
	if key == "" {
		key = identityOf(k.attr, elem, func(_, _ *scim.Attribute) bool { return true })
	}
	return key
}

// byIdentity finds elements by their identity; the last of several.
func byIdentity(a *scim.Attribute, elems []scim.Value) map[string]scim.Value {
	k := keysOf(a)
	m := make(map[string]scim.Value, len(elems))
	for _, e := range elems {
		m[k.of(e)] = e
	}
	return m
}

func identityOf(a *scim.Attribute, elem scim.Value, takes func(a, sub *scim.Attribute) bool) string {
	var key []byte
	for i, sub := range a.Sub {
		if v := elem.Get(sub); v.Present() && takes(a, sub) {
			key = append(strconv.AppendInt(key, int64(i), 10), ':')
			key = appendKey(key, sub, v)
		}
	}
	return string(key)
}

// appendKey appends the comparison key of one value, with its length in front so
// that two keys side by side cannot be read as another two.
func appendKey(dst []byte, a *scim.Attribute, v scim.Value) []byte {
	switch v.Kind() {
	case scim.KindString, scim.KindDecimal:
		s := v.String()
		if !a.CaseExact && a.Type == scim.TypeString {
			s = scim.Fold(s)
		}
		dst = append(strconv.AppendInt(dst, int64(len(s)), 10), '"')
		return append(dst, s...)
	case scim.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case scim.KindInt:
		return append(strconv.AppendInt(dst, v.Int(), 10), ';')
	case scim.KindList:
		dst = append(strconv.AppendInt(dst, int64(len(v.Elems())), 10), '[')
		for _, e := range v.Elems() {
			dst = appendKey(dst, a, e)
		}
	case scim.KindComplex:
		dst = append(dst, '{')
		for i, sub := range a.Sub {
			if w := v.Get(sub); w.Present() {
				dst = append(strconv.AppendInt(dst, int64(i), 10), ':')
				dst = appendKey(dst, sub, w)
			}
		}
		dst = append(dst, '}')
	}
	return dst
}

// same reports whether two values of a are equal by the attribute's own rules:
// caseExact decides about case, and the order of elements has no meaning.
func same(a *scim.Attribute, v, w scim.Value) bool {
	if v.Equal(w) {
		return true
	}
	if v.Kind() != w.Kind() {
		return false
	}
	if v.Kind() != scim.KindList {
		return string(appendKey(nil, a, v)) == string(appendKey(nil, a, w))
	}
	return sameElements(v.Elems(), w.Elems(), func(v scim.Value) string { return string(appendKey(nil, a, v)) })
}

// sameElements reports whether two lists hold the same elements, as often.
func sameElements(v, w []scim.Value, key func(scim.Value) string) bool {
	if len(v) != len(w) {
		return false
	}
	count := make(map[string]int, len(v))
	for _, e := range v {
		count[key(e)]++
	}
	for _, e := range w {
		k := key(e)
		if count[k] == 0 {
			return false
		}
		count[k]--
	}
	return true
}

// covers reports whether listed has any of the sub-attributes, and whether stored
// has the same values for those that it has.
func covers(a *scim.Attribute, listed, stored scim.Value, takes func(a, sub *scim.Attribute) bool) (given, ok bool) {
	for _, sub := range a.Sub {
		v := listed.Get(sub)
		if !v.Present() || !takes(a, sub) {
			continue
		}
		given = true
		if !same(sub, v, stored.Get(sub)) {
			return true, false
		}
	}
	return given, true
}
