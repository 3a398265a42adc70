package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const addedTo = `
identities: sqlite:ids.db
params: {region: eu}
admins: {root: {tokens: [{hash: "sha256:00000000000000000000000000000000000000000000000000000000000000aa"}]}}
gateway: {admin: 127.0.0.1:8081, limits: {page: 9, pageMax: 90}}
tenants:
  globex: {clients: {entra: {tokens: [{hash: "sha256:00000000000000000000000000000000000000000000000000000000000000bb"}]}}, params: {database: g, password: p}}
backends:
  hr: {type: sql, dsn: "sqlite:${param:database}.db"}
  api: {type: rest, url: "https://example.com/${param:region}", headers: {Authorization: "${param:password}"}}
resources:
  User:
    target: {backend: hr, table: t, key: k, generated: true}
    attributes: {userName: login}
`

const someToken = `tokens: [{hash: "sha256:00000000000000000000000000000000000000000000000000000000000000cc"}]`

// TestAddedTenant: what can be said of a tenant at run time, and what comes of it.
func TestAddedTenant(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tenants"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tenants", "acme"), []byte("of a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(filepath.Join(dir, "postern.yaml"), []byte(addedTo), func(name string) (string, bool) { return "of " + name, true })
	if err != nil {
		t.Fatal(err)
	}
	added, err := c.AddedTenant("acme", "tenant acme", []byte(`{"clients": {"entra": {`+strings.Replace(someToken, "tokens", `"tokens"`, 1)+`}},
		"params": {"database": "acme"}, "secrets": {"password": "${file:tenants/acme}"}, "limits": {"page": 5}}`))
	if err != nil {
		t.Fatal(err)
	}
	own, err := c.For(added)
	if err != nil {
		t.Fatal(err)
	}
	if got := own.Values; got["database"] != "acme" || got["password"] != "of a file" || got["region"] != "eu" {
		t.Errorf("values %v", got)
	}
	if own.Tenant != "acme" || len(own.Clients) != 1 || !strings.HasSuffix(own.Backend("hr").SQL.DSN.Reveal(), "/acme.db") || own.Gateway.Limits.Page.Value != 5 || own.Gateway.Limits.PageMax.Value != 90 {
		t.Errorf("%+v", own)
	}
	for said, want := range map[string]string{
		"{}":                          `needs the key "clients"`,
		"[]":                          "must be a block of keys",
		"clients: {}":                 "has no client",
		"clients: {a: {token: hush}}": "hashes of tokens, and no tokens",
		`clients: {a: {tokens: [{token: "${env:X}"}]}}`:                                                  "hashes of tokens, and no tokens",
		"clients: {a: {" + someToken + "}}\nparams: {databse: x}":                                        `did you mean "database"?`,
		"clients: {a: {" + someToken + "}}\nparams: {database: \"${file:/etc/passwd}\"}":                 "put it under secrets",
		"clients: {a: {" + someToken + "}}\nparams: {database: \"a$${b}\"}":                              "put it under secrets",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: hush}":                                   "must say where it is",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${command:id}\"}":                      "must say where it is",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"x${env:TENANT_A}\"}":                   "must say where it is",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${param:region}\"}":                    "must say where it is",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${env:HOME}\"}":                        "is not for tenants",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${file:/etc/passwd}\"}":                "is not for tenants",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${file:tenants/../x}\"}":               "is not for tenants",
		"clients: {a: {" + someToken + "}}\nsecrets: {password: \"${file:tenants/nobody}\"}":             "there is no file",
		"clients: {a: {" + someToken + "}}\nsecrets: [a]":                                                "must be a block of names",
		"clients: {a: {" + someToken + "}}\nparams: {region: x}\nsecrets: {region: \"${env:TENANT_A}\"}": "is in params and in secrets",
		"clients: {a: {" + someToken + "}, b: {" + someToken + "}}":                                      "somebody else's",
		"clients: {a: {" + strings.Replace(someToken, "00cc", "00aa", 1) + "}}":                          "somebody else's",
		"clients: {a: {" + strings.Replace(someToken, "00cc", "00bb", 1) + "}}":                          "somebody else's",
		"clients: {a: {" + someToken + "}}\nlimits: {pagemax: 7}":                                        `did you mean "pageMax"?`,
	} {
		_, err := c.AddedTenant("acme", "tenant acme", []byte(said))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant: %s", said, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	made := filepath.Join(dir, "made")
	for _, said := range []string{"params: {database: \"${command:touch " + made + "}\"}", "secrets: {database: \"${command:touch " + made + "}\"}", "clients: {a: {token: \"${command:touch " + made + "}\"}}",
		"clients: {a: {tokens: [{hash: \"${command:touch " + made + "}\"}]}}", "clients: {a: {profile: \"${command:touch " + made + "}\"}}", "rate: \"${command:touch " + made + "}\""} {
		_, err := c.AddedTenant("acme", "tenant", []byte(said))
		_, draft := c.TenantDraft("acme", "tenant", []byte(said))
		if _, ran := os.Stat(made); ran == nil || err == nil || draft == nil {
			t.Fatalf("%s: a program was run, or nothing is wrong with it: %v, %v", said, err, draft)
		}
	}
	for _, name := range []string{"", "-", "A", "a.b", "a/b", "a_b", strings.Repeat("a", 64)} {
		if _, err := c.AddedTenant(name, "tenant", []byte("clients: {a: {"+someToken+"}}")); err == nil {
			t.Errorf("the name %q", name)
		}
	}
}

// TestTenantDraft: what somebody writes need not have tokens, and may have hashes as
// they are shown; mistakes have their place.
func TestTenantDraft(t *testing.T) {
	c, err := Parse("postern.yaml", []byte(addedTo), func(string) (string, bool) { return "x", true })
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.TenantDraft("acme", "acme.yaml", []byte("clients:\n  entra: {rate: {reads: 5}}\n  okta: {tokens: [{expires: 2099-01-31}, {hash: \"sha256:0123456789ab…\"}]}\nparams: {database: 007}\nlimits: {page: 3}\n"))
	const want = `{"clients":{"entra":{"rate":{"reads":5}},"okta":{"tokens":[{"expires":"2099-01-31"},{"hash":"sha256:0123456789ab…"}]}},"limits":{"page":3},"params":{"database":"007"}}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	_, err = c.TenantDraft("acme", "acme.yaml", []byte("clients: {entra: {}}\nparams:\n  databse: x\n"))
	if err == nil || !strings.Contains(err.Error(), "acme.yaml:3:3: nothing uses the parameter") {
		t.Error(err)
	}
}

// FuzzAddedTenant: whatever is said of a tenant, it is a tenant or problems, shown
// without what may be secret; and what is taken as a draft is JSON.
func FuzzAddedTenant(f *testing.F) {
	for _, s := range []string{"{}", "[]", "clients: {a: {" + someToken + "}}\nparams: {database: x}\nsecrets: {password: \"${env:TENANT_A}\"}\nlimits: {page: 5}",
		"clients: [a]\nsecrets: 5\nparams: ~", "clients: &a {b: *a}", `{"clients": {"a": {"tokens": [{}, 5, null]}}}`, "clients: {a: {token: {b: c}}}\nsecrets: {a: [b]}", "\x00", "a: b: c"} {
		f.Add(s)
	}
	c, err := Parse("postern.yaml", []byte(addedTo), func(name string) (string, bool) { return "of " + name, true })
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said string) {
		added, err := c.AddedTenant("acme", "tenant", []byte(said))
		if (added == nil) != (err != nil) {
			t.Fatalf("%v, %v", added, err)
		}
		if err != nil {
			_ = err.Error()
		} else if own, err := c.For(added); err == nil && own.Tenant != "acme" {
			t.Fatal(own.Tenant)
		}
		if draft, err := c.TenantDraft("acme", "tenant", []byte(said)); err == nil && !json.Valid(draft) {
			t.Fatalf("%s", draft)
		}
	})
}

// TestParamsInSteps: whether a backend can be shared is found wherever its targets
// stand; what rules say does not count.
func TestParamsInSteps(t *testing.T) {
	const head = `
identities: sqlite:ids.db
tenants: {acme: {clients: {a: {token: a}}, params: {x: y}}}
backends: {one: {type: rest, url: "https://one.example"}, two: {type: rest, url: "https://two.example"}}
resources:
  User:
`
	for target, want := range map[string][2]bool{
		`    target: {backend: one, key: id, scope: record.x == params.x, list: {get: /l, records: body}}`:                                            {},
		`    target: {backend: one, key: id, list: {get: "/{params.x}", records: body}}`:                                                              {true, false},
		`    target: {backend: two, key: id, list: {get: /l, records: body, query: {t: tenant}}}`:                                                     {false, true},
		"    target: {backend: one, key: id, list: {get: /l, records: body}}\n    parts: {m: {target: {backend: two, key: id, read: {a: params.x}}}}": {false, true},
		"    target: {backend: one, key: id, list: {get: /l, records: body}}\n    places: {m: {backend: two, key: id, list: {get: \"/{tenant}\"}}}":   {false, true},
	} {
		c, _ := Parse("postern.yaml", []byte(head+target+"\n    attributes: {userName: login, title: {in: params.x}}\n"), func(string) (string, bool) { return "", false })
		if c == nil {
			t.Fatal(target)
		}
		if got := [2]bool{c.ParamsInSteps("one"), c.ParamsInSteps("two")}; got != want {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
	// Where there is one backend, nobody need say which.
	alone := strings.Replace(head, `, two: {type: rest, url: "https://two.example"}`, "", 1)
	for target, want := range map[string]bool{
		`    target: {key: id, scope: record.x == params.x, list: {get: /l, records: body}}`:                                   false,
		`    target: {key: id, list: {get: "/{params.x}", records: body}}`:                                                     true,
		"    target: {key: id, list: {get: /l, records: body}}\n    parts: {m: {target: {key: id, read: {a: params.x}}}}":      true,
		"    target: {key: id, list: {get: /l, records: body}}\n    places: {m: {when: \"true\", list: {get: \"/{tenant}\"}}}": true,
	} {
		c, _ := Parse("postern.yaml", []byte(alone+target+"\n    attributes: {userName: login, title: {in: params.x}}\n"), func(string) (string, bool) { return "", false })
		if got := c.ParamsInSteps("one"); got != want {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
}

// TestSecretOfTenantInMessages: a secret that stands in a setting which is no secret is
// in no message: of the file, of a tenant of it, and of one that was added.
func TestSecretOfTenantInMessages(t *testing.T) {
	env := func(string) (string, bool) { return `hush "hush`, true }
	const file = `
identities: sqlite:ids.db
tenants: {acme: {clients: {a: {token: a}}, params: {x: "https://ok.example", y: 5s, z: ok}}}
backends: {one: {type: rest, url: "${param:x}", timeout: "${param:y}", headers: {X: "${param:z}"}}, two: {type: rest, url: "http://${param:z}:80"}}
resources: {User: {target: {backend: one, key: id, list: {get: /l, records: body}}, attributes: {userName: login}}}
`
	c, err := Parse("postern.yaml", []byte(file), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "y", "z"} {
		params := map[string]string{"x": "https://ok.example", "y": "5s", "z": "ok"}
		delete(params, name)
		said, _ := json.Marshal(map[string]any{"clients": map[string]any{"a": json.RawMessage(`{"tokens": [{"hash": "sha256:00000000000000000000000000000000000000000000000000000000000000cc"}]}`)},
			"params": params, "secrets": map[string]string{name: "${env:TENANT_X}"}})
		added, err := c.AddedTenant("globex", "globex", said)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.For(added); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "[secret]") {
			t.Errorf("added, %s: %v", name, err)
		}
		value := map[string]string{"x": `"https://ok.example"`, "y": "5s", "z": "ok"}[name]
		first := strings.Replace(file, name+": "+value, name+`: "${env:X}"`, 1)
		second := strings.Replace(file, "}}}\nbackends", "}}, globex: {clients: {b: {token: b}}, params: "+strings.Replace(`{x: "https://ok.example", y: 5s, z: ok}`, name+": "+value, name+`: "${env:X}"`, 1)+"}}\nbackends", 1)
		for _, text := range []string{first, second} {
			if _, err = Parse("postern.yaml", []byte(text), env); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "[secret]") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

// TestParamInOptions: what a tenant says is one value of one option of a database, and
// says nothing further to it, though it would be escaped.
func TestParamInOptions(t *testing.T) {
	for dsn, bad := range map[string]string{
		`postgres://u:p@db/app?options=-csearch_path%3D${param:x}`: "acme -crole=admin",
		`postgres://u:p@db/app?search_path=${param:x}`:             "acme,globex",
		`mysql://u:p@db/app?sql_mode=${param:x}`:                   "a,b",
	} {
		for value, good := range map[string]bool{"acme_1": true, bad: false} {
			_, err := Parse("postern.yaml", []byte(`
identities: sqlite:ids.db
params: {x: `+quoted(value)+`}
clients: {a: {token: a}}
backends: {one: {type: sql, dsn: "`+dsn+`"}}
resources: {User: {target: {backend: one, table: t, key: k, generated: true}, attributes: {userName: login}}}
`), func(string) (string, bool) { return "", false })
			if (err == nil) != good {
				t.Errorf("%s, %s: %v", dsn, value, err)
			}
		}
	}
}
