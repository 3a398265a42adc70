package adaptertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
)

// Checks of failure: the kind is right, the field is named, nothing has changed.

var born = time.Date(1970, 1, 2, 3, 4, 5, 0, time.UTC)

// wantKind fails unless err is an *adapters.Error of that kind.
func wantKind(what string, err error, k adapters.Kind) error {
	if adapters.Is(err, k) {
		return nil
	}
	return fmt.Errorf("%s: got %v, want %v", what, err, k)
}

func checkNotFound(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	gone, err := r.put(ctx, r.someone(2))
	if err != nil {
		return err
	}
	if err := r.Delete(ctx, gone.Key); err != nil {
		return err
	}
	_, errGet := r.Get(ctx, gone.Key, adapters.AllFields)
	_, errSet := r.Update(ctx, gone.Key, set(gone, r.f.Nick, "x"), adapters.AllFields)
	_, errEmpty := r.Update(ctx, gone.Key, adapters.Delta{}, adapters.AllFields)
	return errors.Join(
		wantKind("get", errGet, adapters.NotFound),
		wantKind("update", errSet, adapters.NotFound),
		wantKind("update with an empty delta", errEmpty, adapters.NotFound),
		wantKind("delete", r.Delete(ctx, gone.Key), adapters.NotFound),
		r.stored(ctx, rec.Key, r.someone(1)))
}

func checkExistsCreate(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	second := r.someone(2)
	second[r.f.Name] = rec.Get(r.f.Name)
	_, err = r.Create(ctx, r.record(second), adapters.AllFields)
	if err := r.wantTaken("create", err); err != nil {
		return err
	}
	return r.count(ctx, 1)
}

func checkExistsUpdate(ctx context.Context, r *rig) error {
	if _, err := r.put(ctx, r.someone(1)); err != nil {
		return err
	}
	rec, err := r.put(ctx, r.someone(2))
	if err != nil {
		return err
	}
	d := sets(rec, values{r.f.Nick: "x", r.f.Name: r.someone(1)[r.f.Name]})
	if r.field(r.f.Members).Delta {
		d.Members = []adapters.MemberChange{{Field: r.f.Members, Add: []string{r.h.Member(9)}}}
	}
	_, err = r.Update(ctx, rec.Key, d, adapters.AllFields)
	if err := r.wantTaken("update", err); err != nil {
		return err
	}
	return r.stored(ctx, rec.Key, r.someone(2))
}

// checkExistsOwn sets a unique field to the value that the record itself has.
func checkExistsOwn(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	d := sets(rec, values{r.f.Name: rec.Get(r.f.Name), r.f.Nick: "x"})
	_, err = r.Update(ctx, rec.Key, d, adapters.AllFields)
	return err
}

func checkExistsFolded(ctx context.Context, r *rig) error {
	if _, err := r.named(ctx, "Someone"); err != nil {
		return err
	}
	_, err := r.Create(ctx, r.record(values{r.f.Name: "sOMEONE"}), adapters.AllFields)
	return r.wantTaken("create with a name that differs in case", err)
}

func checkExistsKey(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	second := r.record(r.someone(2))
	second.Key = rec.Key
	_, err = r.Create(ctx, second, adapters.AllFields)
	if err := wantKind("create with a key that is taken", err, adapters.Exists); err != nil {
		return err
	}
	return r.stored(ctx, rec.Key, r.someone(1))
}

func (r *rig) wantTaken(what string, err error) error {
	if err := wantKind(what+" with a unique value that is taken", err, adapters.Exists); err != nil {
		return err
	}
	var e *adapters.Error
	if errors.As(err, &e) && e.Field != r.f.Name {
		return fmt.Errorf("%s: Exists blames the field %q, not %q", what, e.Field, r.f.Name)
	}
	return nil
}

// checkLostUpdate changes a field by a delta that says it held what it no
// longer holds. Whatever else the delta holds must not happen.
func checkLostUpdate(ctx context.Context, r *rig) error {
	stale, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	if _, err := r.Update(ctx, stale.Key, set(stale, r.f.Nick, "theirs"), adapters.Fields{}); err != nil {
		return err
	}
	want := r.someone(1)
	want[r.f.Nick] = "theirs"
	deltas := map[string]adapters.Delta{
		"one field":  set(stale, r.f.Nick, "ours"),
		"two fields": sets(stale, values{r.f.Name: "ours", r.f.Nick: "ours"}),
		"to none":    set(stale, r.f.Nick, nil),
	}
	if r.field(r.f.Members).Delta {
		d := set(stale, r.f.Nick, "ours")
		d.Members = []adapters.MemberChange{{Field: r.f.Members, Add: []string{r.h.Member(9)}, Remove: []string{r.h.Member(1)}}}
		deltas["and members"] = d
	}
	var errs []error
	for name, d := range deltas {
		_, err := r.Update(ctx, stale.Key, d, adapters.AllFields)
		errs = append(errs, wantKind("stale delta, "+name, err, adapters.Conflict), r.stored(ctx, stale.Key, want))
	}
	return errors.Join(errs...)
}

// checkHeld changes one field on condition that another, which it leaves alone,
// still holds what it held. Columns and members are held, and columns alone when
// only members change.
func checkHeld(ctx context.Context, r *rig) error {
	stale, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	ok := set(stale, r.f.Nick, "first")
	ok.Held = r.f.all()
	ok.Held = slices.DeleteFunc(ok.Held, func(n string) bool { return n == r.f.Nick })
	fresh, err := r.Update(ctx, stale.Key, ok, adapters.AllFields)
	if err != nil {
		return fmt.Errorf("all that is held is as it was: %w", err)
	}
	want := r.someone(1)
	want[r.f.Nick] = "first"
	held := map[string]adapters.Delta{}
	if other := cmp.Or(r.f.Note, r.f.Age, r.f.Active); other != "" {
		theirs := map[string]any{r.f.Note: "theirs", r.f.Age: int64(77), r.f.Active: "L"}[other]
		if _, err := r.Update(ctx, stale.Key, set(fresh, other, theirs), adapters.Fields{}); err != nil {
			return err
		}
		want[other] = theirs
		d := set(fresh, r.f.Nick, "ours")
		d.Held = []string{r.f.Name, other}
		held["a field"] = d
		if deltas(r) {
			held["a field, and members change"] = adapters.Delta{Before: fresh, After: fresh, Held: []string{other},
				Members: []adapters.MemberChange{{Field: r.f.Members, Add: []string{r.h.Member(9)}}}}
		}
	}
	if deltas(r) {
		join := adapters.Delta{Members: []adapters.MemberChange{{Field: r.f.Members, Add: []string{r.h.Member(8)}}}}
		if _, err := r.Update(ctx, stale.Key, join, adapters.Fields{}); err != nil {
			return err
		}
		want[r.f.Members] = append(slices.Clone(want[r.f.Members].([]string)), r.h.Member(8))
		d := set(fresh, r.f.Nick, "ours")
		d.Held = []string{r.f.Members}
		held["members"] = d
	}
	var errs []error
	for name, d := range held {
		_, err := r.Update(ctx, stale.Key, d, adapters.AllFields)
		errs = append(errs, wantKind("held and changed: "+name, err, adapters.Conflict), r.stored(ctx, stale.Key, want))
	}
	return errors.Join(errs...)
}

// checkLostAbsent does what checkLostUpdate does with values that appeared and disappeared.
func checkLostAbsent(ctx context.Context, r *rig) error {
	without, err := r.named(ctx, "n")
	if err != nil {
		return err
	}
	with, err := r.Update(ctx, without.Key, set(without, r.f.Nick, "there"), adapters.AllFields)
	if err != nil {
		return err
	}
	_, err = r.Update(ctx, without.Key, set(without, r.f.Nick, "ours"), adapters.AllFields)
	if err := wantKind("a value appeared", err, adapters.Conflict); err != nil {
		return err
	}
	if _, err = r.Update(ctx, with.Key, set(with, r.f.Nick, nil), adapters.AllFields); err != nil {
		return err
	}
	_, err = r.Update(ctx, with.Key, set(with, r.f.Nick, "ours"), adapters.AllFields)
	if err := wantKind("a value disappeared", err, adapters.Conflict); err != nil {
		return err
	}
	return r.stored(ctx, with.Key, values{r.f.Name: "n"})
}

// checkCancelled wants each call with a context that has ended to fail, and
// the writes among them to change nothing.
func checkCancelled(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, errGet := r.Get(ended, rec.Key, adapters.AllFields)
	_, errList := r.List(ended, adapters.Query{Limit: 10})
	_, errCreate := r.Create(ended, r.record(r.someone(2)), adapters.AllFields)
	_, errUpdate := r.Update(ended, rec.Key, set(rec, r.f.Nick, "x"), adapters.AllFields)
	var errs []error
	for op, err := range map[string]error{
		"get": errGet, "list": errList, "create": errCreate, "update": errUpdate,
		"delete": r.Delete(ended, rec.Key), "probe": r.Probe(ended),
	} {
		if !adapters.Is(err, adapters.Unavailable) || !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s with a cancelled context: got %v, want unavailable around context.Canceled", op, err))
		}
	}
	errs = append(errs, r.stored(ctx, rec.Key, r.someone(1)), r.count(ctx, 1))
	return errors.Join(errs...)
}

// count fails unless there are n records.
func (r *rig) count(ctx context.Context, n int) error {
	page, err := r.List(ctx, adapters.Query{Limit: n + 10})
	if err != nil {
		return err
	}
	if len(page.Records) != n {
		return fmt.Errorf("there are %d records, want %d", len(page.Records), n)
	}
	return nil
}
