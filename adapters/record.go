package adapters

import (
	"maps"
	"slices"
	"strings"
)

// A Shape is the ordered field names of one adapter's records, fixed at start.
type Shape struct {
	names []string
	index map[string]int
}

// NewShape makes a shape. A name that comes twice counts once.
func NewShape(names ...string) *Shape {
	s := &Shape{index: make(map[string]int, len(names))}
	for _, n := range names {
		if _, ok := s.index[n]; !ok {
			s.index[n] = len(s.names)
			s.names = append(s.names, n)
		}
	}
	return s
}

// Names lists the fields in order. The slice must not be changed.
func (s *Shape) Names() []string { return s.names }

// Len is the number of fields.
func (s *Shape) Len() int { return len(s.names) }

// Index returns the position of a field, -1 if there is none.
func (s *Shape) Index(name string) int {
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// A Record is one backend object. Values are nil, string, int64, float64, bool,
// []byte, time.Time or, in a multi-valued field, []string or, if its values have
// parts, []Record. An empty string, an empty list and nil are the same: no value.
type Record struct {
	Key    Key
	shape  *Shape
	values []any
}

// NewRecord is a record without values.
func NewRecord(s *Shape, key Key) Record {
	return Record{Key: key, shape: s, values: make([]any, len(s.names))}
}

// Shape is the shape the record was made with, nil for the zero Record.
func (r Record) Shape() *Shape { return r.shape }

// At returns the value of the field at position i of the shape.
func (r Record) At(i int) any { return r.values[i] }

// SetAt changes the value of the field at position i.
func (r Record) SetAt(i int, v any) { r.values[i] = v }

// Get returns the value of the field with that name, nil if there is none.
func (r Record) Get(name string) any {
	if r.shape == nil {
		return nil
	}
	if i := r.shape.Index(name); i >= 0 {
		return r.values[i]
	}
	return nil
}

// Set changes the value of a field; a name outside the shape is ignored.
func (r Record) Set(name string, v any) {
	if i := r.shape.Index(name); i >= 0 {
		r.values[i] = v
	}
}

// Values gives the values for bulk reading and writing, in the shape's order.
func (r Record) Values() []any { return r.values }

// Clone copies a record; lists are shared and must not be changed in place.
func (r Record) Clone() Record {
	r.values = slices.Clone(r.values)
	return r
}

// IsZero reports whether r is no record at all.
func (r Record) IsZero() bool { return r.shape == nil }

// NoValue reports whether v counts as absent: nil, "" or an empty list.
func NoValue(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []byte:
		return len(v) == 0
	case []Record:
		return len(v) == 0
	}
	return false
}

// Same reports whether two values are equal, as a comparison before a change
// means it: by their text, no value as no value, lists as sets. Elements are equal
// if their parts are, in the same order, whatever their keys.
func Same(x, y any) bool {
	if NoValue(x) || NoValue(y) {
		return NoValue(x) && NoValue(y)
	}
	xs, xList := x.([]string)
	ys, yList := y.([]string)
	if xList || yList {
		return xList && yList && maps.Equal(set(xs), set(ys))
	}
	if xs, ok := x.([]Record); ok {
		ys, also := y.([]Record)
		return also && slices.EqualFunc(xs, ys, Record.Equal)
	}
	return Text(x) == Text(y)
}

func set(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out
}

// Fields is a set of fields of a shape, by position. The zero Fields is "none";
// AllFields asks for every field that the shape has, costly ones included.
type Fields struct {
	all  bool
	bits []uint64
}

// AllFields is every field.
var AllFields = Fields{all: true}

// FieldSet makes the set of these fields; unknown names are left out.
func (s *Shape) FieldSet(names ...string) Fields {
	f := Fields{bits: make([]uint64, (len(s.names)+63)/64)}
	for _, n := range names {
		if i := s.Index(n); i >= 0 {
			f.bits[i/64] |= 1 << (i % 64)
		}
	}
	return f
}

// Has reports whether the set holds the field at position i.
func (f Fields) Has(i int) bool {
	return f.all || (i/64 < len(f.bits) && f.bits[i/64]&(1<<(i%64)) != 0)
}

// Union is the set of the fields of both.
func (f Fields) Union(g Fields) Fields {
	if f.all || g.all {
		return AllFields
	}
	if len(f.bits) < len(g.bits) {
		f, g = g, f
	}
	out := Fields{bits: slices.Clone(f.bits)}
	for i, b := range g.bits {
		out.bits[i] |= b
	}
	return out
}

// JoinKey makes one key of the parts of a composite key; a single part is the
// key itself. SplitKey is its inverse.
func JoinKey(parts ...string) Key {
	if len(parts) == 1 {
		return Key(parts[0])
	}
	esc := make([]string, len(parts))
	for i, p := range parts {
		esc[i] = strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(p)
	}
	return Key(strings.Join(esc, "|"))
}

// SplitKey takes a key of n parts apart; false if it does not have n, or is not
// written as JoinKey writes it: one record has one key.
func SplitKey(k Key, n int) ([]string, bool) {
	if n == 1 {
		return []string{string(k)}, true
	}
	var parts []string
	var b strings.Builder
	for i := 0; i < len(k); i++ {
		switch {
		case k[i] == '\\' && i+1 < len(k):
			i++
			b.WriteByte(k[i])
		case k[i] == '|':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(k[i])
		}
	}
	parts = append(parts, b.String())
	return parts, len(parts) == n && JoinKey(parts...) == k
}

// FromMap makes a record of a map, for adapters whose backends answer in maps.
func FromMap(s *Shape, key Key, m map[string]any) Record {
	r := NewRecord(s, key)
	for _, n := range slices.Sorted(maps.Keys(m)) {
		r.Set(n, m[n])
	}
	return r
}
