package sql

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// A Config says how to reach a database. Only DSN is needed.
type Config struct {
	// DSN is "sqlite:" and the path of the file. Options follow a question mark:
	// foreign_keys=off does not enforce foreign keys, mode=ro never writes,
	// synchronous=full waits for the disk at every change. Or it is the URL of a
	// PostgreSQL, MariaDB or MySQL database, postgres://user:password@host:port/database
	// or mysql://user:password@host:port/database.
	DSN string

	// Init is a script that makes the database where there is no file yet. It
	// runs before the first connection, all of it or nothing.
	Init string

	// Timeout bounds every operation; zero leaves that to the caller's context.
	Timeout time.Duration

	// Wait bounds the time that an operation waits for a lock that another
	// process or transaction holds. Zero: five seconds.
	Wait time.Duration

	// Connections bounds the connections that read. Zero: eight. There is always
	// one more, which writes.
	Connections int

	// Counts is how old a total may be that a page answers. Zero: none is older than
	// the page.
	Counts time.Duration

	// Trace, if set, is told every statement that is sent, never its values.
	Trace func(statement string)

	// Watch, if set, is told every statement with its values, and may stop it.
	Watch adapters.Watcher
}

const (
	defaultWait        = 5 * time.Second
	defaultConnections = 8
)

// Open prepares the use of a database. It does no I/O: the first operation
// connects, and a database that is down is Unavailable until it is up.
func Open(cfg Config) (*Database, error) {
	if cfg.Wait <= 0 {
		cfg.Wait = defaultWait
	}
	if cfg.Connections <= 0 {
		cfg.Connections = defaultConnections
	}
	kind, rest, ok := strings.Cut(cfg.DSN, ":")
	if !ok {
		return nil, errors.New(`the dsn must begin with the kind of database, as in "sqlite:legacy.db"`)
	}
	db, err := openKind(cfg, kind, rest)
	if err == nil {
		db.counts.age = cfg.Counts
	}
	return db, err
}

func openKind(cfg Config, kind, rest string) (*Database, error) {
	switch kind {
	case "sqlite":
		return openSQLite(cfg, rest)
	case "postgres", "postgresql":
		return openPostgres(cfg)
	case "mysql", "mariadb":
		return openMaria(cfg)
	}
	return nil, fmt.Errorf("no databases of the kind %q; there are sqlite, postgres and mysql", kind)
}
