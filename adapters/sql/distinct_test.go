package sql_test

import (
	stdsql "database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/scim/filter"
)

// An engine is a kind of database that a test runs on.
type engine struct {
	name string
	// start makes a database of a script, and answers its dsn and a way around the
	// adapter.
	start func(t testing.TB, script string) (string, *stdsql.DB)
}

var engines = []engine{
	{"sqlite", func(t testing.TB, script string) (string, *stdsql.DB) {
		path := fileOf(t)
		db := open(t, "PRAGMA journal_mode = WAL;"+script, func(c *sql.Config) { c.DSN = "sqlite:" + path })
		if err := db.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		return "sqlite:" + path, rawDB(t, path)
	}},
	{"postgres", func(t testing.TB, script string) (string, *stdsql.DB) {
		dsn := pgSchema(t, script)
		return dsn, pgRaw(t, dsn)
	}},
	{"mariadb", func(t testing.TB, script string) (string, *stdsql.DB) {
		dsn := myDatabase(t, script)
		return dsn, myRaw(t, dsn)
	}},
}

// openAt opens a database that is there.
func openAt(t testing.TB, dsn string) *sql.Database {
	return open(t, "", func(c *sql.Config) { c.DSN = dsn })
}

func mustExec(t testing.TB, raw *stdsql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := raw.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func oneValue(t testing.TB, raw *stdsql.DB, query string) string {
	t.Helper()
	var v stdsql.NullString
	if err := raw.QueryRow(query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v.String
}

// TestDistinctSuite: names in a table of memberships are records like all others,
// once there is a row that stands for one without members.
func TestDistinctSuite(t *testing.T) {
	script := `CREATE TABLE membership (name text NOT NULL, team varchar(40));
CREATE INDEX membership_name ON membership (name);
CREATE TABLE extra (name text NOT NULL PRIMARY KEY, nick text, note text, age bigint);`
	spec := sql.Table{Name: "membership", Key: []string{"name"}, Distinct: true, Vacant: []sql.Fixed{{Column: "team"}},
		Relations: []sql.Relation{{Field: "teams", Table: "membership", Owner: "name", Member: "team"}},
		Sides:     []sql.Side{{Name: "extra", Table: "extra", On: []string{"name"}}}}
	for _, e := range engines {
		for _, guarded := range []bool{false, true} {
			t.Run(e.name, func(t *testing.T) {
				s := script
				if e.name == "mariadb" {
					s = strings.ReplaceAll(s, "name text", "name varchar(750) COLLATE utf8mb4_nopad_bin")
				}
				dsn, raw := e.start(t, s)
				adaptertest.Run(t, adaptertest.Harness{
					Fields: adaptertest.Fields{Name: "name", Nick: "extra.nick", Note: "extra.note", Age: "extra.age", Members: "teams"}, KeyFrom: "name", Brief: e.name != "sqlite" || guarded,
					New: func(t testing.TB) adapters.Adapter {
						mustExec(t, raw, "DELETE FROM membership", "DELETE FROM extra")
						a := table(t, openAt(t, dsn), spec, "name", "extra.nick", "extra.note", "extra.age", "teams")
						if guarded {
							return guard.Wrap(a, "legacy", guard.Options{})
						}
						return a
					},
				})
			})
		}
	}
}

const roleScript = `CREATE TABLE staff (no integer NOT NULL PRIMARY KEY, login varchar(80) NOT NULL UNIQUE, kind varchar(20));
CREATE TABLE user_role (staff_no integer NOT NULL, role varchar(80) NOT NULL, PRIMARY KEY (staff_no, role));
CREATE INDEX user_role_role ON user_role (role);
INSERT INTO staff VALUES (1, 'ada', 'person'), (2, 'bob', 'person'), (3, 'root', 'builtin');
INSERT INTO user_role VALUES (1, 'admin'), (2, 'admin'), (3, 'admin'), (1, 'clerk'), (3, 'wheel');`

// TestDistinctGroups: a group is there as long as it has members, is renamed and
// deleted with all its rows, and refers to whom it may.
func TestDistinctGroups(t *testing.T) {
	person := &filter.Compare{Name: "kind", Op: filter.Ne, Match: filter.Exact, Value: filter.StringValue("builtin")}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			dsn, raw := e.start(t, roleScript)
			db := openAt(t, dsn)
			roles := table(t, db, sql.Table{Name: "user_role", Key: []string{"role"}, Distinct: true,
				Relations: []sql.Relation{{Field: "members", Table: "user_role", Owner: "role", Member: "staff_no", Refers: &sql.Target{Table: "staff", Key: "no", Where: person}}}}, "role", "members")
			staff := table(t, db, sql.Table{Name: "staff", Key: []string{"no"}, Where: person,
				Relations: []sql.Relation{{Field: "groups", Table: "user_role", Owner: "staff_no", Member: "role", Refers: &sql.Target{Table: "user_role", Key: "role", Distinct: true}}}}, "login", "groups")
			page, err := roles.List(ctx, adapters.Query{Limit: 2, Total: true, Want: adapters.AllFields, Filter: eq("role", "ADMIN", filter.Folded)})
			if err != nil || page.Total != 1 || len(page.Records) != 1 || !adapters.Same(page.Records[0].Get("members"), []string{"1", "2"}) {
				t.Errorf("found %v, %v", page, err)
			}
			page, err = roles.List(ctx, adapters.Query{Limit: 1, Total: true})
			if err != nil || page.Total != 3 || page.Next == "" {
				t.Errorf("a page: %v, %v", page, err)
			}
			if r, err := staff.Get(ctx, "1", adapters.AllFields); err != nil || !adapters.Same(r.Get("groups"), []string{"admin", "clerk"}) {
				t.Errorf("groups of ada: %v, %v", r.Values(), err)
			}
			page, err = staff.List(ctx, adapters.Query{Limit: 5, Filter: eq("groups", "admin", filter.Exact)})
			if err != nil || len(page.Records) != 2 {
				t.Errorf("who is in admin: %v, %v", page, err)
			}
			_, err = roles.Create(ctx, record(roles, "", map[string]any{"role": "empty"}), adapters.AllFields)
			isFailure(t, "no members", err, adapters.Invalid, "members")
			_, err = roles.Create(ctx, record(roles, "", map[string]any{"role": "new", "members": []string{"3"}}), adapters.AllFields)
			isFailure(t, "a member out of scope", err, adapters.Invalid, "members")
			_, err = roles.Create(ctx, record(roles, "", map[string]any{"role": "admin", "members": []string{"1"}}), adapters.AllFields)
			isFailure(t, "a name that is taken", err, adapters.Exists, "role")
			_, err = roles.Update(ctx, "clerk", one("role", "clerk", "admin"), adapters.AllFields)
			isFailure(t, "renamed to one that is there", err, adapters.Exists, "role")
			_, err = roles.Update(ctx, "clerk", one("role", "other", "third"), adapters.AllFields)
			isFailure(t, "renamed from what it is not", err, adapters.Conflict, "")
			_, err = roles.Update(ctx, "clerk", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Remove: []string{"1"}}}}, adapters.Fields{})
			isFailure(t, "the last member", err, adapters.Invalid, "members")
			r, err := roles.Update(ctx, "clerk", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Remove: []string{"1"}, Add: []string{"2"}}}}, adapters.AllFields)
			if err != nil || !adapters.Same(r.Get("members"), []string{"2"}) {
				t.Errorf("another member: %v, %v", r.Values(), err)
			}
			r, err = roles.Create(ctx, record(roles, "", map[string]any{"role": "new", "members": []string{"1"}}), adapters.AllFields)
			if err != nil || r.Key != "new" {
				t.Errorf("created: %v, %v", r, err)
			}
			r, err = roles.Update(ctx, "admin", one("role", "admin", "chief"), adapters.AllFields)
			if err != nil || r.Key != "chief" || !adapters.Same(r.Get("members"), []string{"1", "2"}) || oneValue(t, raw, "SELECT count(*) FROM user_role WHERE role = 'chief'") != "3" {
				t.Errorf("renamed: %v, %v", r, err)
			}
			if err := roles.Delete(ctx, "chief"); err != nil || oneValue(t, raw, "SELECT count(*) FROM user_role WHERE role = 'chief'") != "0" {
				t.Errorf("deleted: %v", err)
			}
			if err := roles.Delete(ctx, "chief"); !adapters.Is(err, adapters.NotFound) {
				t.Errorf("deleted again: %v", err)
			}
			if err := staff.Delete(ctx, "2"); err != nil {
				t.Error(err)
			}
			page, err = roles.List(ctx, adapters.Query{Limit: 5, Total: true, Want: adapters.AllFields})
			var left []adapters.Key
			for _, r := range page.Records {
				left = append(left, r.Key)
			}
			if err != nil || !slices.Equal(left, []adapters.Key{"new", "wheel"}) || page.Total != 2 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}
