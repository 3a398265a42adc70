package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// likeness is a body without what differs between two resources that are the same.
func likeness(t *testing.T, a *answer) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatal(err)
	}
	meta := out["meta"].(map[string]any)
	for name := range meta {
		if name != "resourceType" {
			meta[name] = "there" // times, the location and the version
		}
	}
	out["id"] = "there"
	return out
}

// TestDryCreate: a dry run shows what would be stored, what is kept included (GW-25).
func TestDryCreate(t *testing.T) {
	yaml := strings.NewReplacer("other: {token: other}", "other: {token: other}, dry: {token: dry, access: dryRun}",
		"      externalId: {kept: true}\n", "").Replace(keptYAML)
	r := stage(t, yaml, keptSQL)
	r.serve()
	r.as("dry")
	dry := r.do("POST", "/Users", user("ada", keptUser)).want(201)
	r.as("quickstart")
	r.do("GET", `/Users?filter=userName eq "ada"`, "").want(200).is("totalResults", "0")
	real := r.do("POST", "/Users", user("ada", keptUser)).want(201).keep(r, "ada")
	if d, is := likeness(t, dry), likeness(t, real); !reflect.DeepEqual(d, is) {
		t.Errorf("a dry run answers\n%v\nand a create\n%v", d, is)
	}
	r.as("dry")
	r.vars["dry"] = r.id("ada")
	r.patch("/Users/{dry}", `{"op":"replace","path":"nickName","value":"Countess"}`).want(200).is("nickName", "Countess").is("userType", "Employee")
	r.get("/Users/{dry}").want(200).is("nickName", "Ady")
}

// TestDryBulk: operations of a dry run know what those before them would have made,
// and answer what they would have done (GW-25, B-06, B-07).
func TestDryBulk(t *testing.T) {
	yaml := strings.Replace(read(t, "../../examples/quickstart/postern.yaml"), "clients:\n", "clients:\n  dry: {token: dry, access: dryRun}\n", 1)
	r := stage(t, yaml, read(t, "../../examples/quickstart/legacy.sql")+shiftKeys)
	r.serve()
	count := func() string {
		return r.value("SELECT (SELECT count(*) FROM employee) || ' ' || (SELECT count(*) FROM role) || ' ' || (SELECT count(*) FROM employee_role)")
	}
	before := count()
	ops := `{"method":"POST","path":"/Groups","bulkId":"g","data":` + group("dry", `,"members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]`) + `},
		{"method":"POST","path":"/Users","bulkId":"a","data":` + user("dry.a", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:b"}}`) + `},
		{"method":"POST","path":"/Users","bulkId":"b","data":` + user("dry.b", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:a"}}`) + `},
		{"method":"POST","path":"/Users","bulkId":"c","data":` + user("DRY.A", "") + `},
		{"method":"PATCH","path":"/Users/bulkId:a","data":{` + patchOp + `,"Operations":[{"op":"replace","path":"title","value":"T"}]}},
		{"method":"PUT","path":"/Users/bulkId:b","data":` + user("dry.a", "") + `},
		{"method":"PATCH","path":"/Groups/bulkId:g","data":{` + patchOp + `,"Operations":[{"op":"remove","path":"members[value eq \"bulkId:b\"]"}]}},
		{"method":"DELETE","path":"/Users/bulkId:b"},
		{"method":"PATCH","path":"/Users/bulkId:b","data":{` + patchOp + `,"Operations":[{"op":"replace","path":"title","value":"T"}]}}`
	bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + ops + `]}`
	statuses := func() string {
		var out []string
		a := r.do("POST", "/Bulk", bulk).want(200)
		for _, o := range a.at("Operations").([]any) {
			out = append(out, fmt.Sprint(o.(map[string]any)["status"]))
		}
		return strings.Join(out, " ")
	}
	r.as("dry")
	dry := statuses()
	if now := count(); now != before {
		t.Fatalf("it has changed something: %s, then %s", before, now)
	}
	r.as("quickstart")
	if is := statuses(); is != dry || !strings.HasPrefix(dry, "201 201 201 409 200 409") {
		t.Errorf("a dry run answers %s, and the request %s", dry, is)
	}
	r.as("dry")
	r.do("PATCH", "/Users/dry-run-x", patchOf(`{"op":"replace","path":"title","value":"T"}`)).want(404)
}
