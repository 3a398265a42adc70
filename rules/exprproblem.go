package rules

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"

	"github.com/postern/postern/scim"
)

// What the expression language says of a mistake is turned into a line that
// speaks of attributes and fields, with the nearest name where a name is wrong.

// problem describes why an expression does not compile. Without a tree it is
// the syntax that is wrong.
func (env environment) problem(at Text, tree ast.Node, err error) Problem {
	p := Problem{At: at}
	var fe *file.Error
	if !errors.As(err, &fe) {
		p.Message, p.Hint = plain(err.Error())
	} else {
		from, to := byteSpan(at.Value, fe.From, fe.To)
		p.Offset, p.Width = from, max(1, to-from)
		name := at.Value[from:to]
		switch {
		case strings.HasPrefix(fe.Message, "unknown name "):
			p.Message, p.Hint = env.unknownName(strings.TrimPrefix(fe.Message, "unknown name "), called(tree, fe.From))
		case strings.HasPrefix(fe.Message, "unknown field "):
			p.Message, p.Hint = env.unknownField(strings.TrimPrefix(fe.Message, "unknown field "), baseAt(tree, fe.From))
		case strings.HasPrefix(fe.Message, "array elements can only be selected"):
			p.Message = "several values have no " + strconv.Quote(strings.Trim(name, `."'`))
			p.Hint = `pick one, as in get(resource.emails, 0)?.value, or write map(resource.emails, .value)`
		default:
			p.Message, p.Hint = plain(fe.Message)
		}
	}
	p.Message = "in the expression: " + p.Message
	return p
}

// byteSpan turns a span of characters into one of bytes.
func byteSpan(s string, from, to int) (int, int) {
	start, end, n := len(s), len(s), 0
	for i := range s {
		if n == from {
			start = i
		}
		if n == to {
			end = i
		}
		n++
	}
	return start, max(start, end)
}

// phrases turn the expression language's words into ours.
var phrases = [...]struct {
	pattern       *regexp.Regexp
	message, hint string
}{
	{regexp.MustCompile(`^unexpected token EOF|^unexpected end of expression`), "it ends too early", ""},
	{regexp.MustCompile(`^unexpected token Operator\("="\)`), `unexpected "="`, "equality is written =="},
	{regexp.MustCompile(`^unexpected token Operator\(">"\)`), `unexpected ">"`, `"not equal" is written !=`},
	{regexp.MustCompile(`^unexpected token \w+\("(.+)"\)`), `unexpected "$1"`, ""},
	{regexp.MustCompile(`^literal not terminated`), "a text in quotes does not end", ""},
	{regexp.MustCompile(`^invalid char escape`), "an escape in a text is wrong", `a backslash is written \\`},
	{regexp.MustCompile(`^invalid operation: (.+) \(mismatched types (.+) and (.+)\)`), `"$1" cannot take a $2 and a $3`, ""},
	{regexp.MustCompile(`^invalid operation: (.+) \(mismatched type (.+)\)`), `"$1" cannot take a $2`, ""},
	{regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (.+?) *$`), "$3 takes a $2, and this is a $1", ""},
	{regexp.MustCompile(`^(not enough|too many) arguments to call (.+?) *$`), "$2 has $1 arguments", ""},
	{regexp.MustCompile(`^type (\S+) has no field (\S+)`), `a $1 has no "$2"`, ""},
	{regexp.MustCompile(`^expected bool, but got (.+)`), "a condition must be true or false, and this is a $1", "compare it, as in record.status == \"A\""},
	{regexp.MustCompile(`^compilation failed: expression exceeds maximum`), "it is too long", "split it over several rules"},
}

// typeNames turn the expression language's types into those of SCIM.
var typeNames = strings.NewReplacer("interface {}", "value of any type", "[]interface {}", "list", "map[string]interface {}", "complex value",
	" int", " integer", " bool", " boolean", " float64", " decimal", "a unknown", "no value", "a array", "several values", "a nil", "no value")

// plain puts a message of the expression language into plain words.
func plain(message string) (text, hint string) {
	message, _, _ = strings.Cut(message, "\n")
	for _, p := range phrases {
		if m := p.pattern.FindStringSubmatchIndex(message); m != nil {
			text := typeNames.Replace(string(p.pattern.ExpandString(nil, p.message, message, m)))
			return strings.ReplaceAll(text, " a integer", " an integer"), p.hint
		}
	}
	return message, ""
}

// unknownName explains a name that is neither a value nor a function.
func (env environment) unknownName(name string, isCall bool) (message, hint string) {
	if isCall {
		known := builtin.Names
		for _, f := range Functions() {
			known = append(known[:len(known):len(known)], f.Name)
		}
		return "there is no function " + strconv.Quote(name), didYouMean(name, known)
	}
	known := slices.Sorted(maps.Keys(env.env))
	message = "there is no " + strconv.Quote(name) + " here"
	switch {
	case name == "value":
		return message, "value is what the field holds; name the field with name"
	case name == "resource" && env.layout == nil:
		return message, "an expression from backend to SCIM sees record"
	case name == "record" && env.layout != nil:
		return message, "an expression from SCIM to backend sees resource"
	case nearest(name, known) != "":
		return message, didYouMean(name, known)
	case env.layout == nil:
		return message, "a field is written record." + name + `, and a text "` + name + `"`
	case env.layout.Find(name) != nil:
		return message, "an attribute is written resource." + env.layout.Find(name).Name
	}
	return message, "known here: " + strings.Join(known, ", ")
}

// unknownField explains a name behind a dot.
func (env environment) unknownField(name string, base ast.Node) (message, hint string) {
	a, root := env.attributeOf(base)
	quoted := strconv.Quote(name)
	id, isID := base.(*ast.IdentifierNode)
	switch {
	case isID && id.Value == "params":
		return env.unknownParam(name)
	case root:
		if f := env.full.Find(name); f != nil {
			if env.layout.Find(name) == nil {
				return "no rule maps " + f.Name + ", so resource does not have it", "add a rule for " + f.Name
			}
			return "resource has no attribute " + quoted, "did you mean " + strconv.Quote(f.Name) + "?"
		}
		if near := nearest(name, env.names()); near == "" { // perhaps one that no rule maps
			if n := nearest(name, attributePaths(env.full, env.aliases)); n != "" {
				return "resource has no attribute " + quoted, "did you mean " + strconv.Quote(n) + "? No rule maps it"
			}
		}
		return "resource has no attribute " + quoted, didYouMean(name, env.names())
	case a != nil:
		full := env.full.Resolve(a.Path())
		if full != nil && full.Find(name) != nil && a.Find(name) == nil {
			return "no rule maps " + shortened(full.Find(name).Path(), env.aliases) + ", so resource does not have it", ""
		}
		if a.IsExtension() {
			return shortened(a.Path(), env.aliases) + " has no attribute " + quoted, didYouMean(name, subNames(a))
		}
		return shortened(a.Path(), env.aliases) + " has no sub-attribute " + quoted, didYouMean(name, subNames(a))
	}
	var all []string // the element of a list: somewhere there must be its attribute
	for _, a := range env.attributes() {
		all = append(all, subNames(a)...)
	}
	return "there is no sub-attribute " + quoted, didYouMean(name, all)
}

func (env environment) attributes() []*scim.Attribute {
	if env.layout == nil {
		return nil
	}
	return env.layout.Attributes()
}

// names lists what resource has.
func (env environment) names() []string {
	names := slices.Sorted(maps.Keys(env.aliases))
	for _, a := range env.attributes() {
		if !a.IsExtension() {
			names = append(names, a.Name)
		}
	}
	return names
}

func subNames(a *scim.Attribute) []string {
	names := make([]string, len(a.Sub))
	for i, s := range a.Sub {
		names[i] = s.Name
	}
	return names
}

// attributeOf finds the attribute that a part of an expression stands for; root
// if it is resource itself.
func (env environment) attributeOf(n ast.Node) (a *scim.Attribute, root bool) {
	if env.layout == nil {
		return nil, false
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		return env.attributeOf(n.Node)
	case *ast.IdentifierNode:
		return nil, n.Value == "resource"
	case *ast.MemberNode:
		base, isRoot := env.attributeOf(n.Node)
		prop, named := n.Property.(*ast.StringNode)
		switch {
		case !named:
			return base, false // an element
		case isRoot && env.layout.Find(prop.Value) != nil:
			return env.layout.Find(prop.Value), false
		case isRoot:
			return env.layout.Find(env.aliases[prop.Value]), false
		case base != nil:
			return base.Find(prop.Value), false
		}
	}
	return nil, false
}

// called reports whether the name at that place is the name of a call.
func called(tree ast.Node, from int) bool {
	found := false
	visit(tree, func(n ast.Node) {
		if c, ok := n.(*ast.CallNode); ok {
			id, isName := c.Callee.(*ast.IdentifierNode)
			found = found || isName && id.Location().From == from
		}
	})
	return found
}

// baseAt finds what the name at that place is asked of.
func baseAt(tree ast.Node, from int) (base ast.Node) {
	visit(tree, func(n ast.Node) {
		if m, ok := n.(*ast.MemberNode); ok && m.Property.Location().From == from {
			base = m.Node
		}
	})
	return base
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (v visitor) Visit(n *ast.Node) { v(*n) }

func visit(tree ast.Node, f visitor) {
	if tree != nil {
		ast.Walk(&tree, f)
	}
}
