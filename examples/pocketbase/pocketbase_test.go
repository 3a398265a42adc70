package pocketbase_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// pocketbase is the application's own API, asked afterwards what it really holds.
type pocketbase struct {
	base string
	head map[string]string
}

func open(t *testing.T, said map[string]string) pocketbase {
	t.Helper()
	p := pocketbase{said["BASE"] + "/api/collections/", map[string]string{"Content-Type": "application/json"}}
	p.head["Authorization"] = p.do(t, 200, "POST", "_superusers/auth-with-password",
		map[string]any{"identity": "admin@example.com", "password": said["PASSWORD"]})["token"].(string)
	return p
}

func (p pocketbase) do(t *testing.T, status int, method, path string, body any) exampletest.Resource {
	t.Helper()
	return exampletest.Call(t, status, method, p.base+path, p.head, body)
}

// one is the record of a collection that a filter finds; nil if there is none.
func (p pocketbase) one(t *testing.T, collection, filter, expand string) map[string]any {
	t.Helper()
	items := p.do(t, 200, "GET", collection+"/records?expand="+expand+"&filter="+url.QueryEscape(filter), nil)["items"].([]any)
	if len(items) == 0 {
		return nil
	}
	return items[0].(map[string]any)
}

func (p pocketbase) user(t *testing.T, name string) map[string]any {
	t.Helper()
	u := p.one(t, "users", "username='"+name+"'", "")
	if u == nil {
		return nil
	}
	return map[string]any{"userName": u["username"], "name.givenName": u["first_name"], "name.familyName": u["last_name"],
		`emails[type eq "work"].value`: u["email"], "active": u["disabled"] == false}
}

func (p pocketbase) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	g := p.one(t, "groups", "name='"+name+"'", "members")
	if g == nil {
		return nil, false
	}
	more, _ := g["expand"].(map[string]any)
	list, _ := more["members"].([]any)
	for _, m := range list {
		members = append(members, m.(map[string]any)["username"].(string))
	}
	return members, true
}

// fill makes users by PocketBase's own API, every second one disabled.
func (p pocketbase) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		p.do(t, 200, "POST", "users/records", map[string]any{"username": fmt.Sprintf("u%03d", i), "email": fmt.Sprintf("u%03d@example.com", i),
			"disabled": i%2 == 1, "password": "a-long-password", "passwordConfirm": "a-long-password"})
	}
	return n - n/2
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("O'Jensen_%d%%", n) // nothing of it means anything to the filter
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": fmt.Sprintf("jensen%d", n), "name": map[string]any{"givenName": `Barb\ra ` + login, "familyName": login},
		"emails": exampletest.Element("work", map[string]any{"value": fmt.Sprintf("jensen%d@example.com", n)}), "active": true,
	}
}

func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := open(t, said)
	g := exampletest.Start(t, exampletest.Env("POCKETBASE_PASSWORD="+said["PASSWORD"]), exampletest.Swap("http://127.0.0.1:18105", said["BASE"]))
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill, Loose: []string{"name.givenName"},
			Refused: map[string]any{`emails[type eq "work"].value`: "nope"},
		},
		Groups: &exampletest.Groups{Held: app.group, OfUsers: true},
	}.Run(t, g)
	injected(t, g)
	revoked(t, g, app)
}

// injected looks for what means something to the filter language: nobody is found.
func injected(t *testing.T, g *exampletest.Gateway) {
	t.Helper()
	for _, text := range []string{`x' || 1=1 || '`, `%`, `_`, `x\`, `x\' || username != 'x`, "jensen?", "ſensen"} {
		for _, f := range []string{fmt.Sprintf(`userName eq %q`, text), fmt.Sprintf(`emails.value co %q`, text)} {
			if got := g.Find("/Users", f); len(got) != 0 {
				t.Errorf("%s finds %v", f, got)
			}
		}
	}
}

// revoked takes Postern's session away on PocketBase's side, where its end is not
// in the token. From then on PocketBase answers lists as empty, with status 200.
func revoked(t *testing.T, g *exampletest.Gateway, app pocketbase) {
	t.Helper()
	all := len(g.All("/Users", 100))
	super := app.do(t, 200, "GET", "_superusers", nil)
	super["authToken"] = map[string]any{"secret": "another-secret-of-at-least-thirty-letters", "duration": 86400}
	app.do(t, 200, "PATCH", "_superusers", super)
	if got := g.Find("/Users", `userName eq "u001"`); len(got) != 1 {
		t.Errorf("after the session was revoked a look-up finds %v", got)
	}
	if got := len(g.All("/Users", 100)); got != all {
		t.Errorf("after the session was revoked there are %d users, want %d", got, all)
	}
}
