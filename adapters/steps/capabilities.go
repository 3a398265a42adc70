package steps

import (
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// capabilities are what the operations can do. Filters that a find answers can
// be joined by and, or and not: what is found is checked again, and where no
// find helps, the whole list is walked.
func (a *Adapter) capabilities() adapters.Capabilities {
	o := a.o
	names := slices.Clone(o.Fields)
	c := adapters.Capabilities{
		Shape: adapters.NewShape(names...), Or: true, Not: true, Offset: true, Total: true, Whole: true, GivenKeys: o.Given,
		NoCreate: o.Create == nil, NoDelete: o.Delete == nil,
		NoUpdate: o.Update == nil && len(o.Members) == 0,
	}
	c.Fields = make([]adapters.Field, c.Shape.Len())
	if o.List != nil {
		c.Key.Filter = map[filter.Match]filter.Ops{filter.Exact: filter.OpsOf(filter.Eq)}
	}
	for i, n := range c.Shape.Names() {
		f := &c.Fields[i]
		f.Multi = slices.Contains(o.Multi, n) || o.Members[n] != nil
		f.Delta = o.Members[n] != nil
		f.Costly = a.costly(n)
		f.Unique = slices.ContainsFunc(slices.Concat(o.Create, o.Update), func(st *Step) bool {
			return slices.ContainsFunc(st.Fails, func(x Fail) bool { return x.Kind == adapters.Exists && !x.OK && x.Field == n })
		})
		for _, find := range o.Finds {
			if o.List != nil {
				f.Filter = find.declare(f.Filter, find.Answers[n])
			}
		}
	}
	return c
}

// declare adds what the find answers about a field.
func (f *Find) declare(into map[filter.Match]filter.Ops, ops filter.Ops) map[filter.Match]filter.Ops {
	if ops == 0 {
		return into
	}
	if into == nil {
		into = map[filter.Match]filter.Ops{}
	}
	into[filter.Exact] |= ops
	if f.IgnoresCase {
		into[filter.Folded] |= ops
	}
	return into
}

// costly reports whether a field takes more than the list to read: lists of the
// kind lack it, or the call asks whether it is needed.
func (a *Adapter) costly(name string) bool {
	lists := [][]*Step{a.o.Get, a.o.List, a.o.Many}
	for _, f := range a.o.Finds {
		lists = append(lists, f.Steps)
	}
	for _, st := range slices.Concat(lists...) {
		if slices.Contains(st.Lacks, name) {
			return true
		}
		for _, e := range st.exprs() {
			if e != nil && slices.Contains(e.fields, name) {
				return true
			}
		}
	}
	return false
}
