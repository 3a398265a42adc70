package rules

import (
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Filters over the elements of a multi-valued attribute. Each group of rules
// stores one element, so "an element satisfies" becomes an or over the groups,
// with the group's constants decided at once.

// anyElement translates a comparison with a sub-attribute of any element.
func (m *Mapping) anyElement(c *filter.Compare, a *scim.Attribute) filter.Expr {
	all := m.elements[a.Parent()]
	if all == nil {
		return nil
	}
	absent := filter.Test(c, filter.Value{})
	var fits, has []filter.Expr
	for _, g := range all.groups {
		h, t := m.hasSub(g, a), m.inGroup(c, g)
		if absent || g.fixes(a) { // else what fits is there
			t = allOf(h, t)
		}
		fits, has = append(fits, t), append(has, h)
	}
	switch {
	case isNull(c):
		return m.negate(anyOf(has...))
	case absent: // also true when no element has the sub-attribute
		return anyOf(anyOf(fits...), m.negate(anyOf(has...)))
	}
	return anyOf(fits...)
}

func (g *group) fixes(a *scim.Attribute) bool {
	for _, f := range g.consts {
		if f.attr == a {
			return true
		}
	}
	return false
}

// hasSub is true when the group's element has a value for the sub-attribute.
func (m *Mapping) hasSub(g *group, a *scim.Attribute) filter.Expr {
	if g.fixes(a) {
		return m.exists(g)
	}
	for _, r := range g.rules {
		if r.attr == a {
			return m.makes(r)
		}
	}
	return filter.False{}
}

// exists is true when the group has an element at all: a field with a value.
func (m *Mapping) exists(g *group) filter.Expr {
	terms := make([]filter.Expr, len(g.rules))
	for i, r := range g.rules {
		terms[i] = m.makes(r)
	}
	return anyOf(terms...)
}

// inGroup translates a comparison as asked of the group's element.
func (m *Mapping) inGroup(c *filter.Compare, g *group) filter.Expr {
	for _, f := range g.consts {
		if f.attr == c.Ref {
			return truth(filter.Test(c, filterValue(f.value)))
		}
	}
	for _, r := range g.rules {
		if r.attr == c.Ref {
			return m.one(c, r)
		}
	}
	return truth(filter.Test(c, filter.Value{}))
}

// element translates emails[type eq "work" and value co "x"], and
// members[value eq "id"].
func (m *Mapping) element(e *filter.Element, l Lookup) filter.Expr {
	a, ok := e.Ref.(*scim.Attribute)
	if !ok {
		return nil
	}
	if c, ok := e.Where.(*filter.Compare); ok && c.Op == filter.Eq {
		if r := m.references[attribute(c)]; r != nil && r.refers.holder == a {
			return m.referenceCompare(c, r, l)
		}
	}
	if r := m.byAttr[a]; r != nil && r.columns != nil {
		return m.rowElement(e, r)
	}
	all := m.elements[a]
	if all == nil {
		return nil
	}
	terms := make([]filter.Expr, len(all.groups))
	for i, g := range all.groups {
		t := m.where(e.Where, func(c *filter.Compare) filter.Expr { return m.inGroup(c, g) })
		if t != nil && filter.Matches(t, nothing{}) { // true of nothing: then there must be an element
			t = allOf(m.exists(g), t)
		}
		terms[i] = t
	}
	return anyOf(terms...)
}

func attribute(c *filter.Compare) *scim.Attribute {
	a, _ := c.Ref.(*scim.Attribute)
	return a
}

// where translates the conditions on one element, leaf by leaf.
func (m *Mapping) where(e filter.Expr, leaf func(*filter.Compare) filter.Expr) filter.Expr {
	each := func(es []filter.Expr) []filter.Expr {
		out := make([]filter.Expr, len(es))
		for i, t := range es {
			out[i] = m.where(t, leaf)
		}
		return out
	}
	switch e := e.(type) {
	case filter.And:
		return allOf(each(e)...)
	case filter.Or:
		return anyOf(each(e)...)
	case filter.Not:
		return m.negate(m.where(e.Term, leaf))
	case *filter.Compare:
		return leaf(e)
	case filter.True, filter.False:
		return e
	}
	return nil
}
