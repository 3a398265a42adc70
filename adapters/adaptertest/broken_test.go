package adaptertest

import (
	"context"
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
)

// A broken adapter is a good one with one method replaced.
type broken struct {
	adapters.Adapter
	caps   func() adapters.Capabilities
	get    func(context.Context, adapters.Key, adapters.Fields) (adapters.Record, error)
	list   func(context.Context, adapters.Query) (adapters.Page, error)
	create func(context.Context, adapters.Record, adapters.Fields) (adapters.Record, error)
	update func(context.Context, adapters.Key, adapters.Delta, adapters.Fields) (adapters.Record, error)
	delete func(context.Context, adapters.Key) error
	probe  func(context.Context) error
}

// good is a broken adapter that is not broken yet.
func good(a adapters.Adapter) *broken {
	return &broken{a, a.Capabilities, a.Get, a.List, a.Create, a.Update, a.Delete, a.Probe}
}

func (b *broken) Capabilities() adapters.Capabilities { return b.caps() }
func (b *broken) Get(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
	return b.get(ctx, k, w)
}
func (b *broken) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	return b.list(ctx, q)
}
func (b *broken) Create(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
	return b.create(ctx, r, w)
}
func (b *broken) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
	return b.update(ctx, k, d, w)
}
func (b *broken) Delete(ctx context.Context, k adapters.Key) error { return b.delete(ctx, k) }
func (b *broken) Probe(ctx context.Context) error                  { return b.probe(ctx) }

// A fault breaks an adapter, and the checks named must notice.
type fault struct {
	name  string
	setup func(o *memory.Options, h *Harness) // how the good adapter is made
	spoil func(b *broken, a adapters.Adapter) // b is returned to the suite, a is good
	fails []string
}

// TestBroken runs checks against adapters that are broken on purpose. A check
// that passes there, or that no fault makes fail, is not worth its name.
func TestBroken(t *testing.T) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "100ms", "rapid.seed": "1"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	byName := map[string]check{}
	for _, c := range checks() {
		byName[c.name] = c
	}
	caught := map[string]bool{}
	for _, f := range slices.Concat(recordFaults(), failureFaults(), memberFaults(), elementFaults(), listFaults()) {
		for _, name := range f.fails {
			caught[name] = true
		}
		t.Run(f.name, func(t *testing.T) {
			for _, name := range f.fails {
				c, ok := byName[name]
				if !ok {
					t.Fatalf("no check is called %q", name)
				}
				expect(t, f, c)
			}
		})
	}
	for name := range byName {
		if !caught[name] {
			t.Errorf("no fault is known that makes the check %q fail", name)
		}
	}
}

// expect wants a check to pass on the good adapter and to fail on the broken one.
func expect(t *testing.T, f fault, c check) {
	sound := newRig(t, harnessOf(f, false))
	if c.needs != nil && !c.needs(sound) {
		t.Fatalf("%s: not run on this adapter", c.name)
	}
	if err := c.run(t.Context(), sound); err != nil {
		t.Fatalf("%s: fails on the good adapter: %v", c.name, err)
	}
	err := c.run(t.Context(), newRig(t, harnessOf(f, true)))
	if err == nil {
		t.Errorf("%s: passes on the broken adapter", c.name)
		return
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	t.Logf("%s: %.300s", c.name, first)
}

func harnessOf(f fault, spoiled bool) Harness {
	rel := memory.NewRelation()
	o := memory.Options{Fields: []memory.Field{
		{Name: "name", Unique: true}, {Name: "nick"}, {Name: "note", Costly: true},
		{Name: "age"}, {Name: "active"}, {Name: "members", Relation: rel},
		{Name: "emails", Parts: []string{"value", "kind", "rank"}, Costly: true},
	}}
	h := Harness{Fields: StandardFields, OddKeys: true, Brief: true}
	h.Fields.Emails = "emails"
	h.MembersRead = func(adapters.Adapter) int { return rel.Read() }
	if f.setup != nil {
		f.setup(&o, &h)
	}
	h.New = func(testing.TB) adapters.Adapter {
		a := memory.New(o)
		b := good(a)
		if spoiled {
			f.spoil(b, a)
		}
		return b
	}
	return h
}

func given(o *memory.Options, _ *Harness) { o.GivenKeys = true }
