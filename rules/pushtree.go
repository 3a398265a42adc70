package rules

import (
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// Filters over fields, put together. nil stands for "cannot be said", and what
// is made of it cannot be said either.

func anyOf(terms ...filter.Expr) filter.Expr {
	if slices.Contains(terms, nil) {
		return nil
	}
	return filter.OrOf(terms...)
}

func allOf(terms ...filter.Expr) filter.Expr {
	if slices.Contains(terms, nil) {
		return nil
	}
	if t := filter.AndOf(terms...); t != nil {
		return t
	}
	return filter.True{}
}

func noneOf(t filter.Expr) filter.Expr {
	if t == nil {
		return nil
	}
	return filter.NotOf(t)
}

func truth(b bool) filter.Expr {
	if b {
		return filter.True{}
	}
	return filter.False{}
}

// negate is true where t is not. Where the backend has no not, eq of single
// fields has its opposite in ne.
func (m *Mapping) negate(t filter.Expr) filter.Expr {
	if t == nil || m.caps.Not {
		return noneOf(t)
	}
	switch t := t.(type) {
	case filter.Or:
		terms := make([]filter.Expr, len(t))
		for i := range t {
			terms[i] = m.negate(t[i])
		}
		return allOf(terms...)
	case *filter.Compare:
		if f := m.fieldNamed(t.Name); t.Op == filter.Eq && t.Value.Kind != filter.Null && !f.Multi && f.Filter[t.Match].Has(filter.Ne) {
			c := *t
			c.Op = filter.Ne
			return &c
		}
	}
	return noneOf(t)
}

func (m *Mapping) fieldNamed(name string) adapters.Field {
	if name == adapters.KeyField {
		return m.caps.Key
	}
	if i := m.shape.Index(name); i >= 0 && i < len(m.caps.Fields) {
		return m.caps.Fields[i]
	}
	return adapters.Field{}
}

// can reports whether the backend evaluates every part of a filter over fields.
func (m *Mapping) can(e filter.Expr) bool {
	ok := e != nil
	filter.Walk(e, func(n filter.Expr) bool {
		switch n := n.(type) {
		case filter.Or:
			ok = ok && m.caps.Or
		case filter.Not:
			ok = ok && m.caps.Not
		case *filter.Compare:
			ok = ok && m.fieldNamed(n.Name).Filter[n.Match].Has(n.Op)
		case *filter.Element:
			ok = ok && m.canElement(n)
			return false
		}
		return ok
	})
	return ok
}

// isNull reports the comparison "eq null", which asks for no value.
func isNull(c *filter.Compare) bool { return c.Op == filter.Eq && c.Value.Kind == filter.Null }

// isPresence reports comparisons that ask only whether there is a value.
func isPresence(c *filter.Compare) bool { return c.Op == filter.Pr || c.Value.Kind == filter.Null }

// filterValue is a value as filters compare it.
func filterValue(v scim.Value) filter.Value {
	switch v.Kind() {
	case scim.KindBool:
		return filter.BoolValue(v.Bool())
	case scim.KindInt:
		return filter.IntValue(v.Int())
	case scim.KindDecimal:
		return filter.NumberValue(v.String())
	case scim.KindString:
		return filter.StringValue(v.String())
	}
	return filter.Value{}
}

// matchOf says how the values of an attribute compare, as binding does.
func matchOf(a *scim.Attribute) filter.Match {
	switch a.Type {
	case scim.TypeBoolean:
		return filter.Boolean
	case scim.TypeInteger:
		return filter.Integer
	case scim.TypeDecimal:
		return filter.Decimal
	case scim.TypeDateTime:
		return filter.DateTime
	case scim.TypeComplex:
		return filter.Presence
	}
	if schema.Exact(a) {
		return filter.Exact
	}
	return filter.Folded
}

// nothing is a subject without any value.
type nothing struct{}

func (nothing) Values(*filter.Compare, func(filter.Value) bool)     {}
func (nothing) Elements(*filter.Element, func(filter.Subject) bool) {}
