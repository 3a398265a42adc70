package schema

import (
	"strconv"

	"github.com/postern/postern/scim"
)

// An object is a JSON object in the making. What is empty is left out: there
// are no nulls in discovery documents (D-14).
type object struct{ members []scim.Member }

func (o *object) node() scim.Node { return scim.Node{Kind: scim.NodeObject, Members: o.members} }

func (o *object) add(name string, n scim.Node) {
	o.members = append(o.members, scim.Member{Name: name, Value: n})
}

func (o *object) text(name, s string) {
	if s != "" {
		o.add(name, stringNode(s))
	}
}

func (o *object) texts(name string, list []string) {
	if len(list) > 0 {
		o.add(name, stringsNode(list...))
	}
}

func (o *object) bool(name string, b bool) {
	o.add(name, scim.Node{Kind: scim.NodeBool, Str: strconv.FormatBool(b)})
}

func (o *object) int(name string, n int) {
	o.add(name, scim.Node{Kind: scim.NodeNumber, Str: strconv.Itoa(n)})
}

func (o *object) positive(name string, n int) {
	if n > 0 {
		o.int(name, n)
	}
}

func stringNode(s string) scim.Node { return scim.Node{Kind: scim.NodeString, Str: s} }

func stringsNode(list ...string) scim.Node {
	n := scim.Node{Kind: scim.NodeArray}
	for _, s := range list {
		n.Items = append(n.Items, stringNode(s))
	}
	return n
}
