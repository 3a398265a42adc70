package identity

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern/postern/internal/testdb"
)

// Tests run on both engines: the table of a test is a file, or a schema of its own
// in a real PostgreSQL. Which one it is stands in the test's name.

const (
	onSQLite   = "sqlite"
	onPostgres = "postgres"
)

func onBoth(t *testing.T, test func(*testing.T)) {
	t.Run(onSQLite, test)
	t.Run(onPostgres, func(t *testing.T) {
		testdb.Postgres(t)
		test(t)
	})
}

// postgresIs reports whether a test runs on PostgreSQL.
func postgresIs(t testing.TB) bool { return strings.Contains(t.Name()+"/", "/"+onPostgres+"/") }

var (
	schemas   = map[string]string{} // by the path that a test has given
	schemasMu sync.Mutex
)

// at is the table that a test keeps at a path.
func at(t testing.TB, path string) string {
	t.Helper()
	if !postgresIs(t) {
		return path
	}
	return schemaOf(t, path)
}

// schemaOf is the schema that stands for a path.
func schemaOf(t testing.TB, path string) string {
	t.Helper()
	schemasMu.Lock()
	defer schemasMu.Unlock()
	if dsn, ok := schemas[path]; ok {
		return dsn
	}
	server := testdb.Postgres(t)
	name := fmt.Sprintf("ids_%d", testdb.Unique())
	execPostgres(t, server, "CREATE SCHEMA "+name)
	t.Cleanup(func() { execPostgres(t, server, "DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(server)
	noErr(t, err)
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	schemas[path] = u.String()
	return u.String()
}

func execPostgres(t testing.TB, dsn, statement string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	noErr(t, err)
	defer c.Close(context.Background()) //nolint:errcheck // of a test
	_, err = c.Exec(context.Background(), statement)
	noErr(t, err)
}

// file is a path that no other test has.
func file(t testing.TB) string { return filepath.Join(t.TempDir(), "ids.db") }
