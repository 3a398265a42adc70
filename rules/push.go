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
	// Kept gives the keys of the records for which what is kept equals the value of
	// such a comparison as KeptNames lists; false if there are too many.
	Kept func(c *filter.Compare) (keys []string, ok bool)
}

// Push takes a bound filter apart: what the backend evaluates in its own fields,
// and what remains to be evaluated on resources. The filter is equal to pushed
// AND rest (F-34); nil stands for "all". The scope is not part of it.
//
// What remains may be pushed as well in a weaker form, to spare the gateway
// records that cannot satisfy it.
func (m *Mapping) Push(e filter.Expr, l Lookup) (pushed, rest filter.Expr) {
	if e == nil {
		return nil, nil
	}
	caps := filter.Caps{Or: m.caps.Or, Not: m.caps.Not}
	pushed, rest = filter.Split(e, func(leaf filter.Expr) (filter.Expr, bool) { return m.leaf(leaf, l) }, caps)
	if rest != nil {
		pushed = filter.AndOf(pushed, m.widerAll(rest, l))
	}
	if pushed != nil {
		pushed = filter.Simplify(pushed)
		if _, all := pushed.(filter.True); all {
			pushed = nil
		}
	}
	return pushed, rest
}

// FilterIDs lists what must be looked up before Push: ids that resources of this
// type are asked for by, ids that they refer to, and externalIds.
func (m *Mapping) FilterIDs(e filter.Expr) (ids, referred []ID, externalIDs []string) {
	filter.Walk(e, func(n filter.Expr) bool {
		c, ok := n.(*filter.Compare)
		if !ok || (c.Op != filter.Eq && c.Op != filter.Ne) || c.Value.Kind != filter.String {
			return true
		}
		a, _ := c.Ref.(*scim.Attribute)
		switch r := m.references[a]; {
		case a == m.Type.Layout.ID:
			ids = append(ids, ID{Type: m.Type.Name, ID: c.Value.Str})
		case a == m.Type.Layout.ExternalID:
			externalIDs = append(externalIDs, c.Value.Str)
		case r != nil:
			referred = append(referred, ID{Type: r.refers.typ, ID: c.Value.Str})
		}
		return true
	})
	return ids, referred, externalIDs
}

// leaf translates one comparison or element filter, or says no.
func (m *Mapping) leaf(e filter.Expr, l Lookup) (filter.Expr, bool) {
	var t filter.Expr
	switch e := e.(type) {
	case *filter.Compare:
		t = m.compare(e, l)
	case *filter.Element:
		t = m.element(e, l)
	}
	if t == nil {
		return nil, false
	}
	t = filter.Simplify(t)
	return t, m.can(t)
}

func (m *Mapping) compare(c *filter.Compare, l Lookup) filter.Expr {
	a, ok := c.Ref.(*scim.Attribute)
	if !ok {
		return nil
	}
	layout := m.Type.Layout
	switch {
	case a == layout.ID:
		return m.idCompare(c, l)
	case a == layout.ExternalID && !m.MapsExternalID():
		return m.externalIDCompare(c, l)
	case a == layout.Schemas:
		return m.schemasCompare(c)
	case a == m.typeName:
		return truth(filter.Test(c, filter.StringValue(m.Type.Name)))
	case a == layout.Meta:
		return truth(c.Op != filter.Eq) // it always holds something
	case a == m.modified:
		return m.modifiedCompare(c)
	case c.Match == filter.Presence:
		return m.presence(c, m.present(a))
	}
	if r := m.references[a]; r != nil {
		return m.referenceCompare(c, r, l)
	}
	if r := m.listOf(a); r != nil {
		return m.listCompare(c, r)
	}
	if r := m.byAttr[a.Parent()]; r != nil && r.columns != nil {
		return m.anyRow(c, r)
	}
	if p := a.Parent(); p != nil && p.MultiValued {
		return m.anyElement(c, a)
	}
	if r := m.byAttr[a]; r != nil {
		if r.kept != "" {
			return m.keptCompare(c, l)
		}
		if r.columns != nil {
			return m.anyRow(c, r)
		}
		return m.one(c, r)
	}
	return nil
}

// one translates a comparison with an attribute that one rule makes of one
// field, also inside an element.
func (m *Mapping) one(c *filter.Compare, r *Rule) filter.Expr {
	switch {
	case !r.readable:
		return truth(filter.Test(c, filter.Value{}))
	case !r.plain():
		return nil
	case r.forms != nil:
		return m.byForms(c, r)
	case c.Match == filter.DateTime:
		return m.unixCompare(c, r)
	case isPresence(c):
		return m.presence(c, m.fieldPresent(c.Match, r))
	case r.attr.Type == scim.TypeBinary:
		return nil // the field may hold base64 or what it stands for
	}
	return &filter.Compare{Name: r.field, Op: c.Op, Match: c.Match, Value: c.Value}
}

// presence turns what is true of a value's presence into pr, eq null or ne null.
func (m *Mapping) presence(c *filter.Compare, present filter.Expr) filter.Expr {
	if isNull(c) {
		return m.negate(present)
	}
	return present
}

// fieldPresent is true where the field holds a value of the type: a number that
// is none is left out of the resource.
func (m *Mapping) fieldPresent(match filter.Match, r *Rule) filter.Expr {
	if match != filter.Integer && match != filter.Decimal {
		return &filter.Compare{Name: r.field, Op: filter.Pr, Match: filter.Exact}
	}
	zero := filter.IntValue(0)
	return anyOf(&filter.Compare{Name: r.field, Op: filter.Ge, Match: match, Value: zero},
		&filter.Compare{Name: r.field, Op: filter.Lt, Match: match, Value: zero})
}

// formsOf lists the values that a rule makes, if they are few, with the test by
// which a backend finds each.
func formsOf(r *Rule) []form {
	eq := func(text string) filter.Expr {
		return &filter.Compare{Name: r.field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(text)}
	}
	var out []form
	switch {
	case r.codes != nil:
		for _, k := range r.codes {
			out = append(out, form{filterValue(k.value), eq(k.backend)})
		}
	case r.attr.Type == scim.TypeBoolean && r.plain():
		for i, texts := range [2][]string{falseTexts[:], trueTexts[:]} {
			var tests filter.Or
			for _, t := range texts {
				tests = append(tests, eq(t))
			}
			out = append(out, form{filter.BoolValue(i == 1), tests})
		}
	}
	return out
}

// byForms finds the forms whose values satisfy the comparison. Where it is true
// of no value, so it is of every text that is none of the forms.
func (m *Mapping) byForms(c *filter.Compare, r *Rule) filter.Expr {
	absent := filter.Test(c, filter.Value{})
	var tests []filter.Expr
	for _, f := range r.forms {
		if filter.Test(c, f.value) != absent {
			tests = append(tests, f.test)
		}
	}
	t := filter.OrOf(tests...)
	if absent {
		return m.negate(t)
	}
	return t
}

// present is true where a complex attribute, or an extension, holds anything.
func (m *Mapping) present(a *scim.Attribute) filter.Expr {
	if r := m.byAttr[a]; r != nil && r.columns != nil {
		return m.rowPresent(r)
	}
	if all := m.elements[a]; all != nil {
		terms := make([]filter.Expr, len(all.groups))
		for i, g := range all.groups {
			terms[i] = m.exists(g)
		}
		return anyOf(terms...)
	}
	var terms []filter.Expr
	for _, r := range m.single {
		if within(r.attr, a) {
			terms = append(terms, m.makes(r))
		}
	}
	for _, g := range m.groups {
		if within(g.attr, a) {
			terms = append(terms, m.exists(g))
		}
	}
	return anyOf(terms...)
}

// makes is true where a rule makes a value; nil for one that makes a complex
// value, for a list, and for a reference: its record may be out of scope.
func (m *Mapping) makes(r *Rule) filter.Expr {
	if r.readable && r.columns != nil {
		return m.rowPresent(r)
	}
	if r.readable && (r.attr.Type == scim.TypeComplex || !r.plain()) {
		return nil
	}
	return m.one(&filter.Compare{Op: filter.Pr, Match: matchOf(r.attr), Ref: r.attr}, r)
}

func within(a, whole *scim.Attribute) bool {
	for ; a != nil; a = a.Parent() {
		if a == whole {
			return true
		}
	}
	return false
}

// PushSort translates a sort key; false if the backend would order otherwise.
func (m *Mapping) PushSort(a *scim.Attribute, descending bool) (adapters.Sort, bool) {
	if a.Type == scim.TypeComplex && a.Find("value") != nil {
		a = a.Find("value")
	}
	r := m.byAttr[a]
	if all := m.elements[a.Parent()]; all != nil && len(all.groups) == 1 {
		for _, e := range all.groups[0].rules {
			if e.attr == a {
				r = e
			}
		}
	}
	match := matchOf(a)
	if r == nil || !r.readable || !r.plain() || r.forms != nil || a == m.modified || a.Type == scim.TypeBinary ||
		match != filter.Exact && match != filter.Folded && match != filter.Integer {
		return adapters.Sort{}, false
	}
	return adapters.Sort{Field: r.field, Match: match, Descending: descending}, m.field(r).Sort[match]
}
