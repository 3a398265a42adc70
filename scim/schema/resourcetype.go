package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// An Extension adds a schema to a resource type (RFC 7643 section 6).
type Extension struct {
	Schema   *Schema
	Required bool
}

// A ResourceType is one kind of resource with its endpoint. Its schemas hold
// what this configuration serves.
type ResourceType struct {
	Name        string
	Endpoint    string // "/Users"
	Description string
	Schema      *Schema
	Extensions  []Extension
	Layout      *scim.Layout

	full *scim.Layout // the same with everything that the schemas define
}

// NewResourceType compiles a resource type. The known schemas are complete
// definitions, by which a name that this configuration leaves out is told from a
// name that nobody defines; the schemas of RFC 7643 are known anyway.
func NewResourceType(name, endpoint, description string, base *Schema, exts []Extension, known ...*Schema) (*ResourceType, error) {
	if err := checkType(name, endpoint, base, exts); err != nil {
		return nil, fmt.Errorf("resource type %s: %w", name, err)
	}
	t := &ResourceType{Name: name, Endpoint: endpoint, Description: description, Schema: base, Extensions: exts}
	var err error
	if t.Layout, err = layoutOf(base, exts); err != nil {
		return nil, fmt.Errorf("resource type %s: %w", name, err)
	}
	fullBase, fullExts := complete(base, exts, known)
	if t.full, err = layoutOf(fullBase, fullExts); err != nil {
		return nil, fmt.Errorf("resource type %s: known schemas: %w", name, err)
	}
	return t, nil
}

// Writable reports whether clients can write anything of it. A type of which they
// cannot, such as roles, is there to be read.
func (t *ResourceType) Writable() bool {
	return slices.ContainsFunc(t.Schemas(), func(s *Schema) bool { return slices.ContainsFunc(s.Attributes, writable) })
}

func writable(a *scim.Attribute) bool {
	if a.Mutability == scim.ReadOnly {
		return false
	}
	return a.Type != scim.TypeComplex || slices.ContainsFunc(a.Sub, writable)
}

// Known reports whether a schema defines the name, be it served or not.
func (t *ResourceType) Known(name string) bool {
	return t.Layout.Resolve(name) != nil || t.full.Resolve(name) != nil
}

// Nearest proposes the served attribute that an unknown name may stand for, or "".
func (t *ResourceType) Nearest(name string) string { return nearest(name, paths(t.Layout)) }

// Schemas lists the base schema and the extensions'.
func (t *ResourceType) Schemas() []*Schema {
	all := []*Schema{t.Schema}
	for _, e := range t.Extensions {
		all = append(all, e.Schema)
	}
	return all
}

func checkType(name, endpoint string, base *Schema, exts []Extension) error {
	if !validName(name) {
		return errors.New("the name must be a word such as User")
	}
	if len(endpoint) < 2 || endpoint[0] != '/' || strings.ContainsAny(endpoint[1:], "/?#%. ") {
		return fmt.Errorf("the endpoint %q must be a slash and a word, such as /Users", endpoint)
	}
	for _, taken := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Bulk", "/Me"} {
		if strings.EqualFold(taken, endpoint) {
			return fmt.Errorf("the endpoint %s belongs to the protocol", taken)
		}
	}
	if base == nil { // S-40
		return errors.New("there is no base schema")
	}
	problems := failures(Check(base))
	used := []*Schema{base}
	for _, e := range exts {
		if e.Schema == nil {
			return errors.New("an extension has no schema")
		}
		if find(used, e.Schema.ID) != nil {
			return fmt.Errorf("the schema %s is used twice", e.Schema.ID)
		}
		used = append(used, e.Schema)
		problems = append(problems, failures(Check(e.Schema))...)
	}
	return errors.Join(problems...)
}

func failures(problems []error) []error {
	var out []error
	for _, p := range problems {
		if w := (*Warning)(nil); !errors.As(p, &w) {
			out = append(out, p)
		}
	}
	return out
}

func layoutOf(base *Schema, exts []Extension) (*scim.Layout, error) {
	var list []scim.Extension
	for _, e := range exts {
		list = append(list, scim.Extension{Schema: e.Schema.ID, Required: e.Required, Attributes: e.Schema.Clone().Attributes})
	}
	return scim.NewLayout(base.ID, base.Clone().Attributes, list)
}

// complete replaces each schema by the known one with its URN, and adds those
// extensions that are known but not part of the type.
func complete(base *Schema, exts []Extension, known []*Schema) (*Schema, []Extension) {
	all := known
	for _, b := range builtins() {
		if b.extends != "" && !strings.EqualFold(base.ID, b.extends) {
			continue // it extends another type
		}
		if find(known, b.urn) == nil {
			all = append(all[:len(all):len(all)], b.make())
		}
	}
	used := map[string]bool{strings.ToLower(base.ID): true}
	var full []Extension
	for _, e := range exts {
		used[strings.ToLower(e.Schema.ID)] = true
		full = append(full, Extension{Schema: orKnown(e.Schema, all)})
	}
	for _, s := range all {
		if !used[strings.ToLower(s.ID)] && !isBase(s.ID) {
			used[strings.ToLower(s.ID)] = true
			full = append(full, Extension{Schema: s})
		}
	}
	return orKnown(base, all), full
}

func orKnown(s *Schema, known []*Schema) *Schema {
	if k := find(known, s.ID); k != nil {
		return k
	}
	return s
}

func find(schemas []*Schema, urn string) *Schema {
	for _, s := range schemas {
		if strings.EqualFold(s.ID, urn) {
			return s
		}
	}
	return nil
}

// paths lists the names by which attributes are proposed to people.
func paths(l *scim.Layout) []string {
	var out []string
	var walk func(attrs []*scim.Attribute)
	walk = func(attrs []*scim.Attribute) {
		for _, a := range attrs {
			out = append(out, a.Path())
			walk(a.Sub)
		}
	}
	walk(l.Attributes())
	return out
}
