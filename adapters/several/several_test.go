package several_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/several"
	"github.com/postern/postern/adapters/sql"
)

// names are those of the whole in the suite: what is not the main record's stands in
// the parts mail and desk.
var names = []string{"name", "mail.nick", "mail.note", "age", "desk.active", "desk.born", "members"}

var suiteFields = adaptertest.Fields{Name: "name", Nick: "mail.nick", Note: "mail.note", Age: "age", Active: "desk.active", Born: "desk.born", Members: "members"}

func whole(t testing.TB, main, mail, desk adapters.Adapter, byKey bool) adapters.Adapter {
	t.Helper()
	a, err := several.New(several.Options{Main: main, Key: []string{"id"}, Shape: adapters.NewShape(names...), Parts: []several.Part{
		{Name: "mail", Adapter: mail, On: "owner", From: adapters.KeyField, ByKey: byKey, Create: true, Ask: []string{"mail.nick"}},
		{Name: "desk", Adapter: desk, On: "login", From: "name", Create: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func inMemory(t testing.TB, given bool) adapters.Adapter {
	main := memory.New(memory.Options{GivenKeys: given, Fields: []memory.Field{{Name: "name", Unique: true}, {Name: "age"}, {Name: "members", Relation: memory.NewRelation()}}})
	mail := memory.New(memory.Options{Fields: []memory.Field{{Name: "owner", Unique: true}, {Name: "nick"}, {Name: "note"}}, GivenKeys: given, KeyFrom: map[bool]string{true: "owner"}[given]})
	desk := memory.New(memory.Options{Fields: []memory.Field{{Name: "login", Unique: true}, {Name: "active"}, {Name: "born"}}})
	return whole(t, main, mail, desk, given)
}

// inSQLite are three databases.
func inSQLite(t testing.TB, given bool) adapters.Adapter {
	t.Helper()
	id := "id INTEGER PRIMARY KEY AUTOINCREMENT"
	generated := true
	if given {
		id, generated = "id TEXT PRIMARY KEY", false
	}
	main := table(t, "CREATE TABLE person ("+id+", name TEXT UNIQUE NOT NULL, age INTEGER); CREATE TABLE person_team (person_id NOT NULL, team_id TEXT NOT NULL, PRIMARY KEY (person_id, team_id))",
		sql.Table{Name: "person", Key: []string{"id"}, Generated: &generated, Relations: []sql.Relation{{Field: "members", Table: "person_team", Owner: "person_id", Member: "team_id"}}},
		"name", "age", "members")
	mailKey, no := "owner", false
	mail := table(t, "CREATE TABLE mailbox (owner TEXT PRIMARY KEY, nick TEXT, note TEXT)", sql.Table{Name: "mailbox", Key: []string{mailKey}, Generated: &no}, "owner", "nick", "note")
	desk := table(t, "CREATE TABLE desk (nr INTEGER PRIMARY KEY, login TEXT UNIQUE, active TEXT, born DATETIME)", sql.Table{Name: "desk", Key: []string{"nr"}}, "login", "active", "born")
	return whole(t, main, mail, desk, true)
}

func table(t testing.TB, script string, spec sql.Table, fields ...string) adapters.Adapter {
	t.Helper()
	db, err := sql.Open(sql.Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "legacy.db"), Init: "PRAGMA journal_mode = WAL;" + script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a, err := db.Table(spec, adapters.NewShape(fields...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSuite(t *testing.T) {
	for _, given := range []bool{false, true} {
		for where, made := range map[string]func(testing.TB, bool) adapters.Adapter{"memory": inMemory, "SQLite": inSQLite} {
			for _, guarded := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, given keys %t, guarded %t", where, given, guarded), func(t *testing.T) {
					adaptertest.Run(t, adaptertest.Harness{Fields: suiteFields, OddKeys: where == "memory", Brief: guarded || given || where == "SQLite", New: func(t testing.TB) adapters.Adapter {
						a := made(t, given)
						if guarded {
							a = guard.New("several", guard.Options{Concurrency: 8, Log: slog.New(slog.DiscardHandler)}).Wrap(a)
						}
						return a
					}})
				})
			}
		}
	}
}
