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

// Checks of fields whose values have parts.

// elements makes elements of values, kinds and ranks, three to an element.
func (r *rig) elements(parts ...any) []adapters.Record {
	var out []adapters.Record
	for i := 0; i+2 < len(parts); i += 3 {
		e := adapters.NewRecord(r.field(r.f.Emails).Elements.Shape, "")
		e.Set("value", parts[i])
		e.Set("kind", parts[i+1])
		e.Set("rank", parts[i+2])
		out = append(out, e)
	}
	return out
}

// emails are the elements of a record that was read.
func (r *rig) emails(rec adapters.Record) []adapters.Record {
	elems, _ := rec.Get(r.f.Emails).([]adapters.Record)
	return elems
}

// checkElements walks one record through changes of its elements.
func checkElements(ctx context.Context, r *rig) error {
	if _, err := r.put(ctx, r.someone(7)); err != nil {
		return err
	}
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Emails: r.elements("one", "work", int64(1), "two", "home", nil)})
	if err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		to   func(is []adapters.Record) []adapters.Record
		want []any
	}{
		{"change a part", func(is []adapters.Record) []adapters.Record { is[0].Set("value", "uno"); return is },
			[]any{"uno", "work", int64(1), "two", "home", nil}},
		{"clear a part", func(is []adapters.Record) []adapters.Record {
			is[0].Set("kind", nil)
			is[1].Set("rank", int64(2))
			return is
		},
			[]any{"uno", nil, int64(1), "two", "home", int64(2)}},
		{"add one", func(is []adapters.Record) []adapters.Record {
			return append(is, r.elements("three", "home", nil)...)
		}, []any{"uno", nil, int64(1), "two", "home", int64(2), "three", "home", nil}},
		{"remove the first and change another", func(is []adapters.Record) []adapters.Record { is[1].Set("kind", "work"); return is[1:] },
			[]any{"two", "work", int64(2), "three", "home", nil}},
		{"replace all", func([]adapters.Record) []adapters.Record {
			return r.elements("new", "O'Brien", nil, "%", `\`, int64(-1))
		},
			[]any{"new", "O'Brien", nil, "%", `\`, int64(-1)}},
		{"remove all", func([]adapters.Record) []adapters.Record { return nil }, nil},
		{"begin again", func([]adapters.Record) []adapters.Record { return r.elements("x", nil, nil) }, []any{"x", nil, nil}},
	} {
		to := step.to(adapters.CloneElements(r.emails(rec)))
		want := values{r.f.Name: "n", r.f.Emails: r.elements(step.want...)}
		if rec, err = r.Update(ctx, rec.Key, set(rec, r.f.Emails, to), adapters.AllFields); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		if err := errors.Join(r.holds(rec, want), r.stored(ctx, rec.Key, want)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	found, err := r.everything(ctx, 2)
	if err != nil {
		return err
	}
	return r.holds(found[0], r.someone(7))
}

// checkElementKeys wants an element that is changed to stay what it is, where
// elements have keys: what else the backend knows of it must survive.
func checkElementKeys(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Emails: r.elements("one", "work", nil, "two", "work", nil)})
	if err != nil {
		return err
	}
	was := r.emails(rec)
	to := adapters.CloneElements(was)
	to[1].Set("kind", "home")
	if rec, err = r.Update(ctx, rec.Key, set(rec, r.f.Emails, to), adapters.AllFields); err != nil {
		return err
	}
	for i, e := range r.emails(rec) {
		if e.Key != was[i].Key {
			return fmt.Errorf("after a change of a part an element has the key %q, not %q", e.Key, was[i].Key)
		}
	}
	return nil
}

// checkElementsLost changes elements that are not what they were any more.
func checkElementsLost(ctx context.Context, r *rig) error {
	stale, err := r.put(ctx, values{r.f.Name: "n", r.f.Emails: r.elements("one", "work", nil)})
	if err != nil {
		return err
	}
	theirs := adapters.CloneElements(r.emails(stale))
	theirs[0].Set("value", "theirs")
	if _, err := r.Update(ctx, stale.Key, set(stale, r.f.Emails, theirs), adapters.Fields{}); err != nil {
		return err
	}
	ours := adapters.CloneElements(r.emails(stale))
	ours[0].Set("value", "ours")
	both := sets(stale, values{r.f.Nick: "ours", r.f.Emails: ours})
	_, err1 := r.Update(ctx, stale.Key, set(stale, r.f.Emails, ours), adapters.AllFields)
	_, err2 := r.Update(ctx, stale.Key, both, adapters.AllFields)
	_, err3 := r.Update(ctx, stale.Key, set(stale, r.f.Emails, nil), adapters.AllFields)
	return errors.Join(
		wantKind("stale elements", err1, adapters.Conflict),
		wantKind("a field and stale elements", err2, adapters.Conflict),
		wantKind("stale elements to none", err3, adapters.Conflict),
		r.stored(ctx, stale.Key, values{r.f.Name: "n", r.f.Emails: r.elements("theirs", "work", nil)}))
}

// checkElementsGone deletes a record and makes one again that says nothing of
// elements.
func checkElementsGone(ctx context.Context, r *rig) error {
	gone, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	if err := r.Delete(ctx, gone.Key); err != nil {
		return err
	}
	again := r.record(values{r.f.Name: "again"})
	if again.Key != "" && r.h.KeyFrom == "" {
		again.Key = gone.Key
	}
	made, err := r.Create(ctx, again, adapters.AllFields)
	if err != nil {
		return err
	}
	return errors.Join(r.holds(made, values{r.f.Name: "again"}), r.stored(ctx, made.Key, values{r.f.Name: "again"}))
}

// checkElementsPage lists records with many, one and no elements.
func checkElementsPage(ctx context.Context, r *rig) error {
	all, err := r.people(ctx)
	if err != nil {
		return err
	}
	page, err := r.List(ctx, adapters.Query{Limit: 5, Want: r.shape.FieldSet(r.f.Emails)})
	if err != nil {
		return err
	}
	for i, rec := range page.Records {
		if !adapters.Same(rec.Get(r.f.Emails), all[i].Get(r.f.Emails)) {
			return fmt.Errorf("the elements of the record %q in a page are %v, alone %v", rec.Key, rec.Get(r.f.Emails), all[i].Get(r.f.Emails))
		}
	}
	return nil
}

// people makes records with various elements and answers them one by one, in the
// order of the adapter.
func (r *rig) people(ctx context.Context) ([]adapters.Record, error) {
	for i, elems := range [][]any{
		nil,
		{"alice", "work", int64(1)},
		{"Alice", "home", int64(2), "bob", "work", nil},
		{"bob", nil, nil, "50%", "work", int64(-3), "a_c", "HOME", int64(0)},
		{"\u212aelvin", "O'Brien", nil},
		{nil, "work", int64(5)},
		{"straße", "other", int64(1), "alice", "other", int64(9)},
	} {
		v := values{r.f.Name: fmt.Sprintf("Name %d", i), r.f.Nick: []any{nil, "alice", "bob"}[i%3]}
		if elems != nil {
			v[r.f.Emails] = r.elements(elems...)
		}
		if _, err := r.put(ctx, v); err != nil {
			return nil, err
		}
	}
	page, err := r.List(ctx, adapters.Query{Limit: 100})
	if err != nil {
		return nil, err
	}
	for i := range page.Records {
		if page.Records[i], err = r.get(ctx, page.Records[i].Key); err != nil {
			return nil, err
		}
	}
	return page.Records, nil
}

// checkElementFilters asks every comparison that is declared of a part, alone and
// joined with another.
func checkElementFilters(ctx context.Context, r *rig) error {
	all, err := r.people(ctx)
	if err != nil {
		return err
	}
	leafs := r.partComparisons()
	var errs []error
	for i, leaf := range leafs {
		el := func(where filter.Expr) filter.Expr { return &filter.Element{Name: r.f.Emails, Where: where} }
		other := leafs[(i*7+3)%len(leafs)]
		asked := []filter.Expr{el(leaf), el(filter.And{leaf, other}), filter.And{el(leaf), el(other)}}
		if r.caps.Or {
			asked = append(asked, el(filter.Or{leaf, other}), filter.Or{el(leaf), el(other)})
		}
		if r.caps.Not {
			asked = append(asked, filter.Not{Term: el(leaf)}, el(filter.Not{Term: leaf}), el(filter.And{leaf, filter.Not{Term: other}}))
		}
		if r.h.Brief {
			asked = asked[i%len(asked):][:1]
		}
		for _, e := range asked {
			errs = appendFault(errs, r.agrees(ctx, e, all))
		}
		if len(errs) >= maxFaults {
			break
		}
	}
	return errors.Join(errs...)
}

// partComparisons are the comparisons of parts that are declared.
func (r *rig) partComparisons() []*filter.Compare {
	var out []*filter.Compare
	parts := r.field(r.f.Emails).Elements
	for _, name := range []string{"value", "kind", "rank"} {
		f, _ := parts.Field(name)
		for _, m := range slices.Sorted(maps.Keys(f.Filter)) {
			var literals []filter.Value
			switch {
			case name == "rank" && m == filter.Integer:
				literals = []filter.Value{filter.IntValue(1), filter.IntValue(-3), filter.IntValue(7)}
			case name != "rank" && (m == filter.Exact || m == filter.Folded):
				for _, s := range []string{"alice", "ALICE", "work", "kelvin", "%", "_", "b", "home", "o'brien", "STRASSE", ""} {
					literals = append(literals, filter.StringValue(s))
				}
			default:
				continue
			}
			out = append(out, leaves(name, m, f.Filter[m], append(literals, filter.Value{}))...)
		}
	}
	return out
}
