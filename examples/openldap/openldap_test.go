package openldap_test

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// openldap is the directory, asked by its own tools what it really holds.
type openldap struct{ url string }

const base = "dc=example,dc=com"

// search answers entries as ldapsearch shows them: values by attribute, the name as dn.
func (o openldap) search(t *testing.T, under, filter string, attributes ...string) []map[string][]string {
	t.Helper()
	args := append([]string{"-x", "-LLL", "-o", "ldif-wrap=no", "-H", o.url, "-D", "cn=admin," + base, "-w", "admin", "-b", under + "," + base, filter}, attributes...)
	out, err := exec.CommandContext(t.Context(), "ldapsearch", args...).Output()
	if err != nil {
		t.Fatalf("ldapsearch %s: %v", filter, err)
	}
	var all []map[string][]string
	for _, block := range strings.Split(string(out), "\n\n") {
		e := map[string][]string{}
		for line := range strings.Lines(block) {
			name, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if raw, encoded := strings.CutSuffix(name, ":"); ok && encoded {
				b, err := base64.StdEncoding.DecodeString(v)
				if err != nil {
					t.Fatal(err)
				}
				name, v = raw, string(b)
			}
			if ok {
				e[name] = append(e[name], v)
			}
		}
		if len(e) > 0 {
			all = append(all, e)
		}
	}
	return all
}

var paths = map[string]string{"userName": "uid", "name.givenName": "givenName", "name.familyName": "sn", "name.formatted": "cn", "displayName": "displayName",
	"title": "title", "preferredLanguage": "preferredLanguage", `emails[type eq "work"].value`: "mail", `phoneNumbers[type eq "work"].value`: "telephoneNumber",
	`phoneNumbers[type eq "mobile"].value`: "mobile", `addresses[type eq "work"].streetAddress`: "street", `addresses[type eq "work"].locality`: "l", `addresses[type eq "work"].postalCode`: "postalCode",
	"userType": "employeeType", enterprise + ":employeeNumber": "employeeNumber", enterprise + ":department": "departmentNumber"}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func (o openldap) user(t *testing.T, login string) map[string]any {
	t.Helper()
	all := o.search(t, "ou=people", "(uid="+login+")", "*", "+")
	if len(all) == 0 {
		return nil
	}
	e := all[0]
	if want := "uid=" + login + ",ou=people," + base; e["dn"][0] != want {
		t.Errorf("the entry of %s is called %s", login, e["dn"][0])
	}
	held := map[string]any{"active": e["pwdAccountLockedTime"] == nil}
	for path, attribute := range paths {
		if held[path] = nil; len(e[attribute]) > 0 {
			held[path] = e[attribute][0]
		}
		if len(e[attribute]) > 1 {
			t.Errorf("%s of %s: %q", attribute, login, e[attribute])
		}
	}
	return held
}

func (o openldap) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	all := o.search(t, "ou=groups", "(cn="+name+")", "member")
	if len(all) == 0 {
		return nil, false
	}
	for _, dn := range all[0]["member"] {
		if dn == "cn=nobody" {
			continue
		}
		login, _, _ := strings.Cut(strings.TrimPrefix(dn, "uid="), ",")
		members = append(members, login)
	}
	return members, true
}

// fill makes users past Postern, every second one locked.
func (o openldap) fill(t *testing.T, n int) (active int) {
	t.Helper()
	var ldif strings.Builder
	for i := range n {
		fmt.Fprintf(&ldif, "dn: uid=u%03d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: u%03d\ncn: U\nsn: U\n", i, base, i)
		if i%2 == 1 {
			ldif.WriteString("pwdAccountLockedTime: 000001010000Z\n")
		}
		ldif.WriteString("\n")
	}
	cmd := exec.CommandContext(t.Context(), "ldapadd", "-x", "-H", o.url, "-D", "cn=admin,"+base, "-w", "admin")
	cmd.Stdin = strings.NewReader(ldif.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldapadd: %v\n%s", err, out)
	}
	return n - n/2
}

// opens reports whether a user can log in.
func (o openldap) opens(t *testing.T, login, password string) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), "ldapwhoami", "-x", "-H", o.url, "-D", "uid="+login+",ou=people,"+base, "-w", password).Run() == nil
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise},
		"userName": login, "userType": "Type " + login, enterprise: map[string]any{"employeeNumber": fmt.Sprintf("E-%d", n), "department": "Dept " + login}, "name": map[string]any{"givenName": "Barbara " + login, "familyName": "Jensen, " + login, "formatted": "Ms. " + login},
		"displayName": "Babs " + login, "title": "Tour Guide " + login, "preferredLanguage": fmt.Sprintf("en-x-%d", n), "active": true,
		"emails":       exampletest.Element("work", map[string]any{"value": login + "@example.com"}),
		"phoneNumbers": append(exampletest.Element("work", map[string]any{"value": fmt.Sprintf("+1 555 %d", n)}), exampletest.Element("mobile", map[string]any{"value": fmt.Sprintf("+1 556 %d", n)})...),
		"addresses":    exampletest.Element("work", map[string]any{"streetAddress": fmt.Sprintf("%d Hollywood Blvd", n), "locality": "Hollywood " + login, "postalCode": fmt.Sprintf("9%04d", n)}),
	}
}

func start(t *testing.T) (*exampletest.Gateway, openldap) {
	said := exampletest.Application(t)
	return exampletest.Start(t, exampletest.Env("LDAP_PASSWORD="+said["PASSWORD"]), exampletest.Swap("ldap://127.0.0.1:18389", said["URL"])), openldap{said["URL"]}
}

func TestLife(t *testing.T) {
	g, app := start(t)
	if got := g.Find("/Users", `userName eq "backup"`); len(got) != 0 {
		t.Error("the service account is visible")
	}
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill,
			Loose:   []string{"title", "displayName", `phoneNumbers[type eq "mobile"].value`},
			Refused: map[string]any{`emails[type eq "work"].value`: "jürgen@example.com"}, // mail is ASCII
		},
		Groups: &exampletest.Groups{Held: app.group, OfUsers: true},
	}.Run(t, g)
}

// TestPasswords: who has a password can log in, who is disabled cannot, and the
// directory's policy holds.
func TestPasswords(t *testing.T) {
	g, app := start(t)
	u := person(77)
	u["password"] = "correct horse"
	id := g.Do(201, "POST", "/Users", u)["id"].(string)
	if !app.opens(t, "jensen77", "correct horse") || app.opens(t, "jensen77", "wrong") {
		t.Error("the password does not open the account, or any does")
	}
	if held := app.search(t, "ou=people", "(uid=jensen77)", "userPassword")[0]["userPassword"][0]; !strings.HasPrefix(held, "{SSHA}") {
		t.Errorf("the directory holds the password as %q", held)
	}
	g.Patch("/Users/"+id, exampletest.Op{Op: "replace", Path: "active", Value: false})
	if app.opens(t, "jensen77", "correct horse") {
		t.Error("a disabled account opens")
	}
	g.Patch("/Users/"+id, exampletest.Op{Op: "replace", Path: "active", Value: true}, exampletest.Op{Op: "replace", Path: "password", Value: "battery staple"})
	if !app.opens(t, "jensen77", "battery staple") {
		t.Error("the new password does not open the account")
	}
	short := exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []exampletest.Op{{Op: "replace", Path: "title", Value: "Boss"}, {Op: "replace", Path: "userName", Value: "boss"}, {Op: "replace", Path: "password", Value: "short"}}}
	if status, e := g.Try("PATCH", "/Users/"+id, short); status != 400 {
		t.Errorf("a password that the policy refuses: status %d, %v", status, e)
	}
	if held := app.user(t, "jensen77"); held == nil || held["title"] != "Tour Guide jensen77" {
		t.Errorf("after the refusal the directory holds %v", held)
	}
}

// TestManager: a reference to another user, which follows a rename.
func TestManager(t *testing.T) {
	g, app := start(t)
	boss := g.Do(201, "POST", "/Users", person(88))["id"].(string)
	u := person(89)
	u[enterprise] = map[string]any{"manager": map[string]any{"value": boss}, "department": "Tours"}
	id := g.Do(201, "POST", "/Users", u)["id"].(string)
	wants := func(login string) {
		t.Helper()
		if got := app.search(t, "ou=people", "(uid=jensen89)", "manager")[0]["manager"]; len(got) != 1 || got[0] != "uid="+login+",ou=people,"+base {
			t.Errorf("the directory holds the manager %q", got)
		}
		if got := exampletest.At(g.Do(200, "GET", "/Users/"+id, nil), enterprise+":manager.value"); got != boss {
			t.Errorf("Postern shows the manager %v, want %v", got, boss)
		}
		if got := g.Find("/Users", enterprise+`:manager.value eq "`+boss+`"`); len(got) != 1 || got[0]["id"] != id {
			t.Errorf("by manager: %v", got)
		}
	}
	wants("jensen88")
	g.Patch("/Users/"+boss, exampletest.Op{Op: "replace", Path: "userName", Value: "the.boss"})
	wants("the.boss")
}

// TestPosix: accounts and groups of Unix machines, whose members are logins.
func TestPosix(t *testing.T) {
	said := exampletest.Application(t)
	app := openldap{said["URL"]}
	g := exampletest.Start(t, exampletest.File("posix.yaml"), exampletest.Env("LDAP_PASSWORD="+said["PASSWORD"]), exampletest.Swap("ldap://127.0.0.1:18389", said["URL"]))
	unix := func(n int) exampletest.Resource {
		return exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": fmt.Sprintf("unix%d", n), "displayName": fmt.Sprintf("Unix %d", n),
			"name": map[string]any{"familyName": "X"}, "urn:example:params:scim:schemas:extension:unix:2.0:User": map[string]any{"uidNumber": 1000 + n}}
	}
	a, b := g.Do(201, "POST", "/Users", unix(1))["id"].(string), g.Do(201, "POST", "/Users", unix(2))["id"].(string)
	if e := app.search(t, "ou=people", "(uid=unix1)")[0]; e["uidNumber"][0] != "1001" || e["gidNumber"][0] != "100" || e["homeDirectory"][0] != "/home/unix1" || e["loginShell"][0] != "/bin/bash" {
		t.Errorf("the directory holds %v", e)
	}
	g.Patch("/Users/"+a, exampletest.Op{Op: "add", Path: "emails", Value: []any{map[string]any{"value": "a@example.com"}, map[string]any{"value": "b@example.com"}}})
	g.Patch("/Users/"+a, exampletest.Op{Op: "remove", Path: `emails[value eq "a@example.com"]`}, exampletest.Op{Op: "add", Path: "emails", Value: []any{map[string]any{"value": "c@example.com"}}})
	if got := app.search(t, "ou=people", "(uid=unix1)", "mail")[0]["mail"]; strings.Join(got, " ") != "b@example.com c@example.com" {
		t.Errorf("the directory holds the addresses %q", got)
	}
	if got := g.Find("/Users", `emails.value eq "C@example.com"`); len(got) != 1 || got[0]["id"] != a {
		t.Errorf("by one of several addresses: %v", got)
	}
	group := exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "staff",
		"members": []any{map[string]any{"value": a}, map[string]any{"value": b}},
		"urn:example:params:scim:schemas:extension:unix:2.0:Group": map[string]any{"gidNumber": 50}}
	g.Do(201, "POST", "/Groups", group)
	wants := func(what string, logins ...string) {
		t.Helper()
		if got := app.search(t, "ou=groups", "(cn=staff)", "memberUid")[0]["memberUid"]; strings.Join(got, " ") != strings.Join(logins, " ") {
			t.Errorf("%s: the directory holds %q, want %q", what, got, logins)
		}
	}
	wants("create", "unix1", "unix2")
	g.Patch("/Users/"+b, exampletest.Op{Op: "replace", Path: "userName", Value: "renamed"})
	wants("rename", "unix1", "renamed")
	if groups, _ := g.Do(200, "GET", "/Users/"+b, nil)["groups"].([]any); len(groups) != 1 {
		t.Errorf("the groups of a member: %v", groups)
	}
	g.Do(204, "DELETE", "/Users/"+a, nil)
	wants("delete", "renamed")
}
