package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A reader is one pass over a Tree.
type reader struct {
	report *Reporter
	env    func(string) (string, bool)
	dir    string // relative paths start here
	// standIns: a secret that is not there is no problem, and gets a value of its form.
	standIns bool
	kinds    map[string]string // the type of every backend read so far
	blocks   map[string]string // for hints: a key's name to the block that knows it

	fill    filler               // what parameters may do to what is read now
	values  map[string]string    // of parameters
	made    []string             // parameters without a value, for which one was made up
	literal bool                 // nothing refers to anything
	draft   bool                 // of a tenant: tokens may be left out, and hashes cut
	limits  *Tree                // of the gateway, as written
	memo    map[string][3]string // what programs and files have said, if it is to be kept
}

// resolve is the path to open for a path in the file.
func (r *reader) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

// read decodes a mapping: the keys that the block knows, then its defaults, then
// what it says about itself.
func (b block[T]) read(r *reader, t *Tree, into *T) {
	where := b.title
	if t.Key.Line > 0 && t.Key.Value != b.title {
		where = b.title + " " + called(t.Key.Value)
	}
	if t.Kind != MappingNode && t.Kind != NullNode {
		r.report.Errorf(t.Text, "", "%s must be a block of keys, each with a colon", where)
		return
	}
	keys, kind, further := b.keysOf(r, t)
	if !b.keepOptions(t, into) || kind != "" {
		r.checkKeys(t, where+further, entriesOf(keys))
	}
	for _, k := range keys {
		if item := t.Find(k.name); item != nil {
			k.read(r, item, into)
		} else {
			k.absent(r, t, where+further, into)
		}
	}
	if b.check != nil {
		b.check(r, t, where, into)
	}
}

// called quotes a name, except paths that hold quotes themselves.
func called(name string) string {
	if strings.Contains(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}

// keysOf are the keys that the block knows here: those of the kind included.
func (b block[T]) keysOf(r *reader, t *Tree) (keys []key[T], kind, further string) {
	if b.kindOf == nil {
		return b.keys, "", ""
	}
	kind = b.kindOf(r, t)
	for _, k := range b.kinds {
		if k.kind == kind {
			return slices.Concat(b.keys, k.keys), kind, " of type " + kind
		}
	}
	return b.keys, "", ""
}

// keepOptions keeps the keys that depend on the kind as they were written. It
// reports whether the block has such keys.
func (b block[T]) keepOptions(t *Tree, into *T) bool {
	if b.options == nil {
		return false
	}
	rest := &Tree{Text: t.Text, Kind: MappingNode, Key: t.Key, label: t.label}
	for _, item := range t.Items {
		if !slices.ContainsFunc(b.keys, func(k key[T]) bool { return k.name == item.Key.Value }) {
			rest.Items = append(rest.Items, item)
		}
	}
	*b.options(into) = rest
	return true
}

// absent reports a missing key, or reads its default.
func (k key[T]) absent(r *reader, t *Tree, where string, into *T) {
	switch {
	case k.must:
		if t.has(k.name) {
			return
		}
		hint := ""
		if k.example != "" {
			hint = "as in " + k.name + ": " + k.example
		}
		r.report.Errorf(t.place(), hint, "%s needs the key %q", where, k.name)
	case k.fallback != "":
		k.read(r, literal(k.name, k.fallback, t.place()), into)
	}
}

// literal makes a Tree of YAML in the spec; its problems would show at a place
// of the file.
func literal(name, text string, at Text) *Tree {
	var n yaml.Node
	if err := yaml.Load([]byte(text), &n); err != nil || len(n.Content) == 0 {
		return &Tree{Kind: NullNode, label: name}
	}
	g := grower{report: NewReporter(NewSource("", []byte(text)))}
	t := g.grow(n.Content[0], Text{}, name)
	t.relocate(at)
	return t
}

// relocate gives a whole tree one place.
func (t *Tree) relocate(at Text) {
	t.Line, t.Column = at.Line, at.Column
	for _, i := range t.Items {
		i.relocate(at)
	}
}

// checkKeys reports every key that the entries do not name.
func (r *reader) checkKeys(t *Tree, where string, entries []entry) {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	for _, item := range t.Items {
		name := item.Key.Value
		if slices.Contains(names, name) {
			continue
		}
		hint := didYouMean(name, names)
		if i := slices.Index(names, nearest(name, names)); i >= 0 {
			t.meant = append(t.meant, names[i])
			if entries[i].shape.holdsSecret() {
				r.report.Source.blotTree(item)
			}
		} else if r.blocks[name] != "" {
			hint = fmt.Sprintf("%q is a key of %s", name, r.blocks[name])
		}
		r.report.Errorf(item.Key, hint, "unknown key %q in %s", name, where)
	}
}

// holdsSecret reports whether a secret may stand somewhere in a value. What is
// written under a misspelt key is hidden then.
func (s *shape) holdsSecret() bool {
	switch {
	case s == nil:
		return false
	case s.block != nil:
		return slices.ContainsFunc(s.block.all(), func(e entry) bool { return e.shape.holdsSecret() })
	}
	return s.secret || s.item.holdsSecret()
}

// index remembers which block knows a key, for hints.
func index(s *shape, into map[string]string) {
	if s == nil {
		return
	}
	index(s.item, into)
	if s.block == nil {
		return
	}
	name := func(entries []entry, block string) {
		for _, e := range entries {
			if _, there := into[e.name]; !there {
				into[e.name] = block
			}
		}
	}
	name(s.block.entries, s.block.title)
	for _, k := range s.block.kinds {
		name(k.entries, s.block.title+" of type "+k.kind)
	}
	for _, e := range s.block.all() {
		index(e.shape, into)
	}
}

// all are the entries of every kind.
func (d *description) all() []entry {
	es := slices.Clone(d.entries)
	for _, k := range d.kinds {
		es = append(es, k.entries...)
	}
	return es
}
