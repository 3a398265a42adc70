package tenants_test

import (
	stdsql "database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"github.com/postern/postern/examples/exampletest"
)

// TestRun: the script shows what it promises, with a program that was built as it is
// shipped.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/postern/postern/cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script, err := filepath.Abs("run.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", script, program, free(t))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "state/log"))
		t.Fatalf("%v\n%s\n%s", err, out, log)
	}
	const want = `acme:    ada wile
globex:  ada hank
postern tenants add initech --client entra=entra --param company=initech --why "a new customer"
initech: peter
the id of peter: 200 for initech, 404 for acme
postern tenants remove initech --why "the contract has ended"
initech: 401, as any token that nobody has
`
	if string(out) != want {
		t.Errorf("%s\nwant\n%s", out, want)
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestLife: the whole life of users and groups as one tenant; the application's tables
// are asked afterwards whose they are, and hold of the other tenants what they held.
func TestLife(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.db")
	script, err := filepath.Abs("crm.sql")
	if err != nil {
		t.Fatal(err)
	}
	g := exampletest.Start(t, exampletest.Env("GLOBEX_TOKEN=token-of-globex", "ADMIN_TOKEN=token-of-operator"),
		exampletest.Swap("sqlite:state/crm.db", "sqlite:"+path), exampletest.Swap("crm.sql", script))
	g.Do(200, "GET", "/Users", nil) // the database is made now
	db, err := stdsql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, table := range []string{"person", "team"} { // the life of a user begins where there is none
		if _, err := db.Exec("PRAGMA foreign_keys = ON; DELETE FROM " + table + " WHERE company = 'acme'"); err != nil {
			t.Fatal(err)
		}
	}
	before := others(t, db)
	exampletest.Life{
		Users: exampletest.Users{Person: person, Loose: []string{"name.givenName", `emails[type eq "work"].value`},
			Held: func(t *testing.T, login string) map[string]any { return held(t, db, login) }},
		Groups: &exampletest.Groups{Held: func(t *testing.T, name string) ([]string, bool) { return seats(t, db, name) }},
		// /ServiceProviderConfig without a token would tell which tenants there are.
		Conform: []string{"--skip", "D-04"},
	}.Run(t, g)
	hank := person(1)
	hank["userName"] = "hank" // another company has one
	g.Do(201, "POST", "/Users", hank)
	g.Do(409, "POST", "/Users", hank)
	if after := others(t, db); after != before {
		t.Errorf("of the others the tables hold\n%s\nand held\n%s", after, before)
	}
}

func person(n int) exampletest.Resource {
	return exampletest.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("person%d", n), "active": true,
		"name":   map[string]any{"givenName": fmt.Sprintf("Given %d", n), "familyName": fmt.Sprintf("Family '%d", n)},
		"emails": exampletest.Element("work", map[string]any{"value": fmt.Sprintf("person%d@example.com", n)}),
	}
}

func held(t *testing.T, db *stdsql.DB, login string) map[string]any {
	t.Helper()
	var given, family, mail stdsql.NullString
	var active bool
	err := db.QueryRow("SELECT given, family, mail, active FROM person WHERE company = 'acme' AND login = ?", login).Scan(&given, &family, &mail, &active)
	if err == stdsql.ErrNoRows {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"userName": login, "active": active, "name.givenName": exampletest.Text(given), "name.familyName": exampletest.Text(family),
		`emails[type eq "work"].value`: exampletest.Text(mail)}
}

func seats(t *testing.T, db *stdsql.DB, team string) (logins []string, there bool) {
	t.Helper()
	return exampletest.Logins(t, db, `SELECT p.login FROM team AS t LEFT JOIN seat USING (team_no) LEFT JOIN person AS p USING (person_no) WHERE t.company = 'acme' AND t.name = ?`, team)
}

// others is what the tables hold of the other companies.
func others(t *testing.T, db *stdsql.DB) string {
	t.Helper()
	rows, err := db.Query(`SELECT p.person_no || ' ' || p.company || ' ' || p.login || ' ' || coalesce(p.mail, '') || ' ' || p.active || ' ' || coalesce(t.name, '')
		FROM person AS p LEFT JOIN seat USING (person_no) LEFT JOIN team AS t USING (team_no) WHERE p.company <> 'acme' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n")
}
