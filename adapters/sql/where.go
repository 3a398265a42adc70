package sql

import (
	"fmt"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A scope writes filters over the columns and relations of one table.
type scope struct {
	dialect dialect
	key     []*column
	column  func(name string) *column // nil if there is none, or a reference is on it
	link    func(name string) *link   // nil if there is none
	further func(name string) *further
	child   func(name string) *child

	reference func(name string) *reference // nil if there is none
}

// find is the column of a field, of the table or of one beside it; nil if there
// is none.
func (s *scope) find(name string) *column {
	if f := s.further(name); f != nil {
		return f.col
	}
	return s.column(name)
}

// For tables of which nothing but the columns matters.
func noLink(string) *link           { return nil }
func noFurther(string) *further     { return nil }
func noChild(string) *child         { return nil }
func noReference(string) *reference { return nil }

// write writes e as a condition. It may be null where it is false; what negates
// asks "IS NOT TRUE", so that nothing is neither.
func (s *scope) write(b *builder, e filter.Expr) error {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > maxDepth {
		b.deep = true
		return nil
	}
	switch e := e.(type) {
	case nil, filter.True:
		b.add(s.dialect.truth(true))
		return nil
	case filter.False:
		b.add(s.dialect.truth(false))
		return nil
	case filter.And:
		return s.join(b, e, " AND ")
	case filter.Or:
		return s.alternatives(b, e)
	case filter.Not:
		b.add("(")
		err := s.write(b, e.Term)
		b.add(") IS NOT TRUE")
		return err
	case *filter.Compare:
		return s.compare(b, e)
	case *filter.Element:
		if c := s.child(e.Name); c != nil {
			return c.compare(b, s.key, e.Where)
		}
		return fmt.Errorf("%w: %s", errStale, e.Name)
	}
	return fmt.Errorf("a filter of the form %T cannot be part of a statement", e)
}

// join writes terms as a balanced tree, because databases bound its depth.
func (s *scope) join(b *builder, terms []filter.Expr, word string) error {
	if len(terms) == 1 {
		return s.write(b, terms[0])
	}
	half := len(terms) / 2
	b.add("(")
	if err := s.join(b, terms[:half], word); err != nil {
		return err
	}
	b.add(word)
	err := s.join(b, terms[half:], word)
	b.add(")")
	return err
}

// alternatives writes an or. Long lists of values of one column, as when many
// keys are looked up at once, become one look-up.
func (s *scope) alternatives(b *builder, terms filter.Or) error {
	if len(terms) > 2 {
		if c, texts := s.list(terms); c != nil {
			if s.dialect.among(b, c, texts) {
				return nil
			}
		}
	}
	if s.dialect.unions() && len(terms) <= maxUnion && len(s.key) == 1 && !slices.ContainsFunc(terms, func(t filter.Expr) bool { return !s.seeks(t) }) {
		return s.union(b, terms)
	}
	return s.join(b, terms, " OR ")
}

// maxUnion bounds the parts of a union: each is planned by itself.
const maxUnion = 24

// union writes an or, each of whose terms an index can answer, so that the
// database need not find that out: one that does not would read all rows.
func (s *scope) union(b *builder, terms filter.Or) error {
	key := s.key[0]
	b.add(key.ref, " IN (")
	for i, t := range terms {
		if i > 0 {
			b.add(" UNION ALL ")
		}
		b.add("SELECT ", key.ref, " FROM ", key.table, " AS ", key.alias(), " WHERE ")
		if err := s.write(b, t); err != nil {
			return err
		}
	}
	b.add(")")
	return nil
}

// seeks reports whether an index leads to the rows of which e is true.
func (s *scope) seeks(e filter.Expr) bool {
	switch e := e.(type) {
	case filter.And:
		return slices.ContainsFunc(e, s.seeks)
	case *filter.Element:
		c := s.child(e.Name)
		return c != nil && c.scope.seeks(e.Where)
	case *filter.Compare:
		if e.Op != filter.Eq || e.Value.Kind != filter.String {
			return false
		}
		c := s.find(e.Name)
		if e.Name == adapters.KeyField {
			c = s.key[0]
		}
		if c == nil {
			if r := s.reference(e.Name); r != nil {
				return r.held.indexed
			}
			l := s.link(e.Name)
			return l != nil && l.member.indexed
		}
		return c.indexed && (e.Match == filter.Exact || e.Match == filter.Folded && c.folded)
	}
	return false
}

// list takes terms apart that are all of the form column eq text, exactly.
func (s *scope) list(terms filter.Or) (*column, []string) {
	var name string
	texts := make([]string, len(terms))
	for i, t := range terms {
		c, ok := t.(*filter.Compare)
		if !ok || c.Op != filter.Eq || c.Match != filter.Exact || c.Value.Kind != filter.String {
			return nil, nil
		}
		if i > 0 && c.Name != name {
			return nil, nil
		}
		name, texts[i] = c.Name, c.Value.Str
	}
	if name == adapters.KeyField && len(s.key) == 1 {
		return s.key[0], texts
	}
	if s.further(name) != nil {
		return nil, nil
	}
	return s.column(name), texts
}

func (s *scope) compare(b *builder, c *filter.Compare) error {
	if c.Name == adapters.KeyField {
		return s.compareKey(b, c)
	}
	if f := s.further(c.Name); f != nil {
		f.compare(b, c)
		return nil
	}
	if col := s.column(c.Name); col != nil {
		s.dialect.compare(b, col, c)
		return nil
	}
	if r := s.reference(c.Name); r != nil {
		return r.compare(b, c)
	}
	if l := s.link(c.Name); l != nil {
		return l.compare(b, s.key[0], c)
	}
	return fmt.Errorf("%w: %s", errStale, c.Name)
}

func (s *scope) compareKey(b *builder, c *filter.Compare) error {
	if len(s.key) == 1 {
		s.dialect.compare(b, s.key[0], c)
		return nil
	}
	switch {
	case c.Value.Kind == filter.Null: // a record always has a key
		b.add(s.dialect.truth(c.Op != filter.Eq))
	case c.Op == filter.Eq:
		s.keyIs(b, adapters.Key(c.Value.Str))
	case c.Op == filter.Ne:
		b.add("(")
		s.keyIs(b, adapters.Key(c.Value.Str))
		b.add(") IS NOT TRUE")
	default:
		return fmt.Errorf("keys of several columns cannot be compared by %v", c.Op)
	}
	return nil
}

// keyIs writes the condition that a row has a key.
func (s *scope) keyIs(b *builder, key adapters.Key) {
	parts, ok := adapters.SplitKey(key, len(s.key))
	if !ok || adapters.JoinKey(parts...) != key {
		b.add(s.dialect.truth(false))
		return
	}
	for i, c := range s.key {
		if i > 0 {
			b.add(" AND ")
		}
		if parts[i] == "" {
			b.add(s.dialect.blank(c))
			continue
		}
		s.dialect.compare(b, c, &filter.Compare{Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(parts[i])})
	}
}
