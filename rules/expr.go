package rules

import (
	"errors"
	"fmt"

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
	at      Text
	program *vm.Program
	names   []string          // fields of record that it names
	fields  []int             // their positions, once the shape is known
	attrs   []*scim.Attribute // top-level attributes of resource that it names
	keys    []string          // and by which names
	whole   bool              // it uses record as a whole
}

// An environment is what an expression may name.
type environment struct {
	layout  *scim.Layout
	aliases map[string]string
	record  bool
	env     types.Map
}

// recordEnvironment is for expressions over record, and value if a field is named.
func recordEnvironment() environment {
	return environment{record: true, env: types.Map{
		"record": types.Map{types.Extra: types.Any},
		"value":  types.Any,
	}}
}

// resourceEnvironment is for expressions over resource, typed from the schema.
func resourceEnvironment(l *scim.Layout, aliases map[string]string) environment {
	m := types.Map{}
	for _, a := range l.Attributes() {
		m[a.Name] = exprType(a)
	}
	for short, urn := range aliases {
		if a := l.Find(urn); a != nil {
			m[short] = exprType(a)
		}
	}
	return environment{layout: l, aliases: aliases, env: types.Map{"resource": m, "value": types.Any}}
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

// compileExpr compiles an expression and finds out what it names.
func compileExpr(at Text, env environment, want ...expr.Option) (*expression, *Problem) {
	opts := append([]expr.Option{expr.Env(env.env), expr.MaxNodes(2000)}, functions()...)
	program, err := expr.Compile(at.Value, append(opts, want...)...)
	if err != nil {
		return nil, exprProblem(at, err)
	}
	e := &expression{at: at, program: program}
	tree, err := parser.Parse(at.Value)
	if err != nil {
		return nil, exprProblem(at, err)
	}
	v := &namesVisitor{record: map[string]bool{}, resource: map[string]bool{}}
	ast.Walk(&tree.Node, v)
	e.names, e.whole = sortedKeys(v.record), v.bareRecord > 0
	if env.layout != nil {
		e.bindAttributes(v, env)
	}
	return e, nil
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

// link finds the positions of the fields that the expression names.
func (e *expression) link(s *adapters.Shape) {
	if e == nil {
		return
	}
	if e.whole {
		e.names = s.Names()
	}
	e.fields = make([]int, len(e.names))
	for i, n := range e.names {
		e.fields[i] = s.Index(n)
	}
}

// onRecord runs an expression over a record.
func (e *expression) onRecord(r adapters.Record, value any) (any, error) {
	m := make(map[string]any, len(e.names))
	for i, n := range e.names {
		if v := r.At(e.fields[i]); !adapters.NoValue(v) {
			m[n] = exprValue(v)
		} else {
			m[n] = nil
		}
	}
	return e.run(map[string]any{"record": m, "value": exprValue(value)})
}

// onResource runs an expression over a resource.
func (e *expression) onResource(r *scim.Resource, a *scim.Attribute, value scim.Value) (any, error) {
	m := make(map[string]any, len(e.attrs))
	for i, attr := range e.attrs {
		v := toAny(attr, r.Get(attr))
		switch {
		case v != nil:
		case attr.MultiValued:
			v = []any{}
		case attr.Type == scim.TypeComplex:
			v = map[string]any{} // an absent parent has absent parts
		}
		m[e.keys[i]] = v
	}
	env := map[string]any{"resource": m, "value": nil}
	if a != nil {
		env["value"] = toAny(a, value)
	}
	return e.run(env)
}

func (e *expression) run(env map[string]any) (any, error) {
	out, err := expr.Run(e.program, env)
	if err != nil {
		var fe *file.Error
		if errors.As(err, &fe) { // its snippet could show values
			return nil, fmt.Errorf("line %d: %s", e.at.Line, fe.Message)
		}
		return nil, fmt.Errorf("line %d: the expression failed", e.at.Line)
	}
	return out, nil
}

func exprValue(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case []byte:
		return string(v)
	}
	return v
}

func exprProblem(at Text, err error) *Problem {
	p := &Problem{At: at, Message: "in the expression: " + err.Error()}
	var fe *file.Error
	if errors.As(err, &fe) {
		p.Message, p.Offset = "in the expression: "+fe.Message, fe.From
	}
	return p
}

// A namesVisitor collects record.NAME and resource.NAME, and how often record
// or resource stand alone.
type namesVisitor struct {
	record, resource         map[string]bool
	bareRecord, bareResource int
}

func (v *namesVisitor) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.IdentifierNode:
		v.count(n.Value, 1)
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

// warnAbsent proposes ?? where a value that may be absent would make the
// expression fail: as an operand of +, or as the argument of a text function.
func warnAbsent(ps *problems, at Text) {
	tree, err := parser.Parse(at.Value)
	if err != nil {
		return
	}
	v := &absentVisitor{ps: ps, at: at}
	ast.Walk(&tree.Node, v)
}

type absentVisitor struct {
	ps *problems
	at Text
}

func (v *absentVisitor) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.BinaryNode:
		if n.Operator == "+" {
			v.look(n.Left)
			v.look(n.Right)
		}
	case *ast.BuiltinNode:
		for _, a := range n.Arguments[:min(1, len(n.Arguments))] {
			v.look(a)
		}
	}
}

func (v *absentVisitor) look(n ast.Node) {
	if base, name, ok := member(n); ok {
		text := base + "." + name
		v.ps.warn(v.at, fmt.Sprintf("write (%s ?? \"\")", text),
			"%s may have no value, and then the attribute has none", text)
		(*v.ps)[len(*v.ps)-1].Offset = n.Location().From
	}
}
