package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// A Warning is a problem that does not keep a schema from being used.
type Warning struct{ Text string }

func (w *Warning) Error() string { return w.Text }

// Check finds everything that is wrong with a schema's definitions (S-02..S-06,
// S-16, S-17, S-41). Elements of type *Warning are advice.
func Check(s *Schema) []error {
	c := &checker{schema: s.ID}
	c.urn(s.ID)
	if len(s.Attributes) == 0 {
		c.fail("", "the schema has no attributes")
	}
	for _, a := range s.Attributes {
		if slices.ContainsFunc(commonNames(), func(n string) bool { return strings.EqualFold(n, a.Name) }) {
			c.fail(a.Name, "schemas, id, externalId and meta belong to every resource and cannot be declared")
		}
		c.attribute(nil, a, a.Name)
	}
	c.twice("", s.Attributes)
	return c.problems
}

func commonNames() []string { return []string{"schemas", "id", "externalId", "meta"} }

type checker struct {
	schema   string
	problems []error
}

func (c *checker) fail(path, format string, args ...any) {
	where := c.schema
	if path != "" {
		where += ":" + path
	}
	c.problems = append(c.problems, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (c *checker) advise(path, format string, args ...any) {
	c.fail(path, format, args...)
	last := len(c.problems) - 1
	c.problems[last] = &Warning{Text: c.problems[last].Error()}
}

func (c *checker) urn(urn string) {
	low := strings.ToLower(urn)
	_, builtin := Builtin(urn)
	switch {
	case !strings.Contains(urn, ":") || strings.ContainsAny(urn, " \t\n\"\\"):
		c.fail("", "the schema's id must be a URN such as urn:example:params:scim:schemas:1.0:Thing")
	case strings.HasPrefix(low, "urn:ietf:params:scim:api:"): // S-41, D-08
		c.fail("", "urn:ietf:params:scim:api: is reserved for messages")
	case strings.HasPrefix(low, "urn:ietf:params:scim:schemas:core:") && !builtin:
		c.advise("", "urn:ietf:params:scim:schemas:core: is reserved for RFCs; use a URN of your own")
	}
}

func (c *checker) attribute(parent, a *scim.Attribute, path string) {
	if !validName(a.Name) && (a.Name != "$ref" || parent == nil) && !(a.Nested() && parent == nil && a.Type == scim.TypeComplex) { // S-02, DV-09
		c.fail(path, "a name begins with a letter and goes on with letters, digits, $, - and _")
	}
	if a.Type == scim.TypeComplex {
		c.complex(parent, a, path)
	} else if len(a.Sub) > 0 {
		c.fail(path, "only a complex attribute has sub-attributes; its type is %s", a.Type)
	}
	if parent != nil {
		c.defaultSub(parent, a, path)
	}
	c.characteristics(a, path)
}

func (c *checker) complex(parent, a *scim.Attribute, path string) {
	if parent != nil { // S-16
		c.fail(path, "a complex attribute cannot be part of another one")
		return
	}
	if len(a.Sub) == 0 {
		c.fail(path, "a complex attribute needs sub-attributes")
	}
	for _, s := range a.Sub {
		c.attribute(a, s, path+"."+s.Name)
	}
	c.twice(path, a.Sub)
}

// defaultSub guards the meaning of the sub-attributes of section 2.4 (S-17).
func (c *checker) defaultSub(parent, a *scim.Attribute, path string) {
	var want scim.Type
	switch strings.ToLower(a.Name) {
	case "$ref":
		want = scim.TypeReference
	case "primary":
		want = scim.TypeBoolean
	case "type", "display":
		want = scim.TypeString
	default:
		return
	}
	if (parent.MultiValued || a.Name == "$ref") && (a.Type != want || a.MultiValued) {
		c.fail(path, "%s of a multi-valued attribute is a single %s (RFC 7643 section 2.4)", a.Name, want)
	}
}

func (c *checker) characteristics(a *scim.Attribute, path string) {
	if a.Uniqueness != scim.UniqueNone && (a.Type == scim.TypeComplex || a.Type == scim.TypeBoolean) {
		c.fail(path, "a %s attribute has no uniqueness", a.Type) // S-06, D-14
	}
	if a.CaseExact && a.Type == scim.TypeBoolean {
		c.fail(path, "a boolean has no case")
	}
	if len(a.CanonicalValues) > 0 && a.Type != scim.TypeString {
		c.fail(path, "canonicalValues are for strings; its type is %s", a.Type)
	}
	if a.EnforceCanonical && len(a.CanonicalValues) == 0 {
		c.fail(path, "there are no canonicalValues to enforce")
	}
	if len(a.ReferenceTypes) > 0 && a.Type != scim.TypeReference {
		c.fail(path, "referenceTypes are for references; its type is %s", a.Type)
	}
	if a.Mutability == scim.WriteOnly && a.Returned != scim.ReturnedNever {
		c.advise(path, "what is writeOnly should have returned never")
	}
}

func (c *checker) twice(path string, attrs []*scim.Attribute) {
	seen := map[string]bool{}
	for _, a := range attrs {
		low := strings.ToLower(a.Name)
		if seen[low] {
			c.fail(path, "%s is declared twice; names are the same whatever their case", a.Name)
		}
		seen[low] = true
	}
}

func validName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9') && !strings.ContainsRune("$-_", r)) {
			return false
		}
	}
	return name != ""
}
