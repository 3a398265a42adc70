package rules

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// A view is the part of the full schema that a configuration maps, with the
// characteristics that follow from the rules: /Schemas says what this
// configuration can do, and nothing else.
type view struct {
	keep map[string]bool                  // by lower-case path
	set  map[string]func(*scim.Attribute) // changes of characteristics
}

func newView() *view {
	return &view{keep: map[string]bool{}, set: map[string]func(*scim.Attribute){}}
}

// include keeps an attribute, what it is part of, and what is part of it.
func (v *view) include(a *scim.Attribute) {
	v.includeOnly(a)
	for _, s := range a.Sub {
		v.include(s)
	}
}

// includeOnly keeps an attribute and what it is part of.
func (v *view) includeOnly(a *scim.Attribute) {
	for ; a != nil; a = a.Parent() {
		v.keep[strings.ToLower(a.Path())] = true
	}
}

func (v *view) change(a *scim.Attribute, f func(*scim.Attribute)) {
	path := strings.ToLower(a.Path())
	if before := v.set[path]; before != nil {
		v.set[path] = func(a *scim.Attribute) { before(a); f(a) }
		return
	}
	v.set[path] = f
}

// characteristics notes what the rules make of mutability, returned, required,
// uniqueness and canonical values. Several rules may make the same attribute, in
// different elements: it can be written, or read, if one of them can.
func (c *compiler) characteristics() {
	byAttr := map[*scim.Attribute][]*draft{}
	fixes := map[*scim.Attribute][]*draft{}
	for _, d := range c.drafts {
		byAttr[d.at.attr] = append(byAttr[d.at.attr], d)
		for _, f := range d.at.consts {
			fixes[f.attr] = append(fixes[f.attr], d)
			c.view.change(f.attr, func(a *scim.Attribute) { canonical(a, f.value) })
		}
	}
	for a, ds := range byAttr {
		c.view.change(a, func(a *scim.Attribute) { characterise(a, ds) })
	}
	for a, ds := range fixes {
		if byAttr[a] == nil && all(ds, (*draft).inOnly) {
			c.view.change(a, markReadOnly)
		}
	}
}

func characterise(a *scim.Attribute, ds []*draft) {
	switch {
	case all(ds, (*draft).inOnly):
		markReadOnly(a)
	case all(ds, (*draft).outOnly):
		a.Mutability, a.Returned = scim.WriteOnly, scim.ReturnedNever
	}
	for _, d := range ds {
		if d.spec.Mutability.Value == "immutable" {
			a.Mutability = scim.Immutable
		}
		if u := d.spec.Uniqueness.Value; u != "" {
			a.Uniqueness, _ = scim.ParseUnique(u)
		}
		a.Required = a.Required || d.spec.Required
		a.Sensitive = a.Sensitive || d.spec.Sensitive
	}
}

func all(ds []*draft, is func(*draft) bool) bool {
	return !slices.ContainsFunc(ds, func(d *draft) bool { return !is(d) })
}

// canonical lists the values that a configuration fixes, so that clients can see
// which elements have a place.
func canonical(a *scim.Attribute, v scim.Value) {
	if a.Type == scim.TypeString && !containsFold(a.CanonicalValues, v.String()) {
		a.CanonicalValues = append(slices.Clone(a.CanonicalValues), v.String())
	}
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(t string) bool { return strings.EqualFold(s, t) })
}

func markReadOnly(a *scim.Attribute) {
	a.Mutability, a.Required = scim.ReadOnly, false
	for _, s := range a.Sub {
		markReadOnly(s)
	}
}

// restrict copies the kept part of a schema's attributes.
func (v *view) restrict(prefix string, as []*scim.Attribute) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range as {
		path, below := strings.ToLower(prefix+a.Name), "."
		if a.Nested() {
			path, below = strings.ToLower(a.Name), ":"
		}
		if !v.keep[path] {
			continue
		}
		c := a.Clone()
		c.Sub = v.restrict(path+below, a.Sub)
		if f := v.set[path]; f != nil {
			f(c)
		}
		if a.Type == scim.TypeComplex && allReadOnly(c.Sub) {
			c.Mutability = scim.ReadOnly
		}
		out = append(out, c)
	}
	return out
}

func allReadOnly(as []*scim.Attribute) bool {
	return !slices.ContainsFunc(as, func(a *scim.Attribute) bool { return a.Mutability != scim.ReadOnly })
}

func (v *view) schema(s *schema.Schema, prefix string) *schema.Schema {
	return &schema.Schema{ID: s.ID, Name: s.Name, Description: s.Description, Attributes: v.restrict(prefix, s.Attributes)}
}

// resourceType makes the resource type as it is served.
func (v *view) resourceType(in Input) (*schema.ResourceType, error) {
	var exts []schema.Extension
	full := []*schema.Schema{in.Schema}
	for _, e := range in.Extensions {
		full = append(full, e.Schema)
		if s := v.schema(e.Schema, e.Schema.ID+":"); len(s.Attributes) > 0 {
			exts = append(exts, schema.Extension{Schema: s, Required: e.Required})
		}
	}
	return schema.NewResourceType(in.Name, in.Endpoint, in.Description, v.schema(in.Schema, ""), exts, full...)
}
