package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"
)

// A pool is a database with the texts of its statements, which the driver prepares
// when it is given them first, and keeps.
type pool struct {
	db      *sql.DB
	dialect dialect
	texts   map[query]string
}

// prepare finds out at the start that a statement does not fit the schema.
func (p *pool) prepare(ctx context.Context, queries []query) error {
	p.texts = make(map[query]string, len(queries))
	for _, q := range queries {
		p.texts[q] = p.dialect.text(q)
		st, err := p.db.PrepareContext(ctx, p.texts[q])
		if err == nil {
			err = st.Close()
		}
		if err != nil {
			return fmt.Errorf("preparing %.40q: %w", q, err)
		}
	}
	return nil
}

// A session runs statements: on the readers, or within one transaction.
type session struct {
	ctx  context.Context
	pool *pool
	on   sender
	lent bool // it has a connection of its own
	now  int64

	trace func(string)
}

func (s *Store) reading(ctx context.Context) *session {
	return &session{ctx: ctx, pool: &s.reader, on: s.reader.db, trace: s.trace}
}

// A sender is what takes statements: a pool, or a transaction.
type sender interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// errDryRun undoes the transaction without being a failure.
var errDryRun = errors.New("dry run")

// write runs f in one transaction: all of it is done, or nothing. Where another
// transaction was in the way f runs again, so that it must set what it answers anew.
func (s *Store) write(ctx context.Context, op string, f func(*session) error) error {
	begun := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := s.try(ctx, f)
		if err == nil || !s.dialect.again(err) || time.Since(begun) > s.patience {
			return s.fail(op, err)
		}
		select {
		case <-time.After(time.Duration(mathrand.Int64N(int64(pause)) + 1)):
		case <-ctx.Done():
			return s.fail(op, ctx.Err())
		}
	}
}

func (s *Store) try(ctx context.Context, f func(*session) error) error {
	if s.dialect.local() {
		return s.alone(ctx, f)
	}
	tx, err := s.writer.db.BeginTx(ctx, s.dialect.begin())
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	x := &session{ctx: ctx, pool: &s.writer, on: tx, now: s.now().UnixMicro(), trace: s.trace}
	if ask := s.dialect.clock(); ask != "" && s.ownClock {
		if err := tx.QueryRowContext(ctx, ask).Scan(&x.now); err != nil {
			return err
		}
		s.heart.offset.Store(x.now - s.now().UnixMicro())
	}
	if err = f(x); err != nil {
		if errors.Is(err, errDryRun) {
			return nil
		}
		return err
	}
	if s.dry {
		return nil
	}
	return s.committed(tx.Commit())
}

// committed tells a commit that failed from one that had no answer.
func (s *Store) committed(err error) error {
	if err == nil || s.dialect.again(err) || s.dialect.undone(err) || !errors.Is(s.dialect.classify(err), ErrAway) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrUnsure, err)
}

func (x *session) traced(q query) {
	if x.trace != nil {
		x.trace(string(q))
	}
}

// exec answers the number of rows that changed.
func (x *session) exec(q query, args ...any) (int64, error) {
	x.traced(q)
	res, err := x.on.ExecContext(x.within(q), x.pool.texts[q], x.pool.dialect.values(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (x *session) query(q query, args []any) (*sql.Rows, error) {
	x.traced(q)
	return x.on.QueryContext(x.within(q), x.pool.texts[q], x.pool.dialect.values(args)...)
}

// row is the only row of an answer.
func (x *session) row(q query, args ...any) *sql.Row {
	x.traced(q)
	return x.on.QueryRowContext(x.within(q), x.pool.texts[q], x.pool.dialect.values(args)...)
}

// number answers the number of the row that was inserted, 0 if none was.
func (x *session) number(q query, args ...any) (nr int64, err error) {
	if err = x.row(q, args...).Scan(&nr); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return nr, err
}

// each calls row for every row of the answer.
func (x *session) each(q query, args []any, row func(scan func(...any) error) error) error {
	if lookups[q] && x.pool.dialect.local() {
		return x.near(q, args, row)
	}
	rows, err := x.query(q, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// texts reads a column of text.
func (x *session) texts(q query, args ...any) ([]string, error) {
	var all []string
	err := x.each(q, args, func(scan func(...any) error) error {
		var t string
		err := scan(&t)
		all = append(all, t)
		return err
	})
	return all, err
}
