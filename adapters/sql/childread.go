package sql

import (
	"context"
	stdsql "database/sql"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A childScanner reads rows into elements.
type childScanner struct {
	c      *child
	before []any // columns before those of the child
	row    []any
	order  any
	into   []any
}

func (c *child) scanner(before int) *childScanner {
	sc := &childScanner{c: c, before: make([]any, before), row: make([]any, len(c.row))}
	for i := range sc.before {
		sc.into = append(sc.into, &sc.before[i])
	}
	for i := range sc.row {
		sc.into = append(sc.into, &sc.row[i])
	}
	if c.order != nil {
		sc.into = append(sc.into, &sc.order)
	}
	sc.into = append(sc.into, make([]any, len(c.columns))...)
	return sc
}

// next reads a row. Its key is what tells it apart from others of its record.
func (sc *childScanner) next(rows *stdsql.Rows) (adapters.Record, error) {
	c := sc.c
	r := adapters.NewRecord(c.shape, "")
	held := r.Values()
	first := len(sc.into) - len(held)
	for i := range held {
		sc.into[first+i] = &held[i]
	}
	if err := rows.Scan(sc.into...); err != nil {
		return r, err
	}
	for i, k := range c.columns {
		held[i] = c.dialect.read(k, held[i])
	}
	tags := make([]string, 0, len(held))
	for i, k := range c.row {
		tags = append(tags, tag(c.dialect.read(k, sc.row[i])))
	}
	if len(c.row) == 0 {
		for _, v := range held {
			tags = append(tags, tag(v))
		}
	}
	r.Key = adapters.JoinKey(tags...)
	return r, nil
}

// number is where the row stands in the order of its record.
func (sc *childScanner) number() int64 {
	if sc.c.order == nil {
		return 0
	}
	n, _ := sc.c.dialect.read(sc.c.order, sc.order).(int64)
	return n
}

// fill reads the elements of all records of a result, in one statement.
func (c *child) fill(ctx context.Context, s session, r *result, at int) error {
	b, place, err := c.statement(r)
	if err != nil {
		return err
	}
	if b == nil { // keys that no one statement can carry
		for n := range r.records {
			one := &result{records: r.records[n : n+1], keys: r.keys[n : n+1]}
			if err := c.fill(ctx, s, one, at); err != nil {
				return err
			}
		}
		return nil
	}
	return c.read(ctx, s, b, func(before []any, e adapters.Record, _ int64) {
		if n := place(before); n >= 0 {
			elems, _ := r.records[n].At(at).([]adapters.Record)
			if len(elems) == 0 || elems[len(elems)-1].Key != e.Key {
				r.records[n].SetAt(at, append(elems, e))
			}
		}
	})
}

// statement reads the rows of the records of a result. place says of which record
// a row is, by the columns before those of the child.
func (c *child) statement(r *result) (b *builder, place func(before []any) int, err error) {
	b = newBuilder()
	switch {
	case len(c.owner) > 1:
		return c.composite(b, r)
	case len(r.records) == 1:
		b.add("SELECT 0, ", c.chosen)
		c.from(b, "", c.besides)
		b.add(" AND ", c.owner[0].ref, " = ")
		c.dialect.stored(b, c.owner[0], r.keys[0])
		c.inOrder(b, "")
		return b, func([]any) int { return 0 }, nil
	}
	array, err := keyArray(r.keys)
	if err != nil {
		return nil, nil, nil
	}
	list, ord, value := c.dialect.list(c.owner[0])
	b.add("SELECT ", ord, ", ", c.chosen)
	b.args = append(b.args, array)
	c.from(b, list+" CROSS JOIN ", c.besides)
	b.add(" AND ", c.owner[0].ref, " = ", value)
	c.inOrder(b, ord)
	return b, func(before []any) int { n, _ := before[0].(int64); return int(n) }, nil
}

// composite is a statement for keys of several columns.
func (c *child) composite(b *builder, r *result) (*builder, func([]any) int, error) {
	b.add("SELECT ")
	for _, k := range c.owner {
		b.add(c.dialect.selected(k), ", ")
	}
	b.add(c.chosen)
	c.from(b, "", c.besides)
	b.add(" AND (")
	at := make(map[adapters.Key]int, len(r.records))
	for n, rec := range r.records {
		at[rec.Key] = n
		if n > 0 {
			b.add(" OR ")
		}
		b.add("(")
		c.of(b, rec.Key)
		b.add(")")
	}
	b.add(")")
	c.inOrder(b, "")
	return b, func(before []any) int {
		parts := make([]any, len(before))
		for i, k := range c.owner {
			parts[i] = c.dialect.read(k, before[i])
		}
		if n, ok := at[keyOf(parts)]; ok {
			return n
		}
		return -1
	}, b.check("list")
}

// of writes the condition that rows belong to the record with a key of several
// columns.
func (c *child) of(b *builder, key adapters.Key) {
	parts, _ := adapters.SplitKey(key, len(c.owner))
	for i, k := range c.owner {
		if i > 0 {
			b.add(" AND ")
		}
		c.dialect.compare(b, k, &filter.Compare{Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(parts[i])})
	}
}

func (c *child) inOrder(b *builder, first string) {
	by := c.by
	switch {
	case first != "" && by != "":
		by = first + ", " + by
	case first != "":
		by = first
	}
	if by != "" {
		b.add(" ORDER BY ", by)
	}
}

// read calls f for each row that a statement answers.
func (c *child) read(ctx context.Context, s session, b *builder, f func(before []any, e adapters.Record, number int64)) error {
	rows, err := s.query(ctx, string(b.text), b.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	before := 1
	if len(c.owner) > 1 {
		before = len(c.owner)
	}
	sc := c.scanner(before)
	for rows.Next() {
		e, err := sc.next(rows)
		if err != nil {
			return err
		}
		f(sc.before, e, sc.number())
	}
	return rows.Err()
}
