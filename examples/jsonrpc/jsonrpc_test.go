package jsonrpc_test

import (
	"fmt"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// api is the application's own API, asked afterwards what it really holds.
type api struct{ base, key string }

// call calls a method. The result is a list, an object, or true.
func (a api) call(t *testing.T, method string, params ...any) any {
	t.Helper()
	body := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": append([]any{a.key}, params...)}
	out := exampletest.Call(t, 200, "POST", a.base, nil, body)
	if out["error"] != nil {
		t.Fatalf("%s %v: %v", method, params, out["error"])
	}
	return out["result"]
}

func (a api) find(t *testing.T, method, field, value string, more ...any) map[string]any {
	t.Helper()
	for _, r := range a.call(t, method, more...).([]any) {
		if m := r.(map[string]any); m[field] == value {
			return m
		}
	}
	return nil
}

func (a api) user(t *testing.T, login string) map[string]any {
	t.Helper()
	u := a.find(t, "user.search", "account", login, login)
	if u == nil {
		return nil
	}
	return map[string]any{"userName": u["account"], "name.givenName": u["first"], "name.familyName": u["last"],
		`emails[type eq "work"].value`: u["email"], "active": u["locked"] == false}
}

func (a api) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	g := a.find(t, "group.list", "title", name, 0)
	if g == nil {
		return nil, false
	}
	for _, uid := range g["members"].([]any) {
		members = append(members, a.call(t, "user.get", uid).(map[string]any)["account"].(string))
	}
	return members, true
}

// fill makes users by the API itself, every second one locked.
func (a api) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("u%03d", i)
		a.call(t, "user.add", map[string]any{"account": name, "email": name + "@example.com", "locked": i%2 == 1})
	}
	return n - n/2
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": "Bärbel " + login, "familyName": `O'Jensen "` + login + `"`},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
	}
}

func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := api{said["BASE"], said["KEY"]}
	g := exampletest.Start(t, exampletest.Env("DIRECTORY_KEY="+said["KEY"]), exampletest.Swap("http://127.0.0.1:18201", said["BASE"]))
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill, Loose: []string{"name.givenName"},
			Refused: map[string]any{`emails[type eq "work"].value`: "nope"},
		},
		Groups: &exampletest.Groups{Held: app.group},
	}.Run(t, g)
	if got := g.Do(200, "GET", "/Users?count=0&filter=userName+sw+%22u%22", nil)["totalResults"]; got != 250.0 {
		t.Errorf("a search that is cut finds %v users, want 250", got)
	}
}
