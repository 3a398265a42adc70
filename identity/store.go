package identity

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Options are what Open may be told; the zero value is fine.
type Options struct {
	// PowerSafe makes every write wait until the disk has it. Without, a write
	// survives the death of the process, but the last ones may be lost with the
	// machine's power; the table stays whole in either case.
	PowerSafe   bool
	BusyTimeout time.Duration    // how long a write waits for another process; 10 s if zero
	NewID       func() string    // makes ids of every kind; at random if nil
	Now         func() time.Time // time.Now if nil

	// DryRun answers every write as if it were made, and undoes it. The file must be
	// there, with this version's schema.
	DryRun bool

	// Trace, if set, is told every statement that is sent, never its values.
	Trace func(statement string)
}

// A Store is an open mapping table. Its methods may be called from many
// goroutines; a batch is one transaction.
type Store struct {
	writer, reader pool
	newID          func() string // of a client
	newIdentity    func() string
	now            func() time.Time
	ownClock       bool // the time is the machine's, where the database has none for all
	dialect        dialect
	dry            bool
	node           string   // this process, in the journal
	jobs           chan job // see together
	closed         chan struct{}
	idle           sync.WaitGroup // of those who gather
	patience       time.Duration  // how long a transaction is tried again
	dsn            string
	heart          heart
	changes        changes
	closing        sync.Once
	trace          func(string)
}

// Open opens the mapping table that dsn names, "sqlite:PATH", a bare path, or the
// URL of a PostgreSQL database, and brings its schema up to date. The file is made
// if there is none; the database must be there.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	db, err := dialectOf(dsn)
	if err != nil {
		return nil, err
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 10 * time.Second
	}
	s := &Store{newID: o.NewID, newIdentity: o.NewID, now: o.Now, dialect: db, dry: o.DryRun, trace: o.Trace, node: thisNode(), patience: o.BusyTimeout, dsn: dsn,
		jobs: make(chan job), closed: make(chan struct{})}
	if s.newID == nil {
		s.newID, s.newIdentity = randomID, orderedID
	}
	if s.now == nil {
		s.now, s.ownClock = time.Now, true
	}
	writer, reader, err := db.open(ctx, dsn, o)
	if err != nil {
		return nil, fmt.Errorf("identity: opening the mapping table: %w", s.dialect.classify(err))
	}
	s.writer, s.reader = pool{db: writer, dialect: db}, pool{db: reader, dialect: db}
	for range db.writers() {
		s.idle.Go(s.gather)
	}
	if err := errors.Join(
		s.reader.prepare(ctx, readQueries()),
		s.writer.prepare(ctx, append(readQueries(), writeQueries()...)),
	); err != nil {
		return nil, errors.Join(fmt.Errorf("identity: %w", s.dialect.classify(err)), s.Close())
	}
	return s, nil
}

// Ping reports whether the table can be read.
func (s *Store) Ping(ctx context.Context) error {
	return s.fail("ping", s.reader.db.PingContext(ctx))
}

// Close lets go of the database. Reads and writes under way are finished first.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.closed) })
	s.idle.Wait()
	return errors.Join(s.reader.db.Close(), s.writer.db.Close())
}

// fail names the operation that failed; nil stays nil.
func (s *Store) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("identity: %s: %w", op, s.dialect.classify(err))
}

// randomID makes an id of 128 random bits: 26 letters and digits.
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// orderedID makes an id of the time in milliseconds and 80 random bits. Identities
// have such ids, which never leave: those made together stand together in every
// index, so that first sight of many records writes a tenth of the pages.
func orderedID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMilli())<<16)
	rand.Read(b[6:])
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// A pool is a database with its statements: prepared ones, or their texts where the
// driver prepares what it is given.
type pool struct {
	db      *sql.DB
	dialect dialect
	stmts   map[query]*sql.Stmt
	texts   map[query]string
}

// prepare finds out at the start that a statement does not fit the schema.
func (p *pool) prepare(ctx context.Context, queries []query) error {
	p.stmts, p.texts = make(map[query]*sql.Stmt, len(queries)), make(map[query]string, len(queries))
	for _, q := range queries {
		p.texts[q] = p.dialect.text(q)
		st, err := p.db.PrepareContext(ctx, p.texts[q])
		if err != nil {
			return fmt.Errorf("preparing %.40q: %w", q, err)
		}
		if p.dialect.prepares() {
			p.stmts[q] = st
		} else if err := st.Close(); err != nil {
			return err
		}
	}
	return nil
}

// A session runs statements: on the readers, or within one transaction.
type session struct {
	ctx  context.Context
	pool *pool
	tx   *sql.Tx // nil: no transaction
	now  int64

	trace func(string)
}

func (s *Store) reading(ctx context.Context) *session {
	return &session{ctx: ctx, pool: &s.reader, trace: s.trace}
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
	tx, err := s.writer.db.BeginTx(ctx, s.dialect.begin())
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	x := &session{ctx: ctx, pool: &s.writer, tx: tx, now: s.now().UnixMicro(), trace: s.trace}
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
	if err == nil || s.dialect.again(err) || !errors.Is(s.dialect.classify(err), ErrAway) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrUnsure, err)
}

func (x *session) traced(q query) {
	if x.trace != nil {
		x.trace(string(q))
	}
}

// stmt is a prepared statement, nil where the driver prepares.
func (x *session) stmt(q query) *sql.Stmt {
	st := x.pool.stmts[q]
	if st != nil && x.tx != nil {
		return x.tx.StmtContext(x.ctx, st)
	}
	return st
}

// exec answers the number of rows that changed.
func (x *session) exec(q query, args ...any) (int64, error) {
	x.traced(q)
	args = x.pool.dialect.values(args)
	var res sql.Result
	var err error
	if st := x.stmt(q); st != nil {
		res, err = st.ExecContext(x.ctx, args...)
	} else {
		res, err = x.tx.ExecContext(x.ctx, x.pool.texts[q], args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (x *session) query(q query, args []any) (*sql.Rows, error) {
	x.traced(q)
	args = x.pool.dialect.values(args)
	if st := x.stmt(q); st != nil {
		return st.QueryContext(x.ctx, args...)
	}
	if x.tx != nil {
		return x.tx.QueryContext(x.ctx, x.pool.texts[q], args...)
	}
	return x.pool.db.QueryContext(x.ctx, x.pool.texts[q], args...)
}

// row is the only row of an answer.
func (x *session) row(q query, args ...any) *sql.Row {
	x.traced(q)
	args = x.pool.dialect.values(args)
	if st := x.stmt(q); st != nil {
		return st.QueryRowContext(x.ctx, args...)
	}
	if x.tx != nil {
		return x.tx.QueryRowContext(x.ctx, x.pool.texts[q], args...)
	}
	return x.pool.db.QueryRowContext(x.ctx, x.pool.texts[q], args...)
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

// list makes the JSON array that a statement takes for many values.
func list[T any](values []T) string {
	if values == nil {
		return "[]"
	}
	b, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings and arrays of them always have a JSON form
	}
	return string(b)
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
