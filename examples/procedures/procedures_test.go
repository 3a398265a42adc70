package procedures_test

import (
	stdsql "database/sql"
	"fmt"
	"net/url"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/postern/postern/examples/exampletest"
	"github.com/postern/postern/internal/testdb"
)

// application is a schema of the test's own with the application in it, and the dsn of
// a credential that may read its views and call its procedures, and nothing else.
func application(t *testing.T) (*stdsql.DB, string) {
	dsn := testdb.Postgres(t)
	admin := connect(t, dsn)
	name := fmt.Sprintf("hr_%d", testdb.Unique())
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	q.Set("search_path", name)
	at.RawQuery = q.Encode()
	script, err := os.ReadFile("application.sql")
	if err != nil {
		t.Fatal(err)
	}
	do := func(db *stdsql.DB, statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	do(admin, "CREATE SCHEMA "+name)
	t.Cleanup(func() { do(admin, "DROP SCHEMA "+name+" CASCADE; DROP ROLE IF EXISTS "+name) })
	raw := connect(t, at.String())
	do(raw, string(script))
	do(admin, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN PASSWORD 'procedures'; GRANT USAGE ON SCHEMA %[1]s TO %[1]s;
		GRANT SELECT ON %[1]s.people, %[1]s.teams, %[1]s.seats TO %[1]s`, name))
	at.User = url.UserPassword(name, "procedures")
	return raw, at.String()
}

func connect(t *testing.T, dsn string) *stdsql.DB {
	t.Helper()
	db, err := stdsql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func person(n int) exampletest.Resource {
	return exampletest.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("person%d", n), "active": true,
		"name":   map[string]any{"givenName": fmt.Sprintf("Given %d", n), "familyName": fmt.Sprintf("Family '%d", n)},
		"emails": exampletest.Element("work", map[string]any{"value": fmt.Sprintf("person%d@example.com", n)}),
	}
}

// TestLife: the whole life of users and groups, the application's tables asked
// afterwards, and its log.
func TestLife(t *testing.T) {
	raw, dsn := application(t)
	g := exampletest.Start(t, exampletest.Env("HR_DSN="+dsn, "SCIM_TOKEN=an-example-token"))
	exampletest.Life{
		Users: exampletest.Users{Person: person, Fixed: []string{"userName"}, Loose: []string{"name.givenName", `emails[type eq "work"].value`},
			Held: func(t *testing.T, login string) map[string]any { return held(t, raw, login) }},
		Groups: &exampletest.Groups{Held: func(t *testing.T, name string) ([]string, bool) { return seats(t, raw, name) }},
	}.Run(t, g)
	for _, what := range []string{"hire ", "rename ", "leave ", "return ", "forget "} {
		var n int
		if err := raw.QueryRow("SELECT count(*) FROM log WHERE who = 'entra' AND what LIKE $1", what+"%").Scan(&n); err != nil || n == 0 {
			t.Errorf("the application's log holds no %q of the client (%v)", what, err)
		}
	}
}

// TestRefusals: what the application refuses is a clear error, and nothing of it is
// kept.
func TestRefusals(t *testing.T) {
	raw, dsn := application(t)
	g := exampletest.Start(t, exampletest.Env("HR_DSN="+dsn, "SCIM_TOKEN=an-example-token"))
	odd := person(1)
	odd["userName"] = "No Login"
	if status, e := g.Try("POST", "/Users", odd); status != 400 || e["scimType"] != "invalidValue" {
		t.Errorf("%d %v", status, e)
	}
	root := person(2)
	root["userName"] = "root"
	made := g.Do(201, "POST", "/Users", root)
	if status, e := g.Try("DELETE", "/Users/"+made["id"].(string), nil); status != 409 {
		t.Errorf("%d %v", status, e)
	}
	if held(t, raw, "root") == nil || held(t, raw, "No Login") != nil {
		t.Error("the application holds something else")
	}
}

func held(t *testing.T, raw *stdsql.DB, login string) map[string]any {
	t.Helper()
	var given, family, mail stdsql.NullString
	var active bool
	err := raw.QueryRow(`SELECT given, family, (SELECT mail FROM address AS a WHERE a.staff_no = s.staff_no AND kind = 'W'), left_on IS NULL
		FROM staff AS s WHERE login = $1`, login).Scan(&given, &family, &mail, &active)
	if err == stdsql.ErrNoRows {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"userName": login, "active": active, "name.givenName": exampletest.Text(given), "name.familyName": exampletest.Text(family),
		`emails[type eq "work"].value`: exampletest.Text(mail)}
}

func seats(t *testing.T, raw *stdsql.DB, team string) (logins []string, there bool) {
	t.Helper()
	return exampletest.Logins(t, raw, `SELECT s.login FROM team AS g LEFT JOIN seat AS m USING (team_no) LEFT JOIN staff AS s USING (staff_no) WHERE g.name = $1`, team)
}
