package sql

import (
	stdsql "database/sql"

	"github.com/postern/postern/adapters"
)

// A scanner reads rows into records.
type scanner struct {
	into  []any
	key   []any
	count any
}

func newScanner(key, columns int, total bool) *scanner {
	s := &scanner{key: make([]any, key), into: make([]any, key+columns, key+columns+1)}
	for i := range s.key {
		s.into[i] = &s.key[i]
	}
	if total {
		s.into = append(s.into, &s.count)
	}
	return s
}

// scan answers a record and its key's values, which are good until the next.
func (s *scanner) scan(rows *stdsql.Rows, shape *adapters.Shape, p *plan, columns []int) (adapters.Record, []any, error) {
	r := adapters.NewRecord(shape, "")
	held := r.Values()
	for n, i := range columns {
		s.into[len(s.key)+n] = &held[i]
	}
	if err := s.next(rows, p); err != nil {
		return r, nil, err
	}
	for _, i := range columns {
		if p.links[i] != nil {
			held[i] = ungather(held[i])
		} else {
			held[i] = p.dialect.read(p.shown[i], held[i])
		}
	}
	r.Key = keyOf(s.key)
	return r, s.key, nil
}

// next reads a row and its key.
func (s *scanner) next(rows *stdsql.Rows, p *plan) error {
	if err := rows.Scan(s.into...); err != nil {
		return err
	}
	for i, c := range p.key {
		s.key[i] = p.dialect.read(c, s.key[i])
	}
	return nil
}
