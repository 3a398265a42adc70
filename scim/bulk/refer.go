package bulk

import (
	"slices"
	"strings"

	"github.com/postern/postern/scim"
)

// references lists the bulkIds that a path and data name, each once (B-06).
func references(path string, data scim.Node) (out []string) {
	note := func(id string) string {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
		return ""
	}
	replacePath(path, note)
	walkText(data, func(s string) { replaceText(s, note) })
	return out
}

func walkText(n scim.Node, f func(string)) {
	if n.Kind == scim.NodeString {
		f(n.Str)
	}
	for _, i := range n.Items {
		walkText(i, f)
	}
	for _, m := range n.Members {
		walkText(m.Value, f)
	}
}

// replacePath replaces the id of a path.
func replacePath(path string, id func(string) string) string {
	i := strings.LastIndexByte(path, '/')
	if rest, ok := strings.CutPrefix(path[i+1:], prefix); ok && rest != "" {
		return path[:i+1] + id(rest)
	}
	return path
}

// replaceText replaces a reference in a value: the whole of it, the end of a URI,
// or what stands in the quotes of a PATCH path, as in members[value eq "bulkId:x"].
func replaceText(s string, id func(string) string) string {
	if !strings.Contains(s, prefix) {
		return s
	}
	if rest, ok := strings.CutPrefix(s, prefix); ok && rest != "" {
		return id(rest)
	}
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		if rest, ok := strings.CutPrefix(s[i+1:], prefix); ok && rest != "" && !strings.ContainsAny(rest, `"[]`) {
			return s[:i+1] + id(rest)
		}
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `"`+prefix)
		end := strings.IndexByte(rest, '"')
		if !ok || end <= 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(before + `"` + id(rest[:end]) + `"`)
		s = rest[end+1:]
	}
}

// replaced is a copy of a value with its references replaced.
func replaced(n scim.Node, id func(string) string) scim.Node {
	switch n.Kind {
	case scim.NodeString:
		n.Str = replaceText(n.Str, id)
	case scim.NodeArray:
		n.Items = slices.Clone(n.Items)
		for i := range n.Items {
			n.Items[i] = replaced(n.Items[i], id)
		}
	case scim.NodeObject:
		n.Members = slices.Clone(n.Members)
		for i := range n.Members {
			n.Members[i].Value = replaced(n.Members[i].Value, id)
		}
	}
	return n
}

// Resolved answers the path and the data of an operation with every reference
// replaced. known says which ids there are; all of Refs must be among them.
func (o *Operation) Resolved(lim scim.Limits, known func(bulkID string) (id string, ok bool)) (path string, data scim.Node, err error) {
	n, err := scim.ReadJSON(o.raw, lim)
	if err != nil {
		return "", scim.Node{}, err
	}
	id := func(ref string) string {
		if v, ok := known(ref); ok {
			return v
		}
		return prefix + ref
	}
	data, _ = n.Find("data")
	return replacePath(o.Path, id), replaced(data, id), nil
}

// An Edge is a value that was left out of a resource because it refers to one
// that does not exist yet. It is added by a PATCH afterwards.
type Edge struct {
	Path  string // of the attribute, for a PATCH
	Value scim.Node
}

// Detach takes out of the data of a POST whatever refers to a resource that is
// not known yet (B-07): an element of an array, else the attribute as a whole.
func Detach(data scim.Node, known func(bulkID string) bool) (scim.Node, []Edge) {
	var edges []Edge
	data.Members = slices.Clone(data.Members)
	data.Members = slices.DeleteFunc(data.Members, func(m scim.Member) bool {
		return waits(m.Value, known) && m.Value.Kind != scim.NodeArray && !isURN(m.Name) && cut(&edges, m.Name, m.Value)
	})
	for i, m := range data.Members {
		switch {
		case !waits(m.Value, known):
		case isURN(m.Name) && m.Value.Kind == scim.NodeObject:
			inner, found := Detach(m.Value, known)
			data.Members[i].Value = inner
			for _, e := range found {
				edges = append(edges, Edge{Path: m.Name + ":" + e.Path, Value: e.Value})
			}
		case m.Value.Kind == scim.NodeArray:
			late := scim.Node{Kind: scim.NodeArray}
			kept := scim.Node{Kind: scim.NodeArray}
			for _, item := range m.Value.Items {
				if waits(item, known) {
					late.Items = append(late.Items, item)
				} else {
					kept.Items = append(kept.Items, item)
				}
			}
			data.Members[i].Value = kept
			edges = append(edges, Edge{Path: m.Name, Value: late})
		}
	}
	return data, edges
}

func cut(edges *[]Edge, path string, v scim.Node) bool {
	*edges = append(*edges, Edge{Path: path, Value: v})
	return true
}

func isURN(name string) bool { return strings.HasPrefix(strings.ToLower(name), "urn:") }

func waits(n scim.Node, known func(string) bool) (yes bool) {
	for _, ref := range references("", n) {
		yes = yes || !known(ref)
	}
	return yes
}

// Patch is the body of a PATCH that adds the edges, whose references are known by
// now.
func Patch(edges []Edge, known func(bulkID string) (id string, ok bool)) scim.Node {
	text := func(s string) scim.Node { return scim.Node{Kind: scim.NodeString, Str: s} }
	ops := scim.Node{Kind: scim.NodeArray}
	id := func(ref string) string {
		v, _ := known(ref)
		return v
	}
	for _, e := range edges {
		ops.Items = append(ops.Items, scim.Node{Kind: scim.NodeObject, Members: []scim.Member{
			{Name: "op", Value: text("add")}, {Name: "path", Value: text(e.Path)}, {Name: "value", Value: replaced(e.Value, id)}}})
	}
	return scim.Node{Kind: scim.NodeObject, Members: []scim.Member{
		{Name: "schemas", Value: scim.Node{Kind: scim.NodeArray, Items: []scim.Node{text(scim.PatchOpMessage)}}},
		{Name: "Operations", Value: ops}}}
}
