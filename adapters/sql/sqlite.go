package sql

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/postern/postern/scim/filter"
)

const connectionLife = time.Minute

// sqlite is SQLite, by github.com/mattn/go-sqlite3.
type sqlite struct{ standard }

// openSQLite opens path[?option=value...].
func openSQLite(cfg Config, name string) (*Database, error) {
	path, options, _ := strings.Cut(name, "?")
	given, err := url.ParseQuery(options)
	switch {
	case err != nil:
		return nil, errors.New("sqlite: the options after the question mark are not of the form name=value")
	case path == "" || strings.ContainsRune(path, 0):
		return nil, errors.New("sqlite: the dsn names no file")
	case path == ":memory:":
		return nil, errors.New("sqlite: a database in memory would be another one on each connection")
	}
	params := url.Values{
		"mode":             {"rw"}, // a file that is not there is an error, not a new database
		"_busy_timeout":    {"20"}, // longer waits are in Database.attempt, which heeds the context
		"_foreign_keys":    {"1"},
		"_stmt_cache_size": {"64"},
	}
	readOnly := false
	for option, v := range given {
		switch {
		case option == "synchronous" && (v[0] == "normal" || v[0] == "full"):
			params.Set("_synchronous", v[0])
		case option == "foreign_keys" && (v[0] == "on" || v[0] == "off"):
			params.Set("_foreign_keys", v[0])
		case option == "mode" && (v[0] == "ro" || v[0] == "rw"):
			params.Set("mode", v[0])
			readOnly = v[0] == "ro"
		default:
			return nil, fmt.Errorf("sqlite: no option %s=%s; there are foreign_keys=on|off, synchronous=normal|full and mode=rw|ro", option, v[0])
		}
	}
	made := &initialiser{path: path, script: cfg.Init}
	db := &Database{
		dialect:  sqlite{},
		readOnly: readOnly,
		timeout:  cfg.Timeout,
		wait:     cfg.Wait,
		trace:    cfg.Trace,
		watch:    cfg.Watch,
		schemas:  map[string]*schema{},
		members:  map[string][]*Relation{},
	}
	// What a connection keeps of the file is mostly the upper pages of indexes; all
	// else comes from the system's cache. More of it made no request faster.
	params.Set("_cache_size", "-512")
	params.Set("_query_only", "1")
	db.read = stdsql.OpenDB(newConnector(path, params, made))
	n := readers(cfg.Connections)
	db.read.SetMaxOpenConns(n)
	db.read.SetMaxIdleConns(n)
	params.Del("_query_only")
	params.Set("_cache_size", "-2000")
	params.Set("_txlock", "immediate")
	db.write = stdsql.OpenDB(newConnector(path, params, made))
	db.write.SetMaxOpenConns(1)
	// A file that is replaced would be used on for as long as it is open.
	db.read.SetConnMaxLifetime(connectionLife)
	db.write.SetConnMaxLifetime(connectionLife)
	return db, nil
}

// readers is how many connections read a file. It is our own processors that do the
// work: more than these are busy with make nothing faster, and each has a cache and
// statements of its own.
func readers(wanted int) int { return min(wanted, max(4, 2*runtime.GOMAXPROCS(0))) }

// A connector makes connections with our functions on them.
type connector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
	made   *initialiser
	file   *watched
}

func newConnector(path string, params url.Values, made *initialiser) *connector {
	// Of what may stand in a path, only these mean something in a URI.
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	return &connector{
		driver: &sqlite3.SQLiteDriver{ConnectHook: register},
		dsn:    "file:" + escaped + "?" + params.Encode(),
		made:   made,
		file:   &watched{path: path},
	}
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.made.run(); err != nil {
		return nil, err
	}
	return c.file.connect(c.driver, c.dsn)
}

func (c *connector) Driver() driver.Driver { return c.driver }

// An initialiser makes the database of an example, once.
type initialiser struct {
	path   string
	script string
	mu     sync.Mutex
}

// run runs the script on a file beside the path and gives it its name when it
// is whole. A file that is there is left as it is.
func (i *initialiser) run() error {
	if i.script == "" {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, err := os.Stat(i.path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(i.path), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(i.path), ".init-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	whole := filepath.Join(dir, "new.db")
	if err := runScript(whole, i.script); err != nil {
		return fmt.Errorf("init script: %w", err)
	}
	// A link, unlike a rename, does not replace what another process made meanwhile.
	if err := os.Link(whole, i.path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func runScript(path, script string) error {
	// Until it is whole, nothing depends on the file: one sync at the end does.
	params := url.Values{"_synchronous": {"OFF"}, "_journal_mode": {"MEMORY"}}
	db := stdsql.OpenDB(newConnector(path, params, &initialiser{}))
	db.SetMaxOpenConns(1)
	_, err := db.Exec(script)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func (sqlite) quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// probe reads the first page: SELECT 1 would be answered without a look at the file.
func (sqlite) probe() string { return "SELECT 1 FROM sqlite_master LIMIT 1" }

// list makes text of integers for a column of text: between the two of them, unlike
// a column and a parameter, nothing is converted.
func (sqlite) list(c *column) (from, ord, value string) {
	if c.kind == textKind {
		return "json_each(?) AS l", "l.key", "CAST(l.value AS TEXT)"
	}
	return "json_each(?) AS l", "l.key", "l.value"
}

// exactly overrides the collation with which the column was declared.
func (sqlite) exactly(c *column) string {
	if c.kind == textKind || c.kind == anyKind {
		return c.ref + " COLLATE BINARY"
	}
	return c.ref
}

// selected hides the declared type from the driver, which would turn dates and
// booleans into what they are not.
func (sqlite) selected(c *column) string { return "+" + c.ref }

func (d sqlite) relation(name string) string { return d.quote(name) }

// placed wraps what columns are compared with in an INSERT that selects: SQLite
// compiles such a statement anew each time its parameters are bound, which takes ten
// times as long as to run it. No name holds a question mark.
func (sqlite) placed(statement string) string {
	if strings.HasPrefix(statement, "INSERT ") {
		return strings.ReplaceAll(statement, "= ?", "= (SELECT ?)")
	}
	return statement
}

func (sqlite) blank(c *column) string { return c.ref + " = ''" }

func (sqlite) truth(is bool) string {
	if is {
		return "1"
	}
	return "0"
}

func (sqlite) can(*column, *filter.Compare) bool { return true }

func (sqlite) sorts(*column, filter.Match) bool { return true }

// key is what is stored, as it is written.
func (sqlite) key(c *column) *column {
	if c.kind != timeKind {
		return c
	}
	d := *c
	d.kind = integerKind
	return &d
}

func (sqlite) pair(a, b *column) (x, y string) { return a.ref, b.ref }

func (sqlite) stored(b *builder, _ *column, v any) { b.bind(v) }

func (sqlite) fits(*column, any) bool { return true }

func (sqlite) snapshot() *stdsql.TxOptions { return nil }

// lock is not needed: there is one writer.
func (sqlite) lock() string { return "" }

func (sqlite) missing(context.Context, session, string) ([]string, error) { return nil, nil }

func (sqlite) deferred() string { return "PRAGMA defer_foreign_keys = ON" }
