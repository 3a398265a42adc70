package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// sqlite is the dialect of a file, of which one process writes at a time.
type sqlite struct{}

// open opens the two pools on one file: a single writer, whose transactions
// are immediate so that they never fail halfway for another's lock, and readers
// that never wait for it (WAL).
func (sqlite) open(ctx context.Context, dsn string, o Options) (writer, reader *sql.DB, err error) {
	path := strings.TrimPrefix(dsn, "sqlite:")
	if !o.DryRun {
		err = createFile(path)
	} else {
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, nil, err
	}
	writer, err = sql.Open("sqlite3", sqliteDSN(path, o, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, goose.DialectSQLite3, "sqlite", writer, o.DryRun); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	if _, err := writer.ExecContext(ctx, checkpoints); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	reader, err = sql.Open("sqlite3", sqliteDSN(path, o, url.Values{"_query_only": {"true"}}))
	if err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	reader.SetMaxOpenConns(n)
	reader.SetMaxIdleConns(n)
	return writer, reader, nil
}

// checkpoints makes the log be carried over into the table every 16 MiB. A new
// record touches a dozen pages, mostly those of the record before it: at SQLite's
// own 4 MiB every eightieth create waits for the disk, and the same pages are
// written again and again.
const checkpoints = "PRAGMA wal_autocheckpoint = 4000"

// creating is held by whoever makes a file.
var creating sync.Mutex

// createFile makes a new table readable by its owner only: keys are in it. A file that
// is there is not opened: when it is closed again, all locks on it that other stores of
// this process have are gone, and other processes take it for their own.
func createFile(path string) error {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return errors.New("the mapping table needs a file: write sqlite:PATH")
	}
	creating.Lock()
	defer creating.Unlock()
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDSN asks for durability against the death of the process (WAL with
// synchronous=NORMAL) or, with o.PowerSafe, of the machine.
func sqliteDSN(path string, o Options, more url.Values) string {
	sync := "NORMAL"
	if o.PowerSafe {
		sync = "FULL"
	}
	more.Set("_journal_mode", "WAL")
	more.Set("_synchronous", sync)
	more.Set("_foreign_keys", "true")
	more.Set("_stmt_cache_size", "64")
	more.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	// Most pages are left to the system's cache: more memory on a connection made no
	// request faster, nor the first sight of 100,000 records.
	more.Set("_cache_size", "-2000")
	if more.Has("_query_only") {
		more.Set("_cache_size", "-512")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + more.Encode()
}

// text makes a query's text for SQLite. A parameter that is compared with a
// column is wrapped, for otherwise SQLite, whose planner would like to know its
// value, compiles the statement anew each time the driver clears the bindings: a
// lookup of 12 µs took 65.
func (sqlite) text(q query) string {
	return regexp.MustCompile(`= (\?\d+)`).ReplaceAllString(string(q), "= (SELECT $1)")
}

// classify gives a driver's error the class that callers tell apart.
func (sqlite) classify(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) || errors.Is(err, ErrBusy) || errors.Is(err, ErrAway) || errors.Is(err, ErrUnsure) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly: // of the machine, and mended there
		return fmt.Errorf("%w (%w)", ErrAway, err)
	}
	return err
}

func (sqlite) values(args []any) []any { return args }

func (sqlite) local() bool { return true }

// begin is of a transaction that nobody else has at the same time.
func (sqlite) begin() *sql.TxOptions { return nil }

func (sqlite) clock() string { return "" }

// again is never true: a transaction that has begun waits for nobody.
func (sqlite) again(error) bool { return false }

// undone: what there is no room for, or what may not be written, is rolled back.
func (sqlite) undone(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrFull || e.Code == sqlite3.ErrReadonly)
}

func (sqlite) writers() int { return 1 }
