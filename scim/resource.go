package scim

import "slices"

// A Resource is one SCIM resource: a value for each attribute of its layout.
// The attribute "schemas" is not stored: it follows from the layout and from
// the extensions that have a value (S-26).
type Resource struct {
	layout *Layout
	values []Value
}

// NewResource is an empty resource of that layout.
func NewResource(l *Layout) *Resource {
	return &Resource{layout: l, values: make([]Value, len(l.attrs))}
}

// Layout is the layout the resource was made with.
func (r *Resource) Layout() *Layout { return r.layout }

// Get returns the value of an attribute of any depth: of the top level, of an
// extension, or a sub-attribute of a single-valued complex attribute. A
// sub-attribute of a multi-valued attribute has no single value: absent.
func (r *Resource) Get(a *Attribute) Value {
	if a.parent == nil {
		if a == r.layout.Schemas {
			return r.schemas()
		}
		return r.values[a.slot]
	}
	return r.Get(a.parent).Get(a)
}

// Set assigns a value to an attribute of any depth, makes the complex parents
// it needs, and takes away those that become empty. Sub-attributes of
// multi-valued attributes cannot be set this way.
func (r *Resource) Set(a *Attribute, v Value) {
	if a.parent == nil {
		r.values[a.slot] = v
		return
	}
	p := r.Get(a.parent)
	switch {
	case p.kind == KindComplex:
		p = holding(KindComplex, slices.Clone(p.items())) // the parent may be shared with a clone of the resource
	case !v.Present():
		return
	default:
		p = NewComplex(a.parent)
	}
	p.items()[a.slot] = v
	if !v.Present() && !slices.ContainsFunc(p.items(), Value.Present) {
		p = Value{}
	}
	r.Set(a.parent, p)
}

// Clone copies the resource. Set on either leaves the other as it was.
func (r *Resource) Clone() *Resource {
	return &Resource{layout: r.layout, values: slices.Clone(r.values)}
}

// Equal reports whether both resources have equal values for every attribute.
func (r *Resource) Equal(o *Resource) bool {
	return r.layout == o.layout && slices.EqualFunc(r.values, o.values, Value.Equal)
}

func (r *Resource) schemas() Value {
	urns := []Value{Str(r.layout.Schema)}
	for _, e := range r.layout.Extensions {
		if r.values[e.slot].Present() {
			urns = append(urns, Str(e.Name))
		}
	}
	return List(urns...)
}

// ID is the value of the attribute id.
func (r *Resource) ID() string { return r.Get(r.layout.ID).String() }
