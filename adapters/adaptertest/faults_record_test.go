package adaptertest

import (
	"context"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
)

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
		{"holds nothing", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				d.Held = nil
				return a.Update(ctx, k, d, w)
			}
		}, []string{"lost update, held"}},
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
