package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/postern/postern/scim"
)

// warnAbsent warns of record.NAME and resource.NAME where no value would make
// the expression fail: as an operand, as the argument of a function that takes
// only values, as a condition. What the expression itself compares with nil it
// is taken to have thought of. then says what failing means, "" that it does not
// fail.
func (c *compiler) warnAbsent(e *expression, then string) {
	v := &absentVisitor{env: e.env, thoughtOf: map[string]bool{}}
	visit(e.tree, v.compared)
	if then != "" {
		visit(e.tree, v.look)
	}
	for _, f := range v.found {
		loc := f.node.Location()
		from, to := byteSpan(e.at.Value, rootOf(f.node).Location().From, loc.To)
		p := Problem{At: e.at, Offset: from, Width: max(1, to-from), Warning: true}
		switch {
		case f.empty:
			p.Message = f.text + " is never \"\": what holds nothing is nil"
			p.Hint = "compare it with nil"
		case f.position:
			p.Message = f.text + " may have no such element, and then " + then
			p.Hint = "write get(" + f.text + ", " + f.instead + ")?.NAME"
		default:
			p.Message = f.text + " may have no value, and then " + then
			p.Hint = "write (" + f.text + " ?? " + f.instead + ")"
		}
		c.ps = append(c.ps, p)
	}
}

// rootOf is the identifier at which a chain of names begins.
func rootOf(n ast.Node) ast.Node {
	for {
		switch m := n.(type) {
		case *ast.MemberNode:
			n = m.Node
		case *ast.ChainNode:
			n = m.Node
		default:
			return n
		}
	}
}

// A finding is a name that may have no value, where one is needed.
type finding struct {
	node    ast.Node
	text    string
	instead string // a value to put in its place
	empty   bool   // it is compared with ""

	position bool // an element is asked for by position: instead
}

type absentVisitor struct {
	env       environment
	thoughtOf map[string]bool // names that are compared with nil
	found     []finding
}

func (v *absentVisitor) compared(n ast.Node) {
	b, ok := n.(*ast.BinaryNode)
	if !ok || (b.Operator != "==" && b.Operator != "!=") {
		return
	}
	for _, pair := range [][2]ast.Node{{b.Left, b.Right}, {b.Right, b.Left}} {
		name := v.name(pair[0])
		if _, isNil := pair[1].(*ast.NilNode); isNil && name != "" {
			v.thoughtOf[name] = true
		}
		if s, isText := pair[1].(*ast.StringNode); isText && s.Value == "" && name != "" {
			v.found = append(v.found, finding{node: pair[0], text: name, empty: true})
		}
	}
}

// needed are the operators whose operands must be there.
var needed = map[string]string{"+": `""`, "-": "0", "*": "0", "/": "1", "%": "1", "**": "1", "^": "1", "..": "0", "<": "0", "<=": "0", ">": "0", ">=": "0",
	"contains": `""`, "startsWith": `""`, "endsWith": `""`, "and": "false", "&&": "false", "or": "false", "||": "false"}

// tolerant are the functions that take no value for an argument.
var tolerant = []string{"string", "first", "last", "get", "toJSON", "type"}

// several are the functions over lists, which resource has even if it is empty.
var several = []string{"len", "all", "any", "one", "none", "map", "filter", "find", "findIndex", "findLast", "findLastIndex", "count", "sum", "groupBy",
	"sortBy", "reduce", "join", "reverse", "sort", "uniq", "concat", "flatten", "take"}

func (v *absentVisitor) look(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if instead := needed[n.Operator]; instead != "" {
			if n.Operator == "+" && (isNumber(n.Left) || isNumber(n.Right)) {
				instead = "0"
			}
			v.need(n.Left, instead)
			v.need(n.Right, instead)
		}
	case *ast.UnaryNode:
		switch n.Operator {
		case "not", "!":
			v.need(n.Node, "false")
		case "-", "+":
			v.need(n.Node, "0")
		}
	case *ast.MemberNode:
		v.element(n)
	case *ast.ConditionalNode:
		v.need(n.Cond, "false")
	case *ast.BuiltinNode:
		if !slices.Contains(tolerant, n.Name) {
			v.call(n.Name, n.Arguments)
		}
	case *ast.CallNode: // of the language's own; ours take no value
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && !slices.Contains(tolerant, id.Value) && !ours(id.Value) {
			v.call(id.Value, n.Arguments)
		}
	}
}

func isNumber(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return false
}

// element notes an element that is asked for by position. With get it may be
// missing.
func (v *absentVisitor) element(n *ast.MemberNode) {
	i, ok := n.Property.(*ast.IntegerNode)
	if a, _ := v.env.attributeOf(n.Node); ok && a != nil && a.MultiValued {
		v.found = append(v.found, finding{node: n, text: v.name(n.Node), instead: strconv.Itoa(i.Value), position: true})
	}
}

func (v *absentVisitor) call(name string, args []ast.Node) {
	instead := `""`
	switch {
	case slices.Contains(several, name):
		instead = "[]"
	case slices.Contains([]string{"int", "float", "abs", "ceil", "floor", "round", "max", "min", "mean", "median"}, name):
		instead = "0"
	}
	for _, a := range args {
		v.need(a, instead)
	}
}

func ours(name string) bool {
	return slices.ContainsFunc(Functions(), func(f Function) bool { return f.Name == name })
}

// need notes a name that may have no value where there must be one.
func (v *absentVisitor) need(n ast.Node, instead string) {
	name := v.name(n)
	if name == "" || v.thoughtOf[name] {
		return
	}
	if a, _ := v.env.attributeOf(n); a != nil && (a.MultiValued || a.Type == scim.TypeComplex || a.Required && a.Parent() == nil) {
		return // there whenever a resource is
	}
	v.found = append(v.found, finding{node: n, text: name, instead: instead})
}

// name is record.NAME or resource.NAME.SUB as it was written, "" for all else.
func (v *absentVisitor) name(n ast.Node) string {
	var parts []string
	for {
		switch m := n.(type) {
		case *ast.ChainNode:
			n = m.Node
			continue
		case *ast.MemberNode:
			prop, named := m.Property.(*ast.StringNode)
			if !named {
				return ""
			}
			parts = append(parts, prop.Value)
			n = m.Node
			continue
		case *ast.IdentifierNode:
			if len(parts) == 0 || m.Value != "record" && m.Value != "resource" {
				return ""
			}
			parts = append(parts, m.Value)
			slices.Reverse(parts)
			return strings.Join(parts, ".")
		}
		return ""
	}
}
