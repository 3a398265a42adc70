package rules

import (
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// A Reference is an attribute of a resource that was read: the keys of the
// records it points to. Fill puts their ids in; until then it has no value, so
// that a key can never leave by accident.
type Reference struct {
	Type    string
	Keys    []string
	Checked bool // the backend saw to it that the records exist and are in scope
	res     *scim.Resource
	rule    *Rule
}

// Read makes the resource of a record, except for its references. A rule that
// cannot make a value of what the backend holds leaves the attribute out and is
// reported to warn.
func (m *Mapping) Read(rec adapters.Record, p *Plan, warn func(*Rule, error)) (*scim.Resource, []Reference) {
	res := scim.NewResource(m.Type.Layout)
	var refs []Reference
	for i, r := range m.rules {
		if !p.rules[i] || r.group != nil {
			continue
		}
		if r.refers != nil {
			refs = m.appendReference(refs, r, rec, res)
			continue
		}
		v, err := r.read(rec)
		if err != nil {
			warn(r, err)
			continue
		}
		res.Put(r.attr, v)
	}
	for i, g := range m.groups {
		if !p.groups[i] {
			continue
		}
		m.readGroup(g, rec, res, warn)
	}
	return res, refs
}

func (m *Mapping) readGroup(g *group, rec adapters.Record, res *scim.Resource, warn func(*Rule, error)) {
	var elem scim.Value
	for _, r := range g.rules {
		v, err := r.read(rec)
		if err != nil {
			warn(r, err)
			continue
		}
		if !v.Present() {
			continue
		}
		if !elem.Present() {
			elem = scim.NewComplex(g.attr)
		}
		elem.Set(r.attr, v)
	}
	if !elem.Present() {
		return
	}
	for _, c := range g.consts {
		elem.Set(c.attr, c.value)
	}
	elems := res.Get(g.attr).Elems()
	res.Put(g.attr, scim.List(append(elems[:len(elems):len(elems)], elem)...))
}

// read makes the attribute's value of a record.
func (r *Rule) read(rec adapters.Record) (scim.Value, error) {
	var raw any
	if r.index >= 0 {
		raw = rec.At(r.index)
	}
	switch {
	case r.in != nil:
		v, err := r.in.onRecord(rec, raw)
		if err != nil {
			return scim.Value{}, err
		}
		return fromAny(r.attr, v, r.group != nil)
	case r.out != nil: // write-only
		return scim.Value{}, nil
	case r.codes != nil:
		return r.decode(raw)
	case r.split != "":
		return r.splitValue(raw)
	}
	return toValue(r.attr, raw, r.format)
}

func (r *Rule) decode(raw any) (scim.Value, error) {
	if adapters.NoValue(raw) {
		return scim.Value{}, nil
	}
	s := text(raw)
	for _, c := range r.codes {
		if c.backend == s {
			return c.value, nil
		}
	}
	return scim.Value{}, fmt.Errorf("the backend's value is not in the table of line %d", r.Line)
}

func (r *Rule) splitValue(raw any) (scim.Value, error) {
	var parts []any
	for _, s := range strings.Split(text(raw), r.split) {
		if s = strings.TrimSpace(s); s != "" {
			parts = append(parts, s)
		}
	}
	return fromAny(r.attr, parts, false)
}

func (m *Mapping) appendReference(refs []Reference, r *Rule, rec adapters.Record, res *scim.Resource) []Reference {
	var keys []string
	switch v := rec.At(r.index).(type) {
	case []string:
		keys = v
	default:
		if s := text(v); s != "" {
			keys = []string{s}
		}
	}
	if len(keys) == 0 {
		return refs
	}
	return append(refs, Reference{Type: r.refers.typ, Keys: keys, Checked: m.field(r).Checked, res: res, rule: r})
}

// Fill puts the ids of a reference's records into the resource, in the order of
// its Keys. An empty id leaves that record out: provisioning may not see it.
func (f Reference) Fill(ids []string, base string) {
	ref := f.rule.refers
	var elems []scim.Value
	for _, id := range ids {
		if id != "" {
			elems = append(elems, ref.make(id, base))
		}
	}
	switch {
	case len(elems) == 0:
	case ref.holder.MultiValued:
		f.res.Put(ref.holder, scim.List(elems...))
	default:
		f.res.Put(ref.holder, elems[0])
	}
}

// make is the value that points to a resource (RFC 7643 section 2.4).
func (ref *reference) make(id, base string) scim.Value {
	if ref.value == nil {
		if ref.holder.Type == scim.TypeReference {
			return scim.Str(ref.location(base, id))
		}
		return scim.Str(id)
	}
	v := scim.NewComplex(ref.holder)
	v.Set(ref.value, scim.Str(id))
	if ref.uri != nil {
		v.Set(ref.uri, scim.Str(ref.location(base, id)))
	}
	if ref.kind != nil {
		v.Set(ref.kind, scim.Str(ref.kindName))
	}
	return v
}
