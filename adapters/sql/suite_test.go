package sql_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// open makes a database of a script, in a file of its own.
func open(t testing.TB, script string, options ...func(*sql.Config)) *sql.Database {
	t.Helper()
	cfg := sql.Config{DSN: "sqlite:" + fileOf(t), Init: script}
	for _, o := range options {
		o(&cfg)
	}
	db, err := sql.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// fileOf names a database file of the test's own.
func fileOf(t testing.TB) string { return filepath.Join(t.TempDir(), "legacy.db") }

// table makes the adapter of a table.
func table(t testing.TB, db *sql.Database, spec sql.Table, fields ...string) *sql.Adapter {
	t.Helper()
	a, err := db.Table(spec, adapters.NewShape(fields...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var ctx = context.Background()

func ptr[T any](v T) *T { return &v }

const suiteMembers = `
CREATE TABLE person_team (person_id NOT NULL, team_id TEXT NOT NULL);
CREATE INDEX person_team_owner ON person_team (person_id, team_id);
`

var suiteFields = adaptertest.Fields{
	Name: "name", Nick: "nick", Note: "note", Age: "age", Active: "active", Born: "born", Members: "teams",
}

var suiteShape = []string{"name", "nick", "note", "age", "active", "born", "teams"}

// TestSuite runs the conformance suite on the ways in which tables are made.
func TestSuite(t *testing.T) {
	generated := `CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, nick TEXT,
		note TEXT NOT NULL DEFAULT '', age INTEGER, active CHAR(1), born DATETIME);` + suiteMembers
	given := `CREATE TABLE person (id TEXT PRIMARY KEY NOT NULL, name VARCHAR(80) NOT NULL, nick, note CLOB,
		age NUMERIC, active TEXT CHECK (length(active) < 9), born TIMESTAMP) WITHOUT ROWID;` + suiteMembers
	byName := `CREATE TABLE person (name TEXT PRIMARY KEY, nick TEXT, note TEXT, age BIGINT, active TEXT, born DATETIME);` + suiteMembers
	relation := sql.Relation{Field: "teams", Table: "person_team", Owner: "person_id", Member: "team_id"}
	scope := filter.Not{Term: &filter.Compare{Name: "active", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue("builtin")}}
	toTeams := relation
	toTeams.Refers = &sql.Target{Table: "team", Key: "id", Where: &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("secret")}}
	teams := "CREATE TABLE team (id INTEGER PRIMARY KEY, kind TEXT); INSERT INTO team (id) VALUES (1)"
	for i := 2; i <= 200; i++ {
		teams += fmt.Sprintf(", (%d)", i)
	}
	for name, c := range map[string]struct {
		script  string
		spec    sql.Table
		harness adaptertest.Harness
	}{
		"generated keys": {
			script: generated + `CREATE UNIQUE INDEX person_name ON person (name);`,
			spec:   sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{relation}},
		},
		"generated keys, nocase, scope and members that refer": {
			script: generated + `CREATE UNIQUE INDEX person_name ON person (name COLLATE NOCASE); DROP TABLE person_team;
				CREATE TABLE person_team (person_id INTEGER NOT NULL, team_id TEXT NOT NULL, PRIMARY KEY (person_id, team_id));
				CREATE INDEX person_nick ON person (nick COLLATE NOCASE);
				CREATE INDEX person_team_member ON person_team (team_id);` + teams,
			spec:    sql.Table{Name: "person", Key: []string{"id"}, Where: scope, Relations: []sql.Relation{toTeams}},
			harness: adaptertest.Harness{FoldedUnique: true},
		},
		"given keys": {
			script: given + `CREATE UNIQUE INDEX person_name ON person (lower(name)); DROP TABLE person_team;
				CREATE TABLE person_team (person_id TEXT NOT NULL, team_id TEXT NOT NULL, PRIMARY KEY (person_id, team_id)) WITHOUT ROWID;`,
			spec:    sql.Table{Name: "person", Key: []string{"id"}, Generated: ptr(false), Relations: []sql.Relation{relation}},
			harness: adaptertest.Harness{OddKeys: true, FoldedUnique: true},
		},
		"composite keys": {
			script: `CREATE TABLE person (realm TEXT, id INTEGER, name TEXT UNIQUE, nick TEXT, note TEXT, age INTEGER, active TEXT,
				born DATETIME, teams TEXT, PRIMARY KEY (realm, id))`,
			spec: sql.Table{Name: "person", Key: []string{"realm", "id"}},
			harness: adaptertest.Harness{
				Key:    func(i int) adapters.Key { return adapters.JoinKey(`r|\`+strconv.Itoa(100+i/3), strconv.Itoa(i)) },
				Fields: adaptertest.Fields{Name: "name", Nick: "nick", Note: "note", Age: "age", Active: "active", Born: "born"},
			},
		},
		"key from name": {
			script:  byName,
			spec:    sql.Table{Name: "person", Key: []string{"name"}, Generated: ptr(false), Relations: []sql.Relation{relation}},
			harness: adaptertest.Harness{KeyFrom: "name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.harness
			if h.Fields.Name == "" {
				h.Fields = suiteFields
			}
			h.New = func(t testing.TB) adapters.Adapter {
				return table(t, open(t, "PRAGMA journal_mode = WAL;"+c.script), c.spec, suiteShape...)
			}
			adaptertest.Run(t, h)
		})
	}
}
