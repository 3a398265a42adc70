package activedirectory_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// A domain is Active Directory, asked by the tools of another directory what it really
// holds.
type domain struct{ url, ca string }

const (
	base       = "DC=example,DC=test"
	admin      = "administrator@example.test"
	password   = "Passw0rd.Admin1"
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

func (d domain) tool(t *testing.T, name, as, password string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), name, append([]string{"-x", "-H", d.url, "-D", as, "-w", password}, args...)...)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+d.ca)
	return cmd
}

// search answers entries as ldapsearch shows them: values by attribute.
func (d domain) search(t *testing.T, under, filter string, attributes ...string) []map[string][]string {
	t.Helper()
	out, err := d.tool(t, "ldapsearch", admin, password, append([]string{"-LLL", "-o", "ldif-wrap=no", "-b", under + "," + base, filter}, attributes...)...).Output()
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

var paths = map[string]string{"userName": "userPrincipalName", "nickName": "sAMAccountName", "name.givenName": "givenName", "name.familyName": "sn", "displayName": "displayName",
	"title": "title", "preferredLanguage": "preferredLanguage", `emails[type eq "work"].value`: "mail", `phoneNumbers[type eq "work"].value`: "telephoneNumber",
	`phoneNumbers[type eq "mobile"].value`: "mobile", `addresses[type eq "work"].streetAddress`: "streetAddress", `addresses[type eq "work"].locality`: "l",
	`addresses[type eq "work"].postalCode`: "postalCode", enterprise + ":employeeNumber": "employeeNumber", enterprise + ":department": "department"}

func (d domain) user(t *testing.T, login string) map[string]any {
	t.Helper()
	all := d.search(t, "OU=People", "(userPrincipalName="+login+")")
	if len(all) == 0 {
		return nil
	}
	held := map[string]any{"active": all[0]["userAccountControl"][0] == "512"}
	for path, attribute := range paths {
		if held[path] = nil; len(all[0][attribute]) > 0 {
			held[path] = all[0][attribute][0]
		}
	}
	return held
}

func (d domain) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	all := d.search(t, "OU=Teams", "(cn="+name+")", "member")
	if len(all) == 0 {
		return nil, false
	}
	for _, u := range d.search(t, "OU=People", "(memberOf="+all[0]["dn"][0]+")", "userPrincipalName") {
		members = append(members, u["userPrincipalName"][0])
	}
	if len(members) != len(all[0]["member"]) {
		t.Errorf("%s has the members %q", name, all[0]["member"])
	}
	return members, true
}

// fill makes users past Postern, every second one disabled.
func (d domain) fill(t *testing.T, n int) (active int) {
	t.Helper()
	var ldif strings.Builder
	for i := range n {
		fmt.Fprintf(&ldif, "dn: CN=u%03d,OU=People,%s\nobjectClass: user\nsAMAccountName: u%03d\nuserPrincipalName: u%03d@example.test\nuserAccountControl: %d\n\n", i, base, i, i, 512+2*(i%2))
	}
	cmd := d.tool(t, "ldapadd", admin, password)
	cmd.Stdin = strings.NewReader(ldif.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldapadd: %v\n%s", err, out)
	}
	return n - n/2
}

func (d domain) opens(t *testing.T, login, password string) bool {
	t.Helper()
	return d.tool(t, "ldapsearch", login, password, "-s", "base", "-b", "").Run() == nil
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise},
		"userName": login + "@example.test", "nickName": "j" + login, enterprise: map[string]any{"employeeNumber": fmt.Sprintf("E-%d", n), "department": "Dept " + login},
		"name": map[string]any{"givenName": "Barbara " + login, "familyName": "Jensen, " + login}, "displayName": "Babs " + login, "title": "Tour Guide " + login,
		"preferredLanguage": fmt.Sprintf("en-x-%d", n), "active": true, "emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}),
		"phoneNumbers": append(exampletest.Element("work", map[string]any{"value": fmt.Sprintf("+1 555 %d", n)}), exampletest.Element("mobile", map[string]any{"value": fmt.Sprintf("+1 556 %d", n)})...),
		"addresses":    exampletest.Element("work", map[string]any{"streetAddress": fmt.Sprintf("%d Hollywood Blvd", n), "locality": "Hollywood " + login, "postalCode": fmt.Sprintf("9%04d", n)}),
	}
}

// TestLife is one test with what follows it: a domain takes its time to be made.
func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := domain{said["URL"], said["CA"]}
	g := exampletest.Start(t, exampletest.Env("LDAP_PASSWORD="+said["PASSWORD"], "SSL_CERT_FILE="+said["CA"]), exampletest.Swap("ldaps://127.89.0.1", said["URL"]))
	passwords(t, g, app)
	manager(t, g, app)
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill,
			Loose:   []string{"title", "displayName", "name.givenName", `phoneNumbers[type eq "mobile"].value`},
			Refused: map[string]any{"title": strings.Repeat("x", 129)},
		},
		Groups: &exampletest.Groups{Held: app.group, OfUsers: true},
	}.Run(t, g)
}

// passwords: who has a password can log in, who is disabled cannot, and what the domain
// refuses changes nothing.
func passwords(t *testing.T, g *exampletest.Gateway, app domain) {
	t.Helper()
	u := person(77)
	u["password"] = "correct Horse 7"
	delete(u, "nickName")
	id := g.Do(201, "POST", "/Users", u)["id"].(string)
	login := "jensen77@example.test"
	if held := app.user(t, login); held["nickName"] != "jensen77" {
		t.Errorf("the short login is %v", held["nickName"])
	}
	if !app.opens(t, login, "correct Horse 7") || app.opens(t, login, "wrong") {
		t.Error("the password does not open the account, or any does")
	}
	g.Patch("/Users/"+id, exampletest.Op{Op: "replace", Path: "active", Value: false})
	if app.opens(t, login, "correct Horse 7") {
		t.Error("a disabled account opens")
	}
	g.Patch("/Users/"+id, exampletest.Op{Op: "replace", Path: "active", Value: true}, exampletest.Op{Op: "replace", Path: "password", Value: "battery Staple 8"})
	if !app.opens(t, login, "battery Staple 8") {
		t.Error("the new password does not open the account")
	}
	short := exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []exampletest.Op{{Op: "replace", Path: "title", Value: "Boss"}, {Op: "replace", Path: "nickName", Value: "boss"}, {Op: "replace", Path: "password", Value: "short"}}}
	if status, e := g.Try("PATCH", "/Users/"+id, short); status != 400 {
		t.Errorf("a password that the domain refuses: status %d, %v", status, e)
	}
	if held := app.user(t, login); held["title"] != "Tour Guide jensen77" || held["nickName"] != "jensen77" {
		t.Errorf("after the refusal the domain holds %v", held)
	}
	g.Do(204, "DELETE", "/Users/"+id, nil)
}

// manager: a reference to another user, which the domain keeps when that is renamed.
func manager(t *testing.T, g *exampletest.Gateway, app domain) {
	t.Helper()
	boss := g.Do(201, "POST", "/Users", person(88))["id"].(string)
	u := person(89)
	u[enterprise] = map[string]any{"manager": map[string]any{"value": boss}}
	id := g.Do(201, "POST", "/Users", u)["id"].(string)
	for _, name := range []string{"jjensen88", "the.boss"} {
		g.Patch("/Users/"+boss, exampletest.Op{Op: "replace", Path: "nickName", Value: name})
		if got := app.search(t, "OU=People", "(sAMAccountName=jjensen89)", "manager")[0]["manager"]; len(got) != 1 || got[0] != "CN="+name+",OU=People,"+base {
			t.Errorf("the domain holds the manager %q", got)
		}
		if got := exampletest.At(g.Do(200, "GET", "/Users/"+id, nil), enterprise+":manager.value"); got != boss {
			t.Errorf("Postern shows the manager %v, want %v", got, boss)
		}
	}
	g.Do(204, "DELETE", "/Users/"+id, nil)
	g.Do(204, "DELETE", "/Users/"+boss, nil)
}
