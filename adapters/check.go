package adapters

import "github.com/postern/postern/scim/filter"

// Check answers Unsupported if the query asks for what c does not declare. An
// adapter that calls it first cannot drop a part of a query in silence.
func (c *Capabilities) Check(q Query) error {
	if err := c.checkFilter(q.Filter); err != nil {
		return err
	}
	for _, s := range q.Sort {
		if f, ok := c.Field(s.Field); !ok || !f.Sort[s.Match] {
			return unsupported(s.Field, "no sort by %s, compared %v", s.Field, s.Match)
		}
	}
	if q.Offset != 0 && !c.Offset {
		return unsupported("", "no offset")
	}
	if q.Total && !c.Total {
		return unsupported("", "no total")
	}
	return nil
}

// Field answers what is declared about a field or about KeyField, and whether
// there is such a field.
func (c *Capabilities) Field(name string) (Field, bool) {
	if name == KeyField {
		return c.Key, true
	}
	if i := c.Shape.Index(name); i >= 0 {
		return c.Fields[i], true
	}
	return Field{}, false
}

func (c *Capabilities) checkFilter(e filter.Expr) error {
	switch e := e.(type) {
	case nil, filter.True, filter.False:
		return nil
	case filter.And:
		return c.checkTerms(e)
	case filter.Or:
		if !c.Or {
			return unsupported("", "no filters with or")
		}
		return c.checkTerms(e)
	case filter.Not:
		if !c.Not {
			return unsupported("", "no filters with not")
		}
		return c.checkFilter(e.Term)
	case *filter.Element:
		return c.checkElement(e)
	case *filter.Compare:
		if f, ok := c.Field(e.Name); !ok || !f.Filter[e.Match].Has(e.Op) {
			return unsupported(e.Name, "no filter %s %v, compared %v", e.Name, e.Op, e.Match)
		}
		return nil
	}
	return unsupported("", "no filters of the form %T", e)
}

// checkElement asks of the parts what is asked of fields.
func (c *Capabilities) checkElement(e *filter.Element) error {
	f, ok := c.Field(e.Name)
	if !ok || f.Elements == nil {
		return unsupported(e.Name, "no filter by elements of %s", e.Name)
	}
	parts := Capabilities{Shape: f.Elements.Shape, Fields: f.Elements.Fields, Or: c.Or, Not: c.Not}
	if err := parts.checkFilter(e.Where); err != nil {
		return unsupported(e.Name, "elements of %s: %v", e.Name, err)
	}
	return nil
}

func (c *Capabilities) checkTerms(terms []filter.Expr) error {
	for _, t := range terms {
		if err := c.checkFilter(t); err != nil {
			return err
		}
	}
	return nil
}

func unsupported(field, format string, args ...any) *Error {
	e := Errorf(Unsupported, "list", format, args...)
	e.Field = field
	return e
}
