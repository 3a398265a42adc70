package rules

import (
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Lookup translates the identifiers in a filter into backend keys.
type Lookup struct {
	Key        Keys                                    // id of a resource to its key
	ExternalID func(externalID string) (keys []string) // externalId of the calling client
	// All gives the keys of all records that a reference to an id may mean; nil:
	// there is one, as Key says.
	All func(typ, id string) []string
}

// Push takes a bound filter apart: what the backend evaluates exactly, in its
// own fields, and what remains to be evaluated on resources. The filter is equal
// to pushed AND rest; nil stands for "all". The scope is not part of it.
func (m *Mapping) Push(e filter.Expr, l Lookup) (pushed, rest filter.Expr) {
	if e != nil {
		caps := filter.Caps{Or: m.caps.Or, Not: m.caps.Not}
		pushed, rest = filter.Split(e, func(leaf filter.Expr) (filter.Expr, bool) { return m.leaf(leaf, l) }, caps)
	}
	if pushed != nil {
		pushed = filter.Simplify(pushed)
		if _, all := pushed.(filter.True); all {
			pushed = nil
		}
	}
	return pushed, rest
}

// ScopeFilter is the scope as a filter over fields, nil if there is none; false
// if the backend cannot follow it, so that records must be asked one by one.
func (m *Mapping) ScopeFilter() (filter.Expr, bool) {
	if m.scope == nil {
		return nil, true
	}
	return m.scope.pushed, m.scope.pushed != nil && m.canPush(m.scope.pushed)
}

// HasScope reports whether there is a scope at all.
func (m *Mapping) HasScope() bool { return m.scope != nil }

// FilterIDs lists what must be looked up before Push: ids that resources of this
// type are asked for by, ids that they refer to, and externalIds.
func (m *Mapping) FilterIDs(e filter.Expr) (ids, referred []ID, externalIDs []string) {
	if e == nil {
		return nil, nil, nil
	}
	var collect func(e filter.Expr, in *scim.Attribute)
	collect = func(e filter.Expr, in *scim.Attribute) {
		filter.Walk(e, func(n filter.Expr) bool {
			if c, ok := n.(*filter.Compare); ok && (c.Op == filter.Eq || c.Op == filter.Ne) && c.Value.Kind == filter.String {
				a, _ := c.Ref.(*scim.Attribute)
				switch {
				case a == m.Type.Layout.ID:
					ids = append(ids, ID{Type: m.Type.Name, ID: c.Value.Str})
				case a == m.Type.Layout.ExternalID:
					externalIDs = append(externalIDs, c.Value.Str)
				default:
					if r := m.referenceRule(a); r != nil {
						referred = append(referred, ID{Type: r.refers.typ, ID: c.Value.Str})
					}
				}
			}
			return true
		})
	}
	collect(e, nil)
	return ids, referred, externalIDs
}

func (m *Mapping) referenceRule(a *scim.Attribute) *Rule {
	if a == nil {
		return nil
	}
	for _, r := range m.rules {
		if r.refers != nil && (r.refers.value == a || (r.refers.value == nil && r.refers.holder == a)) {
			return r
		}
	}
	return nil
}

// leaf translates one comparison or element filter, or says no.
func (m *Mapping) leaf(e filter.Expr, l Lookup) (filter.Expr, bool) {
	switch e := e.(type) {
	case *filter.Compare:
		return m.compare(e, l)
	case *filter.Element:
		return m.element(e, l)
	}
	return nil, false
}

func (m *Mapping) compare(c *filter.Compare, l Lookup) (filter.Expr, bool) {
	a, ok := c.Ref.(*scim.Attribute)
	if !ok {
		return nil, false
	}
	switch {
	case a == m.Type.Layout.ID:
		return m.keyCompare(c, func() []string {
			if k, ok := l.Key(m.Type.Name, c.Value.Str); ok {
				return []string{k}
			}
			return nil
		})
	case a == m.Type.Layout.ExternalID && !m.MapsExternalID():
		return m.keyCompare(c, func() []string { return l.ExternalID(c.Value.Str) })
	}
	if r := m.referenceRule(a); r != nil {
		return m.referenceCompare(c, r, l)
	}
	if a.Parent() != nil && a.Parent().MultiValued && a.Parent().Type == scim.TypeComplex {
		return m.anyElement(c, a)
	}
	for _, r := range m.rules {
		if r.attr == a && r.group == nil {
			return m.field1(c, r)
		}
	}
	return nil, false
}

// keyCompare translates eq on an identifier that the mapping table resolves.
func (m *Mapping) keyCompare(c *filter.Compare, keys func() []string) (filter.Expr, bool) {
	if (c.Op != filter.Eq && c.Op != filter.Ne) || c.Value.Kind != filter.String ||
		!m.caps.Key.Filter[filter.Exact].Has(filter.Eq) {
		return nil, false
	}
	found := keys()
	if len(found) > 1 && !m.caps.Or {
		return nil, false
	}
	out := or(len(found), func(i int) filter.Expr { return fieldEq(adapters.KeyField, found[i]) })
	if c.Op == filter.Ne {
		return not(out), m.caps.Not
	}
	return out, true
}

func fieldEq(field, value string) filter.Expr {
	return &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(value)}
}

func (m *Mapping) referenceCompare(c *filter.Compare, r *Rule, l Lookup) (filter.Expr, bool) {
	ops := m.field(r).Filter[filter.Exact]
	switch {
	case c.Op == filter.Pr && ops.Has(filter.Pr) && !r.relation:
		return nil, false // a key whose record is out of scope is no value
	case c.Op == filter.Eq && c.Value.Kind == filter.String && ops.Has(filter.Eq):
		return m.referenceEq(r, l.keysOf(r.refers.typ, c.Value.Str))
	}
	return nil, false
}

// field1 translates a comparison with an attribute that one rule makes.
func (m *Mapping) field1(c *filter.Compare, r *Rule) (filter.Expr, bool) {
	switch {
	case r.field == "" || r.in != nil || r.out != nil || r.refers != nil || r.split != "":
		return nil, false
	case r.codes != nil:
		return m.tableCompare(c, r)
	case r.attr.Type == scim.TypeBoolean || r.attr.Type == scim.TypeDateTime || r.attr.Type == scim.TypeBinary:
		return nil, false // stored in more than one form: the gateway evaluates
	case c.Op == filter.Pr || c.Value.Kind == filter.Null:
		return m.presence(c, r)
	case !m.field(r).Filter[c.Match].Has(c.Op):
		return nil, false
	}
	return &filter.Compare{Name: r.field, Op: c.Op, Match: c.Match, Value: c.Value}, true
}

func (m *Mapping) presence(c *filter.Compare, r *Rule) (filter.Expr, bool) {
	if !m.field(r).Filter[filter.Exact].Has(filter.Pr) {
		return nil, false
	}
	pr := &filter.Compare{Name: r.field, Op: filter.Pr, Match: filter.Exact}
	if c.Op == filter.Eq { // eq null: no value
		return not(pr), m.caps.Not
	}
	return pr, c.Op == filter.Pr || c.Op == filter.Ne
}

// tableCompare finds the codes whose values satisfy the comparison. Where the
// comparison is true of "no value", so it is of every code outside the table.
func (m *Mapping) tableCompare(c *filter.Compare, r *Rule) (filter.Expr, bool) {
	if !m.field(r).Filter[filter.Exact].Has(filter.Eq) || !m.caps.Or {
		return nil, false
	}
	absent := filter.Matches(c, noSubject{})
	var in []string
	for _, k := range r.codes {
		if filter.Matches(c, oneValue(filterValue(k.value))) != absent {
			in = append(in, k.backend)
		}
	}
	out := or(len(in), func(i int) filter.Expr { return fieldEq(r.field, in[i]) })
	if absent {
		return not(out), m.caps.Not
	}
	return out, true
}

// canPush reports whether every leaf of a filter over fields is exact in the
// backend.
func (m *Mapping) canPush(e filter.Expr) bool {
	ok := true
	filter.Walk(e, func(n filter.Expr) bool {
		switch n := n.(type) {
		case filter.Or:
			ok = ok && m.caps.Or
		case filter.Not:
			ok = ok && m.caps.Not
		case *filter.Compare:
			i := m.shape.Index(n.Name)
			ok = ok && i >= 0 && i < len(m.caps.Fields) && m.caps.Fields[i].Filter[n.Match].Has(n.Op)
		}
		return ok
	})
	return ok
}

// PushSort translates a sort key; false if the backend would order otherwise.
func (m *Mapping) PushSort(a *scim.Attribute, descending bool) (adapters.Sort, bool) {
	if a.Type == scim.TypeComplex && a.Find("value") != nil {
		a = a.Find("value")
	}
	for _, r := range m.rules {
		if r.attr != a || r.field == "" || r.in != nil || r.codes != nil || r.refers != nil || r.split != "" {
			continue
		}
		if r.group != nil && !m.only(r.group) {
			return adapters.Sort{}, false
		}
		match := filter.Folded
		switch {
		case a.Type == scim.TypeInteger:
			match = filter.Integer
		case a.Type != scim.TypeString && a.Type != scim.TypeReference:
			return adapters.Sort{}, false
		case a.CaseExact || a.Type == scim.TypeReference:
			match = filter.Exact
		}
		return adapters.Sort{Field: r.field, Match: match, Descending: descending}, m.field(r).Sort[match]
	}
	return adapters.Sort{}, false
}

type noSubject struct{}

func (noSubject) Values(*filter.Compare, func(filter.Value) bool)     {}
func (noSubject) Elements(*filter.Element, func(filter.Subject) bool) {}

type oneValue filter.Value

func (v oneValue) Values(_ *filter.Compare, yield func(filter.Value) bool) { yield(filter.Value(v)) }
func (oneValue) Elements(*filter.Element, func(filter.Subject) bool)       {}

func filterValue(v scim.Value) filter.Value {
	switch v.Kind() {
	case scim.KindBool:
		return filter.BoolValue(v.Bool())
	case scim.KindInt:
		return filter.IntValue(v.Int())
	case scim.KindDecimal:
		return filter.NumberValue(v.String())
	case scim.KindString:
		return filter.StringValue(v.String())
	}
	return filter.Value{}
}

func and(a, b filter.Expr) filter.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return filter.And{a, b}
}

func not(e filter.Expr) filter.Expr {
	switch e.(type) {
	case filter.True:
		return filter.False{}
	case filter.False:
		return filter.True{}
	}
	return filter.Not{Term: e}
}

func or(n int, term func(int) filter.Expr) filter.Expr {
	switch n {
	case 0:
		return filter.False{}
	case 1:
		return term(0)
	}
	out := make(filter.Or, n)
	for i := range out {
		out[i] = term(i)
	}
	return out
}
