package sql

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A server takes a statement that comes without a transaction for one of its own.
// Where a change is one statement, three of four journeys to the server are spared:
// those of BEGIN and COMMIT, and that to read what was stored, if the statement
// answers it. It cannot be taken back once it is done, so it must fail by itself
// where the record would be outside the table's scope.

// A solitary dialect is one whose statements can do so.
type solitary interface {
	// within writes what a statement answers where a condition is true; it fails where not.
	within(b *builder, condition *builder)

	// outside reports whether a statement failed by that.
	outside(err error) bool

	// undone reports whether an error says for certain that a statement which was a
	// transaction of its own changed nothing.
	undone(err error) bool
}

// alone is the dialect, if changes may be single statements: not where somebody
// watches, who may stop them before they are kept.
func (a *Adapter) alone() solitary {
	if d, ok := a.db.dialect.(solitary); ok && a.db.watch == nil {
		return d
	}
	return nil
}

const outsideMark = "postern: outside the scope"

// within makes a number of a text that is none. The text depends on the row, for
// what does not is worked out before there is one.
func (postgres) within(b *builder, condition *builder) {
	b.add("CAST(CASE WHEN ").include(condition).add(" THEN '1' ELSE '" + outsideMark + "' END AS int8)")
}

func (postgres) outside(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "22P02" && strings.Contains(e.Message, outsideMark)
}

// undone is what the server itself says, unless it ends the connection with it, or
// what was never sent.
func (postgres) undone(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Severity == "ERROR" || e.SeverityUnlocalized == "ERROR"
	}
	return pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "failed to encode args")
}

// once is change for a single statement, which the server takes for a transaction
// of its own. It cannot be taken back, and is not for where somebody watches.
func (a *Adapter) once(ctx context.Context, op string, p *plan, fields []string, d solitary, f func(context.Context, session) error) error {
	defer a.db.counts.forget()
	return a.db.attempt(ctx, op, func(ctx context.Context) error {
		err := f(ctx, session{on: a.db.write, db: a.db})
		if err != nil && d.outside(err) {
			return outside()
		}
		var known *adapters.Error
		if err != nil && !errors.As(err, &known) && !d.undone(err) {
			return &commitError{err}
		}
		return a.named(ctx, op, p, fields, err)
	})
}

// joinsAlone adds one member by a single statement, and reports whether it was added. If
// not, nothing was done.
func (u *update) joinsAlone(ctx context.Context, want adapters.Fields) (bool, error) {
	d := u.a.alone()
	if columns, lists := u.p.wanted(want); d == nil || len(columns)+len(lists) > 0 {
		return false, nil
	}
	l, array, n := u.joining()
	if l == nil || n > 1 {
		return false, nil
	}
	added := false
	err := u.a.once(ctx, "update", u.p, u.to.fields, d, func(ctx context.Context, s session) (err error) {
		added, err = u.join(ctx, s, l, array, n)
		return err
	})
	return added, err
}

// created creates a record by a single statement that answers it. ok is false, and
// nothing was done, if that takes more.
func (a *Adapter) created(ctx context.Context, p *plan, m *insertion, want adapters.Fields) (r adapters.Record, ok bool, err error) {
	d := a.alone()
	if d == nil || len(m.looks) > 0 || a.table.NewKey != (NewKey{}) {
		return r, false, nil
	}
	err = a.once(ctx, "create", p, m.fields, d, func(ctx context.Context, s session) (err error) {
		r, ok, err = a.inserted(ctx, s, p, m, want)
		return err
	})
	return r, ok, err
}

// changed changes columns of the row by a single statement that answers what it then
// holds. ok is false, and nothing was done, if that takes more, or if it is to be found
// out why there is no such row.
func (u *update) changed(ctx context.Context, want adapters.Fields) (r adapters.Record, ok bool, err error) {
	d, p := u.a.alone(), u.p
	columns, lists := p.wanted(want)
	if d == nil || p.schema.later || p.schema.view || u.a.table.Distinct || len(lists) > 0 || !u.plain() || p.beside(columns) || u.near(columns) {
		return r, false, nil
	}
	if p.schema.amended && p.derived(columns) {
		return r, false, nil // a trigger may have changed whom the row refers to
	}
	err = u.a.once(ctx, "update", p, u.to.fields, d, func(ctx context.Context, s session) error {
		if carried, err := u.carriages(ctx, s); err != nil || len(carried) > 0 {
			return err
		}
		b, where, _, err := u.setting(ctx, s)
		if err != nil {
			return err
		}
		p.list(b.include(where).add(" RETURNING "), columns)
		d.within(b.add(", "), p.visible)
		if err := b.check("update"); err != nil {
			return err
		}
		found, err := u.a.rows(ctx, s.quick(), p, b, columns, true, 1)
		switch {
		case err != nil:
			return err
		case len(found.records) > 1:
			return errAmbiguous
		case len(found.records) == 1:
			r, ok = found.records[0], true
		}
		return nil
	})
	return r, ok, err
}

// plain reports whether nothing but columns of the row changes, and not its key.
func (u *update) plain() bool {
	return u.changes() && !u.renames && len(u.lists)+len(u.members)+len(u.sides)+len(u.looks)+len(u.held) == 0
}

// near reports whether something else that is read may depend on the row itself:
// the statement that changes the row still sees it as it was.
func (u *update) near(columns []int) bool {
	for _, i := range columns {
		to := u.a.references[i]
		if r := u.a.relations[i]; r != nil {
			if sameTable(r.Table, u.a.table.Name) {
				return true
			}
			to = r.Refers
		}
		if to != nil && sameTable(to.Table, u.a.table.Name) && u.touches(to.Where) {
			return true
		}
	}
	return false
}

// touches reports whether a condition asks for one of the columns that change.
func (u *update) touches(where filter.Expr) bool {
	found := false
	filter.Walk(where, func(e filter.Expr) bool {
		if c, ok := e.(*filter.Compare); ok {
			found = found || slices.ContainsFunc(u.to.columns, func(col *column) bool { return strings.EqualFold(col.name, c.Name) }) ||
				slices.ContainsFunc(u.a.table.Stamps.Change, func(s Stamp) bool { return strings.EqualFold(s.Column, c.Name) })
		}
		return !found
	})
	return found
}
