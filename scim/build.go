package scim

// Put assigns a value like Set, but changes complex parents in place. It is for
// those who build a resource that nobody else has seen yet; an absent value
// changes nothing.
func (r *Resource) Put(a *Attribute, v Value) {
	if !v.Present() {
		return
	}
	if a.parent == nil {
		r.values[a.slot] = v
		return
	}
	p := r.Get(a.parent)
	if p.kind != KindComplex {
		p = NewComplex(a.parent)
		r.Put(a.parent, p)
	}
	p.items()[a.slot] = v
}
