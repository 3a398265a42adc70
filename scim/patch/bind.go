package patch

import (
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// bind gives the names of a path's filter their sub-attributes. Entra writes
// roles[primary eq "True"], which the lenient reading takes for a boolean (F-28).
func bind(where filter.Expr, a *scim.Attribute, strict bool) (filter.Expr, error) {
	return schema.BindElement(a, where, schema.BindOptions{Lenient: !strict})
}

// selects reports whether the operation means the element.
func (o *Operation) selects(elem scim.Value) bool {
	return o.Where == nil || filter.Matches(o.Where, schema.ElementSubject(o.Attr, elem))
}
