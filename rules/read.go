package rules

import (
	"fmt"
	"iter"
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
	for _, r := range p.single {
		if r.copies { // most rules of most mappings
			if s, ok := rec.At(r.index).(string); ok {
				if s != "" {
					res.Put(r.attr, scim.Str(s))
				}
				continue
			}
		}
		if r.refers != nil {
			if keys := r.Keys(rec.At(r.index)); len(keys) > 0 {
				refs = append(refs, Reference{Type: r.refers.typ, Keys: keys, Checked: m.field(r).Checked, res: res, rule: r})
			}
			continue
		}
		v, err := r.read(rec)
		if err != nil {
			warn(r, err)
		}
		res.Put(r.attr, v)
	}
	for _, g := range p.groups {
		g.read(rec, nil, res, warn)
	}
	return res, refs
}

// read makes the elements of a multi-valued attribute.
func (g *gathering) read(rec adapters.Record, kept Kept, res *scim.Resource, warn func(*Rule, error)) {
	var elems []scim.Value
	for _, e := range g.groups {
		if v := e.read(rec, kept, warn); v.Present() {
			if elems == nil {
				elems = make([]scim.Value, 0, len(g.groups))
			}
			elems = append(elems, v)
		}
	}
	res.Put(g.attr, scim.List(elems...))
}

// read makes the element of a group; none if no rule has a value.
func (g *group) read(rec adapters.Record, kept Kept, warn func(*Rule, error)) scim.Value {
	var elem scim.Value
	for _, r := range g.rules {
		v, err := r.readOf(rec, kept)
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
	if elem.Present() {
		for _, c := range g.consts {
			elem.Set(c.attr, c.value)
		}
	}
	return elem
}

// readOf makes it of what is kept, or else of the record.
func (r *Rule) readOf(rec adapters.Record, kept Kept) (scim.Value, error) {
	if r.kept != "" {
		return r.readKept(kept)
	}
	return r.read(rec)
}

// read makes the attribute's value of a record.
func (r *Rule) read(rec adapters.Record) (scim.Value, error) {
	var raw any
	if r.index >= 0 {
		raw = rec.At(r.index)
	}
	switch {
	case !r.readable:
		return scim.Value{}, nil
	case r.columns != nil:
		return r.readRows(raw)
	case r.in != nil:
		v, err := r.in.onRecord(rec, raw)
		if err != nil {
			return scim.Value{}, err
		}
		return fromAny(r.attr, v, r.group != nil)
	case r.list:
		return r.readList(raw)
	case r.split != "":
		return r.splitValue(raw)
	}
	return r.decode(raw)
}

// decode makes one value of what the backend holds.
func (r *Rule) decode(raw any) (scim.Value, error) {
	if r.codes == nil {
		return toValue(r.item, raw, r.format)
	}
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

// splitValue makes several values of a text. Parts of which none can be made
// are left out, and the error speaks of the last.
func (r *Rule) splitValue(raw any) (scim.Value, error) {
	var elems []scim.Value
	var failed error
	for s := range r.parts(raw) {
		v, err := r.decode(s)
		if err != nil {
			failed = err
			continue
		}
		if r.item != r.attr {
			e := scim.NewComplex(r.attr)
			e.Set(r.item, v)
			v = e
		}
		elems = append(elems, v)
	}
	return scim.List(elems...), failed
}

// parts are the texts between the separators.
func (r *Rule) parts(raw any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range strings.SplitSeq(text(raw), separator(r.split)) {
			if s = strings.TrimSpace(s); s != "" && !yield(s) {
				return
			}
		}
	}
}

// separator is what tells values apart when they are read: blanks around it do
// not count, unless it is itself blank.
func separator(split string) string {
	if s := strings.TrimSpace(split); s != "" {
		return s
	}
	return split
}

// Fill puts the ids of a reference's records into the resource, in the order of
// its Keys. An empty id leaves that record out: provisioning may not see it.
func (f Reference) Fill(ids []string, base string) {
	ref := f.rule.refers
	if !ref.holder.MultiValued {
		if len(ids) > 0 && ids[0] != "" {
			ref.put(f.res, ids[0], base)
		}
		return
	}
	elems := make([]scim.Value, 0, len(ids))
	for _, id := range ids {
		if id != "" {
			elems = append(elems, ref.make(id, base))
		}
	}
	f.res.Put(ref.holder, scim.List(elems...))
}

// put adds a reference to what other rules made of its holder.
func (ref *reference) put(res *scim.Resource, id, base string) {
	if ref.value == nil {
		res.Put(ref.holder, ref.make(id, base))
		return
	}
	res.Put(ref.value, scim.Str(id))
	if ref.uri != nil {
		res.Put(ref.uri, scim.Str(ref.location(base, id)))
	}
	if ref.kind != nil {
		res.Put(ref.kind, scim.Str(ref.kindName))
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
