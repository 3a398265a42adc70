package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const bulkHead = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],`

func (r *rig) bulk(more string, ops ...string) *answer {
	r.t.Helper()
	return r.do("POST", "/Bulk", r.expand(bulkHead+more+`"Operations":[`+strings.Join(ops, ",")+`]}`))
}

func op(method, path, bulkID, data string) string {
	s := `{"method":"` + method + `","path":"` + path + `"`
	if bulkID != "" {
		s += `,"bulkId":"` + bulkID + `"`
	}
	if data != "" {
		s += `,"data":` + data
	}
	return s + `}`
}

// made is the id that an operation's location ends with.
func (a *answer) made(i int) string {
	a.t.Helper()
	loc := fmt.Sprint(a.at(fmt.Sprintf("Operations.%d.location", i)))
	return loc[strings.LastIndexByte(loc, '/')+1:]
}

func (a *answer) statuses(want ...string) *answer {
	a.t.Helper()
	list, _ := a.at("Operations").([]any)
	var got []string
	for _, o := range list {
		got = append(got, fmt.Sprint(o.(map[string]any)["status"]))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		a.t.Errorf("statuses %v, want %v: %.2000s", got, want, a.body)
	}
	return a
}

// TestBulk: rows B, against the quickstart's database.
func TestBulk(t *testing.T) {
	r := start(t)
	patchOf := func(ops string) string { return `{` + patchOp + `,"Operations":[` + ops + `]}` }
	r.run("B-01, B-02, B-04, B-10, B-11, B-12 the shape", func() {
		r.get("/ServiceProviderConfig").is("bulk.supported", "true").is("bulk.maxOperations", "1000").is("bulk.maxPayloadSize", "4194304")
		a := r.bulk(`"failOnErrors":5,`, op("POST", "/Users", "one", user("b1", "")), op("POST", "/Users", "two", user("b1", "")),
			op("PATCH", "/Users/nobody", "", patchOf(`{"op":"add","path":"title","value":"x"}`))).want(200).statuses("201", "409", "404")
		a.is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:BulkResponse").is("failOnErrors", "").is("Operations.0.method", "POST").is("Operations.0.bulkId", "one").
			is("Operations.1.response.scimType", "uniqueness").is("Operations.1.location", "").is("Operations.2.location", r.base+"/Users/nobody").
			is("Operations.2.response.status", "404").is("Operations.0.response", "")
		id := a.made(0)
		got := r.get("/Users/"+id).want(200).is("userName", "b1")
		a.is("Operations.0.version", got.etag()).is("Operations.0.location", got.header.Get("Location"))
		r.vars["b1"] = id
	})
	r.run("B-03, B-04, B-17 operations that cannot be", func() {
		r.bulk("", op("GET", "/Users/{b1}", "", ""), op("POST", "/Users", "", user("x", "")), op("POST", "/Users/{b1}", "p", user("x", "")), op("DELETE", "/Users", "", ""),
			op("POST", "/Bulk", "q", "{}"), op("PUT", "/Schemas/x", "", "{}"), op("POST", "/Me", "m", "{}"), op("DELETE", "/Users/{b1}?x=y", "", ""), `7`).
			want(200).statuses("400", "400", "400", "400", "404", "404", "404", "400", "400")
		r.get("/Users/{b1}").want(200)
	})
	r.run("B-05, B-14, B-15 requests that cannot be", func() {
		r.bulk("", op("POST", "/Users", "a", "{}"), op("POST", "/Users", "a", "{}")).want(400).is("scimType", "invalidSyntax")
		r.bulk("").want(400).is("scimType", "invalidSyntax")
		r.do("POST", "/Bulk", `{"Operations":[]}`).want(400).is("scimType", "invalidSyntax")
		many := r.bulk("", strings.Repeat(op("DELETE", "/Users/x", "", "")+",", 1000)+op("DELETE", "/Users/x", "", "")).want(413)
		if d := fmt.Sprint(many.at("detail")); !strings.Contains(d, "maxOperations") || !strings.Contains(d, "1000") {
			r.t.Errorf("B-14: %s", d)
		}
		large := r.do("POST", "/Bulk", bulkHead+`"x":"`+strings.Repeat("x", 4<<20)+`"}`).want(413)
		if d := fmt.Sprint(large.at("detail")); !strings.Contains(d, "maxPayloadSize") {
			r.t.Errorf("B-14: %s", d)
		}
	})
	r.run("B-06, B-18 references, backwards and forwards", func() {
		a := r.bulk("", op("POST", "/Groups", "g", group("bg", `,"members":[{"value":"bulkId:u"},{"value":"{b1}"}]`)),
			op("POST", "/Users", "u", user("b2", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:boss"}}`)),
			op("POST", "/Users", "boss", user("b3", "")),
			op("PATCH", "/Users/bulkId:boss", "", `[{"op":"add","path":"title","value":"Boss"}]`),
			op("PATCH", "/Groups/bulkId:g", "", patchOf(`{"op":"add","path":"members","value":[{"value":"bulkId:boss"}]},{"op":"remove","path":"members[value eq \"bulkId:u\"]"}`))).
			want(200).statuses("201", "201", "201", "200", "204")
		g, u, boss := a.made(0), a.made(1), a.made(2)
		r.get("/Users/"+u).is(enterpriseUser+".manager.value", boss)
		r.get("/Users/"+boss).is("title", "Boss")
		members := r.get("/Groups/"+g).values("members", "value")
		if len(members) != 2 || strings.Contains(fmt.Sprint(members), u) || !strings.Contains(fmt.Sprint(members), boss) {
			r.t.Errorf("B-06: members %v", members)
		}
	})
	r.run("B-07 two that refer to each other, and one to itself", func() {
		a := r.bulk("", op("POST", "/Users", "a", user("b4", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:b"}}`)),
			op("POST", "/Users", "b", user("b5", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:a"}}`)),
			op("POST", "/Users", "c", user("b6", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:c"}}`))).want(200).statuses("201", "201", "201")
		r.get("/Users/"+a.made(0)).is(enterpriseUser+".manager.value", a.made(1))
		r.get("/Users/"+a.made(1)).is(enterpriseUser+".manager.value", a.made(0))
		r.get("/Users/"+a.made(2)).is(enterpriseUser+".manager.value", a.made(2))
	})
	r.run("B-19 what depends on a failure fails, and leaves nothing", func() {
		r.bulk("", op("POST", "/Users", "a", user("b7", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:bad"}}`)),
			op("POST", "/Users", "bad", user("b1", "")),
			op("POST", "/Users", "c", user("b8", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:bad"}}`)),
			op("POST", "/Users", "d", user("b9", `,"`+enterpriseUser+`":{"manager":{"value":"bulkId:never"}}`)),
			op("DELETE", "/Users/bulkId:bad", "", "")).want(200).statuses("409", "409", "409", "400", "409")
		for _, name := range []string{"b7", "b8", "b9"} {
			r.do("GET", `/Users?filter=userName eq "`+name+`"`, "").is("totalResults", "0")
		}
	})
	r.run("B-09 failOnErrors", func() {
		r.bulk(`"failOnErrors":1,`, op("POST", "/Users", "a", user("c1", "")), op("POST", "/Users", "b", user("c1", "")), op("POST", "/Users", "c", user("c2", ""))).
			want(200).statuses("201", "409")
		r.do("GET", `/Users?filter=userName eq "c2"`, "").is("totalResults", "0")
		r.bulk("", op("POST", "/Users", "b", user("c1", "")), op("POST", "/Users", "c", user("c2", ""))).want(200).statuses("409", "201")
	})
	r.run("B-08 operations in order on one resource", func() {
		id := r.id("b1")
		r.bulk("", op("PATCH", "/Users/"+id, "", patchOf(`{"op":"replace","path":"title","value":"1"}`)), op("PATCH", "/Users/"+id, "", patchOf(`{"op":"replace","path":"title","value":"2"}`)),
			op("PATCH", "/Users/bulkId:n", "", patchOf(`{"op":"replace","path":"title","value":"later"}`)), op("POST", "/Users", "n", user("c3", "")),
			op("DELETE", "/Users/"+id, "", ""), op("POST", "/Users", "again", user("b1", "")), op("PATCH", "/Users/"+id, "", patchOf(`{"op":"replace","path":"title","value":"3"}`))).
			want(200).statuses("200", "200", "200", "201", "204", "201", "404")
		r.get("/Users/"+r.id("c3")).is("title", "later")
		if r.id("b1") == id {
			r.t.Error("S-32: an id came back")
		}
	})
	r.run("B-13 version is If-Match", func() {
		id := r.id("b1")
		tag := strings.ReplaceAll(r.get("/Users/"+id).etag(), `"`, `\"`)
		change := func(version, title string) string {
			return `{"method":"PATCH","path":"/Users/` + id + `","version":"` + version + `","data":` + patchOf(`{"op":"replace","path":"title","value":"`+title+`"}`) + `}`
		}
		r.bulk("", change(tag, "first"), change(tag, "second"), change(`\"`, "third")).want(200).statuses("200", "412", "400")
		r.get("/Users/"+id).is("title", "first")
	})
}

// TestBulkLarge: B-08, B-22, many operations, half of which refer to the others,
// some side by side: the same outcome as one by one.
func TestBulkLarge(t *testing.T) {
	const n = 400
	r := start(t)
	var ops []string
	for i := range n / 4 {
		name := fmt.Sprintf("large%d", i)
		ops = append(ops, op("POST", "/Users", name, user(name, "")),
			op("PATCH", "/Users/bulkId:"+name, "", `{`+patchOp+`,"Operations":[{"op":"add","path":"title","value":"T`+fmt.Sprint(i)+`"}]}`))
	}
	for i := range n / 2 {
		name := fmt.Sprintf("side%d", i)
		ops = append(ops, op("POST", "/Users", name, user(name, "")))
	}
	a := r.bulk("", ops...).want(200)
	var answer struct {
		Operations []struct{ Status, BulkID string }
	}
	if err := json.Unmarshal([]byte(a.body), &answer); err != nil {
		t.Fatal(err)
	}
	for i, o := range answer.Operations {
		if want := strings.HasPrefix(ops[i], `{"method":"POST"`); (o.Status == "201") != want || (o.Status == "200") == want {
			t.Fatalf("B-22: operation %d: %s", i, o.Status)
		}
	}
	r.holds(fmt.Sprint(n/4), `SELECT count(*) FROM employee WHERE login LIKE 'large%' AND job_title = 'T' || substr(login, 6)`)
	r.holds(fmt.Sprint(n/2), `SELECT count(DISTINCT login) FROM employee WHERE login LIKE 'side%'`)
	r.do("GET", `/Users?filter=userName sw "side"&count=0`, "").is("totalResults", fmt.Sprint(n/2))
}

// TestBulkRequired: a group that cannot be without members waits for them (B-07), and
// fails with them.
func TestBulkRequired(t *testing.T) {
	r := start(t, func(yaml string) string {
		return strings.Replace(yaml, "member: emp_no, refers: User}", "member: emp_no, refers: User, required: true}", 1)
	})
	a := r.bulk("", op("POST", "/Groups", "g", group("needs", `,"members":[{"value":"bulkId:u"}]`)), op("POST", "/Users", "u", user("needed", ""))).
		want(200).statuses("201", "201")
	if members := r.get("/Groups/"+a.made(0)).values("members", "value"); len(members) != 1 || members[0] != a.made(1) {
		t.Errorf("members %v", members)
	}
	r.bulk("", op("POST", "/Groups", "h", group("fails", `,"members":[{"value":"bulkId:v"}]`)), op("POST", "/Users", "v", user("needed", ""))).
		want(200).statuses("409", "409")
	r.do("GET", `/Groups?filter=displayName eq "fails"`, "").is("totalResults", "0")
}
