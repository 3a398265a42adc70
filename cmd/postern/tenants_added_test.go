package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
)

// withAdmins lets administrators at a configuration with tenants.
func withAdmins(yaml string) string {
	return strings.Replace(yaml, "tenants:\n", "admins:\n  root: {token: root-token, scopes: [tenants:write, identities:write]}\n  looker: {token: look-token, scopes: [tenants:read]}\n  desk: {token: desk-token, scopes: [identities:write]}\ntenants:\n", 1)
}

// ends runs postern with the rig's configuration while the server runs.
func (r *rig) ends(want int, args ...string) string {
	r.t.Helper()
	out := &bytes.Buffer{}
	m := &Main{Stdin: strings.NewReader(""), Stdout: out, Stderr: out}
	if status := m.Run(r.t.Context(), append(args, "--config", r.path("postern.yaml"))); status != want {
		r.t.Fatalf("postern %v ended with %d:\n%s", args, status, out)
	}
	_, _ = heard.Write(out.Bytes())
	return out.String()
}

// tenants runs postern tenants, and reads what it answers.
func (r *rig) tenants(args ...string) (t admin.Tenant) {
	r.t.Helper()
	out := r.ends(0, append(append([]string{"tenants"}, args...), "--json")...)
	if err := json.Unmarshal([]byte(out), &t); err != nil {
		r.t.Fatalf("%s: %v", out, err)
	}
	return t
}

// globexAdded is globex with a token that is known.
func globexAdded(r *rig, database string) {
	r.t.Helper()
	write(r.t, r.path("globex.yaml"), fmt.Sprintf("clients: {entra: {tokens: [{hash: %q}]}}\nparams: {database: %s}\nlimits: {pageMax: 7, page: 5}\n", auth.HashToken("globex-token"), database))
	r.tenants("add", "globex", "--file", r.path("globex.yaml"), "--why", "a new customer")
}

// onlyAcme takes globex out of the configuration.
func onlyAcme(yaml string) string {
	at, end := strings.Index(yaml, "  globex:\n"), strings.Index(yaml, "    limits: {pageMax: 7, page: 5}\n")
	return yaml[:at] + yaml[end+len("    limits: {pageMax: 7, page: 5}\n"):]
}

// TestTenantAtRunTime: Y-01, Y-02, Y-05: a tenant is added, changed and removed by
// command while the server runs, which follows at once.
func TestTenantAtRunTime(t *testing.T) {
	r := start(t, manyTenants, onlyAcme)
	unknown := r.with("no-token").do("GET", "/Users", "").want(401)
	made := r.tenants("add", "globex", "--client", "entra=entra", "--client", "okta", "--param", "database=globex", "--why", "new")
	token := made.Tokens["entra"][0]
	one := r.with(token).do("POST", "/Users", aUser("only.at.globex")).want(201)
	id := one.at("id").(string)
	r.with("acme-token").do("GET", "/Users/"+id, "").want(404)
	r.with("acme-token").do("GET", `/Users?filter=userName eq "only.at.globex"`, "").want(200).is("totalResults", "0")
	if other := r.with(made.Tokens["okta"][0]).do("GET", `/Users?filter=userName eq "only.at.globex"`, "").want(200); other.at("Resources.0.id") == id {
		t.Error("Y-05: two clients know one person by one id")
	}

	// A further token is good beside the first; then the others end at once.
	second := r.tenants("change", "globex", "--new-token", "entra", "--expires", "2099-01-31", "--why", "soon").Tokens["entra"][0]
	for _, good := range []string{token, second} {
		r.with(good).do("GET", "/Users/"+id, "").want(200)
	}
	third := r.tenants("change", "globex", "--revoke", "entra", "--why", "leaked").Tokens["entra"][0]
	for _, bad := range []string{token, second} {
		if s := same(unknown, r.with(bad).do("GET", "/Users", "")); s != "" {
			t.Errorf("Y-03: a token that was revoked: %s", s)
		}
	}

	// What a parameter says changes for the next request; so do limits.
	r.tenants("change", "globex", "--param", "database=elsewhere", "--why", "moved")
	r.with(third).do("GET", `/Users?filter=userName eq "only.at.globex"`, "").want(200).is("totalResults", "0")
	write(t, r.path("change.yaml"), "clients: {entra: {}, okta: {}}\nparams: {database: globex}\nlimits: {pageMax: 7, page: 5}\n")
	fourth := r.tenants("change", "globex", "--file", r.path("change.yaml"), "--new-token", "entra", "--why", "and back").Tokens["entra"][0]
	for _, good := range []string{third, fourth} {
		r.with(good).do("GET", "/Users/"+id, "").want(200)
	}
	r.with(third).do("GET", "/ServiceProviderConfig", "").want(200).is("filter.maxResults", "7")

	r.ends(0, "tenants", "remove", "globex", "--dry-run")
	r.with(third).do("GET", "/Users/"+id, "").want(200)
	r.ends(0, "tenants", "remove", "globex", "--why", "ended")
	if s := same(unknown, r.with(third).do("GET", "/Users", "")); s != "" {
		t.Errorf("Y-03: a tenant that was removed: %s", s)
	}
	again := r.tenants("add", "globex", "--client", "entra", "--param", "database=globex", "--why", "back").Tokens["entra"][0]
	r.with(again).do("GET", "/Users/"+id, "").want(200)
	r.ends(1, "tenants", "remove", "nobody", "--purge", "--why", "typing")
	r.ends(0, "tenants", "remove", "globex", "--purge", "--why", "for good")
	last := r.tenants("add", "globex", "--client", "entra", "--param", "database=globex", "--why", "back").Tokens["entra"][0]
	r.with(last).do("GET", "/Users/"+id, "").want(404)
	if n := r.with(last).do("GET", `/Users?filter=userName eq "only.at.globex"`, "").want(200); n.at("Resources.0.id") == id {
		t.Error("Y-04: an id was given again")
	}
	// A new start finds it, too, and nothing that was printed or kept is a token.
	r.stop()
	r.serve()
	r.with(last).do("GET", "/Users?count=1", "").want(200)
	for _, name := range []string{"state/postern.db", "state/postern.db-wal"} {
		b, _ := os.ReadFile(r.path(name))
		for _, tk := range []string{token, second, third, again, last} {
			if bytes.Contains(b, []byte(tk)) || strings.Contains(r.log.take(), tk) {
				t.Errorf("a token stands in %s, or in the log", name)
			}
		}
	}
}

// TestTenantKeepsGoodToken: beside a new token the one goes on that is good, though an
// expired one is younger.
func TestTenantKeepsGoodToken(t *testing.T) {
	r := start(t, manyTenants, onlyAcme)
	write(t, r.path("globex.yaml"), fmt.Sprintf("clients: {entra: {tokens: [{hash: %q}, {hash: %q, expires: 2020-01-01}]}}\nparams: {database: globex}\n",
		auth.HashToken("globex-token"), auth.HashToken("old-token")))
	r.tenants("add", "globex", "--file", r.path("globex.yaml"), "--why", "a new customer")
	fresh := r.tenants("change", "globex", "--new-token", "entra", "--why", "soon").Tokens["entra"][0]
	for _, good := range []string{"globex-token", fresh} {
		r.with(good).do("GET", "/Users?count=1", "").want(200)
	}
}

// TestTenantRefused: what cannot be said of a tenant, and that nothing is done then.
func TestTenantRefused(t *testing.T) {
	r := start(t, manyTenants, onlyAcme)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"change", "acme", "--param", "database=x"}, "stands in the configuration: change it there"},
		{[]string{"remove", "acme"}, "stands in the configuration"},
		{[]string{"add", "acme", "--client", "a"}, "stands in the configuration"},
		{[]string{"add", "globex", "--client", "a"}, `the parameter "database" is missing`},
		{[]string{"add", "globex", "--param", "database=x"}, "has no client"},
		{[]string{"add", "Globex", "--client", "a", "--param", "database=x"}, `the tenant name "Globex" is not possible`},
		{[]string{"add", "globex", "--client", "a", "--param", "database=../x"}, "cannot stand here"},
		{[]string{"add", "globex", "--client", "a", "--param", "database=x", "--param", "regoin=eu"}, `nothing uses the parameter "regoin"`},
		{[]string{"add", "globex", "--client", "a", "--secret", "database=hush"}, "must say where it is"},
		{[]string{"add", "globex", "--client", "a", "--secret", "database=${file:/etc/passwd}"}, "is not for tenants"},
		{[]string{"add", "globex", "--client", "a=nonsense", "--param", "database=x"}, `"nonsense" is not possible`},
		{[]string{"add", "globex", "--client", "a", "--param", "database=x", "--expires", "2020-01-01"}, "would be of no use"},
		{[]string{"change", "globex", "--new-token", "entra", "--expires", "2020-01-01"}, "would be of no use"},
		{[]string{"change", "globex", "--param", "database=x"}, `There is no tenant "globex"`},
		{[]string{"show", "globex"}, `There is no tenant "globex"`},
	} {
		args := append([]string{"tenants"}, c.args...)
		if c.args[0] != "show" {
			args = append(args, "--why", "x")
		}
		if out := r.ends(1, args...); !strings.Contains(out, c.want) || strings.Contains(out, "hush") {
			t.Errorf("%v: %s", c.args, out)
		}
	}
	if out := r.ends(0, "tenants", "list"); strings.Contains(out, "globex") || !strings.Contains(out, "acme") {
		t.Error(out)
	}
	r.ends(2, "tenants", "add", "globex", "--client", "a", "--param", "database=x") // why?
	globexAdded(r, "globex")
	for _, args := range [][]string{{"show", ""}, {"remove", "", "--why", "x"}, {"remove", "", "--purge", "--why", "x"}} {
		if out := r.ends(1, append([]string{"tenants"}, args...)...); !strings.Contains(out, `There is no tenant ""`) {
			t.Errorf("%q: %s", args, out)
		}
	}
	write(t, r.path("other.yaml"), fmt.Sprintf("clients: {entra: {tokens: [{hash: %q}]}}\nparams: {database: other}\n", auth.HashToken("globex-token")))
	if out := r.ends(1, "tenants", "add", "other", "--file", r.path("other.yaml"), "--why", "x"); !strings.Contains(out, "another tenant's") {
		t.Error(out)
	}
	single := start(t)
	if out := single.ends(1, "tenants", "add", "globex", "--client", "a", "--why", "x"); !strings.Contains(out, "tenants: {}") {
		t.Error(out)
	}
}

// TestSecretOfTenant: a backend's secret is where the tenant says, is found anew when
// it was missing, and stands in no output.
func TestSecretOfTenant(t *testing.T) {
	r := start(t, manyTenants, onlyAcme, withAdmins)
	if err := os.Mkdir(r.path("tenants"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, r.path("tenants/globex"), "very-hidden\n")
	token := r.tenants("add", "globex", "--client", "entra", "--secret", "database=${file:tenants/globex}", "--why", "x").Tokens["entra"][0]
	if err := os.Remove(r.path("tenants/globex")); err != nil {
		t.Fatal(err)
	}
	r.with(token).do("GET", "/Users?count=1", "").want(503)
	write(t, r.path("tenants/globex"), "very-hidden\n")
	r.with(token).do("GET", "/Users?count=1", "").want(200)
	shown := r.ends(0, "tenants", "show", "globex") + r.ends(0, "tenants", "list", "--json") + r.log.take()
	_, body := r.administer("root-token", "GET", "/v1/tenants/globex", "")
	if shown += body; strings.Contains(shown, "very-hidden") || !strings.Contains(shown, "${file:tenants/globex}") {
		t.Error(shown)
	}
	if _, err := os.Stat(r.path("state/very-hidden.db")); err != nil {
		t.Error(err)
	}
}

// administer sends a request to the admin API.
func (r *rig) administer(token, method, path, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.admin+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestTokenIsShownThough: a token is in the table once a tenant is, and so is shown
// though whoever asked is interrupted before all nodes have noticed.
func TestTokenIsShownThough(t *testing.T) {
	r := start(t, manyTenants, onlyAcme)
	cfg, mappings, err := load(r.path("postern.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := identity.Open(t.Context(), cfg.Identities.Reveal(), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ids.Close() //nolint:errcheck // a test
	interrupted := func(context.Context) error { return context.Canceled }
	g := registry{cfg: cfg, mappings: mappings, ids: ids, changed: interrupted, compiling: func(do func() error) error { return do() }}
	said := identity.TenantSettings{Clients: map[string]identity.TenantClient{"entra": {}}, Params: map[string]string{"database": "globex"}}
	made, err := g.Add(t.Context(), "globex", said, identity.Reason{Who: "a", Why: "b"})
	if err != nil || len(made.Tokens["entra"]) != 1 {
		t.Errorf("%+v, %v", made, err)
	}
	if _, err := g.Change(t.Context(), "globex", 0, said, identity.Reason{Who: "a", Why: "b"}); err == nil {
		t.Error("a change that is not in force, and makes no token, is no success")
	}
}

// TestTenantsByAPI: the same over the admin API, with its scopes; the answer to a
// change comes when the change is in force.
func TestTenantsByAPI(t *testing.T) {
	r := start(t, manyTenants, onlyAcme, withAdmins)
	ask := func(want int, token, method, path, body string) map[string]any {
		t.Helper()
		status, text := r.administer(token, method, path, body)
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil || status != want {
			t.Fatalf("%s %s as %s: %d %s (%v)", method, path, token, status, text, err)
		}
		return v
	}
	const globex = `{"name": "globex", "why": "new", "settings": {"clients": {"entra": {"profile": "entra"}}, "params": {"database": "globex"}}`
	ask(403, "look-token", "POST", "/v1/tenants", globex+"}")
	ask(403, "desk-token", "GET", "/v1/tenants", "")
	ask(400, "root-token", "POST", "/v1/tenants", strings.Replace(globex, "database", "databse", 1)+"}")
	ask(400, "root-token", "POST", "/v1/tenants", strings.Replace(globex, `"why": "new", `, "", 1)+"}")
	ask(400, "root-token", "POST", "/v1/tenants", globex+`, "more": 1}`)
	ask(409, "root-token", "POST", "/v1/tenants", strings.Replace(globex, "globex", "acme", 1)+"}")
	if v := ask(200, "root-token", "POST", "/v1/tenants", globex+`, "dryRun": true}`); v["tokens"] != nil {
		t.Errorf("a dry run gives tokens: %v", v)
	}
	ask(404, "look-token", "GET", "/v1/tenants/globex", "")
	v := ask(201, "root-token", "POST", "/v1/tenants", globex+"}")
	token := v["tokens"].(map[string]any)["entra"].([]any)[0].(string)
	id := r.with(token).do("POST", "/Users", aUser("only.at.globex")).want(201).at("id").(string)
	ask(409, "root-token", "POST", "/v1/tenants", globex+"}")
	v = ask(200, "look-token", "GET", "/v1/tenants", "")
	if all := v["tenants"].([]any); len(all) != 2 || strings.Contains(fmt.Sprint(v), token) {
		t.Errorf("tenants %v", v)
	}
	const change = `{"why": "slower", "settings": {"clients": {"entra": {}}, "params": {"database": "globex"}, "limits": {"page": 3}}`
	ask(409, "root-token", "PUT", "/v1/tenants/globex", change+`, "version": 9}`)
	ask(404, "root-token", "PUT", "/v1/tenants/nobody", change+"}")
	ask(409, "root-token", "PUT", "/v1/tenants/acme", change+"}")
	ask(200, "root-token", "PUT", "/v1/tenants/globex", change+`, "version": 1}`)
	r.with(token).do("GET", "/Users", "").want(200).is("itemsPerPage", "3")

	// Identities are those of one tenant.
	ask(400, "desk-token", "GET", "/v1/identities", "")
	ask(404, "desk-token", "GET", "/v1/identities?tenant=nobody", "")
	ask(200, "desk-token", "GET", "/v1/identities/"+id+"?tenant=globex", "")
	ask(404, "desk-token", "GET", "/v1/identities/"+id+"?tenant=acme", "")
	ask(200, "desk-token", "POST", "/v1/maintenance?tenant=globex", `{"mode": "writes", "why": "x"}`)
	if v := ask(200, "desk-token", "GET", "/v1/maintenance", ""); v["mode"] != "off" {
		t.Errorf("maintenance of all: %v", v)
	}

	ask(400, "root-token", "DELETE", "/v1/tenants/globex", "")
	ask(200, "root-token", "DELETE", "/v1/tenants/globex?why=x&dryRun=true", "")
	ask(400, "root-token", "DELETE", "/v1/tenants/globex?why=x&dryrun=true", "")
	ask(409, "root-token", "DELETE", "/v1/tenants/acme?why=x", "")
	r.with(token).do("GET", "/Users", "").want(200)
	ask(200, "root-token", "DELETE", "/v1/tenants/globex?why=ended", "")
	r.with(token).do("GET", "/Users", "").want(401)
	ask(404, "root-token", "DELETE", "/v1/tenants/globex?why=ended", "")
	if v := ask(200, "root-token", "DELETE", "/v1/tenants/globex?why=ended&purge=true", ""); v["purged"].(map[string]any)["identities"] == 0.0 {
		t.Errorf("purged %v", v)
	}
	if log := r.log.take(); strings.Contains(log, token) || strings.Contains(log, id) {
		t.Error("the log holds a token, or an id")
	}
	alone := start(t, func(yaml string) string {
		return strings.Replace(yaml, "clients:\n", "admins: {root: {token: root-token, scopes: [tenants:write]}}\nclients:\n", 1)
	})
	if status, body := alone.administer("root-token", "GET", "/v1/tenants", ""); status != 501 {
		t.Errorf("%d %s", status, body)
	}
}

// TestTenantOnEveryNode: Y-02: a tenant that one node adds, changes or removes is so on
// another one too, which is told by PostgreSQL.
func TestTenantOnEveryNode(t *testing.T) {
	if testing.Short() {
		t.Skip("processes")
	}
	r := prepare(t, manyTenants, onlyAcme, withAdmins, func(yaml string) string {
		edited, _ := shared(t, yaml)
		return edited
	})
	other := rig{t: t, dir: r.dir}
	other.fork()
	r.serve()
	hears := func(token string, status int) {
		t.Helper()
		began := time.Now()
		for {
			got := sendPlain(t, &other, token, "GET", "/Users?count=1", "").status
			if got == status {
				t.Logf("the other node answers %d after %v", status, time.Since(began).Round(time.Millisecond))
				return
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("the other node answers %d, want %d", got, status)
			}
			time.Sleep(time.Millisecond)
		}
	}
	_, body := r.administer("root-token", "POST", "/v1/tenants", `{"name": "globex", "why": "new", "settings": {"clients": {"entra": {}}, "params": {"database": "globex"}}}`)
	var made admin.Tenant
	if err := json.Unmarshal([]byte(body), &made); err != nil || len(made.Tokens["entra"]) != 1 {
		t.Fatal(body, err)
	}
	first := made.Tokens["entra"][0]
	hears(first, 200)
	id := r.with(first).do("GET", "/Users?count=1", "").want(200).at("Resources.0.id").(string)
	if got := sendPlain(t, &other, first, "GET", "/Users/"+id, ""); got.status != 200 {
		t.Errorf("an id of one node at the other: %d", got.status)
	}
	second := r.tenants("change", "globex", "--revoke", "entra", "--why", "leaked").Tokens["entra"][0]
	hears(second, 200)
	hears(first, 401)
	r.with(first).do("GET", "/Users", "").want(401)
	r.ends(0, "tenants", "remove", "globex", "--why", "ended")
	hears(second, 401)
}
