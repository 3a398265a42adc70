package scim_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern/postern/examples/exampletest"
)

const token = "the-other-server-token"

// other is the server behind, asked afterwards what it really holds.
type other struct{ base string }

// start serves other.yaml as a program of its own.
func start(t *testing.T) other {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/postern/postern/cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, f := range []string{"other.yaml", "other.sql"} {
		data, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	listen := free(t)
	cmd := exec.CommandContext(t.Context(), program, "serve", "-c", filepath.Join(dir, "other.yaml"), "--listen", listen, "--admin", free(t))
	cmd.Env = append(os.Environ(), "OTHER_TOKEN="+token)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for range 600 {
		if c, err := net.Dial("tcp", listen); err == nil {
			_ = c.Close()
			return other{"http://" + listen + "/scim/v2"}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the other server does not listen")
	return other{}
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (o other) all(t *testing.T, endpoint string) []exampletest.Resource {
	t.Helper()
	head := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/scim+json"}
	list, _ := exampletest.Call(t, http.StatusOK, "GET", o.base+endpoint+"?count=1000", head, nil)["Resources"].([]any)
	var out []exampletest.Resource
	for _, e := range list {
		out = append(out, e.(map[string]any))
	}
	return out
}

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"

func (o other) user(t *testing.T, name string) map[string]any {
	t.Helper()
	for _, u := range o.all(t, "/Users") {
		if u["userName"] != name {
			continue
		}
		out := map[string]any{}
		for _, p := range []string{"userName", "name.givenName", "name.familyName", "displayName", "active", `emails[type eq "work"].value`, department} {
			out[p] = exampletest.At(u, p)
		}
		return out
	}
	return nil
}

func (o other) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	names := map[any]string{}
	for _, u := range o.all(t, "/Users") {
		names[u["id"]] = u["userName"].(string)
	}
	for _, g := range o.all(t, "/Groups") {
		if g["displayName"] != name {
			continue
		}
		list, _ := g["members"].([]any)
		for _, m := range list {
			members = append(members, names[m.(map[string]any)["value"]])
		}
		return members, true
	}
	return nil, false
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": "Bärbel " + login, "familyName": `"Jensen" ` + login}, "displayName": "B. " + login,
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"department": "Tours " + login},
	}
}

// TestLife runs the whole life of a user and a group through two servers.
func TestLife(t *testing.T) {
	app := start(t)
	g := exampletest.Start(t, exampletest.Env("OTHER_TOKEN="+token), exampletest.Swap("http://127.0.0.1:18090/scim/v2", app.base))
	exampletest.Life{
		Users: exampletest.Users{Person: person, Held: app.user,
			Loose: []string{"name.givenName", "name.familyName", "displayName", `emails[type eq "work"].value`, department}},
		Groups: &exampletest.Groups{Held: app.group},
	}.Run(t, g)
}
