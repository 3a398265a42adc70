package ldap

import (
	"regexp"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// References are read and written for many entries at a time: one search for each two
// hundred of them.

// relate fills in the references that are wanted.
func (a *Adapter) relate(s *session, entries []*ldap.Entry, recs []adapters.Record, want adapters.Fields) error {
	for i := range a.fields {
		f := &a.fields[i]
		if f.refers == nil || !want.Has(i) || len(recs) == 0 {
			continue
		}
		lists, err := a.named(s, f, entries)
		if err != nil {
			return err
		}
		for n, list := range lists {
			switch {
			case len(list) == 0:
			case f.list:
				recs[n].SetAt(i, list)
			default:
				recs[n].SetAt(i, list[0])
			}
		}
	}
	return nil
}

// named are the keys that a field of each of some entries holds.
func (a *Adapter) named(s *session, f *field, entries []*ldap.Entry) ([][]string, error) {
	if f.refers.From != "" {
		return f.refers.backward(s, entries)
	}
	names := make([][]string, len(entries))
	var all []string
	for n, e := range entries {
		values, err := s.all(e, f.attribute)
		if err != nil {
			return nil, err
		}
		names[n] = a.members(s.server, values)
		s.d.membersRead.Add(int64(len(values)))
		all = append(all, names[n]...)
	}
	keys, err := f.refers.keys(s, without(all, nil))
	if err != nil {
		return nil, err
	}
	for n, list := range names {
		out := list[:0:0]
		for _, name := range list {
			if k, ok := keys[name]; ok && !slices.Contains(out[max(0, len(out)-1):], k) {
				out = append(out, k)
			}
		}
		names[n] = out
	}
	return names, nil
}

// members leaves out the placeholder.
func (a *Adapter) members(v *server, values []string) []string {
	if a.target.Placeholder == "" {
		return values
	}
	none := v.normalDN(a.target.Placeholder)
	return slices.DeleteFunc(slices.Clone(values), func(dn string) bool { return dn == a.target.Placeholder || v.normalDN(dn) == none })
}

// uid is what may follow the name in a uniqueMember (RFC 4517 section 3.3.21).
var uid = regexp.MustCompile(`#'[01]*'B$`)

// keys are the keys of the entries that values name. Who is not there, or not in
// scope, has none.
func (r *Reference) keys(s *session, values []string) (map[string]string, error) {
	if r.By != "" {
		return r.keysBy(s, values)
	}
	exact, normal := map[string]string{}, map[string]string{}
	take := func(e *ldap.Entry) error {
		if key := r.To.keyOf(s.server, e); key != "" && r.To.in(s.server, e) {
			n := s.normalDN(e.DN)
			if _, twice := normal[n]; twice {
				normal[n] = "" // two entries that only their own directory tells apart
			} else {
				normal[n] = string(key)
			}
			exact[e.DN] = string(key)
		}
		return nil
	}
	if err := r.named(s, values, take); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(values))
	for _, v := range values {
		dn := uid.ReplaceAllString(v, "")
		key, ok := exact[dn]
		if !ok {
			key = normal[s.normalDN(dn)]
		}
		if key != "" {
			out[v] = key
		}
	}
	return out, nil
}

// named reads the entries of some DNs.
func (r *Reference) named(s *session, dns []string, take func(*ldap.Entry) error) error {
	attributes := r.To.needs()
	if s.dnAttribute == "" {
		for _, dn := range dns {
			if !s.within(dn, r.To.Base, r.To.Subtree) {
				continue
			}
			e, err := s.base(dn, r.To.condition(), attributes)
			if err == nil && e != nil {
				err = take(e)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return chunks(dns, func(some []string) error {
		terms := make([]string, len(some))
		for i, dn := range some {
			terms[i] = equals(s.dnAttribute, uid.ReplaceAllString(dn, ""))
		}
		return s.search(r.To, allOf(r.To.condition(), anyOf(terms...)), attributes, take)
	})
}

// keysBy finds entries by what an attribute of theirs holds.
func (r *Reference) keysBy(s *session, values []string) (map[string]string, error) {
	out := make(map[string]string, len(values))
	err := chunks(values, func(some []string) error {
		terms := make([]string, len(some))
		for i, v := range some {
			terms[i] = equals(r.By, v)
		}
		return s.search(r.To, allOf(r.To.condition(), anyOf(terms...)), r.To.needs(r.By), func(e *ldap.Entry) error {
			if key := r.To.keyOf(s.server, e); key != "" && r.To.in(s.server, e) {
				out[chosen(s.server, e, r.By, valuesOf(s.server, e, r.By))] = string(key)
			}
			return nil
		})
	})
	return out, err
}

// values are what stands in an entry for the entries with some keys. Invalid if one
// is not there, unless they are wanted for a removal.
func (r *Reference) values(s *session, field string, keys []string, must bool) ([]string, error) {
	found := make(map[string]string, len(keys))
	take := func(e *ldap.Entry) error {
		if !r.To.in(s.server, e) {
			return nil
		}
		value := e.DN
		if r.By != "" {
			value = chosen(s.server, e, r.By, valuesOf(s.server, e, r.By))
		}
		found[string(r.To.keyOf(s.server, e))] = value
		return nil
	}
	err := chunks(keys, func(some []string) error {
		terms := make([]string, len(some))
		for i, k := range some {
			terms[i] = r.To.keyCondition(s.server, k)
		}
		return s.search(r.To, allOf(r.To.condition(), anyOf(terms...)), r.To.needs(r.By), take)
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, k := range keys {
		v, ok := found[k]
		switch {
		case ok && v != "" && !slices.Contains(out, v):
			out = append(out, v)
		case !ok && must:
			return nil, missing(field)
		}
	}
	return out, nil
}

// backward are the keys of the entries that name each of some entries.
func (r *Reference) backward(s *session, entries []*ldap.Entry) ([][]string, error) {
	out := make([][]string, len(entries))
	place := map[string][]int{}
	var names []string
	for i, e := range entries {
		name := e.DN
		if r.By != "" {
			name = chosen(s.server, e, r.By, valuesOf(s.server, e, r.By))
		}
		if name != "" {
			names = append(names, name)
			n := r.comparable(s, name)
			place[n] = append(place[n], i)
		}
	}
	bulk := len(names) > 1 && s.has(controlMatched)
	step := func(some []string) error { return r.naming(s, some, bulk, place, out) }
	if !bulk {
		for _, name := range names {
			if err := step([]string{name}); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return out, chunks(names, step)
}

func (r *Reference) comparable(s *session, name string) string {
	if r.By != "" {
		return name
	}
	return s.normalDN(uid.ReplaceAllString(name, ""))
}

// naming finds the entries that name one of some. In bulk, the server is asked to tell
// only those values that are among them (RFC 3876): a group may have many more.
func (r *Reference) naming(s *session, names []string, bulk bool, place map[string][]int, out [][]string) error {
	terms := make([]string, len(names))
	for i, n := range names {
		terms[i] = equals(r.From, n)
	}
	attributes := r.To.needs()
	var controls []ldap.Control
	if bulk {
		attributes = r.To.needs(r.From)
		items := slices.Clone(terms)
		for _, a := range attributes {
			if a != r.From {
				items = append(items, present(a))
			}
		}
		c, err := matchedValues(items)
		if err != nil {
			return err
		}
		controls = append(controls, c)
	}
	return s.search(r.To, allOf(r.To.condition(), anyOf(terms...)), attributes, func(e *ldap.Entry) error {
		key := r.To.keyOf(s.server, e)
		if key == "" || !r.To.in(s.server, e) {
			return nil
		}
		held := names
		if bulk {
			held = valuesOf(s.server, e, r.From)
		}
		for _, h := range held {
			for _, i := range place[r.comparable(s, h)] {
				if !slices.Contains(out[i], string(key)) {
					out[i] = append(out[i], string(key))
				}
			}
		}
		return nil
	}, controls...)
}

// matchedValues is the control that lets only those values be told that fit.
func matchedValues(items []string) (ldap.Control, error) {
	list := ber.NewSequence("ValuesReturnFilter")
	for _, item := range items {
		p, err := ldap.CompileFilter(item)
		if err != nil {
			return nil, err
		}
		list.AppendChild(p)
	}
	return ldap.NewControlString(controlMatched, true, string(list.Bytes())), nil
}
