package identity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/mattn/go-sqlite3"
)

// For each statement and each transaction whose context may end, database/sql
// starts a goroutine that waits for it, which in a file costs more than a look-up.
// So a local table has its transactions by words, on a connection of their own.

// A brief context is one whose end nobody waits for, though it can be asked.
type brief struct{ context.Context }

func (brief) Done() <-chan struct{} { return nil }

// within is the context that a statement is sent with.
func (x *session) within(q query) context.Context {
	if x.lent || lookups[q] && x.pool.dialect.local() {
		return brief{x.ctx}
	}
	return x.ctx
}

// alone runs f in a transaction of a local table.
func (s *Store) alone(ctx context.Context, f func(*session) error) error {
	conn, err := s.writer.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(brief{ctx}, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer undo(conn) // without effect after the commit
	err = f(&session{ctx: ctx, pool: &s.writer, on: conn, lent: true, now: s.now().UnixMicro(), trace: s.trace})
	if errors.Is(err, errDryRun) {
		return nil
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || s.dry {
		return err
	}
	_, err = conn.ExecContext(brief{context.WithoutCancel(ctx)}, "COMMIT")
	return s.committed(err)
}

// undo rolls back what a connection has begun. One that cannot is not used again.
func undo(conn *sql.Conn) {
	_ = conn.Raw(func(c any) error {
		lite, ok := c.(*sqlite3.SQLiteConn)
		if !ok {
			return driver.ErrBadConn
		}
		if lite.AutoCommit() {
			return nil
		}
		if _, err := lite.ExecContext(context.Background(), "ROLLBACK", nil); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
}
