package rules

import (
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

// Comparisons with what the mapping table and the resource type decide.

func keyEq(field, key string) filter.Expr {
	return &filter.Compare{Name: field, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(key)}
}

// byKeys translates eq and ne of an identifier that the mapping table resolves.
func (m *Mapping) byKeys(c *filter.Compare, keys []string) filter.Expr {
	terms := make([]filter.Expr, len(keys))
	for i, k := range keys {
		terms[i] = keyEq(adapters.KeyField, k)
	}
	t := filter.OrOf(terms...)
	if c.Op == filter.Ne {
		return m.negate(t)
	}
	return t
}

func identifies(c *filter.Compare) bool {
	return (c.Op == filter.Eq || c.Op == filter.Ne) && c.Value.Kind == filter.String
}

func (m *Mapping) idCompare(c *filter.Compare, l Lookup) filter.Expr {
	switch {
	case isPresence(c):
		return truth(!isNull(c)) // every resource has one
	case !identifies(c) || l.Key == nil:
		return nil
	}
	if k, ok := l.Key(m.Type.Name, c.Value.Str); ok {
		return m.byKeys(c, []string{k})
	}
	return m.byKeys(c, nil)
}

func (m *Mapping) externalIDCompare(c *filter.Compare, l Lookup) filter.Expr {
	if !identifies(c) || l.ExternalID == nil {
		return nil
	}
	return m.byKeys(c, l.ExternalID(c.Value.Str))
}

// keptCompare finds the records by what is kept beside them.
func (m *Mapping) keptCompare(c *filter.Compare, l Lookup) filter.Expr {
	if !identifies(c) || l.Kept == nil {
		return nil
	}
	keys, ok := l.Kept(c)
	if !ok {
		return nil
	}
	return m.byKeys(c, keys)
}

// referenceCompare finds the records that point to the one with an id. Whether
// a reference has a value at all, the field alone does not tell: its record may
// be out of scope. Of the several values of a relation, another one may differ.
func (m *Mapping) referenceCompare(c *filter.Compare, r *Rule, l Lookup) filter.Expr {
	if !identifies(c) || l.Key == nil && l.All == nil || r.Joined() || r.refers.asURI() || c.Op == filter.Ne && r.relation {
		return nil
	}
	keys := l.keysOf(r.refers.typ, c.Value.Str)
	terms := make([]filter.Expr, len(keys))
	for i, k := range keys {
		terms[i] = keyEq(r.field, k)
	}
	t := filter.OrOf(terms...)
	if c.Op == filter.Ne {
		return m.negate(t)
	}
	return t
}

// schemasCompare: a resource always has its base schema, and those of the
// extensions that it has values of.
func (m *Mapping) schemasCompare(c *filter.Compare) filter.Expr {
	if isPresence(c) {
		return truth(!isNull(c))
	}
	if filter.Test(c, filter.StringValue(m.Type.Layout.Schema)) {
		return filter.True{} // one that fits is enough
	}
	var terms []filter.Expr
	for _, e := range m.Type.Layout.Extensions {
		if filter.Test(c, filter.StringValue(e.Name)) {
			terms = append(terms, m.present(e))
		}
	}
	return anyOf(terms...)
}

// asURI reports a reference whose value is a URI, in which the id is only a part.
func (ref *reference) asURI() bool { return ref.value == nil && ref.holder.Type == scim.TypeReference }
