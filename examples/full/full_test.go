package full_test

import (
	"crypto/ed25519"
	"crypto/x509"
	stdsql "database/sql"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"

	"github.com/postern/postern/examples/exampletest"
	"github.com/postern/postern/internal/testdb"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// A place is where the database keeps what a SCIM path names: a query for it with
// the login in place of $1, past all that Postern does.
var places = map[string]string{
	"userName": "login", "externalId": "external_ref", "displayName": "shown_as", "active": "status = 'A'",
	"name.formatted": "@person_name.whole", "name.familyName": "@person_name.family", "name.givenName": "@person_name.given", "name.middleName": "@person_name.middle",
	"name.honorificPrefix": "@person_name.prefix", "name.honorificSuffix": "@person_name.suffix", "nickName": "@person_name.nick",
	"title": "@employment.title", enterprise + ":employeeNumber": "@employment.number", enterprise + ":costCenter": "@employment.cost_centre",
	"profileUrl": "%profile", "preferredLanguage": "%language", "locale": "%locale", "timezone": "%timezone",
	"userType":                   "(SELECT title FROM person_type AS o WHERE o.type_id = p.type_id)",
	enterprise + ":organization": unit("org_id", "organization"), enterprise + ":division": unit("division_id", "division"), enterprise + ":department": unit("dept_id", "department"),
	`emails[type eq "work"].value`:         row("contact", "address", "medium = 'mail' AND kind = 'W'"),
	`emails[type eq "home"].display`:       row("contact", "label", "medium = 'mail' AND kind = 'H'"),
	`phoneNumbers[type eq "mobile"].value`: row("contact", "address", "medium = 'phone' AND kind = 'M'"),
	`ims[type eq "xmpp"].value`:            row("contact", "address", "medium = 'im' AND kind = 'xmpp'"),
	`photos[type eq "thumbnail"].value`:    row("photo", "url", "kind = 'thumbnail'"),
	`addresses[type eq "work"].formatted`:  row("address", "whole", "kind = 'W'"), `addresses[type eq "work"].streetAddress`: row("address", "street", "kind = 'W'"),
	`addresses[type eq "work"].locality`: row("address", "city", "kind = 'W'"), `addresses[type eq "work"].region`: row("address", "region", "kind = 'W'"),
	`addresses[type eq "work"].postalCode`: row("address", "postcode", "kind = 'W'"), `addresses[type eq "home"].country`: row("address", "country", "kind = 'H'"),
	`entitlements[type eq "licence"].value`: row("entitlement", "code", "kind = 'licence'"),
	`roles[type eq "app"].value`:            "(SELECT r.code FROM person_role AS o JOIN role AS r ON r.role_id = o.role_id WHERE o.person_id = p.person_id AND o.kind = 'app')",
	`roles[type eq "app"].display`:          row("person_role", "label", "kind = 'app'"),
}

func unit(column, level string) string {
	return "(SELECT title FROM unit AS o WHERE o.unit_id = p." + column + " AND level = '" + level + "')"
}

func row(table, column, where string) string {
	return "(SELECT " + column + " FROM " + table + " AS o WHERE o.person_id = p.person_id AND " + where + ")"
}

// A database is the legacy one, asked and filled directly.
type database struct{ *stdsql.DB }

func (d database) held(t *testing.T, login string) map[string]any {
	t.Helper()
	var id int
	if err := d.QueryRow("SELECT person_id FROM person WHERE login = $1", login).Scan(&id); err != nil {
		return nil
	}
	out := map[string]any{}
	for path, at := range places {
		switch table, column, _ := strings.Cut(at, "."); at[0] {
		case '@':
			at = row(table[1:], column, "true")
		case '%':
			at = row("person_setting", "setting", "name = '"+at[1:]+"'")
		}
		var v any
		if err := d.QueryRow("SELECT "+at+" FROM person AS p WHERE person_id = $1", id).Scan(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch n := v.(type) {
		case []byte:
			v = string(n)
		case int64: // of SQLite, that has no booleans
			v = n == 1
		}
		out[path] = v
	}
	return out
}

func (d database) members(t *testing.T, team string) (logins []string, there bool) {
	t.Helper()
	return exampletest.Logins(t, d.DB, `SELECT p.login FROM team AS g LEFT JOIN team_member AS m ON m.team_id = g.team_id
		LEFT JOIN person AS p ON p.person_id = m.person_id WHERE g.name = $1`, team)
}

// number asks for a number.
func (d database) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := d.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func person(n int) exampletest.Resource {
	s := func(what string) string { return fmt.Sprintf("%s%d", what, n) }
	el := func(of ...any) []any { return of }
	type m = map[string]any
	return exampletest.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise}, "userName": s("person"), "externalId": s("ext-"), "active": true,
		"displayName": s("Shown "), "nickName": s("nick"), "title": s("Title "), "userType": s("Type "), "profileUrl": s("https://example.com/p/"),
		"preferredLanguage": s("lang-"), "locale": s("loc-"), "timezone": s("Zone/"), "password": s("secret "),
		"name": m{"formatted": s("Whole "), "familyName": s("Family "), "givenName": s("Given "), "middleName": s("Middle "), "honorificPrefix": s("Dr. "), "honorificSuffix": s("Jr. ")},
		"emails": el(m{"type": "work", "value": s("person") + "@example.com", "primary": true},
			m{"type": "home", "value": s("person") + "@home.example", "display": s("At home ")}),
		"phoneNumbers": el(m{"type": "mobile", "value": s("+49 170 "), "display": s("Mobile ")}, m{"type": "fax", "value": s("+49 30 ")}),
		"ims":          el(m{"type": "xmpp", "value": s("im")}), "photos": el(m{"type": "thumbnail", "value": s("https://example.com/t/")}),
		"addresses": el(m{"type": "work", "formatted": s("All of "), "streetAddress": s("Street "), "locality": s("City "), "region": s("Region "), "postalCode": s("1000"), "country": "DE"},
			m{"type": "home", "country": fmt.Sprintf("%c%c", 'A'+n%26, 'A'+n/26), "primary": true}),
		"entitlements":     el(m{"type": "licence", "value": s("office-")}),
		"roles":            el(m{"type": "app", "value": s("role-"), "display": s("Role ")}),
		"x509Certificates": el(m{"type": "sign", "value": certificate(n), "display": s("Card ")}),
		enterprise:         m{"employeeNumber": s("E-"), "costCenter": s("C-"), "organization": s("Org "), "division": s("Div "), "department": s("Dept ")},
	}
}

// certificate is a certificate of somebody's own making.
func certificate(n int) string {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	made := &x509.Certificate{SerialNumber: big.NewInt(int64(n) + 1)}
	der, err := x509.CreateCertificate(nil, made, made, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

var life = []string{"nickName", "title", "profileUrl", "userType", enterprise + ":department", `addresses[type eq "work"].region`}

func run(t *testing.T, g *exampletest.Gateway, d database) {
	rows(t, g, d)
	whole := exampletest.Life{
		Users:  exampletest.Users{Person: person, Held: d.held, Loose: life, Unsought: []string{"externalId"}},
		Groups: &exampletest.Groups{Held: d.members, OfUsers: true},
	}
	whole.Run(t, g)
}

// rows: what a change of one element does to the rows, which hold more than SCIM
// shows.
func rows(t *testing.T, g *exampletest.Gateway, d database) {
	t.Helper()
	boss := g.Do(201, "POST", "/Users", person(20))["id"].(string)
	made := g.Do(201, "POST", "/Users", person(21))
	id := "/Users/" + made["id"].(string)
	for i, n := range map[string]int{"emails": 2, "phoneNumbers": 2, "addresses": 2, "x509Certificates": 1} {
		if all, _ := made[i].([]any); len(all) != n {
			t.Errorf("%s: %v", i, made[i])
		}
	}
	if _, err := d.Exec("UPDATE contact SET verified = (1 = 1)"); err != nil {
		t.Fatal(err)
	}
	g.Patch(id, exampletest.Op{Op: "replace", Path: `emails[type eq "work"].value`, Value: "new@example.com"},
		exampletest.Op{Op: "add", Path: "emails", Value: []any{map[string]any{"type": "other", "value": "third@example.com"}}},
		exampletest.Op{Op: "remove", Path: `phoneNumbers[type eq "fax"]`},
		exampletest.Op{Op: "add", Path: enterprise + ":manager", Value: map[string]any{"value": boss}})
	if n := d.number(t, "SELECT count(*) FROM contact WHERE address = 'new@example.com' AND verified = (1 = 1) AND position = 1"); n != 1 {
		t.Error("the row of an e-mail address that changed is another one")
	}
	if n := d.number(t, "SELECT count(*) FROM contact AS c JOIN person AS p ON p.person_id = c.person_id WHERE login = 'person21'"); n != 5 {
		t.Errorf("%d contacts, want three addresses, a phone and an im", n)
	}
	for filter, want := range map[string]int{
		`emails.value eq "NEW@example.com"`: 1, `emails[type eq "work" and value eq "third@example.com"]`: 0, `emails[type eq "other"]`: 1, `emails[primary eq true]`: 2,
		`phoneNumbers pr and not (phoneNumbers[type eq "fax"])`: 1, enterprise + `:manager.value eq "` + boss + `"`: 1, `roles.value co "role-2"`: 2,
		`addresses[country eq "DE" and locality eq "city 21"]`: 1, `userName eq "backup-robot"`: 0, `nickName ne "nick20"`: 1, `not (timezone pr)`: 0,
	} {
		if got := g.Find("/Users", filter); len(got) != want {
			t.Errorf("%s finds %d, want %d", filter, len(got), want)
		}
	}
	status, e := g.Try("PATCH", id, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "add", "path": "emails", "value": []any{map[string]any{"type": "boat", "value": "x@y"}}}, map[string]any{"op": "replace", "path": "nickName", "value": "changed"}}})
	if status != 400 || e["scimType"] != "invalidValue" {
		t.Errorf("a type without a code: status %d, %v", status, e)
	}
	if held := d.held(t, "person21"); held["nickName"] != "nick21" {
		t.Errorf("the nickname after a refusal is %v", held["nickName"])
	}
	g.Do(204, "DELETE", id, nil)
	g.Do(204, "DELETE", "/Users/"+boss, nil)
	for _, table := range []string{"contact", "photo", "address", "entitlement", "person_role", "certificate", "person_name", "employment", "person_setting"} {
		if n := d.number(t, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
	}
}

func TestSQLite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.db")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	g := exampletest.Start(t, exampletest.Swap("state/people.db", file), exampletest.Swap("schema.sqlite.sql", filepath.Join(here, "schema.sqlite.sql")))
	g.Do(200, "GET", "/Users?count=0", nil) // makes the file
	raw, err := stdsql.Open("sqlite3", "file:"+file+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	run(t, g, database{raw})
}

func TestPostgres(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin, err := stdsql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := fmt.Sprintf("full_%d", testdb.Unique())
	if _, err := admin.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	defer admin.Exec("DROP SCHEMA " + name + " CASCADE")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	raw, err := stdsql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	schema, err := os.ReadFile("schema.postgres.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(string(schema)); err != nil {
		t.Fatal(err)
	}
	g := exampletest.Start(t, exampletest.Swap("sqlite:state/people.db", u.String()), exampletest.Swap(", init: schema.sqlite.sql", ""))
	run(t, g, database{raw})
}
