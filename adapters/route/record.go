package route

import (
	"errors"

	"github.com/postern/postern/adapters"
)

// Between the words of all places and those of one.

// Holds reports whether the place has room for all that a record holds, and if not,
// the field for which it has none.
func (p *place) Holds(r adapters.Record) (field string, ok bool) {
	for i, v := range r.Values() {
		if name := p.outer.Names()[i]; p.inner[i] < 0 && name != adapters.PlaceField && !adapters.NoValue(v) {
			return name, false
		}
	}
	return "", true
}

func lacking(op, field string) error {
	e := adapters.Errorf(adapters.Invalid, op, "the place has no room for this")
	e.Field = field
	e.Told = "there is no room for it where this resource lives"
	return e
}

// fields are the place's own of a set of fields.
func (p *place) fields(want adapters.Fields) adapters.Fields {
	if want.Has(1 << 30) { // all that there are
		return adapters.AllFields
	}
	var names []string
	for i, at := range p.inner {
		if at >= 0 && want.Has(i) {
			names = append(names, p.shape.Names()[at])
		}
	}
	return p.shape.FieldSet(names...)
}

// in is a record in the place's own words, without a key.
func (p *place) in(r adapters.Record) adapters.Record {
	out := adapters.NewRecord(p.shape, "")
	for i, at := range p.inner {
		if at >= 0 {
			out.SetAt(at, p.valueIn(i, r.At(i)))
		}
	}
	return out
}

// out is one of the place's records in the words of all.
func (p *place) out(r adapters.Record) adapters.Record {
	if r.IsZero() {
		return r
	}
	out := adapters.NewRecord(p.outer, Key(p.Name, r.Key))
	for i, at := range p.inner {
		if at >= 0 {
			out.SetAt(i, valueOf(r.At(at), p.elems[i]))
		}
	}
	out.Set(adapters.PlaceField, p.Name)
	return out
}

// valueIn is a field's value in the place's own words.
func (p *place) valueIn(i int, v any) any {
	e := p.caps.Fields[p.inner[i]].Elements
	if e == nil {
		return v
	}
	return valueOf(v, e.Shape)
}

// valueOf gives elements the parts of a shape; other values are what they are.
func valueOf(v any, shape *adapters.Shape) any {
	elems, ok := v.([]adapters.Record)
	if !ok || shape == nil {
		return v
	}
	out := make([]adapters.Record, len(elems))
	for i, e := range elems {
		if out[i] = e; e.Shape() == shape {
			continue
		}
		out[i] = adapters.NewRecord(shape, e.Key)
		for j, name := range shape.Names() {
			out[i].SetAt(j, e.Get(name))
		}
	}
	return out
}

// delta is a change in the place's own words. What it lacks can only become nothing.
func (p *place) delta(d adapters.Delta) (adapters.Delta, error) {
	var in adapters.Delta
	if !d.Before.IsZero() {
		in.Before = p.in(d.Before)
	}
	if !d.After.IsZero() {
		in.After = p.in(d.After)
	}
	if _, key, ok := Split(d.Before.Key); ok && !d.Before.IsZero() {
		in.Before.Key = key
	}
	if _, key, ok := Split(d.After.Key); ok && !d.After.IsZero() {
		in.After.Key = key
	}
	for _, c := range d.Set {
		i := p.outer.Index(c.Field)
		switch {
		case i < 0 || c.Field == adapters.PlaceField:
			return in, adapters.Errorf(adapters.Unsupported, "update", "no update moves a record")
		case p.inner[i] >= 0:
			in.Set = append(in.Set, adapters.Change{Field: p.name(c.Field), Old: p.valueIn(i, c.Old), New: p.valueIn(i, c.New)})
		case !adapters.NoValue(c.New):
			return in, lacking("update", c.Field)
		}
	}
	for _, m := range d.Members {
		switch i := p.outer.Index(m.Field); {
		case i >= 0 && p.inner[i] >= 0:
			in.Members = append(in.Members, adapters.MemberChange{Field: p.name(m.Field), Add: m.Add, Remove: m.Remove})
		case len(m.Add) > 0:
			return in, lacking("update", m.Field)
		}
	}
	for _, h := range d.Held {
		if i := p.outer.Index(h); i >= 0 && p.inner[i] >= 0 {
			in.Held = append(in.Held, p.name(h))
		}
	}
	return in, nil
}

// blame names the field at fault as all places do.
func (p *place) blame(err error) error {
	var e *adapters.Error
	if !errors.As(err, &e) || e.Field == "" {
		return err
	}
	for i, at := range p.inner {
		if at >= 0 && p.shape.Names()[at] == e.Field && p.outer.Names()[i] != e.Field {
			other := *e
			other.Field = p.outer.Names()[i]
			return &other
		}
	}
	return err
}
