package scim

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"
)

// Readable is the selection of all that a client may see: what is returned by
// default, and what is returned on request, unless except says otherwise.
func (l *Layout) Readable(except func(*Attribute) bool) *Selection {
	s := &Selection{layout: l, named: map[*Attribute]bool{}, excluded: map[*Attribute]bool{}}
	var name func(a *Attribute)
	name = func(a *Attribute) {
		if except != nil && except(a) {
			s.excluded[a] = true
			return
		}
		s.named[a] = true
		for _, sub := range a.Sub {
			name(sub)
		}
	}
	for _, a := range l.attrs {
		name(a)
	}
	s.compile()
	return s
}

var versionBuffers = sync.Pool{New: func() any { return new([]byte) }}

// largestVersionBuffer is how large a buffer may be and still be kept.
const largestVersionBuffer = 1 << 16

// Version is a strong entity tag of what a selection shows of a resource (RFC
// 9110 section 8.8.3): the same whenever the content is the same, whichever node
// answers, and another one whenever it is not. meta.version itself must not be
// set.
func Version(r *Resource, s *Selection) string {
	p := versionBuffers.Get().(*[]byte)
	*p = AppendResource((*p)[:0], r, s)
	tag := tagOf(*p)
	if cap(*p) <= largestVersionBuffer {
		versionBuffers.Put(p)
	}
	return tag
}

// ValueVersion is a strong entity tag of one value of an attribute.
func ValueVersion(a *Attribute, v Value) string { return tagOf(AppendValue(nil, a, v)) }

func tagOf(content []byte) string {
	sum := sha256.Sum256(content)
	tag := make([]byte, 0, 24)
	tag = append(tag, '"')
	tag = base64.RawURLEncoding.AppendEncode(tag, sum[:16])
	return string(append(tag, '"'))
}
