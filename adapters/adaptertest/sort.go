package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// checkOrder wants the order without a sort to be the same every time, with
// and without a filter: it is the order "by key" of this adapter.
func checkOrder(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	again, err := r.everything(ctx, len(all))
	if err != nil {
		return err
	}
	if !slices.Equal(keys(all), keys(again)) {
		return errors.New("two lists without a sort differ in order")
	}
	seen := map[adapters.Key]bool{}
	for _, rec := range all {
		if seen[rec.Key] {
			return fmt.Errorf("the record %q is listed twice", rec.Key)
		}
		seen[rec.Key] = true
	}
	// What was first written last must still come in the order of keys.
	first := all[0]
	if _, err := r.Update(ctx, first.Key, set(first, r.f.Note, "touched"), adapters.Fields{}); err != nil {
		return err
	}
	again, err = r.everything(ctx, len(all))
	if err != nil {
		return err
	}
	if !slices.Equal(keys(all), keys(again)) {
		return errors.New("the order by key changed when a record was updated")
	}
	return nil
}

// checkSort sorts by every field and way to compare that is declared, in both
// directions (O-03, O-05, O-06, O-08).
func checkSort(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, by := range r.sorts() {
		errs = append(errs, r.sortsBy(ctx, by, all))
	}
	return errors.Join(errs...)
}

// sorts are all sorts by one field, and some by two.
func (r *rig) sorts() [][]adapters.Sort {
	var out [][]adapters.Sort
	var single []adapters.Sort
	for _, name := range append(r.f.all(), adapters.KeyField) {
		for _, m := range slices.Sorted(maps.Keys(r.field(name).Sort)) {
			if r.fits(name, m) && r.field(name).Sort[m] {
				single = append(single, adapters.Sort{Field: name, Match: m}, adapters.Sort{Field: name, Match: m, Descending: true})
			}
		}
	}
	for i, s := range single {
		out = append(out, []adapters.Sort{s})
		if t := single[(i+5)%len(single)]; t.Field != s.Field {
			out = append(out, []adapters.Sort{s, t}, []adapters.Sort{t, s})
		}
	}
	return out
}

func (r *rig) sortsBy(ctx context.Context, by []adapters.Sort, all []adapters.Record) error {
	page, err := r.List(ctx, adapters.Query{Sort: by, Limit: len(all) + 1})
	if err != nil {
		return fmt.Errorf("sort by %v: %w", by, err)
	}
	want := keys(inOrder(by, all))
	for i, k := range keys(page.Records) {
		if i >= len(want) || k != want[i] {
			return fmt.Errorf("sort by %v: at position %d the record %q, want %q", by, i, k, want[min(i, len(want)-1)])
		}
	}
	if len(page.Records) != len(all) {
		return fmt.Errorf("sort by %v: %d of %d records", by, len(page.Records), len(all))
	}
	return nil
}

// inOrder sorts records that come in the adapter's order by key.
func inOrder(by []adapters.Sort, all []adapters.Record) []adapters.Record {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b adapters.Record) int {
		for _, s := range by {
			if c := compareBy(s, a, b); c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}

func compareBy(s adapters.Sort, a, b adapters.Record) int {
	va, hasA := operand(s, a)
	vb, hasB := operand(s, b)
	c := 0
	switch {
	case hasA && hasB:
		c = filter.CompareValues(s.Match, va, vb)
	case hasA:
		c = -1
	case hasB:
		c = 1
	}
	if s.Descending {
		return -c
	}
	return c
}

func operand(s adapters.Sort, rec adapters.Record) (v filter.Value, has bool) {
	rec.Subject().Values(&filter.Compare{Name: s.Field, Match: s.Match}, func(got filter.Value) bool {
		v, has = got, true
		return false
	})
	return v, has
}
