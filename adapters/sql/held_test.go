package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// TestHeldSuite: a join table of names and codes, in place of keys, is one like all
// others.
func TestHeldSuite(t *testing.T) {
	script := `CREATE TABLE person (id KEY, name text NOT NULL, nick text, note text, age bigint);
CREATE UNIQUE INDEX person_name ON person (name);
CREATE TABLE team (id integer PRIMARY KEY, code varchar(20) NOT NULL UNIQUE);
CREATE TABLE person_team (person text NOT NULL, team varchar(20) NOT NULL);
CREATE INDEX person_team_owner ON person_team (person, team);
CREATE INDEX person_team_member ON person_team (team);
INSERT INTO team VALUES (1, 'c1')`
	for i := 2; i <= 200; i++ {
		script += fmt.Sprintf(", (%d, 'c%d')", i, i)
	}
	spec := sql.Table{Name: "person", Key: []string{"id"}, Relations: []sql.Relation{{Field: "teams", Table: "person_team", Owner: "person", Member: "team",
		OwnerHolds: "name", MemberHolds: "code", Refers: &sql.Target{Table: "team", Key: "id"}}}}
	keys := map[string]string{"sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT", "postgres": "integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "mariadb": "integer AUTO_INCREMENT PRIMARY KEY"}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			s := strings.Replace(script, "KEY", keys[e.name], 1)
			if e.name == "mariadb" {
				s = strings.NewReplacer("name text NOT NULL", "name varchar(700) COLLATE utf8mb4_nopad_bin NOT NULL", "person text", "person varchar(700) COLLATE utf8mb4_nopad_bin").Replace(s)
			}
			dsn, raw := e.start(t, s)
			adaptertest.Run(t, adaptertest.Harness{
				Fields: adaptertest.Fields{Name: "name", Nick: "nick", Note: "note", Age: "age", Members: "teams"}, Brief: e.name != "sqlite",
				New: func(t testing.TB) adapters.Adapter {
					mustExec(t, raw, "DELETE FROM person_team", "DELETE FROM person")
					return guard.Wrap(table(t, openAt(t, dsn), spec, "name", "nick", "note", "age", "teams"), "legacy", guard.Options{})
				},
			})
		})
	}
}

const loginScript = `CREATE TABLE staff (no integer NOT NULL PRIMARY KEY, login varchar(80) UNIQUE);
CREATE TABLE team (id integer NOT NULL PRIMARY KEY, name varchar(80) NOT NULL UNIQUE);
CREATE TABLE team_member (team varchar(80) NOT NULL, login varchar(80) NOT NULL, PRIMARY KEY (team, login));
CREATE INDEX team_member_login ON team_member (login);
INSERT INTO staff VALUES (1, 'ada'), (2, 'bob'), (3, NULL);
INSERT INTO team VALUES (10, 'admins'), (11, 'clerks');
INSERT INTO team_member VALUES ('admins', 'ada'), ('admins', 'bob'), ('admins', 'gone'), ('clerks', 'ada');`

// TestHeldColumns: memberships by name follow the names, and end with the record.
func TestHeldColumns(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			dsn, raw := e.start(t, loginScript)
			var sent []string
			db := open(t, "", func(c *sql.Config) { c.DSN, c.Trace = dsn, func(s string) { sent = append(sent, s) } })
			teams := table(t, db, sql.Table{Name: "team", Key: []string{"id"}, Relations: []sql.Relation{{Field: "members", Table: "team_member", Owner: "team", Member: "login",
				OwnerHolds: "name", MemberHolds: "login", Refers: &sql.Target{Table: "staff", Key: "no"}}}}, "name", "members")
			staff := table(t, db, sql.Table{Name: "staff", Key: []string{"no"}, Relations: []sql.Relation{{Field: "groups", Table: "team_member", Owner: "login", Member: "team",
				OwnerHolds: "login", MemberHolds: "name", Refers: &sql.Target{Table: "team", Key: "id"}}}}, "login", "groups")
			members := func(want ...string) {
				t.Helper()
				r, err := teams.Get(ctx, "10", adapters.AllFields)
				if err != nil || !adapters.Same(r.Get("members"), want) {
					t.Errorf("members are %v, not %v: %v", r.Get("members"), want, err)
				}
			}
			members("1", "2")
			sent = nil
			page, err := staff.List(ctx, adapters.Query{Limit: 10, Total: true, Want: adapters.AllFields})
			if err != nil || len(page.Records) != 3 || !adapters.Same(page.Records[0].Get("groups"), []string{"10", "11"}) || len(sent) > 2 {
				t.Errorf("a page in %d statements: %v, %v", len(sent), page, err)
			}
			for of, want := range map[string]int{"10": 2, "11": 1, "9": 0} {
				page, err = staff.List(ctx, adapters.Query{Limit: 10, Total: true, Filter: eq("groups", of, filter.Exact)})
				if err != nil || page.Total != want {
					t.Errorf("who is in %s: %v, %v", of, page, err)
				}
			}
			add := func(key string) error {
				_, err := teams.Update(ctx, "10", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{key, "1"}}}}, adapters.Fields{})
				return err
			}
			isFailure(t, "one without a login", add("3"), adapters.Invalid, "members")
			isFailure(t, "one who is not there", add("9"), adapters.Invalid, "members")
			if _, err := staff.Update(ctx, "3", one("login", nil, "cyd"), adapters.Fields{}); err != nil {
				t.Fatal(err)
			}
			if err := add("3"); err != nil {
				t.Error(err)
			}
			members("1", "2", "3")
			if _, err := staff.Update(ctx, "2", one("login", "bob", "robert"), adapters.Fields{}); err != nil {
				t.Fatal(err)
			}
			if _, err := teams.Update(ctx, "10", one("name", "admins", "chiefs"), adapters.Fields{}); err != nil {
				t.Fatal(err)
			}
			members("1", "2", "3")
			if got := oneValue(t, raw, "SELECT count(*) FROM team_member WHERE team = 'chiefs' AND login IN ('robert', 'ada', 'cyd', 'gone')"); got != "4" {
				t.Errorf("%s rows went along", got)
			}
			if err := staff.Delete(ctx, "1"); err != nil || oneValue(t, raw, "SELECT count(*) FROM team_member WHERE login = 'ada'") != "0" {
				t.Errorf("deleted: %v", err)
			}
			if err := teams.Delete(ctx, "10"); err != nil || oneValue(t, raw, "SELECT count(*) FROM team_member") != "0" {
				t.Errorf("deleted: %v", err)
			}
		})
	}
}
