package sql

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"

	"github.com/postern/postern/adapters"
)

// For each statement and each transaction whose context may end, database/sql
// starts a goroutine that waits for it: with a file, where a look-up takes a few
// microseconds, more than the statement itself. A local database is therefore used
// by way of one connection for each operation, with contexts that only the driver
// sees the end of, which interrupts the statement; look-ups of single rows, which
// end sooner than anybody can tell them to, run without.

// A heeded context is one whose end the driver waits for, and nobody else.
type heeded struct{ context.Context }

func (heeded) Done() <-chan struct{} { return nil }

// A brief context is one whose end nobody waits for. It can still be asked.
type brief struct{ context.Context }

func (brief) Done() <-chan struct{} { return nil }

// bare is the context as the driver should see it.
func bare(ctx context.Context) context.Context {
	if h, ok := ctx.(heeded); ok {
		return h.Context
	}
	return ctx
}

// QueryContext implements driver.QueryerContext.
func (c *connection) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	return c.SQLiteConn.QueryContext(bare(ctx), statement, args)
}

// ExecContext implements driver.ExecerContext.
func (c *connection) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	return c.SQLiteConn.ExecContext(bare(ctx), statement, args)
}

// quick is the session for statements about a single row.
func (s session) quick() session {
	s.short = true
	return s
}

// few is quick where there are not many rows.
func (s session) few(n int) session {
	s.short = s.short || n <= maxFew
	return s
}

// within is the context that a statement is sent with.
func (s session) within(ctx context.Context) context.Context {
	switch {
	case s.db.remote:
		return ctx
	case s.short:
		return brief{ctx}
	}
	return heeded{ctx}
}

// lend calls f with a session on a connection of its own.
func (db *Database) lend(ctx context.Context, pool *stdsql.DB, f func(context.Context, session) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(ctx, session{on: conn, db: db})
}

// alone runs f in a transaction of a local database.
func (db *Database) alone(ctx context.Context, pool *stdsql.DB, f func(context.Context, session) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	begin := "BEGIN IMMEDIATE"
	if pool == db.read {
		begin = "BEGIN"
	}
	if _, err := conn.ExecContext(brief{ctx}, begin); err != nil {
		return err
	}
	defer undo(conn) // does nothing after the commit
	if err := f(ctx, session{on: conn, db: db}); err != nil {
		return err
	}
	if err := db.settled(ctx, pool == db.write); err != nil {
		return err
	}
	if _, err := conn.ExecContext(brief{context.WithoutCancel(ctx)}, "COMMIT"); err != nil {
		return &commitError{err}
	}
	return nil
}

// settled reports whether the commit is still to be, before it is begun.
func (db *Database) settled(ctx context.Context, writes bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if writes && db.watch != nil {
		return db.watch.Before(ctx, &adapters.Exchange{Request: "COMMIT"})
	}
	return nil
}

// undo rolls back what a connection has begun. One that cannot is not used again.
func undo(conn *stdsql.Conn) {
	_ = conn.Raw(func(c any) error {
		lite, ok := c.(*connection)
		if !ok {
			return driver.ErrBadConn
		}
		if lite.AutoCommit() {
			return nil
		}
		if _, err := lite.SQLiteConn.ExecContext(context.Background(), "ROLLBACK", nil); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
}
