package rules

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// Compile makes the mapping of one resource type, or says everything that is
// wrong with it. Warnings come with a mapping.
func Compile(in Input) (*Mapping, []Problem) {
	c := &compiler{in: in, m: &Mapping{constants: in.Constants}}
	var err error
	if c.full, err = fullLayout(in); err != nil {
		c.ps.add(in.At, "", "resource type %s: %s", in.Name, err)
		return nil, c.ps
	}
	c.plan()
	if c.m.Type, err = c.view.resourceType(in); err != nil {
		if !Broken(c.ps) { // else it may be a consequence
			c.ps.add(in.At, "", "%s", err)
		}
		return nil, c.ps
	}
	for _, d := range c.drafts {
		c.rule(d)
	}
	c.checkMemories()
	c.conditions()
	if Broken(c.ps) {
		return nil, c.ps
	}
	c.finish()
	return c.m, c.ps
}

type compiler struct {
	in     Input
	full   *scim.Layout // with everything that the schemas define
	view   *view
	drafts []*draft
	m      *Mapping
	fields []string
	ps     problems
}

// fullLayout compiles the whole schema, to find what paths mean.
func fullLayout(in Input) (*scim.Layout, error) {
	var exts []scim.Extension
	for _, e := range in.Extensions {
		exts = append(exts, scim.Extension{Schema: e.Schema.ID, Attributes: cloneAll(e.Schema.Attributes)})
	}
	return scim.NewLayout(in.Schema.ID, cloneAll(in.Schema.Attributes), exts)
}

func cloneAll(as []*scim.Attribute) []*scim.Attribute {
	out := make([]*scim.Attribute, len(as))
	for i, a := range as {
		out[i] = a.Clone()
	}
	return out
}

// rule makes the rule of a draft in the layout that will be served.
func (c *compiler) rule(d *draft) {
	s := d.spec
	r := &Rule{Path: s.Path.Value, Line: s.Path.Line, attr: c.served(d.at.attr), field: lookedUp(s), index: -1,
		split: s.Split.Value, format: s.Format.Value, spec: s}
	r.name = d.at.id()
	if s.Kept && !c.isTime(d) {
		r.kept = r.name
	}
	r.list = c.isList(d)
	if r.item = r.attr; r.attr.Type == scim.TypeComplex && (r.split != "" || r.list) {
		r.item = r.attr.Find("value")
	}
	if d.at.element != nil {
		r.group = c.groupFor(d.at)
		r.group.rules = append(r.group.rules, r)
	}
	c.reference(r)
	c.relation(r)
	c.rows(r)
	c.table(r)
	c.expressions(r)
	r.readable = !d.outOnly() && !hidden(r.attr)
	r.writable = (r.field != "" || r.kept != "") && (d.computed || !d.inOnly() && !readOnly(r.attr))
	c.fallback(r)
	if r.field != "" {
		c.fields = append(c.fields, r.field)
		c.m.Lookups = noteLookup(c.m.Lookups, s)
	}
	r.number = len(c.m.rules)
	c.m.rules = append(c.m.rules, r)
}

// served is the attribute of the served layout that one of the full layout became.
func (c *compiler) served(a *scim.Attribute) *scim.Attribute {
	return c.m.Type.Layout.Resolve(a.Path())
}

func hidden(a *scim.Attribute) bool {
	for ; a != nil; a = a.Parent() {
		if a.Mutability == scim.WriteOnly {
			return true
		}
	}
	return false
}

func readOnly(a *scim.Attribute) bool {
	for ; a != nil; a = a.Parent() {
		if a.Mutability == scim.ReadOnly {
			return true
		}
	}
	return false
}

func (c *compiler) groupFor(at place) *group {
	id, element := at.constants(), c.served(at.element)
	for _, g := range c.m.groups {
		if g.attr == element && g.id == id {
			return g
		}
	}
	g := &group{attr: element, id: id, index: len(c.m.groups)}
	for _, f := range at.consts {
		g.consts = append(g.consts, fixed{attr: c.served(f.attr), value: f.value})
	}
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
		c.ps.add(s.Refers, didYouMean(s.Refers.Value, slices.Sorted(maps.Keys(c.in.Types))), "there is no resource type %q", s.Refers.Value)
		return
	}
	ref := &reference{typ: s.Refers.Value, endpoint: endpoint, holder: holderOf(r.attr), kindName: s.Refers.Value}
	ref.value, ref.uri, ref.kind = ref.holder.Find("value"), ref.holder.Find("$ref"), ref.holder.Find("type")
	if ref.kind != nil && containsFold(ref.kind.CanonicalValues, "direct") {
		ref.kindName = "direct" // User.groups (RFC 7643 section 4.1.2)
	}
	r.refers = ref
}

// holderOf is the complex attribute whose value is a reference, or the plain
// attribute itself.
func holderOf(a *scim.Attribute) *scim.Attribute {
	if p := a.Parent(); a.Type != scim.TypeComplex && p != nil && !p.IsExtension() && strings.EqualFold(a.Name, "value") {
		return p
	}
	return a
}

func (c *compiler) relation(r *Rule) {
	s := r.spec
	if s.Relation == nil {
		r.relation = (c.in.Lists || r.split != "") && r.refers != nil && r.refers.holder.MultiValued && r.group == nil
		return
	}
	r.relation, r.field = true, relationPrefix+r.attr.Path()
	if r.refers != nil {
		c.m.Relations = append(c.m.Relations, RelationField{Field: r.field, Table: s.Relation.Table.Value,
			Owner: s.Relation.Owner.Value, Member: s.Relation.Member.Value, Refers: r.refers.typ})
	}
}

func (c *compiler) table(r *Rule) {
	seen := map[string]bool{}
	for _, v := range r.spec.Values {
		value, ok := parseLiteral(r.item, v.SCIM.Value)
		switch {
		case !ok:
			c.badLiteral(v.SCIM, r.item, "the value")
			continue
		case v.Backend.Value == "":
			c.ps.add(v.Backend, `write in: 'record.x == nil ? … : …'`, "an empty field has no value, so no row of the table can stand for it")
		case seen[v.Backend.Value]:
			c.ps.add(v.Backend, "", "the backend's value %q is in the table twice", v.Backend.Value)
		}
		seen[v.Backend.Value] = true
		r.codes = append(r.codes, code{backend: v.Backend.Value, value: value})
	}
}

func (c *compiler) badLiteral(at Text, a *scim.Attribute, what string) {
	switch {
	case at.Value == "":
		c.ps.add(at, "", "%s is empty, which is no value", what)
	case a.EnforceCanonical:
		c.ps.add(at, "", "%s %q does not fit: %s is one of %s", what, at.Value, c.short(a), strings.Join(a.CanonicalValues, ", "))
	default:
		c.ps.add(at, "", "%s %q does not fit: %s is %s", what, at.Value, c.short(a), article(a))
	}
}

func (c *compiler) expressions(r *Rule) {
	s := r.spec
	if s.In.Value != "" {
		if r.in = c.expression(s.In, recordEnvironment(r.field != "")); r.in != nil {
			c.checkResult(r.in, r.attr, r.group != nil)
			c.warnAbsent(r.in, "the expression gives none")
			c.fields = append(c.fields, r.in.names...)
		}
	}
	if s.Out.Value != "" {
		if r.out = c.expression(s.Out, c.resourceEnvironment(r.attr)); r.out != nil {
			c.checkOut(r.out)
			c.warnAbsent(r.out, "the expression gives none")
		}
	}
}

func (c *compiler) fallback(r *Rule) {
	d := r.spec.Default
	if d == nil {
		return
	}
	switch {
	case r.refers != nil:
		c.ps.add(*d, "set the field by constants", "a reference cannot have a default")
		return
	case !r.writable:
		c.ps.add(*d, "", "the default does nothing: %s is never written", c.short(r.attr))
		return
	}
	v, ok := parseLiteral(r.attr, d.Value)
	if !ok {
		c.badLiteral(*d, r.attr, "the default")
		return
	}
	if r.attr.MultiValued {
		v = scim.List(v)
	}
	r.fallback, r.hasDef = v, true
}

// conditions compiles scope and when, and notes all fields that are named.
func (c *compiler) conditions() {
	if c.m.scope = c.compileScope(c.in.Scope, "scope", "the record is hidden"); c.m.scope != nil {
		c.fields = append(c.fields, c.m.scope.expression.names...)
	}
	if c.m.managed = c.compileScope(c.in.Managed, "managed", "the record may only be read"); c.m.managed != nil {
		c.fields = append(c.fields, c.m.managed.expression.names...)
	}
	if c.in.When.Value != "" {
		if c.m.when = c.expression(c.in.When, c.resourceEnvironment(nil), expr.AsBool()); c.m.when != nil {
			c.checkCondition(c.m.when, "when")
			c.warnAbsent(c.m.when, "the condition is not met")
		}
	}
	c.places()
	if c.in.NewKey.Value != "" {
		if c.m.newKey = c.expression(c.in.NewKey, c.resourceEnvironment(nil)); c.m.newKey != nil {
			c.warnAbsent(c.m.newKey, "the record is refused")
		}
	}
	written := map[string]*Rule{}
	for _, r := range c.m.rules {
		if r.writable {
			written[r.field] = r
		}
	}
	for _, k := range c.in.Constants {
		if r := written[k.Field.Value]; r != nil {
			c.ps.add(k.Field, "delete one of the two", "%q is set by constants and by the rule for %s in line %d", k.Field.Value, r.Path, r.Line)
		}
		c.fields = append(c.fields, k.Field.Value)
	}
	if c.m.birth = c.in.Birth.Value; c.m.birth != "" {
		c.birth(written)
		c.fields = append(c.fields, c.m.birth)
	}
	for _, k := range c.in.Key {
		c.m.key = append(c.m.key, k.Value)
	}
	c.correlation()
}

// birth refuses a field that changes while the record stays the same: at every
// change its id would be retired.
func (c *compiler) birth(written map[string]*Rule) {
	field := c.in.Birth
	hint := "name one that the backend sets once, such as the time of creation"
	if r := written[field.Value]; r != nil {
		c.ps.add(field, hint, "the field %q does not stay what it is: the rule for %s in line %d writes it", field.Value, r.Path, r.Line)
	}
	for _, r := range c.m.rules {
		if r.attr == c.m.Type.Layout.Meta.Find("lastModified") && r.field == field.Value {
			c.ps.add(field, hint, "the field %q does not stay what it is: it is the record's time of change", field.Value)
		}
	}
	for _, k := range c.in.Key {
		if k.Value == field.Value {
			c.ps.add(field, hint, "the field %q is the key, and a key that is used again says nothing", field.Value)
		}
	}
}

// finish fixes the shape, links every rule to its positions, and works out what
// requests would otherwise look up.
func (c *compiler) finish() {
	m := c.m
	m.shape = adapters.NewShape(c.fields...)
	m.byAttr, m.references = map[*scim.Attribute]*Rule{}, map[*scim.Attribute]*Rule{}
	for _, r := range m.rules {
		if r.field != "" {
			r.index = m.shape.Index(r.field)
			r.reads = append(r.reads, r.field)
		}
		if r.in.link(m.shape); r.in != nil {
			r.reads = append(r.reads, r.in.names...)
		}
		r.forms = formsOf(r)
		r.copies = r.readable && r.plain() && r.codes == nil && (r.attr.Type == scim.TypeString || r.attr.Type == scim.TypeReference)
		if r.group == nil {
			m.single = append(m.single, r)
			m.byAttr[r.attr] = r
		}
		if r.refers != nil {
			m.references[r.refers.compared()] = r
		}
	}
	for _, r := range m.rules {
		m.remembers = m.remembers || r.remembers()
		m.keeps = m.keeps || r.kept != "" || r.remembers()
	}
	m.gather()
	if m.scope != nil {
		m.scope.expression.link(m.shape)
	}
	if m.managed != nil {
		m.managed.expression.link(m.shape)
	}
	meta := m.Type.Layout.Meta
	m.created, m.modified, m.typeName = meta.Find("created"), meta.Find("lastModified"), meta.Find("resourceType")
}

// compared is the attribute that a filter on the reference compares.
func (ref *reference) compared() *scim.Attribute {
	if ref.value != nil {
		return ref.value
	}
	return ref.holder
}

// short is an attribute's path as a configuration writes it.
func (c *compiler) short(a *scim.Attribute) string { return shortened(a.Path(), c.in.Aliases) }
