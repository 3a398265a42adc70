package rules

import (
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A scope decides which records provisioning may see. Where it only compares
// fields with literals it is a filter, by which the backend and the gateway
// decide alike; what the backend returns is asked again all the same.
type scope struct {
	expression *expression
	condition  filter.Expr // over fields, with the same meaning; nil if there is none
}

func (c *compiler) compileScope(at Text, what, otherwise string) *scope {
	if at.Value == "" {
		return nil
	}
	e := c.expression(at, recordEnvironment(false), expr.AsBool())
	if e == nil {
		return nil
	}
	c.checkCondition(e, what)
	s := &scope{expression: e}
	if f := conditionFilter(e.tree, false); f != nil {
		s.condition = filter.Simplify(f)
		c.warnAbsent(e, "") // no absent value makes it fail
		return s
	}
	c.warnAbsent(e, otherwise)
	return s
}

// names reports whether the scope looks at the field.
func (s *scope) names(field string) bool {
	return s != nil && slices.Contains(s.expression.names, field)
}

// admits reports whether provisioning may see the record. An expression that
// fails hides it: what cannot be judged stays untouched.
func (s *scope) admits(r adapters.Record) bool {
	switch {
	case s == nil:
		return true
	case s.condition != nil:
		return filter.Matches(s.condition, r.Subject())
	}
	v, err := s.expression.onRecord(r, nil)
	ok, isBool := v.(bool)
	return err == nil && isBool && ok
}

// ScopeFilter is the scope as a filter over fields, nil if there is none; false
// if the backend cannot follow it, so that records must be asked one by one.
func (m *Mapping) ScopeFilter() (filter.Expr, bool) {
	if m.scope == nil {
		return nil, true
	}
	return m.scope.condition, m.scope.condition != nil && m.can(m.scope.condition)
}

// conditionFilter translates a condition over record into a filter over fields:
// comparisons of a field with literals, in, and, or, not. It is nil where there
// is no filter with the same meaning. Within a negation nothing may be
// translated that fails for a field without a value, and so hides the record.
func conditionFilter(n ast.Node, negated bool) filter.Expr {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truth(n.Value)
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return noneOf(conditionFilter(n.Node, true))
		}
	case *ast.BinaryNode:
		return binaryFilter(n, negated)
	}
	return nil
}

// conditionOps are the operators whose operands must be there.
var conditionOps = map[string]filter.Op{"<": filter.Lt, "<=": filter.Le, ">": filter.Gt, ">=": filter.Ge,
	"contains": filter.Co, "startsWith": filter.Sw, "endsWith": filter.Ew}

func binaryFilter(n *ast.BinaryNode, negated bool) filter.Expr {
	switch n.Operator {
	case "&&", "and":
		return allOf(conditionFilter(n.Left, negated), conditionFilter(n.Right, negated))
	case "||", "or":
		return anyOf(conditionFilter(n.Left, negated), conditionFilter(n.Right, negated))
	case "==", "!=":
		field, literal := n.Left, n.Right
		if _, _, ok := member(field); !ok {
			field, literal = literal, field
		}
		t := equality(field, literal)
		if n.Operator == "!=" {
			t = noneOf(t)
		}
		return t
	case "in":
		return inList(n)
	}
	op, ok := conditionOps[n.Operator]
	base, name, isField := member(n.Left)
	if !ok || negated || !isField || base != "record" {
		return nil
	}
	c := &filter.Compare{Name: name, Op: op}
	if !literalOf(n.Right, c) || (c.Match == filter.Exact) != (op == filter.Co || op == filter.Sw || op == filter.Ew) || c.Match == filter.Boolean {
		return nil // text compared by < is no number, and the other way round
	}
	return c
}

// equality is true of the records whose field equals the literal.
func equality(field, literal ast.Node) filter.Expr {
	base, name, ok := member(field)
	if !ok || base != "record" {
		return nil
	}
	c := &filter.Compare{Name: name, Op: filter.Eq}
	if _, isNil := literal.(*ast.NilNode); isNil {
		c.Op, c.Match = filter.Pr, filter.Exact
		return noneOf(c)
	}
	if !literalOf(literal, c) {
		return nil
	}
	if c.Value == filter.StringValue("") {
		return filter.False{} // a field that holds nothing is nil
	}
	return c
}

// literalOf gives a comparison its value; false if it is none that filters have.
func literalOf(n ast.Node, c *filter.Compare) bool {
	switch l := n.(type) {
	case *ast.StringNode:
		c.Match, c.Value = filter.Exact, filter.StringValue(l.Value)
	case *ast.IntegerNode:
		c.Match, c.Value = filter.Integer, filter.IntValue(int64(l.Value))
	case *ast.BoolNode:
		c.Match, c.Value = filter.Boolean, filter.BoolValue(l.Value)
	case *ast.UnaryNode:
		if i, ok := l.Node.(*ast.IntegerNode); ok && l.Operator == "-" {
			c.Match, c.Value = filter.Integer, filter.IntValue(-int64(i.Value))
			return true
		}
		return false
	default:
		return false
	}
	return true
}

func inList(n *ast.BinaryNode) filter.Expr {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return nil
	}
	terms := make([]filter.Expr, len(list.Nodes))
	for i, l := range list.Nodes {
		terms[i] = equality(n.Left, l)
	}
	return anyOf(terms...)
}
