package testdb

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

var postgres = &server{
	name:     "postgres",
	variable: "POSTERN_TEST_POSTGRES",
	account:  "postgres",
	pkg:      "postgresql",
	program:  "/usr/lib/postgresql/*/bin/initdb",
	start:    startPostgres,
	stop:     `kill -INT "$(head -n 1 "$DIR/data/postmaster.pid")"; while [ -f "$DIR/data/postmaster.pid" ]; do sleep 0.1; done`,
}

// Postgres answers the dsn of a PostgreSQL database in which the test may do
// whatever it likes within a schema of its own.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn, err := PostgresServer()
	if err != nil {
		postgres.fail(t, err)
	}
	return dsn
}

// PostgresServer is Postgres for a program that is no test.
func PostgresServer() (dsn string, err error) {
	if dsn := os.Getenv(postgres.variable); dsn != "" {
		return dsn, nil
	}
	port, err := postgres.up()
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(port) + "/postgres?sslmode=disable", err
}

func startPostgres(s *server, bin, dir string, port int) error {
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := s.folder(data); err != nil {
			return err
		}
		if err := output(s.as(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")); err != nil {
			return err
		}
	}
	// Nothing here needs to survive a power failure.
	options := "-p " + strconv.Itoa(port) + " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" +
		" -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c autovacuum=off -c shared_buffers=64MB"
	return output(s.as(filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-t", "60", "-l", filepath.Join(data, "server.log"), "-o", options, "start"))
}
