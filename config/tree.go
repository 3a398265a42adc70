package config

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A TreeKind is what a node of a Tree is.
type TreeKind uint8

// The kinds of nodes.
const (
	ScalarNode TreeKind = iota
	NullNode            // nothing, ~ or null
	ListNode
	MappingNode
)

// A Tree is YAML with its positions, aliases and merge keys resolved: the form
// in which parts are kept that another spec will decode.
type Tree struct {
	Text            // the scalar's value, and where the node begins
	Kind   TreeKind //
	Key    Text     // the key that a mapping holds the node under
	Quoted bool     // quoted and block scalars are text, whatever they look like
	Items  []*Tree  // of lists and mappings, in order

	label string   // what messages call the node
	meant []string // keys that unknown ones were taken for

	filled string // the scalar as written, where parameters were put in
}

// Find returns the item of a mapping under a key, or nil.
func (t *Tree) Find(key string) *Tree {
	if t == nil || t.Kind != MappingNode {
		return nil
	}
	for _, item := range t.Items {
		if item.Key.Value == key {
			return item
		}
	}
	return nil
}

// has reports whether a mapping holds a key, or one that was taken for it: then
// its absence is not worth a second message.
func (t *Tree) has(key string) bool { return t.Find(key) != nil || slices.Contains(t.meant, key) }

// place is where a problem of the node as a whole is shown: at its key.
func (t *Tree) place() Text {
	if t.Key.Line > 0 {
		return t.Key
	}
	return t.Text
}

// maxNodes bounds what aliases may unfold to.
const maxNodes = 200_000

// A grower makes a Tree of a YAML document.
type grower struct {
	report *Reporter
	nodes  int
	open   []*yaml.Node // anchored nodes around the current one, against cycles
}

func (g *grower) grow(n *yaml.Node, key Text, label string) *Tree {
	t := &Tree{Text: g.at(n), Key: key, label: label, Kind: NullNode}
	if g.nodes++; g.nodes > maxNodes {
		if g.nodes == maxNodes+1 {
			g.report.Errorf(t.Text, "", "the file is too large once its aliases are unfolded")
		}
		return t
	}
	if n.Anchor != "" {
		g.open = append(g.open, n)
		defer func() { g.open = g.open[:len(g.open)-1] }()
	}
	switch n.Kind {
	case yaml.ScalarNode:
		g.scalar(t, n)
	case yaml.SequenceNode:
		t.Kind = ListNode
		for _, c := range n.Content {
			t.Items = append(t.Items, g.grow(c, Text{}, label))
		}
	case yaml.MappingNode:
		t.Kind = MappingNode
		g.mapping(t, n)
	case yaml.AliasNode:
		return g.alias(n, t)
	}
	g.checkTag(t, n)
	return t
}

// at is where a node's own text begins, past its anchor and its tag.
func (g *grower) at(n *yaml.Node) Text {
	t := Text{Line: n.Line, Column: n.Column}
	if lines := g.report.Source.lines; t.Line > len(lines) { // nothing at the end of the file: behind its last line
		t.Line, t.Column = len(lines), utf8.RuneCountInString(lines[len(lines)-1])+1
	}
	if n.Kind == yaml.ScalarNode {
		t.Value = n.Value
	}
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 {
		return t
	}
	rest := g.report.Source.rest(t.Line, t.Column)
	i := 0
	for i < len(rest) && (rest[i] == '&' || rest[i] == '!') {
		for i < len(rest) && rest[i] != ' ' {
			i++
		}
		for i < len(rest) && rest[i] == ' ' {
			i++
		}
	}
	if i < len(rest) {
		t.Column += i
	}
	return t
}

func (g *grower) scalar(t *Tree, n *yaml.Node) {
	t.Quoted = n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	t.Kind = ScalarNode
	if n.Tag == "!!null" && !t.Quoted {
		t.Kind = NullNode
	}
}

// alias puts a copy of the anchored node where the alias stands.
func (g *grower) alias(n *yaml.Node, t *Tree) *Tree {
	if n.Alias == nil || slices.Contains(g.open, n.Alias) {
		g.report.Errorf(t.Text, "", "the alias *%s stands within its own anchor", n.Value)
		t.Kind, t.Value = ScalarNode, "*"+n.Value // one problem is enough
		return t
	}
	return g.grow(n.Alias, t.Key, t.label)
}

func (g *grower) mapping(t *Tree, n *yaml.Node) {
	var merged []*Tree
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		for k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		key := g.at(k)
		switch {
		case k.Kind != yaml.ScalarNode:
			g.report.Errorf(key, "quote a key that contains [ ] or { }", "a key must be a plain text")
		case k.Tag == "!!merge":
			merged = append(merged, g.merge(v)...)
		default:
			g.add(t, g.grow(v, key, key.Value))
		}
	}
	for _, m := range merged {
		if t.Find(m.Key.Value) == nil {
			t.Items = append(t.Items, m)
		}
	}
}

func (g *grower) add(t, item *Tree) {
	if first := t.Find(item.Key.Value); first != nil {
		g.report.Errorf(item.Key, "delete one of the two", "the key %q stands here a second time; the first is in line %d",
			item.Key.Value, first.Key.Line)
		return
	}
	t.Items = append(t.Items, item)
}

// merge reads the value of a merge key: a mapping or a list of mappings.
func (g *grower) merge(n *yaml.Node) []*Tree {
	t := g.grow(n, Text{}, "<<")
	switch {
	case t.Kind == MappingNode:
		return t.Items
	case t.Kind == ListNode && !slices.ContainsFunc(t.Items, func(i *Tree) bool { return i.Kind != MappingNode }):
		var items []*Tree
		for _, m := range t.Items {
			items = append(items, m.Items...)
		}
		return items
	}
	g.report.Errorf(t.Text, "as in <<: *name", "<< merges mappings only")
	return nil
}

// plainTags are the tags that say what Postern would read anyway.
var plainTags = []string{"!!str", "!!int", "!!bool", "!!float", "!!null", "!!map", "!!seq"}

func (g *grower) checkTag(t *Tree, n *yaml.Node) {
	if n.Style&yaml.TaggedStyle == 0 || slices.Contains(plainTags, n.Tag) {
		return
	}
	g.report.Errorf(Text{Line: n.Line, Column: n.Column}, "quote the value if it begins with an exclamation mark",
		"the tag %s means nothing here", strings.TrimPrefix(n.Tag, "tag:yaml.org,2002:"))
}
