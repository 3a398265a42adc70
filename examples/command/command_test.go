package command_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// accounts is the program itself, asked afterwards what it really holds.
type accounts struct{ dir, program string }

func (a accounts) run(t *testing.T, args ...string) (objects []map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), a.program, args...)
	cmd.Env = append(cmd.Environ(), "ACCOUNTS="+a.dir)
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		t.Fatalf("accounts %v: %v\n%s", args, err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		o := map[string]string{}
		for n, v := range row {
			o[rows[0][n]] = v
		}
		objects = append(objects, o)
	}
	return objects
}

func (a accounts) user(t *testing.T, login string) map[string]any {
	t.Helper()
	for _, u := range a.run(t, "user", "list") {
		if u["login"] != login {
			continue
		}
		out := map[string]any{"userName": u["login"], "active": u["status"] == "A"}
		for path, v := range map[string]string{"name.givenName": u["first"], "name.familyName": u["last"], `emails[type eq "work"].value`: u["mail"]} {
			if out[path] = v; v == "" {
				out[path] = nil
			}
		}
		return out
	}
	return nil
}

func (a accounts) group(t *testing.T, title string) (members []string, there bool) {
	t.Helper()
	logins := map[string]string{}
	for _, u := range a.run(t, "user", "list") {
		logins[u["id"]] = u["login"]
	}
	for _, g := range a.run(t, "group", "list") {
		if g["title"] != title {
			continue
		}
		for _, id := range strings.FieldsFunc(g["members"], func(r rune) bool { return r == ',' }) {
			members = append(members, logins[id])
		}
		return members, true
	}
	return nil, false
}

// fill makes users by the program, every second one locked.
func (a accounts) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		a.run(t, "user", "add", fmt.Sprintf("--login=u%03d", i), "--first=F", "--last=L", "--status="+[]string{"A", "L"}[i%2])
	}
	return n - n/2
}

// person has a name that a shell would not leave as it is.
func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": `B"a' $(id) ` + login, "familyName": "-Ö, `Jensen`; " + login},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
	}
}

// TestLife runs the whole life of a user and a group (P-48).
func TestLife(t *testing.T) {
	program, err := filepath.Abs("accounts")
	if err != nil {
		t.Fatal(err)
	}
	app := accounts{t.TempDir(), program}
	g := exampletest.Start(t, exampletest.Env("ACCOUNTS="+app.dir), exampletest.Swap("./accounts", program))
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill,
			Loose:   []string{"name.givenName", "name.familyName", `emails[type eq "work"].value`},
			Refused: map[string]any{"name.givenName": "two\nlines"},
		},
		Groups: &exampletest.Groups{Held: app.group},
	}.Run(t, g)
}
