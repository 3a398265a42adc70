package adaptertest

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/postern/postern/adapters"
)

// A Harness makes adapters for the suite.
//
// The adapter it makes holds one kind of object with the fields of Fields. It
// can create and delete; everything else is tested as far as its Capabilities
// declare it.
type Harness struct {
	// New makes an adapter without records. It is called for nearly every check
	// and cleans up with t.Cleanup; the suite calls Close before that.
	New func(t testing.TB) adapters.Adapter

	Fields Fields

	// Key gives the i-th key for backends with GivenKeys; nil: "k0001", "k0002", ...
	Key func(i int) adapters.Key

	// Member gives the i-th value of the multi-valued field, for backends where
	// a member must exist or has a form. nil: "1", "2", ... It must be good
	// for i from 1 to 200.
	Member func(i int) string

	// OddKeys says that any non-empty text without control characters can be a
	// given key.
	OddKeys bool

	// FoldedUnique says that the unique field refuses a value that differs from
	// another only in case.
	FoldedUnique bool

	// Prepare is what the unique field compares values by, where that is neither the
	// value nor the value without case: "" for values that it cannot hold.
	Prepare func(string) string

	// KeyFrom names the field whose value is the key, if there is one: changing
	// it renames the record.
	KeyFrom string

	// Brief asks a seventh of the comparisons: for variants of an adapter of which
	// one has passed the whole.
	Brief bool

	// MembersRead answers how many members the adapter has read from the backend so
	// far. With it the suite proves that a member change reads none. nil: not checked.
	MembersRead func(a adapters.Adapter) int
}

// Fields names the fields of the adapter under test. A name that is empty is
// not there, and what needs it is not tested; Name and Nick must be.
type Fields struct {
	Name    string // text, always present, the unique field
	Nick    string // text, may be absent
	Note    string // text, may be absent
	Age     string // 64-bit integer, may be absent
	Active  string // text: a code such as "A" or "L"; may be absent
	Born    string // time.Time in UTC, to the second; may be absent
	Members string // []string; declared Multi, and Delta or not
	Emails  string // []Record with the parts value and kind, texts, and rank, an integer
}

// StandardFields are the field names to use where the choice is free.
var StandardFields = Fields{
	Name: "name", Nick: "nick", Note: "note", Age: "age", Active: "active", Members: "members",
}

// A check is one promise of the contract. It answers an error when the promise
// is not kept.
type check struct {
	name  string
	needs func(r *rig) bool // nil: every adapter must keep it
	run   func(ctx context.Context, r *rig) error
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, h)
			if c.needs != nil && !c.needs(r) {
				t.Skip("not declared in Capabilities")
			}
			if err := c.run(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
}

// A rig is what a check works with: an empty adapter and what the harness says
// about it.
type rig struct {
	adapters.Adapter
	t     testing.TB
	h     Harness
	caps  adapters.Capabilities
	shape *adapters.Shape
	f     Fields
	made  int
}

func newRig(t testing.TB, h Harness) *rig {
	a := h.New(t)
	t.Cleanup(func() { a.Close() })
	r := &rig{Adapter: a, t: t, h: h, caps: a.Capabilities(), f: h.Fields}
	r.shape = r.caps.Shape
	if r.h.Key == nil {
		r.h.Key = func(i int) adapters.Key { return adapters.Key(fmt.Sprintf("k%04d", i)) }
	}
	if r.h.Member == nil {
		r.h.Member = strconv.Itoa
	}
	return r
}

// field answers what is declared about a field; the zero Field if the harness
// has none of that name.
func (r *rig) field(name string) adapters.Field {
	if name == adapters.KeyField {
		return r.caps.Key
	}
	if i := r.shape.Index(name); name != "" && i >= 0 {
		return r.caps.Fields[i]
	}
	return adapters.Field{}
}

// values are the values of a record by field name.
type values map[string]any

// record makes a record, with the next key where keys are given.
func (r *rig) record(v values) adapters.Record {
	r.made++
	rec := adapters.NewRecord(r.shape, "")
	switch {
	case r.caps.GivenKeys && r.h.KeyFrom != "":
		rec.Key = adapters.Key(adapters.Text(v[r.h.KeyFrom]))
	case r.caps.GivenKeys:
		rec.Key = r.h.Key(r.made)
	}
	for name, val := range v {
		if name != "" {
			rec.Set(name, val)
		}
	}
	return rec
}

// put creates a record and reads it back whole.
func (r *rig) put(ctx context.Context, v values) (adapters.Record, error) {
	made, err := r.Create(ctx, r.record(v), adapters.Fields{})
	if err != nil {
		return made, fmt.Errorf("create %v: %w", v, err)
	}
	return r.get(ctx, made.Key)
}

// named creates a record that has a name only.
func (r *rig) named(ctx context.Context, name string) (adapters.Record, error) {
	return r.put(ctx, values{r.f.Name: name})
}

func (r *rig) get(ctx context.Context, key adapters.Key) (adapters.Record, error) {
	rec, err := r.Get(ctx, key, adapters.AllFields)
	if err != nil {
		return rec, fmt.Errorf("get %q: %w", key, err)
	}
	return rec, nil
}

// set is the delta that changes one field of rec.
func set(rec adapters.Record, field string, to any) adapters.Delta {
	return sets(rec, values{field: to})
}

// sets is the delta that changes some fields of rec.
func sets(rec adapters.Record, v values) adapters.Delta {
	d := adapters.Delta{Before: rec, After: rec.Clone()}
	for _, name := range rec.Shape().Names() {
		if to, ok := v[name]; ok {
			d.After.Set(name, to)
			d.Set = append(d.Set, adapters.Change{Field: name, Old: rec.Get(name), New: to})
		}
	}
	return d
}
