package rules

import (
	"strconv"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// A Rule makes one attribute of a record, and a field of a resource.
type Rule struct {
	Path string // as written
	Line int

	name     string          // of its path, however that is written
	kept     string          // the name under which the attribute is kept beside the record, "" for others
	number   int             // its position in Mapping.rules
	attr     *scim.Attribute // where the value goes
	item     *scim.Attribute // what one value is of: attr, or its value where split makes elements
	group    *group          // the element it is part of, or nil
	field    string          // the backend's field, "" for an expression alone
	index    int             // its position in the shape, -1 without
	codes    []code
	in, out  *expression
	split    string
	list     bool // the field holds several values
	format   string
	refers   *reference
	relation bool            // field holds the keys of members: as a list, or with split as a text
	columns  []*Rule         // the columns, where the elements are rows
	shape    *adapters.Shape // of the rows
	copies   bool            // a text of the backend is the value as it is
	readable bool            // clients may see what it makes
	writable bool            // clients may change it
	fallback scim.Value
	hasDef   bool
	forms    []form   // set for attributes of which a backend holds few texts
	reads    []string // fields needed to make the attribute
	spec     Spec
}

// A code is one row of a table.
type code struct {
	backend string
	value   scim.Value
}

// A form is a value and the test by which a backend finds it.
type form struct {
	value filter.Value
	test  filter.Expr
}

// relationPrefix marks the fields that are join tables. No column begins so.
const relationPrefix = "$"

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
	id     string // equal for the same constants
	index  int    // its position in Mapping.groups
	consts []fixed
	rules  []*Rule
}

// A gathering is all groups of one attribute, those that fix more first: they
// have the first say in which element is theirs.
type gathering struct {
	attr   *scim.Attribute
	groups []*group // as configured
	strict []*group // by the number of their constants
}

// Attribute is where the rule's value goes.
func (r *Rule) Attribute() *scim.Attribute { return r.attr }

// Field is the backend's field, empty for an expression alone.
func (r *Rule) Field() string { return r.field }

// Reads lists the fields that are needed to make the attribute. The slice must not
// be changed.
func (r *Rule) Reads() []string { return r.reads }

// Default is the rule's default and whether it has one.
func (r *Rule) Default() (scim.Value, bool) { return r.fallback, r.hasDef }

// Costly reports whether reading the rule's attribute costs the backend more
// than a field of the same record: a join table.
func (r *Rule) Costly() bool { return r.relation && !r.Joined() || r.columns != nil }

// Top is the top-level attribute, or the extension container, that the rule
// makes or makes a part of.
func (r *Rule) Top() *scim.Attribute { return top(r.attr) }

func top(a *scim.Attribute) *scim.Attribute {
	for a.Parent() != nil {
		a = a.Parent()
	}
	return a
}

// plain reports whether a field alone decides the attribute, one value for one.
func (r *Rule) plain() bool {
	return r.field != "" && !r.spec.Kept && r.in == nil && r.out == nil && !r.relation && r.columns == nil && r.refers == nil && r.split == "" && !r.list
}

// Describe says in a few words what a rule does.
func (r *Rule) Describe() string {
	switch {
	case r.columns != nil:
		return "rows of " + r.spec.Rows.Table.Value
	case r.spec.Lookup != nil:
		return r.spec.Field.Value + " through " + r.spec.Lookup.Table.Value + "." + r.spec.Lookup.Name.Value
	case r.Joined():
		return r.field + ", split at " + strconv.Quote(r.split) + ", refers to " + r.refers.typ
	case r.relation && r.spec.Relation == nil:
		return r.field + ", a list, refers to " + r.refers.typ
	case r.relation:
		s := r.spec.Relation
		return s.Table.Value + " (" + s.Owner.Value + ", " + s.Member.Value + ") refers to " + r.refers.typ
	case r.spec.Kept && r.field != "":
		return "kept, and written to " + r.field
	case r.spec.Kept:
		return "kept"
	case r.in != nil && r.out != nil:
		return r.field + " through expressions"
	case r.in != nil:
		return "expression: " + r.spec.In.Value
	case r.out != nil:
		return r.field + ", written by an expression"
	case r.list:
		return r.field + ", a list"
	case r.split != "":
		return r.field + ", split at " + strconv.Quote(r.split)
	case r.codes != nil:
		return r.field + " through a table of values"
	case r.refers != nil:
		return r.field + " refers to " + r.refers.typ
	}
	return r.field
}

// Pushable says whether comparisons with the attribute reach the backend.
func (r *Rule) Pushable(m *Mapping) string {
	a := r.item
	if r.refers != nil && r.refers.value != nil {
		a = r.refers.value
	}
	c := &filter.Compare{Op: filter.Eq, Ref: a, Match: matchOf(a)}
	switch c.Match {
	case filter.Boolean:
		c.Value = filter.BoolValue(true)
	case filter.Integer, filter.Decimal:
		c.Value = filter.IntValue(1)
	case filter.DateTime:
		c.Value = filter.StringValue("2000-01-01T00:00:00Z")
	case filter.Presence:
		c.Op = filter.Pr
	default:
		c.Value = filter.StringValue("x")
	}
	if !r.readable {
		return "no"
	}
	known := func(string, string) (string, bool) { return "x", true }
	kept := func(*filter.Compare) ([]string, bool) { return nil, true }
	l := Lookup{Key: known, Kept: kept}
	if _, ok := m.leaf(c, l); ok {
		return "yes"
	}
	if m.wider(c, l) != nil {
		return "in part"
	}
	return "no"
}
