package memory

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
	"github.com/postern/postern/scim/filter"
)

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	if err := alive(ctx, "list"); err != nil {
		return adapters.Page{Total: -1}, err
	}
	if err := a.caps.Check(q); err != nil {
		return adapters.Page{Total: -1}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return order.Page(q, func() []order.Place { return a.matching(q) }, func(key adapters.Key) adapters.Record { return a.read(key, q.Want) })
}

// matching lists the places of all records that the filter is true of, by key.
func (a *Adapter) matching(q adapters.Query) []order.Place {
	named := a.relationsIn(q.Filter)
	var found []order.Place
	for _, key := range a.order {
		r := a.records[key]
		for i, name := range named {
			if i == 0 {
				r = r.Clone()
			}
			at := a.caps.Shape.Index(name)
			r.SetAt(at, a.ends[at].of(key))
		}
		if q.Filter == nil || filter.Matches(q.Filter, r.Subject()) {
			found = append(found, order.PlaceOf(r, q.Sort))
		}
	}
	return found
}

// relationsIn lists the fields that a filter names and relations keep.
func (a *Adapter) relationsIn(e filter.Expr) []string {
	var names []string
	switch e := e.(type) {
	case filter.And:
		for _, t := range e {
			names = append(names, a.relationsIn(t)...)
		}
	case filter.Or:
		for _, t := range e {
			names = append(names, a.relationsIn(t)...)
		}
	case filter.Not:
		return a.relationsIn(e.Term)
	case *filter.Compare:
		if i := a.caps.Shape.Index(e.Name); i >= 0 && a.ends[i] != nil {
			names = append(names, e.Name)
		}
	}
	return names
}
