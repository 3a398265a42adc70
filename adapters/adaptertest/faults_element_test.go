package adaptertest

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
)

// elementFaults spoil what is done with the elements of a field.
func elementFaults() []fault {
	spoilt := func(change func(c *adapters.Change)) func(b *broken, a adapters.Adapter) {
		return func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				out := d
				out.Set = nil
				for _, c := range d.Set {
					if c.Field == "emails" {
						change(&c)
					}
					out.Set = append(out.Set, c)
				}
				return a.Update(ctx, k, out, w)
			}
		}
	}
	read := func(change func(elems []adapters.Record) any) func(b *broken, a adapters.Adapter) {
		return func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				page, err := a.List(ctx, q)
				for _, r := range page.Records {
					elems, _ := r.Get("emails").([]adapters.Record)
					r.Set("emails", change(elems))
				}
				return page, err
			}
		}
	}
	return []fault{
		{"elements only grow", nil, spoilt(func(c *adapters.Change) {
			old, _ := c.Old.([]adapters.Record)
			to, _ := c.New.([]adapters.Record)
			c.New = append(adapters.CloneElements(to), old...)
		}), []string{"elements"}},
		{"the last of many elements counts for all", nil, read(func(elems []adapters.Record) any { return elems[max(0, len(elems)-1):] }),
			[]string{"elements", "elements of a page"}},
		{"elements are written over", nil, func(b *broken, a adapters.Adapter) {
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				now, err := a.Get(ctx, k, adapters.AllFields)
				if err != nil {
					return now, err
				}
				for i := range d.Set {
					d.Set[i].Old = now.Get(d.Set[i].Field)
				}
				return a.Update(ctx, k, d, w)
			}
		}, []string{"elements, lost update"}},
		{"changed elements are new ones", nil, func(b *broken, a adapters.Adapter) {
			n := 0
			b.update = func(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (adapters.Record, error) {
				r, err := a.Update(ctx, k, d, w)
				elems, _ := r.Get("emails").([]adapters.Record)
				for i := range elems {
					n++
					elems[i].Key = adapters.JoinKey("new", string(rune('a'+n)))
				}
				return r, err
			}
		}, []string{"elements, keys"}},
		{"elements outlive their record", func(o *memory.Options, h *Harness) { o.GivenKeys = true }, func(b *broken, a adapters.Adapter) {
			left := map[adapters.Key]any{}
			b.delete = func(ctx context.Context, k adapters.Key) error {
				if r, err := a.Get(ctx, k, adapters.AllFields); err == nil {
					left[k] = r.Get("emails")
				}
				return a.Delete(ctx, k)
			}
			b.create = func(ctx context.Context, r adapters.Record, w adapters.Fields) (adapters.Record, error) {
				if v, ok := left[r.Key]; ok {
					r.Set("emails", v)
				}
				return a.Create(ctx, r, w)
			}
		}, []string{"elements go with their record"}},
		{"conditions on one element hold of several", nil, func(b *broken, a adapters.Adapter) {
			b.list = func(ctx context.Context, q adapters.Query) (adapters.Page, error) {
				q.Filter = apart(q.Filter)
				return a.List(ctx, q)
			}
		}, []string{"elements, filter"}},
	}
}

// apart asks each condition of an element of its own.
func apart(e filter.Expr) filter.Expr {
	el, ok := e.(*filter.Element)
	if !ok {
		return e
	}
	and, ok := el.Where.(filter.And)
	if !ok {
		return e
	}
	var out filter.And
	for _, t := range and {
		out = append(out, &filter.Element{Name: el.Name, Where: t})
	}
	return out
}
