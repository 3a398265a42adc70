package rules

import (
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// A Mapping is everything the configuration says of one resource type.
type Mapping struct {
	Type      *schema.ResourceType // as served: what is mapped, and nothing else
	Relations []RelationField
	Rows      []RowsField
	Lookups   []LookupField

	shape      *adapters.Shape
	key        []string
	rules      []*Rule // in the order of the configuration
	single     []*Rule // those that make an attribute by themselves
	groups     []*group
	gatherings []*gathering
	scope      *scope
	managed    *scope
	birth      string // "": none
	ends       *scim.Attribute
	correlate  []*scim.Attribute
	when       *expression
	places     []residence
	newKey     *expression
	constants  []Constant
	caps       adapters.Capabilities

	byAttr     map[*scim.Attribute]*Rule // single rules by what they make
	references map[*scim.Attribute]*Rule // reference rules by what a filter compares
	elements   map[*scim.Attribute]*gathering
	keeps      bool            // something is kept beside records
	remembers  bool            // namely what fields held before
	depends    bool            // expressions name parameters, or the tenant
	created    *scim.Attribute // of meta
	modified   *scim.Attribute
	typeName   *scim.Attribute
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

// Rules lists the rules in the order of the configuration.
func (m *Mapping) Rules() []*Rule { return m.rules }

// MapsExternalID reports whether externalId lives in the backend; otherwise it
// is kept per client in the mapping table.
func (m *Mapping) MapsExternalID() bool { return m.byAttr[m.Type.Layout.ExternalID] != nil }

// Correlates lists the attributes by which creates are correlated with records;
// empty means those that are unique.
func (m *Mapping) Correlates() []*scim.Attribute { return m.correlate }

// Ends is the attribute after whose time a resource is to be inactive, or nil.
func (m *Mapping) Ends() *scim.Attribute { return m.ends }

// References lists the resource types that reference attributes point to.
func (m *Mapping) References() []string {
	var types []string
	for _, r := range m.rules {
		if r.refers != nil && !slices.Contains(types, r.refers.typ) {
			types = append(types, r.refers.typ)
		}
	}
	return types
}

// InScope reports whether provisioning may see the record.
func (m *Mapping) InScope(r adapters.Record) bool { return m.scope.admits(r) }

// Managed reports whether provisioning may change the record. Where an expression
// fails it may not: what cannot be judged stays untouched.
func (m *Mapping) Managed(r adapters.Record) bool { return m.managed.admits(r) }

// HasManaged reports whether there are records that may only be seen.
func (m *Mapping) HasManaged() bool { return m.managed != nil }

// ScopeFields lists the fields that the scope looks at.
func (m *Mapping) ScopeFields() []string {
	if m.scope == nil {
		return nil
	}
	return m.scope.expression.names
}

// HasScope reports whether there is a scope at all.
func (m *Mapping) HasScope() bool { return m.scope != nil }

// HasBirth reports whether records say by what they are told from others that get
// their key.
func (m *Mapping) HasBirth() bool { return m.birth != "" }

// Birth is the field by which a record is told from others that get its key, and
// what it holds.
func (m *Mapping) Birth(r adapters.Record) (field, value string) {
	if m.birth == "" {
		return "", ""
	}
	return m.birth, text(r.Get(m.birth))
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

// field is what the backend declares about a rule's field.
func (m *Mapping) field(r *Rule) adapters.Field {
	if r.index >= 0 && r.index < len(m.caps.Fields) {
		return m.caps.Fields[r.index]
	}
	return adapters.Field{}
}

// A Plan is what one kind of request needs of a mapping: which rules run and
// which fields they read.
type Plan struct {
	Want   adapters.Fields
	Refers bool   // references are among it
	rules  []bool // by position in Mapping.rules
	single []*Rule
	groups []*gathering

	keeps      bool // what is kept is needed
	kept       []*Rule
	keptGroups []*gathering // with an element of which a part is kept
}

// Plan works out what must be read for the attributes that are needed. It is
// meant to be kept for the selections that come often.
func (m *Mapping) Plan(need func(*scim.Attribute) bool) *Plan {
	p := &Plan{rules: make([]bool, len(m.rules)), single: make([]*Rule, 0, len(m.single))}
	names := make([]string, 0, m.shape.Len())
	use := func(r *Rule) {
		p.rules[r.number] = true
		names = append(names, r.reads...)
	}
	for _, r := range m.single {
		if need(r.attr) || r.refers != nil && need(r.refers.holder) {
			use(r)
			if r.kept != "" {
				p.kept, p.keeps = append(p.kept, r), true
				continue
			}
			p.single = append(p.single, r)
			p.Refers = p.Refers || r.refers != nil
		}
	}
	for _, g := range m.gatherings {
		if !need(g.attr) {
			continue
		}
		if g.keeps() {
			p.keptGroups, p.keeps = append(p.keptGroups, g), true
		} else {
			p.groups = append(p.groups, g)
		}
		// whole: whether there is an element may depend on any part
		for _, e := range g.groups {
			for _, r := range e.rules {
				use(r)
			}
		}
	}
	if m.scope != nil {
		names = append(names, m.scope.expression.names...)
	}
	if m.managed != nil {
		names = append(names, m.managed.expression.names...)
	}
	if m.birth != "" {
		names = append(names, m.birth)
	}
	if m.HasPlaces() {
		names = append(names, adapters.PlaceField)
	}
	p.Want = m.shape.FieldSet(names...)
	return p
}
