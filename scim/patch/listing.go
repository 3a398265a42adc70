package patch

import (
	"github.com/postern/postern/scim"
)

// A listing is what the value of a remove names (P-48). A listed element means
// the stored ones that have the same values for what it gives; type and value
// count before primary and display. An element that says nothing means nothing,
// so that no list can empty an attribute by accident (J1).
type listing struct {
	keys   keys
	whole  map[string]bool // simple values and references: by identity
	groups map[string]*listed
}

// listed are elements that give the same sub-attributes.
type listed struct {
	takes map[*scim.Attribute]bool
	keys  map[string]bool
}

func listingOf(a *scim.Attribute, elems []scim.Value) *listing {
	l := &listing{keys: keysOf(a)}
	if a.Type != scim.TypeComplex || l.keys.value != nil {
		l.whole = make(map[string]bool, len(elems))
		for _, e := range elems {
			l.whole[l.keys.of(e)] = true
		}
		return l
	}
	l.groups = map[string]*listed{}
	for _, e := range elems {
		l.add(a, e)
	}
	return l
}

func (l *listing) add(a *scim.Attribute, e scim.Value) {
	takes := given(a, e, isSignificant)
	if len(takes) == 0 {
		takes = given(a, e, func(_, _ *scim.Attribute) bool { return true })
	}
	if len(takes) == 0 {
		return
	}
	mask := make([]byte, len(a.Sub))
	for i, sub := range a.Sub {
		if takes[sub] {
			mask[i] = 1
		}
	}
	g := l.groups[string(mask)]
	if g == nil {
		g = &listed{takes: takes, keys: map[string]bool{}}
		l.groups[string(mask)] = g
	}
	g.keys[g.key(a, e)] = true
}

func given(a *scim.Attribute, e scim.Value, counts func(a, sub *scim.Attribute) bool) map[*scim.Attribute]bool {
	takes := map[*scim.Attribute]bool{}
	for _, sub := range a.Sub {
		if e.Get(sub).Present() && counts(a, sub) {
			takes[sub] = true
		}
	}
	return takes
}

func (g *listed) key(a *scim.Attribute, e scim.Value) string {
	return identityOf(a, e, func(_, sub *scim.Attribute) bool { return g.takes[sub] })
}

// has reports whether the list names the stored element.
func (l *listing) has(stored scim.Value) bool {
	if l.whole != nil {
		return l.whole[l.keys.of(stored)]
	}
	for _, g := range l.groups {
		if g.keys[g.key(l.keys.attr, stored)] {
			return true
		}
	}
	return false
}
