package rules

import (
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A scope decides which records provisioning may see. As far as a backend can
// follow it, it is pushed down; every record that comes back is asked again, so
// that a backend that reads a condition differently cannot show a hidden record.
type scope struct {
	expression *expression
	pushed     filter.Expr // over fields; nil if the backend cannot follow
	exact      bool        // pushed says all that expression says
}

func compileScope(at Text, ps *problems) *scope {
	if at.Value == "" {
		return nil
	}
	e, problem := compileExpr(at, recordEnvironment(), expr.AsBool())
	if problem != nil {
		*ps = append(*ps, *problem)
		return nil
	}
	s := &scope{expression: e}
	if tree, err := parser.Parse(at.Value); err == nil {
		s.pushed, s.exact = conditionFilter(tree.Node)
	}
	if !s.exact {
		s.pushed = nil
	}
	return s
}

// admits reports whether provisioning may see the record. An expression that
// fails hides it: what cannot be judged stays untouched.
func (s *scope) admits(r adapters.Record) bool {
	if s == nil {
		return true
	}
	v, err := s.expression.onRecord(r, nil)
	ok, isBool := v.(bool)
	return err == nil && isBool && ok
}

// conditionFilter translates a condition over record into a filter over fields:
// comparisons of a field with a literal, in, and, or, not.
func conditionFilter(n ast.Node) (filter.Expr, bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		if n.Value {
			return filter.True{}, true
		}
		return filter.False{}, true
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			e, ok := conditionFilter(n.Node)
			return filter.Not{Term: e}, ok
		}
	case *ast.BinaryNode:
		return binaryFilter(n)
	}
	return nil, false
}

func binaryFilter(n *ast.BinaryNode) (filter.Expr, bool) {
	switch n.Operator {
	case "&&", "and", "||", "or":
		l, lok := conditionFilter(n.Left)
		r, rok := conditionFilter(n.Right)
		if n.Operator == "&&" || n.Operator == "and" {
			return filter.And{l, r}, lok && rok
		}
		return filter.Or{l, r}, lok && rok
	case "==", "!=":
		left, right := n.Left, n.Right
		if _, _, ok := member(left); !ok {
			left, right = right, left
		}
		return comparison(left, right, n.Operator == "!=")
	case "in":
		return inList(n)
	}
	return nil, false
}

func comparison(field, literal ast.Node, negate bool) (filter.Expr, bool) {
	base, name, ok := member(field)
	if !ok || base != "record" {
		return nil, false
	}
	c := &filter.Compare{Name: name, Op: filter.Eq}
	if negate {
		c.Op = filter.Ne
	}
	switch l := literal.(type) {
	case *ast.StringNode:
		c.Match, c.Value = filter.Exact, filter.StringValue(l.Value)
		return c, l.Value != "" // "" is no value here, and a string there
	case *ast.IntegerNode:
		c.Match, c.Value = filter.Integer, filter.IntValue(int64(l.Value))
		return c, true
	case *ast.NilNode:
		c.Match, c.Op = filter.Exact, filter.Pr
		if negate {
			return c, true
		}
		return filter.Not{Term: c}, true
	}
	return nil, false
}

func inList(n *ast.BinaryNode) (filter.Expr, bool) {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok || len(list.Nodes) == 0 {
		return nil, false
	}
	var or filter.Or
	for _, l := range list.Nodes {
		c, ok := comparison(n.Left, l, false)
		if !ok {
			return nil, false
		}
		or = append(or, c)
	}
	if len(or) == 1 {
		return or[0], true
	}
	return or, true
}
