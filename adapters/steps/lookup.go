package steps

import (
	"context"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// candidates are records among which all matching ones are: by the cheapest way
// that the configuration knows, at worst all there are. The fields in must are read
// in any case, those in want where the list itself tells them.
func (a *Adapter) candidates(ctx context.Context, e filter.Expr, want, must adapters.Fields) ([]item, error) {
	take, err := a.taking(ctx, "list", want.Union(must))
	if err != nil {
		return nil, err
	}
	leaves, ok := a.lookups(e, take)
	if !ok {
		return a.walk(ctx, "list", a.o.List, want, must, nil)
	}
	var keys []adapters.Key
	var all []item
	for _, c := range leaves {
		if a.byKey(c) {
			keys = append(keys, adapters.Key(c.Value.Str))
			continue
		}
		recs, err := a.lookup(ctx, c, want, must)
		if err != nil {
			return nil, err
		}
		all = append(all, recs...)
	}
	recs, err := a.keyed(ctx, "list", keys, want, must, take)
	if errors.Is(err, errAnew) {
		return a.candidates(ctx, e, want, must)
	}
	return append(all, recs...), err
}

// maxLookups is up to how many look-ups are better than a walk.
const maxLookups = 50

// calls is how many calls look-ups take.
func (a *Adapter) calls(leaves []*filter.Compare, take taking) int {
	var keys []adapters.Key
	others := 0
	for _, c := range leaves {
		if a.byKey(c) {
			keys = append(keys, adapters.Key(c.Value.Str))
		} else {
			others++
		}
	}
	return len(take.parts(keys)) + others
}

// lookups are comparisons of which one at least is true of every record that
// the filter is true of; false if there are none.
func (a *Adapter) lookups(e filter.Expr, take taking) ([]*filter.Compare, bool) {
	switch e := e.(type) {
	case *filter.Compare:
		if a.findFor(e) != nil || a.byKey(e) {
			return []*filter.Compare{e}, true
		}
	case filter.And:
		var best []*filter.Compare
		for _, t := range e {
			if l, ok := a.lookups(t, take); ok && (best == nil || len(l) < len(best) || len(l) == 1 && a.byKey(l[0])) {
				best = l
			}
		}
		return best, best != nil
	case filter.Or:
		var all []*filter.Compare
		for _, t := range e {
			l, ok := a.lookups(t, take)
			if !ok {
				return nil, false
			}
			all = append(all, l...)
		}
		return all, a.calls(all, take) <= maxLookups
	case filter.False:
		return nil, true
	}
	return nil, false
}

func (a *Adapter) byKey(c *filter.Compare) bool {
	return c.Name == adapters.KeyField && c.Op == filter.Eq && c.Value.Kind == filter.String && (a.o.Get != nil || a.o.Many != nil)
}

// findFor is a find that answers a comparison, or nil. Comparisons with null
// ask for what is not there, and no search finds that.
func (a *Adapter) findFor(c *filter.Compare) *Find {
	for _, f := range a.o.Finds {
		if c.Value.Kind != filter.Null && c.Value.Str != "" && f.Answers[c.Name].Has(c.Op) && (c.Match == filter.Exact || f.IgnoresCase) && a.applies(f, c) {
			return f
		}
	}
	return nil
}

func (a *Adapter) applies(f *Find, c *filter.Compare) bool {
	return f.When == nil || f.When.True(a.scope(adapters.Fields{}).with(map[string]any{comparison: filterOf(c)}))
}

// lookup makes the calls of the find that answers a comparison.
func (a *Adapter) lookup(ctx context.Context, c *filter.Compare, want, must adapters.Fields) ([]item, error) {
	found, err := a.walk(ctx, "list", a.findFor(c).Steps, want, must, filterOf(c))
	// The find was cut, and the list may not be; or a rule calls its answer "not there",
	// which is said of records: that nobody is found, only a list can prove.
	if adapters.Is(err, adapters.TooMany) || adapters.Is(err, adapters.NotFound) {
		return a.walk(ctx, "list", a.o.List, want, must, nil)
	}
	return found, err
}
