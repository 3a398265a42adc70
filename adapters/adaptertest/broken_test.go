package adaptertest

import (
	"context"
	"errors"
	"flag"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
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
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "100ms"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	byName := map[string]check{}
	for _, c := range checks() {
		byName[c.name] = c
	}
	caught := map[string]bool{}
	for _, f := range slices.Concat(recordFaults(), failureFaults(), memberFaults(), listFaults()) {
		t.Run(f.name, func(t *testing.T) {
			for _, name := range f.fails {
				c, ok := byName[name]
				if !ok {
					t.Fatalf("no check is called %q", name)
				}
				caught[name] = true
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
	}}
	h := Harness{Fields: StandardFields, OddKeys: true}
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

func recordFaults() []fault {
	return []fault{
		{"a new shape each time", nil, func(b *broken, a adapters.Adapter) {
			b.caps = func() adapters.Capabilities {
				c := a.Capabilities()
				c.Shape = adapters.NewShape(c.Shape.Names()...)
				return c
			}
		}, []string{"capabilities"}},
		{"does not answer", nil, func(b *broken, a adapters.Adapter) {
			b.probe = func(context.Context) error { return adapters.Errorf(adapters.Unavailable, "probe", "gone") }
		}, []string{"probe"}},
		{"create echoes", nil, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				_, err := a.Create(ctx, r, w)
				return r, err
			}
		}, []string{"create", "want"}},
		{"create loses a field", nil, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				r = r.Clone()
				r.Set("active", nil)
				return a.Create(ctx, r, w)
			}
		}, []string{"create"}},
		{"no value becomes NULL", nil, storing(func(v any) any {
			if adapters.NoValue(v) {
				return "NULL"
			}
			return v
		}), []string{"create bare", "update clears"}},
		{"hands out what it keeps", nil, func(b *broken, a adapters.Adapter) {
			kept := map[adapters.Key]adapters.Record{}
			b.get = func(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
				if r, ok := kept[k]; ok {
					return r, nil
				}
				r, err := a.Get(ctx, k, w)
				kept[k] = r
				return r, err
			}
		}, []string{"caller's record"}},
		{"update forgets what becomes none", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				d.Set = slices.DeleteFunc(slices.Clone(d.Set), func(c adapters.Change) bool { return adapters.NoValue(c.New) })
				return a.Update(ctx, k, d, w)
			}
		}, []string{"update", "update clears"}},
		{"update echoes", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				_, err := a.Update(ctx, k, d, w)
				return d.After, err
			}
		}, []string{"update answers what is stored", "empty update", "members, answer", "want"}},
		{"keeps the old key", func(o *memory.Options, h *Harness) { o.KeyFrom, h.KeyFrom = "name", "name" }, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				r, err := a.Update(ctx, k, d, w)
				r.Key = k
				return r, err
			}
		}, []string{"rename"}},
		{"delete does nothing", nil, func(b *broken, a adapters.Adapter) {
			b.delete = func(context.Context, adapters.Key) error { return nil }
		}, []string{"delete", "not found"}},
		{"get loses want", nil, func(b *broken, a adapters.Adapter) {
			b.get = func(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
				return a.Get(ctx, k, adapters.AllFields)
			}
		}, []string{"want"}},
		{"list loses want", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				q.Want = adapters.Fields{}
				return a.List(ctx, q)
			}
		}, []string{"want"}},
		{"trims", nil, storing(func(v any) any {
			if s, ok := v.(string); ok {
				return strings.TrimSpace(s)
			}
			return v
		}), []string{"texts", "texts in a unique field"}},
		{"texts become numbers", nil, storing(func(v any) any {
			if v == "007" {
				return "7"
			}
			return v
		}), []string{"texts", "texts in a unique field"}},
		{"texts end at NUL", nil, storing(func(v any) any {
			if s, ok := v.(string); ok {
				s, _, _ = strings.Cut(s, "\x00")
				return s
			}
			return v
		}), []string{"texts that may be refused"}},
		{"integers become floats", nil, storing(func(v any) any {
			if n, ok := v.(int64); ok {
				return int64(float64(n))
			}
			return v
		}), []string{"numbers"}},
		{"keys are trimmed", nil, onKeys(func(k string) string { return strings.TrimSpace(k) }), []string{"odd keys"}},
		{"keys are numbers", nil, onKeys(func(k string) string { return strings.TrimLeft(k, "0+") }), []string{"odd keys"}},
		{"keys lose case", given, onKeys(strings.ToLower), []string{"given keys"}},
		{"makes a key", given, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				if r.Key == "" {
					r.Key = "made"
				}
				return a.Create(ctx, r, w)
			}
		}, []string{"no key"}},
	}
}

// storing changes every value on its way in.
func storing(change func(any) any) func(b *broken, a adapters.Adapter) {
	return func(b *broken, a adapters.Adapter) {
		b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
			r = r.Clone()
			for i, f := range a.Capabilities().Fields {
				if !f.Multi {
					r.SetAt(i, change(r.At(i)))
				}
			}
			return a.Create(ctx, r, w)
		}
		b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
			d.Set = slices.Clone(d.Set)
			for i := range d.Set {
				if _, list := d.Set[i].New.([]string); !list {
					d.Set[i].New = change(d.Set[i].New)
				}
			}
			return a.Update(ctx, k, d, w)
		}
	}
}

// onKeys changes every key on its way in.
func onKeys(change func(string) string) func(b *broken, a adapters.Adapter) {
	key := func(k adapters.Key) adapters.Key { return adapters.Key(change(string(k))) }
	return func(b *broken, a adapters.Adapter) {
		b.get = func(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
			return a.Get(ctx, key(k), w)
		}
		b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
			r.Key = key(r.Key)
			return a.Create(ctx, r, w)
		}
	}
}

func failureFaults() []fault {
	return []fault{
		{"not found is no error", nil, func(b *broken, a adapters.Adapter) {
			b.get = func(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
				r, err := a.Get(ctx, k, w)
				return r, without(err, adapters.NotFound)
			}
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				r, err := a.Update(ctx, k, d, w)
				return r, without(err, adapters.NotFound)
			}
		}, []string{"not found", "members, not found", "odd keys", "delete"}},
		{"unique is not", nil, func(b *broken, a adapters.Adapter) {
			free := memory.New(memory.Options{Fields: []memory.Field{{Name: "name"}, {Name: "nick"}, {Name: "note"}, {Name: "age"}, {Name: "active"}, {Name: "members", Relation: memory.NewRelation()}}})
			caps := b.caps()
			caps.Shape = free.Capabilities().Shape
			*b = *good(free)
			b.caps = func() adapters.Capabilities { return caps }
		}, []string{"exists, create", "exists, update", "parallel create of one unique value"}},
		{"exists blames nobody", nil, onErrors(func(e adapters.Error) adapters.Error {
			e.Field = ""
			return e
		}), []string{"exists, create", "exists, update"}},
		{"exists is conflict", nil, onErrors(func(e adapters.Error) adapters.Error {
			if e.Kind == adapters.Exists {
				e.Kind = adapters.Conflict
			}
			return e
		}), []string{"exists, create", "exists, update", "parallel create of one unique value"}},
		{"half an update", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (r adapters.Record, err error) {
				for _, c := range slices.Backward(d.Set) {
					_, err = a.Update(ctx, k, adapters.Delta{Set: []adapters.Change{c}}, w)
				}
				return a.Update(ctx, k, adapters.Delta{Members: d.Members}, w)
			}
		}, []string{"exists, update", "lost update"}},
		{"its own value is taken", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				for _, c := range d.Set {
					if c.Field == "name" {
						return adapters.Record{}, &adapters.Error{Kind: adapters.Exists, Field: "name"}
					}
				}
				return a.Update(ctx, k, d, w)
			}
		}, []string{"exists, its own value"}},
		{"unique by case", func(o *memory.Options, h *Harness) { o.Fields[0].Folded, h.FoldedUnique = true, true }, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				made, err := a.Create(ctx, r, w)
				return made, without(err, adapters.Exists)
			}
		}, []string{"exists, folded"}},
		{"create overwrites", given, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				if err := a.Delete(ctx, r.Key); err != nil && !adapters.Is(err, adapters.NotFound) {
					return r, err
				}
				return a.Create(ctx, r, w)
			}
		}, []string{"exists, key"}},
		{"last writer wins", nil, overwriting(func(adapters.Change) bool { return true }),
			[]string{"lost update", "lost update of no value", "parallel update", "list"}},
		{"NULL equals anything", nil, overwriting(func(c adapters.Change) bool { return adapters.NoValue(c.Old) }),
			[]string{"lost update of no value"}},
		{"deaf to cancellation", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				return a.Update(context.WithoutCancel(ctx), k, d, w)
			}
		}, []string{"cancelled"}},
		{"cancellation without its cause", nil, onErrors(func(e adapters.Error) adapters.Error {
			e.Err = nil
			return e
		}), []string{"cancelled"}},
		{"looks before it creates", nil, func(b *broken, a adapters.Adapter) {
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				q := adapters.Query{Filter: &filter.Compare{Name: "name", Match: filter.Exact, Value: filter.StringValue(adapters.Text(r.Get("name")))}, Limit: 1}
				page, err := a.List(ctx, q)
				if err != nil || len(page.Records) > 0 {
					return r, errors.Join(err, &adapters.Error{Kind: adapters.Exists, Field: "name"})
				}
				time.Sleep(5 * time.Millisecond)
				made, err := a.Create(ctx, r, w)
				return made, without(err, adapters.Exists)
			}
		}, []string{"parallel create of one unique value"}},
		{"one at a time or not at all", nil, func(b *broken, a adapters.Adapter) {
			var busy sync.Mutex
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				if !busy.TryLock() {
					return r, adapters.Errorf(adapters.Internal, "create", "database is locked")
				}
				defer busy.Unlock()
				time.Sleep(5 * time.Millisecond)
				return a.Create(ctx, r, w)
			}
		}, []string{"parallel creates", "parallel create of one unique value"}},
		{"delete looks first", nil, func(b *broken, a adapters.Adapter) {
			b.delete = func(ctx context.Context, k adapters.Key) error {
				if _, err := a.Get(ctx, k, adapters.Fields{}); err != nil {
					return &adapters.Error{Kind: adapters.NotFound, Op: "delete", Err: err}
				}
				time.Sleep(5 * time.Millisecond)
				return without(a.Delete(ctx, k), adapters.NotFound)
			}
		}, []string{"parallel delete"}},
	}
}

// without turns errors of one kind into success.
func without(err error, k adapters.Kind) error {
	if adapters.Is(err, k) {
		return nil
	}
	return err
}

// onErrors changes every error of a writing or reading of one record.
func onErrors(change func(adapters.Error) adapters.Error) func(b *broken, a adapters.Adapter) {
	spoil := func(err error) error {
		var e *adapters.Error
		if !errors.As(err, &e) {
			return err
		}
		c := change(*e)
		return &c
	}
	return func(b *broken, a adapters.Adapter) {
		b.get = func(ctx context.Context, k adapters.Key, w adapters.Fields) (adapters.Record, error) {
			r, err := a.Get(ctx, k, w)
			return r, spoil(err)
		}
		b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
			r, err := a.Create(ctx, r, w)
			return r, spoil(err)
		}
		b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
			r, err := a.Update(ctx, k, d, w)
			return r, spoil(err)
		}
	}
}

// overwriting takes the condition out of the changes that it is true of.
func overwriting(which func(adapters.Change) bool) func(b *broken, a adapters.Adapter) {
	return func(b *broken, a adapters.Adapter) {
		var mu sync.Mutex
		b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
			mu.Lock()
			defer mu.Unlock()
			now, err := a.Get(ctx, k, adapters.AllFields)
			if err != nil {
				return now, err
			}
			d.Set = slices.Clone(d.Set)
			for i, c := range d.Set {
				if which(c) {
					d.Set[i].Old = now.Get(c.Field)
				}
			}
			return a.Update(ctx, k, d, w)
		}
	}
}

func memberFaults() []fault {
	change := func(spoil func(m *adapters.MemberChange)) func(b *broken, a adapters.Adapter) {
		return func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				d.Members = slices.Clone(d.Members)
				for i := range d.Members {
					spoil(&d.Members[i])
				}
				return a.Update(ctx, k, d, w)
			}
		}
	}
	return []fault{
		{"members are never removed", nil, change(func(m *adapters.MemberChange) { m.Remove = nil }), []string{"members", "members and fields", "members, parallel"}},
		{"only one member is added", nil, change(func(m *adapters.MemberChange) { m.Add = m.Add[:min(1, len(m.Add))] }), []string{"members", "members, parallel"}},
		{"adding twice is refused", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				now, err := a.Get(ctx, k, adapters.AllFields)
				for _, m := range d.Members {
					for _, v := range m.Add {
						if have, _ := now.Get(m.Field).([]string); slices.Contains(have, v) {
							return now, adapters.Errorf(adapters.Exists, "update", "a member twice")
						}
					}
				}
				if err != nil {
					return now, err
				}
				return a.Update(ctx, k, d, w)
			}
		}, []string{"members", "members are not read"}},
		{"fields or members", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				if len(d.Set) > 0 {
					d.Members = nil
				}
				return a.Update(ctx, k, d, w)
			}
		}, []string{"members and fields"}},
		{"lists only grow", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				d.Set = slices.Clone(d.Set)
				for i, c := range d.Set {
					old, _ := c.Old.([]string)
					if to, ok := c.New.([]string); ok {
						d.Set[i].New = slices.Concat(old, to)
					}
				}
				return a.Update(ctx, k, d, w)
			}
		}, []string{"list"}},
		{"members outlive their record", given, func(b *broken, a adapters.Adapter) {
			left := map[adapters.Key]any{}
			b.delete = func(ctx context.Context, k adapters.Key) error {
				r, err := a.Get(ctx, k, adapters.AllFields)
				if err == nil {
					left[k] = r.Get("members")
				}
				return a.Delete(ctx, k)
			}
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				if list, ok := left[r.Key]; ok {
					r = r.Clone()
					r.Set("members", list)
				}
				return a.Create(ctx, r, w)
			}
		}, []string{"members go with their record"}},
		{"members are read, changed and written", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				now, err := a.Get(ctx, k, adapters.AllFields)
				if err != nil || len(d.Members) == 0 {
					return now, err
				}
				have, _ := now.Get("members").([]string)
				after := slices.DeleteFunc(slices.Concat(have, d.Members[0].Add), func(m string) bool { return slices.Contains(d.Members[0].Remove, m) })
				time.Sleep(5 * time.Millisecond)
				return a.Update(ctx, k, adapters.Delta{Set: []adapters.Change{{Field: "members", Old: have, New: after}}}, w)
			}
		}, []string{"members are not read", "members, parallel"}},
	}
}

func listFaults() []fault {
	ask := func(spoil func(q *adapters.Query)) func(b *broken, a adapters.Adapter) {
		return func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				spoil(&q)
				return a.List(ctx, q)
			}
		}
	}
	answer := func(spoil func(q adapters.Query, p *adapters.Page)) func(b *broken, a adapters.Adapter) {
		return func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				p, err := a.List(ctx, q)
				spoil(q, &p)
				return p, err
			}
		}
	}
	leaves := func(change func(c filter.Compare) filter.Expr) func(b *broken, a adapters.Adapter) {
		return ask(func(q *adapters.Query) { q.Filter = rewrite(q.Filter, change) })
	}
	every := []string{"filter, every comparison", "filter, and or not", "filter, random"}
	return []fault{
		{"ignores filters", nil, ask(func(q *adapters.Query) { q.Filter = nil }),
			append(every, "filter, truths", "cursor with filter", "total", "undeclared is refused")},
		{"ne is NULL", nil, leaves(func(c filter.Compare) filter.Expr {
			if c.Op != filter.Ne || c.Value.Kind == filter.Null {
				return &c
			}
			return filter.And{&c, &filter.Compare{Name: c.Name, Op: filter.Pr, Match: c.Match}}
		}), append(every, "filter, truths")},
		{"not is NULL", nil, ask(func(q *adapters.Query) { q.Filter = notNull(q.Filter) }), append(every, "filter, truths")},
		{"case for ASCII only", nil, leaves(func(c filter.Compare) filter.Expr {
			if c.Match == filter.Folded && strings.ContainsAny(c.Value.Str, "ſ\u212aςéß") {
				c.Match = filter.Exact
			}
			return &c
		}), append(every, "filter, truths")},
		{"% is a wildcard", nil, leaves(func(c filter.Compare) filter.Expr {
			if before, after, ok := strings.Cut(c.Value.Str, "%"); ok && after == "" && c.Op == filter.Sw {
				c.Value.Str = before
			}
			return &c
		}), []string{"filter, every comparison", "filter, truths"}},
		{"or is and", nil, ask(func(q *adapters.Query) {
			if or, ok := q.Filter.(filter.Or); ok {
				q.Filter = filter.And(or)
			}
		}), []string{"filter, and or not", "filter, random"}},
		{"answers more than it declares", nil, func(b *broken, a adapters.Adapter) {
			b.caps = func() adapters.Capabilities {
				c := a.Capabilities()
				c.Fields = slices.Clone(c.Fields)
				memory.OnlyEq(&c)
				memory.NoSort(&c)
				memory.CursorOnly(&c)
				return c
			}
		}, []string{"undeclared is refused"}},
		{"order as written", nil, func(b *broken, a adapters.Adapter) {
			touched := adapters.Key("")
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				touched = k
				return a.Update(ctx, k, d, w)
			}
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				p, err := a.List(ctx, q)
				last := slices.IndexFunc(p.Records, func(r adapters.Record) bool { return r.Key == touched })
				if last >= 0 {
					r := p.Records[last]
					p.Records = append(slices.Delete(p.Records, last, last+1), r)
				}
				return p, err
			}
		}, []string{"order by key"}},
		{"sorts nothing", nil, ask(func(q *adapters.Query) { q.Sort = nil }), []string{"sort", "offset", "cursor"}},
		{"sorts one way", nil, ask(func(q *adapters.Query) {
			q.Sort = slices.Clone(q.Sort)
			for i := range q.Sort {
				q.Sort[i].Descending = false
			}
		}), []string{"sort"}},
		{"absent first", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				q.Want = adapters.AllFields
				p, err := a.List(ctx, q)
				if len(q.Sort) == 1 && !q.Sort[0].Descending {
					slices.SortStableFunc(p.Records, func(x, y adapters.Record) int { return absent(y, q.Sort[0].Field) - absent(x, q.Sort[0].Field) })
				}
				return p, err
			}
		}, []string{"sort"}},
		{"ties backwards", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				if len(q.Sort) > 0 {
					q.Sort = append(slices.Clone(q.Sort), adapters.Sort{Field: "name", Match: filter.Exact, Descending: true})
				}
				return a.List(ctx, q)
			}
		}, []string{"sort"}},
		{"offset is 1-based", nil, ask(func(q *adapters.Query) { q.Offset = max(0, q.Offset-1) }), []string{"offset"}},
		{"a page too long", nil, ask(func(q *adapters.Query) { q.Limit++ }), []string{"offset", "cursor", "no records wanted"}},
		{"no next page", nil, answer(func(_ adapters.Query, p *adapters.Page) { p.Next = "" }), []string{"cursor", "cursor with filter"}},
		{"no last page", nil, answer(func(q adapters.Query, p *adapters.Page) {
			if p.Next == "" {
				p.Next = q.Cursor
			}
		}), []string{"cursor"}},
		{"the next page forgets the filter", nil, ask(func(q *adapters.Query) {
			if q.Cursor != "" {
				q.Filter = nil
			}
		}), []string{"cursor with filter"}},
		{"any cursor will do", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				p, err := a.List(ctx, q)
				if adapters.Is(err, adapters.Invalid) {
					q.Cursor = ""
					return a.List(ctx, q)
				}
				return p, err
			}
		}, []string{"bad cursor"}},
		{"counts the page", nil, answer(func(q adapters.Query, p *adapters.Page) {
			if q.Total {
				p.Total = len(p.Records)
			}
		}), []string{"total", "offset"}},
		{"counts everything", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				p, err := a.List(ctx, q)
				if whole, _ := a.List(ctx, adapters.Query{Total: true}); q.Total {
					p.Total = whole.Total
				}
				return p, err
			}
		}, []string{"total", "filter, every comparison"}},
		{"counts unasked", nil, answer(func(_ adapters.Query, p *adapters.Page) { p.Total = max(0, p.Total) }), []string{"total, not asked for"}},
		{"0 is no limit", nil, ask(func(q *adapters.Query) {
			if q.Limit == 0 {
				q.Limit = 1000
			}
		}), []string{"no records wanted", "total"}},
	}
}

func absent(r adapters.Record, field string) int {
	if adapters.NoValue(r.Get(field)) {
		return 1
	}
	return 0
}

// rewrite changes the leaves of a filter.
func rewrite(e filter.Expr, change func(filter.Compare) filter.Expr) filter.Expr {
	switch e := e.(type) {
	case filter.And:
		return filter.And(rewriteAll(e, change))
	case filter.Or:
		return filter.Or(rewriteAll(e, change))
	case filter.Not:
		return filter.Not{Term: rewrite(e.Term, change)}
	case *filter.Compare:
		return change(*e)
	}
	return e
}

func rewriteAll(terms []filter.Expr, change func(filter.Compare) filter.Expr) []filter.Expr {
	out := make([]filter.Expr, len(terms))
	for i, t := range terms {
		out[i] = rewrite(t, change)
	}
	return out
}

// notNull gives not the meaning it has in SQL: false where there is no value.
func notNull(e filter.Expr) filter.Expr {
	not, ok := e.(filter.Not)
	if !ok {
		return e
	}
	names := map[string]filter.Match{}
	rewrite(not, func(c filter.Compare) filter.Expr {
		names[c.Name] = c.Match
		return &c
	})
	all := filter.And{not, filter.True{}}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		all = append(all, &filter.Compare{Name: n, Op: filter.Pr, Match: names[n]})
	}
	return all
}
