package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const policyConfig = `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients:
  quickstart: {token: quickstart}
  reader: {token: reader, access: read}
  trial: {token: trial, access: dryRun}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
  User:
    correlate: {policy: [adopt, reactivate]}
    target: {backend: hr, table: employee, key: emp_no, scope: 'record.shown != "root"', managed: 'record.shown != "service"'}
    attributes:
      userName: login
      displayName: shown
      active: {name: status, values: {A: true, L: false}, default: true}
  Group:
    target: {backend: hr, table: role, key: role_id}
    attributes:
      displayName: title
      members: {table: employee_role, owner: role_id, member: emp_no, refers: User}
`

// TestAccess: what clients may do, and what may be done to whom (GW-25).
func TestAccess(t *testing.T) {
	r := stage(t, policyConfig, reusingTables)
	r.serve()
	r.sql("INSERT INTO employee (login, shown) VALUES ('backup', 'service'), ('root', 'root')")
	const create, patch = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new"}`,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"x"}]}`
	for _, client := range []string{"reader", "trial"} {
		r.as(client)
		want := func(done int) int {
			if client == "reader" {
				return 403
			}
			return done
		}
		r.vars["ada"] = r.id("ada")
		r.do("POST", "/Users", create).want(want(201))
		r.do("PUT", "/Users/{ada}", create).want(want(200))
		r.do("PATCH", "/Users/{ada}", patch).want(want(200))
		r.do("DELETE", "/Users/{ada}", "").want(want(204))
		r.do("GET", "/Users/{ada}", "").want(200).is("userName", "ada")
		r.holds("4", "SELECT count(*) FROM employee")
	}
	r.as("quickstart")
	r.vars["backup"] = r.id("backup")
	r.do("PATCH", "/Users/{backup}", patch).want(403).is("detail", "This User may be read, and is not managed by provisioning.")
	r.do("DELETE", "/Users/{backup}", "").want(403)
	r.holds("service", "SELECT shown FROM employee WHERE login = 'backup'")
	r.do("GET", `/Users?filter=userName eq "root"`, "").want(200).is("totalResults", "0")
}

// TestEndDates: whoever's end date is past is set inactive while Postern serves.
func TestEndDates(t *testing.T) {
	const attributes = "      displayName: shown\n"
	r := stage(t, strings.NewReplacer("    correlate:", "    ends: meta.created\n    correlate:", attributes, attributes+"      meta.created: created_at\n").Replace(policyConfig),
		reusingTables+"INSERT INTO employee (login, created_at) VALUES ('late', '2999-01-01');")
	r.serve()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if r.value("SELECT count(*) FROM employee WHERE status = 'L'") == "2" {
			break
		}
	}
	r.do("GET", `/Users?filter=active eq false&sortBy=userName`, "").want(200).is("totalResults", "2").is("Resources.0.userName", "ada")
	r.do("GET", `/Users?filter=active eq true`, "").want(200).is("totalResults", "1").is("Resources.0.userName", "late")
}

// TestSensitive: what is sensitive is looked for in a body, not in a URL (F-30,
// Z-01, Q-05).
func TestSensitive(t *testing.T) {
	r := stage(t, strings.Replace(policyConfig, "displayName: shown", "displayName: {name: shown, sensitive: true}", 1), reusingTables)
	r.serve()
	r.sql("UPDATE employee SET shown = 'Countess' WHERE login = 'ada'")
	const search = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName pr and displayName eq \"countess\""}`
	for _, path := range []string{"/Users", ""} {
		r.do("GET", path+`?filter=userName pr and not (displayName sw "C")`, "").want(403).is("scimType", "sensitive").
			is("detail", "Values of displayName must not stand in a URL; send the filter in the body of a POST to .search.")
		r.do("POST", path+"/.search", search).want(200).is("totalResults", "1")
	}
	r.do("GET", "/Users?filter=displayName pr", "").want(200).is("totalResults", "1")
}

// TestCorrelate: a create of what is there.
func TestCorrelate(t *testing.T) {
	r := stage(t, policyConfig, reusingTables)
	r.serve()
	body := func(name string) string {
		return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","displayName":"Ada"}`
	}
	r.do("POST", "/Users", body("ADA")).want(201).is("displayName", "Ada").keep(r, "id")
	r.holds("2", "SELECT count(*) FROM employee")
	r.do("POST", "/Users", body("ada")).want(409)
	r.do("PATCH", "/Users/{id}", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}`).want(200)
	r.do("POST", "/Users", body("ada")).want(201).is("active", "true").is("id", r.vars["id"])
	r.holds("A", "SELECT status FROM employee WHERE login = 'ada'")
	r.do("DELETE", "/Users/{id}", "").want(204)
	r.do("POST", "/Users", body("ada")).want(201)
	r.do("GET", "/Users/{id}", "").want(404)
}

// TestRemovals: a client that removes more than it may is stopped until somebody
// lets it go on (GW-29).
func TestRemovals(t *testing.T) {
	r := stage(t, strings.Replace(policyConfig, "{token: quickstart}", "{token: quickstart, removals: {most: 2}}", 1), reusingTables)
	r.serve()
	const off = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
	for i := range 6 {
		name := fmt.Sprint("u", i)
		r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`"}`).want(201).keep(r, name)
	}
	r.do("DELETE", "/Users/{u0}", "").want(204)
	r.do("PATCH", "/Users/{u1}", off).want(200)
	r.do("PATCH", "/Users/{u1}", off).want(200) // it is inactive already
	r.do("PATCH", "/Users/{u2}", off).want(403).is("detail", "This client has deleted or deactivated 2 resources within 1h, and may not go on until an administrator of the gateway agrees.")
	r.do("DELETE", "/Users/{u3}", "").want(403)
	r.do("GET", "/Users/{u2}", "").want(200).is("active", "true")
	r.do("PATCH", "/Users/{u2}", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"x"}]}`).want(200)
	out, _, status := r.command("removals", "list", "-c", r.path("postern.yaml"))
	if status != 0 || !strings.Contains(out, "quickstart  2 ") {
		t.Errorf("%d: %s", status, out)
	}
	if _, stderr, status := r.command("removals", "allow", "-c", r.path("postern.yaml"), "reader", "--why", "x"); status != 1 || !strings.Contains(stderr, "There is no limit") {
		t.Errorf("%d: %s", status, stderr)
	}
	if out, stderr, status := r.command("removals", "allow", "-c", r.path("postern.yaml"), "quickstart", "--why", "they left"); status != 0 || !strings.Contains(out, "they left") {
		t.Errorf("%d: %s %s", status, out, stderr)
	}
	r.do("DELETE", "/Users/{u3}", "").want(204)
	r.do("DELETE", "/Users/{u4}", "").want(204)
	r.do("DELETE", "/Users/{u5}", "").want(403)
}

// TestMaintenance: what one process sets, the one that serves follows.
func TestMaintenance(t *testing.T) {
	r := stage(t, policyConfig, reusingTables)
	r.serve()
	r.vars["ada"] = r.id("ada")
	set := func(args ...string) {
		t.Helper()
		if out, stderr, status := r.command(append(append([]string{"maintenance"}, args...), "-c", r.path("postern.yaml"), "--why", "upgrade")...); status != 0 {
			t.Fatalf("%s %s", out, stderr)
		}
	}
	until := func(method string, status int) *answer {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			if a := r.do(method, "/Users/{ada}", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`); a.status == status || time.Now().After(end) {
				return a.want(status)
			}
		}
	}
	set("begin", "--refuse", "writes", "--retry", "90s")
	if got := until("PUT", 503).header.Get("Retry-After"); got != "90" {
		t.Errorf("Retry-After is %q", got)
	}
	until("GET", 200)
	set("begin")
	until("GET", 503).is("detail", "The gateway is in maintenance; send the request again later.")
	r.do("GET", "/ServiceProviderConfig", "").want(200)
	set("end")
	until("PUT", 200)
}
