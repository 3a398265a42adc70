package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/postern/postern/internal/testdb"
)

// The kinds of database that a test of the whole program can run on.
var engines = []string{"sqlite", "postgres", "mariadb"}

// serverOf makes a database of the test's own on a server, and answers its dsn and
// a way around Postern.
func serverOf(t *testing.T, engine string) (string, *sql.DB) {
	t.Helper()
	name := fmt.Sprintf("postern_cmd_%d", testdb.Unique())
	if engine == "postgres" {
		dsn := testdb.Postgres(t)
		onServer(t, pgOpen(t, dsn), "CREATE SCHEMA "+name, "DROP SCHEMA "+name+" CASCADE")
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		return u.String(), pgOpen(t, u.String())
	}
	u, err := url.Parse(testdb.MariaDB(t))
	if err != nil {
		t.Fatal(err)
	}
	onServer(t, myOpen(t, u), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4", "DROP DATABASE "+name)
	u.Path = "/" + name
	return u.String(), myOpen(t, u)
}

func onServer(t *testing.T, admin *sql.DB, create, drop string) {
	t.Helper()
	if _, err := admin.Exec(create); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(drop); err != nil {
			t.Error(err)
		}
	})
}

func pgOpen(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func myOpen(t *testing.T, u *url.URL) *sql.DB {
	t.Helper()
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	cfg.MultiStatements, cfg.InterpolateParams = true, true
	cfg.Params = map[string]string{"sql_mode": "'PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'"} // to be asked in the words of the standard
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

const (
	engineDSN  = `dsn: "sqlite:state/legacy.db"`
	engineInit = ", init: legacy.sql"
)

// stageOn is stage with the legacy database on any kind of engine. The script is one
// that all of them understand.
func stageOn(t *testing.T, engine, yaml, script string) *rig {
	t.Helper()
	if engine == "sqlite" {
		return stage(t, yaml, script)
	}
	dsn, db := serverOf(t, engine)
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	yaml = strings.Replace(strings.Replace(yaml, engineDSN, `dsn: "`+dsn+`"`, 1), engineInit, "", 1)
	r := stage(t, yaml, "")
	r.legacy = db
	return r
}

// eachEngine runs a test on every kind of database.
func eachEngine(t *testing.T, yaml, script string, test func(r *rig)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e, func(t *testing.T) {
			r := stageOn(t, e, yaml, script)
			r.serve()
			test(r)
		})
	}
}
