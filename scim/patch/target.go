package patch

import (
	"errors"
	"slices"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// target resolves the path and goes on with what it leads to.
func (p *parser) target(d *draft) error {
	found, err := p.resolve(d)
	if err != nil || !found {
		return err
	}
	return p.typed(d)
}

// resolve finds what the path leads to. What is known but not served here is not
// found, with a warning.
func (p *parser) resolve(d *draft) (found bool, err error) {
	t, err := filter.ParsePath(d.path, filter.Limits{Lenient: !p.Strict})
	if err != nil {
		if d.keyIsPath {
			return false, p.unknownKey(d)
		}
		return false, pathError(err)
	}
	d.name, d.t = t.Name, p.t
	if p.t.Layout.Resolve(t.Name) == nil && !d.keyIsPath {
		p.rewrite(d, ofName)
		t.Name = d.name
	}
	a := p.t.Layout.Resolve(t.Name)
	if a == nil {
		return false, p.unknownPath(d, t)
	}
	if up := a.Parent(); up != nil && up.MultiValued {
		d.attr, d.sub = up, a
	} else {
		d.attr = a
	}
	if t.Where == nil {
		return true, nil
	}
	return p.selection(d, t)
}

// selection resolves what stands in and after [ ].
func (p *parser) selection(d *draft, t filter.Target) (found bool, err error) {
	if !d.attr.MultiValued || d.sub != nil {
		return false, scim.Bad(scim.InvalidPath, "%q is not multi-valued, so the path cannot select among its values; leave out the filter.",
			printable(t.Name))
	}
	if t.Sub != "" {
		if d.sub = d.attr.Find(t.Sub); d.sub == nil {
			return false, p.unknownPath(d, t)
		}
	}
	if d.where, err = bind(t.Where, d.attr, p.Strict); err != nil {
		return false, err
	}
	return true, nil
}

// pathError gives an error of the path's grammar its scimType (P-23, P-24).
func pathError(err error) error {
	var e *filter.Error
	if !errors.As(err, &e) {
		return err
	}
	typ := scim.InvalidPath
	if e.InFilter {
		typ = scim.InvalidFilter
	}
	return scim.Bad(typ, "The path is wrong at character %d: %s.", e.Pos, e.Msg)
}

// unknownPath leaves out what a schema defines but this configuration does not
// serve, and refuses what nobody defines (P-25).
func (p *parser) unknownPath(d *draft, t filter.Target) error {
	if d.keyIsPath {
		return p.unknownKey(d)
	}
	name := t.Name
	if t.Sub != "" {
		name += "." + t.Sub
	}
	switch {
	case !p.t.Known(name):
		return scim.Bad(scim.InvalidPath, "There is no attribute %q here%s", printable(name), p.hint(name))
	case p.Reject:
		return scim.Bad(scim.InvalidPath, "The attribute %q is not served here; leave it out.", printable(name))
	}
	p.warn(d.index, "%q is not served by this configuration: left out", printable(name))
	return nil
}

// emit ends a draft.
func (p *parser) emit(d *draft, v scim.Value) {
	o := Operation{Index: d.index, Op: d.op, Attr: d.attr, Where: d.where, Sub: d.sub, Value: v, Rewrites: d.rewrites, repeat: d.repeat}
	o.leads = d.op == Add && d.where == nil && d.sub == nil && d.attr.MultiValued && schema.Leads(d.attr, d.value)
	if o.elementwise() && (d.op == Add || d.where == nil || p.Create) {
		o.fresh = fresh(d.attr, d.where)
	}
	p.ops = append(p.ops, o)
}

// fresh is the element that a conjunction of eq terms describes, absent if the
// filter says anything else (P-42).
func fresh(a *scim.Attribute, where filter.Expr) scim.Value {
	v := scim.NewComplex(a)
	terms, ok := eqTerms(where)
	if !ok {
		return scim.Value{}
	}
	for _, c := range terms {
		if a.Type != scim.TypeComplex {
			return literal(a, c.Value)
		}
		sub := a.Find(c.Name)
		if sub == nil || sub.Mutability == scim.ReadOnly || sub.MultiValued {
			return scim.Value{}
		}
		w := literal(sub, c.Value)
		if was := v.Get(sub); !w.Present() || (was.Present() && !same(sub, was, w)) {
			return scim.Value{}
		}
		v.Set(sub, w)
	}
	return v
}

// eqTerms lists the terms of a pure conjunction of eq.
func eqTerms(e filter.Expr) ([]*filter.Compare, bool) {
	switch e := e.(type) {
	case nil:
		return nil, true
	case *filter.Compare:
		return []*filter.Compare{e}, e.Op == filter.Eq
	case filter.And:
		var all []*filter.Compare
		for _, t := range e {
			terms, ok := eqTerms(t)
			if !ok {
				return nil, false
			}
			all = append(all, terms...)
		}
		return all, true
	}
	return nil, false
}

// literal reads a literal of a filter as a value of a, absent if it is none.
func literal(a *scim.Attribute, v filter.Value) scim.Value {
	n := scim.Node{Kind: scim.NodeString, Str: v.Str}
	switch v.Kind {
	case filter.Null:
		return scim.Value{}
	case filter.Bool:
		n = scim.Node{Kind: scim.NodeBool, Str: v.String()}
	case filter.Int, filter.Number:
		n = scim.Node{Kind: scim.NodeNumber, Str: v.String()}
	}
	got, err := schema.ParseElement(a, n, schema.Options{})
	if err != nil {
		return scim.Value{}
	}
	return got
}

// listedByFilter turns members[value eq "x" or value eq "y"] into the list of
// the two, which needs no look at every member (P-64). Only references are told
// apart by value alone, and byte for byte.
func listedByFilter(d *draft) (scim.Value, bool) {
	if d.where == nil || d.sub != nil || !isReferences(d.attr) {
		return scim.Value{}, false
	}
	value := d.attr.Find("value")
	terms := []filter.Expr{d.where}
	if or, ok := d.where.(filter.Or); ok {
		terms = or
	}
	elems := make([]scim.Value, 0, len(terms))
	for _, t := range terms {
		c, ok := t.(*filter.Compare)
		if !ok || c.Op != filter.Eq || c.Value.Kind != filter.String || c.Value.Str == "" || c.Match != filter.Exact || d.attr.Find(c.Name) != value {
			return scim.Value{}, false
		}
		e := scim.NewComplex(d.attr)
		e.Set(value, scim.Str(c.Value.Str))
		elems = append(elems, e)
	}
	return scim.List(slices.Clip(elems)...), true
}
