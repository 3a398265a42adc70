package identity

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// A dialect is what differs from one database to another: opening it, the text of
// a statement, and what its errors mean.
type dialect struct {
	open     func(ctx context.Context, path string, o Options) (writer, reader *sql.DB, err error)
	text     func(query) string
	classify func(error) error
}

// dialects by the scheme of a DSN.
func dialects(scheme string) (dialect, bool) {
	if scheme == "sqlite" {
		return dialect{openSQLite, sqliteText, sqliteError}, true
	}
	return dialect{}, false
}

// openSQLite opens the two pools on one file: a single writer, whose transactions
// are immediate so that they never fail halfway for another's lock, and readers
// that never wait for it (WAL).
func openSQLite(ctx context.Context, path string, o Options) (writer, reader *sql.DB, err error) {
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
	if err := migrateSQLite(ctx, writer, o.DryRun); err != nil {
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

// createFile makes a new table readable by its owner only: keys are in it.
func createFile(path string) error {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return errors.New("the mapping table needs a file: write sqlite:PATH")
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
	more.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	// Readers leave the pages to the system's cache: more memory on each connection
	// made no request faster. First sight of many records does gain from it.
	more.Set("_cache_size", "-4000")
	if more.Has("_query_only") {
		more.Set("_cache_size", "-512")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + more.Encode()
}

// migrateSQLite brings the file to this version's schema. Two processes may start
// on a new file at once: the one that comes second finds a table or a version
// already there, looks again, and has nothing left to do.
// In a dry run nothing is brought anywhere, and so must be there.
func migrateSQLite(ctx context.Context, db *sql.DB, dry bool) error {
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for try := 0; !dry; try++ {
		if _, err = p.Up(ctx); err == nil {
			break
		}
		if try == 10 || ctx.Err() != nil {
			return fmt.Errorf("migrating: %w", err)
		}
		time.Sleep(time.Duration(20*(try+1)) * time.Millisecond)
	}
	return newerSchema(ctx, p, dry)
}

// newerSchema refuses a file that a later version of Postern has migrated.
func newerSchema(ctx context.Context, p *goose.Provider, dry bool) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("the file has schema version %d, this program knows %d: use a newer postern", have, want)
	}
	if dry && have < want {
		return fmt.Errorf("the file has schema version %d, which the next start of postern serve makes %d", have, want)
	}
	return nil
}

// sqliteText makes a query's text for SQLite. A parameter that is compared with a
// column is wrapped, for otherwise SQLite, whose planner would like to know its
// value, compiles the statement anew each time the driver clears the bindings: a
// lookup of 12 µs took 65.
func sqliteText(q query) string {
	return regexp.MustCompile(`= (\?\d+)`).ReplaceAllString(string(q), "= (SELECT $1)")
}

// sqliteError gives a driver's error the class that callers tell apart.
func sqliteError(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked) {
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	}
	return err
}
