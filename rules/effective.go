package rules

import (
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

// restrict copies the kept part of a schema's attributes.
func (v *view) restrict(prefix string, as []*scim.Attribute) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range as {
		path := strings.ToLower(prefix + a.Name)
		if !v.keep[path] {
			continue
		}
		c := a.Clone()
		c.Sub = v.restrict(path+".", a.Sub)
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
	for _, a := range as {
		if a.Mutability != scim.ReadOnly {
			return false
		}
	}
	return true
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

// fullLayout compiles the whole schema, to find what paths mean.
func fullLayout(in Input) (*scim.Layout, error) {
	var exts []scim.Extension
	for _, e := range in.Extensions {
		exts = append(exts, scim.Extension{Schema: e.Schema.ID, Attributes: cloneAll(e.Schema.Attributes)})
	}
	return scim.NewLayout(in.Schema.ID, cloneAll(in.Schema.Attributes), exts)
}

func cloneAll(as []*scim.Attribute) []*scim.Attribute {
	out := make([]*scim.Attribute, len(as))
	for i, a := range as {
		out[i] = a.Clone()
	}
	return out
}
