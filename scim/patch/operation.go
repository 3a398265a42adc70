package patch

import (
	"fmt"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// An Op is what an operation does.
type Op uint8

// The operations of RFC 7644 section 3.5.2.
const (
	Add Op = iota
	Remove
	Replace
)

var opNames = [...]string{"add", "remove", "replace"}

func (o Op) String() string { return opNames[o] }

// An Operation is one step of a PATCH request, resolved against the layout.
// Parse makes them; several can come from one operation of the request.
type Operation struct {
	Index int // of the operation in the request, from 0
	Op    Op

	// Attr is what the path leads to: an attribute of any depth below
	// single-valued ones, never below a multi-valued one.
	Attr *scim.Attribute
	// Where selects elements of a multi-valued Attr; nil for all of them.
	Where filter.Expr
	// Sub is the sub-attribute of the selected elements that is meant; nil for
	// whole elements.
	Sub *scim.Attribute

	// Value has the type of Sub or Attr. For a whole multi-valued attribute it is
	// a list, for elements that Where selects it is one element. An add or replace
	// without a value unassigns (P-54). A remove with a list removes only what the
	// list names (P-48).
	Value scim.Value

	// Rewrites names what was read with tolerance, for explain and the log.
	Rewrites []string

	// leads says that the list begins with the primary element, of an attribute that
	// has no primary here: if it is new, it comes first.
	leads bool

	// fresh is the element to make when none matches: what the filter demands
	// with eq (P-42). Absent: there is nothing to make.
	fresh scim.Value
	// repeat marks an attribute of a value without path: if it is readOnly it may
	// be repeated unchanged (P-57).
	repeat bool
}

// unassigns reports whether the operation takes a whole value away.
func (o *Operation) unassigns() bool {
	return !o.Value.Present()
}

// aimed is the attribute whose type Value has.
func (o *Operation) aimed() *scim.Attribute {
	if o.Sub != nil {
		return o.Sub
	}
	return o.Attr
}

// elementwise reports whether the operation looks at single elements.
func (o *Operation) elementwise() bool { return o.Where != nil || o.Sub != nil }

// place prefixes errors with the operation's place in the request.
func place(index int) string { return fmt.Sprintf("Operations[%d]", index) }

// Touches lists the attributes that the operations name, each once: what must
// be read so that Apply can work. A group's new displayName needs no members.
// Attributes that a value without path merely repeats are among them.
func Touches(ops []Operation) []*scim.Attribute {
	var out []*scim.Attribute
	seen := make(map[*scim.Attribute]bool, len(ops))
	for i := range ops {
		if a := ops[i].Attr; !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
