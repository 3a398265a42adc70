package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
)

// stored is the record as it will be kept: a copy in the adapter's own shape.
func (a *Adapter) stored(r adapters.Record, op string) (adapters.Record, error) {
	out := adapters.NewRecord(a.caps.Shape, r.Key)
	if r.IsZero() {
		return out, nil
	}
	for i, f := range a.fields {
		v, err := a.value(i, r.Get(f.Name), op)
		if err != nil {
			return out, err
		}
		out.SetAt(i, v)
	}
	return out, nil
}

// value is v as the field keeps it, or Invalid if v is of no type that records
// hold.
func (a *Adapter) value(i int, v any, op string) (any, error) {
	_, list := v.([]string)
	if elems, ok := v.([]adapters.Record); ok || a.caps.Fields[i].Elements != nil {
		return a.elements(i, v, elems, op)
	}
	switch v.(type) {
	case nil, string, int64, float64, bool, []byte, time.Time, []string:
		if !adapters.NoValue(v) && list != a.caps.Fields[i].Multi {
			return nil, fieldError(adapters.Invalid, op, a.fields[i].Name, "a list, or no list where one is needed")
		}
	default:
		return nil, fieldError(adapters.Invalid, op, a.fields[i].Name, "records hold no %T", v)
	}
	return copied(v), nil
}

// elements are the elements of a field in its own shape, without keys: nothing
// here tells them apart but what they hold.
func (a *Adapter) elements(i int, v any, elems []adapters.Record, op string) (any, error) {
	parts := a.caps.Fields[i].Elements
	if parts == nil || elems == nil && !adapters.NoValue(v) {
		return nil, fieldError(adapters.Invalid, op, a.fields[i].Name, "elements with parts, or none where they are needed")
	}
	var out []adapters.Record
	for _, e := range elems {
		kept := adapters.NewRecord(parts.Shape, "")
		for _, name := range parts.Shape.Names() {
			kept.Set(name, copied(e.Get(name)))
		}
		if !kept.Empty() {
			out = append(out, kept)
		}
	}
	return copied(out), nil
}

// copied is v without what could be changed through it; nil for no value.
func copied(v any) any {
	if adapters.NoValue(v) {
		return nil
	}
	switch v := v.(type) {
	case []string:
		return slices.Clone(v)
	case []byte:
		return slices.Clone(v)
	case []adapters.Record:
		return adapters.CloneElements(v)
	}
	return v
}

// changed is old with d applied, or Conflict. Nothing that is stored changes.
func (a *Adapter) changed(old adapters.Record, d adapters.Delta) (adapters.Record, error) {
	r := old.Clone()
	for _, c := range d.Set {
		i := a.caps.Shape.Index(c.Field)
		if i < 0 {
			return r, fieldError(adapters.Unsupported, "update", c.Field, "no such field")
		}
		if !adapters.Same(a.current(old, i), c.Old) {
			return r, fieldError(adapters.Conflict, "update", c.Field, "the value is not what it was when it was read")
		}
		v, err := a.value(i, c.New, "update")
		if err != nil {
			return r, err
		}
		r.SetAt(i, v)
		if a.ends[i] != nil && v == nil {
			r.SetAt(i, []string{}) // an empty list, not an untouched one
		}
	}
	for _, name := range d.Held {
		if i := a.caps.Shape.Index(name); i >= 0 && !adapters.Same(a.current(old, i), d.Before.Get(name)) {
			return r, fieldError(adapters.Conflict, "update", name, "the value is not what it was when it was read")
		}
	}
	if a.from >= 0 {
		r.Key = adapters.Key(adapters.Text(r.At(a.from)))
		if r.Key == "" {
			return r, fieldError(adapters.Invalid, "update", a.keyName(), "a record must have a key")
		}
	}
	return r, a.checkMembers(d.Members)
}

func (a *Adapter) checkMembers(changes []adapters.MemberChange) error {
	for _, m := range changes {
		if f, ok := a.caps.Field(m.Field); !ok || !f.Delta {
			return fieldError(adapters.Unsupported, "update", m.Field, "no member changes")
		}
	}
	return nil
}

// current is what a field holds, wherever it is kept.
func (a *Adapter) current(r adapters.Record, i int) any {
	if e := a.ends[i]; e != nil {
		return e.of(r.Key)
	}
	return r.At(i)
}

// takeLists moves the lists that relations keep out of r. Lists that r does not
// speak of are not among them.
func (a *Adapter) takeLists(r adapters.Record) map[int][]string {
	lists := map[int][]string{}
	for i, e := range a.ends {
		if list, ok := r.At(i).([]string); ok && e != nil {
			lists[i] = list
			r.SetAt(i, nil)
		}
	}
	return lists
}

// alive fails when the caller has given up: memory has nothing to wait for, but
// what is tested against it should meet what a slow backend does.
func alive(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: err}
	}
	return nil
}

func notFound(op string) error {
	return &adapters.Error{Kind: adapters.NotFound, Op: op}
}

func refuse(op string) error {
	return &adapters.Error{Kind: adapters.Unsupported, Op: op}
}

func fieldError(k adapters.Kind, op, field, format string, args ...any) error {
	return &adapters.Error{Kind: k, Op: op, Field: field, Err: fmt.Errorf(format, args...)}
}
