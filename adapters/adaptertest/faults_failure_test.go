package adaptertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
)

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
