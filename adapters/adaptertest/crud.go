package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/postern/postern/adapters"
)

// Checks of single records: what is stored is what is read, and answers hold
// what the backend holds.

func checkCapabilities(_ context.Context, r *rig) error {
	if r.shape == nil || len(r.caps.Fields) != r.shape.Len() {
		return fmt.Errorf("capabilities: %d fields do not fit the shape", len(r.caps.Fields))
	}
	for _, name := range []string{r.f.Name, r.f.Nick} {
		if name == "" || r.shape.Index(name) < 0 {
			return fmt.Errorf("harness: fields Name and Nick must be in the shape, %q is not", name)
		}
	}
	for i, f := range r.caps.Fields {
		if f.Delta && !f.Multi {
			return fmt.Errorf("capabilities: %s takes member changes but is not Multi", r.shape.Names()[i])
		}
	}
	if r.Capabilities().Shape != r.shape {
		return errors.New("capabilities: the shape changed between two calls")
	}
	return nil
}

func checkProbe(ctx context.Context, r *rig) error {
	return r.Probe(ctx)
}

func checkCreate(ctx context.Context, r *rig) error {
	want := r.someone(1)
	made, err := r.Create(ctx, r.record(want), adapters.AllFields)
	if err != nil {
		return err
	}
	if made.Key == "" {
		return errors.New("create: the answer has no key")
	}
	if err := r.holds(made, want); err != nil {
		return fmt.Errorf("the answer of create: %w", err)
	}
	read, err := r.get(ctx, made.Key)
	if err != nil {
		return err
	}
	if read.Key != made.Key {
		return fmt.Errorf("get %q answers the record %q", made.Key, read.Key)
	}
	return r.holds(read, want)
}

func checkCreateBare(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "bare", r.f.Nick: ""})
	if err != nil {
		return err
	}
	return r.holds(rec, values{r.f.Name: "bare"})
}

// checkCallersRecord wants records that do not change behind anyone's back.
func checkCallersRecord(ctx context.Context, r *rig) error {
	rec := r.record(r.someone(1))
	made, err := r.Create(ctx, rec, adapters.AllFields)
	if err != nil {
		return err
	}
	rec.Set(r.f.Nick, "changed by the caller")
	made.Set(r.f.Nick, "changed by the caller")
	read, err := r.get(ctx, made.Key)
	if err != nil {
		return err
	}
	read.Set(r.f.Name, "changed by the caller")
	again, err := r.get(ctx, made.Key)
	if err != nil {
		return err
	}
	return r.holds(again, r.someone(1))
}

func checkUpdate(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	other, err := r.put(ctx, r.someone(2))
	if err != nil {
		return err
	}
	want := r.someone(1)
	change := values{r.f.Nick: "new nick", r.f.Note: nil, r.f.Age: int64(-5)}
	delete(change, "")
	maps.Copy(want, change)
	answer, err := r.Update(ctx, rec.Key, sets(rec, change), adapters.AllFields)
	if err != nil {
		return err
	}
	if err := r.holds(answer, want); err != nil {
		return fmt.Errorf("the answer of update: %w", err)
	}
	if err := r.stored(ctx, rec.Key, want); err != nil {
		return err
	}
	return r.stored(ctx, other.Key, r.someone(2))
}

// checkUpdateClears takes a value away in both of its forms, nil and "".
func checkUpdateClears(ctx context.Context, r *rig) error {
	for _, nothing := range []any{nil, ""} {
		rec, err := r.put(ctx, values{r.f.Name: fmt.Sprintf("clear %v", nothing), r.f.Nick: "x"})
		if err != nil {
			return err
		}
		rec, err = r.Update(ctx, rec.Key, set(rec, r.f.Nick, nothing), adapters.AllFields)
		if err != nil {
			return fmt.Errorf("update to %#v: %w", nothing, err)
		}
		if v := rec.Get(r.f.Nick); !adapters.NoValue(v) {
			return fmt.Errorf("after an update to %#v the field holds %#v", nothing, v)
		}
		if _, err = r.Update(ctx, rec.Key, set(rec, r.f.Nick, "y"), adapters.Fields{}); err != nil {
			return fmt.Errorf("update from no value: %w", err)
		}
	}
	return nil
}

// checkUpdateStored changes one field of a record while another field has
// changed since it was read: the answer must be what is stored then, not what
// the caller believed.
func checkUpdateStored(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "n", r.f.Nick: "old", r.f.Note: "old"})
	if err != nil {
		return err
	}
	if _, err := r.Update(ctx, rec.Key, set(rec, r.f.Note, "new"), adapters.Fields{}); err != nil {
		return err
	}
	answer, err := r.Update(ctx, rec.Key, set(rec, r.f.Nick, "new"), adapters.AllFields)
	switch {
	case adapters.Is(err, adapters.Conflict): // a backend that replaces whole records must refuse
		return r.stored(ctx, rec.Key, values{r.f.Name: "n", r.f.Nick: "old", r.f.Note: "new"})
	case err != nil:
		return err
	}
	both := values{r.f.Name: "n", r.f.Nick: "new", r.f.Note: "new"}
	if err := r.holds(answer, both); err != nil {
		return fmt.Errorf("the answer of update: %w", err)
	}
	return r.stored(ctx, rec.Key, both)
}

func checkUpdateEmpty(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	answer, err := r.Update(ctx, rec.Key, adapters.Delta{}, adapters.AllFields)
	if err != nil {
		return err
	}
	return r.holds(answer, r.someone(1))
}

func checkRename(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, values{r.f.Name: "before", r.f.Nick: "x"})
	if err != nil {
		return err
	}
	answer, err := r.Update(ctx, rec.Key, set(rec, r.h.KeyFrom, "after"), adapters.AllFields)
	if err != nil {
		return err
	}
	if answer.Key == rec.Key {
		return fmt.Errorf("after a change of %s the key is still %q", r.h.KeyFrom, rec.Key)
	}
	if _, err := r.Get(ctx, rec.Key, adapters.Fields{}); !adapters.Is(err, adapters.NotFound) {
		return fmt.Errorf("get of the old key: got %v, want notFound", err)
	}
	return r.stored(ctx, answer.Key, values{r.f.Name: "after", r.f.Nick: "x"})
}

func checkDelete(ctx context.Context, r *rig) error {
	gone, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	stays, err := r.put(ctx, r.someone(2))
	if err != nil {
		return err
	}
	if err := r.Delete(ctx, gone.Key); err != nil {
		return err
	}
	if _, err := r.Get(ctx, gone.Key, adapters.Fields{}); !adapters.Is(err, adapters.NotFound) {
		return fmt.Errorf("get after delete: got %v, want notFound", err)
	}
	if err := r.stored(ctx, stays.Key, r.someone(2)); err != nil {
		return err
	}
	_, err = r.put(ctx, r.someone(1)) // its unique value is free again
	return err
}

// someone is a record with a value in every field, different for each i.
func (r *rig) someone(i int) values {
	v := values{
		r.f.Name:   fmt.Sprintf("Someone %d", i),
		r.f.Nick:   fmt.Sprintf("nick%d", i),
		r.f.Note:   fmt.Sprintf("a note %d", i),
		r.f.Age:    int64(40 + i),
		r.f.Active: "A",
		r.f.Born:   born.AddDate(0, 0, i),
	}
	if r.f.Members != "" {
		v[r.f.Members] = []string{r.h.Member(1), r.h.Member(i + 2)}
	}
	if elements(r) {
		v[r.f.Emails] = r.elements("a"+v[r.f.Nick].(string), "work", int64(i), "b", nil, nil)
	}
	delete(v, "")
	return v
}

// holds compares a record with the values wanted; fields that are not among
// them must be without a value. Lists are compared as sets.
func (r *rig) holds(rec adapters.Record, want values) error {
	var errs []error
	for _, name := range r.f.all() {
		if got := rec.Get(name); !sameValue(got, want[name]) {
			errs = append(errs, fmt.Errorf("%s of the record %q: got %#v, want %#v", name, rec.Key, got, want[name]))
		}
	}
	return errors.Join(errs...)
}

// stored compares the record at key with the values wanted.
func (r *rig) stored(ctx context.Context, key adapters.Key, want values) error {
	rec, err := r.get(ctx, key)
	if err != nil {
		return err
	}
	if rec.Key != key {
		return fmt.Errorf("get %q answers the record %q", key, rec.Key)
	}
	return r.holds(rec, want)
}

// all lists the fields that are there.
func (f Fields) all() []string {
	names := []string{f.Name, f.Nick, f.Note, f.Age, f.Active, f.Born, f.Members, f.Emails}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

func sameValue(got, want any) bool {
	if adapters.NoValue(got) || adapters.NoValue(want) {
		return adapters.NoValue(got) && adapters.NoValue(want)
	}
	if list, ok := want.([]string); ok {
		have, ok := got.([]string)
		return ok && slices.Equal(sorted(have), sorted(list))
	}
	if _, ok := want.([]adapters.Record); ok {
		return adapters.Same(got, want)
	}
	return sameType(got, want) && adapters.Text(got) == adapters.Text(want)
}

func sameType(a, b any) bool { return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) }

func sorted(list []string) []string {
	return slices.Sorted(slices.Values(list))
}
