package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// List queries one resource type (RFC 7644 section 3.4.2). What the backend
// evaluates exactly is pushed down; the remainder is evaluated here on every
// record that is left, within the scan limit, so that the total is true either way.
func (s *Service) List(ctx context.Context, c Call, q Search) (List, error) {
	t := s.target(c)
	q.StartIndex, q.Count = max(q.StartIndex, 1), max(q.Count, 0)
	moves := t.moves.Load()
	out, err := s.list(ctx, c, t, q)
	for try := 1; try < attempts; try++ {
		// Places are not read in the same moment: who moved meanwhile may be in none.
		now := t.moves.Load()
		if !errors.Is(err, errReplaced) && (err != nil || now == moves) {
			break
		}
		moves = now
		out, err = s.list(ctx, c, t, q)
	}
	if err != nil {
		return List{}, s.fail(ctx, t, err)
	}
	t.stamp(t.plan(c), out.Resources...)
	out.StartIndex = q.StartIndex
	return out, nil
}

func (s *Service) list(ctx context.Context, c Call, t *target, q Search) (List, error) {
	c.begun = t.gone.Load() + 1
	d, none, err := s.division(ctx, c, t, &q)
	if none || err != nil {
		return List{}, err
	}
	if !d.here {
		out, done, err := s.pushedList(ctx, c, t, q, d)
		if done || err != nil {
			return out, err
		}
	}
	return s.scanList(ctx, c, t, q, d)
}

// errReplaced says that records turned out to have other ids than those that the
// filter was translated with.
var errReplaced = errors.New("records were replaced meanwhile")

// division translates the search's identifiers and takes it apart. none: nothing
// can match.
func (s *Service) division(ctx context.Context, c Call, t *target, q *Search) (d division, none bool, err error) {
	var look rules.Lookup
	if q.Filter != nil {
		if q.Filter, look, err = s.lookup(ctx, c, t, q.Filter); err != nil {
			return d, false, err
		}
	}
	d = t.divide(*q, look)
	_, none = d.pushed.(filter.False)
	return d, none, nil
}

// A division is a search taken apart.
type division struct {
	pushed filter.Expr // for the backend, the scope included as far as it follows
	rest   filter.Expr // for us
	sort   []adapters.Sort
	here   bool // the gateway must look at the records itself
	sorts  bool // and sort them
}

// divide splits a search between the backend and the gateway.
func (t *target) divide(q Search, look rules.Lookup) division {
	var d division
	d.pushed, d.rest = t.Mapping.Push(q.Filter, look)
	d.here = d.rest != nil || !t.caps.Total || !t.caps.Offset && q.StartIndex > 1
	if scope, ok := t.Mapping.ScopeFilter(); !ok {
		d.here = true
	} else if scope != nil {
		d.pushed = conjoin(scope, d.pushed)
	}
	if d.pushed != nil {
		d.pushed = filter.Simplify(d.pushed)
		if _, all := d.pushed.(filter.True); all {
			d.pushed = nil
		}
	}
	if q.SortBy != nil {
		by, ok := t.Mapping.PushSort(q.SortBy, q.Descending)
		if ok {
			d.sort = []adapters.Sort{by}
		}
		d.sorts = !ok
		d.here = d.here || !ok
	}
	return d
}

// pushedList answers a search that the backend evaluates as a whole. done is
// false if it turns out that the gateway must look at the records itself.
func (s *Service) pushedList(ctx context.Context, c Call, t *target, q Search, d division) (list List, done bool, err error) {
	p := t.plan(c)
	query := adapters.Query{Filter: d.pushed, Sort: d.sort, Offset: q.StartIndex - 1, Limit: q.Count, Total: true, Want: p.Want}
	var late []adapters.Key
	for excluded := false; ; excluded = true {
		hidden := veil{merged: &mergedSet{}}
		if excluded || q.Filter == nil && t.hides.Load() { // what a filter finds is mostly a page at most
			excluded = true
			if hidden, err = s.veil(ctx, c, t); err != nil || hidden.len() > 0 && !t.canExclude() {
				return List{}, false, err
			}
			hidden.held = append(hidden.held, late...)
		}
		mark := t.recall.mark()
		pg, err := t.listWithout(ctx, query, hidden)
		if err != nil {
			return List{}, false, err
		}
		if !s.allInScope(ctx, t, pg.Records) {
			return List{}, false, nil
		}
		if pg.Total == 0 && len(pg.Records) == 0 {
			return List{}, true, nil
		}
		t.recallAll(pg.Records, mark)
		built, err := s.build(ctx, c, t, pg.Records, p, nil, nil)
		if err != nil {
			return List{}, false, err
		}
		if built.replaced && q.Filter != nil {
			return List{}, false, errReplaced
		}
		out := List{Total: pg.Total, Resources: listed(built)}
		if query.Offset == 0 && pg.Total <= len(pg.Records) {
			out.Total = len(out.Resources) // the page is all there is
			return out, true, nil
		}
		if len(built.late) > 0 && len(late) == 0 && t.canExclude() { // in the total they count, too
			late = built.late
			continue
		}
		if excluded || !built.hides {
			return out, true, nil
		}
	}
}

// canExclude reports whether the backend can leave records out by key.
func (t *target) canExclude() bool {
	return t.caps.Not && t.caps.Or && t.caps.Key.Filter[filter.Exact].Has(filter.Eq)
}

// listed leaves out the further records of merged identities, which are listed
// once, and those of identities that this client is not to see yet.
func listed(pg page) []*scim.Resource {
	out := make([]*scim.Resource, 0, len(pg.resources))
	for i, e := range pg.entries {
		if e.Primary && e.ID != "" {
			out = append(out, pg.resources[i])
		}
	}
	return out
}

// allInScope asks again of every record what the backend was asked already. If
// two systems read a condition differently, a hidden account must not be shown.
func (s *Service) allInScope(ctx context.Context, t *target, recs []adapters.Record) bool {
	if !t.scoped || !slices.ContainsFunc(recs, func(r adapters.Record) bool { return !t.inScope(r) }) {
		return true
	}
	s.log.ErrorContext(ctx, "the backend returned records outside the scope; the gateway looks at all of them itself", "type", t.name)
	return false
}

func conjoin(a, b filter.Expr) filter.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return filter.And{a, b}
}
