package postfixadmin_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/postern/postern/examples/exampletest"
)

// postfixadmin is the application's database, asked afterwards what it really
// holds, and its log-in.
type postfixadmin struct {
	db   *sql.DB
	base string
}

func open(t *testing.T, said map[string]string) postfixadmin {
	t.Helper()
	u, err := url.Parse(said["DSN"])
	if err != nil {
		t.Fatal(err)
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return postfixadmin{db, said["BASE"]}
}

// user is what the tables hold of a mailbox. Its alias must say the same.
func (p postfixadmin) user(t *testing.T, userName string) map[string]any {
	t.Helper()
	var name, other, phone, maildir, to, domain string
	var active, delivers bool
	err := p.db.QueryRow("SELECT m.name, m.email_other, m.phone, m.maildir, m.active, a.goto, a.domain, a.active FROM mailbox AS m LEFT JOIN alias AS a ON a.address = m.username WHERE m.username = ?", userName).
		Scan(&name, &other, &phone, &maildir, &active, &to, &domain, &delivers)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	local, at, _ := strings.Cut(userName, "@")
	if to != userName || domain != at || maildir != at+"/"+local+"/" || delivers != active {
		t.Errorf("%s, active %t: mail to %q in %q, delivered %t, into %s", userName, active, to, domain, delivers, maildir)
	}
	return map[string]any{"userName": userName, "displayName": name, `emails[type eq "home"].value`: other, `phoneNumbers[type eq "work"].value`: phone, "active": active}
}

// group is who of the mailboxes gets what is sent to an alias.
func (p postfixadmin) group(t *testing.T, displayName string) (members []string, there bool) {
	t.Helper()
	var to, domain string
	var active bool
	err := p.db.QueryRow("SELECT goto, domain, active FROM alias WHERE address = ?", displayName+"@example.com").Scan(&to, &domain, &active)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	if domain != "example.com" || !active {
		t.Errorf("%s is in %q, active %t", displayName, domain, active)
	}
	for address := range strings.SplitSeq(to, ",") {
		var n int
		if err := p.db.QueryRow("SELECT count(*) FROM mailbox WHERE username = ?", address).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			members = append(members, address)
		}
	}
	return members, true
}

var formToken = regexp.MustCompile(`name="token" value="([^"]*)"`)

// logsIn is whether the application itself lets somebody in.
func (p postfixadmin) logsIn(t *testing.T, userName, password string) bool {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := client.Get(p.base + "/users/login.php")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(page.Body)
	if err := errors.Join(err, page.Body.Close()); err != nil {
		t.Fatal(err)
	}
	found := formToken.FindSubmatch(body)
	if found == nil {
		t.Fatalf("no form to log in: %s", body)
	}
	answer, err := client.PostForm(p.base+"/users/login.php", url.Values{"fUsername": {userName}, "fPassword": {password}, "token": {string(found[1])}, "lang": {"en"}, "submit": {"Login"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode == http.StatusFound && strings.HasSuffix(answer.Header.Get("Location"), "main.php")
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login + "@example.com", "displayName": "Barbara Jensen żółw " + login, "active": true,
		"emails":       exampletest.Element("home", map[string]any{"value": login + "@home.example"}),
		"phoneNumbers": exampletest.Element("work", map[string]any{"value": "+49 30 " + fmt.Sprint(10000+n)}),
	}
}

// TestLife runs the whole life of a user, and of a group, against PostfixAdmin's own tables.
func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := open(t, said)
	g := exampletest.Start(t, exampletest.Env("MAIL_DSN="+said["DSN"]))
	if got := g.Find("/Users", `userName eq "boss@other.example"`); len(got) != 0 {
		t.Error("a mailbox of another domain is visible")
	}
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Loose: []string{`emails[type eq "home"].value`, `phoneNumbers[type eq "work"].value`},
			Refused: map[string]any{`phoneNumbers[type eq "work"].value`: strings.Repeat("1", 31)},
		},
		Groups:  &exampletest.Groups{Held: app.group, NeedsOne: true},
		Conform: []string{"--user", `{"userName":"{n}@example.com","emails":[{"type":"home","value":"{n}@example.net"}]}`},
	}.Run(t, g)
	t.Run("alias", func(t *testing.T) { alias(t, g, app) })
	t.Run("log-in", func(t *testing.T) { logIn(t, g, app) })
}

// logIn proves by the application that a password is one, and that who is disabled is.
func logIn(t *testing.T, g *exampletest.Gateway, app postfixadmin) {
	const name, first, second = "ada@example.com", "t1meMaheen €", "another-0ne"
	ada := exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": name, "displayName": "Ada", "password": first}
	at := "/Users/" + g.Do(201, "POST", "/Users", ada)["id"].(string)
	patch := func(path string, value any) {
		g.Do(200, "PATCH", at, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []any{map[string]any{"op": "replace", "path": path, "value": value}}})
	}
	expect := func(what, password string, want bool) {
		t.Helper()
		if app.logsIn(t, name, password) != want {
			t.Errorf("%s: logs in: %t", what, !want)
		}
	}
	expect("created", first, true)
	expect("another's password", second, false)
	patch("displayName", "Ada Lovelace")
	expect("renamed", first, true)
	patch("password", second)
	expect("a new password", second, true)
	expect("the old password", first, false)
	patch("active", false)
	expect("disabled", second, false)
	patch("active", true)
	expect("enabled", second, true)
	g.Do(204, "DELETE", at, nil)
	expect("deleted", second, false)
}

// alias: addresses elsewhere stay where they are, and a mailbox that gets another
// address takes its place in the aliases along.
func alias(t *testing.T, g *exampletest.Gateway, app postfixadmin) {
	if _, err := app.db.Exec("INSERT INTO alias (address, goto, domain, created, modified) VALUES ('sales@example.com', 'ann@elsewhere.example,boss@other.example', 'example.com', NOW(), NOW())"); err != nil {
		t.Fatal(err)
	}
	eva := exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "eva@example.com"}
	id := g.Do(201, "POST", "/Users", eva)["id"].(string)
	found := g.Find("/Groups", `displayName eq "sales"`)
	if len(found) != 1 || found[0]["members"] != nil || len(g.Find("/Groups", `displayName eq "eva"`)) != 0 {
		t.Fatalf("found %v; the alias of a mailbox is no group", found)
	}
	at := "/Groups/" + found[0]["id"].(string)
	expect := func(want string) {
		t.Helper()
		var to string
		if err := app.db.QueryRow("SELECT goto FROM alias WHERE address = 'sales@example.com'").Scan(&to); err != nil || to != want {
			t.Errorf("goto is %q, want %q; %v", to, want, err)
		}
	}
	g.Patch(at, exampletest.Op{Op: "add", Path: "members", Value: []any{map[string]any{"value": id}}})
	expect("ann@elsewhere.example,boss@other.example,eva@example.com")
	g.Patch("/Users/"+id, exampletest.Op{Op: "replace", Path: "userName", Value: "eve@example.com"})
	expect("ann@elsewhere.example,boss@other.example,eve@example.com")
	if held := app.user(t, "eve@example.com"); held == nil {
		t.Error("the mailbox is gone")
	}
	if got := g.Find("/Groups", `members.value eq "`+id+`"`); len(got) != 1 {
		t.Errorf("the mailbox is a member of %v", got)
	}
	g.Do(204, "DELETE", at, nil)
	g.Do(204, "DELETE", "/Users/"+id, nil)
}
