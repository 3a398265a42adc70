package scim

import "strconv"

// AppendResource appends a resource as JSON: what the selection holds, in the
// layout's order, without nulls and empty arrays (S-22). A selection made for
// another layout, or none, is the default one.
func AppendResource(dst []byte, r *Resource, s *Selection) []byte {
	l := r.layout
	if s == nil || s.layout != l {
		s = l.standard
	}
	dst = append(dst, '{')
	first := true
	for i, a := range l.attrs {
		m := &s.marks[i]
		if !m.in || (!r.values[i].Present() && a != l.Schemas) {
			continue
		}
		start := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(dst, a.key...)
		if a == l.Schemas {
			dst = appendSchemas(dst, r)
			first = false
			continue
		}
		var written bool
		if dst, written = appendSelected(dst, a, &r.values[i], m); !written {
			dst = dst[:start]
			continue
		}
		first = false
	}
	return append(dst, '}')
}

func appendSchemas(dst []byte, r *Resource) []byte {
	dst = append(dst, '[')
	dst = AppendString(dst, r.layout.Schema)
	for _, e := range r.layout.Extensions {
		if r.values[e.slot].Present() {
			dst = append(dst, ',')
			dst = AppendString(dst, e.Name)
		}
	}
	return append(dst, ']')
}

// appendSelected appends a value without what the mark leaves out, and reports
// whether anything was left to write.
func appendSelected(dst []byte, a *Attribute, v *Value, m *mark) ([]byte, bool) {
	switch v.kind {
	case KindAbsent:
		return dst, false
	case KindComplex:
		return appendComplex(dst, a, v.items(), m)
	case KindList:
		return appendElements(dst, a, v.items(), m)
	}
	return appendSimple(dst, v), true
}

func appendElements(dst []byte, a *Attribute, elems []Value, m *mark) ([]byte, bool) {
	dst = append(dst, '[')
	wrote := false
	for i := range elems {
		start := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		var written bool
		if dst, written = appendSelected(dst, a, &elems[i], m); !written {
			dst = dst[:start]
			continue
		}
		wrote = true
	}
	return append(dst, ']'), wrote
}

// everything is the mark of sub-attributes of an attribute that is in as a whole.
var everything = mark{in: true}

func appendComplex(dst []byte, a *Attribute, slots []Value, m *mark) ([]byte, bool) {
	dst = append(dst, '{')
	wrote := false
	for i := range slots {
		below := &everything
		if m.sub != nil {
			below = &m.sub[i]
		}
		if !below.in || !slots[i].Present() {
			continue
		}
		start := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		dst = append(dst, a.Sub[i].key...)
		var written bool
		if dst, written = appendSelected(dst, a.Sub[i], &slots[i], below); !written {
			dst = dst[:start]
			continue
		}
		wrote = true
	}
	return append(dst, '}'), wrote
}

func appendSimple(dst []byte, v *Value) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(dst, v.yes)
	case KindInt:
		return append(dst, v.str...)
	case KindDecimal:
		return append(dst, v.str...)
	}
	return AppendString(dst, v.str)
}

// AppendValue appends a whole value of the attribute a as JSON: for a
// multi-valued attribute one element, or all of them; null if it is absent.
func AppendValue(dst []byte, a *Attribute, v Value) []byte {
	start := len(dst)
	dst, written := appendSelected(dst, a, &v, &everything)
	if !written {
		return append(dst[:start], "null"...)
	}
	return dst
}
