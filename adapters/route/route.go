package route

import (
	"context"
	"errors"
	"sync"

	"github.com/postern/postern/adapters"
)

// A Place is where some of the records live.
type Place struct {
	Name    string // "" of the first
	Adapter adapters.Adapter
	Names   map[string]string // fields that have another name there
	Lacks   map[string]bool   // fields that it has no room for
}

// Adapter is the records of all places.
type Adapter struct {
	shape  *adapters.Shape
	caps   adapters.Capabilities
	places []*place
	at     int // the position of adapters.PlaceField, -1 without
}

// A place is a Place with what is worked out once.
type place struct {
	Place
	shape *adapters.Shape
	caps  adapters.Capabilities
	inner []int             // by position of the field: that in the place's own shape, -1 if it lacks it
	outer *adapters.Shape   // of all places
	elems []*adapters.Shape // by position: that of all places' elements
}

// New joins places. The first is the one with the empty name. The shape is that of
// the records of all; a field that a place's own shape does not have is one that it
// lacks.
func New(shape *adapters.Shape, places ...Place) *Adapter {
	a := &Adapter{shape: shape, at: shape.Index(adapters.PlaceField)}
	for _, p := range places {
		caps := p.Adapter.Capabilities()
		n := &place{Place: p, shape: caps.Shape, caps: caps, outer: shape, inner: make([]int, shape.Len())}
		for i, name := range shape.Names() {
			n.inner[i] = -1
			if !p.Lacks[name] {
				n.inner[i] = caps.Shape.Index(n.name(name))
			}
		}
		a.places = append(a.places, n)
	}
	a.caps = a.capabilities()
	elems := make([]*adapters.Shape, shape.Len())
	for i, f := range a.caps.Fields {
		if f.Elements != nil {
			elems[i] = f.Elements.Shape
		}
	}
	for _, p := range a.places {
		p.elems = elems
	}
	return a
}

// name is what a field is called in the place.
func (p *place) name(field string) string {
	if n, ok := p.Names[field]; ok {
		return n
	}
	return field
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// find is the place of a key, and what the key is there.
func (a *Adapter) find(op string, key adapters.Key) (*place, adapters.Key, error) {
	name, inner, ok := Split(key)
	if p := a.named(name); ok && p != nil {
		return p, inner, nil
	}
	return nil, "", adapters.Errorf(adapters.NotFound, op, "no place has such a key")
}

func (a *Adapter) named(name string) *place {
	for _, p := range a.places {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Get implements adapters.Adapter. It asks the one place.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	p, inner, err := a.find("get", key)
	if err != nil {
		return adapters.Record{}, err
	}
	rec, err := p.Adapter.Get(ctx, inner, p.fields(want))
	return p.out(rec), p.blame(err)
}

// Create implements adapters.Adapter, in the place that the record names.
func (a *Adapter) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	name := ""
	if a.at >= 0 {
		name = adapters.Text(r.At(a.at))
	}
	p := a.named(name)
	if p == nil {
		return adapters.Record{}, adapters.Errorf(adapters.Internal, "create", "there is no place %q", name)
	}
	if field, ok := p.Holds(r); !ok {
		return adapters.Record{}, lacking("create", field)
	}
	in := p.in(r)
	if name == "" || p.caps.GivenKeys {
		in.Key = r.Key
	}
	rec, err := p.Adapter.Create(ctx, in, p.fields(want))
	return p.out(rec), p.blame(err)
}

// Update implements adapters.Adapter. It never moves a record.
func (a *Adapter) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	p, inner, err := a.find("update", key)
	if err != nil {
		return adapters.Record{}, err
	}
	in, err := p.delta(d)
	if err != nil {
		return adapters.Record{}, err
	}
	if in.Empty() {
		return a.Get(adapters.WithoutCache(ctx), key, want)
	}
	rec, err := p.Adapter.Update(ctx, inner, in, p.fields(want))
	return p.out(rec), p.blame(err)
}

// Delete implements adapters.Adapter.
func (a *Adapter) Delete(ctx context.Context, key adapters.Key) error {
	p, inner, err := a.find("delete", key)
	if err != nil {
		return err
	}
	return p.Adapter.Delete(ctx, inner)
}

// Probe implements adapters.Adapter: all places must answer.
func (a *Adapter) Probe(ctx context.Context) error {
	return a.each(func(_ int, p *place) error { return p.Adapter.Probe(ctx) })
}

// Close implements adapters.Adapter.
func (a *Adapter) Close() error {
	var errs []error
	for _, p := range a.places {
		errs = append(errs, p.Adapter.Close())
	}
	return errors.Join(errs...)
}

// each calls f for all places at once, and answers the first failure in their order.
func (a *Adapter) each(f func(i int, p *place) error) error {
	errs := make([]error, len(a.places))
	var all sync.WaitGroup
	for i, p := range a.places[1:] {
		all.Go(func() { errs[i+1] = f(i+1, p) })
	}
	errs[0] = f(0, a.places[0])
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return a.places[i].blame(err)
		}
	}
	return nil
}
