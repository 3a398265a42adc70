package rules

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/postern/postern/scim"
)

// gather collects the groups by attribute.
func (m *Mapping) gather() {
	m.elements = map[*scim.Attribute]*gathering{}
	for _, g := range m.groups {
		all := m.elements[g.attr]
		if all == nil {
			all = &gathering{attr: g.attr}
			m.elements[g.attr], m.gatherings = all, append(m.gatherings, all)
		}
		all.groups = append(all.groups, g)
		all.strict = append(all.strict, g)
	}
	for _, all := range m.gatherings {
		slices.SortStableFunc(all.strict, func(a, b *group) int { return cmp.Compare(len(b.consts), len(a.consts)) })
	}
}

// keeps reports whether a part of an element is kept beside the record.
func (g *gathering) keeps() bool {
	return slices.ContainsFunc(g.groups, func(e *group) bool {
		return slices.ContainsFunc(e.rules, func(r *Rule) bool { return r.kept != "" })
	})
}

// An assignment says which element of a resource each group stores.
type assignment struct {
	elems []scim.Value // by the group's index; absent: none
	index []int        // where in the attribute it stands, -1: nowhere
}

func (a assignment) of(g *group) scim.Value { return a.elems[g.index] }

// assign finds for each group the element that it stores: one whose
// sub-attributes equal the group's constants, the primary one if there are
// several, and no element twice. If an attribute has one group only, an element
// that says nothing about the constants is taken as well.
func (m *Mapping) assign(res *scim.Resource) assignment {
	if len(m.groups) == 0 {
		return assignment{}
	}
	out := assignment{elems: make([]scim.Value, len(m.groups)), index: make([]int, len(m.groups))}
	for _, all := range m.gatherings {
		elems := res.Get(all.attr).Elems()
		for _, g := range all.strict {
			at := g.pick(elems, out.taken(all), false)
			if at < 0 && len(all.groups) == 1 {
				at = g.pick(elems, nil, true)
			}
			if out.index[g.index] = at; at >= 0 {
				out.elems[g.index] = elems[at]
			}
		}
	}
	return out
}

// taken reports elements that another group of the attribute has. Groups that
// have not chosen yet have no element.
func (a assignment) taken(all *gathering) func(int) bool {
	return func(i int) bool {
		return slices.ContainsFunc(all.groups, func(g *group) bool { return a.elems[g.index].Present() && a.index[g.index] == i })
	}
}

// pick finds the group's element, -1 if there is none.
func (g *group) pick(elems []scim.Value, taken func(int) bool, lenient bool) int {
	primary, first := g.attr.Find("primary"), -1
	for i, e := range elems {
		if !g.matches(e, lenient) || taken != nil && taken(i) {
			continue
		}
		if primary != nil && e.Get(primary).Bool() {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

func (g *group) matches(e scim.Value, lenient bool) bool {
	for _, c := range g.consts {
		v := e.Get(c.attr)
		if !same(c.attr, v, c.value) && !(lenient && !v.Present()) {
			return false
		}
	}
	return true
}

// Unplaced lists the elements of multi-valued attributes that the mapping has
// no field for, as paths for a message.
func (m *Mapping) Unplaced(res *scim.Resource) []string {
	var lost []string
	picked := m.assign(res)
	for _, all := range m.gatherings {
		for i := range res.Get(all.attr).Elems() {
			if !picked.taken(all)(i) {
				lost = append(lost, fmt.Sprintf("%s[%d]", all.attr.Path(), i))
			}
		}
	}
	for _, r := range m.single {
		if r.refers != nil && !r.relation && r.writable {
			for i := 1; i < len(res.Get(r.refers.holder).Elems()); i++ { // the field holds one
				lost = append(lost, fmt.Sprintf("%s[%d]", r.refers.holder.Path(), i))
			}
		}
	}
	return lost
}

// Places says of each element of an attribute where the mapping stores it: texts
// that stay the same whatever the element comes to hold there, "" for elements that
// have no place of their own, as the rows of a table.
func (m *Mapping) Places(res *scim.Resource, a *scim.Attribute) []string {
	out := make([]string, len(res.Get(a).Elems()))
	all := m.elements[a]
	if all == nil {
		return out
	}
	picked := m.assign(res)
	for _, g := range all.groups {
		if at := picked.index[g.index]; at >= 0 {
			out[at] = "[" + g.id + "]"
		}
	}
	return out
}
