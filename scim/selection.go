package scim

import (
	"slices"
	"strings"
)

// A Selection is which attributes an answer holds (RFC 7644 section 3.9),
// compiled to one mark per slot, so that writing an answer looks nothing up. It
// is made once per request, or once at start, and does not change.
type Selection struct {
	layout   *Layout
	only     bool // attributes were named: nothing is in by default
	named    map[*Attribute]bool
	excluded map[*Attribute]bool
	written  map[*Attribute]bool
	marks    []mark
}

// A mark says whether an attribute is in the answer, and which sub-attributes.
type mark struct {
	in  bool
	sub []mark // nil: all of them
}

// Select compiles the parameters attributes and excludedAttributes. Names may
// have any case, carry the URN of their schema, name a sub-attribute, or be the
// URN of an extension alone, which stands for its attributes. Unknown
// names are ignored. Both parameters together are refused.
func Select(l *Layout, attributes, excluded []string) (*Selection, error) {
	s := &Selection{layout: l, named: resolveAll(l, attributes), excluded: resolveAll(l, excluded)}
	s.only = slices.ContainsFunc(attributes, notBlank)
	if s.only && slices.ContainsFunc(excluded, notBlank) {
		return nil, Bad(InvalidValue, "attributes and excludedAttributes exclude each other; send one of them.")
	}
	if !s.only && len(s.excluded) == 0 {
		return DefaultSelection(l), nil
	}
	s.compile()
	return s, nil
}

// DefaultSelection is what an answer holds when the client names nothing.
func DefaultSelection(l *Layout) *Selection { return l.standard }

func resolveAll(l *Layout, names []string) map[*Attribute]bool {
	var set map[*Attribute]bool
	for _, n := range names {
		if a := l.Resolve(strings.TrimSpace(n)); a != nil {
			if set == nil {
				set = make(map[*Attribute]bool, len(names))
			}
			set[a] = true
		}
	}
	return set
}

func notBlank(s string) bool { return strings.TrimSpace(s) != "" }

// With is the selection that also holds those of the attributes whose returned
// is request, because the client has just written them (S-30, C-10). It changes
// nothing when the client itself has said which attributes it wants.
func (s *Selection) With(attrs ...*Attribute) *Selection {
	if s.only || !slices.ContainsFunc(attrs, holdsRequest) {
		return s
	}
	c := &Selection{layout: s.layout, named: s.named, excluded: s.excluded, written: make(map[*Attribute]bool, len(attrs))}
	for _, a := range attrs {
		c.written[a] = true
	}
	c.compile()
	return c
}

func holdsRequest(a *Attribute) bool {
	return a.Returned == ReturnedRequest || slices.ContainsFunc(a.Sub, holdsRequest)
}

// Needs reports whether the answer holds the attribute or any part of it, so
// that what it does not need is not read.
func (s *Selection) Needs(a *Attribute) bool { return s.markOf(a).in }

// Requested reports whether the client named the attribute, or a part of it, in
// attributes.
func (s *Selection) Requested(a *Attribute) bool {
	return s.named[a] || slices.ContainsFunc(a.Sub, s.Requested)
}

func (s *Selection) markOf(a *Attribute) mark {
	if a.parent == nil {
		return s.marks[a.slot]
	}
	m := s.markOf(a.parent)
	if m.sub == nil { // the parent is in, or out, as a whole
		return m
	}
	return m.sub[a.slot]
}

func (s *Selection) compile() {
	s.marks = make([]mark, len(s.layout.attrs))
	for i, a := range s.layout.attrs {
		s.marks[i] = s.mark(a, scope{in: !s.only, live: true})
	}
}

// A scope is what an attribute inherits from the one that it is part of.
type scope struct {
	in      bool // what is returned by default is in
	live    bool // what is returned always is in
	written bool // the client has just written it
}

func (s *Selection) mark(a *Attribute, from scope) mark {
	if a.Returned == ReturnedNever {
		return mark{} // A-07, with everything in it
	}
	from.written = from.written || s.written[a]
	in := s.includes(a, from)
	// If parts are listed as written, they are the ones that were; else all are.
	some := slices.ContainsFunc(a.Sub, func(sub *Attribute) bool { return s.written[sub] })
	below := scope{in: in, written: from.written && !some}
	below.live = from.live && (in || some || a.Returned != ReturnedRequest || s.Requested(a))
	if len(a.Sub) == 0 {
		return mark{in: in}
	}
	m := mark{sub: make([]mark, len(a.Sub))}
	whole := true
	for i, sub := range a.Sub {
		m.sub[i] = s.mark(sub, below)
		m.in = m.in || m.sub[i].in
		whole = whole && m.sub[i].in && m.sub[i].sub == nil
	}
	if whole {
		m.sub = nil
	}
	return m
}

func (s *Selection) includes(a *Attribute, from scope) bool {
	switch {
	case a.Returned == ReturnedAlways && from.live:
		return true // whatever was excluded
	case s.excluded[a]:
		return false
	case a.Returned == ReturnedRequest:
		return s.named[a] || from.written
	}
	return from.in || s.named[a]
}
