package steps

import (
	"cmp"
	"context"
	"errors"

	"github.com/postern/postern/adapters"
)

// Get implements adapters.Adapter.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	return a.get(ctx, "get", key, want)
}

func (a *Adapter) get(ctx context.Context, op string, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	if err := alive(ctx, op); err != nil {
		return adapters.Record{}, err
	}
	if !plausible(key) {
		return adapters.Record{}, notFound(op)
	}
	var rec adapters.Record
	err := a.believed(ctx, op, func() (nothing bool, err error) {
		rec, err = a.read(ctx, op, key, want)
		return adapters.Is(err, adapters.NotFound), err
	})
	return rec, err
}

// read makes the calls of get.
func (a *Adapter) read(ctx context.Context, op string, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	if a.o.Get == nil && a.brings(want) {
		items, err := a.ask(ctx, op, []adapters.Key{key}, want, adapters.Fields{})
		if err != nil || len(items) == 0 {
			return adapters.Record{}, cmp.Or(err, notFound(op))
		}
		return items[0].Record, nil
	}
	if a.o.Get == nil {
		return a.pick(ctx, op, key, want)
	}
	s := a.scope(want)
	s["key"] = a.said(key)
	r := freshRun(op, s)
	y, err := r.all(ctx, a.o.Get)
	if err != nil {
		return adapters.Record{}, err
	}
	rec, err := a.record(y.record, want, r.scope)
	switch {
	case err != nil:
		return rec, r.internal(err)
	case y.record == nil:
		return rec, r.internal(errors.New("the calls of get bring no record"))
	case a.blank(rec, want):
		return rec, r.internal(errors.New("the answer of get has neither the key nor a value of any field"))
	case rec.Key == "":
		rec.Key = key
	case rec.Key != key: // another spelling of a key, or another object
		return adapters.Record{}, notFound(op)
	}
	return rec, nil
}

// blank reports whether an answer tells nothing of a record, neither its key nor a value
// of those that were read: it is a message, most likely, that no rule knows.
func (a *Adapter) blank(rec adapters.Record, want adapters.Fields) bool {
	if rec.Key != "" || !rec.Empty() {
		return false
	}
	for i, f := range a.caps.Fields {
		if want.Has(i) || !f.Costly {
			return true
		}
	}
	return false
}

// pick finds a record in the list, where there is no call for one.
func (a *Adapter) pick(ctx context.Context, op string, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	recs, err := a.walk(ctx, op, a.o.List, want, want, nil)
	if err != nil {
		return adapters.Record{}, err
	}
	for _, r := range recs {
		if r.Key == key {
			return r.Record, nil
		}
	}
	return adapters.Record{}, notFound(op)
}

// believed looks for something. Before it believes that there is nothing, it asks
// whether the credential still sees what it should: what it may not see is not
// gone. If a session ended meanwhile, it is looked for again with the new one.
func (a *Adapter) believed(ctx context.Context, op string, look func() (nothing bool, err error)) error {
	for again := false; ; again = true {
		ended := a.sessions()
		nothing, err := look()
		if !nothing || a.o.Believe == nil {
			return err
		}
		if doubt := a.o.Believe(ctx); doubt != nil {
			return newRun(op, nil).named(doubt)
		}
		if again || a.sessions() == ended {
			return err
		}
	}
}

func (a *Adapter) sessions() int {
	if a.o.Sessions == nil {
		return 0
	}
	return a.o.Sessions()
}
