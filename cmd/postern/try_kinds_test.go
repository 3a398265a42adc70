package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/testdb"
)

// tried runs a command and gives what it printed.
func tried(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	var b bytes.Buffer
	m := &Main{Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b}
	return m.Run(t.Context(), args), b.String()
}

const newUser = `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "grace", "name": {"familyName": "Hopper"}, "password": "t0p s3cret"}`

// shows wants texts in a dry run of a creation, and secrets not to be there.
func shows(t *testing.T, file string, wanted ...string) {
	t.Helper()
	status, out := tried(t, "try", "-c", file, "--dry-run", "POST", "/Users", "-d", newUser)
	for _, w := range append(wanted, "(not sent)", "Stopped before the first change") {
		if !strings.Contains(out, w) {
			t.Errorf("status %d, and not shown: %s\n%s", status, w, out)
		}
	}
	if strings.Contains(out, "s3cret") {
		t.Errorf("the password is shown:\n%s", out)
	}
}

// TestTryShowsExchanges: what programs, files and directories are sent is shown, and a
// dry run stops before it.
func TestTryShowsExchanges(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		dir := t.TempDir()
		const users = "id,login,last,pw\n1,ada,Lovelace,x\n"
		write(t, filepath.Join(dir, "users.csv"), users)
		file := filepath.Join(dir, "postern.yaml")
		write(t, file, `clients: {idp: {token: quickstart}}
backends: {f: {type: file, path: .}}
resources:
  User:
    target: {backend: f, file: users.csv, key: id, keys: number}
    attributes: {userName: login, name.familyName: last, password: {name: pw, out: value}}
`)
		shows(t, file, "replace users.csv\n    a line more")
		if got := read(t, filepath.Join(dir, "users.csv")); got != users {
			t.Errorf("the file holds %q", got)
		}
	})
	t.Run("command", func(t *testing.T) {
		dir := t.TempDir()
		program := filepath.Join(dir, "program")
		write(t, program, "#!/bin/sh\ncat >\""+dir+"/$1\"\necho '[]'\n")
		if err := os.Chmod(program, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "postern.yaml")
		write(t, file, `clients: {idp: {token: quickstart}}
backends: {p: {type: command, program: ./program}}
resources:
  User:
    target: {backend: p, key: id, list: {run: [list, --all], records: body}, create: {run: [add, "--login={record.login}"], send: record, record: body}}
    attributes: {userName: login, name.familyName: last, password: {name: pw, out: value}}
`)
		shows(t, file, `"--login=grace"`, "exit status 0", `"last": "Hopper"`, `"pw": "(hidden)"`)
		if _, err := os.Stat(filepath.Join(dir, "add")); err == nil {
			t.Error("the program was called to add")
		}
	})
	t.Run("scim", func(t *testing.T) {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method != http.MethodGet:
				t.Errorf("%s %s was sent", r.Method, r.URL)
			case strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig"):
				_, _ = w.Write([]byte(`{"patch": {"supported": true}, "filter": {"supported": true}}`))
			default:
				_, _ = w.Write([]byte(`{"totalResults": 0, "Resources": []}`))
			}
		}))
		defer other.Close()
		file := filepath.Join(t.TempDir(), "postern.yaml")
		write(t, file, `clients: {idp: {token: quickstart}}
backends: {o: {type: scim, url: "`+other.URL+`", headers: {Authorization: "Bearer t0p s3cret"}}}
resources:
  User:
    target: {backend: o, key: id}
    attributes: {userName: userName, name.familyName: name.familyName, password: {name: password, out: value}}
`)
		shows(t, file, "GET "+other.URL+"/Users?count=", "POST "+other.URL+"/Users", `"familyName": "Hopper"`, `"password": "(hidden)"`)
	})
	t.Run("ldap", func(t *testing.T) {
		d := testdb.Slapd(t)
		file := filepath.Join(t.TempDir(), "postern.yaml")
		write(t, file, `clients: {idp: {token: quickstart}}
backends: {dir: {type: ldap, url: "`+d.URL+`", bind: {dn: "`+d.BindDN+`", password: `+d.Password+`}, base: "`+d.Base+`", passwords: plain}}
resources:
  User:
    target: {backend: dir, classes: inetOrgPerson, rdn: uid, key: entryUUID}
    attributes: {userName: uid, name.familyName: {name: sn}, displayName: {name: cn, default: x}, password: {name: userPassword, out: value}}
`)
		shows(t, file, "search "+d.Base+" (&(objectClass=inetOrgPerson)(uid=grace))", "0 entries", "add uid=grace,"+d.Base, "sn: Hopper", "userPassword: (hidden)")
	})
}

// TestFilesOnline: what is wrong with a file is told with its line, and what is wrong
// with the configuration where it stands.
func TestFilesOnline(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "users.csv"), "id,Login,last\n1,ada,Lovelace\n2,grace\n1,again,x\n")
	write(t, filepath.Join(dir, "groups.csv"), "id,title\n")
	write(t, filepath.Join(dir, "pairs.csv"), "group,usr\n")
	file := filepath.Join(dir, "postern.yaml")
	write(t, file, `clients: {idp: {token: quickstart}}
backends: {f: {type: file, path: .}}
resources:
  User:
    target: {backend: f, file: users.csv, key: id, keys: number}
    attributes: {userName: login, name.familyName: last}
  Group:
    target: {backend: f, file: groups.csv, key: id, keys: number}
    attributes: {displayName: title, members: {table: pairs.csv, owner: group, member: user, refers: User}}
`)
	status, out := tried(t, "check", "--online", "-c", file)
	for _, want := range []string{`:6:28: users.csv:1: there is no column "login"`, `did you mean "Login"?`, "users.csv:3: the line has 2 cells, and there are 3 columns",
		`:9:88: pairs.csv:1: there is no column "user"`, `did you mean "usr"?`} {
		if !strings.Contains(out, want) {
			t.Errorf("status %d, not told: %s\n%s", status, want, out)
		}
	}
	status, out = tried(t, "check", "-c", strings.Replace(file, "postern.yaml", "none.yaml", 1))
	if status == 0 {
		t.Error(out)
	}
}
