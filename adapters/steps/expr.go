package steps

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// This file and exprproblem.go are the only ones that know the expression library.

// A Scope is what an expression sees.
type Scope map[string]any

// with is the scope with further names; s itself does not change.
func (s Scope) with(more map[string]any) Scope {
	out := make(Scope, len(s)+len(more))
	maps.Copy(out, s)
	maps.Copy(out, more)
	return out
}

// extend adds names to a scope that nobody else has.
func (s Scope) extend(more map[string]any) Scope {
	maps.Copy(s, more)
	return s
}

// A Later is a value that is worked out when an expression names it, or never.
type Later func() any

// settle works out the values that an expression names.
func (s Scope) settle(names []string) {
	for _, name := range names {
		if v, later := s[name].(Later); later {
			s[name] = v()
		}
	}
}

// An Expr is a compiled expression. A nil Expr has no value.
type Expr struct {
	At       Text
	program  *vm.Program
	uses     map[string]bool // roots and their members: page, page.offset
	whole    map[string]bool // roots that are named without a member
	roots    []string        // all that are named
	path     []string        // of one that only names a part of the body
	fields   []string        // named by needs("...")
	keyed    bool            // it makes objects of the library's own kind
	machines sync.Pool       // *vm.VM: a machine runs one expression at a time
}

// Failures of expressions. The library's own words could show values.
var (
	errAbsent = errors.New("a value that the expression needs is absent")
	errFailed = errors.New("the expression fails on the values that are there")
)

// Eval runs the expression.
func (e *Expr) Eval(s Scope) (any, error) {
	if e == nil {
		return nil, nil
	}
	s.settle(e.roots)
	m := e.machines.Get().(*vm.VM)
	out, err := m.Run(e.program, map[string]any(s))
	if err == nil {
		e.machines.Put(m)
		if e.keyed {
			out = named(out)
		}
		return out, nil
	}
	failed := error(errFailed)
	var said frank
	if errors.As(err, &said) {
		failed = said
	} else if fe := (*file.Error)(nil); errors.As(err, &fe) && aboutNil(fe.Message) {
		failed = errAbsent
	}
	return nil, fmt.Errorf("line %d: %w", e.At.Line, failed)
}

// named turns what fromPairs and its like make into objects that a body can hold.
func named(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[textOf(k)] = named(e)
		}
		return out
	case map[any][]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[textOf(k)] = named(e)
		}
		return out
	case map[string]any:
		for k, e := range v {
			v[k] = named(e)
		}
	case []any:
		for i, e := range v {
			v[i] = named(e)
		}
	}
	return v
}

func aboutNil(message string) bool {
	return slices.ContainsFunc([]string{"<nil>", "is nil", "zero Value", "from invalid", "out of range"},
		func(s string) bool { return strings.Contains(message, s) })
}

// True reports whether the expression is true; what fails is not.
func (e *Expr) True(s Scope) bool {
	v, err := e.Eval(s)
	b, _ := v.(bool)
	return b && err == nil
}

// Uses reports whether the expression names a value: "page", "page.offset".
func (e *Expr) Uses(name string) bool { return e != nil && e.uses[name] }

// maxNodes bounds an expression: nobody writes a longer one by hand.
const maxNodes = 2000

// Roots are the names that expressions of one place may use.
type Roots []string

// With are the roots, and the names of values.
func (r Roots) With(values map[string]any) Roots {
	return slices.Concat(r, slices.Sorted(maps.Keys(values)))
}

// A Compiler compiles what a configuration says and collects its problems.
type Compiler struct{ Problems []Problem }

// Expr compiles an expression over the roots; nil for no text, or a problem.
func (c *Compiler) Expr(at Text, roots Roots) *Expr {
	if strings.TrimSpace(at.Value) == "" {
		return nil
	}
	return c.compile(at, 0, at.Value, roots)
}

// compile compiles text, which stands offset bytes into at.
func (c *Compiler) compile(at Text, offset int, text string, roots Roots) *Expr {
	tree, err := parser.Parse(text)
	if err != nil {
		c.libraryProblem(at, offset, text, nil, err, roots)
		return nil
	}
	re := patterns{filter: slices.Contains(roots, "filter")}
	opts := append([]expr.Option{expr.Env(environment(roots)), expr.MaxNodes(maxNodes), expr.Patch(&re)}, functions()...)
	program, err := expr.Compile(text, opts...)
	if re.wrong != "" {
		c.add(at, offset, len(text), `as in match(body.id, "^[0-9]+$")`, "the pattern of %s must be a constant that is a regular expression", re.wrong)
		return nil
	}
	if err != nil {
		c.libraryProblem(at, offset, text, tree.Node, err, roots)
		return nil
	}
	e := &Expr{At: at, program: program, uses: map[string]bool{}, whole: map[string]bool{}, path: pathOf(tree.Node)}
	e.machines.New = func() any { return new(vm.VM) }
	names := &namer{e: e, bare: map[string]int{}}
	ast.Walk(&tree.Node, names)
	for name, n := range names.bare {
		e.whole[name] = n > 0
		if slices.Contains(roots, name) { // and no function
			e.roots = append(e.roots, name)
		}
	}
	if e.uses["$env"] {
		c.add(at, offset, len(text), "write the names themselves", "an expression cannot use $env")
		return nil
	}
	return e
}

func environment(roots Roots) types.Map {
	env := types.Map{
		"needs":   types.TypeOf(func(string) bool { return false }),
		"changed": types.TypeOf(func(string) bool { return false }),
		"header":  types.TypeOf(func(string) string { return "" }),
	}
	for _, r := range roots {
		switch r {
		case "page":
			env[r] = types.Map{"offset": types.Int, "limit": types.Int, "size": types.Int, "number": types.Int, "cursor": types.Any}
		case "filter":
			env[comparison] = types.Map{"field": types.String, "op": types.String, "value": types.String}
		default:
			env[r] = types.Any
		}
	}
	return env
}

// A namer notes which names an expression uses.
type namer struct {
	e    *Expr
	bare map[string]int // how often a name stands without a member
}

// Visit implements ast.Visitor.
func (v *namer) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.IdentifierNode:
		v.e.uses[n.Value] = true
		v.bare[n.Value]++
	case *ast.MemberNode:
		id, isID := n.Node.(*ast.IdentifierNode)
		prop, isName := n.Property.(*ast.StringNode)
		if isID && isName {
			v.e.uses[id.Value+"."+prop.Value] = true
			v.bare[id.Value]--
		}
	case *ast.BuiltinNode:
		v.e.keyed = v.e.keyed || slices.Contains([]string{"fromPairs", "groupBy"}, n.Name)
	case *ast.CallNode:
		callee, isID := n.Callee.(*ast.IdentifierNode)
		if isID && callee.Value == "needs" && len(n.Arguments) == 1 {
			if s, ok := n.Arguments[0].(*ast.StringNode); ok {
				v.e.fields = append(v.e.fields, s.Value)
			}
		}
	}
}

// comparison is what the library sees of filter, which is a function of its own, too.
const comparison = "comparison"

// A patterns compiles the regular expressions that an expression holds, and tells
// the value filter from the function filter.
type patterns struct {
	filter bool
	wrong  string
}

// Visit implements ast.Visitor.
func (p *patterns) Visit(n *ast.Node) {
	if id, isID := (*n).(*ast.IdentifierNode); isID && p.filter && id.Value == "filter" {
		id.Value = comparison
	}
	call, isCall := (*n).(*ast.CallNode)
	if !isCall || len(call.Arguments) < 2 {
		return
	}
	callee, isID := call.Callee.(*ast.IdentifierNode)
	if !isID || !patterned(callee.Value) {
		return
	}
	if _, done := call.Arguments[1].(*ast.ConstantNode); done {
		return
	}
	text, constant := call.Arguments[1].(*ast.StringNode)
	if !constant {
		p.wrong = callee.Value
		return
	}
	re, err := regexp.Compile(text.Value)
	if err != nil {
		p.wrong = callee.Value
		return
	}
	ast.Patch(&call.Arguments[1], &ast.ConstantNode{Value: re})
}

func functions() []expr.Option {
	var opts []expr.Option
	for _, f := range Functions() {
		opts = append(opts, expr.Function(f.Name, f.run, f.typ))
	}
	return opts
}
