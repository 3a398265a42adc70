package sql

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Groups that exist only as a name in a table of memberships: all rows with one
// name are one record. Whatever the database takes for the same name is the same.

// distinctFrom is what such records are read from, in place of the table.
func distinctFrom(key *column) string {
	return "(SELECT DISTINCT " + key.quoted + " FROM " + key.table + " WHERE " + key.quoted + " IS NOT NULL)"
}

// distinct is the table as such records see it: nothing but the key.
func (t *schema) distinct(key string) (*schema, error) {
	held := t.column(key)
	if held == nil {
		return nil, fmt.Errorf("%w: %s.%s", errStale, t.name, key)
	}
	c := *held
	c.alone, c.notNull, c.rowid = true, true, false
	out := *t
	out.columns = map[string]*column{strings.ToLower(key): &c}
	out.unique = [][]string{{c.name}}
	return &out, nil
}

// checkDistinct lists what such a table cannot be.
func (a *Adapter) checkDistinct(shape *adapters.Shape) []error {
	t := &a.table
	if !t.Distinct {
		return nil
	}
	fail := func(format string, args ...any) []error {
		return []error{fmt.Errorf("table %q, whose rows make one record together: "+format, append([]any{t.Name}, args...)...)}
	}
	switch {
	case len(t.Key) != 1:
		return fail("the key must be one column")
	case len(t.Fixed) > 0 || len(t.Lookups) > 0 || len(t.References) > 0 || len(t.Stamps.Create)+len(t.Stamps.Change)+len(t.Stamps.Delete) > 0:
		return fail("only the key is a column of the record")
	}
	for i, name := range shape.Names() {
		beside := slices.ContainsFunc(t.Sides, func(s Side) bool { return strings.HasPrefix(name, s.Name+".") })
		if a.relations[i] == nil && a.children[i] == nil && !beside && !strings.EqualFold(name, t.Key[0]) {
			return fail("only the key is a column of the record, and %q is another", name)
		}
	}
	var errs []error
	filter.Walk(t.Where, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Compare); ok && c.Name != adapters.KeyField && !strings.EqualFold(c.Name, t.Key[0]) {
			errs = fail("a scope can only ask for the key, and not for %q", c.Name)
		}
		return true
	})
	return append(errs, checkVacant(t.Vacant)...)
}

func checkVacant(vacant []Fixed) []error {
	var errs []error
	for _, f := range vacant {
		errs = append(errs, checkName("column", f.Column))
	}
	return errs
}

// belongs is the relation that makes the record's rows: nil if there is none.
func (a *Adapter) belongs() *Relation {
	for _, r := range a.relations {
		if r != nil && strings.EqualFold(r.Table, a.table.Name) && strings.EqualFold(r.Owner, a.table.Key[0]) {
			return r
		}
	}
	return nil
}

// named reads the key of the record whose name the database takes for the same
// as a value, and keeps others from changing it. Nothing, if there is none.
func (p *plan) named(ctx context.Context, s session, value any) ([]any, error) {
	c := p.key[0]
	b := newBuilder().add("SELECT ", p.keys, " FROM ", p.base, " WHERE ", c.ref, " = ")
	p.dialect.stored(b, c, value)
	keys, err := p.returned(ctx, s, b.add(" LIMIT 1", p.dialect.lock()))
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return keys[0], nil
}

// A claimer is a dialect in which a row that is locked may be gone once it is, and
// another that came for it not be seen.
type claimer interface {
	// claim is a statement that lets one transaction at a time have the number that is
	// its parameter.
	claim() string
}

func (postgres) claim() string { return "SELECT pg_advisory_xact_lock(?::bigint)::text" }

// claim keeps others from changing the rows with a key, and from making some.
func (p *plan) claim(ctx context.Context, s session, key adapters.Key) error {
	c, ok := p.dialect.(claimer)
	if !ok {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.schema.name + "\x00" + string(key)))
	rows, err := s.query(ctx, c.claim(), int64(h.Sum64()))
	if err != nil {
		return err
	}
	return drain(rows)
}

// begin answers the key of a record that has no rows yet.
func (a *Adapter) begin(ctx context.Context, s session, p *plan, row *assignment) ([]any, error) {
	at := row.find(p.key[0])
	if at < 0 {
		return nil, a.noKey("a record must have a key")
	}
	if err := p.claim(ctx, s, keyOf(row.values[at:at+1])); err != nil {
		return nil, err
	}
	there, err := p.named(ctx, s, row.values[at])
	if err == nil && there != nil {
		err = a.taken("create")
	}
	return []any{row.values[at]}, err
}

func (a *Adapter) taken(op string) error {
	return &adapters.Error{Kind: adapters.Exists, Op: op, Field: a.noKey("").(*adapters.Error).Field, Err: errors.New("the name is taken")}
}

// rename gives all rows of the record another key, in one statement.
func (a *Adapter) rename(ctx context.Context, s session, u *update) ([]any, error) {
	p, to := u.p, u.to.values[0]
	from, err := p.locate(ctx, s, u.key)
	if err != nil {
		return nil, err
	}
	if err := p.claim(ctx, s, keyOf([]any{to})); err != nil {
		return nil, err
	}
	there, err := p.named(ctx, s, to)
	if err == nil && there != nil && keyOf(there) != keyOf(from) {
		err = a.taken("update")
	}
	if err != nil {
		return nil, err
	}
	b := newBuilder().add("UPDATE ", p.base, " SET ")
	u.to.sets(b)
	p.at(b, u.key)
	b.add(" AND ")
	p.holds(b, u.at[0], u.old[0])
	n, err := s.exec(ctx, string(b.text), b.args...)
	if err == nil && n == 0 && keyOf([]any{to}) != u.key {
		err = &adapters.Error{Kind: adapters.Conflict, Err: errors.New("the name is not what it was when it was read")}
	}
	if err != nil {
		return nil, err
	}
	return p.named(ctx, s, to)
}

// kept sees to it that a record whose rows are its members is there though it has
// none, or refuses to leave it so.
func (a *Adapter) kept(ctx context.Context, s session, p *plan, op string, key []any) error {
	if !a.table.Distinct {
		return nil
	}
	there, err := p.named(ctx, s, key[0])
	if err != nil || there != nil {
		return err
	}
	r := a.belongs()
	if len(a.table.Vacant) == 0 {
		e := &adapters.Error{Kind: adapters.Invalid, Op: op, Err: errors.New("it is there only as long as it has members; to end it, delete it")}
		if r != nil {
			e.Field = r.Field
		}
		return e
	}
	t, err := a.db.schema(ctx, s, a.table.Name)
	if err != nil {
		return err
	}
	row := &assignment{}
	row.set(p.key[0], key[0])
	for _, f := range a.table.Vacant {
		c := t.column(f.Column)
		if c == nil {
			return fmt.Errorf("%w: %s.%s", errStale, t.name, f.Column)
		}
		var v any
		if f.Value != "" {
			v = f.Value
		}
		if v, err = writable(p.dialect, c, v); err != nil {
			return err
		}
		row.set(c, v)
	}
	b := row.statement(p)
	_, err = s.exec(ctx, string(b.text), b.args...)
	return err
}
