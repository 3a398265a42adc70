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
	dialect        dialect
	dry            bool
	node           string   // this process, in the journal
	jobs           chan job // see together
	closed, idle   chan struct{}
	closing        sync.Once
	trace          func(string)
}

// Open opens the mapping table that dsn names, "sqlite:PATH" or a bare path, and
// brings its schema up to date. The file is made if there is none.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	scheme, path, found := strings.Cut(dsn, ":")
	if !found || strings.ContainsAny(scheme, `/\.`) || len(scheme) == 1 {
		scheme, path = "sqlite", dsn
	}
	db, ok := dialects(scheme)
	if !ok {
		return nil, fmt.Errorf("identity: cannot keep the mapping table in %q: only sqlite:PATH is supported", scheme)
	}
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 10 * time.Second
	}
	s := &Store{newID: o.NewID, newIdentity: o.NewID, now: o.Now, dialect: db, dry: o.DryRun, trace: o.Trace, node: thisNode(),
		jobs: make(chan job), closed: make(chan struct{}), idle: make(chan struct{})}
	if s.newID == nil {
		s.newID, s.newIdentity = randomID, orderedID
	}
	if s.now == nil {
		s.now = time.Now
	}
	writer, reader, err := db.open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("identity: opening the mapping table: %w", s.dialect.classify(err))
	}
	s.writer.db, s.reader.db = writer, reader
	go s.gather()
	if err := errors.Join(
		s.reader.prepare(ctx, db.text, readQueries()),
		s.writer.prepare(ctx, db.text, append(readQueries(), writeQueries()...)),
	); err != nil {
		return nil, errors.Join(fmt.Errorf("identity: %w", s.dialect.classify(err)), s.Close())
	}
	return s, nil
}

// Ping reports whether the table can be read.
func (s *Store) Ping(ctx context.Context) error {
	return s.fail("ping", s.reader.db.PingContext(ctx))
}

// Close lets go of the file. Reads and writes under way are finished first.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.closed) })
	<-s.idle
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

// A pool is a database with its prepared statements.
type pool struct {
	db    *sql.DB
	stmts map[query]*sql.Stmt
}

func (p *pool) prepare(ctx context.Context, text func(query) string, queries []query) error {
	p.stmts = make(map[query]*sql.Stmt, len(queries))
	for _, q := range queries {
		st, err := p.db.PrepareContext(ctx, text(q))
		if err != nil {
			return fmt.Errorf("preparing %.40q: %w", q, err)
		}
		p.stmts[q] = st
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

// write runs f in one transaction: all of it is done, or nothing.
func (s *Store) write(ctx context.Context, op string, f func(*session) error) error {
	tx, err := s.writer.db.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(op, err)
	}
	defer tx.Rollback() // without effect after Commit
	err = f(&session{ctx: ctx, pool: &s.writer, tx: tx, now: s.now().UnixMicro(), trace: s.trace})
	switch {
	case err == nil && s.dry:
		return nil
	case err == nil:
		err = tx.Commit()
	}
	if errors.Is(err, errDryRun) {
		return nil
	}
	return s.fail(op, err)
}

func (x *session) stmt(q query) *sql.Stmt {
	if x.trace != nil {
		x.trace(string(q))
	}
	if x.tx != nil {
		return x.tx.StmtContext(x.ctx, x.pool.stmts[q])
	}
	return x.pool.stmts[q]
}

// exec answers the number of rows that changed.
func (x *session) exec(q query, args ...any) (int64, error) {
	res, err := x.stmt(q).ExecContext(x.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// each calls row for every row of the answer.
func (x *session) each(q query, args []any, row func(scan func(...any) error) error) error {
	rows, err := x.stmt(q).QueryContext(x.ctx, args...)
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
	b, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings and arrays of them always have a JSON form
	}
	return string(b)
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
