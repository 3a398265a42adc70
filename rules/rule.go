package rules

import (
	"slices"
	"strconv"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// A Rule makes one attribute of a record, and a field of a resource.
type Rule struct {
	Path string // as written
	Line int

	attr     *scim.Attribute // where the value goes
	group    *group          // the element it is part of, or nil
	field    string          // the backend's field, "" for an expression alone
	index    int             // its position in the shape, -1 without
	codes    []code
	in, out  *expression
	split    string
	format   string
	refers   *reference
	relation bool // field holds the keys of members
	writable bool
	fallback scim.Value // default on create
	hasDef   bool
	spec     Spec
}

// A code is one row of a table.
type code struct {
	backend string
	value   scim.Value
}

// A reference is an attribute whose value is the id of another resource.
type reference struct {
	typ, endpoint    string
	holder           *scim.Attribute // the complex attribute, or the plain one
	value, uri, kind *scim.Attribute // its sub-attributes; nil where it has none
	kindName         string
}

// A group is one element of a multi-valued complex attribute, made of the rules
// whose paths fix the same constants.
type group struct {
	attr   *scim.Attribute
	consts []fixed
	rules  []*Rule
}

// A Mapping is everything the configuration says of one resource type.
type Mapping struct {
	Type      *schema.ResourceType // as served: what is mapped, and nothing else
	Relations []RelationField

	shape     *adapters.Shape
	key       []string
	rules     []*Rule
	groups    []*group
	scope     *scope
	when      *expression
	constants []Constant
	aliases   map[string]string
	caps      adapters.Capabilities
}

// A RelationField tells the adapter which join table is behind a field.
type RelationField struct {
	Field, Table, Owner, Member, Refers string
}

// Shape is the fields that the rules name: what the adapter must deliver.
func (m *Mapping) Shape() *adapters.Shape { return m.shape }

// Key is the fields that make a record's key.
func (m *Mapping) Key() []string { return m.key }

// Bind tells the mapping what its backend can do. It is called once, at start,
// before the first request.
func (m *Mapping) Bind(c adapters.Capabilities) { m.caps = c }

// MapsExternalID reports whether externalId lives in the backend; otherwise it
// is kept per client in the mapping table.
func (m *Mapping) MapsExternalID() bool {
	return slices.ContainsFunc(m.rules, func(r *Rule) bool { return r.attr == m.Type.Layout.ExternalID })
}

// References lists the reference attributes and the resource types they point to.
func (m *Mapping) References() []string {
	var types []string
	for _, r := range m.rules {
		if r.refers != nil && !slices.Contains(types, r.refers.typ) {
			types = append(types, r.refers.typ)
		}
	}
	return types
}

// Rules lists the rules in the order of the configuration.
func (m *Mapping) Rules() []*Rule { return m.rules }

// A Plan is what one kind of request needs of a mapping: which rules run and
// which fields they read.
type Plan struct {
	Want   adapters.Fields
	Refers bool // references are among it
	rules  []bool
	groups []bool
}

// Plan works out what must be read for the attributes that are needed. It is
// meant to be kept for the selections that come often.
func (m *Mapping) Plan(need func(*scim.Attribute) bool) *Plan {
	p := &Plan{rules: make([]bool, len(m.rules)), groups: make([]bool, len(m.groups))}
	var names []string
	for i, r := range m.rules {
		if !need(r.attr) {
			continue
		}
		p.rules[i] = true
		p.Refers = p.Refers || r.refers != nil
		if r.group != nil {
			p.groups[slices.Index(m.groups, r.group)] = true
		}
		names = append(names, r.reads()...)
	}
	if m.scope != nil {
		names = append(names, m.scope.expression.names...)
	}
	p.Want = m.shape.FieldSet(names...)
	return p
}

// reads lists the fields that a rule needs to make its attribute.
func (r *Rule) reads() []string {
	var names []string
	if r.field != "" {
		names = append(names, r.field)
	}
	if r.in != nil {
		names = append(names, r.in.names...)
	}
	return names
}

// Attribute is where the rule's value goes.
func (r *Rule) Attribute() *scim.Attribute { return r.attr }

// Field is the backend's field, empty for an expression alone.
func (r *Rule) Field() string { return r.field }

// Default is the rule's default and whether it has one.
func (r *Rule) Default() (scim.Value, bool) { return r.fallback, r.hasDef }

// InScope reports whether provisioning may see the record.
func (m *Mapping) InScope(r adapters.Record) bool { return m.scope.admits(r) }

// Costly reports whether reading the rule's attribute costs the backend more
// than a field of the same record: a join table.
func (r *Rule) Costly() bool { return r.relation }

// Top is the top-level attribute, or the extension container, that the rule
// makes or makes a part of.
func (r *Rule) Top() *scim.Attribute {
	a := r.attr
	for a.Parent() != nil {
		a = a.Parent()
	}
	return a
}

// AttributeOf names the attribute that a backend's field becomes, for messages
// to clients, who know no fields. Empty if no rule names the field.
func (m *Mapping) AttributeOf(field string) string {
	for _, r := range m.rules {
		if r.field == field {
			return r.attr.Path()
		}
	}
	return ""
}

// Describe says in a few words what a rule does.
func (r *Rule) Describe() string {
	switch {
	case r.relation:
		s := r.spec.Relation
		return s.Table.Value + " (" + s.Owner.Value + ", " + s.Member.Value + ") refers to " + r.refers.typ
	case r.in != nil && r.out != nil:
		return r.field + " through expressions"
	case r.in != nil:
		return "expression: " + r.spec.In.Value
	case r.out != nil:
		return r.field + ", written by an expression"
	case r.codes != nil:
		return r.field + " through a table of values"
	case r.refers != nil:
		return r.field + " refers to " + r.refers.typ
	case r.split != "":
		return r.field + ", split at " + strconv.Quote(r.split)
	}
	return r.field
}

// Pushable says whether comparisons with the attribute reach the backend.
func (r *Rule) Pushable(m *Mapping) string {
	match := filter.Folded
	switch {
	case r.attr.CaseExact || r.codes != nil || r.refers != nil:
		match = filter.Exact
	case r.attr.Type == scim.TypeInteger:
		match = filter.Integer
	}
	if r.field == "" || r.in != nil || r.out != nil || r.split != "" || !m.field(r).Filter[match].Has(filter.Eq) ||
		(r.codes == nil && r.refers == nil && r.attr.Type != scim.TypeString && r.attr.Type != scim.TypeInteger && r.attr.Type != scim.TypeReference) {
		return "no"
	}
	return "yes"
}
