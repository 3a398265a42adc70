package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// What a backend has no room for is kept beside its record, by whoever calls this
// package: JSON texts by name. A rule that says `kept` makes its attribute of such a
// text, as it was written. An out expression that says `kept` is told what its field
// held when the attribute last had the value that is now being written.

// Kept is what is kept for one record.
type Kept = map[string]string

// A KeptChange is what becomes of one kept text.
type KeptChange struct {
	Name  string
	Value string // JSON; "": nothing is kept any more
	Plain string // the text by which a filter may find it, "" for others
}

// memoryPrefix marks the names under which the former content of a field is kept.
// No path begins so.
const memoryPrefix = "before "

var errUnreadable = errors.New("what is kept does not fit the attribute any more")

// Keeps reports whether anything is kept for records.
func (m *Mapping) Keeps() bool { return m.keeps }

// KeepsTimes reports whether meta.created and meta.lastModified are those that are
// kept.
func (m *Mapping) KeepsTimes() (created, modified bool) {
	return m.byAttr[m.created].keepsTime(), m.byAttr[m.modified].keepsTime()
}

func (r *Rule) keepsTime() bool { return r != nil && r.spec.Kept && r.kept == "" }

// Kept reports whether the rule's attribute is kept beside the record.
func (r *Rule) Kept() bool { return r.spec.Kept }

// Keeping reports whether what is kept is among what a plan reads.
func (p *Plan) Keeping() bool { return p.keeps }

// Remembering is the plan, with what out expressions want to know.
func (p *Plan) Remembering(m *Mapping) *Plan {
	p.keeps = p.keeps || m.remembers
	return p
}

// ReadKept completes a resource that Read has made.
func (m *Mapping) ReadKept(res *scim.Resource, rec adapters.Record, kept Kept, p *Plan, warn func(*Rule, error)) {
	for _, r := range p.kept {
		v, err := r.readKept(kept)
		if err != nil {
			warn(r, err)
			continue
		}
		res.Put(r.attr, v)
	}
	for _, g := range p.keptGroups {
		g.read(rec, kept, res, warn)
	}
}

func (r *Rule) readKept(kept Kept) (scim.Value, error) {
	text, ok := kept[r.kept]
	if !ok {
		return scim.Value{}, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return scim.Value{}, errUnreadable
	}
	return fromKept(r.attr, v, r.group != nil)
}

// KeptOf is what is kept of a new resource.
func (m *Mapping) KeptOf(res *scim.Resource, null func(*scim.Attribute) bool) []KeptChange {
	if !m.keeps {
		return nil
	}
	res = m.withDefaults(res, null)
	return m.keptChanges(scim.NewResource(res.Layout()), res)
}

// KeptDelta is what becomes of what is kept when a resource becomes another, by a
// change of its record.
func (m *Mapping) KeptDelta(kept Kept, before, after *scim.Resource, d adapters.Delta) []KeptChange {
	if !m.keeps {
		return nil
	}
	out := m.keptChanges(before, after)
	for _, r := range m.rules {
		if r.remembers() && !before.Get(r.attr).Equal(after.Get(r.attr)) {
			if i := slices.IndexFunc(d.Set, func(c adapters.Change) bool { return c.Field == r.field }); i >= 0 {
				out = append(out, KeptChange{Name: memoryPrefix + r.name, Value: r.memoryOf(kept, before.Get(r.attr), d.Set[i].Old)})
			}
		}
	}
	return out
}

func (m *Mapping) keptChanges(before, after *scim.Resource) []KeptChange {
	var out []KeptChange
	was, is := m.assign(before), m.assign(after)
	for _, r := range m.rules {
		if r.kept == "" || !r.writable {
			continue
		}
		old, now := before.Get(r.attr), after.Get(r.attr)
		if r.group != nil {
			old, now = was.of(r.group).Get(r.attr), is.of(r.group).Get(r.attr)
		}
		if old.Equal(now) {
			continue
		}
		c := KeptChange{Name: r.kept}
		if now.Present() {
			c.Value = keptText(r.attr, now)
			if now.Kind() == scim.KindString {
				c.Plain = now.String()
			}
		}
		out = append(out, c)
	}
	return out
}

// keptText is the JSON text of a value, whole and without a loss.
func keptText(a *scim.Attribute, v scim.Value) string {
	b, err := json.Marshal(toKept(a, v))
	if err != nil {
		panic(err) // values always have a JSON form
	}
	return string(b)
}

func toKept(a *scim.Attribute, v scim.Value) any {
	switch v.Kind() {
	case scim.KindDecimal:
		return json.Number(v.String())
	case scim.KindComplex:
		m := make(map[string]any, len(a.Sub))
		for _, s := range a.Sub {
			if sv := v.Get(s); sv.Present() {
				m[s.Name] = toKept(s, sv)
			}
		}
		return m
	case scim.KindList:
		l := make([]any, len(v.Elems()))
		for i, e := range v.Elems() {
			l[i] = toKept(a, e)
		}
		return l
	}
	return toAny(a, v)
}

// fromKept is the inverse of toKept. What the schema has no place for any more is
// left out.
func fromKept(a *scim.Attribute, v any, single bool) (scim.Value, error) {
	switch x := v.(type) {
	case []any:
		if !a.MultiValued || single {
			return scim.Value{}, errUnreadable
		}
		elems := make([]scim.Value, 0, len(x))
		for _, e := range x {
			ev, err := fromKept(a, e, true)
			if err != nil {
				return scim.Value{}, err
			}
			elems = append(elems, ev)
		}
		return scim.List(elems...).Compact(), nil
	case map[string]any:
		if a.Type != scim.TypeComplex || a.MultiValued && !single {
			return scim.Value{}, errUnreadable
		}
		out := scim.NewComplex(a)
		for _, s := range a.Sub {
			sv, err := fromKept(s, x[s.Name], false)
			if err != nil {
				return scim.Value{}, err
			}
			out.Set(s, sv)
		}
		return out.Compact(), nil
	case nil:
		return scim.Value{}, nil
	}
	if a.Type == scim.TypeComplex || a.MultiValued && !single {
		return scim.Value{}, errUnreadable
	}
	return plainKept(a, v)
}

func plainKept(a *scim.Attribute, v any) (scim.Value, error) {
	switch x := v.(type) {
	case string:
		if a.Type != scim.TypeBoolean && a.Type != scim.TypeInteger && a.Type != scim.TypeDecimal {
			return scim.Str(x), nil
		}
	case bool:
		if a.Type == scim.TypeBoolean {
			return scim.Bool(x), nil
		}
	case json.Number:
		n, err := x.Int64()
		switch {
		case a.Type == scim.TypeDecimal:
			return scim.Decimal(x.String()), nil
		case a.Type == scim.TypeInteger && err == nil:
			return scim.Int(n), nil
		}
	}
	return scim.Value{}, errUnreadable
}

// A remembered is what a field held while an attribute had a value.
type remembered struct {
	For   string `json:"for"`
	Value any    `json:"value"`
}

// remembers reports whether the rule is told what its field held before.
func (r *Rule) remembers() bool { return r.out != nil && r.out.kept }

// mostRemembered bounds for how many values of an attribute it is remembered.
const mostRemembered = 4

// memoryOf is the text by which it is remembered what a field held while the attribute
// had a value, after what is remembered already.
func (r *Rule) memoryOf(kept Kept, of scim.Value, held any) string {
	switch t := held.(type) {
	case time.Time:
		held = t.UTC().Format(time.RFC3339Nano)
	case []byte:
		held = string(t)
	case nil, string, bool, int64, float64:
	default:
		held = nil
	}
	all := slices.DeleteFunc(r.memories(kept), func(m remembered) bool { return m.For == valueText(of) })
	if !adapters.NoValue(held) {
		all = slices.Insert(all, 0, remembered{valueText(of), held})
	}
	b, err := json.Marshal(all[:min(len(all), mostRemembered)])
	if err != nil || len(all) == 0 {
		return "" // a number that JSON has not
	}
	return string(b)
}

// memories are what is remembered, the latest first.
func (r *Rule) memories(kept Kept) (all []remembered) {
	text, ok := kept[memoryPrefix+r.name]
	if !ok {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return nil
	}
	return all
}

// recall is what the rule's field held when the attribute last had the value.
func (r *Rule) recall(kept Kept, v scim.Value) any {
	if !r.remembers() {
		return nil
	}
	for _, m := range r.memories(kept) {
		n, isNumber := m.Value.(json.Number)
		switch {
		case m.For != valueText(v):
		case !isNumber:
			return m.Value
		default:
			if whole, err := n.Int64(); err == nil {
				return int(whole)
			}
			f, _ := n.Float64()
			return f
		}
	}
	return nil
}

// valueText tells the values of a plain attribute apart.
func valueText(v scim.Value) string {
	switch v.Kind() {
	case scim.KindBool:
		return fmt.Sprint(v.Bool())
	case scim.KindInt:
		return fmt.Sprint(v.Int())
	}
	return v.String()
}

// KeptCompares lists the comparisons of a filter that what is kept can answer: by
// KeptName, and KeptTest of each text.
func (m *Mapping) KeptCompares(e filter.Expr) []*filter.Compare {
	if !m.keeps {
		return nil
	}
	var out []*filter.Compare
	filter.Walk(e, func(n filter.Expr) bool {
		if c, ok := n.(*filter.Compare); ok && identifies(c) && m.KeptName(attribute(c)) != "" {
			out = append(out, c)
		}
		return true
	})
	return out
}

// KeptName is the name under which an attribute is kept that has one value, "" if it
// is not kept.
func (m *Mapping) KeptName(a *scim.Attribute) string {
	if r := m.byAttr[a]; r != nil && !a.MultiValued && a.Type != scim.TypeComplex {
		return r.kept
	}
	return ""
}

// Shows reports whether a field shows in the backend's records what was written to it.
func (m *Mapping) Shows(field string) bool {
	return slices.ContainsFunc(m.rules, func(r *Rule) bool { return r.field == field && r.readable && !r.spec.Kept && !secret(r.attr) })
}

// KeptTest reports whether a comparison with eq is true of a kept text.
func KeptTest(c *filter.Compare, text string) bool {
	var s string
	eq := *c
	eq.Op = filter.Eq
	return json.Unmarshal([]byte(text), &s) == nil && filter.Test(&eq, filter.StringValue(s))
}
