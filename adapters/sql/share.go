package sql

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/postern/postern/adapters"
)

// Many clients add members to one group at once. Each needs the group to stay as it
// is, and none changes it: so they all may hold its row at the same time, where two
// that add the same member cannot both do so, which an index sees to.

// A sharing dialect has locks that several transactions hold at once.
type sharing interface {
	// share ends a SELECT from a table under an alias whose rows nobody is to change meanwhile.
	share(alias string) string

	// unless ends an INSERT that leaves out the rows that a unique index on some columns refuses.
	unless(columns ...string) string

	// undone reports whether an error says for certain that a statement, which was
	// a transaction of its own, changed nothing.
	undone(err error) bool
}

func (postgres) share(alias string) string { return " FOR SHARE OF " + alias }

func (postgres) unless(columns ...string) string {
	return " ON CONFLICT (" + strings.Join(columns, ", ") + ") DO NOTHING"
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
func (a *Adapter) once(ctx context.Context, op string, p *plan, fields []string, d sharing, f func(context.Context, session) error) error {
	return a.db.attempt(ctx, op, func(ctx context.Context) error {
		err := f(ctx, session{on: a.db.write, db: a.db})
		var known *adapters.Error
		if err != nil && !errors.As(err, &known) && !d.undone(err) {
			return &commitError{err}
		}
		return a.named(ctx, op, p, fields, err)
	})
}

// A pairing is the columns of unique indexes as they are read, by the index.
type pairing map[string][]string

// note notes the columns so far, nil if the index is not on columns alone. What
// is refused at the end of a transaction only does not keep anybody from anything.
func (p pairing) note(index string, columns []string, immediate bool) {
	if immediate && columns != nil {
		p[index] = columns
	} else {
		delete(p, index)
	}
}

func (p pairing) all() [][2]string {
	var out [][2]string
	for _, columns := range p {
		if len(columns) == 2 {
			out = append(out, pairOf(columns[0], columns[1]))
		}
	}
	return out
}

// pairOf puts the names of two columns in order.
func pairOf(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// alone adds one member by a single statement, and reports whether it was added. If
// not, nothing was done.
func (u *update) alone(ctx context.Context, want adapters.Fields) (bool, error) {
	d, ok := u.p.dialect.(sharing)
	if columns, lists := u.p.wanted(want); !ok || u.a.db.watch != nil || len(columns)+len(lists) > 0 {
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
