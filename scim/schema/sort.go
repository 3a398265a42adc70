package schema

import "github.com/postern/postern/scim"

// SortAttribute finds the attribute that sortBy names (O-02, O-07): a simple one,
// or the value of a complex one that has several values. Errors are 400
// invalidValue.
func SortAttribute(l *scim.Layout, name string) (*scim.Attribute, error) {
	a := l.Resolve(name)
	if a == nil {
		return nil, scim.Bad(scim.InvalidValue, "sortBy: there is no attribute \"%s\" here%s", printable(name), didYouMean(name, paths(l)))
	}
	if a.Type == scim.TypeComplex {
		value := a.Find("value")
		if value == nil || !a.MultiValued {
			return nil, scim.Bad(scim.InvalidValue, "sortBy: %q is complex; name one of its sub-attributes.", a.Path())
		}
		a = value
	}
	if hidden(a) {
		return nil, scim.Bad(scim.InvalidValue, "sortBy: %q cannot be sorted by, because it is never returned.", a.Path())
	}
	return a, nil
}
