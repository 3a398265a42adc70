package steps

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// List implements adapters.Adapter. Whatever a backend claims to have filtered
// is filtered again, and put in the order of keys unless the backend has one
// that stays.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	none := adapters.Page{Total: -1}
	if err := alive(ctx, "list"); err != nil {
		return none, err
	}
	if err := a.caps.Check(q); err != nil {
		return none, err
	}
	if a.o.List == nil {
		return none, unsupported("list")
	}
	from, err := parsePlace(q.Cursor)
	if err != nil {
		return none, err
	}
	if from == nil || from.Offset > 0 {
		if page, ok, err := a.through(ctx, q, from); ok || err != nil {
			return page, err
		}
	}
	recs, err := a.matching(ctx, q)
	if err != nil {
		return none, err
	}
	return a.cut(recs, q, from), nil
}

// A place is where a page begins: behind a key, or at an offset.
type place struct {
	Key    adapters.Key `json:"k,omitempty"`
	Offset int          `json:"o,omitempty"`
}

func (p place) cursor() string {
	b, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePlace(text string) (*place, error) {
	if text == "" {
		return nil, nil
	}
	var p place
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || (p.Key == "") == (p.Offset == 0) || p.Offset < 0 {
		return nil, adapters.Errorf(adapters.Invalid, "list", "the cursor is none of this list's")
	}
	return &p, nil
}

// cut makes a page of all records in order.
func (a *Adapter) cut(recs []adapters.Record, q adapters.Query, from *place) adapters.Page {
	page := adapters.Page{Total: -1}
	if q.Total {
		page.Total = len(recs)
	}
	start := min(max(q.Offset, 0), len(recs))
	if from != nil {
		start = min(from.Offset, len(recs))
		if from.Key != "" {
			start, _ = slices.BinarySearchFunc(recs, from.Key, func(r adapters.Record, k adapters.Key) int {
				if c := compareKeys(r.Key, k); c != 0 {
					return c
				}
				return -1
			})
		}
	}
	rest := recs[start:]
	n := min(max(q.Limit, 0), len(rest))
	page.Records = rest[:n:n]
	if n > 0 && n < len(rest) {
		page.Next = place{Key: rest[n-1].Key}.cursor()
	}
	return page
}

// matching lists all records that the filter is true of, by key.
func (a *Adapter) matching(ctx context.Context, q adapters.Query) ([]adapters.Record, error) {
	if _, no := q.Filter.(filter.False); no {
		return nil, nil
	}
	want := q.Want.Union(a.named(q.Filter))
	recs, err := a.candidates(ctx, q.Filter, want)
	if err != nil {
		return nil, err
	}
	if q.Filter != nil {
		recs = slices.DeleteFunc(recs, func(r adapters.Record) bool { return !filter.Matches(q.Filter, r.Subject()) })
	}
	if len(recs) == 0 && a.o.Believe != nil {
		if err := a.o.Believe(ctx); err != nil {
			return nil, newRun("list", nil).named(err)
		}
	}
	slices.SortFunc(recs, func(x, y adapters.Record) int { return compareKeys(x.Key, y.Key) })
	recs = slices.CompactFunc(recs, func(x, y adapters.Record) bool { return x.Key == y.Key })
	for i, f := range a.caps.Fields {
		for _, r := range recs {
			if f.Costly && !q.Want.Has(i) {
				r.SetAt(i, nil)
			}
		}
	}
	return recs, nil
}

// named are the fields that a filter names.
func (a *Adapter) named(e filter.Expr) adapters.Fields {
	var names []string
	if e != nil {
		filter.Walk(e, func(e filter.Expr) bool {
			if c, ok := e.(*filter.Compare); ok {
				names = append(names, c.Name)
			}
			return true
		})
	}
	return a.caps.Shape.FieldSet(names...)
}

// candidates are records among which all matching ones are: by the cheapest way
// that the configuration knows, at worst all there are.
func (a *Adapter) candidates(ctx context.Context, e filter.Expr, want adapters.Fields) ([]adapters.Record, error) {
	leaves, ok := a.lookups(e)
	if !ok {
		return a.walk(ctx, "list", a.o.List, want, nil)
	}
	var all []adapters.Record
	for _, c := range leaves {
		recs, err := a.lookup(ctx, c, want)
		if err != nil {
			return nil, err
		}
		all = append(all, recs...)
	}
	return all, nil
}

// maxLookups is up to how many look-ups are better than a walk.
const maxLookups = 50

// lookups are comparisons of which one at least is true of every record that
// the filter is true of; false if there are none.
func (a *Adapter) lookups(e filter.Expr) ([]*filter.Compare, bool) {
	switch e := e.(type) {
	case *filter.Compare:
		if a.findFor(e) != nil || a.byKey(e) {
			return []*filter.Compare{e}, true
		}
	case filter.And:
		var best []*filter.Compare
		for _, t := range e {
			if l, ok := a.lookups(t); ok && (best == nil || len(l) < len(best) || len(l) == 1 && a.byKey(l[0])) {
				best = l
			}
		}
		return best, best != nil
	case filter.Or:
		var all []*filter.Compare
		for _, t := range e {
			l, ok := a.lookups(t)
			if all = append(all, l...); !ok || len(all) > maxLookups {
				return nil, false
			}
		}
		return all, true
	case filter.False:
		return nil, true
	}
	return nil, false
}

func (a *Adapter) byKey(c *filter.Compare) bool {
	return c.Name == adapters.KeyField && c.Op == filter.Eq && c.Value.Kind == filter.String && a.o.Get != nil
}

// findFor is a find that answers a comparison, or nil. Comparisons with null
// ask for what is not there, and no search finds that.
func (a *Adapter) findFor(c *filter.Compare) *Find {
	for _, f := range a.o.Finds {
		if c.Value.Kind != filter.Null && c.Value.Str != "" && f.Answers[c.Name].Has(c.Op) && (c.Match == filter.Exact || f.IgnoresCase) {
			return f
		}
	}
	return nil
}

func (a *Adapter) lookup(ctx context.Context, c *filter.Compare, want adapters.Fields) ([]adapters.Record, error) {
	if a.byKey(c) {
		r, err := a.get(ctx, "list", adapters.Key(c.Value.Str), want)
		if adapters.Is(err, adapters.NotFound) {
			return nil, nil
		}
		return []adapters.Record{r}, err
	}
	return a.walk(ctx, "list", a.findFor(c).Steps, want, filterOf(c))
}

// filterOf is a comparison as expressions see it.
func filterOf(c *filter.Compare) map[string]any {
	return map[string]any{"field": c.Name, "op": c.Op.String(), "value": c.Value.Str}
}

// walk reads all records of a list.
func (a *Adapter) walk(ctx context.Context, op string, steps Operation, want adapters.Fields, what map[string]any) ([]adapters.Record, error) {
	if steps == nil {
		return nil, unsupported(op)
	}
	r := newRun(op, a.scope(want).with(map[string]any{"filter": what}))
	seen := map[adapters.Key]bool{}
	var all []adapters.Record
	for _, st := range steps {
		if st.Records == nil {
			if err := r.step(ctx, st, &yield{}); err != nil {
				return nil, err
			}
			continue
		}
		if st.When != nil && !st.When.True(r.scope) {
			continue
		}
		raws, err := a.pages(ctx, r, st)
		if err != nil {
			return nil, err
		}
		recs, err := a.complete(ctx, r, st, raws, want)
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			if !seen[rec.Key] {
				seen[rec.Key] = true
				all = append(all, rec)
			}
		}
	}
	return all, nil
}

// complete makes records of raw ones, and reads those one by one that lack what
// is wanted.
func (a *Adapter) complete(ctx context.Context, r *run, st *Step, raws []map[string]any, want adapters.Fields) ([]adapters.Record, error) {
	lacking := a.o.Get != nil && slices.ContainsFunc(st.Lacks, func(n string) bool {
		i := a.caps.Shape.Index(n)
		return i >= 0 && want.Has(i)
	})
	out := make([]adapters.Record, len(raws))
	for i, raw := range raws {
		rec, err := a.record(raw, want, r.scope)
		if err != nil {
			return nil, r.internal(err)
		}
		if rec.Key == "" {
			return nil, r.internal(errors.New("a record of the list has no key"))
		}
		out[i] = rec
	}
	if !lacking {
		return out, nil
	}
	return a.details(ctx, r.op, out, want)
}

// details reads records one by one, some at a time. What went away meanwhile is
// left out.
func (a *Adapter) details(ctx context.Context, op string, recs []adapters.Record, want adapters.Fields) ([]adapters.Record, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.o.Parallel)
	var mu sync.Mutex
	gone := map[adapters.Key]bool{}
	for i := range recs {
		g.Go(func() error {
			rec, err := a.get(ctx, op, recs[i].Key, want)
			if adapters.Is(err, adapters.NotFound) {
				mu.Lock()
				defer mu.Unlock()
				gone[recs[i].Key] = true
				return nil
			}
			recs[i] = rec
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(recs, func(r adapters.Record) bool { return gone[r.Key] }), nil
}

// compareKeys is the order "by key": decimal numbers by value, before all other
// keys by text.
func compareKeys(x, y adapters.Key) int {
	nx, xNumber := number(x)
	ny, yNumber := number(y)
	switch {
	case xNumber && yNumber:
		return cmp.Compare(nx, ny)
	case xNumber:
		return -1
	case yNumber:
		return 1
	}
	return cmp.Compare(x, y)
}

func number(k adapters.Key) (int64, bool) {
	n, err := strconv.ParseInt(string(k), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(k)
}

// errTooMany is a list longer than may be walked.
func (a *Adapter) errTooMany() error {
	return fmt.Errorf("the list has more than %d records", a.o.Limit)
}
