package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// letters are what random texts are made of: few, so that they meet.
var letters = []rune{'a', 'A', 'b', 'k', 'K', '\u212a', 's', 'ſ', 'ß', 'é', '\u0301', 'Σ', 'ς', '%', '_', '\\', '\'', '"', '*', '(', '[', ' ', '0', '7', '😀', '\uffee'}

// checkProperty fills the adapter with random records and asks random filters
// of them, until one is answered differently from the in-memory evaluation.
func checkProperty(ctx context.Context, r *rig) error {
	return falsify(r.t, func(t *rapid.T) error {
		if err := r.clear(ctx); err != nil {
			return err
		}
		all, err := r.randomRecords(ctx, t)
		if err != nil {
			return err
		}
		for range 12 {
			if err := r.agrees(ctx, r.randomFilter(t, all, 3), all); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *rig) randomRecords(ctx context.Context, t *rapid.T) ([]adapters.Record, error) {
	n := rapid.IntRange(1, 8).Draw(t, "records")
	for i := range n {
		v := values{r.f.Name: fmt.Sprintf("%d", i), r.f.Nick: text(t), r.f.Note: text(t)}
		v[r.f.Active] = rapid.SampledFrom([]string{"", "A", "L"}).Draw(t, "active")
		v[r.f.Age] = rapid.SampledFrom(ages).Draw(t, "age")
		v[r.f.Members] = r.members(rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 3, rapid.ID).Draw(t, "members")...)
		if _, err := r.Create(ctx, r.record(v), adapters.Fields{}); err != nil {
			return nil, err
		}
	}
	return r.everything(ctx, n)
}

func (r *rig) clear(ctx context.Context) error {
	page, err := r.List(ctx, adapters.Query{Limit: 1000})
	for _, rec := range page.Records {
		err = errors.Join(err, r.Delete(ctx, rec.Key))
	}
	return err
}

func text(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom(letters), 0, 3, -1).Draw(t, "text")
}

// near is a text to compare a field with: what the record has there, the same
// in other letters, a part of it, or any text.
func near(t *rapid.T, rec adapters.Record, field string) string {
	has := []rune(adapters.Text(rec.Get(field)))
	switch rapid.SampledFrom([]string{"same", "folded", "part", "any"}).Draw(t, "near") {
	case "folded":
		for i := range has {
			has[i] = unicode.SimpleFold(has[i])
		}
	case "part":
		from := rapid.IntRange(0, len(has)).Draw(t, "from")
		has = has[from:rapid.IntRange(from, len(has)).Draw(t, "to")]
	case "any":
		return text(t)
	}
	return string(has)
}

func (r *rig) randomFilter(t *rapid.T, all []adapters.Record, depth int) filter.Expr {
	kinds := []string{"leaf", "leaf"}
	if depth > 0 {
		kinds = append(kinds, "and")
		if r.caps.Or {
			kinds = append(kinds, "or")
		}
		if r.caps.Not {
			kinds = append(kinds, "not")
		}
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "and":
		return filter.And{r.randomFilter(t, all, depth-1), r.randomFilter(t, all, depth-1)}
	case "or":
		return filter.Or{r.randomFilter(t, all, depth-1), r.randomFilter(t, all, depth-1)}
	case "not":
		return filter.Not{Term: r.randomFilter(t, all, depth-1)}
	}
	return r.randomLeaf(t, all)
}

func (r *rig) randomLeaf(t *rapid.T, all []adapters.Record) *filter.Compare {
	c := &filter.Compare{Name: rapid.SampledFrom(r.filterable()).Draw(t, "field")}
	declared := r.field(c.Name).Filter
	c.Match = rapid.SampledFrom(r.matches(c.Name)).Draw(t, "match")
	var ops []filter.Op
	for op := filter.Eq; op <= filter.Pr; op++ {
		if declared[c.Match].Has(op) {
			ops = append(ops, op)
		}
	}
	c.Op = rapid.SampledFrom(ops).Draw(t, "op")
	null := c.Op == filter.Pr || c.Match == filter.Presence || (c.Op == filter.Eq || c.Op == filter.Ne) && rapid.IntRange(0, 9).Draw(t, "null") == 0
	switch {
	case null:
	case c.Match == filter.Exact || c.Match == filter.Folded:
		c.Value = filter.StringValue(near(t, rapid.SampledFrom(all).Draw(t, "record"), c.Name))
		if c.Name == r.f.Members {
			c.Value = filter.StringValue(r.h.Member(rapid.IntRange(1, 4).Draw(t, "member")))
		}
	default:
		c.Value = rapid.SampledFrom(r.literals(c.Name, c.Match)).Draw(t, "literal")
	}
	return c
}

// filterable are the fields that some comparison can be asked of.
func (r *rig) filterable() []string {
	return slices.DeleteFunc(append(r.f.all(), adapters.KeyField), func(name string) bool {
		return len(r.matches(name)) == 0 || name == r.f.Born
	})
}

// matches are the ways to compare that a field declares and that mean something.
func (r *rig) matches(name string) []filter.Match {
	declared := r.field(name).Filter
	return slices.DeleteFunc(slices.Sorted(maps.Keys(declared)), func(m filter.Match) bool {
		return declared[m] == 0 || !r.fits(name, m)
	})
}

// falsify runs a property under rapid, which looks for a small counterexample,
// and answers what rapid has to say about it.
func falsify(tb testing.TB, property func(t *rapid.T) error) error {
	rec := &recorder{TB: tb}
	done := make(chan struct{})
	go func() { // FailNow ends the goroutine, not the test
		defer close(done)
		rapid.Check(rec, func(t *rapid.T) {
			if err := property(t); err != nil {
				t.Fatalf("%v", err)
			}
		})
	}()
	<-done
	return errors.Join(rec.errs...)
}

// A recorder keeps what a test has to say instead of failing.
type recorder struct {
	testing.TB
	failed bool
	errs   []error
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fail()             { r.failed = true }
func (r *recorder) Failed() bool      { return r.failed }

func (r *recorder) FailNow() {
	r.failed = true
	runtime.Goexit()
}
