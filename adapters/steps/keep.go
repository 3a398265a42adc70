package steps

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// A Keep says what is read of a body: of an object only these members, and of each only
// what stands there. A nil Keep is everything. An application tells much of a user that
// nobody asked for; what is left out is checked and passed over.
type Keep map[string]Keep

// add keeps what stands under a path, whole.
func (k Keep) add(path ...string) {
	for i, name := range path {
		next, known := k[name]
		switch {
		case known && next == nil:
			return
		case i == len(path)-1:
			k[name] = nil
		case !known:
			next = Keep{}
			k[name] = next
		}
		k = next
	}
}

// A Sparing call can be told what is read of its answers' bodies.
type Sparing interface{ Spare(Keep) }

// spare tells the calls that read records what is read of their answers, if there is one
// call only: of an answer before, others may need more.
func (a *Adapter) spare(op Operation) {
	if len(op) != 1 || op[0].Undo != nil {
		return
	}
	if call, ok := op[0].Call.(Sparing); ok {
		if keep := a.keep(op[0]); keep != nil {
			call.Spare(keep)
		}
	}
}

// keep is what a step, and the fields of the records that it brings, name of the body;
// nil if that cannot be told.
func (a *Adapter) keep(st *Step) Keep {
	where := st.Record
	if where == nil {
		where = st.Records
	}
	if where == nil || st.Record != nil && st.Records != nil || where.path == nil {
		return nil
	}
	record := Keep{}
	root := record
	for _, name := range slices.Backward(where.path[1:]) {
		root = Keep{name: root}
	}
	all := slices.DeleteFunc(st.yielded(), func(e *Expr) bool { return e == nil || e == where })
	for _, f := range st.Fails {
		all = append(all, f.When)
	}
	for _, f := range slices.Concat(a.key, a.fields) {
		record.add(f.name)
		record.add(f.path...)
		if f.read != nil {
			all = append(all, f.read)
		}
	}
	for _, e := range all {
		if !e.members("body", root) || !e.members("item", record) {
			return nil
		}
	}
	return root
}

// members adds those of a value that the expression names; false if it names the value
// as a whole.
func (e *Expr) members(of string, to Keep) bool {
	if e.whole[of] {
		return false
	}
	for name := range e.uses {
		if member, ok := strings.CutPrefix(name, of+"."); ok {
			to.add(member)
		}
	}
	return true
}

// pathOf is an expression that does nothing but name a part of the body: body.user. It
// is nil for any other.
func pathOf(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == "body" {
			return []string{n.Value}
		}
	case *ast.MemberNode:
		name, constant := n.Property.(*ast.StringNode)
		if before := pathOf(n.Node); constant && before != nil {
			return append(before, name.Value)
		}
	}
	return nil
}
