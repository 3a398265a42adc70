package route

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Bind makes fields that hold keys of one place's records hold keys as all others
// know them. Records of another place cannot be referred to by such a field. The
// places are by field.
func Bind(a adapters.Adapter, places map[string]string) adapters.Adapter {
	if len(places) == 0 {
		return a
	}
	b := &bound{Adapter: a, caps: a.Capabilities(), places: map[int]string{}}
	fields := make([]adapters.Field, len(b.caps.Fields))
	copy(fields, b.caps.Fields)
	for name, place := range places {
		i := b.caps.Shape.Index(name)
		if i < 0 {
			continue
		}
		b.places[i] = place
		fields[i].Bound, fields[i].Sort = true, nil
		fields[i].Filter = map[filter.Match]filter.Ops{}
		for m, ops := range b.caps.Fields[i].Filter {
			can := filter.OpsOf(filter.Pr)
			if m == filter.Exact {
				can = filter.OpsOf(filter.Eq, filter.Pr)
			}
			fields[i].Filter[m] = ops & can
		}
	}
	b.caps.Fields = fields
	return b
}

type bound struct {
	adapters.Adapter
	caps   adapters.Capabilities
	places map[int]string
}

// Capabilities implements adapters.Adapter.
func (b *bound) Capabilities() adapters.Capabilities { return b.caps }

// Get implements adapters.Adapter.
func (b *bound) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	rec, err := b.Adapter.Get(ctx, key, want)
	return b.out(rec), err
}

// List implements adapters.Adapter.
func (b *bound) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	if err := b.caps.Check(q); err != nil {
		return adapters.Page{Total: -1}, err
	}
	q.Filter = b.filter(q.Filter)
	pg, err := b.Adapter.List(ctx, q)
	for i := range pg.Records {
		pg.Records[i] = b.out(pg.Records[i])
	}
	return pg, err
}

// Create implements adapters.Adapter.
func (b *bound) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	in, err := b.in("create", r)
	if err != nil {
		return adapters.Record{}, err
	}
	rec, err := b.Adapter.Create(ctx, in, want)
	return b.out(rec), err
}

// Update implements adapters.Adapter.
func (b *bound) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	in, err := b.delta(d)
	if err != nil {
		return adapters.Record{}, err
	}
	rec, err := b.Adapter.Update(ctx, key, in, want)
	return b.out(rec), err
}

// out makes known keys of what a record refers to.
func (b *bound) out(r adapters.Record) adapters.Record {
	if r.IsZero() {
		return r
	}
	for i, place := range b.places {
		switch v := r.At(i).(type) {
		case nil:
		case []string:
			all := make([]string, len(v))
			for j, k := range v {
				all[j] = string(Key(place, adapters.Key(k)))
			}
			r.SetAt(i, all)
		default:
			if !adapters.NoValue(v) && Key(place, adapters.Key(adapters.Text(v))) != adapters.Key(adapters.Text(v)) {
				r.SetAt(i, string(Key(place, adapters.Key(adapters.Text(v)))))
			}
		}
	}
	return r
}

func (b *bound) in(op string, r adapters.Record) (adapters.Record, error) {
	if r.IsZero() {
		return r, nil
	}
	r = r.Clone()
	for i := range b.places {
		v, err := b.value(op, i, r.At(i))
		if err != nil {
			return r, err
		}
		r.SetAt(i, v)
	}
	return r, nil
}

// value is a field's value in the words of its place.
func (b *bound) value(op string, i int, v any) (any, error) {
	list, ok := v.([]string)
	switch {
	case ok:
		return b.keys(op, i, list)
	case adapters.NoValue(v):
		return v, nil
	}
	k, ok := b.key(i, adapters.Text(v))
	if !ok {
		return nil, b.strange(op, i)
	}
	if k == adapters.Text(v) {
		return v, nil
	}
	return k, nil
}

func (b *bound) keys(op string, i int, list []string) ([]string, error) {
	out := make([]string, len(list))
	for j, k := range list {
		var ok bool
		if out[j], ok = b.key(i, k); !ok {
			return nil, b.strange(op, i)
		}
	}
	return out, nil
}

// key is what a key is in the field's place; false if its record is in another.
func (b *bound) key(i int, known string) (string, bool) {
	place, inner, ok := Split(adapters.Key(known))
	return string(inner), ok && place == b.places[i]
}

func (b *bound) strange(op string, i int) error {
	e := adapters.Errorf(adapters.Invalid, op, "the field cannot hold the key of a record in another place")
	e.Field = b.caps.Shape.Names()[i]
	e.Told = "one of the resources that it names lives where this one cannot refer to it"
	return e
}

func (b *bound) delta(d adapters.Delta) (adapters.Delta, error) {
	var err error
	in := adapters.Delta{Held: d.Held}
	if in.Before, err = b.in("update", d.Before); err == nil {
		in.After, err = b.in("update", d.After)
	}
	for _, c := range d.Set {
		if i := b.caps.Shape.Index(c.Field); err == nil && b.is(i) {
			if c.Old, err = b.value("update", i, c.Old); err == nil {
				c.New, err = b.value("update", i, c.New)
			}
		}
		in.Set = append(in.Set, c)
	}
	for _, m := range d.Members {
		if i := b.caps.Shape.Index(m.Field); err == nil && b.is(i) {
			m.Add, err = b.keys("update", i, m.Add)
			var gone []string
			for _, k := range m.Remove {
				if inner, ok := b.key(i, k); ok { // others are not there
					gone = append(gone, inner)
				}
			}
			m.Remove = gone
		}
		in.Members = append(in.Members, m)
	}
	return in, err
}

func (b *bound) is(i int) bool { _, ok := b.places[i]; return ok }

func (b *bound) filter(e filter.Expr) filter.Expr {
	if e == nil {
		return nil
	}
	e = filter.Simplify(filter.Map(e, b.translate))
	if _, all := e.(filter.True); all {
		return nil
	}
	return e
}

// translate is what a place is asked instead of one comparison.
func (b *bound) translate(e filter.Expr) filter.Expr {
	c, ok := e.(*filter.Compare)
	if !ok || c.Op != filter.Eq || !b.is(b.caps.Shape.Index(c.Name)) {
		return e
	}
	inner, ok := b.key(b.caps.Shape.Index(c.Name), c.Value.Str)
	if !ok {
		return filter.False{}
	}
	as := *c
	as.Value = filter.StringValue(inner)
	return &as
}
