package steps

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

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
	var page adapters.Page
	err = a.believed(ctx, "list", func() (nothing bool, err error) {
		page, nothing, err = a.page(ctx, q, from)
		return nothing && err == nil, err
	})
	if adapters.Is(err, adapters.NotFound) { // said of a list, which is no record
		err = newRun("list", nil).internal(err)
	}
	if err != nil {
		return none, err
	}
	return page, nil
}

// page makes a page; nothing says that there are no records at all.
func (a *Adapter) page(ctx context.Context, q adapters.Query, from *place) (page adapters.Page, nothing bool, err error) {
	if from == nil || from.Offset > 0 {
		page, total, ok, err := a.through(ctx, q, from)
		if ok || err != nil {
			return page, total == 0, err
		}
	}
	found, err := a.matching(ctx, q)
	if err != nil {
		return page, false, err
	}
	page, items := cut(found, q, from)
	page.Records, err = a.finish(ctx, items, q.Want)
	return page, len(found) == 0, err
}

// An item is a record of a list, and what the list did not tell of it.
type item struct {
	adapters.Record
	lacks adapters.Fields
}

// finish makes the records of a page: what those lack that is
// wanted is read for them, and what is costly and not wanted is left out. What is not on the page
// is never read so.
func (a *Adapter) finish(ctx context.Context, items []item, want adapters.Fields) ([]adapters.Record, error) {
	out := make([]adapters.Record, len(items))
	var lacking []int
	for n, it := range items {
		out[n] = it.Record
		for i, f := range a.caps.Fields {
			if want.Has(i) && it.lacks.Has(i) && a.tells(i) && (len(lacking) == 0 || lacking[len(lacking)-1] != n) {
				lacking = append(lacking, n)
			}
			if f.Costly && !want.Has(i) {
				it.SetAt(i, nil)
			}
		}
	}
	return a.details(ctx, "list", out, lacking, want)
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

// cut makes a page of all records in order; its records are not finished yet.
func cut(recs []item, q adapters.Query, from *place) (adapters.Page, []item) {
	page := adapters.Page{Total: -1}
	if q.Total {
		page.Total = len(recs)
	}
	start := min(max(q.Offset, 0), len(recs))
	if from != nil {
		start = min(from.Offset, len(recs))
		if from.Key != "" {
			start, _ = slices.BinarySearchFunc(recs, from.Key, func(r item, k adapters.Key) int {
				if c := compareKeys(r.Key, k); c != 0 {
					return c
				}
				return -1
			})
		}
	}
	rest := recs[start:]
	n := min(max(q.Limit, 0), len(rest))
	if n > 0 && n < len(rest) {
		page.Next = place{Key: rest[n-1].Key}.cursor()
	}
	return page, rest[:n]
}

// matching lists all records that the filter is true of, by key. Of what the
// lists lack, only what the filter names is there.
func (a *Adapter) matching(ctx context.Context, q adapters.Query) ([]item, error) {
	if _, no := q.Filter.(filter.False); no {
		return nil, nil
	}
	recs, err := a.candidates(ctx, q.Filter, q.Want, a.named(q.Filter))
	if err != nil {
		return nil, err
	}
	if q.Filter != nil {
		recs = slices.DeleteFunc(recs, func(r item) bool { return !filter.Matches(q.Filter, r.Subject()) })
	}
	slices.SortFunc(recs, func(x, y item) int { return compareKeys(x.Key, y.Key) })
	return slices.CompactFunc(recs, func(x, y item) bool { return x.Key == y.Key }), nil
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

// Filter is the comparison that a find answers, as expressions see it, for calls that
// are written and not described; nil in a list of all.
func (s Scope) Filter() map[string]any {
	f, _ := s[comparison].(map[string]any)
	return f
}

// filterOf is a comparison as expressions see it.
func filterOf(c *filter.Compare) map[string]any {
	return map[string]any{"field": c.Name, "op": c.Op.String(), "value": c.Value.Str, "folded": c.Match == filter.Folded}
}

// walk reads all records of a list, and of each at least the fields in must.
func (a *Adapter) walk(ctx context.Context, op string, steps Operation, want, must adapters.Fields, what map[string]any) ([]item, error) {
	if steps == nil {
		return nil, unsupported(op)
	}
	return a.walkIn(ctx, op, steps, want, must, map[string]any{comparison: what}, a.o.Limit)
}

// walkIn is walk with what its expressions see beside what all see, and how many
// records there may be.
func (a *Adapter) walkIn(ctx context.Context, op string, steps Operation, want, must adapters.Fields, known map[string]any, limit int) ([]item, error) {
	want = want.Union(must)
	r := newRun(op, a.scope(want).with(known))
	seen := map[adapters.Key]bool{}
	var all []item
	for _, st := range steps {
		if st.Records == nil || steps.helps(st) {
			if err := r.step(ctx, st, &yield{}); err != nil {
				return nil, err
			}
			continue
		}
		if st.When != nil && !st.When.True(r.scope) {
			continue
		}
		raws, err := r.pages(ctx, st, limit, a.identify)
		if err != nil {
			return nil, err
		}
		items, err := a.items(r, st, raws, want)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if !seen[it.Key] {
				seen[it.Key] = true
				all = append(all, it)
			}
		}
	}
	return a.fill(ctx, op, all, must)
}

// items are raw objects as records.
func (a *Adapter) items(r *run, st *Step, raws []map[string]any, want adapters.Fields) ([]item, error) {
	out := make([]item, len(raws))
	lacks := a.caps.Shape.FieldSet(st.Lacks...)
	for i, raw := range raws {
		rec, err := a.record(raw, want, r.scope)
		if err != nil {
			return nil, r.internal(err)
		}
		if rec.Key == "" {
			return nil, r.internal(errors.New("a record of the list has no key"))
		}
		out[i] = item{rec, lacks}
	}
	return out, nil
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

// identify tells the records of a list apart.
func (a *Adapter) identify(raw map[string]any) (string, error) {
	if key := a.keyOf(raw); key != "" {
		return string(key), nil
	}
	return "", errors.New("a record of the list has no key")
}
