package rules

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/postern/postern/scim"
)

// computed reports whether a field that is written follows from other attributes
// alone: whatever a client says about this one makes no difference, so that clients
// are told that it is readOnly. The field is written all the same.
func (c *compiler) computed(d *draft) bool {
	s := d.spec
	if s.In.Value == "" || s.Out.Value == "" || s.Field.Value == "" || s.Mutability.Value != "" || readOnly(d.at.attr) {
		return false
	}
	tree, err := parser.Parse(s.Out.Value)
	if err != nil {
		return false // which is reported where it is compiled
	}
	v := &ownVisitor{}
	ast.Walk(&tree.Node, v)
	names := &namesVisitor{record: map[string]bool{}, resource: map[string]bool{}}
	ast.Walk(&tree.Node, names)
	if v.value || names.kept || names.bareResource > 0 {
		return false
	}
	own := top(d.at.attr)
	for n := range names.resource {
		if c.meant(n, own) {
			return false
		}
	}
	return true
}

// meant reports whether resource.NAME is a top-level attribute.
func (c *compiler) meant(name string, a *scim.Attribute) bool {
	return strings.EqualFold(name, a.Name) || strings.EqualFold(c.in.Aliases[name], a.Name)
}

// An ownVisitor looks for the value of the attribute itself.
type ownVisitor struct{ value bool }

// Visit implements ast.Visitor.
func (v *ownVisitor) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok && id.Value == "value" {
		v.value = true
	}
}
