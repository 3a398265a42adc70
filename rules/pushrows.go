package rules

import (
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Filters over elements that are rows: the backend asks for one row of which all
// is true.

// anyRow translates a comparison with a part of any element.
func (m *Mapping) anyRow(c *filter.Compare, r *Rule) filter.Expr {
	el := func(where filter.Expr) filter.Expr {
		if where == nil {
			return nil
		}
		return &filter.Element{Name: r.field, Where: where}
	}
	t := m.inRow(c, r)
	has := m.hasPart(r, attribute(c))
	switch {
	case isNull(c):
		return m.negate(el(has))
	case filter.Test(c, filter.Value{}): // also true where no element has the part
		return anyOf(el(allOf(has, t)), m.negate(el(has)))
	}
	return el(t)
}

// partOf is the rule for a sub-attribute, nil if no column holds it.
func (r *Rule) partOf(a *scim.Attribute) *Rule {
	for _, part := range r.columns {
		if part.attr == a {
			return part
		}
	}
	return nil
}

func (m *Mapping) hasPart(r *Rule, a *scim.Attribute) filter.Expr {
	part := r.partOf(a)
	if part == nil {
		return filter.False{}
	}
	return m.makes(part)
}

// inRow translates a comparison as asked of one row.
func (m *Mapping) inRow(c *filter.Compare, r *Rule) filter.Expr {
	part := r.partOf(attribute(c))
	if part == nil {
		return truth(filter.Test(c, filter.Value{}))
	}
	return m.one(c, part)
}

// rowExists is true of a row of which an element is made.
func (m *Mapping) rowExists(r *Rule) filter.Expr {
	terms := make([]filter.Expr, len(r.columns))
	for i, part := range r.columns {
		terms[i] = m.makes(part)
	}
	return anyOf(terms...)
}

// rowPresent is true where there is such a row.
func (m *Mapping) rowPresent(r *Rule) filter.Expr {
	where := m.rowExists(r)
	if where == nil {
		return nil
	}
	return &filter.Element{Name: r.field, Where: where}
}

// rowElement translates emails[type eq "work" and value co "x"].
func (m *Mapping) rowElement(e *filter.Element, r *Rule) filter.Expr {
	where := m.where(e.Where, func(c *filter.Compare) filter.Expr { return m.inRow(c, r) })
	if where == nil {
		return nil
	}
	if filter.Matches(where, nothing{}) { // true of nothing: then there must be an element
		if where = allOf(m.rowExists(r), where); where == nil {
			return nil
		}
	}
	return &filter.Element{Name: r.field, Where: where}
}

// canElement reports whether the backend evaluates a filter over parts.
func (m *Mapping) canElement(e *filter.Element) bool {
	f := m.fieldNamed(e.Name)
	if f.Elements == nil {
		return false
	}
	ok := true
	filter.Walk(e.Where, func(n filter.Expr) bool {
		switch n := n.(type) {
		case filter.Or:
			ok = ok && m.caps.Or
		case filter.Not:
			ok = ok && m.caps.Not
		case *filter.Compare:
			part, known := f.Elements.Field(n.Name)
			ok = ok && known && part.Filter[n.Match].Has(n.Op)
		case *filter.Element:
			ok = false
		}
		return ok
	})
	return ok
}
