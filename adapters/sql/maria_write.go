package sql

import (
	"context"
	"strings"

	"github.com/postern/postern/adapters"
)

// insert answers the key: MariaDB says what it inserted, MySQL only which number
// it made, so that a key which is made otherwise must be given.
func (d maria) insert(ctx context.Context, s session, p *plan, m *assignment) ([][]any, error) {
	b := m.statement(p)
	if p.schema.returning {
		b.add(" RETURNING ")
		for i, c := range p.key {
			if i > 0 {
				b.add(", ")
			}
			bare := *c
			bare.ref = c.quoted // there is no alias here
			b.add(d.selected(&bare))
		}
		return p.returned(ctx, s, b)
	}
	if err := b.check(""); err != nil {
		return nil, err
	}
	if n, err := s.exec(ctx, string(b.text), b.args...); err != nil || n == 0 {
		return nil, err
	}
	if m.hasAll(p.key) {
		return d.keysOf(p, m, nil), nil
	}
	if len(p.key) > 1 || !p.key[0].my.counts {
		return nil, nil
	}
	made, err := values(s.query(ctx, "SELECT LAST_INSERT_ID()"))
	if err != nil {
		return nil, err
	}
	return [][]any{{d.read(p.key[0], made[0])}}, nil
}

// update first locks the row that is to change, because a statement that changes
// a table may not read it otherwise in MySQL, and none says which rows it changed.
func (d maria) update(ctx context.Context, s session, p *plan, set, where *builder, m *assignment) ([][]any, error) {
	b := newBuilder().add("SELECT ", p.keys, " FROM ", p.from).include(where).add(" LIMIT 2", d.lock())
	keys, err := p.returned(ctx, s, b)
	if err != nil || len(keys) != 1 {
		return keys, err
	}
	p.keyIs(set.add(" WHERE "), keyOf(keys[0]))
	if err := set.check(""); err != nil {
		return nil, err
	}
	if _, err := s.exec(ctx, string(set.text), set.args...); err != nil {
		return nil, err
	}
	return d.keysOf(p, m, keys[0]), nil
}

// keysOf is the key of a row to which values were assigned, as it is stored. A row
// whose trigger made another of it is not found then, and nothing is changed.
func (d maria) keysOf(p *plan, m *assignment, old []any) [][]any {
	key := make([]any, len(p.key))
	copy(key, old)
	for i, c := range p.key {
		at := m.find(c)
		if at < 0 {
			continue
		}
		key[i] = m.values[at]
		switch v := m.values[at].(type) {
		case uint64:
			key[i] = d.read(c, v)
		case string:
			key[i] = d.read(c, []byte(v))
			if c.my.typ == "char" {
				key[i] = strings.TrimRight(v, " ")
			}
		}
	}
	if adapters.NoValue(key[0]) {
		key[0] = nil
	}
	return [][]any{key}
}
