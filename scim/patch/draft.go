package patch

import (
	"strings"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// A draft is an operation on its way from JSON to an Operation.
type draft struct {
	index    int
	word     string // op as written
	op       Op
	path     string
	hasPath  bool
	value    scim.Node
	hasValue bool

	keyIsPath bool // the name in a value without path is to be read as a path
	repeat    bool // Operation.repeat

	t     *schema.ResourceType
	name  string // the attribute's, in the path
	attr  *scim.Attribute
	where filter.Expr
	sub   *scim.Attribute

	rewrites []string
}

// read takes the parts of an operation from its JSON.
func (d *draft) read(n *scim.Node) error {
	if n.Kind != scim.NodeObject {
		return scim.Bad(scim.InvalidSyntax, "An operation must be an object with op, path and value, not %s.", n.Kind)
	}
	op, ok := n.Find("op")
	if !ok || op.Kind != scim.NodeString {
		return scim.Bad(scim.InvalidSyntax, `op is missing or no string; it must be "add", "remove" or "replace".`)
	}
	d.word = op.Str
	path, ok := n.Find("path")
	if ok && path.Kind != scim.NodeNull {
		if path.Kind != scim.NodeString {
			return scim.Bad(scim.InvalidPath, "path must be a string, not %s.", path.Kind)
		}
		d.path, d.hasPath = path.Str, true
	}
	d.value, d.hasValue = n.Find("value")
	return nil
}

func (d *draft) readOp() error {
	for i, name := range opNames {
		if name == d.word {
			d.op = Op(i)
			return nil
		}
	}
	return scim.Bad(scim.InvalidSyntax, `The op %q is unknown; it must be "add", "remove" or "replace".`, printable(d.word)) // P-04
}

// aimed is the attribute whose type the value must have.
func (d *draft) aimed() *scim.Attribute {
	if d.sub != nil {
		return d.sub
	}
	return d.attr
}

// many reports whether the value is a list.
func (d *draft) many() bool {
	if d.sub != nil {
		return d.sub.MultiValued
	}
	return d.attr.MultiValued && d.where == nil
}

// part is a draft of the same operation for a sub-attribute of its attribute.
func (d *draft) part(sub *scim.Attribute, value scim.Node) draft {
	p := *d
	p.attr, p.value, p.hasValue = sub, value, true
	return p
}

// note keeps the name of a rewrite. Drafts of one operation share the names that
// they have in common, so the slice is never appended to in place.
func (d *draft) note(rewrite string) {
	d.rewrites = append(d.rewrites[:len(d.rewrites):len(d.rewrites)], rewrite)
}

func isEmptyNode(n scim.Node) bool {
	switch n.Kind {
	case scim.NodeNull:
		return true
	case scim.NodeArray:
		return len(n.Items) == 0
	}
	return false
}

func isScalar(n scim.Node) bool {
	switch n.Kind {
	case scim.NodeString, scim.NodeNumber, scim.NodeBool:
		return true
	}
	return false
}

func isBooleanWord(s string) bool {
	return strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
}
