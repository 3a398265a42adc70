package identity

import (
	"context"
	"crypto/rand"
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
