package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/postern/postern/adapters"
)

// Checks of multi-valued fields. members(1, 3) are the first and third value
// that the harness gives.

func (r *rig) members(is ...int) []string {
	out := make([]string, len(is))
	for i, n := range is {
		out[i] = r.h.Member(n)
	}
	return out
}

// alter adds to and removes from the members of a record.
func (r *rig) alter(ctx context.Context, key adapters.Key, add, remove []string) error {
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: r.f.Members, Add: add, Remove: remove}}}
	_, err := r.Update(ctx, key, d, adapters.Fields{})
	return err
}

// checkList replaces a whole list, and refuses to if it changed meanwhile.
func checkList(ctx context.Context, r *rig) error {
	stale, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(1, 2)})
	if err != nil {
		return err
	}
	want := values{r.f.Name: "n", r.f.Members: r.members(2, 3)}
	answer, err := r.Update(ctx, stale.Key, sets(stale, want), adapters.AllFields)
	if err != nil {
		return err
	}
	if err := r.holds(answer, want); err != nil {
		return fmt.Errorf("the answer of update: %w", err)
	}
	_, err = r.Update(ctx, stale.Key, set(stale, r.f.Members, r.members(4)), adapters.AllFields)
	if err := wantKind("a list that changed meanwhile", err, adapters.Conflict); err != nil {
		return err
	}
	if err := r.stored(ctx, stale.Key, want); err != nil {
		return err
	}
	if _, err := r.Update(ctx, answer.Key, set(answer, r.f.Members, nil), adapters.Fields{}); err != nil {
		return err
	}
	return r.stored(ctx, stale.Key, values{r.f.Name: "n"})
}

// checkMembers walks one record through changes of its members; none needs the
// record as it was.
func checkMembers(ctx context.Context, r *rig) error {
	rec, err := r.named(ctx, "n")
	if err != nil {
		return err
	}
	other, err := r.put(ctx, values{r.f.Name: "other", r.f.Members: r.members(1, 2)})
	if err != nil {
		return err
	}
	steps := []struct {
		what        string
		add, remove []int
		want        []int
	}{
		{"add two", []int{1, 2}, nil, []int{1, 2}},
		{"add one that is there", []int{1}, nil, []int{1, 2}},
		{"add one twice", []int{3, 3}, nil, []int{1, 2, 3}},
		{"add one there and one new", []int{3, 4}, nil, []int{1, 2, 3, 4}},
		{"remove one", nil, []int{2}, []int{1, 3, 4}},
		{"remove one that is not there", nil, []int{2}, []int{1, 3, 4}},
		{"remove one twice", nil, []int{3, 3}, []int{1, 4}},
		{"add and remove", []int{5}, []int{1, 9}, []int{4, 5}},
		{"remove all", nil, []int{4, 5}, nil},
		{"nothing", nil, nil, nil},
		{"add again", []int{4}, nil, []int{4}},
	}
	for _, s := range steps {
		if err := r.alter(ctx, rec.Key, r.members(s.add...), r.members(s.remove...)); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		want := values{r.f.Name: "n", r.f.Members: r.members(s.want...)}
		if err := r.stored(ctx, rec.Key, want); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return r.stored(ctx, other.Key, values{r.f.Name: "other", r.f.Members: r.members(1, 2)})
}

// checkMembersAnswer wants the answer of a member change to be the stored
// record, of which the delta says nothing.
func checkMembersAnswer(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: r.f.Members, Add: r.members(7)}}}
	answer, err := r.Update(ctx, rec.Key, d, adapters.AllFields)
	if err != nil {
		return err
	}
	want := r.someone(1)
	want[r.f.Members] = append(want[r.f.Members].([]string), r.h.Member(7))
	return r.holds(answer, want)
}

// checkMembersAndFields changes members and fields at once.
func checkMembersAndFields(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(1)})
	if err != nil {
		return err
	}
	d := set(rec, r.f.Nick, "new")
	d.Members = []adapters.MemberChange{{Field: r.f.Members, Add: r.members(2), Remove: r.members(1)}}
	if _, err := r.Update(ctx, rec.Key, d, adapters.Fields{}); err != nil {
		return err
	}
	return r.stored(ctx, rec.Key, values{r.f.Name: "n", r.f.Nick: "new", r.f.Members: r.members(2)})
}

func checkMembersNotFound(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(1)})
	if err != nil {
		return err
	}
	if err := r.Delete(ctx, rec.Key); err != nil {
		return err
	}
	err = r.alter(ctx, rec.Key, r.members(1), nil)
	return errors.Join(
		wantKind("add to a record that is not there", err, adapters.NotFound),
		wantKind("remove from it", r.alter(ctx, rec.Key, nil, r.members(1)), adapters.NotFound))
}

// checkMembersGone wants no members to survive their record.
func checkMembersGone(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(1)})
	if err != nil {
		return err
	}
	if err := r.Delete(ctx, rec.Key); err != nil {
		return err
	}
	again := r.record(values{r.f.Name: "n"})
	if r.caps.GivenKeys {
		again.Key = rec.Key
	}
	made, err := r.Create(ctx, again, adapters.AllFields)
	if err != nil {
		return err
	}
	return r.holds(made, values{r.f.Name: "n"})
}

// checkMembersUnread proves that a member change reads no member.
func checkMembersUnread(ctx context.Context, r *rig) error {
	all := make([]int, 200)
	for i := range all {
		all[i] = i + 1
	}
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(all[:199]...)})
	if err != nil {
		return err
	}
	before := r.h.MembersRead(r.Adapter)
	if err := r.alter(ctx, rec.Key, r.members(200), r.members(1)); err != nil {
		return err
	}
	if n := r.h.MembersRead(r.Adapter) - before; n > 0 {
		return fmt.Errorf("a member change read %d members", n)
	}
	return r.stored(ctx, rec.Key, values{r.f.Name: "n", r.f.Members: r.members(all[1:]...)})
}

// Checks of many callers at once.

const callers = 8

// together calls f from many goroutines and answers what each of them got.
func together(f func(i int) error) []error {
	errs := make([]error, callers)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range errs {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWins fails unless one call succeeded and all others got kind k.
func oneWins(errs []error, k adapters.Kind) error {
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !adapters.Is(err, k):
			return fmt.Errorf("of many at once, one got %v, want %v", err, k)
		}
	}
	if won != 1 {
		return fmt.Errorf("of many at once, %d succeeded, want 1", won)
	}
	return nil
}

func checkParallelCreate(ctx context.Context, r *rig) error {
	recs := make([]adapters.Record, callers)
	for i := range recs {
		recs[i] = r.record(values{r.f.Name: "wanted by all", r.f.Nick: fmt.Sprint(i)})
	}
	errs := together(func(i int) error {
		_, err := r.Create(ctx, recs[i], adapters.AllFields)
		return err
	})
	return errors.Join(oneWins(errs, adapters.Exists), r.count(ctx, 1))
}

func checkParallelUpdate(ctx context.Context, r *rig) error {
	rec, err := r.named(ctx, "n")
	if err != nil {
		return err
	}
	errs := together(func(i int) error {
		_, err := r.Update(ctx, rec.Key, set(rec, r.f.Nick, fmt.Sprint(i)), adapters.AllFields)
		return err
	})
	if err := oneWins(errs, adapters.Conflict); err != nil {
		return err
	}
	winner := slices.Index(errs, nil)
	return r.stored(ctx, rec.Key, values{r.f.Name: "n", r.f.Nick: fmt.Sprint(winner)})
}

func checkParallelDelete(ctx context.Context, r *rig) error {
	rec, err := r.named(ctx, "n")
	if err != nil {
		return err
	}
	errs := together(func(int) error { return r.Delete(ctx, rec.Key) })
	return oneWins(errs, adapters.NotFound)
}

// checkParallelCreates makes different records at once: all must be there.
func checkParallelCreates(ctx context.Context, r *rig) error {
	recs := make([]adapters.Record, callers)
	for i := range recs {
		recs[i] = r.record(r.someone(i))
	}
	errs := together(func(i int) error {
		made, err := r.Create(ctx, recs[i], adapters.AllFields)
		if err != nil {
			return err
		}
		return r.stored(ctx, made.Key, r.someone(i))
	})
	return errors.Join(append(errs, r.count(ctx, callers))...)
}

func checkParallelMembers(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Members: r.members(100)})
	if err != nil {
		return err
	}
	errs := together(func(i int) error {
		return r.alter(ctx, rec.Key, r.members(i+1, 50), r.members(100))
	})
	want := r.members(50)
	for i := range callers {
		want = append(want, r.h.Member(i+1))
	}
	return errors.Join(append(errs, r.stored(ctx, rec.Key, values{r.f.Name: "n", r.f.Members: want}))...)
}
