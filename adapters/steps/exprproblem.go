package steps

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
)

// libraryProblem notes why an expression does not compile, in plain words and with the
// nearest name where a name is wrong. Without a tree it is the syntax that is wrong.
func (c *Compiler) libraryProblem(at Text, offset int, text string, tree ast.Node, err error, roots Roots) {
	message, from, length, place := err.Error(), 0, len(text), -1
	if fe := (*file.Error)(nil); errors.As(err, &fe) {
		place = fe.From
		message, from, length = fe.Message, byteOffset(text, fe.From), max(1, byteOffset(text, fe.To)-byteOffset(text, fe.From))
	}
	hint := ""
	name, unknown := strings.CutPrefix(message, "unknown name ")
	switch {
	case unknown && calls(tree, place):
		message = "there is no function " + name
		if n := Nearest(name, functionNames()); n != "" {
			hint = fmt.Sprintf("did you mean %s?", n)
		}
	case unknown:
		hint = "known here: " + strings.Join(slices.Compact(slices.Sorted(slices.Values(roots))), ", ")
		if n := Nearest(name, roots); n != "" {
			hint = fmt.Sprintf("did you mean %s?", n)
		}
	default:
		message, hint = plainWords(message)
	}
	c.add(at, offset+from, length, hint, "the expression is wrong: %s", message)
}

// functionNames are all functions that an expression can call.
func functionNames() []string {
	names := append(slices.Clone(builtin.Names), "needs", "changed", "header")
	for _, f := range Functions() {
		names = append(names, f.Name)
	}
	return names
}

// calls reports whether the name at a place is that of a call.
func calls(tree ast.Node, place int) bool {
	if tree == nil {
		return false
	}
	f := &finder{place: place}
	ast.Walk(&tree, f)
	return f.found
}

type finder struct {
	place int
	found bool
}

// Visit implements ast.Visitor.
func (f *finder) Visit(n *ast.Node) {
	if call, ok := (*n).(*ast.CallNode); ok {
		id, named := call.Callee.(*ast.IdentifierNode)
		f.found = f.found || named && id.Location().From == f.place
	}
}

// phrases turn the words of the expression library into ours.
var phrases = [...]struct {
	pattern       *regexp.Regexp
	message, hint string
}{
	{regexp.MustCompile(`^unexpected token EOF|^unexpected end of expression`), "it ends too early", ""},
	{regexp.MustCompile(`^unexpected token Operator\("="\)`), `unexpected "="`, "equality is written =="},
	{regexp.MustCompile(`^unexpected token \w+\("(.+)"\)`), `unexpected "$1"`, ""},
	{regexp.MustCompile(`^literal not terminated`), "a text in quotes does not end", ""},
	{regexp.MustCompile(`^invalid char escape`), "an escape in a text is wrong", `a backslash is written \\`},
}

func plainWords(message string) (text, hint string) {
	message, _, _ = strings.Cut(message, "\n")
	for _, p := range phrases {
		if m := p.pattern.FindStringSubmatchIndex(message); m != nil {
			return string(p.pattern.ExpandString(nil, p.message, message, m)), p.hint
		}
	}
	return message, ""
}

// byteOffset turns a position in characters into one in bytes.
func byteOffset(s string, runes int) int {
	for i := range s {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(s)
}
