package config

// A form says how a value of type V is written, once for everybody: shape for
// the reference and the JSON schema, read for the parser.
type form[V any] struct {
	shape *shape
	read  func(r *reader, t *Tree, into *V)
}

// A shape is what a form says about itself.
type shape struct {
	word   string   // for people: "duration"; of maps, what the keys are
	types  []string // JSON types a scalar may have in YAML
	match  string   // a pattern that text must match
	enum   []string
	item   *shape // of lists and of maps from names
	isMap  bool
	block  *description
	short  *shape // what may stand instead of a block
	secret bool
}

// A description is a block as the reference shows it.
type description struct {
	title, doc string
	example    string // instead of the examples of the keys
	entries    []entry
	kinds      []kindEntries
	kindKey    string // says of what `type` the further keys depend
	shared     string // the name under which a block is described once
	like       string // the block beside it that has the same further keys
}

type kindEntries struct {
	kind    string
	entries []entry
}

// An entry is one key of a block.
type entry struct {
	name, doc string
	fallback  string // the default, as YAML
	example   string // as YAML
	must      bool
	shape     *shape
}

// A key is an entry of a block that is read into a T.
type key[T any] struct {
	entry
	read func(r *reader, t *Tree, into *T)
}

// field declares a key: its name, how it is written, and where it goes.
func field[T, V any](name string, f form[V], goal func(*T) *V) key[T] {
	return key[T]{
		entry: entry{name: name, shape: f.shape},
		read:  func(r *reader, t *Tree, into *T) { f.read(r, t, goal(into)) },
	}
}

// says documents a key.
func (k key[T]) says(doc string) key[T] { k.doc = doc; return k }

// or gives a key its default, as YAML.
func (k key[T]) or(fallback string) key[T] { k.fallback = fallback; return k }

// like gives an example, as YAML.
func (k key[T]) like(example string) key[T] { k.example = example; return k }

// required makes a key one that must be there.
func (k key[T]) required() key[T] { k.must = true; return k }

// A block is a mapping with known keys.
type block[T any] struct {
	title, doc string
	example    string // YAML; without one, the examples of the keys are shown
	keys       []key[T]
	kinds      []kindKeys[T]                                // further keys, depending on the kind of backend
	shared     string                                       // it stands in many places: described once, under this name
	like       string                                       // its kinds are described there
	kindKey    string                                       // for the reference: what decides the kind
	kindOf     func(r *reader, t *Tree) string              // "" if it is not known
	options    func(*T) **Tree                              // where the keys that depend on the kind are kept as written
	check      func(r *reader, t *Tree, where string, v *T) // what one block can say about itself
}

type kindKeys[T any] struct {
	kind string
	keys []key[T]
}

func (b block[T]) form() form[T] {
	d := &description{title: b.title, doc: b.doc, example: b.example, entries: entriesOf(b.keys), kindKey: b.kindKey, shared: b.shared, like: b.like}
	for _, k := range b.kinds {
		d.kinds = append(d.kinds, kindEntries{k.kind, entriesOf(k.keys)})
	}
	return form[T]{shape: &shape{word: "block", block: d}, read: b.read}
}

func entriesOf[T any](keys []key[T]) []entry {
	es := make([]entry, len(keys))
	for i, k := range keys {
		es[i] = k.entry
	}
	return es
}

// list is a YAML list.
func list[V any](f form[V]) form[[]V] {
	return form[[]V]{
		shape: &shape{word: "list", item: f.shape},
		read: func(r *reader, t *Tree, into *[]V) {
			switch t.Kind {
			case NullNode:
			case ListNode:
				*into = readItems(r, t.Items, f)
			default:
				r.report.Errorf(t.Text, "as in "+t.label+": [one, two]", "%s must be a list", t.label)
			}
		},
	}
}

// oneOrMore is a list, or its only item.
func oneOrMore[V any](f form[V]) form[[]V] {
	l := list(f)
	return form[[]V]{
		shape: &shape{word: f.shape.word + " or list", item: f.shape, short: f.shape},
		read: func(r *reader, t *Tree, into *[]V) {
			if t.Kind == ScalarNode {
				*into = readItems(r, []*Tree{t}, f)
				return
			}
			l.read(r, t, into)
		},
	}
}

// several is a list of blocks, or one block.
func several[V any](name string, f form[V]) form[[]V] {
	l := list(f)
	return form[[]V]{
		shape: &shape{word: "[" + name + "](#" + name + ") or list", item: f.shape, short: f.shape},
		read: func(r *reader, t *Tree, into *[]V) {
			if t.Kind == ListNode {
				l.read(r, t, into)
				return
			}
			*into = readItems(r, []*Tree{t}, f)
		},
	}
}

func readItems[V any](r *reader, items []*Tree, f form[V]) []V {
	out := make([]V, len(items))
	for i, item := range items {
		f.read(r, item, &out[i])
	}
	return out
}

// named is a mapping from names to values, kept in order.
func named[V any](word string, f form[V], names naming, goal func(*V) *Text) form[[]V] {
	return form[[]V]{
		shape: &shape{word: word, item: f.shape, isMap: true, match: names.pattern()},
		read: func(r *reader, t *Tree, into *[]V) {
			switch t.Kind {
			case NullNode:
			case MappingNode:
				*into = readItems(r, t.Items, f)
				for i, item := range t.Items {
					*goal(&(*into)[i]) = item.Key
					names.check(r, item.Key, word)
				}
			default:
				r.report.Errorf(t.Text, "", "%s must be a block of names, each with a colon", t.label)
			}
		},
	}
}

// optional is a block that may be absent as a whole.
func optional[V any](f form[V]) form[*V] {
	return form[*V]{
		shape: f.shape,
		read: func(r *reader, t *Tree, into **V) {
			*into = new(V)
			f.read(r, t, *into)
		},
	}
}

// abbreviated is a block of which one scalar says enough.
func abbreviated[V, S any](long form[V], short form[S], expand func(s S, v *V)) form[V] {
	sh := *long.shape
	sh.short = short.shape
	return form[V]{
		shape: &sh,
		read: func(r *reader, t *Tree, into *V) {
			if t.Kind == NullNode {
				r.isScalar(t)
				return
			}
			if t.Kind != ScalarNode {
				long.read(r, t, into)
				return
			}
			// The block's defaults hold for the short form too.
			long.read(&reader{report: NewReporter(r.report.Source)}, &Tree{Kind: MappingNode, Text: t.Text, label: t.label}, into)
			var s S
			short.read(r, t, &s)
			expand(s, into)
		},
	}
}

// inStep are keys of a Step for a block that holds one.
func inStep[T any](keys []key[Step], goal func(*T) *Step) []key[T] {
	out := make([]key[T], len(keys))
	for i, k := range keys {
		out[i] = key[T]{entry: k.entry, read: func(r *reader, t *Tree, into *T) { k.read(r, t, goal(into)) }}
	}
	return out
}

// inside is a form for the one part of a T that is written.
func inside[T, V any](f form[V], goal func(*T) *V) form[T] {
	return form[T]{shape: f.shape, read: func(r *reader, t *Tree, into *T) { f.read(r, t, goal(into)) }}
}
