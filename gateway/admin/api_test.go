package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

// A desk is the API over a real mapping table, without backends.
type desk struct {
	t   *testing.T
	ids *identity.Store
	url string
	log *bytes.Buffer
}

var domain = identity.Domain{Tenant: "t", Client: "entra"}

func newDesk(t *testing.T) *desk {
	t.Helper()
	ids, err := identity.Open(t.Context(), filepath.Join(t.TempDir(), "ids.db"), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ids.Close() })
	admin := func(name string, scopes ...string) auth.Client {
		return auth.Client{Principal: auth.Principal{Caller: provision.Caller{Tenant: "t", Client: name}, Scopes: scopes},
			Tokens: []auth.Token{{Hash: auth.HashToken(name)}}}
	}
	bearer, err := auth.NewBearer("admin", []auth.Client{admin("reader", ScopeRead), admin("writer", ScopeWrite), admin("nobody"),
		admin("tenants", ScopeTenantsRead), admin("landlord", ScopeTenantsWrite)}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ids: ids, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(d.log, nil))
	svc := provision.New(provision.Options{IDs: ids, Log: log})
	srv := httptest.NewServer(New(Options{Logger: log, API: &API{
		Identities: svc.Identities("t", []provision.Caller{{Tenant: "t", Client: "entra"}, {Tenant: "t", Client: "okta"}}), Authenticator: bearer}}))
	t.Cleanup(srv.Close)
	d.url = srv.URL
	return d
}

// key is a backend's key, which no log line may hold.
func key(n int) string { return fmt.Sprintf("KEY-%d", n) }

func (d *desk) user(n int) string {
	d.t.Helper()
	e, err := d.ids.Ensure(context.Background(), domain, []identity.Link{{Type: "User", Backend: "hr", Key: key(n)}})
	if err != nil {
		d.t.Fatal(err)
	}
	return e[0].ID
}

func (d *desk) do(token, method, path, body string) (int, http.Header, map[string]any) {
	d.t.Helper()
	req, err := http.NewRequest(method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	var v map[string]any
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(b, &v); err != nil {
			d.t.Fatalf("%s: %v", b, err)
		}
	}
	if res.StatusCode >= 400 && (res.Header.Get("Content-Type") != "application/problem+json" || v["detail"] == "" || v["status"] != float64(res.StatusCode)) {
		d.t.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	return res.StatusCode, res.Header, v
}

// TestScopes: every route but the description asks for a token, and for its scope.
func TestScopes(t *testing.T) {
	d := newDesk(t)
	for _, r := range routes() {
		path := strings.NewReplacer("{id}", "x", "{nr}", "1").Replace(r.path)
		for token, allowed := range map[string]bool{"": false, "wrong": false, "nobody": false, "reader": r.scope == ScopeRead, "writer": r.scope == ScopeRead || r.scope == ScopeWrite,
			"tenants": r.scope == ScopeTenantsRead, "landlord": r.scope == ScopeTenantsRead || r.scope == ScopeTenantsWrite} {
			body := ""
			if r.method == http.MethodPost {
				body = "{}"
			}
			status, h, _ := d.do(token, r.method, path, body)
			refused := status == 401 || status == 403
			if refused == (allowed || r.scope == "") {
				t.Errorf("%s %s with %q: %d", r.method, r.path, token, status)
			}
			if refused && h.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with %q: no challenge", r.method, r.path, token)
			}
			if want := 403; token != "" && token != "wrong" && refused && status != want {
				t.Errorf("%s %s with %q: %d, want %d", r.method, r.path, token, status, want)
			}
		}
	}
}

func TestMergeSplitUndo(t *testing.T) {
	d := newDesk(t)
	a, b := d.user(1), d.user(2)
	merge := fmt.Sprintf(`{"keep":%q,"drop":[%q],"why":"one person"`, a, b)
	if status, _, v := d.do("writer", "POST", "/v1/merge", merge+`,"dryRun":true}`); status != 200 || v["move"].(map[string]any)["nr"] != 0.0 {
		t.Fatalf("dry run: %d %v", status, v)
	}
	status, _, v := d.do("writer", "POST", "/v1/merge", merge+`}`)
	move := v["move"].(map[string]any)
	if status != 200 || move["nr"] != 1.0 || move["who"] != "writer (admin API)" || move["why"] != "one person" || len(v["failed"].([]any)) != 0 {
		t.Fatalf("merge: %d %v", status, v)
	}
	_, _, v = d.do("reader", "GET", "/v1/identities/"+b, "")
	if len(v["links"].([]any)) != 2 || len(v["externalIds"].([]any)) != 2 {
		t.Errorf("show: %v", v)
	}
	_, _, v = d.do("reader", "GET", "/v1/pending?client=entra", "")
	if p := v["pending"].([]any); len(p) != 1 || p[0].(map[string]any)["id"] != b || p[0].(map[string]any)["primary"] != a {
		t.Errorf("pending: %v", v)
	}
	_, h, v := d.do("reader", "GET", "/v1/identities/"+a+"/federation", "")
	linked := v["urn:ietf:params:scim:schemas:extension:federation:2.0:User"].(map[string]any)["linkedUsers"].([]any)
	if len(linked) != 2 || linked[1].(map[string]any)["deletionRequired"] != true || h.Get("Content-Type") != "application/scim+json" {
		t.Errorf("GW-11: %v", v)
	}
	if status, _, v = d.do("writer", "POST", "/v1/moves/1/undo", `{"why":"two after all"}`); status != 200 || len(v["after"].([]any)) != 2 {
		t.Errorf("undo: %d %v", status, v)
	}
	if status, _, _ = d.do("writer", "POST", "/v1/moves/1/undo", `{"why":"again"}`); status != 409 {
		t.Errorf("undone twice: %d", status)
	}
	d.do("writer", "POST", "/v1/merge", merge+`}`)
	if status, _, v = d.do("writer", "POST", "/v1/identities/"+a+"/split", fmt.Sprintf(`{"why":"two","links":[{"backend":"hr","key":%q}]}`, key(2))); status != 200 {
		t.Fatalf("split: %d %v", status, v)
	}
	split := v["after"].([]any)[1].(map[string]any)["id"].(string)
	if status, _, v = d.do("writer", "POST", "/v1/identities/"+split+"/release", `{"why":"now","client":"okta"}`); status != 200 || len(v["externalIds"].([]any)) != 1 {
		t.Errorf("release: %d %v", status, v)
	}
	if status, _, v = d.do("writer", "POST", "/v1/retire", `{"why":"enough"}`); status != 200 || len(v["pending"].([]any)) != 1 {
		t.Errorf("retire: %d %v", status, v)
	}
	_, _, v = d.do("reader", "GET", "/v1/moves?limit=2", "")
	if len(v["moves"].([]any)) != 2 || v["next"] == nil {
		t.Errorf("moves: %v", v)
	}
	_, _, v = d.do("reader", "GET", fmt.Sprintf("/v1/moves?limit=9&before=%v", v["next"]), "")
	if len(v["moves"].([]any)) != 3 || v["next"] != nil {
		t.Errorf("moves, second page: %v", v)
	}
	_, _, v = d.do("reader", "GET", "/v1/identities/"+split+"/moves", "")
	if len(v["moves"].([]any)) != 2 {
		t.Errorf("moves of one: %v", v)
	}
	if log := d.log.String(); strings.Contains(log, "KEY-") || strings.Contains(log, a) || !strings.Contains(log, "admin=writer") {
		t.Errorf("log: %s", log)
	}
}

func TestPages(t *testing.T) {
	d := newDesk(t)
	for n := range 5 {
		d.user(n)
	}
	seen, after := 0, ""
	for pages := 1; ; pages++ {
		_, _, v := d.do("reader", "GET", "/v1/identities?limit=2&after="+after, "")
		seen += len(v["identities"].([]any))
		next, more := v["next"].(string)
		if !more {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		after = next
	}
	if seen != 5 {
		t.Errorf("%d listed", seen)
	}
}

func TestBadRequests(t *testing.T) {
	d := newDesk(t)
	a, b := d.user(1), d.user(2)
	cases := []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/merge", `{"keep":"` + a + `","drop":["` + b + `"],"why":"x","dryrunn":true}`, 400},
		{"POST", "/v1/merge", `{"keep":"` + a + `","drop":["` + b + `"]}`, 400},
		{"POST", "/v1/merge", `{"keep":"` + a + `","why":"x"}`, 400},
		{"POST", "/v1/merge", `{} {}`, 400},
		{"POST", "/v1/merge", `[`, 400},
		{"POST", "/v1/merge", `{"keep":1}`, 400},
		{"POST", "/v1/merge", "", 415},
		{"POST", "/v1/merge", `{"keep":"` + a + `","drop":["nobody"],"why":"x"}`, 404},
		{"POST", "/v1/merge", `{"why":"` + strings.Repeat("x", mostBody) + `"}`, 413},
		{"GET", "/v1/identities/nobody", "", 404},
		{"GET", "/v1/identities/%2e%2e%2f", "", 404},
		{"GET", "/v1/identities?limit=x", "", 400},
		{"GET", "/v1/identities?limit=1001", "", 400},
		{"GET", "/v1/identities?type=Robot", "", 400},
		{"GET", "/v1/pending?older=week", "", 400},
		{"GET", "/v1/pending?client=x", "", 400},
		{"POST", "/v1/moves/0/undo", `{"why":"x"}`, 404},
		{"POST", "/v1/moves/x/undo", `{"why":"x"}`, 404},
		{"POST", "/v1/retire", `{}`, 400},
		{"POST", "/v1/identities/" + a + "/split", `{"why":"x"}`, 409},
		{"POST", "/v1/identities/" + a + "/release", `{"why":"x"}`, 400},
		{"POST", "/v1/rekey", `{"why":"x","type":"User"}`, 400},
		{"POST", "/v1/rekey", `{"why":"x","type":"User","correlate":true}`, 400},
		{"POST", "/v1/scans", `{"type":"User"}`, 501},
		{"GET", "/v1/scans/7", "", 404},
	}
	for _, c := range cases {
		if status, _, v := d.do("writer", c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %.80s: %d, want %d: %v", c.method, c.path, c.body, status, c.status, v)
		}
	}
	if m, err := d.ids.Moves(t.Context(), "t", "", 0, 1); err != nil || len(m) != 0 {
		t.Errorf("a bad request moved something: %v, %v", m, err)
	}
}

// TestOneScanAtATime: a second scan of the same type is refused while one runs.
func TestOneScanAtATime(t *testing.T) {
	a := &API{running: map[string]bool{}}
	if !a.begin("User") || a.begin("User") || !a.begin("Group") {
		t.Error("two scans of one type at a time, or not two of two types")
	}
	a.end("User")
	if !a.begin("User") {
		t.Error("a scan that is over stands in the way")
	}
}
