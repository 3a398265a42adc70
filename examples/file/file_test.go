package file_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"github.com/postern/postern/examples/exampletest"
)

// export is the folder, read by a program that knows nothing of Postern.
type export struct{ dir string }

func (e export) rows(t *testing.T, name string) (objects []map[string]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(e.dir, name))
	if err == nil {
		data, err = charmap.Windows1252.NewDecoder().Bytes(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		o := map[string]string{}
		for n, v := range row {
			o[rows[0][n]] = v
		}
		objects = append(objects, o)
	}
	return objects
}

func (e export) user(t *testing.T, login string) map[string]any {
	t.Helper()
	for _, u := range e.rows(t, "personal.csv") {
		if u["Kennung"] != login {
			continue
		}
		out := map[string]any{"userName": login, "active": u["Status"] == "A"}
		for path, column := range map[string]string{"name.givenName": "Vorname", "name.familyName": "Nachname", `emails[type eq "work"].value`: "E-Mail", department: "Abteilung"} {
			if out[path] = nil; u[column] != "" {
				out[path] = u[column]
			}
		}
		return out
	}
	return nil
}

func (e export) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	logins := map[string]string{}
	for _, u := range e.rows(t, "personal.csv") {
		logins[u["Nr"]] = u["Kennung"]
	}
	for _, g := range e.rows(t, "gruppen.csv") {
		if g["Name"] != name {
			continue
		}
		for _, p := range e.rows(t, "mitglieder.csv") {
			if p["Gruppe"] == g["Nr"] {
				members = append(members, logins[p["Person"]])
			}
		}
		return members, true
	}
	return nil, false
}

// copy takes the files without their rows: of others who are there, the life does not
// know.
func (e export) copy(t *testing.T) {
	t.Helper()
	for _, name := range []string{"personal.csv", "gruppen.csv", "mitglieder.csv"} {
		data, err := os.ReadFile(filepath.Join("data", name))
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(data), "\n")
		if err := os.WriteFile(filepath.Join(e.dir, name), []byte(head+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// fill lets the other program write, while Postern runs.
func (e export) fill(t *testing.T, n int) (active int) {
	t.Helper()
	path := filepath.Join(e.dir, "personal.csv")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		data = fmt.Appendf(data, "%d;u%03d;F;L;;%s;;\r\n", 1000+i, i, []string{"A", "L"}[i%2])
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return n - n/2
}

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"

// person has a name that CSV and spreadsheets would not leave as it is.
func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": `B"a' ;€ ` + login, "familyName": "=Ö\n, " + login},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"department": "-Tours " + login},
	}
}

// TestLife runs the whole life of a user and a group (P-48).
func TestLife(t *testing.T) {
	e := export{t.TempDir()}
	e.copy(t)
	g := exampletest.Start(t, exampletest.Swap("path: data", "path: "+e.dir))
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: e.user, Fill: e.fill,
			Loose:   []string{"name.givenName", "name.familyName", `emails[type eq "work"].value`, department},
			Refused: map[string]any{"name.givenName": "日本"},
		},
		Groups: &exampletest.Groups{Held: e.group, OfUsers: true},
	}.Run(t, g)
}
