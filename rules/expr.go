package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// An expression is compiled once. It is given only the fields and attributes
// that it names.
type expression struct {
	at       Text
	program  *vm.Program
	tree     ast.Node
	env      environment
	names    []string          // fields of record that it names
	fields   []int             // their positions, once the shape is known
	attrs    []*scim.Attribute // top-level attributes of resource that it names
	keys     []string          // and by which names
	whole    bool              // it uses record as a whole
	kept     bool              // it asks what the field held before
	machines sync.Pool         // *vm.VM: a machine runs one expression at a time
	seen     sync.Pool         // *recordNames, to be used again
}

// An environment is what an expression may name.
type environment struct {
	layout  *scim.Layout // of resource; nil: the expression is over record
	full    *scim.Layout // with what no rule maps
	aliases map[string]string
	env     types.Map
}

// recordEnvironment is for expressions over record, and value if a field is named.
func recordEnvironment(value bool) environment {
	e := environment{env: types.Map{"record": types.Map{types.Extra: types.Any}}}
	if value {
		e.env["value"] = types.Any
	}
	return e
}

// resourceEnvironment is for expressions over resource, typed from the schema.
// With an attribute there is value, of the attribute's type.
func (c *compiler) resourceEnvironment(value *scim.Attribute) environment {
	l, m := c.m.Type.Layout, types.Map{}
	for _, a := range l.Attributes() {
		m[a.Name] = exprType(a)
	}
	for short, urn := range c.in.Aliases {
		if a := l.Find(urn); a != nil {
			m[short] = exprType(a)
		}
	}
	e := environment{layout: l, full: c.full, aliases: c.in.Aliases, env: types.Map{"resource": m}}
	if value != nil {
		e.env["value"], e.env["kept"] = exprType(value), types.Any
	}
	return e
}

func exprType(a *scim.Attribute) types.Type {
	t := scalarType(a)
	if a.MultiValued {
		return types.Array(t)
	}
	return t
}

func scalarType(a *scim.Attribute) types.Type {
	switch a.Type {
	case scim.TypeBoolean:
		return types.Bool
	case scim.TypeInteger:
		return types.Int
	case scim.TypeDecimal:
		return types.Float64
	case scim.TypeComplex:
		m := types.Map{}
		for _, s := range a.Sub {
			m[s.Name] = exprType(s)
		}
		return m
	}
	return types.String
}

// maxNodes bounds an expression: nobody writes a longer one by hand.
const maxNodes = 2000

// expression compiles an expression and finds out what it names.
func (c *compiler) expression(at Text, env environment, want ...expr.Option) *expression {
	beside, given := &joinPatcher{c.in.Joins}, &paramPatcher{c: c}
	c.withParams(env.env)
	opts := append([]expr.Option{expr.Env(env.env), expr.MaxNodes(maxNodes), expr.Patch(beside), expr.Patch(given)}, functions()...)
	tree, err := parser.Parse(at.Value)
	if err != nil {
		c.ps = append(c.ps, env.problem(at, nil, err))
		return nil
	}
	ast.Walk(&tree.Node, beside)
	ast.Walk(&tree.Node, given)
	c.m.depends = c.m.depends || given.used
	program, err := expr.Compile(at.Value, append(opts, want...)...)
	if err != nil {
		c.ps = append(c.ps, env.problem(at, tree.Node, err))
		return nil
	}
	e := &expression{at: at, program: program, tree: tree.Node}
	e.machines.New = func() any { return new(vm.VM) }
	v := &namesVisitor{record: map[string]bool{}, resource: map[string]bool{}}
	ast.Walk(&tree.Node, v)
	if v.environment != nil {
		loc := v.environment.Location()
		from, to := byteSpan(at.Value, loc.From, loc.To)
		c.ps.inside(at, from, to-from, "write record.NAME or resource.NAME", "an expression cannot use $env")
		return nil
	}
	e.names, e.whole, e.kept = sortedKeys(v.record), v.bareRecord > 0, v.kept
	if env.layout != nil {
		e.bindAttributes(v, env)
	}
	e.env = env
	return e
}

func (e *expression) bindAttributes(v *namesVisitor, env environment) {
	names := sortedKeys(v.resource)
	if v.bareResource > 0 {
		names = nil
		for _, a := range env.layout.Attributes() {
			names = append(names, a.Name)
		}
	}
	for _, n := range names {
		a := env.layout.Find(n)
		if a == nil {
			a = env.layout.Find(env.aliases[n])
		}
		if a != nil {
			e.attrs, e.keys = append(e.attrs, a), append(e.keys, n)
		}
	}
}

// link finds the positions of the fields that the expression names. One that
// uses record as a whole gets every column, but no join table: that would be
// keys, and costly.
func (e *expression) link(s *adapters.Shape) {
	if e == nil {
		return
	}
	if e.whole {
		e.names = nil
		for _, n := range s.Names() {
			if !strings.HasPrefix(n, relationPrefix) {
				e.names = append(e.names, n)
			}
		}
	}
	e.fields = make([]int, len(e.names))
	for i, n := range e.names {
		e.fields[i] = s.Index(n)
	}
}

// recordNames is what an expression over a record sees.
type recordNames struct{ record, all map[string]any }

// onRecord runs an expression over a record. Its names are used again, unless the
// outcome may hold a part of them.
func (e *expression) onRecord(r adapters.Record, value any) (any, error) {
	names, ok := e.seen.Get().(*recordNames)
	if !ok {
		m := make(map[string]any, len(e.names))
		names = &recordNames{record: m, all: map[string]any{"record": m}}
	}
	for i, n := range e.names {
		names.record[n] = exprValue(r.At(e.fields[i]))
	}
	names.all["value"] = exprValue(value)
	out, err := e.run(names.all)
	switch out.(type) {
	case nil, bool, string, int, int64, float64:
		e.seen.Put(names)
	}
	return out, err
}

// onResource runs an expression over a resource.
func (e *expression) onResource(r *scim.Resource, a *scim.Attribute, value scim.Value, kept any) (any, error) {
	m := make(map[string]any, len(e.attrs))
	for i, attr := range e.attrs {
		m[e.keys[i]] = filled(attr, r.Get(attr))
	}
	env := map[string]any{"resource": m, "value": nil, "kept": kept}
	if a != nil {
		env["value"] = toAny(a, value)
	}
	return e.run(env)
}

// filled is what expressions see of an attribute. Absent parents have absent
// parts and no elements, so that looking into them does not fail.
func filled(a *scim.Attribute, v scim.Value) any {
	switch {
	case a.MultiValued && !v.Present():
		return []any{}
	case a.MultiValued || a.Type != scim.TypeComplex:
		return toAny(a, v)
	}
	m := make(map[string]any, len(a.Sub))
	for _, s := range a.Sub {
		m[s.Name] = filled(s, v.Get(s))
	}
	return m
}

// Failures of expressions. The words of the expression language could show
// values, which must not get into a log.
var (
	errAbsent = errors.New("a value that its expression needs is absent")
	errFailed = errors.New("its expression fails on the values that are there")
)

func (e *expression) run(env map[string]any) (any, error) {
	machine := e.machines.Get().(*vm.VM)
	out, err := machine.Run(e.program, env)
	if err == nil {
		e.machines.Put(machine)
		return out, nil
	}
	failed := errFailed
	if fe := (*file.Error)(nil); errors.As(err, &fe) && aboutNil(fe.Message) {
		failed = errAbsent
	}
	return nil, fmt.Errorf("line %d: %w", e.at.Line, failed)
}

// aboutNil knows how the expression language says that there is no value.
func aboutNil(message string) bool {
	for _, s := range []string{"<nil>", "is nil", "zero Value", "from invalid", "index out of range"} {
		if strings.Contains(message, s) {
			return true
		}
	}
	return false
}

// exprValue is what expressions see of a record's value.
func exprValue(v any) any {
	if adapters.NoValue(v) {
		return nil
	}
	switch v := v.(type) {
	case int64:
		return int(v)
	case []byte:
		return string(v)
	}
	return v
}

// A joinPatcher makes one name of record.JOIN.COLUMN, the field of a row beside the
// record.
type joinPatcher struct{ joins []string }

// Visit implements ast.Visitor.
func (p *joinPatcher) Visit(n *ast.Node) {
	outer, ok := (*n).(*ast.MemberNode)
	if !ok {
		return
	}
	base, join, ok := member(outer.Node)
	column, isName := outer.Property.(*ast.StringNode)
	if !ok || !isName || base != "record" || !slices.Contains(p.joins, join) {
		return
	}
	inner := outer.Node
	if c, chained := inner.(*ast.ChainNode); chained {
		inner = c.Node
	}
	field := &ast.MemberNode{Node: inner.(*ast.MemberNode).Node, Property: &ast.StringNode{Value: join + "." + column.Value}}
	field.Property.SetLocation(column.Location())
	ast.Patch(n, field)
}

// A namesVisitor collects record.NAME and resource.NAME, how often record or
// resource stand alone, and $env, which would hide what is named.
type namesVisitor struct {
	record, resource         map[string]bool
	bareRecord, bareResource int
	kept                     bool
	environment              ast.Node
}

// Visit implements ast.Visitor.
func (v *namesVisitor) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.IdentifierNode:
		v.count(n.Value, 1)
		v.kept = v.kept || n.Value == "kept"
		if n.Value == "$env" {
			v.environment = n
		}
	case *ast.MemberNode:
		if base, name, ok := member(n); ok {
			v.count(base, -1) // its identifier was visited first
			if base == "record" {
				v.record[name] = true
			} else {
				v.resource[name] = true
			}
		}
	}
}

func (v *namesVisitor) count(name string, by int) {
	switch name {
	case "record":
		v.bareRecord += by
	case "resource":
		v.bareResource += by
	}
}

// member takes record.NAME or resource.NAME apart.
func member(n ast.Node) (base, name string, ok bool) {
	if c, isChain := n.(*ast.ChainNode); isChain {
		n = c.Node
	}
	m, isMember := n.(*ast.MemberNode)
	if !isMember {
		return "", "", false
	}
	id, isID := m.Node.(*ast.IdentifierNode)
	prop, isName := m.Property.(*ast.StringNode)
	if !isID || !isName || (id.Value != "record" && id.Value != "resource") {
		return "", "", false
	}
	return id.Value, prop.Value, true
}
