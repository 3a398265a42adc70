package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A reference is a column with the key of one record of another table, or of the
// same, together with what the database says about that table. Only targets that
// are there and in their scope count: to readers, filters and writers alike the
// column is without a value where its target does not. In statements the target
// is m.
type reference struct {
	d      dialect
	field  string
	held   *column // the column as it is stored
	target *column // the key of m
	within *builder
	value  *builder // the key of the target that counts, as an expression
}

func (db *Database) reference(ctx context.Context, s session, field string, held *column, to *Target) (*reference, error) {
	t, err := db.schema(ctx, s, to.Table)
	if err != nil {
		return nil, err
	}
	key := t.column(to.Key)
	if key == nil {
		return nil, fmt.Errorf("%w: %s.%s", errStale, to.Table, to.Key)
	}
	r := &reference{d: db.dialect, field: field, held: held, target: key.under("m"), within: newBuilder()}
	if err := withinScope(r.within, r.d, t, r.target, to.Where); err != nil {
		return nil, err
	}
	r.value = newBuilder().add("(SELECT ", r.d.selected(r.target))
	r.meet(r.value)
	r.value.add(" LIMIT 1)")
	return r, nil
}

// withinScope writes the condition that a row of a target is a record.
func withinScope(b *builder, d dialect, t *schema, key *column, where filter.Expr) error {
	if where != nil {
		inner := scope{
			dialect: d,
			key:     []*column{key},
			column: func(name string) *column {
				if c := t.column(name); c != nil {
					return c.under(key.alias())
				}
				return nil
			},
			link:      noLink,
			further:   noFurther,
			child:     noChild,
			reference: noReference,
		}
		if err := inner.write(b, where); err != nil {
			return err
		}
		b.add(" AND ")
	}
	d.present(b, key)
	return b.check("")
}

// meet writes the targets that a row refers to.
func (r *reference) meet(b *builder) {
	x, y := r.d.pair(r.target, r.held)
	b.add(" FROM ", r.target.table, " AS m WHERE ", x, " = ", y, " AND ").include(r.within)
}

// any writes the condition that a row has a target that counts.
func (r *reference) any(b *builder) {
	b.add("EXISTS (SELECT 1")
	r.meet(b)
	b.add(")")
}

// to writes the condition that the target of a row has a key. The target is
// looked up once, not for each row, so that an index on the column leads to the
// rows.
func (r *reference) to(b *builder, key string) {
	x, y := r.d.pair(r.held, r.target)
	b.add(x, " IN (SELECT ", y)
	r.find(b, key)
	b.add(")")
}

// find writes the target that has a key and counts.
func (r *reference) find(b *builder, key string) {
	b.add(" FROM ", r.target.table, " AS m WHERE ")
	r.d.compare(b, r.target, &filter.Compare{Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(key)})
	b.add(" AND ").include(r.within)
}

// compare writes a condition on the key of the target.
func (r *reference) compare(b *builder, c *filter.Compare) error {
	null := c.Value.Kind == filter.Null
	switch {
	case c.Op == filter.Pr, c.Op == filter.Ne && null:
		r.any(b)
	case c.Op == filter.Eq && null:
		b.add("NOT ")
		r.any(b)
	case c.Op == filter.Eq && c.Value.Kind == filter.String:
		r.to(b, c.Value.Str)
	case c.Op == filter.Eq:
		b.add(r.d.truth(false))
	case c.Op == filter.Ne:
		eq := *c
		eq.Op = filter.Eq
		b.add("(")
		if err := r.compare(b, &eq); err != nil {
			return err
		}
		b.add(") IS NOT TRUE")
	default:
		return fmt.Errorf("references cannot be compared by %v", c.Op)
	}
	return nil
}

// holds writes the condition that a row still refers to whom it referred when it
// was read. A target that did not count was read as none, and may be another by
// now that does not count either.
func (r *reference) holds(b *builder, old any) {
	if adapters.NoValue(old) {
		b.add("NOT ")
		r.any(b)
		return
	}
	r.to(b, adapters.Text(old))
}

// known fails unless there is a record in scope that has the key.
func (r *reference) known(ctx context.Context, s session, op, key string) error {
	b := newBuilder().add("SELECT 1")
	r.find(b, key)
	b.add(" LIMIT 1")
	found, err := values(s.query(ctx, string(b.text), b.args...))
	if err == nil && len(found) == 0 {
		err = invalid(op, r.field, errors.New("there is no such record to refer to"))
	}
	return err
}

// A referral is a reference that is being written.
type referral struct {
	to  *reference
	key string
}

// refer notes that a value is one; r is nil where it is none.
func (m *assignment) refer(r *reference, v any) {
	if r != nil && !adapters.NoValue(v) {
		m.referrals = append(m.referrals, referral{r, adapters.Text(v)})
	}
}

// condition writes, after a word, that all that an assignment refers to is there.
func (m *assignment) condition(b *builder, before string) {
	for _, r := range m.referrals {
		b.add(before, "EXISTS (SELECT 1")
		r.to.find(b, r.key)
		b.add(")")
		before = " AND "
	}
}

// known fails unless all that an assignment refers to is there.
func (m *assignment) known(ctx context.Context, s session, op string) error {
	for _, r := range m.referrals {
		if err := r.to.known(ctx, s, op, r.key); err != nil {
			return err
		}
	}
	return nil
}
