package sql

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
)

// A Database is one database, shared by the adapters of its tables.
type Database struct {
	dialect  dialect
	read     *stdsql.DB
	write    *stdsql.DB // one connection: its transactions queue here, not in the database
	remote   bool       // a commit that is cut off may have happened
	readOnly bool
	timeout  time.Duration
	wait     time.Duration
	trace    func(string)
	watch    adapters.Watcher
	borrowed bool // the connections are another one's

	mu      sync.RWMutex
	schemas map[string]*schema     // by folded name
	members map[string][]*Relation // relations whose members are rows of a table, by its folded name
	texts   map[Text]bool          // in which keys stand

	counts counts
}

var (
	errNoTable = errors.New("no such table")
	errStale   = errors.New("the table has not the columns that the configuration names")
)

// Ping proves that the database answers.
func (db *Database) Ping(ctx context.Context) error {
	return db.view(ctx, "probe", false, func(ctx context.Context, s session) error {
		rows, err := s.query(ctx, db.dialect.probe())
		if err != nil {
			return err
		}
		return drain(rows)
	})
}

// Share is the same database for somebody else: the connections are the same, and
// what is known of the tables that use them is not. It is of no use once db is closed.
func (db *Database) Share() *Database {
	return &Database{dialect: db.dialect, read: db.read, write: db.write, remote: db.remote, readOnly: db.readOnly, timeout: db.timeout, wait: db.wait,
		trace: db.trace, watch: db.watch, schemas: map[string]*schema{}, members: map[string][]*Relation{}, borrowed: true}
}

// Close closes all connections, unless they are somebody else's.
func (db *Database) Close() error {
	if db.borrowed {
		return nil
	}
	return errors.Join(db.read.Close(), db.write.Close())
}

// A session sends statements, within a transaction or without.
type session struct {
	on interface {
		QueryContext(context.Context, string, ...any) (*stdsql.Rows, error)
		ExecContext(context.Context, string, ...any) (stdsql.Result, error)
	}
	db    *Database
	short bool // the statement is about a single row
}

func (s session) query(ctx context.Context, statement string, args ...any) (*stdsql.Rows, error) {
	after, err := s.sends(ctx, statement, args)
	if err != nil {
		return nil, err
	}
	rows, err := s.on.QueryContext(s.within(ctx), s.db.dialect.placed(statement), args...)
	after("", err)
	return rows, err
}

// exec sends a statement and answers how many rows it changed.
func (s session) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	after, err := s.sends(ctx, statement, args)
	if err != nil {
		return 0, err
	}
	r, err := s.on.ExecContext(s.within(ctx), s.db.dialect.placed(statement), args...)
	if err != nil {
		after("", err)
		return 0, err
	}
	n, err := r.RowsAffected()
	after(changed(n), err)
	return n, err
}

// drain reads to the end what a statement answers, for its errors.
func drain(rows *stdsql.Rows) error {
	for rows.Next() {
	}
	return errors.Join(rows.Err(), rows.Close())
}

// values reads the only column of all rows.
func values(rows *stdsql.Rows, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []any
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// view runs f to read. With snapshot, all that f reads is of one moment.
func (db *Database) view(ctx context.Context, op string, snapshot bool, f func(context.Context, session) error) error {
	return db.attempt(ctx, op, func(ctx context.Context) error {
		switch {
		case !snapshot && db.remote:
			return f(ctx, session{on: db.read, db: db})
		case !snapshot:
			return db.lend(ctx, db.read, f)
		}
		return db.transact(ctx, db.read, db.dialect.snapshot(), f)
	})
}

// change runs f in one transaction that may write.
func (db *Database) change(ctx context.Context, op string, f func(context.Context, session) error) error {
	return db.changeAs(ctx, op, nil, f)
}

// changeAs is change in a transaction of a certain isolation.
func (db *Database) changeAs(ctx context.Context, op string, how *stdsql.TxOptions, f func(context.Context, session) error) error {
	defer db.counts.forget()
	return db.attempt(ctx, op, func(ctx context.Context) error {
		return db.transact(ctx, db.write, how, f)
	})
}

func (db *Database) transact(ctx context.Context, pool *stdsql.DB, how *stdsql.TxOptions, f func(context.Context, session) error) error {
	if !db.remote {
		return db.alone(ctx, pool, f)
	}
	tx, err := pool.BeginTx(ctx, how)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := f(ctx, session{on: tx, db: db}); err != nil {
		return err
	}
	if err := db.settled(ctx, how == nil || !how.ReadOnly); err != nil {
		return err // before the commit is begun, so that what comes after it was
	}
	if err := tx.Commit(); err != nil {
		return &commitError{err}
	}
	return nil
}

// A commitError is a failure at a point where the database may have kept the
// change nevertheless.
type commitError struct{ error }

func (e *commitError) Unwrap() error { return e.error }

// A racedError is the refusal of a row that was not there when it was looked for:
// another transaction has made it, and the whole operation may be tried again.
type racedError struct{ error }

func (e *racedError) Unwrap() error { return e.error }

// maxTries bounds how often a server is asked to do an operation that it gave up
// for the sake of another. A file's lock is asked for until the time is over.
const maxTries = 10

// attempt runs f, again where another transaction was in the way, until that
// has taken as long as a caller can be asked to wait.
func (db *Database) attempt(ctx context.Context, op string, f func(context.Context) error) error {
	if db.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, db.timeout)
		defer cancel()
	}
	var begun time.Time
	for tries, pause := 1, time.Millisecond; ; tries, pause = tries+1, min(2*pause, 50*time.Millisecond) {
		err := f(ctx)
		if err == nil {
			return nil
		}
		var known *adapters.Error
		var raced *racedError
		if errors.As(err, &known) || !errors.As(err, &raced) && !db.dialect.classify(err).busy {
			return db.fault(ctx, op, err)
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		if db.remote && tries == maxTries || time.Since(begun) > db.wait || !sleep(ctx, pause) {
			return db.fault(ctx, op, err)
		}
	}
}

// sleep answers false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// fault makes an *adapters.Error of any error.
func (db *Database) fault(ctx context.Context, op string, err error) error {
	var known *adapters.Error
	if errors.As(err, &known) {
		if known.Op == "" {
			known.Op = op
		}
		return known
	}
	out := &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: err}
	var commit *commitError
	if ended := ctx.Err(); ended != nil {
		// A commit is not begun under a context that has ended: of a file, nothing
		// was kept, whatever the driver said.
		out.Err = fmt.Errorf("%w: %v", ended, err)
		out.Unsure = db.remote && errors.As(err, &commit)
		return out
	}
	if errors.Is(err, errNoTable) || errors.Is(err, errStale) {
		return out
	}
	f := db.dialect.classify(err)
	out.Kind = f.kind
	out.Unsure = f.kind == adapters.Unavailable && !f.busy && errors.As(err, &commit)
	if f.foreign && op == "delete" {
		out.Kind = adapters.Conflict
	}
	return out
}

// schema is what the database says about a table, read once.
func (db *Database) schema(ctx context.Context, s session, table string) (*schema, error) {
	name := strings.ToLower(table)
	db.mu.RLock()
	known := db.schemas[name]
	db.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	if db.watch != nil {
		ctx = adapters.WithPurpose(ctx, "describe", true)
	}
	t, err := db.dialect.schema(ctx, s, table)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.schemas[name] = t
	return t, nil
}

// forget makes the next operation read all schemas again.
func (db *Database) forget() {
	db.mu.Lock()
	defer db.mu.Unlock()
	clear(db.schemas)
}

// refer notes which tables' rows are members of relations, so that a member's
// deletion takes it out of them.
func (db *Database) refer(relations []Relation) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for i := range relations {
		if r := &relations[i]; r.Refers != nil {
			name := strings.ToLower(r.Refers.Table)
			db.members[name] = append(db.members[name], r)
		}
	}
}

// referring lists the relations whose members are rows of a table, by a key.
func (db *Database) referring(table, key string) []*Relation {
	db.mu.RLock()
	defer db.mu.RUnlock()
	var out []*Relation
	for _, r := range db.members[strings.ToLower(table)] {
		if strings.EqualFold(r.Refers.Key, key) {
			out = append(out, r)
		}
	}
	return out
}
