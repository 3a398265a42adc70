package wordpress_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// wordpress is the application's own API, asked afterwards what it really holds.
type wordpress struct {
	base string
	head map[string]string
}

func open(said map[string]string) wordpress {
	basic := base64.StdEncoding.EncodeToString([]byte("admin:" + said["PASSWORD"]))
	return wordpress{said["BASE"] + "/wp-json/wp/v2", map[string]string{"Authorization": "Basic " + basic, "Content-Type": "application/json"}}
}

// find are the users that a query of WordPress finds.
func (w wordpress) find(t *testing.T, query string) []exampletest.Resource {
	t.Helper()
	return exampletest.Items(t, w.base+"/users?context=edit&per_page=100&"+query, w.head)
}

func (w wordpress) one(t *testing.T, login string) exampletest.Resource {
	t.Helper()
	for _, u := range w.find(t, "search="+login) {
		if u["username"] == login {
			return u
		}
	}
	return nil
}

func (w wordpress) user(t *testing.T, login string) map[string]any {
	t.Helper()
	u := w.one(t, login)
	if u == nil {
		return nil
	}
	return map[string]any{"userName": u["username"], "displayName": u["name"], "name.givenName": u["first_name"], "name.familyName": u["last_name"],
		`emails[type eq "work"].value`: u["email"]}
}

func (w wordpress) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	for _, u := range w.find(t, "roles="+strings.ToLower(name)) {
		members = append(members, u["username"].(string))
	}
	return members, slices.Contains(roles, name)
}

// fill makes users by WordPress's own API.
func (w wordpress) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("u%03d", i)
		exampletest.Call(t, 201, "POST", w.base+"/users", w.head, map[string]any{"username": name, "email": name + "@example.com", "password": "a-long-password"})
	}
	return n
}

var roles = []string{"Editor", "Author", "Contributor", "Subscriber"}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "displayName": "Bärbel " + login, "name": map[string]any{"givenName": "Barbara " + login, "familyName": "O'Jensen-" + login},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}),
	}
}

func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := open(said)
	g := exampletest.Start(t, exampletest.Env("WORDPRESS_PASSWORD="+said["PASSWORD"]), exampletest.Swap("http://127.0.0.1:18103", said["BASE"]))
	if got := g.Find("/Users", `userName eq "admin"`); len(got) != 0 {
		t.Error("the administrator is visible")
	}
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill, Fixed: []string{"userName"}, Loose: []string{"name.familyName"},
			Refused: map[string]any{`emails[type eq "work"].value`: "nope"},
		},
		Groups: &exampletest.Groups{Held: app.group, Fixed: roles, OfUsers: true},
	}.Run(t, g)
	taken(t, g)
	refused(t, said)
}

// taken makes a user whose address somebody has: WordPress answers with status
// 500 and a code.
func taken(t *testing.T, g *exampletest.Gateway) {
	t.Helper()
	other := person(900)
	other["emails"] = exampletest.Element("work", map[string]any{"value": "u001@example.com"})
	if e := g.Do(409, "POST", "/Users", other); e["scimType"] != "uniqueness" || !strings.Contains(fmt.Sprint(e["detail"]), "emails") {
		t.Errorf("a taken address: %v", e)
	}
}

// refused starts Postern with a wrong password: WordPress shows a part of itself to
// everybody, and that must not pass for the directory.
func refused(t *testing.T, said map[string]string) {
	t.Helper()
	g := exampletest.Start(t, exampletest.Env("WORDPRESS_PASSWORD=wrong"), exampletest.Swap("http://127.0.0.1:18103", said["BASE"]))
	g.Do(502, "GET", "/Users", nil)
	g.Do(502, "POST", "/Users", person(901))
}
