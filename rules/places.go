package rules

import (
	"slices"

	"github.com/expr-lang/expr"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// A type's resources may live in several places. Which one a resource belongs to is
// decided by conditions over it, asked in order; the type's target takes the rest.

// A Place is one of them beside the target.
type Place struct {
	Name      Text
	When      Text   // over resource: what belongs here
	Lacks     []Text // attributes, as written in Attributes, that it has no room for
	Constants []Constant
}

// A residence is a Place, compiled.
type residence struct {
	name      string
	when      *expression
	lacks     map[string]bool // fields
	constants []Constant
}

// places compiles the conditions.
func (c *compiler) places() {
	for _, in := range c.in.Places {
		if in.When.Value == "" { // of which config has said that it is not enough
			continue
		}
		p := residence{name: in.Name.Value, lacks: map[string]bool{}, constants: in.Constants}
		if p.when = c.expression(in.When, c.resourceEnvironment(nil), expr.AsBool()); p.when != nil {
			c.checkCondition(p.when, "when")
			c.warnAbsent(p.when, "the resource does not belong there")
			c.checkSeen(in.When, p.when)
		}
		for _, written := range in.Lacks {
			c.lack(written, p.lacks)
		}
		c.m.places = append(c.m.places, p)
	}
	if len(c.m.places) > 0 {
		c.fields = append(c.fields, adapters.PlaceField)
	}
}

// checkSeen refuses a condition over what nobody can read: at a change it is not known.
func (c *compiler) checkSeen(at Text, e *expression) {
	for _, a := range e.attrs {
		if a.Mutability == scim.WriteOnly {
			c.ps.add(at, "name attributes that can be read", "%s is never read, and so a change cannot be judged by it", c.short(a))
		}
	}
}

func (c *compiler) lack(written Text, lacks map[string]bool) {
	var paths []string
	for _, r := range c.m.rules {
		if paths = append(paths, r.Path); r.Path == written.Value {
			if r.field != "" {
				lacks[r.field] = true
			}
			return
		}
	}
	c.ps.add(written, didYouMean(written.Value, paths), "lacks names %q, which attributes does not map", written.Value)
}

// HasPlaces reports whether resources live in several places.
func (m *Mapping) HasPlaces() bool { return len(m.places) > 0 }

// PlaceOf is the name of the place that a resource belongs to: "" is the target.
func (m *Mapping) PlaceOf(res *scim.Resource) string {
	for _, p := range m.places {
		if v, err := p.when.onResource(res, nil, scim.Value{}, nil); err == nil {
			if is, _ := v.(bool); is {
				return p.name
			}
		}
	}
	return ""
}

// IsIn is the name of the place where a record is.
func (m *Mapping) IsIn(rec adapters.Record) string {
	return adapters.Text(rec.Get(adapters.PlaceField))
}

func (m *Mapping) residence(name string) *residence {
	for i := range m.places {
		if m.places[i].name == name {
			return &m.places[i]
		}
	}
	return nil
}

// settle puts a new record into the place that its resource belongs to.
func (m *Mapping) settle(rec adapters.Record, res *scim.Resource) error {
	if !m.HasPlaces() {
		return nil
	}
	return m.putInto(rec, m.PlaceOf(res))
}

// putInto says in which place a record is to be, and refuses what that has no room for.
func (m *Mapping) putInto(rec adapters.Record, name string) error {
	rec.Set(adapters.PlaceField, name)
	p := m.residence(name)
	if p == nil {
		return nil
	}
	for _, c := range p.constants {
		rec.Set(c.Field.Value, c.Value.Value)
	}
	for _, r := range m.rules {
		if r.writable && p.lacks[r.field] && !adapters.NoValue(rec.At(r.index)) {
			return scim.Bad(scim.InvalidValue, "Where a %s like this one lives, there is no room for %s; leave it out, or remove it in the same request.",
				m.Type.Name, r.attr.Path())
		}
	}
	return nil
}

// Moved makes the record that is to be in another place what a record is after a
// change: what rules write, and nothing else. What cannot be read, such as a password,
// is there only if the change sets it; unread are the attributes of which it is not,
// and which the place has.
func (m *Mapping) Moved(rec adapters.Record, d adapters.Delta, into string) (out adapters.Record, unread []*scim.Attribute, err error) {
	out = adapters.NewRecord(m.shape, "")
	set := map[string]any{}
	for _, c := range d.Set {
		set[c.Field] = c.New
	}
	p := m.residence(into)
	for _, r := range m.rules {
		if !r.writable || r.field == "" {
			continue
		}
		v, changed := set[r.field]
		switch {
		case !changed && !r.readable:
			if (p == nil || !p.lacks[r.field]) && adapters.NoValue(out.At(r.index)) && r.kept == "" {
				unread = append(unread, r.attr)
			}
			continue
		case !changed:
			v = rec.At(r.index)
		}
		out.SetAt(r.index, anew(v))
	}
	for _, ch := range d.Members {
		m.relateAnew(out, ch)
	}
	for _, c := range m.constants {
		if v := rec.Get(c.Field.Value); adapters.NoValue(v) {
			out.Set(c.Field.Value, c.Value.Value)
		} else {
			out.Set(c.Field.Value, v)
		}
	}
	return out, unread, m.putInto(out, into)
}

// anew is a value without the keys that its elements have in another place.
func anew(v any) any {
	elems, ok := v.([]adapters.Record)
	if !ok {
		return v
	}
	elems = adapters.CloneElements(elems)
	for i := range elems {
		elems[i].Key = ""
	}
	return elems
}

// relateAnew carries a change of members out on a record.
func (m *Mapping) relateAnew(rec adapters.Record, ch adapters.MemberChange) {
	for _, r := range m.rules {
		if r.field != ch.Field || r.refers == nil {
			continue
		}
		keys := slices.DeleteFunc(slices.Clone(r.Keys(rec.At(r.index))), func(k string) bool { return slices.Contains(ch.Remove, k) })
		for _, k := range ch.Add {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
		if held, err := r.Hold(keys); err == nil {
			rec.SetAt(r.index, held)
		}
		return
	}
}

// Writes reports whether a rule, or a constant, writes a field.
func (m *Mapping) Writes(field string) bool {
	return slices.ContainsFunc(m.rules, func(r *Rule) bool { return r.writable && r.field == field }) ||
		slices.ContainsFunc(m.constants, func(c Constant) bool { return c.Field.Value == field })
}
