package adaptertest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/scim/filter"
)

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
