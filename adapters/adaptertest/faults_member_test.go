package adaptertest

import (
	"context"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
)

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
