package sql

import (
	"context"
	"testing"

	"github.com/postern/postern/adapters"
)

func TestOnlyReads(t *testing.T) {
	for statement, want := range map[string]bool{
		`SELECT t."last update" FROM "insert" AS t WHERE t."k" = ?`: true,
		`  select 1`: true,
		`SELECT 1 FROM m WHERE sql LIKE '%insert%'`:             true,
		`SELECT 1 FROM t WHERE k = ? FOR NO KEY UPDATE`:         true,
		`SELECT 1 FROM t WHERE k = ? FOR UPDATE`:                true,
		`WITH l AS (SELECT 1) SELECT * FROM l`:                  true,
		`WITH l AS (DELETE FROM t RETURNING k) SELECT * FROM l`: false,
		`SELECT k INTO copy FROM t`:                             false,
		`INSERT INTO t (k) VALUES (?) RETURNING k`:              false,
		`UPDATE t SET k = ?`:                                    false,
		"UPDATE `select` SET k = ?":                             false,
		`CALL make_user(?)`:                                     false,
		`COMMIT`:                                                false,
		`PRAGMA table_info("employee")`:                         true,
		`PRAGMA defer_foreign_keys = ON`:                        true,
		`SAVEPOINT s`:                                           true,
		`ROLLBACK TO SAVEPOINT s`:                               true,
		`PRAGMA journal_mode = DELETE`:                          false,
		``:                                                      false,
	} {
		if got := onlyReads(statement); got != want {
			t.Errorf("%s: %v", statement, got)
		}
	}
}

type nobody struct{}

func (nobody) Before(context.Context, *adapters.Exchange) error { return nil }
func (nobody) After(context.Context, *adapters.Exchange)        {}

// TestWatchedOnEveryEngine: a dry run relies on being asked before each statement.
func TestWatchedOnEveryEngine(t *testing.T) {
	for _, dsn := range []string{"sqlite:x.db", "postgres://u@127.0.0.1:1/x", "mysql://u@127.0.0.1:1/x"} {
		db, err := Open(Config{DSN: dsn, Watch: nobody{}})
		if err != nil {
			t.Fatal(err)
		}
		if db.watch == nil {
			t.Errorf("%s is not watched", dsn)
		}
		_ = db.Close()
	}
}
