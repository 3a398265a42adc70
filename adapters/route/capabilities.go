package route

import (
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// capabilities are what all places can. A field that a place lacks is asked for
// there by nobody: none of its records has it.
func (a *Adapter) capabilities() adapters.Capabilities {
	c := adapters.Capabilities{Shape: a.shape, Fields: make([]adapters.Field, a.shape.Len()), Or: true, Not: true, Offset: true, Total: true,
		NoCreate: true, NoUpdate: true, NoDelete: true}
	keyed := true
	for _, p := range a.places {
		c.Or, c.Not, c.Offset, c.Total = c.Or && p.caps.Or, c.Not && p.caps.Not, c.Offset && p.caps.Offset, c.Total && p.caps.Total
		c.NoCreate, c.NoUpdate, c.NoDelete = c.NoCreate && p.caps.NoCreate, c.NoUpdate && p.caps.NoUpdate, c.NoDelete && p.caps.NoDelete
		keyed = keyed && p.caps.Key.Filter[filter.Exact].Has(filter.Eq)
	}
	c.Offset = c.Offset && c.Total // to skip what is in one place it must be counted
	c.GivenKeys = a.places[0].caps.GivenKeys
	if keyed {
		c.Key.Filter = map[filter.Match]filter.Ops{filter.Exact: filter.OpsOf(filter.Eq)}
	}
	for i := range c.Fields {
		first := true
		for _, p := range a.places {
			if at := p.inner[i]; at >= 0 && first {
				c.Fields[i], first = alone(p.caps.Fields[at]), false
			} else if at >= 0 {
				c.Fields[i] = both(c.Fields[i], p.caps.Fields[at])
			}
		}
	}
	return c
}

// alone is what is true of a field though there may be other places: none of them
// refuses what another one has.
func alone(f adapters.Field) adapters.Field {
	f.Unique = false
	if f.Elements != nil {
		e := *f.Elements
		e.Fields = slices.Clone(e.Fields)
		for i := range e.Fields {
			e.Fields[i].Unique = false
		}
		f.Elements = &e
	}
	return f
}

// both is what two places can.
func both(f, g adapters.Field) adapters.Field {
	out := adapters.Field{Filter: map[filter.Match]filter.Ops{}, Sort: map[filter.Match]bool{}, Multi: f.Multi || g.Multi, Delta: f.Delta && g.Delta,
		Costly: f.Costly || g.Costly, Checked: f.Checked && g.Checked, Bound: f.Bound || g.Bound}
	for m, ops := range f.Filter {
		if ops &= g.Filter[m]; ops != 0 {
			out.Filter[m] = ops
		}
	}
	for m, can := range f.Sort {
		out.Sort[m] = can && g.Sort[m]
	}
	if f.Elements != nil && g.Elements != nil {
		e := &adapters.Elements{Shape: f.Elements.Shape, Fields: make([]adapters.Field, len(f.Elements.Fields))}
		for i, name := range e.Shape.Names() {
			if part, ok := g.Elements.Field(name); ok {
				e.Fields[i] = both(f.Elements.Fields[i], part)
			}
		}
		out.Elements = e
	}
	return out
}

// filter is an expression in the place's own words: what cannot be there is decided.
func (p *place) filter(e filter.Expr) filter.Expr {
	if e == nil {
		return nil
	}
	return filter.Simplify(filter.Map(e, p.translate))
}

// translate is what the place is asked instead of one comparison.
func (p *place) translate(e filter.Expr) filter.Expr {
	switch e := e.(type) {
	case *filter.Element:
		if !p.has(e.Name) {
			return p.without(e)
		}
		c := *e
		c.Name = p.name(e.Name)
		return &c
	case *filter.Compare:
		return p.compare(e)
	}
	return e
}

func (p *place) compare(e *filter.Compare) filter.Expr {
	c := *e
	switch {
	case e.Name == adapters.KeyField:
		name, inner, ok := Split(adapters.Key(e.Value.Str))
		if !ok || name != p.Name {
			return filter.False{}
		}
		c.Value = filter.StringValue(string(inner))
	case !p.has(e.Name):
		return p.without(e)
	default:
		c.Name = p.name(e.Name)
	}
	return &c
}

func (p *place) has(field string) bool {
	i := p.outer.Index(field)
	return i >= 0 && p.inner[i] >= 0
}

// without decides an expression about what no record of the place has.
func (p *place) without(e filter.Expr) filter.Expr {
	if filter.Matches(e, adapters.NewRecord(p.outer, "").Subject()) {
		return filter.True{}
	}
	return filter.False{}
}

// sorts are the sort keys in the place's own words. By what it lacks all of its
// records are equal.
func (p *place) sorts(by []adapters.Sort) []adapters.Sort {
	var out []adapters.Sort
	for _, s := range by {
		if p.has(s.Field) {
			s.Field = p.name(s.Field)
			out = append(out, s)
		}
	}
	return out
}
