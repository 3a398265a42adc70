package identity

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// A dialect is what differs from one database to another.
type dialect interface {
	open(ctx context.Context, dsn string, o Options) (writer, reader *sql.DB, err error)
	text(query) string     // a statement in its words
	local() bool           // it is a file: a statement takes microseconds
	values([]any) []any    // arguments as its driver takes them
	begin() *sql.TxOptions // of a transaction that writes
	clock() string         // asks it for the time, in microseconds; "": the machine's is everybody's
	again(error) bool      // a transaction gave way to another, and may be tried again
	undone(error) bool     // a commit that failed so has surely not been made
	writers() int          // how many transactions of one process may write at a time
	reads() *sql.TxOptions // of a transaction that reads the state of one moment
	lastNumber(ctx context.Context, x *sql.Tx, table string) (int64, error)
	setNumber(ctx context.Context, x *sql.Tx, table string, last int64) error
	notifies() bool // it can tell other processes of changes
	listen(ctx context.Context, dsn string, told func()) error
	classify(error) error // gives an error the class that callers tell apart
}

// dialectOf answers the dialect of a DSN; a bare path is a file of SQLite.
func dialectOf(dsn string) (dialect, error) {
	scheme, _, found := strings.Cut(dsn, ":")
	if !found || strings.ContainsAny(scheme, `/\.`) || len(scheme) == 1 {
		return sqlite{}, nil
	}
	switch scheme {
	case "sqlite":
		return sqlite{}, nil
	case "postgres", "postgresql":
		return &postgres{}, nil
	}
	return nil, fmt.Errorf("identity: cannot keep the mapping table in %q: write sqlite:PATH or postgres://user:password@host:5432/database", scheme)
}

// migrate brings the table to this version's schema. Two processes may start on a
// new one at once: the one that comes second finds a table or a version already
// there, looks again, and has nothing left to do.
// In a dry run nothing is brought anywhere, and so must be there.
func migrate(ctx context.Context, d goose.Dialect, folder string, db *sql.DB, dry bool) error {
	dir, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d, db, dir, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
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

// newerSchema refuses a table that a later version of Postern has migrated.
func newerSchema(ctx context.Context, p *goose.Provider, dry bool) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("the table has schema version %d, this program knows %d: use a newer postern", have, want)
	}
	if dry && have < want {
		return fmt.Errorf("the table has schema version %d, which the next start of postern serve makes %d", have, want)
	}
	return nil
}
