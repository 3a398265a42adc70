package file

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
	"github.com/postern/postern/scim/filter"
)

// An Adapter is one kind of object: the rows of a file.
type Adapter struct {
	b     *Backend
	t     Target
	main  *source
	links []*link
	caps  adapters.Capabilities

	columns   []string // of the rows: those of the fields, and from keyAt on those of the key
	positions []int    // in the shape, of the fields
	keyAt     int

	mu      sync.Mutex
	seen    [2]*view // of the contents that were looked at last, the newest first
	highest int64    // the highest key that was made here
}

var _ adapters.Adapter = (*Adapter)(nil)

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// Close implements adapters.Adapter.
func (a *Adapter) Close() error { return nil }

// Probe implements adapters.Adapter.
func (a *Adapter) Probe(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return as("probe", unavailable(err))
	}
	v, err := a.settled(ctx)
	if err == nil {
		err = v.whole()
	}
	for _, l := range a.links {
		if err == nil {
			_, err = l.current(ctx)
		}
	}
	return as("probe", err)
}

// Get implements adapters.Adapter. A record whose own line can be read is answered
// whatever the others are; that there is none is said only if all can be read.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	if err := ctx.Err(); err != nil {
		return adapters.Record{}, as("get", unavailable(err))
	}
	v, err := a.settled(ctx)
	if err != nil {
		return adapters.Record{}, as("get", err)
	}
	e := v.find(key)
	if e == nil || e.doubled {
		if err := v.whole(); err != nil {
			return adapters.Record{}, as("get", err)
		}
		return adapters.Record{}, notFound("get")
	}
	all, err := a.linked(ctx, a.wanted(want))
	if err != nil {
		return adapters.Record{}, as("get", err)
	}
	return a.record(e, all, want), nil
}

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	none := adapters.Page{Total: -1}
	if err := ctx.Err(); err != nil {
		return none, as("list", unavailable(err))
	}
	if err := a.caps.Check(q); err != nil {
		return none, err
	}
	v, err := a.settled(ctx)
	if err == nil {
		err = v.whole()
	}
	if err != nil {
		return none, as("list", err)
	}
	all, err := a.linked(ctx, func(l *link) bool { return q.Want.Has(l.at) || named(q.Filter, l.Field) })
	if err != nil {
		return none, as("list", err)
	}
	found := func() []order.Place { return a.matching(v, all, q) }
	return order.Page(q, found, func(key adapters.Key) adapters.Record { return a.record(v.find(key), all, q.Want) })
}

// matching lists the places of all records that the filter is true of, by key.
func (a *Adapter) matching(v *view, all pairings, q adapters.Query) []order.Place {
	var out []order.Place
	for _, e := range v.candidates(q.Filter) {
		r := e.rec
		for i, l := range a.links {
			if named(q.Filter, l.Field) {
				r = r.Clone()
				r.SetAt(l.at, all[i].of(string(r.Key)))
			}
		}
		if q.Filter == nil || filter.Matches(q.Filter, r.Subject()) {
			out = append(out, order.PlaceOf(r, q.Sort))
		}
	}
	return out
}

// record copies the wanted fields out.
func (a *Adapter) record(e *entry, all pairings, want adapters.Fields) adapters.Record {
	out := adapters.NewRecord(a.caps.Shape, e.rec.Key)
	for _, at := range a.positions {
		if want.Has(at) {
			out.SetAt(at, copied(e.rec.At(at)))
		}
	}
	for i, l := range a.links {
		if want.Has(l.at) {
			if list := all[i].of(string(e.rec.Key)); len(list) > 0 {
				out.SetAt(l.at, list)
			}
		}
	}
	return out
}

// copied is v without what could be changed through it.
func copied(v any) any {
	if list, ok := v.([]string); ok {
		return append([]string(nil), list...)
	}
	return v
}

// named reports whether a filter names a field.
func named(e filter.Expr, field string) bool {
	found := false
	filter.Walk(e, func(e filter.Expr) bool {
		c, ok := e.(*filter.Compare)
		found = found || ok && c.Name == field
		return !found
	})
	return found
}

// capabilities are everything: all of it is in memory.
func (a *Adapter) capabilities(shape *adapters.Shape) adapters.Capabilities {
	c := adapters.Capabilities{Shape: shape, Fields: make([]adapters.Field, shape.Len()),
		Key: adapters.Field{Filter: everyFilter(), Sort: everySort(), Unique: true},
		Or:  true, Not: true, Offset: true, Total: true, GivenKeys: a.t.Keys == KeysGiven}
	for i := range c.Fields {
		c.Fields[i] = adapters.Field{Filter: everyFilter(), Sort: everySort()}
	}
	several := func(field string) {
		if i := shape.Index(field); i >= 0 {
			c.Fields[i] = adapters.Field{Filter: everyFilter(), Multi: true, Delta: true, Costly: true}
		}
	}
	for _, l := range a.t.Lists {
		several(l.Field)
	}
	for _, l := range a.t.Links {
		several(l.Field)
	}
	for _, u := range a.t.Unique {
		if i := shape.Index(u.Field); i >= 0 {
			c.Fields[i].Unique = true
		}
	}
	return c
}

// everyFilter is every operator of every way to compare.
func everyFilter() map[filter.Match]filter.Ops {
	all := map[filter.Match]filter.Ops{}
	for m := filter.Exact; m <= filter.Presence; m++ {
		all[m] = filter.OpsFor(m)
	}
	return all
}

// everySort is every way to compare of which there is an order.
func everySort() map[filter.Match]bool {
	return map[filter.Match]bool{
		filter.Exact: true, filter.Folded: true, filter.Boolean: true,
		filter.Integer: true, filter.Decimal: true, filter.DateTime: true,
	}
}

// as says of which operation an error is.
func as(op string, err error) error {
	var e *adapters.Error
	if !errors.As(err, &e) {
		return err
	}
	said := *e
	said.Op = op
	return &said
}

func notFound(op string) error { return &adapters.Error{Kind: adapters.NotFound, Op: op} }

func fieldError(k adapters.Kind, op, field, format string, args ...any) error {
	return &adapters.Error{Kind: k, Op: op, Field: field, Err: fmt.Errorf(format, args...)}
}
