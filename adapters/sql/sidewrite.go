package sql

import (
	"context"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// resolve answers the column of the row that leads to others, and the key that it
// must hold so that it leads to the row with a name.
func (f *further) resolve(ctx context.Context, s session, op, field string, v any) (*column, any, error) {
	if adapters.NoValue(v) {
		w, err := f.d.write(f.ours[0], nil)
		return f.ours[0], w, err
	}
	name := adapters.Text(v)
	keys, err := f.keys(ctx, s, name, filter.Exact)
	if err == nil && len(keys) == 0 {
		keys, err = f.keys(ctx, s, name, filter.Folded)
	}
	switch {
	case err != nil:
		return nil, nil, err
	case len(keys) > 1:
		return nil, nil, unknown(op, field, "the name means several entries")
	case len(keys) == 1:
		w, err := f.d.write(f.ours[0], keys[0])
		return f.ours[0], w, err
	case !f.lookup.Create:
		return nil, nil, unknown(op, field, "there is no entry of this name")
	}
	key, err := f.create(ctx, s, op, field, v)
	return f.ours[0], key, err
}

// unknown says that a name leads to no row, in words that a client may read.
func unknown(op, field, told string) error {
	return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: field, Err: errors.New(told), Told: told}
}

// keys are those of the rows with a name.
func (f *further) keys(ctx context.Context, s session, name string, m filter.Match) ([]any, error) {
	b := newBuilder().add("SELECT ", f.d.selected(f.theirs[0]), " FROM ", f.quoted, " AS ", f.alias, " WHERE ", f.d.truth(true))
	b.include(f.within).add(" AND ")
	f.d.compare(b, f.col, &filter.Compare{Op: filter.Eq, Match: m, Value: filter.StringValue(name)})
	b.add(" LIMIT 2")
	found, err := values(s.query(ctx, string(b.text), b.args...))
	for i := range found {
		found[i] = f.d.read(f.theirs[0], found[i])
	}
	return found, err
}

// create adds a row with a name, and answers its key.
func (f *further) create(ctx context.Context, s session, op, field string, v any) (any, error) {
	to, err := fixedValues(f.d, f.table, f.fixed)
	if err != nil {
		return nil, err
	}
	w, err := writable(f.d, f.col, v)
	if err != nil {
		return nil, invalid(op, field, err)
	}
	to.set(f.col, w)
	p := &plan{scope: scope{dialect: f.d, key: f.theirs}, schema: f.table, keyNames: f.theirs[0].quoted}
	made, err := f.d.insert(ctx, s, p, to)
	if err != nil && f.d.classify(err).kind == adapters.Exists {
		return nil, &racedError{err}
	}
	if err != nil {
		return nil, faultOf(f.d, op, field, err)
	}
	if len(made) != 1 || adapters.NoValue(made[0][0]) {
		return nil, invalid(op, field, errors.New(f.lookup.Table+" makes no keys"))
	}
	return f.d.write(f.ours[0], made[0][0])
}

// A sideChange is what is to become of a row that belongs to a record.
type sideChange struct {
	*beside
	fields []string
	to     assignment
	old    []any
	value  bool // one of the new values is one
}

// put notes a column of it.
func (m *sideChange) put(f *further, old, v any) error {
	w, err := writable(f.d, f.col, v)
	if err != nil {
		return err
	}
	m.fields = append(m.fields, f.field)
	m.to.set(f.col, w)
	m.old = append(m.old, old)
	m.value = m.value || !adapters.NoValue(v)
	return nil
}

// insert adds the row of a record.
func (m *sideChange) insert(ctx context.Context, s session, op string, key []any) error {
	to, err := fixedValues(m.d, m.table, m.fixed)
	if err != nil {
		return err
	}
	to.columns, to.values = append(to.columns, m.to.columns...), append(to.values, m.to.values...)
	b := newBuilder().add("INSERT INTO ", m.quoted, " (")
	for _, c := range m.theirs {
		b.add(c.quoted, ", ")
	}
	to.names(b)
	b.add(") VALUES (")
	for i, c := range m.theirs {
		m.d.stored(b, c, key[i])
		b.add(", ")
	}
	b.bind(to.values...).add(")")
	_, err = s.exec(ctx, string(b.text), b.args...)
	return faultOf(m.d, op, m.fields[0], err)
}

// update changes the row of a record that is locked, or adds it.
func (m *sideChange) update(ctx context.Context, s session, key []any) error {
	b := newBuilder()
	if m.sparse && !m.value {
		b.add(m.d.deletion(m.quoted, m.alias))
	} else {
		b.add("UPDATE ", m.quoted, " AS ", m.alias, " SET ")
		m.to.sets(b)
	}
	m.of(b, key)
	for i, c := range m.to.columns {
		b.add(" AND ")
		m.d.holds(b, c, m.old[i])
	}
	n, err := s.exec(ctx, string(b.text), b.args...)
	switch {
	case err != nil:
		return faultOf(m.d, "update", m.fields[0], err)
	case n == 1:
		return nil
	case n > 1:
		return errAmbiguous
	}
	b = newBuilder().add("SELECT count(*) FROM ", m.quoted, " AS ", m.alias)
	m.of(b, key)
	found, err := values(s.query(ctx, string(b.text), b.args...))
	if err != nil {
		return err
	}
	there, _ := found[0].(int64)
	switch {
	case there == 0 && m.was():
		if !m.value {
			return nil
		}
		return m.insert(ctx, s, "update", key)
	default:
		return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: m.fields[0], Err: errors.New("a value is not what it was when it was read")}
	}
}

// was reports whether no value was read.
func (m *sideChange) was() bool {
	for _, v := range m.old {
		if !adapters.NoValue(v) {
			return false
		}
	}
	return true
}

// of writes the condition that a row is that of the record with a key.
func (b *beside) of(w *builder, key []any) {
	w.add(" WHERE ", b.d.truth(true))
	for i, c := range b.theirs {
		w.add(" AND ", c.ref, " = ")
		b.d.stored(w, c, key[i])
	}
	w.include(b.within)
}

// forget removes the row of a record.
func (b *beside) forget(ctx context.Context, s session, key []any) error {
	w := newBuilder().add(b.d.deletion(b.quoted, b.alias))
	b.of(w, key)
	_, err := s.exec(ctx, string(w.text), w.args...)
	return err
}

// renamed carries the row of a record over to its new key.
func (b *beside) renamed(ctx context.Context, s session, from, to []any) error {
	w := newBuilder().add("UPDATE ", b.quoted, " AS ", b.alias, " SET ")
	for i, c := range b.theirs {
		if i > 0 {
			w.add(", ")
		}
		w.add(c.quoted, " = ")
		b.d.stored(w, c, to[i])
	}
	b.of(w, from)
	_, err := s.exec(ctx, string(w.text), w.args...)
	return err
}

// owned are the rows beside a record that belong to it, each once.
func (p *plan) owned() []*beside {
	var out []*beside
	seen := map[*beside]bool{}
	for _, f := range p.besides {
		if f != nil && f.lookup == nil && !seen[f.beside] {
			seen[f.beside] = true
			out = append(out, f.beside)
		}
	}
	return out
}
