package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// environment is what tests find in the environment.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"TOKEN": "token-from-the-environment", "ENTRA_TOKEN": "token-of-entra", "EMPTY": "",
		"ADMIN_TOKEN": "token-of-the-helpdesk", "OTHER_TOKEN": "another-token"}[name]
	return v, ok
}

// parseFile parses a file of testdata under its plain name, as messages show it.
func parseFile(t *testing.T, file string) (*Config, error) {
	t.Helper()
	t.Chdir(filepath.Dir(file))
	data, err := os.ReadFile(filepath.Base(file))
	if err != nil {
		t.Fatal(err)
	}
	return Parse(filepath.Base(file), data, environment)
}

// TestBad: every file of testdata/bad is refused, with exactly the output beside
// it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 45 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			_, err := parseFile(t, f)
			var ps Problems
			if !errors.As(err, &ps) || !ps.Broken() {
				t.Fatalf("no problem was found: %v", err)
			}
			out := ps.Error() + "\n" + ps.Summary() + "\n"
			golden(t, strings.TrimSuffix(filepath.Base(f), ".yaml")+".txt", []byte(out))
			for _, secret := range []string{"geheim", "very-secret", "very secret", "my-secret"} {
				if strings.Contains(out, secret) {
					t.Errorf("the output shows the secret %q", secret)
				}
			}
		})
	}
}

// TestGood: every file of testdata/good loads; the warnings are beside it.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d good files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			c, err := parseFile(t, f)
			if err != nil {
				t.Fatal(err)
			}
			out := c.Warnings().Error() + "\n"
			golden(t, strings.TrimSuffix(filepath.Base(f), ".yaml")+".warnings", []byte(out))
			for _, secret := range []string{"plain-token", "secret-of-okta", "token-of-entra"} {
				if strings.Contains(out, secret) || strings.Contains(fmt.Sprintf("%+v %#v", *c, *c), secret) {
					t.Errorf("the secret %q is shown", secret)
				}
			}
		})
	}
}

func TestComplete(t *testing.T) {
	c, err := parseFile(t, "testdata/good/complete.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	user, hr, archive := c.Resource("User"), c.Backend("hr"), c.Backend("archive")
	rule := func(i int) Rule { return user.Attributes[i] }
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"tenant", c.Tenant, "default"},
		{"base without slash", c.Gateway.BaseURL(), "https://scim.example.com/scim/v2"},
		{"certificate", c.Gateway.TLS.Certificate.Resolved, dir + "/server.pem"},
		{"one address", c.Gateway.Proxies[1].Value.String(), "192.0.2.7/32"},
		{"body", c.Gateway.Limits.Body.Value, int64(512 << 10)},
		{"filter", c.Gateway.Limits.Filter.Value, int64(4096)},
		{"time", c.Gateway.Limits.Time.Value, 90 * time.Second},
		{"time's place", [2]int{c.Gateway.Limits.Time.Line, c.Gateway.Limits.Time.Column}, [2]int{16, 11}},
		{"level", c.Gateway.Log.Level, Text{"debug", 17, 16}},
		{"identities", c.Identities.Reveal(), "sqlite:" + dir + "/state/ids.db?_busy_timeout=500"},
		{"T-09 token from the environment", c.Clients[0].Tokens[0].Hash, hashToken("token-of-entra")},
		{"hash in lower case", c.Clients[1].Tokens[0].Hash[:12], "sha256:b5bb9"},
		{"T-05 expiry", c.Clients[1].Tokens[1].Expires.Value.UTC().Hour(), 10},
		{"token from a file", c.Clients[1].Tokens[1].Hash, hashToken("prefix-secret-of-okta")},
		{"GW-07 ids", c.Clients[1].IDs.Value, "existing"},
		{"GW-10 secondary", c.Clients[0].Secondary.Value + " " + c.Clients[1].Secondary.Value, "follow redirect"},
		{"admins", c.Admins[0].Name.Value + " " + c.Admins[0].Scopes[0].Value + ", " + c.Admins[1].Scopes[0].Value, "helpdesk identities:read, identities:write"},
		{"token of an admin", c.Admins[0].Tokens[0].Hash, hashToken("token-of-the-helpdesk")},
		{"housekeeping", c.Housekeeping.Retire.Value, 720 * time.Hour},
		{"S-39 unknown", c.Clients[0].Unknown.Value + c.Clients[1].Unknown.Value, "rejectignore"},
		{"dsn", hr.SQL.DSN.Reveal(), "sqlite:" + dir + "/state/legacy.db"},
		{"init", hr.SQL.Init.Resolved, dir + "/legacy.sql"},
		{"cache", hr.Cache.Time.Value, 30 * time.Second},
		{"merged dsn", archive.SQL.DSN.Reveal(), hr.SQL.DSN.Reveal()},
		{"own key wins over merged", archive.Timeout.Value, time.Second},
		{"own block replaces merged", [2]any{archive.Breaker.Failures.Value, archive.Breaker.Open.Value}, [2]any{9, 10 * time.Second}},
		{"default concurrency", c.Backend("scratch").Concurrency.Value, 8},
		{"no cache", c.Backend("scratch").Cache.Time.Value, time.Duration(0)},
		{"folders", c.Folders(), []string{dir + "/state"}},
		{"S-03 type", c.Schemas[0].Attributes[1].Type.Value, "boolean"},
		{"S-03 mutability", c.Schemas[0].Attributes[1].Mutability.Value, "readWrite"},
		{"complex by its parts", c.Schemas[0].Attributes[3].Type.Value, "complex"},
		{"reference types", c.Schemas[0].Attributes[3].SubAttributes[1].ReferenceTypes[0].Value, "User"},
		{"schema by name", c.Schema("Badge").ID.Value, "urn:example:scim:schemas:Badge"},
		{"default endpoint", user.Endpoint.Value, "/Users"},
		{"default schema", user.SchemaURN, "urn:ietf:params:scim:schemas:core:2.0:User"},
		{"extension prefix", user.Extensions[0].Prefix, "enterprise"},
		{"own extension", user.Extensions[1].URN, "urn:example:scim:schemas:Badge"},
		{"extension required", user.Extensions[1].Required.Value, true},
		{"URN ignores case", c.Resource("Badge").SchemaURN, "urn:example:scim:schemas:Badge"},
		{"composite key", len(user.Target.Key), 2},
		{"generated false is set", [2]bool{user.Target.SQL.Generated.Set, user.Target.SQL.Generated.Value}, [2]bool{true, false}},
		{"generated unset", c.Resource("Robot").Target.SQL.Generated.Set, false},
		{"scope in one line", user.Target.Scope.Value, `record.kind != "builtin" && record.kind != "service"`},
		{"constants in order", user.Target.Constants[1].Field.Value + user.Target.Constants[1].Value.Value, "shift1"},
		{"options keep what depends on the type", user.Target.Options.Find("table").Value, "employee"},
		{"options leave out what does not", user.Target.Options.Find("scope") == nil, true},
		{"attributes in order", rule(3).Path.Value + rule(4).Path.Value, `emails[type eq "work"].valueemails[type eq "home"].value`},
		{"a quoted path", rule(3).Path, Text{`emails[type eq "work"].value`, 85, 7}},
		{"rename", rule(0).Name, Text{"login", 82, 17}},
		{"values", rule(1).Values[2], Coded{Text{"1", 83, 58}, Text{"true", 83, 61}}},
		{"empty default is a default", *rule(5).Default, Text{"", 87, 37}},
		{"no default", rule(0).Default == nil, true},
		{"required", rule(4).Required.Value, true},
		{"GW-34 type of its own", c.Resource("Badge").Endpoint.Value, "/Badges"},
		{"nobody", c.Resource("Nobody") == nil && c.Backend("x") == nil && c.Schema("x") == nil, true},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load("testdata/good/bare.yaml"); err != nil {
		t.Error(err)
	}
	if c, err := Load("testdata/nowhere.yaml"); err == nil || c != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestPartial: a broken configuration still shows what could be read, so that
// other rooms can find their problems in the same run.
func TestPartial(t *testing.T) {
	c, err := parseFile(t, "testdata/bad/attribute-unknown.yaml")
	if err == nil || c == nil || c.Resource("User").Attributes[0].Name.Value != "login" {
		t.Errorf("%v, %v", c, err)
	}
}

// TestByteOrderMark: editors on Windows write one, and CR before LF.
func TestByteOrderMark(t *testing.T) {
	data, err := os.ReadFile("testdata/bad/attribute-unknown.yaml")
	if err != nil {
		t.Fatal(err)
	}
	windows := "\uFEFF" + strings.ReplaceAll(string(data), "\n", "\r\n")
	_, plain := Parse("f.yaml", data, environment)
	_, marked := Parse("f.yaml", []byte(windows), environment)
	if plain == nil || marked == nil || plain.Error() != marked.Error() {
		t.Errorf("got\n%v\nwant\n%v", marked, plain)
	}
}

// TestAliasBomb: aliases must not unfold without end.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	_, err := Parse("bomb.yaml", []byte(b.String()), environment)
	if err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%.300v", err)
	}
}

func TestSetListen(t *testing.T) {
	for _, tt := range []struct{ address, want string }{
		{"127.0.0.1:9099", ""},
		{"localhost:0", ""},
		{"[::1]:8080", ""},
		{"192.0.2.1:80", "plain HTTP"},
		{"0.0.0.0:80", "plain HTTP"},
		{":80", "no address that clients can be told"},
		{"nowhere", "no address"},
		{"127.0.0.1:http", "no port"},
	} {
		c, err := parseFile(t, "testdata/good/bare.yaml")
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir("../..")
		err = c.SetListen(tt.address)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", tt.address, err)
		}
		if want := "http://" + tt.address + "/scim/v2"; err == nil && c.Gateway.BaseURL() != want {
			t.Errorf("base: got %s, want %s", c.Gateway.BaseURL(), want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("testdata/good/f.yaml", data, environment)
		if err == nil {
			if c == nil || len(c.Clients) == 0 || len(c.Resources) == 0 {
				t.Fatal("no error, and no configuration")
			}
			checkPlaces(t, data, c.Warnings())
			return
		}
		var ps Problems
		if !errors.As(err, &ps) || !ps.Broken() {
			t.Fatalf("%T without a problem", err)
		}
		checkPlaces(t, data, ps)
	})
}

// checkPlaces: every problem is shown at a place that exists.
func checkPlaces(t *testing.T, data []byte, ps Problems) {
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	for _, p := range ps {
		if p.Message == "" || p.Line > len(lines) || p.Line < 0 {
			t.Errorf("no such place: %+v", p)
		}
		if p.Line > 0 && (p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1) {
			t.Errorf("no such column: %+v", p)
		}
		if strings.Count(p.Error(), "\n") > 2 {
			t.Errorf("more than three lines: %q", p.Error())
		}
	}
}
