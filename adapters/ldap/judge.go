package ldap

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A judge compares records with a filter. Which entries a reference is in was looked
// up before: their members are not read for it.
type judge struct {
	names []string // the fields that the filter names, without references
	who   map[*filter.Compare]*referring
	whole bool // a reference is asked for its presence: it must be read
}

// A referring is what is known of a comparison with a reference.
type referring struct {
	condition string
	keys      map[adapters.Key]bool
}

// judge looks up what a filter says about references.
func (a *Adapter) judge(s *session, e filter.Expr) (judge, error) {
	j := judge{who: map[*filter.Compare]*referring{}}
	if e == nil {
		return j, nil
	}
	var failed error
	filter.Walk(e, func(n filter.Expr) bool {
		c, ok := n.(*filter.Compare)
		if !ok || failed != nil || c.Name == adapters.KeyField {
			return failed == nil
		}
		i := a.caps.Shape.Index(c.Name)
		f := &a.fields[i]
		j.whole = j.whole || f.refers != nil && c.Value.Kind == filter.Null
		if f.refers != nil && c.Value.Kind != filter.Null {
			j.who[c], failed = a.referring(s, f, c)
			return failed == nil
		}
		j.names = append(j.names, c.Name)
		return true
	})
	return j, failed
}

// referring finds the entries of which a reference holds a key.
func (a *Adapter) referring(s *session, f *field, c *filter.Compare) (*referring, error) {
	out := &referring{condition: never, keys: map[adapters.Key]bool{}}
	values, err := f.refers.values(s, c.Name, []string{c.Value.Str}, false)
	if err != nil || len(values) == 0 {
		return out, err
	}
	out.condition = equals(f.attribute, values[0])
	return out, s.search(&a.target.Entries, allOf(a.classes, out.condition), a.target.needs(), func(e *ldap.Entry) error {
		out.keys[a.target.keyOf(s.server, e)] = true
		return nil
	})
}

func (j judge) matches(e filter.Expr, rec adapters.Record) bool {
	return e == nil || filter.Matches(e, subject{j, rec, rec.Subject()})
}

// A subject is a record together with what was looked up.
type subject struct {
	j     judge
	rec   adapters.Record
	plain filter.Subject
}

func (s subject) Values(c *filter.Compare, yield func(filter.Value) bool) {
	who, ok := s.j.who[c]
	if !ok {
		s.plain.Values(c, yield)
	} else if who.keys[s.rec.Key] {
		yield(c.Value)
	}
}

func (s subject) Elements(e *filter.Element, yield func(filter.Subject) bool) {
	s.plain.Elements(e, yield)
}

// condition is true of every entry that a filter is true of. What a negation excludes
// is known of keys only: of everything else the directory may find more equal than
// it is.
func (a *Adapter) condition(v *server, j judge, e filter.Expr) string {
	switch e := e.(type) {
	case filter.False:
		return never
	case filter.And:
		return allOf(a.conditions(v, j, e)...)
	case filter.Or:
		return anyOf(a.conditions(v, j, e)...)
	case filter.Not:
		return a.excluded(v, e.Term)
	case *filter.Compare:
		return a.leaf(v, j, e)
	}
	return always
}

func (a *Adapter) conditions(v *server, j judge, terms []filter.Expr) []string {
	out := make([]string, len(terms))
	for i, t := range terms {
		out[i] = a.condition(v, j, t)
	}
	return out
}

func (a *Adapter) leaf(v *server, j judge, c *filter.Compare) string {
	if c.Name == adapters.KeyField {
		if c.Op == filter.Eq && c.Value.Kind == filter.String && a.target.Key != keyDN {
			return a.target.keyCondition(v, c.Value.Str)
		}
		return always
	}
	if who, ok := j.who[c]; ok {
		return who.condition
	}
	f := a.fields[a.caps.Shape.Index(c.Name)]
	if f.refers != nil {
		return always
	}
	if f.mask > 0 {
		only := filter.Compare{Op: filter.Pr}
		if c.Op == filter.Eq && c.Value.Kind == filter.Null || c.Op == filter.Ne {
			return always
		}
		return v.wide(f.attribute, &only)
	}
	return v.wide(f.attribute, c)
}

// excluded is the condition that an entry has none of some keys.
func (a *Adapter) excluded(v *server, e filter.Expr) string {
	t := v.attribute(a.target.Key)
	if t == nil || t.Equality != "uuidmatch" && t.Equality != "octetstringmatch" {
		return always
	}
	terms, ok := e.(filter.Or)
	if !ok {
		terms = filter.Or{e}
	}
	var keys []string
	for _, t := range terms {
		c, ok := t.(*filter.Compare)
		if !ok || c.Name != adapters.KeyField || c.Op != filter.Eq || c.Value.Kind != filter.String {
			return always
		}
		keys = append(keys, a.target.keyCondition(v, c.Value.Str))
	}
	if one := anyOf(keys...); one != never {
		return "(!" + one + ")"
	}
	return always
}

// selective reports a filter of which the directory finds few entries: one that asks
// for values as they are.
func (a *Adapter) selective(v *server, j judge, e filter.Expr) bool {
	switch e := e.(type) {
	case filter.And:
		for _, t := range e {
			if a.selective(v, j, t) {
				return true
			}
		}
	case filter.Or:
		for _, t := range e {
			if !a.selective(v, j, t) {
				return false
			}
		}
		return len(e) > 0
	case *filter.Compare:
		c := a.leaf(v, j, e)
		return e.Op == filter.Eq && c != always && !strings.Contains(c, "*")
	}
	return false
}
