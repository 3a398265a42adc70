package adaptertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern/postern/adapters"
)

// checkWant asks for single fields in every call that answers records: what is
// wanted must be there, and what is costly must not be unless it is wanted.
func checkWant(ctx context.Context, r *rig) error {
	full, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	wants := map[string]adapters.Fields{"nothing": {}, "everything": adapters.AllFields}
	for _, name := range r.f.all() {
		wants[name] = r.shape.FieldSet(name)
	}
	n := 1
	var errs []error
	for name, want := range wants {
		n++
		fail := func(op string, got adapters.Record, whole adapters.Record) {
			if err := r.wanted(got, whole, want); err != nil {
				errs = append(errs, fmt.Errorf("%s, wanted %s: %w", op, name, err))
			}
		}
		got, err1 := r.Get(ctx, full.Key, want)
		fail("get", got, full)
		page, err2 := r.List(ctx, adapters.Query{Limit: 1, Want: want})
		if len(page.Records) == 1 {
			first, err := r.get(ctx, page.Records[0].Key) // keys may be in any order
			fail("list", page.Records[0], first)
			errs = append(errs, err)
		}
		got, err3 := r.Update(ctx, full.Key, set(full, r.f.Name, full.Get(r.f.Name)), want)
		fail("update", got, full)
		got, err4 := r.Update(ctx, full.Key, adapters.Delta{}, want)
		fail("empty update", got, full)
		got, err5 := r.Create(ctx, r.record(r.someone(n)), want)
		whole, err6 := r.get(ctx, got.Key)
		fail("create", got, whole)
		errs = append(errs, err1, err2, err3, err4, err5, err6)
	}
	return errors.Join(errs...)
}

func (r *rig) wanted(got, whole adapters.Record, want adapters.Fields) error {
	var errs []error
	if got.Key != whole.Key {
		errs = append(errs, fmt.Errorf("the key is %q, not %q", got.Key, whole.Key))
	}
	if got.Shape() != r.shape {
		return errors.Join(append(errs, errors.New("the record is not of the adapter's shape"))...)
	}
	for i, name := range r.shape.Names() {
		v := got.At(i)
		switch {
		case want.Has(i) && !sameValue(v, whole.At(i)):
			errs = append(errs, fmt.Errorf("%s is %#v, not %#v", name, v, whole.At(i)))
		case !want.Has(i) && r.caps.Fields[i].Costly && !adapters.NoValue(v):
			errs = append(errs, fmt.Errorf("%s is costly and was read", name))
		}
	}
	return errors.Join(errs...)
}
