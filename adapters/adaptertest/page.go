package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// checkOffset cuts pages at every place (N-02, N-05, N-06).
func checkOffset(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, by := range r.someSorts() {
		ordered := keys(inOrder(by, all))
		for _, offset := range []int{0, 1, 2, 7, len(all) - 1, len(all), len(all) + 5} {
			for _, limit := range []int{1, 2, 10, len(all), len(all) + 5} {
				q := adapters.Query{Sort: by, Offset: offset, Limit: limit, Total: r.caps.Total}
				from := min(offset, len(all))
				errs = append(errs, r.page(ctx, q, ordered[from:min(from+limit, len(all))], len(all)))
			}
		}
	}
	return errors.Join(errs...)
}

// page fails unless the query answers exactly these records.
func (r *rig) page(ctx context.Context, q adapters.Query, want []adapters.Key, total int) error {
	page, err := r.List(ctx, q)
	if err != nil {
		return fmt.Errorf("offset %d, limit %d: %w", q.Offset, q.Limit, err)
	}
	if got := keys(page.Records); !slices.Equal(got, want) {
		return fmt.Errorf("sort %v, offset %d, limit %d: got %q, want %q", q.Sort, q.Offset, q.Limit, got, want)
	}
	return checkTotalOf(q, page, total)
}

// checkTotalOf compares Page.Total with what the query asked for.
func checkTotalOf(q adapters.Query, page adapters.Page, total int) error {
	if !q.Total {
		total = -1
	}
	if page.Total != total {
		return fmt.Errorf("offset %d, limit %d, total wanted %t: a total of %d, want %d", q.Offset, q.Limit, q.Total, page.Total, total)
	}
	return nil
}

// someSorts are no sort and a few of those declared.
func (r *rig) someSorts() [][]adapters.Sort {
	out := [][]adapters.Sort{nil}
	all := r.sorts()
	for i := 0; i < len(all); i += 1 + len(all)/6 {
		out = append(out, all[i])
	}
	return out
}

// checkCursor follows Page.Next, with each sort: every record comes once and in
// order, and the last page says so.
func checkCursor(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, by := range r.someSorts() {
		want := keys(inOrder(by, all))
		for _, limit := range []int{1, 3, 10, len(all) - 1, len(all), len(all) + 1} {
			got, err := r.follow(ctx, adapters.Query{Sort: by, Limit: limit}, len(all))
			if err == nil && !slices.Equal(got, want) {
				err = fmt.Errorf("got %q, want %q", got, want)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("pages of %d, sort %v: %w", limit, by, err))
			}
		}
	}
	return errors.Join(errs...)
}

// follow lists the keys on all pages of a query over at most n records.
func (r *rig) follow(ctx context.Context, q adapters.Query, n int) ([]adapters.Key, error) {
	var out []adapters.Key
	for range n + 2 {
		page, err := r.List(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(page.Records) > q.Limit {
			return nil, fmt.Errorf("%d records on a page of %d", len(page.Records), q.Limit)
		}
		out = append(out, keys(page.Records)...)
		if page.Next == "" {
			return out, nil
		}
		q.Cursor = page.Next
	}
	return nil, errors.New("the pages do not end")
}

// checkCursorFilter follows pages of filters.
func checkCursorFilter(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range r.someFilters(all, 30) {
		want := keys(matching(e, all))
		got, err := r.follow(ctx, adapters.Query{Filter: e, Limit: 2}, len(all))
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("got %q, want %q", got, want)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("pages of %s: %w", show(e), err))
		}
	}
	return errors.Join(errs...)
}

// someFilters are about n comparisons that more than two records and not all fit.
func (r *rig) someFilters(all []adapters.Record, n int) []filter.Expr {
	var out []filter.Expr
	leafs := r.comparisons(all)
	for i := 0; i < len(leafs); i += 1 + len(leafs)/(3*n) {
		if m := len(matching(leafs[i], all)); m > 2 && m < len(all) {
			out = append(out, leafs[i])
		}
	}
	return out
}

func checkCursorBad(ctx context.Context, r *rig) error {
	if _, err := r.populate(ctx); err != nil {
		return err
	}
	var errs []error
	for _, c := range []string{"no cursor", "'; DROP TABLE person; --", "\x00", "!", "AAAA"} {
		_, err := r.List(ctx, adapters.Query{Limit: 2, Cursor: c})
		errs = append(errs, wantKind(fmt.Sprintf("the cursor %q", c), err, adapters.Invalid))
	}
	return errors.Join(errs...)
}

// checkTotal counts with and without records, filters and pages (N-05).
func checkTotal(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range append(r.someFilters(all, 20), nil) {
		n := len(matching(e, all))
		for _, limit := range []int{0, 1, len(all)} {
			q := adapters.Query{Filter: e, Limit: limit, Total: true}
			page, err := r.List(ctx, q)
			if err == nil {
				err = checkTotalOf(q, page, n)
			}
			if err == nil && len(page.Records) != min(limit, n) {
				err = fmt.Errorf("%d records, want %d", len(page.Records), min(limit, n))
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s, limit %d: %w", show(e), limit, err))
			}
		}
	}
	return errors.Join(errs...)
}

// checkTotalUnasked wants -1 where no total is asked for.
func checkTotalUnasked(ctx context.Context, r *rig) error {
	all, err := r.populate(ctx)
	if err != nil {
		return err
	}
	return r.page(ctx, adapters.Query{Limit: 2}, keys(all)[:2], len(all))
}

// checkLimitNone asks for no records.
func checkLimitNone(ctx context.Context, r *rig) error {
	if _, err := r.populate(ctx); err != nil {
		return err
	}
	page, err := r.List(ctx, adapters.Query{Limit: 0})
	if err == nil && len(page.Records) > 0 {
		err = fmt.Errorf("%d records on a page of 0", len(page.Records))
	}
	return err
}
