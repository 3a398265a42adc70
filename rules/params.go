package rules

import (
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"
)

// Parameters do not change while a mapping lives: in its expressions their values
// stand as literals. So a scope that compares a field with a parameter is a filter
// like any other, and an expression without parameters is the same for all tenants.

// Depends reports whether an expression names a parameter or the tenant. A mapping
// that does not depend on them serves all tenants.
func (m *Mapping) Depends() bool { return m.depends }

// Clone is a mapping of the same rules that is bound by itself.
func (m *Mapping) Clone() *Mapping {
	c := *m
	return &c
}

// withParams adds what expressions can know of the tenant.
func (c *compiler) withParams(env types.Map) {
	if c.in.Tenant == "" {
		return
	}
	known := types.Map{}
	for name := range c.in.Params {
		known[name] = types.String
	}
	env["tenant"], env["params"] = types.String, known
}

// A paramPatcher puts the values of parameters into an expression.
type paramPatcher struct {
	c    *compiler
	used bool
}

// Visit implements ast.Visitor.
func (p *paramPatcher) Visit(n *ast.Node) {
	switch at := (*n).(type) {
	case *ast.IdentifierNode:
		if at.Value == "tenant" && p.c.in.Tenant != "" {
			p.put(n, p.c.in.Tenant)
		}
	case *ast.MemberNode:
		id, isID := at.Node.(*ast.IdentifierNode)
		name, isName := at.Property.(*ast.StringNode)
		if !isID || !isName || id.Value != "params" {
			return
		}
		if value, ok := p.c.in.Params[name.Value]; ok {
			p.put(n, value)
		}
	}
}

func (p *paramPatcher) put(n *ast.Node, value string) {
	lit := &ast.StringNode{Value: value}
	lit.SetLocation((*n).Location())
	ast.Patch(n, lit)
	p.used = true
}

// unknownParam explains a parameter that has no value.
func (env environment) unknownParam(name string) (message, hint string) {
	known, _ := env.env["params"].(types.Map)
	return "there is no parameter " + strconv.Quote(name), didYouMean(name, slices.Sorted(maps.Keys(known)))
}
