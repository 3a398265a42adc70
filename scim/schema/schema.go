package schema

import "github.com/postern/postern/scim"

// A Schema is a set of attribute definitions under one URN (RFC 7643 section 7).
type Schema struct {
	ID          string // URN
	Name        string
	Description string
	Attributes  []*scim.Attribute
}

// Clone copies a schema, so that a configuration can change its attributes.
func (s *Schema) Clone() *Schema {
	c := *s
	c.Attributes = make([]*scim.Attribute, len(s.Attributes))
	for i, a := range s.Attributes {
		c.Attributes[i] = a.Clone()
	}
	return &c
}

// Restrict is the schema with only those attributes that are kept. It asks about
// attributes that are not complex, by their path inside the schema: "userName",
// "name.givenName", "emails.value"; a complex attribute stays if one of its
// sub-attributes does.
func (s *Schema) Restrict(keep func(path string) bool) *Schema {
	c := s.Clone()
	c.Attributes = restrict(c.Attributes, "", keep)
	return c
}

func restrict(attrs []*scim.Attribute, prefix string, keep func(string) bool) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range attrs {
		if a.Type == scim.TypeComplex {
			a.Sub = restrict(a.Sub, prefix+a.Name+".", keep)
			if len(a.Sub) > 0 {
				out = append(out, a)
			}
		} else if keep(prefix + a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// Find returns the definition with that path inside the schema, or nil. Names
// compare without case.
func (s *Schema) Find(path string) *scim.Attribute {
	return findIn(s.Attributes, path)
}
