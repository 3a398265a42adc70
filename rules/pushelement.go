package rules

import (
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Filters over the elements of a multi-valued attribute. Each group of rules
// stores one element, so "an element satisfies" becomes an or over the groups,
// with the group's constants decided at once.

// groupsOf lists the groups of an attribute; false if something else than groups
// also makes its elements, so that they do not tell everything.
func (m *Mapping) groupsOf(a *scim.Attribute) ([]*group, bool) {
	var out []*group
	for _, g := range m.groups {
		if g.attr == a {
			out = append(out, g)
		}
	}
	for _, r := range m.rules {
		if r.group == nil && r.attr == a {
			return nil, false
		}
	}
	return out, len(out) > 0
}

// anyElement translates a comparison with a sub-attribute of any element.
func (m *Mapping) anyElement(c *filter.Compare, a *scim.Attribute) (filter.Expr, bool) {
	groups, ok := m.groupsOf(a.Parent())
	if !ok || !m.caps.Or || !m.caps.Not {
		return nil, false
	}
	absent := filter.Matches(c, noSubject{})
	var terms []filter.Expr
	for _, g := range groups {
		has, ok := m.hasSub(g, a)
		if !ok {
			return nil, false
		}
		t, ok := m.inGroup(c, g)
		if !ok {
			return nil, false
		}
		if c.Op == filter.Eq && c.Value.Kind == filter.Null {
			terms = append(terms, not(has))
			continue
		}
		terms = append(terms, and(has, t))
	}
	if c.Op == filter.Eq && c.Value.Kind == filter.Null {
		return join(terms, true), true
	}
	if absent { // also true when no element has the sub-attribute
		var none []filter.Expr
		for _, g := range groups {
			has, _ := m.hasSub(g, a)
			none = append(none, not(has))
		}
		terms = append(terms, join(none, true))
	}
	return join(terms, false), true
}

// hasSub is true when the group's element has a value for the sub-attribute.
func (m *Mapping) hasSub(g *group, a *scim.Attribute) (filter.Expr, bool) {
	for _, f := range g.consts {
		if f.attr == a {
			return m.exists(g)
		}
	}
	for _, r := range g.rules {
		if r.attr == a {
			return m.field1(&filter.Compare{Op: filter.Pr, Match: filter.Exact, Ref: a}, r)
		}
	}
	return filter.False{}, true
}

// exists is true when the group has an element at all: a field with a value.
func (m *Mapping) exists(g *group) (filter.Expr, bool) {
	var terms []filter.Expr
	for _, r := range g.rules {
		t, ok := m.field1(&filter.Compare{Op: filter.Pr, Match: filter.Exact, Ref: r.attr}, r)
		if !ok {
			return nil, false
		}
		terms = append(terms, t)
	}
	return join(terms, false), true
}

// inGroup translates a comparison as asked of the group's element.
func (m *Mapping) inGroup(c *filter.Compare, g *group) (filter.Expr, bool) {
	for _, f := range g.consts {
		if f.attr == c.Ref {
			return truth(filter.Matches(c, oneValue(filterValue(f.value)))), true
		}
	}
	for _, r := range g.rules {
		if r.attr == c.Ref {
			return m.field1(c, r)
		}
	}
	return truth(filter.Matches(c, noSubject{})), true
}

func truth(b bool) filter.Expr {
	if b {
		return filter.True{}
	}
	return filter.False{}
}

// element translates emails[type eq "work" and value co "x"].
func (m *Mapping) element(e *filter.Element, _ Lookup) (filter.Expr, bool) {
	a, ok := e.Ref.(*scim.Attribute)
	if !ok {
		return nil, false
	}
	if r := m.relationRule(a); r != nil {
		return nil, false
	}
	groups, ok := m.groupsOf(a)
	if !ok || !m.caps.Or || !m.caps.Not {
		return nil, false
	}
	var terms []filter.Expr
	for _, g := range groups {
		t, ok := m.where(e.Where, g)
		if !ok {
			return nil, false
		}
		t = filter.Simplify(t)
		if filter.Matches(t, noSubject{}) { // true of nothing: then there must be an element
			has, ok := m.exists(g)
			if !ok {
				return nil, false
			}
			t = and(has, t)
		}
		terms = append(terms, t)
	}
	return join(terms, false), true
}

func (m *Mapping) where(e filter.Expr, g *group) (filter.Expr, bool) {
	all := func(es []filter.Expr) ([]filter.Expr, bool) {
		out := make([]filter.Expr, len(es))
		for i, t := range es {
			var ok bool
			if out[i], ok = m.where(t, g); !ok {
				return nil, false
			}
		}
		return out, true
	}
	switch e := e.(type) {
	case filter.And:
		out, ok := all(e)
		return filter.And(out), ok
	case filter.Or:
		out, ok := all(e)
		return filter.Or(out), ok
	case filter.Not:
		t, ok := m.where(e.Term, g)
		return filter.Not{Term: t}, ok
	case *filter.Compare:
		return m.inGroup(e, g)
	case filter.True, filter.False:
		return e, true
	}
	return nil, false
}

// join makes an and or an or of terms; one term is itself.
func join(terms []filter.Expr, conj bool) filter.Expr {
	switch {
	case len(terms) == 1:
		return terms[0]
	case conj:
		return filter.And(terms)
	}
	return filter.Or(terms)
}
