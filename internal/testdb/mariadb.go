package testdb

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

var mariadb = &server{
	name:     "mariadb",
	variable: "POSTERN_TEST_MARIADB",
	account:  "mysql",
	pkg:      "mariadb-server",
	program:  "/usr/sbin/mariadbd",
	start:    startMariaDB,
	stop:     `kill "$(cat "$DIR/data/server.pid")"; while [ -f "$DIR/data/server.pid" ]; do sleep 0.1; done`,
}

// MariaDB answers the dsn of a MariaDB or MySQL server on which the test may make
// databases and accounts of its own.
func MariaDB(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv(mariadb.variable); dsn != "" {
		return dsn
	}
	port, err := mariadb.up()
	if err != nil {
		mariadb.fail(t, err)
	}
	return "mysql://postern@127.0.0.1:" + strconv.Itoa(port) + "/test"
}

// startMariaDB makes the server's data, with an account that has all rights, and
// runs it.
func startMariaDB(s *server, bin, dir string, port int) error {
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(filepath.Join(data, "test")); errors.Is(err, os.ErrNotExist) {
		if err := os.RemoveAll(data); err != nil {
			return err
		}
		if err := s.folder(data); err != nil {
			return err
		}
		if err := output(s.as("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
			"--skip-test-db", "--skip-name-resolve")); err != nil {
			return err
		}
	}
	accounts := filepath.Join(data, "accounts.sql")
	const script = "CREATE DATABASE IF NOT EXISTS test;\nCREATE USER IF NOT EXISTS postern@'127.0.0.1';\nGRANT ALL ON *.* TO postern@'127.0.0.1' WITH GRANT OPTION;\n"
	if err := os.WriteFile(accounts, []byte(script), 0o644); err != nil {
		return err
	}
	// Nothing here needs to survive a power failure.
	server, err := s.as(filepath.Join(bin, "mariadbd"), "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
		"--socket="+filepath.Join(data, "server.sock"), "--pid-file="+filepath.Join(data, "server.pid"), "--log-error="+filepath.Join(data, "server.log"),
		"--init-file="+accounts, "--skip-name-resolve", "--max-connections=300", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
		"--innodb-doublewrite=0", "--skip-log-bin", "--character-set-server=utf8mb4", "--performance-schema=off")
	if err != nil {
		return err
	}
	return background(server, port, filepath.Join(data, "server.log"))
}
