package redmine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// redmine is the application's own API, asked afterwards what it really holds.
type redmine struct {
	t    *testing.T
	base string
	head map[string]string
}

func (r redmine) do(status int, method, path string, body any) exampletest.Resource {
	r.t.Helper()
	return exampletest.Call(r.t, status, method, r.base+path, r.head, body)
}

// user finds a user of Redmine by its login, whatever its status; nil if there is none.
func (r redmine) user(login string) map[string]any {
	r.t.Helper()
	all, _ := r.do(200, "GET", "/users.json?status=&limit=100&name="+login, nil)["users"].([]any)
	for _, u := range all {
		if m := u.(map[string]any); m["login"] == login {
			return r.do(200, "GET", fmt.Sprintf("/users/%v.json?include=groups", m["id"]), nil)["user"].(map[string]any)
		}
	}
	return nil
}

// logins are the logins of a group's members.
func (r redmine) members(group string) (names []string, there bool) {
	r.t.Helper()
	all, _ := r.do(200, "GET", "/groups.json", nil)["groups"].([]any)
	for _, g := range all {
		m := g.(map[string]any)
		if m["name"] != group {
			continue
		}
		full := r.do(200, "GET", fmt.Sprintf("/groups/%v.json?include=users", m["id"]), nil)["group"].(map[string]any)
		for _, u := range full["users"].([]any) {
			names = append(names, u.(map[string]any)["name"].(string))
		}
		return names, true
	}
	return nil, false
}

func person(login, given, family string) exampletest.Resource {
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": given, "familyName": family},
		"emails": []any{map[string]any{"type": "work", "value": login + "@example.com"}}, "active": true,
	}
}

func start(t *testing.T) (*exampletest.Gateway, redmine) {
	said := exampletest.Application(t)
	name, key, _ := strings.Cut(said["HEADER"], ": ")
	r := redmine{t, said["BASE"], map[string]string{name: key, "Content-Type": "application/json"}}
	for _, what := range []string{"users", "groups"} { // what an earlier run left
		for again := true; again; {
			again = false
			all, _ := r.do(200, "GET", "/"+what+".json?status=&limit=100", nil)[what].([]any)
			for _, e := range all {
				if m := e.(map[string]any); m["admin"] != true {
					r.do(204, "DELETE", fmt.Sprintf("/%s/%v.json", what, m["id"]), nil)
					again = what == "users"
				}
			}
		}
	}
	return exampletest.Start(t, "REDMINE_KEY="+key), r
}

// TestLife is the whole life of a user and a group.
func TestLife(t *testing.T) {
	g, app := start(t)
	if got := g.Find("/Users", `userName eq "admin"`); len(got) != 0 {
		t.Error("the built-in account is visible")
	}
	made := g.Do(201, "POST", "/Users", person("bjensen", "Barbara", "Jensen"))
	id := "/Users/" + made["id"].(string)
	g.Do(409, "POST", "/Users", person("bjensen", "Other", "Person"))
	if u := app.user("bjensen"); u["firstname"] != "Barbara" || u["mail"] != "bjensen@example.com" || u["status"] != 1.0 {
		t.Errorf("Redmine holds %v", u)
	}
	for _, f := range []string{`userName eq "BJensen"`, `emails[type eq "work"].value eq "bjensen@example.com"`, `name.givenName eq "barbara"`,
		`name.familyName sw "jen"`, `active eq true and userName co "jens"`} {
		if got := g.Find("/Users", f); len(got) != 1 || got[0]["id"] != made["id"] {
			t.Errorf("%s finds %v", f, got)
		}
	}
	g.Patch(id, [3]any{"replace", "active", false})
	if u := app.user("bjensen"); u["status"] != 3.0 {
		t.Errorf("after disabling: %v", u["status"])
	}
	if got := g.Find("/Users", `userName eq "bjensen"`); len(got) != 1 || got[0]["active"] != false {
		t.Errorf("a disabled user is found as %v", got)
	}
	g.Patch(id, [3]any{"replace", nil, map[string]any{"active": true, "name.familyName": "Smith"}}, [3]any{"replace", "userName", "bsmith"})
	if u := app.user("bsmith"); u["status"] != 1.0 || u["lastname"] != "Smith" || u["mail"] != "bjensen@example.com" {
		t.Errorf("after the rename: %v", u)
	}
	put := person("babs", "Babs", "Smith")
	g.Do(200, "PUT", id, put)
	if u := app.user("babs"); u["firstname"] != "Babs" || u["mail"] != "babs@example.com" {
		t.Errorf("after PUT: %v", u)
	}
	bad := person("babs", "Babs", "Smith")
	bad["emails"] = []any{map[string]any{"type": "work", "value": "nope"}}
	g.Do(400, "PUT", id, bad)
	groups(t, g, app, made["id"].(string))
	g.Do(204, "DELETE", id, nil)
	g.Do(404, "GET", id, nil)
	if u := app.user("babs"); u != nil {
		t.Errorf("after deletion: %v", u)
	}
	again := g.Do(201, "POST", "/Users", person("babs", "Babs", "Smith"))
	if again["id"] == made["id"] {
		t.Error("an id was used again")
	}
}

func groups(t *testing.T, g *exampletest.Gateway, app redmine, user string) {
	t.Helper()
	other := g.Do(201, "POST", "/Users", person("jsmith", "John", "Doe"))["id"].(string)
	member := func(ids ...string) []any {
		var out []any
		for _, id := range ids {
			out = append(out, map[string]any{"value": id})
		}
		return out
	}
	wants := func(what, name string, n int) {
		t.Helper()
		if got, there := app.members(name); !there || len(got) != n {
			t.Errorf("%s: Redmine's members are %v (%t), want %d", what, got, there, n)
		}
	}
	made := g.Do(201, "POST", "/Groups", exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Eng", "members": member(user)})
	at := "/Groups/" + made["id"].(string)
	wants("create", "Eng", 1)
	g.Do(409, "POST", "/Groups", exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Eng"})
	g.Patch(at, [3]any{"add", "members", member(user, other)})
	wants("add, one of them twice", "Eng", 2)
	g.Patch(at, [3]any{"remove", `members[value eq "` + user + `"]`, nil}, [3]any{"replace", "displayName", "Engineering"})
	wants("remove and rename", "Engineering", 1)
	if got := g.Find("/Groups", `members.value eq "`+other+`"`); len(got) != 1 {
		t.Errorf("by member: %v", got)
	}
	if got := g.Find("/Groups", `displayName eq "engineering"`); len(got) != 1 {
		t.Errorf("by name: %v", got)
	}
	if u := g.Do(200, "GET", "/Users/"+other, nil); len(u["groups"].([]any)) != 1 {
		t.Errorf("the member's groups: %v", u["groups"])
	}
	g.Do(200, "PUT", at, exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Engineering", "members": member(user)})
	wants("PUT", "Engineering", 1)
	g.Do(400, "POST", "/Groups", exampletest.Resource{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "X", "members": member("nobody")})
	g.Do(204, "DELETE", at, nil)
	if _, there := app.members("Engineering"); there {
		t.Error("the group is still there")
	}
	g.Do(204, "DELETE", "/Users/"+other, nil)
}

// TestPages pages through 250 users, some of them disabled.
func TestPages(t *testing.T) {
	g, app := start(t)
	for i := range 250 { // one at a time: Redmine's SQLite refuses writers that come together
		app.do(201, "POST", "/users.json", map[string]any{"user": map[string]any{"login": fmt.Sprintf("u%03d", i), "firstname": "F", "lastname": "L",
			"mail": fmt.Sprintf("u%03d@example.com", i), "password": "a-long-password", "status": 1 + 2*(i%2)}})
	}
	all := g.All("/Users", 100)
	active := 0
	for _, u := range all {
		if u["active"] == true {
			active++
		}
	}
	if len(all) != 250 || active != 125 {
		t.Errorf("%d users, %d of them active", len(all), active)
	}
}
