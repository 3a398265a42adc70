package several

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Options are what an Adapter is made of.
type Options struct {
	Main  adapters.Adapter
	Parts []Part // in the order in which they are written

	// Shape is the fields of the whole: those of the main record by their names, those
	// of a part as "part.field".
	Shape *adapters.Shape

	// Key are the main record's fields that make its key.
	Key []string

	// Secret reports whether a field of the whole holds what must not be written down.
	Secret func(field string) bool
}

// A Part is one more place that holds some of a record's fields.
type Part struct {
	Name    string
	Adapter adapters.Adapter

	// The part's field On holds what the main record's field From holds, which may be
	// adapters.KeyField. No two records of the part may hold the same there. ByKey: On
	// is the part's key.
	On, From string
	ByKey    bool

	Create    bool           // its record is made when one of its fields first has a value
	Keep      bool           // its record stays when the main one is deleted
	Sure      bool           // nothing that was sent is done after the connection has ended
	Constants map[string]any // what a record that is made here holds besides

	// Ask are the fields of the whole by which the part is asked first for the records
	// that a filter with eq is true of. Few may have the same value.
	Ask []string
}

// An Adapter is a main adapter and its parts as one. New makes it.
type Adapter struct {
	o     Options
	main  *place
	parts []*place
	at    []position // by position in the shape
	caps  adapters.Capabilities
}

var _ adapters.Adapter = (*Adapter)(nil)

// A place is where some of the fields live.
type place struct {
	Part
	caps  adapters.Capabilities
	shape *adapters.Shape
	whole []int // by position in its own shape: that in the shape of the whole, or -1
}

// A position is where a field of the whole lives.
type position struct {
	place *place
	index int
}

// New makes an adapter. It asks no backend.
func New(o Options) (*Adapter, error) {
	if o.Secret == nil {
		o.Secret = func(string) bool { return false }
	}
	a := &Adapter{o: o, main: newPlace(Part{Adapter: o.Main}), at: make([]position, o.Shape.Len())}
	for _, p := range o.Parts {
		a.parts = append(a.parts, newPlace(p))
	}
	for i, name := range o.Shape.Names() {
		p, own := a.placeOf(name)
		index := p.shape.Index(own)
		if index < 0 {
			return nil, fmt.Errorf("there is no field %q", name)
		}
		a.at[i] = position{p, index}
		p.whole[index] = i
	}
	for _, p := range a.parts {
		if err := a.linked(p); err != nil {
			return nil, fmt.Errorf("part %s: %w", p.Name, err)
		}
	}
	a.caps = a.capabilities()
	return a, nil
}

func newPlace(p Part) *place {
	c := p.Adapter.Capabilities()
	n := &place{Part: p, caps: c, shape: c.Shape, whole: make([]int, c.Shape.Len())}
	for i := range n.whole {
		n.whole[i] = -1
	}
	return n
}

// placeOf is where a field of the whole lives, and what it is called there.
func (a *Adapter) placeOf(name string) (*place, string) {
	if first, own, ok := strings.Cut(name, "."); ok {
		for _, p := range a.parts {
			if p.Name == first {
				return p, own
			}
		}
	}
	return a.main, name
}

// linked refuses a part whose records could not be found.
func (a *Adapter) linked(p *place) error {
	if f, ok := a.main.caps.Field(p.From); !ok || f.Multi {
		return fmt.Errorf("the main record has no single field %q", p.From)
	}
	f, ok := p.caps.Field(p.On)
	switch {
	case !ok || f.Multi:
		return fmt.Errorf("it has no single field %q", p.On)
	case !p.ByKey && !f.Filter[filter.Exact].Has(filter.Eq):
		return fmt.Errorf("its backend cannot find records by %q", p.On)
	}
	return nil
}

// Capabilities implements adapters.Adapter.
func (a *Adapter) Capabilities() adapters.Capabilities { return a.caps }

// capabilities are those of the main adapter. Of a part's fields it is only declared
// what can be asked of the part first.
func (a *Adapter) capabilities() adapters.Capabilities {
	c := a.main.caps
	c.Shape, c.Finish = a.o.Shape, a.finish
	c.Fields = make([]adapters.Field, a.o.Shape.Len())
	for i, at := range a.at {
		f := at.place.caps.Fields[at.index]
		if p := at.place; p != a.main {
			f.Costly, f.Apart, f.Sort, f.Delta, f.Checked = true, true, nil, false, false
			f.Filter = a.asked(p, a.o.Shape.Names()[i], f)
		}
		c.Fields[i] = f
	}
	return c
}

// asked is what can be asked of a part's field: eq, where the answer can be put to the
// main adapter.
func (a *Adapter) asked(p *place, name string, f adapters.Field) map[filter.Match]filter.Ops {
	from, _ := a.main.caps.Field(p.From)
	if !a.main.caps.Or || !from.Filter[filter.Exact].Has(filter.Eq) || !slices.Contains(p.Ask, name) {
		return nil
	}
	out := map[filter.Match]filter.Ops{}
	for match, ops := range f.Filter {
		if ops.Has(filter.Eq) {
			out[match] = filter.OpsOf(filter.Eq)
		}
	}
	return out
}

// Probe implements adapters.Adapter.
func (a *Adapter) Probe(ctx context.Context) error {
	return a.each(a.all(), func(p *place) error { return p.Adapter.Probe(ctx) })
}

// Close implements adapters.Adapter.
func (a *Adapter) Close() error {
	var errs []error
	for _, p := range a.all() {
		errs = append(errs, p.Adapter.Close())
	}
	return errors.Join(errs...)
}

// all are the places in the order in which they are written.
func (a *Adapter) all() []*place { return append([]*place{a.main}, a.parts...) }

// each asks places at the same time. It answers the first error in their order.
func (a *Adapter) each(places []*place, f func(*place) error) error {
	return parallel(len(places), func(i int) error { return a.outward(places[i], f(places[i])) })
}

// outward is a place's error in the words of the whole.
func (a *Adapter) outward(p *place, err error) error {
	var ae *adapters.Error
	if p == a.main || p == nil || !errors.As(err, &ae) || ae.Field == "" || strings.HasPrefix(ae.Field, p.Name+".") {
		return err
	}
	out := *ae
	out.Field = p.Name + "." + ae.Field
	switch {
	case ae.Field == p.On && a.o.Shape.Index(p.From) >= 0: // which it follows
		out.Field = p.From
	case a.o.Shape.Index(out.Field) < 0:
		out.Field = ""
	}
	return &out
}
