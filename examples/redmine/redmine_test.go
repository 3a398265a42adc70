package redmine_test

import (
	"fmt"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// redmine is the application's own API, asked afterwards what it really holds.
type redmine struct {
	base string
	head map[string]string
}

func (r redmine) do(t *testing.T, status int, method, path string, body any) exampletest.Resource {
	t.Helper()
	return exampletest.Call(t, status, method, r.base+path, r.head, body)
}

// list is a list of Redmine, of all statuses.
func (r redmine) list(t *testing.T, what, more string) []map[string]any {
	t.Helper()
	all, _ := r.do(t, 200, "GET", "/"+what+".json?status=&limit=100"+more, nil)[what].([]any)
	var out []map[string]any
	for _, e := range all {
		out = append(out, e.(map[string]any))
	}
	return out
}

func (r redmine) user(t *testing.T, login string) map[string]any {
	t.Helper()
	for _, u := range r.list(t, "users", "&name="+login) {
		if u["login"] != login {
			continue
		}
		u = r.do(t, 200, "GET", fmt.Sprintf("/users/%v.json", u["id"]), nil)["user"].(map[string]any)
		return map[string]any{"userName": u["login"], "name.givenName": u["firstname"], "name.familyName": u["lastname"],
			`emails[type eq "work"].value`: u["mail"], "active": u["status"] == 1.0}
	}
	return nil
}

func (r redmine) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	for _, g := range r.list(t, "groups", "") {
		if g["name"] != name {
			continue
		}
		full := r.do(t, 200, "GET", fmt.Sprintf("/groups/%v.json?include=users", g["id"]), nil)["group"].(map[string]any)
		for _, u := range full["users"].([]any) {
			id := u.(map[string]any)["id"]
			user := r.do(t, 200, "GET", fmt.Sprintf("/users/%v.json", id), nil)["user"].(map[string]any)
			members = append(members, user["login"].(string))
		}
		return members, true
	}
	return nil, false
}

// fill makes users by Redmine's own API, every second one locked. One at a time:
// Redmine's SQLite refuses writers that come together.
func (r redmine) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		user := map[string]any{"login": fmt.Sprintf("u%03d", i), "firstname": "F", "lastname": "L", "mail": fmt.Sprintf("u%03d@example.com", i),
			"password": "a-long-password", "status": 1 + 2*(i%2)}
		r.do(t, 201, "POST", "/users.json", map[string]any{"user": user})
	}
	return n - n/2
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": "Barbara " + login, "familyName": "Jensen-" + login},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
	}
}

func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := redmine{said["BASE"], map[string]string{"X-Redmine-API-Key": said["KEY"], "Content-Type": "application/json"}}
	g := exampletest.Start(t, exampletest.Env("REDMINE_KEY="+said["KEY"]), exampletest.Swap("http://127.0.0.1:18101", said["BASE"]))
	if got := g.Find("/Users", `userName eq "admin"`); len(got) != 0 {
		t.Error("the built-in account is visible")
	}
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill,
			Refused: map[string]any{`emails[type eq "work"].value`: "nope"},
		},
		Groups: &exampletest.Groups{Held: app.group, OfUsers: true},
	}.Run(t, g)
}
