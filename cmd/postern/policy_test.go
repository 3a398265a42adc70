package main

import "testing"

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
