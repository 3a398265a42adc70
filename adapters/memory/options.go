package memory

import (
	"maps"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Options describe one kind of object. The zero Options is a kind without
// fields whose keys are generated: "1", "2", and so on.
type Options struct {
	Fields []Field

	// GivenKeys: Create takes the key from the record.
	GivenKeys bool

	// KeyFrom names a field whose value is the key; changing it renames the
	// record.
	KeyFrom string

	// Restrict takes capabilities away. It is called once, with everything on.
	// NoFilters, OnlyEq, NoSort, NoTotal and CursorOnly are ready made.
	Restrict []func(*adapters.Capabilities)
}

// A Field describes one field.
type Field struct {
	Name   string
	Unique bool // a second equal value is refused; no value is never equal
	Folded bool // Unique: values that differ only in case are equal
	Costly bool // read only when wanted

	// Multi makes the field a list. Lists are kept in the record, in the order
	// given, and are replaced whole; unless the field has a Relation.
	Multi bool

	// Parts makes the field a list of elements with these parts. They are kept in
	// the record, in the order given, and are replaced whole.
	Parts []string

	// Relation keeps the values of the field, which is then Multi, Costly and
	// takes member changes. Two adapters may share one, as groups and their
	// users share a join table: one reads it with Inverse.
	Relation *Relation
	Inverse  bool
}

// NoFilters takes all filters away.
func NoFilters(c *adapters.Capabilities) { onlyOps(c, 0) }

// OnlyEq leaves eq and the joining of filters with and.
func OnlyEq(c *adapters.Capabilities) { onlyOps(c, filter.OpsOf(filter.Eq)) }

// NoSort takes sorting away.
func NoSort(c *adapters.Capabilities) {
	c.Key.Sort = nil
	for i := range c.Fields {
		c.Fields[i].Sort = nil
	}
}

// NoTotal takes counting away.
func NoTotal(c *adapters.Capabilities) { c.Total = false }

// CursorOnly takes offsets away.
func CursorOnly(c *adapters.Capabilities) { c.Offset = false }

// NoDelta makes lists that take member changes take only the whole list.
func NoDelta(c *adapters.Capabilities) {
	for i := range c.Fields {
		c.Fields[i].Delta = false
	}
}

func onlyOps(c *adapters.Capabilities, ops filter.Ops) {
	c.Or, c.Not = false, false
	c.Key.Filter = intersect(c.Key.Filter, ops)
	for i := range c.Fields {
		c.Fields[i].Filter = intersect(c.Fields[i].Filter, ops)
		if e := c.Fields[i].Elements; e != nil {
			for j := range e.Fields {
				e.Fields[j].Filter = intersect(e.Fields[j].Filter, ops)
			}
		}
	}
}

func intersect(m map[filter.Match]filter.Ops, ops filter.Ops) map[filter.Match]filter.Ops {
	out := maps.Clone(m)
	for match := range out {
		if out[match] &= ops; out[match] == 0 {
			delete(out, match)
		}
	}
	return out
}

// everyFilter is every operator of every way to compare.
func everyFilter() map[filter.Match]filter.Ops {
	all := map[filter.Match]filter.Ops{}
	for m := filter.Exact; m <= filter.Presence; m++ {
		all[m] = filter.OpsFor(m)
	}
	return all
}

// everySort is every way to compare of which there is an order.
func everySort() map[filter.Match]bool {
	return map[filter.Match]bool{
		filter.Exact: true, filter.Folded: true, filter.Boolean: true,
		filter.Integer: true, filter.Decimal: true, filter.DateTime: true,
	}
}

// capabilities are everything on, less what Restrict takes away.
func (o Options) capabilities() adapters.Capabilities {
	names := make([]string, len(o.Fields))
	fields := make([]adapters.Field, len(o.Fields))
	for i, f := range o.Fields {
		names[i] = f.Name
		fields[i] = f.capability()
	}
	c := adapters.Capabilities{
		Shape:     adapters.NewShape(names...),
		Fields:    fields,
		Key:       adapters.Field{Filter: everyFilter(), Sort: everySort(), Unique: true},
		Or:        true,
		Not:       true,
		Offset:    true,
		Total:     true,
		GivenKeys: o.GivenKeys,
	}
	for _, restrict := range o.Restrict {
		restrict(&c)
	}
	return c
}

func (f Field) capability() adapters.Field {
	related := f.Relation != nil
	c := adapters.Field{
		Filter: everyFilter(),
		Multi:  f.Multi || related,
		Delta:  related,
		Costly: f.Costly || related,
		Unique: f.Unique,
	}
	if len(f.Parts) > 0 {
		c.Filter, c.Multi, c.Elements = nil, true, f.elements()
	}
	if !c.Multi {
		c.Sort = everySort()
	}
	return c
}

func (f Field) elements() *adapters.Elements {
	e := &adapters.Elements{Shape: adapters.NewShape(f.Parts...), Fields: make([]adapters.Field, len(f.Parts))}
	for i := range e.Fields {
		e.Fields[i].Filter = everyFilter()
	}
	return e
}
