package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Compile makes the mapping of one resource type, or says everything that is
// wrong with it. Warnings come with a mapping.
func Compile(in Input) (*Mapping, []Problem) {
	c := &compiler{in: in, m: &Mapping{aliases: in.Aliases, constants: in.Constants}, fields: &fieldSet{}}
	full, err := fullLayout(in)
	if err != nil {
		c.ps.add(in.At, "", "resource type %s: %s", in.Name, err)
		return nil, c.ps
	}
	c.full = full
	c.plan()
	if Broken(c.ps) {
		return nil, c.ps
	}
	if c.m.Type, err = c.view.resourceType(in); err != nil {
		c.ps.add(in.At, "", "resource type %s: %s", in.Name, err)
		return nil, c.ps
	}
	for _, d := range c.drafts {
		c.compile(d)
	}
	c.conditions()
	c.finish()
	if Broken(c.ps) {
		return nil, c.ps
	}
	return c.m, c.ps
}

type compiler struct {
	in     Input
	full   *scim.Layout
	view   *view
	drafts []draft
	m      *Mapping
	fields *fieldSet
	ps     problems
}

// A draft is a rule whose path is known in the full schema.
type draft struct {
	spec Spec
	path path
	at   place
}

type fieldSet struct{ names []string }

func (f *fieldSet) add(names ...string) { f.names = append(f.names, names...) }

// plan finds every path's place and works out the schema that will be served.
func (c *compiler) plan() {
	c.view = newView()
	seen := map[string]int{}
	for _, s := range c.in.Attributes {
		p, ok := parsePath(s.Path, c.in.Aliases, &c.ps)
		if !ok {
			continue
		}
		at, ok := p.resolve(c.full, &c.ps)
		if !ok {
			continue
		}
		id := placeID(at)
		if line, dup := seen[id]; dup {
			c.ps.add(s.Path, "", "%q is mapped twice; first in line %d", s.Path.Value, line)
			continue
		}
		seen[id] = s.Path.Line
		c.drafts = append(c.drafts, draft{spec: s, path: p, at: at})
		c.characteristics(s, at)
	}
	c.checkRequired()
}

func placeID(at place) string {
	id := at.attr.Path()
	for _, f := range at.consts {
		id += fmt.Sprintf("|%s=%v", f.attr.Name, f.value)
	}
	return id
}

// characteristics keeps what a rule maps and notes what it makes of mutability
// and returned.
func (c *compiler) characteristics(s Spec, at place) {
	for _, f := range at.consts {
		c.view.includeOnly(f.attr)
		c.view.change(f.attr, func(a *scim.Attribute) { c.canonical(a, f.value) })
	}
	if s.Refers.Value != "" {
		c.includeReference(at.attr)
	} else if at.attr.Type == scim.TypeComplex && s.In.Value == "" && s.Field.Value != "" && s.Split.Value != "" && at.attr.Find("value") != nil {
		c.view.includeOnly(at.attr.Find("value"))
	} else {
		c.view.include(at.attr)
	}
	switch {
	case s.In.Value != "" && (s.Out.Value == "" || s.Field.Value == ""):
		c.view.change(at.attr, func(a *scim.Attribute) { markReadOnly(a) })
	case s.In.Value == "" && s.Out.Value != "":
		c.view.change(at.attr, func(a *scim.Attribute) { a.Mutability, a.Returned = scim.WriteOnly, scim.ReturnedNever })
	}
	c.overrides(s, at)
}

// canonical lists the type values that a configuration knows, so that clients
// can see which elements have a place.
func (c *compiler) canonical(a *scim.Attribute, v scim.Value) {
	if a.Type != scim.TypeString {
		return
	}
	if !a.EnforceCanonical && slices.ContainsFunc(a.CanonicalValues, func(s string) bool { return strings.EqualFold(s, v.String()) }) {
		return
	}
	a.CanonicalValues = append(slices.Clone(a.CanonicalValues), v.String())
}

func markReadOnly(a *scim.Attribute) {
	a.Mutability, a.Required = scim.ReadOnly, false
	for _, s := range a.Sub {
		markReadOnly(s)
	}
}

func (c *compiler) overrides(s Spec, at place) {
	if s.Mutability.Value != "" {
		m, ok := scim.ParseMutable(s.Mutability.Value)
		if !ok || m == scim.ReadWrite || m == scim.WriteOnly {
			c.ps.add(s.Mutability, "readOnly or immutable", "mutability %q cannot be set here", s.Mutability.Value)
			return
		}
		c.view.change(at.attr, func(a *scim.Attribute) {
			if a.Mutability = m; m == scim.ReadOnly {
				markReadOnly(a)
			}
		})
	}
	if s.Uniqueness.Value != "" {
		u, ok := scim.ParseUnique(s.Uniqueness.Value)
		if !ok {
			c.ps.add(s.Uniqueness, "none, server or global", "%q is no uniqueness", s.Uniqueness.Value)
			return
		}
		c.view.change(at.attr, func(a *scim.Attribute) { a.Uniqueness = u })
	}
	if s.Required {
		c.view.change(at.attr, func(a *scim.Attribute) { a.Required = true })
	}
}

// includeReference keeps of a reference what Postern can fill: value, $ref, type.
func (c *compiler) includeReference(a *scim.Attribute) {
	holder := a
	if a.Type != scim.TypeComplex && a.Parent() != nil && strings.EqualFold(a.Name, "value") {
		holder = a.Parent()
	}
	c.view.includeOnly(a)
	for _, n := range []string{"value", "$ref", "type"} {
		if s := holder.Find(n); s != nil {
			c.view.includeOnly(s)
		}
	}
}

func (c *compiler) checkRequired() {
	for _, a := range c.full.Attributes() {
		if a.Required && a.Schema() == c.in.Schema.ID && !c.view.keep[strings.ToLower(a.Path())] {
			c.ps.add(c.in.At, "add a line such as "+a.Name+": COLUMN",
				"%s needs the attribute %s, and no rule makes it", c.in.Name, a.Name)
		}
	}
}

// compile makes the rule of a draft in the layout that will be served.
func (c *compiler) compile(d draft) {
	at, ok := d.path.resolve(c.m.Type.Layout, nil)
	if !ok {
		c.ps.add(d.spec.Path, "", "%q is not part of the schema", d.spec.Path.Value)
		return
	}
	s := d.spec
	r := &Rule{Path: s.Path.Value, Line: s.Path.Line, attr: at.attr, field: s.Field.Value, index: -1,
		split: s.Split.Value, format: s.Format.Value, spec: s}
	if at.element != nil {
		r.group = c.groupFor(at)
		r.group.rules = append(r.group.rules, r)
	}
	c.reference(r)
	c.relation(r)
	c.table(r)
	c.expressions(r)
	c.fallback(r)
	c.checkPlain(r)
	r.writable = r.attr.Mutability != scim.ReadOnly && (r.field != "")
	if r.field != "" {
		c.fields.add(r.field)
	}
	c.m.rules = append(c.m.rules, r)
}

func (c *compiler) groupFor(at place) *group {
	for _, g := range c.m.groups {
		if g.attr == at.element && slices.EqualFunc(g.consts, at.consts, func(a, b fixed) bool {
			return a.attr == b.attr && a.value.Equal(b.value)
		}) {
			return g
		}
	}
	g := &group{attr: at.element, consts: at.consts}
	c.m.groups = append(c.m.groups, g)
	return g
}

func (c *compiler) reference(r *Rule) {
	s := r.spec
	if s.Refers.Value == "" {
		return
	}
	endpoint, ok := c.in.Types[s.Refers.Value]
	if !ok {
		c.ps.add(s.Refers, "", "there is no resource type %q", s.Refers.Value)
		return
	}
	ref := &reference{typ: s.Refers.Value, endpoint: endpoint, holder: r.attr, kindName: s.Refers.Value}
	if r.attr.Type != scim.TypeComplex && r.attr.Parent() != nil && strings.EqualFold(r.attr.Name, "value") {
		ref.holder = r.attr.Parent()
	}
	ref.value, ref.uri, ref.kind = ref.holder.Find("value"), ref.holder.Find("$ref"), ref.holder.Find("type")
	if ref.kind != nil && slices.Contains(ref.kind.CanonicalValues, "direct") {
		ref.kindName = "direct" // User.groups (RFC 7643 section 4.1.2)
	}
	r.refers = ref
}

func (c *compiler) relation(r *Rule) {
	s := r.spec
	if s.Relation == nil {
		return
	}
	r.relation, r.field = true, "$"+r.attr.Path()
	if !r.attr.MultiValued {
		c.ps.add(s.Path, "", "%s has one value; a join table gives several", s.Path.Value)
	}
	if r.refers == nil {
		c.ps.add(s.Path, "add refers: User or refers: Group", "a join table needs the resource type that its members are")
		return
	}
	c.m.Relations = append(c.m.Relations, RelationField{Field: r.field, Table: s.Relation.Table.Value,
		Owner: s.Relation.Owner.Value, Member: s.Relation.Member.Value, Refers: r.refers.typ})
}

func (c *compiler) table(r *Rule) {
	for _, v := range r.spec.Values {
		value, err := parseLiteral(r.attr, v.SCIM.Value)
		if err != nil {
			c.ps.add(v.SCIM, "", "%q is no %s, as %s must be", v.SCIM.Value, r.attr.Type, r.attr.Path())
			continue
		}
		r.codes = append(r.codes, code{backend: v.Backend.Value, value: value})
	}
	if len(r.spec.Values) > 0 && r.field == "" {
		c.ps.add(r.spec.Path, "add name: COLUMN", "a table of values needs the backend's field")
	}
}

func (c *compiler) expressions(r *Rule) {
	s := r.spec
	if s.In.Value != "" {
		r.in = c.expression(s.In, recordEnvironment())
		if r.in != nil {
			warnAbsent(&c.ps, s.In)
			c.fields.add(r.in.names...)
		}
	}
	if s.Out.Value != "" {
		r.out = c.expression(s.Out, resourceEnvironment(c.m.Type.Layout, c.in.Aliases))
		if s.Field.Value == "" {
			c.ps.add(s.Out, "add name: COLUMN", "out computes a field's value, and no field is named")
		}
	}
}

func (c *compiler) expression(at Text, env environment, opts ...expr.Option) *expression {
	e, problem := compileExpr(at, env, opts...)
	if problem != nil {
		c.ps = append(c.ps, *problem)
	}
	return e
}

func (c *compiler) fallback(r *Rule) {
	d := r.spec.Default
	if d == nil {
		return
	}
	v, err := parseLiteral(r.attr, d.Value)
	if err != nil {
		c.ps.add(*d, "", "the default %q is no %s, as %s must be", d.Value, r.attr.Type, r.attr.Path())
		return
	}
	r.fallback, r.hasDef = v, true
}

// checkPlain refuses rules that can make no value.
func (c *compiler) checkPlain(r *Rule) {
	s := r.spec
	switch {
	case r.field == "" && r.in == nil && r.out == nil:
		c.ps.add(s.Path, "name a field, or an expression with in or out", "the rule for %q says nothing", s.Path.Value)
	case r.relation || r.in != nil || r.out != nil || r.refers != nil:
	case r.attr.Type == scim.TypeComplex && r.split == "":
		c.ps.add(s.Path, "map its sub-attributes, as "+s.Path.Value+"."+r.attr.Sub[0].Name,
			"%s is complex, and one field cannot hold it", s.Path.Value)
	case r.attr.MultiValued && r.split == "" && r.attr.Type != scim.TypeComplex:
		c.ps.add(s.Path, `add split: "," if the field holds them all`, "%s has several values, and one field holds one", s.Path.Value)
	}
}

// conditions compiles scope and when, and finds the fields they name.
func (c *compiler) conditions() {
	if c.m.scope = compileScope(c.in.Scope, &c.ps); c.m.scope != nil {
		c.fields.add(c.m.scope.expression.names...)
	}
	if c.in.When.Value != "" {
		c.m.when = c.expression(c.in.When, resourceEnvironment(c.m.Type.Layout, c.in.Aliases), expr.AsBool())
	}
	for _, k := range c.in.Constants {
		c.fields.add(k.Field.Value)
	}
	for _, k := range c.in.Key {
		c.m.key = append(c.m.key, k.Value)
	}
}

// finish fixes the shape and links every rule to its positions.
func (c *compiler) finish() {
	c.m.shape = adapters.NewShape(c.fields.names...)
	for _, r := range c.m.rules {
		if r.field != "" {
			r.index = c.m.shape.Index(r.field)
		}
		r.in.link(c.m.shape)
	}
	if c.m.scope != nil {
		c.m.scope.expression.link(c.m.shape)
	}
}

// parseLiteral reads a value as it is written in a configuration.
func parseLiteral(a *scim.Attribute, s string) (scim.Value, error) {
	switch a.Type {
	case scim.TypeBoolean:
		b, err := strconv.ParseBool(s)
		return scim.Bool(b), err
	case scim.TypeInteger:
		n, err := strconv.ParseInt(s, 10, 64)
		return scim.Int(n), err
	case scim.TypeDecimal:
		if !validNumber(s) {
			return scim.Value{}, fmt.Errorf("no number")
		}
		return scim.Decimal(s), nil
	case scim.TypeComplex:
		return scim.Value{}, fmt.Errorf("complex")
	}
	if a.MultiValued {
		return scim.List(scim.Str(s)), nil
	}
	return scim.Str(s), nil
}
