package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
)

// A rowset is the rows of one record in a child's table.
type rowset struct {
	c     *child
	owner []any // the record's key, as it is stored
	elems []adapters.Record
	last  int64 // the highest number in their order
}

// rows reads the rows of a record that is locked.
func (c *child) rows(ctx context.Context, s session, owner []any) (*rowset, error) {
	set := &rowset{c: c, owner: owner}
	record := adapters.NewRecord(adapters.NewShape(), keyOf(owner))
	b, _, err := c.statement(&result{records: []adapters.Record{record}, keys: owner[:1]})
	if err != nil {
		return nil, err
	}
	err = c.read(ctx, s, b, func(_ []any, e adapters.Record, number int64) {
		set.last = max(set.last, number)
		if n := len(set.elems); n == 0 || set.elems[n-1].Key != e.Key {
			set.elems = append(set.elems, e)
		}
	})
	return set, err
}

// insert adds the rows of new elements.
func (set *rowset) insert(ctx context.Context, s session, op string, elems []adapters.Record) error {
	for _, e := range elems {
		to, err := set.c.assign(ctx, s, op, e, nil)
		if err != nil {
			return err
		}
		if len(to.columns) == 0 {
			continue
		}
		if err := set.add(ctx, s, to); err != nil {
			return set.c.fault(s, op, err)
		}
	}
	return nil
}

func (set *rowset) add(ctx context.Context, s session, to *assignment) error {
	c := set.c
	b := newBuilder().add("INSERT INTO ", c.table, " (")
	for i, k := range c.owner {
		if i > 0 {
			b.add(", ")
		}
		b.add(k.quoted)
	}
	values, err := c.fixedValues()
	if err != nil {
		return err
	}
	if c.order != nil {
		set.last++
		values.set(c.order, set.last)
	}
	values.columns, values.values = append(values.columns, to.columns...), append(values.values, to.values...)
	for _, k := range values.columns {
		b.add(", ", k.quoted)
	}
	b.add(") VALUES (")
	for i, k := range c.owner {
		if i > 0 {
			b.add(", ")
		}
		c.dialect.stored(b, k, set.owner[i])
	}
	b.add(", ").bind(values.values...).add(")")
	_, err = s.exec(ctx, string(b.text), b.args...)
	return err
}

// fixedValues are what every row of the table that counts holds.
func (c *child) fixedValues() (*assignment, error) {
	return fixedValues(c.dialect, c.schema, c.fixed)
}

func fixedValues(d dialect, t *schema, fixed []Fixed) (*assignment, error) {
	to := &assignment{}
	for _, f := range fixed {
		k := t.column(f.Column)
		v, err := d.write(k, f.Value)
		if err != nil {
			return nil, &adapters.Error{Kind: adapters.Internal, Err: err}
		}
		to.set(k, v)
	}
	return to, nil
}

// assign is what an element puts into the columns; of a row that is there, only
// where it differs.
func (c *child) assign(ctx context.Context, s session, op string, e adapters.Record, was *adapters.Record) (*assignment, error) {
	to := &assignment{}
	for i, name := range c.shape.Names() {
		v := e.Get(name)
		switch {
		case was == nil && adapters.NoValue(v), was != nil && adapters.Same(v, was.At(i)):
			continue
		case c.besides[i] != nil:
			k, key, err := c.besides[i].resolve(ctx, s, op, c.field, v)
			if err != nil {
				return nil, err
			}
			to.set(k, key)
			continue
		}
		w, err := writable(c.dialect, c.columns[i], v)
		if err != nil {
			return nil, invalid(op, c.field, err)
		}
		to.set(c.columns[i], w)
	}
	return to, nil
}

// replace makes the rows of a record be some elements, if they still are what they
// were when they were read. Rows that stay are updated where they are.
func (c *child) replace(ctx context.Context, s session, owner []any, old, wanted []adapters.Record) error {
	set, err := c.rows(ctx, s, owner)
	if err != nil {
		return err
	}
	if !adapters.Same(set.elems, old) {
		return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: c.field, Err: errors.New("the elements are not what they were when they were read")}
	}
	var added []adapters.Record
	stays := map[adapters.Key]bool{}
	for _, e := range wanted {
		at := slices.IndexFunc(set.elems, func(o adapters.Record) bool { return o.Key == e.Key })
		if e.Key == "" || at < 0 {
			added = append(added, e)
			continue
		}
		stays[e.Key] = true
		if err := set.update(ctx, s, set.elems[at], e); err != nil {
			return err
		}
	}
	for _, e := range set.elems {
		if !stays[e.Key] {
			if err := set.remove(ctx, s, e); err != nil {
				return err
			}
		}
	}
	return set.insert(ctx, s, "update", added)
}

func (set *rowset) update(ctx context.Context, s session, was, e adapters.Record) error {
	c := set.c
	to, err := c.assign(ctx, s, "update", e, &was)
	if err != nil || len(to.columns) == 0 {
		return err
	}
	b := newBuilder().add("UPDATE ", c.table, " AS c SET ")
	to.sets(b)
	set.where(b, was)
	return set.exec(ctx, s, b)
}

func (set *rowset) remove(ctx context.Context, s session, e adapters.Record) error {
	b := newBuilder().add(set.c.dialect.deletion(set.c.table, "c"))
	set.where(b, e)
	return set.exec(ctx, s, b)
}

// exec changes a row that was just read. If it is gone, somebody else was quicker.
func (set *rowset) exec(ctx context.Context, s session, b *builder) error {
	n, err := s.exec(ctx, string(b.text), b.args...)
	if err == nil && n == 0 {
		return &adapters.Error{Kind: adapters.Conflict, Op: "update", Field: set.c.field, Err: errors.New("a row is not there any more")}
	}
	return set.c.fault(s, "update", err)
}

// where writes the condition that a row is one that was read, and holds what it
// held.
func (set *rowset) where(b *builder, e adapters.Record) {
	c := set.c
	b.add(" WHERE ").include(c.within)
	for i, k := range c.owner {
		b.add(" AND ", k.ref, " = ")
		c.dialect.stored(b, k, set.owner[i])
	}
	parts, _ := adapters.SplitKey(e.Key, len(c.row))
	for i, k := range c.row {
		v, _ := untag(parts[i])
		b.add(" AND ", k.ref, " = ")
		c.dialect.stored(b, k, v)
	}
	for i, k := range c.columns {
		b.add(" AND ")
		if f := c.besides[i]; f != nil {
			f.holds(b, e.At(i))
		} else {
			c.dialect.holds(b, k, e.At(i))
		}
	}
}

// forget removes all rows of a record.
func (c *child) forget(ctx context.Context, s session, owner []any) error {
	b := newBuilder().add(c.dialect.deletion(c.table, "c"), " WHERE ").include(c.within)
	for i, k := range c.owner {
		b.add(" AND ", k.ref, " = ")
		c.dialect.stored(b, k, owner[i])
	}
	_, err := s.exec(ctx, string(b.text), b.args...)
	return err
}

// renamed carries the rows of a record over to its new key.
func (c *child) renamed(ctx context.Context, s session, from, to []any) error {
	b := newBuilder().add("UPDATE ", c.table, " AS c SET ")
	for i, k := range c.owner {
		if i > 0 {
			b.add(", ")
		}
		b.add(k.quoted, " = ")
		c.dialect.stored(b, k, to[i])
	}
	b.add(" WHERE ").include(c.within)
	for i, k := range c.owner {
		b.add(" AND ", k.ref, " = ")
		c.dialect.stored(b, k, from[i])
	}
	_, err := s.exec(ctx, string(b.text), b.args...)
	return err
}

// fault names the field of what the database refuses about a row.
func (c *child) fault(_ session, op string, err error) error {
	return faultOf(c.dialect, op, c.field, err)
}

func faultOf(d dialect, op, field string, err error) error {
	var known *adapters.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch f := d.classify(err); {
	case f.busy || f.stale || f.kind == adapters.Unavailable:
		return err
	case f.kind == adapters.Exists, f.kind == adapters.Invalid:
		return &adapters.Error{Kind: f.kind, Op: op, Field: field, Err: err}
	}
	return err
}
