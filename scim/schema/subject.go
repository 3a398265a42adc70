package schema

import (
	"slices"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Subject lets a bound filter be asked about a resource.
func Subject(r *scim.Resource) filter.Subject { return resourceSubject{r} }

// ElementSubject lets a filter from BindElement be asked about one element of a.
func ElementSubject(a *scim.Attribute, element scim.Value) filter.Subject {
	return elementSubject{a, element}
}

type resourceSubject struct{ r *scim.Resource }

func (s resourceSubject) Values(c *filter.Compare, yield func(filter.Value) bool) {
	a, ok := c.Ref.(*scim.Attribute)
	if !ok {
		return
	}
	if p := a.Parent(); p != nil && p.MultiValued {
		for _, e := range s.r.Get(p).Elems() {
			if !yieldAll(e.Get(a), yield) {
				return
			}
		}
		return
	}
	yieldAll(s.r.Get(a), yield)
}

func (s resourceSubject) Elements(e *filter.Element, yield func(filter.Subject) bool) {
	a, ok := e.Ref.(*scim.Attribute)
	if !ok {
		return
	}
	v := s.r.Get(a)
	if v.Kind() == scim.KindComplex {
		yield(elementSubject{a, v})
		return
	}
	for _, elem := range v.Elems() {
		if !yield(elementSubject{a, elem}) {
			return
		}
	}
}

type elementSubject struct {
	a *scim.Attribute
	v scim.Value
}

func (s elementSubject) Values(c *filter.Compare, yield func(filter.Value) bool) {
	sub, ok := c.Ref.(*scim.Attribute)
	switch {
	case !ok:
	case sub == s.a: // an element of a simple attribute
		yieldAll(s.v, yield)
	case sub.Parent() == s.a:
		yieldAll(s.v.Get(sub), yield)
	}
}

// Elements yields nothing: an element holds no elements (S-16).
func (s elementSubject) Elements(*filter.Element, func(filter.Subject) bool) {}

// yieldAll yields a value, or each of several. A complex value is yielded, as
// something, if it holds anything (F-16).
func yieldAll(v scim.Value, yield func(filter.Value) bool) bool {
	switch v.Kind() {
	case scim.KindAbsent:
		return true
	case scim.KindString:
		return yield(filter.StringValue(v.String()))
	case scim.KindBool:
		return yield(filter.BoolValue(v.Bool()))
	case scim.KindInt:
		return yield(filter.IntValue(v.Int()))
	case scim.KindDecimal:
		return yield(filter.NumberValue(v.String()))
	case scim.KindComplex:
		return !v.Compact().Present() || yield(filter.BoolValue(true))
	}
	return !slices.ContainsFunc(v.Elems(), func(e scim.Value) bool { return !yieldAll(e, yield) })
}
