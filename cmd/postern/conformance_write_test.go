package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Rows C, U, X and R of the requirements, and those S rows that the quickstart
// can show.

// user is the body of a user.
func user(name, more string) string {
	return `{"schemas":["` + coreUser + `","` + enterpriseUser + `"],"userName":"` + name + `"` + more + `}`
}

func group(name, more string) string {
	return `{"schemas":["` + coreGroup + `"],"displayName":"` + name + `"` + more + `}`
}

func TestCreate(t *testing.T) {
	r := start(t)
	r.run("C-01, C-14, H-13 answer of a create", func() {
		a := r.do("POST", "/Users", user("c1", `,"title":"T","emails":[{"type":"work","value":"c1@x"}]`)).want(201).keep(r, "c1").is("title", "T").is("emails.0.type", "work")
		url := r.base + "/Users/" + r.vars["c1"]
		if a.header.Get("Location") != url || a.header.Get("Content-Location") != url || a.at("meta.location") != url {
			r.t.Errorf("Location %q, meta.location %v", a.header.Get("Location"), a.at("meta.location"))
		}
		if b := r.get("/Users/{c1}"); b.body != a.body {
			r.t.Errorf("the answer is not what is stored:\n%s\n%s", a.body, b.body)
		}
	})
	r.run("C-02 readOnly is ignored", func() {
		a := r.do("POST", "/Users", user("c2", `,"id":"forged","meta":{"created":"1999-01-01T00:00:00Z","version":"x","location":"http://evil"},"groups":[{"value":"{c1}"}],"userType":"Boss"`)).
			want(201).is("userType", "Employee").is("userName", "c2")
		if a.at("id") == "forged" || a.at("meta.version") == "x" || strings.Contains(a.body, "evil") || strings.Contains(a.body, "1999") || a.at("groups") != nil {
			r.t.Errorf("forged values: %s", a.body)
		}
	})
	r.run("C-03, C-04 defaults", func() {
		r.do("POST", "/Users", user("c3", "")).want(201).is("active", "true")
		r.do("POST", "/Users", user("c3b", `,"active":false`)).want(201).is("active", "false").is("userType", "Former employee")
	})
	r.run("C-05, R-01 conflict", func() {
		for _, n := range []string{"c1", "C1"} {
			r.do("POST", "/Users", user(n, "")).want(409).is("scimType", "uniqueness")
		}
		a := r.do("POST", "/Groups", group("staff", "")).want(409).is("scimType", "uniqueness") // J18
		if !strings.Contains(fmt.Sprint(a.at("detail")), "displayName") {
			r.t.Errorf("the detail does not name the attribute: %s", a.body)
		}
	})
	r.run("C-06, S-35 resourceType", func() {
		r.do("POST", "/Users", user("c6", `,"meta":{"resourceType":"Group"}`)).want(201).is("meta.resourceType", "User")
	})
	r.run("C-07, S-37, R-01, R-15 required values and types", func() {
		for _, body := range []string{`{"schemas":["` + coreUser + `"]}`, user("", ""), user("   ", ""), `{"schemas":["` + coreUser + `"],"userName":null}`, `{"schemas":["` + coreUser + `"],"userName":5}`,
			user("c7", `,"active":"maybe"`), user("c7", `,"name":"x"`), user("c7", `,"emails":["a@b"]`), user("c7", `,"title":["a","b"]`), user("c7", `,"emails":[{"type":"work","value":{}}]`)} {
			r.do("POST", "/Users", body).want(400).is("scimType", "invalidValue")
		}
		r.do("POST", "/Groups", `{"schemas":["`+coreGroup+`"]}`).want(400).is("scimType", "invalidValue")
	})
	r.run("C-08, S-24 schemas", func() {
		for _, s := range []string{``, `"schemas":[],`, `"schemas":["` + coreGroup + `"],`, `"schemas":["urn:x"],`, `"schemas":[5],`, `"schemas":{},`} {
			r.do("POST", "/Users", `{`+s+`"userName":"c8"}`).want(400).is("scimType", "invalidSyntax")
		}
		r.do("POST", "/Users", `{"schemas":["`+strings.ToUpper(coreUser)+`","`+coreUser+`","urn:x:other"],"userName":"c8"}`).want(201).is("schemas.0", coreUser).is("schemas.1", "")
		lenient := start(r.t, profile("entra"))
		lenient.do("POST", "/Users", `{"userName":"c8"}`).want(201).is("schemas.0", coreUser)
	})
	r.run("C-17 group without members", func() {
		r.do("POST", "/Groups", group("g1", "")).want(201).is("members", "").is("displayName", "g1")
		r.do("POST", "/Groups", group("g2", `,"members":[]`)).want(201)
		r.do("POST", "/Groups", group("g3", `,"members":[{"value":"{c1}","$ref":null,"display":"x","type":"Alien"}]`)).want(201).
			is("members.0.value", r.vars["c1"]).is("members.0.$ref", r.base+"/Users/"+r.vars["c1"]).is("members.0.type", "User")
	})
	r.run("S-01 attribute names without case", func() {
		r.do("POST", "/Users", `{"SCHEMAS":["`+coreUser+`"],"USERNAME":"s1","Name":{"GIVENNAME":"G"}}`).want(201).is("userName", "s1").is("name.givenName", "G")
	})
	r.run("S-19 duplicates collapse", func() {
		r.do("POST", "/Users", user("s19", `,"emails":[{"type":"work","value":"a@b"},{"type":"work","value":"a@b"}]`)).want(201).is("emails.0.value", "a@b").is("emails.1", "")
	})
	r.run("S-20 canonical type, J9 value as sent", func() {
		r.do("POST", "/Users", user("s20", `,"emails":[{"type":"WORK","value":"Mixed@Case.Org"}]`)).want(201).is("emails.0.type", "work").is("emails.0.value", "Mixed@Case.Org")
	})
	r.run("S-21, S-22, S-23 nothing, in all its forms", func() {
		for i, v := range []string{`null`, `""`, `[]`} {
			a := r.do("POST", "/Users", user(fmt.Sprint("s21", i), `,"title":`+strings.Replace(v, "[]", "null", 1)+`,"emails":`+strings.Replace(v, `""`, "[]", 1)+`,"name":{"givenName":null}`)).want(201)
			for _, p := range []string{"title", "emails", "name"} {
				if _, there := a.json[p]; there {
					r.t.Errorf("%s: %s is there", v, p)
				}
			}
		}
	})
	r.run("S-25 extension attributes live in their container", func() {
		r.do("POST", "/Users", user("s25", `,"department":"Sales"`)).want(201).is(enterpriseUser, "").is("schemas.1", "")
		r.do("POST", "/Users", user("s25b", `,"`+enterpriseUser+`":{"department":"Sales"}`)).want(201).is(enterpriseUser+".department", "Sales").is("schemas.1", enterpriseUser).keep(r, "s25")
		r.patch("/Users/{s25}", `{"op":"remove","path":"`+enterpriseUser+`:department"}`).want(200).is("schemas.1", "").is(enterpriseUser, "") // S-26
	})
	r.run("S-32 ids over all types", func() {
		r.get("/Groups/{c1}").want(404)
		if len(r.vars["c1"]) < 20 || strings.Contains(strings.ToLower(r.vars["c1"]), "bulkid") {
			r.t.Errorf("the id %s", r.vars["c1"])
		}
	})
	r.run("S-35 lastModified and created", func() {
		a := r.get("/Users/{c1}")
		if a.at("meta.created") == nil || a.at("meta.created") != a.at("meta.lastModified") {
			r.t.Errorf("created %v, lastModified %v", a.at("meta.created"), a.at("meta.lastModified"))
		}
	})
	r.run("R-19 manager", func() {
		a := r.do("POST", "/Users", user("r19", `,"`+enterpriseUser+`":{"manager":{"value":"{c1}","displayName":"forged","$ref":"http://evil"}}`)).want(201).
			is(enterpriseUser+".manager.value", r.vars["c1"]).is(enterpriseUser+".manager.$ref", r.base+"/Users/"+r.vars["c1"])
		if strings.Contains(a.body, "forged") || strings.Contains(a.body, "evil") {
			r.t.Errorf("%s", a.body)
		}
		r.do("POST", "/Users", user("r19b", `,"`+enterpriseUser+`":{"manager":{"value":"nobody"}}`)).want(400).is("scimType", "invalidValue")
	})
	r.run("R-02 prepared names are one name", func() {
		r.do("POST", "/Users", user("wide", "")).want(201)
		r.do("POST", "/Users", user("ｗｉｄｅ", "")).want(409).is("scimType", "uniqueness")
		r.do("POST", "/Users", user("ame\u0301lie", "")).want(201)
		r.do("POST", "/Users", user("am\u00e9lie", "")).want(409).is("scimType", "uniqueness")
	})
	r.run("S-14, R-16, R-21, P-63 members that are no users", func() {
		staff := r.groupID("Staff")
		for _, m := range []string{"nobody", staff, "{c1}x", ""} {
			if a := r.do("POST", "/Groups", group("r16", `,"members":[{"value":"`+m+`"}]`)); a.status != 400 && m != "" || a.status >= 500 {
				r.t.Errorf("member %q: status %d", m, a.status)
			}
		}
	})
}

func TestReplace(t *testing.T) {
	r := start(t)
	full := user("u1", `,"title":"T","nickName":"N","name":{"givenName":"G","familyName":"F"},"active":true,"emails":[{"type":"work","value":"u1@x"}],
 "phoneNumbers":[{"type":"work","value":"1"},{"type":"mobile","value":"2"}],"`+enterpriseUser+`":{"department":"D","employeeNumber":"E"}`)
	r.do("POST", "/Users", full).want(201).keep(r, "u1")
	r.run("U-02 never creates", func() {
		r.do("PUT", "/Users/none", full).want(404)
		r.do("PUT", "/Groups/{u1}", group("x", "")).want(404)
	})
	r.run("U-03, U-04, U-08, U-10 replaces and clears", func() {
		a := r.do("PUT", "/Users/{u1}", user("u1", `,"active":true,"emails":[{"type":"work","value":"new@x"}],"phoneNumbers":[{"type":"mobile","value":"3"}]`)).want(200).
			is("emails.0.value", "new@x").is("phoneNumbers.0.value", "3").is("phoneNumbers.1", "").is("title", "").is("nickName", "").is("name", "").is(enterpriseUser, "")
		if b := r.get("/Users/{u1}"); a.body != b.body {
			r.t.Errorf("the answer is not what is stored:\n%s\n%s", a.body, b.body)
		}
		r.holds("NULL", "SELECT job_title FROM employee WHERE login = 'u1'")
		r.holds("staff", "SELECT kind FROM employee WHERE login = 'u1'")
	})
	r.run("U-04 an attribute with a default, left out, keeps its value", func() {
		r.do("PUT", "/Users/{u1}", user("u1", `,"active":false`)).want(200).is("active", "false")
		r.do("PUT", "/Users/{u1}", user("u1", `,"title":"X"`)).want(200).is("active", "false").is("title", "X")
		r.do("PUT", "/Users/{u1}", user("u1", `,"active":true`)).want(200).is("active", "true")
		r.do("PUT", "/Users/{u1}", user("u1", ``)).want(200).is("active", "true")
	})
	r.run("U-06 readOnly is ignored", func() {
		r.do("PUT", "/Users/{u1}", user("u1", `,"id":"other","active":true,"groups":[{"value":"x"}],"meta":{"resourceType":"Group","location":"http://x"},"userType":"Boss"`)).want(200).
			is("id", r.vars["u1"]).is("meta.resourceType", "User").is("groups", "").is("userType", "Employee")
	})
	r.run("U-07 required", func() {
		for _, b := range []string{`{"schemas":["` + coreUser + `"]}`, user("", ""), `{"schemas":["` + coreUser + `"],"userName":null}`} {
			r.do("PUT", "/Users/{u1}", b).want(400).is("scimType", "invalidValue")
		}
	})
	r.run("U-11, P-12 nothing changes", func() {
		r.sql("UPDATE employee SET changed = '2001-01-01 00:00:00' WHERE login = 'u1'")
		body := user("u1", `,"active":true,"title":"same"`)
		r.do("PUT", "/Users/{u1}", body).want(200)
		r.sql("UPDATE employee SET changed = '2001-01-01 00:00:00' WHERE login = 'u1'")
		sent := r.trace.during(func() {
			r.do("PUT", "/Users/{u1}", body).want(200).is("meta.lastModified", "2001-01-01T00:00:00Z")
			r.patch("/Users/{u1}", `{"op":"replace","path":"title","value":"same"},{"op":"add","path":"active","value":true}`).want(200).is("meta.lastModified", "2001-01-01T00:00:00Z")
		})
		for _, s := range sent {
			if strings.HasPrefix(s, "UPDATE") || strings.HasPrefix(s, "INSERT") || strings.HasPrefix(s, "DELETE") {
				r.t.Errorf("a write: %s", s)
			}
		}
	})
	r.run("U-12 taken name", func() {
		a := r.do("PUT", "/Users/{u1}", user("ADA.lovelace", `,"active":true`)).want(409).is("scimType", "uniqueness")
		if !strings.Contains(fmt.Sprint(a.at("detail")), "userName") {
			r.t.Errorf("the detail does not name the attribute: %s", a.body)
		}
		r.do("PUT", "/Users/{u1}", user("U1", `,"active":true`)).want(200).is("userName", "U1") // one's own name in another case
	})
	r.run("R-22 rename keeps the id", func() {
		r.do("PUT", "/Users/{u1}", user("renamed", `,"active":true`)).want(200).is("id", r.vars["u1"])
		r.get("/Users", "filter", `userName eq "renamed"`).is("Resources.0.id", r.vars["u1"])
		r.get("/Users", "filter", `userName eq "u1"`).is("totalResults", "0")
	})
	r.run("U-13 group replaced", func() {
		ada, alan, grace := r.id("ada.lovelace"), r.id("alan.turing"), r.id("grace.hopper")
		r.do("POST", "/Groups", group("u13", `,"members":[{"value":"`+ada+`"},{"value":"`+alan+`"},{"value":"`+grace+`"}]`)).want(201).keep(r, "g")
		a := r.do("PUT", "/Groups/{g}", group("u13", `,"members":[{"value":"`+alan+`"}]`)).want(200)
		if got := a.values("members", "value"); !slices.Equal(got, []string{alan}) {
			r.t.Errorf("members are %v", got)
		}
		r.holds("1", "SELECT count(*) FROM employee_role JOIN role USING (role_id) WHERE title = 'u13'")
		r.do("PUT", "/Groups/{g}", group("u13", "")).want(200).is("members", "")
	})
}

func TestDelete(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	r.do("POST", "/Users", user("x1", "")).want(201).keep(r, "x")
	r.do("POST", "/Groups", group("xg", `,"members":[{"value":"{x}"},{"value":"`+ada+`"}]`)).want(201).keep(r, "g")
	r.do("POST", "/Users", user("x2", `,"`+enterpriseUser+`":{"manager":{"value":"{x}"}}`)).want(201).keep(r, "y")
	r.run("X-01, X-02, X-08 gone for every operation", func() {
		r.do("DELETE", "/Users/{x}", "").want(204)
		r.get("/Users/{x}").want(404)
		r.do("PUT", "/Users/{x}", user("x1", "")).want(404)
		r.patch("/Users/{x}", `{"op":"replace","path":"title","value":"t"}`).want(404)
		r.do("DELETE", "/Users/{x}", "").want(404)
		r.get("/Users", "filter", `id eq "{x}"`).want(200).is("totalResults", "0")
	})
	r.run("X-05 really gone", func() {
		r.holds("0", "SELECT count(*) FROM employee WHERE login = 'x1'")
	})
	r.run("X-07 no longer a member or a manager", func() {
		if got := r.get("/Groups/{g}").values("members", "value"); !slices.Equal(got, []string{ada}) {
			r.t.Errorf("members are %v", got)
		}
		r.get("/Users/{y}").is(enterpriseUser+".manager", "")
	})
	r.run("X-04, C-09, S-32 the name is free, the id is not used again", func() {
		r.do("POST", "/Users", user("x1", "")).want(201)
		if again := r.id("x1"); again == r.vars["x"] {
			r.t.Error("an id came back")
		}
		r.do("POST", "/Groups", group("xg2", "")).want(201).keep(r, "h")
		r.do("DELETE", "/Groups/{h}", "").want(204)
		r.do("POST", "/Groups", group("xg2", "")).want(201)
	})
	r.run("X-02 of a group, whose members stay", func() {
		r.do("DELETE", "/Groups/{g}", "").want(204)
		r.get("/Groups/{g}").want(404)
		r.get("/Users/" + ada).want(200)
	})
	r.run("V-03, X-06 a stale version stays", func() {
		r.do("DELETE", "/Users/{y}", "", `If-Match: "1"`).want(412)
		r.do("DELETE", "/Users/{y}", "", `If-Match: *`).want(204)
	})
	r.run("X-01 a body on DELETE is not looked at", func() {
		r.do("POST", "/Users", user("x3", "")).want(201).keep(r, "z")
		req := r.request("DELETE", "/Users/"+r.vars["z"])
		req.Header.Set("Accept", "text/html")
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != 204 {
			r.t.Errorf("%v %v", res, err)
		}
	})
}

// TestMembership holds both sides of a membership together (R-11 to
// to R-18).
func TestMembership(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	r.do("POST", "/Groups", group("m1", "")).want(201).keep(r, "g")
	r.run("R-11 groups reflects members", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).want(200)
		a := r.get("/Users/" + ada)
		found := false
		for _, g := range a.items("groups") {
			found = found || g["value"] == r.vars["g"] && g["$ref"] == r.base+"/Groups/"+r.vars["g"] && g["type"] == "direct"
		}
		if !found {
			r.t.Errorf("groups are %v", a.at("groups"))
		}
		r.get("/Users", "filter", `groups.value eq "{g}"`).is("totalResults", "1")
	})
	r.run("R-11 groups is readOnly", func() {
		for _, op := range []string{"add", "replace", "remove"} {
			r.patch("/Users/"+ada, `{"op":"`+op+`","path":"groups","value":[{"value":"{g}"}]}`).want(400).is("scimType", "mutability")
		}
	})
	r.run("R-13 groups.$ref", func() {
		a := r.get("/Schemas/" + coreUser)
		for _, d := range a.items("attributes") {
			if d["name"] != "groups" {
				continue
			}
			for _, s := range d["subAttributes"].([]any) {
				if m := s.(map[string]any); m["name"] == "$ref" && fmt.Sprint(m["referenceTypes"]) != "[Group]" {
					r.t.Errorf("%v", m["referenceTypes"])
				}
			}
		}
	})
	r.run("R-16, P-60 sub-attributes of members stay", func() {
		r.patch("/Groups/{g}", `{"op":"replace","path":"members[value eq \"`+ada+`\"].value","value":"x"}`).want(400).is("scimType", "mutability")
		r.patch("/Groups/{g}", `{"op":"replace","path":"members[value eq \"`+ada+`\"].type","value":"Group"}`).want(400).is("scimType", "mutability")
	})
	r.run("R-18 members have $ref and type", func() {
		r.get("/Groups/{g}").is("members.0.$ref", r.base+"/Users/"+ada).is("members.0.type", "User")
	})
	r.run("R-20 manager.value", func() {
		a := r.get("/Users", "filter", `manager.value eq "`+strings.ToUpper(ada)+`"`).want(200)
		a.is("totalResults", "0")
	})
	r.run("S-13 members by URI", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"`+r.base+`/Users/`+r.id("alan.turing")+`"}]}`)
		if n := len(r.get("/Groups/{g}").items("members")); n != 1 && n != 2 {
			r.t.Errorf("%d members", n)
		}
	})
}
