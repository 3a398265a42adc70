package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const patchOp = `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`
const enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func (r *rig) patch(path, operations string) *answer {
	r.t.Helper()
	return r.do("PATCH", path, `{`+patchOp+`,"Operations":[`+operations+`]}`)
}

func profile(name string) func(string) string {
	return func(yaml string) string {
		return strings.Replace(yaml, "{token: quickstart}", "{token: quickstart, profile: "+name+"}", 1)
	}
}

// TestEntra sends what Entra ID sends, in its order: connection test, users,
// references, groups, memberships, the end of both.
func TestEntra(t *testing.T) {
	r := start(t, profile("entra"))
	t.Run("connection test, G-03, G-04", func(t *testing.T) {
		r.t = t
		a := r.do("GET", `/Users?filter=userName eq "6c2b1ea4-8a3e-4a0c-9d3c-8c1c5f6b2a11"`, "").want(200).is("totalResults", "0").is("startIndex", "1").is("itemsPerPage", "0")
		if _, ok := a.at("Resources").([]any); !ok {
			t.Error("G-04: no Resources")
		}
		r.do("GET", `/Groups?excludedAttributes=members&filter=displayName eq "6c2b1ea4-8a3e-4a0c-9d3c-8c1c5f6b2a11"`, "").want(200).is("totalResults", "0")
		r.do("GET", "/Schemas", "").want(200)
		r.do("GET", "/Users/6c2b1ea4-8a3e-4a0c-9d3c-8c1c5f6b2a11", "").want(404)
		r.do("GET", `/Users?aadOptscim062020&filter=userName eq "nobody"`, "").want(200)
	})
	t.Run("create, C-01 to C-07", func(t *testing.T) {
		r.t = t
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
 "externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee","active":true,
 "emails":[{"primary":true,"type":"work","value":"Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com"}],
 "meta":{"resourceType":"User"},
 "name":{"formatted":"givenName familyName","familyName":"familyName","givenName":"givenName"},"roles":[]}`
		a := r.do("POST", "/Users", body).want(201).keep(r, "user").
			is("externalId", "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef").
			is("userName", "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee").
			is("emails.0.value", "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com").
			is("name.familyName", "familyName").is("active", "true").is("meta.resourceType", "User")
		if loc := r.base + "/Users/" + r.vars["user"]; a.header.Get("Location") != loc || a.at("meta.location") != loc {
			t.Errorf("C-01, H-13: Location %q, meta.location %q", a.header.Get("Location"), a.at("meta.location"))
		}
		r.do("POST", "/Users", body).want(409).is("scimType", "uniqueness")
		r.do("POST", "/Users", strings.Replace(body, "Test_User_00aa", "TEST_USER_00AA", 1)).want(409).is("scimType", "uniqueness")
	})
	t.Run("create, the second printed form", func(t *testing.T) {
		r.t = t
		r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
 "externalId":"jyoung","userName":"jyoung","active":true,"addresses":null,"displayName":"Joy Young",
 "emails":[{"type":"work","value":"jyoung@Contoso.com","primary":true}],"meta":{"resourceType":"User"},
 "name":{"familyName":"Young","givenName":"Joy"},"phoneNumbers":null,"preferredLanguage":null,"title":null,"department":null,"manager":null}`).
			want(201).keep(r, "joy").is("displayName", "Joy Young").is("title", "")
		r.do("GET", `/Users?filter=externalId eq "jyoung"`, "").want(200).is("totalResults", "1").is("Resources.0.id", r.vars["joy"])
		r.do("GET", `/Users?filter=emails[type eq "work"].value eq "JYOUNG@contoso.com"`, "").want(200).is("Resources.0.id", r.vars["joy"])
	})
	t.Run("update, P-05, P-20, P-27", func(t *testing.T) {
		r.t = t
		r.patch("/Users/{user}", `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"updatedEmail@microsoft.com"},
 {"op":"Replace","path":"name.familyName","value":"updatedFamilyName"}`).want(200).
			is("emails.0.value", "updatedEmail@microsoft.com").is("name.familyName", "updatedFamilyName").is("name.givenName", "givenName")
		r.patch("/Users/{user}", `{"op":"Replace","path":"userName","value":"5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com"}`).want(200)
		r.do("GET", `/Users?filter=userName eq "5b50642d-79fc-4410-9e90-4c077cdd1a59@TESTUSER.com"`, "").is("Resources.0.id", r.vars["user"])
		r.patch("/Users/{user}", `{"op":"Add","path":"nickName","value":"Babs"}`).want(200).is("nickName", "Babs")
		r.patch("/Users/{user}", `{"op":"Replace","path":"displayName","value":"Bjfe"},{"op":"Replace","path":"emails[type eq \"work\"].value","value":"b@x.org"},
 {"op":"Replace","path":"name.givenName","value":"Kkom"},{"op":"Replace","path":"name.familyName","value":"Unua"},
 {"op":"Replace","path":"externalId","value":"new-external"},
 {"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"Aklq"}`).want(200).
			is("displayName", "Bjfe").is("externalId", "new-external").is(enterpriseUser+".employeeNumber", "Aklq")
	})
	t.Run("flag aadOptscim062020, P-56", func(t *testing.T) {
		r.t = t
		r.patch("/Users/{user}", `{"op":"replace","path":"emails[type eq \"work\"].value","value":"c@x.org"},
 {"op":"replace","value":{"displayName":"Bjfe2","name.givenName":"Kkom2","name.familyName":"Unua2","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"Aklq2"}}`).
			want(200).is("displayName", "Bjfe2").is("name.givenName", "Kkom2").is("emails.0.value", "c@x.org").is(enterpriseUser+".employeeNumber", "Aklq2")
		r.patch("/Users/{user}", `{"op":"replace","path":"active","value":false}`).want(200).is("active", "false")
		r.patch("/Users/{user}", `{"op":"replace","path":"active","value":true}`).want(200).is("active", "true")
	})
	t.Run("disable and find, P-58, G-09", func(t *testing.T) {
		r.t = t
		r.patch("/Users/{user}", `{"op":"Replace","path":"active","value":"False"}`).want(200).is("active", "false")
		r.do("GET", "/Users/{user}", "").want(200).is("active", "false")
		r.do("GET", `/Users?filter=externalId eq "new-external" and active eq false`, "").is("totalResults", "1")
		r.patch("/Users/{user}", `{"op":"Replace","path":"active","value":"True"}`).want(200).is("active", "true")
	})
	t.Run("add where nothing is, P-42", func(t *testing.T) {
		r.t = t
		r.patch("/Users/{user}", `{"op":"Replace","path":"title","value":"tester"},{"op":"Add","path":"emails[type eq \"work\"].value","value":"x@joe.com"}`).
			want(200).is("title", "tester").is("emails.0.value", "x@joe.com")
		r.patch("/Users/{user}", `{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+1 555 0100"},
 {"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"98052"},{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"1 Way"}`).
			want(200).is("phoneNumbers.0.value", "+1 555 0100").is("addresses.0.postalCode", "98052").is("addresses.0.type", "work")
		r.patch("/Users/{user}", `{"op":"Replace","path":"title","value":""}`).want(200).is("title", "")
	})
	t.Run("manager, F-21, P-59", func(t *testing.T) {
		r.t = t
		r.patch("/Users/{user}", `{"op":"Add","path":"manager","value":[{"$ref":"http://h/Users/{joy}","value":"{joy}"}]}`).want(200).is(enterpriseUser+".manager.value", r.vars["joy"])
		r.do("GET", `/Users?filter=id eq "{user}" and manager eq "{joy}"&attributes=id`, "").want(200).is("totalResults", "1").is("Resources.0.userName", "")
		r.do("GET", `/Users?filter=manager eq "{joy}" and id eq "{joy}"&attributes=id`, "").want(200).is("totalResults", "0")
		r.patch("/Users/{user}", `{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}`).want(200).is(enterpriseUser+".manager.value", "")
	})
	t.Run("groups, C-17, C-18, J18, A-09", func(t *testing.T) {
		r.t = t
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
 "externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"Entra group","meta":{"resourceType":"Group"}}`
		r.do("POST", "/Groups", body).want(201).keep(r, "group").is("externalId", "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159")
		r.do("POST", "/Groups", body).want(409).is("scimType", "uniqueness")
		r.do("GET", "/Groups/{group}?excludedAttributes=members", "").want(200).is("displayName", "Entra group")
		r.do("GET", `/Groups?excludedAttributes=members&filter=displayName eq "Entra group"`, "").want(200).is("Resources.0.id", r.vars["group"])
		if s := r.patch("/Groups/{group}", `{"op":"Replace","path":"displayName","value":"Entra group 2"}`).status; s != 200 && s != 204 {
			t.Errorf("rename answers %d", s)
		}
		r.do("GET", "/Groups/{group}", "").is("displayName", "Entra group 2")
	})
	t.Run("members, P-14, P-48, J1", func(t *testing.T) {
		r.t = t
		r.patch("/Groups/{group}", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"{user}"},{"$ref":null,"value":"{joy}"}]}`).want(204)
		members := func(want ...string) {
			t.Helper()
			slices.Sort(want)
			if got := r.do("GET", "/Groups/{group}", "").values("members", "value"); !slices.Equal(got, want) {
				t.Errorf("members are %v, want %v", got, want)
			}
		}
		user, joy := r.vars["user"], r.vars["joy"]
		members(user, joy)
		r.do("GET", `/Groups?filter=id eq "{group}" and members eq "{joy}"&attributes=id`, "").is("totalResults", "1")
		r.patch("/Groups/{group}", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"{user}"}]}`).want(204)
		members(joy)
		r.patch("/Groups/{group}", `{"op":"Add","path":"members","value":[{"value":"{user}"}]}`).want(204)
		r.patch("/Groups/{group}", `{"op":"remove","path":"members[value eq \"{joy}\"]"}`).want(204)
		members(user)
		r.patch("/Groups/{group}", `{"op":"Add","path":"members","value":[{"value":"nobody"}]}`).want(400).is("scimType", "invalidValue")
		r.do("GET", "/Users/{user}", "").is("groups.0.value", r.vars["group"]).is("groups.0.type", "direct")
	})
	t.Run("deprovision, X-01, X-02, X-07, C-09", func(t *testing.T) {
		r.t = t
		r.do("DELETE", "/Users/{user}", "").want(204)
		for _, m := range []string{"GET", "DELETE"} {
			r.do(m, "/Users/{user}", "").want(404)
		}
		r.patch("/Users/{user}", `{"op":"Replace","path":"active","value":"True"}`).want(404)
		r.do("GET", "/Groups/{group}", "").is("members", "")
		old := r.vars["user"]
		r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com"}`).want(201).keep(r, "user")
		if r.vars["user"] == old {
			t.Error("S-32: an id came back")
		}
		r.do("DELETE", "/Groups/{group}", "").want(204)
	})
}

// TestOkta sends what Okta sends: its suite's probes, profile push by PUT, group
// push by PATCH and by PUT.
func TestOkta(t *testing.T) {
	r := start(t, profile("okta"))
	okta := []string{"User-Agent: Okta SCIM Client 1.0.0", "Accept: application/scim+json", "Accept-Charset: utf-8",
		"Content-Type: application/scim+json; charset=utf-8"}
	t.Run("probes of the test suite", func(t *testing.T) {
		r.t = t
		a := r.do("GET", "/Users?count=1&startIndex=1", "", okta...).want(200)
		for _, p := range []string{"Resources.0.id", "Resources.0.name.familyName", "Resources.0.userName", "Resources.0.active", "Resources.0.emails.0.value"} {
			if a.at(p) == nil {
				t.Errorf("no %s", p)
			}
		}
		for _, n := range []string{"totalResults", "startIndex", "itemsPerPage"} {
			if _, ok := a.at(n).(float64); !ok {
				t.Errorf("G-04: %s is no number", n)
			}
		}
		r.do("GET", "/Users/"+fmt.Sprint(a.at("Resources.0.id")), "", okta...).want(200)
		r.do("GET", "/Users/010101001010101011001010101011", "", okta...).want(404).is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:Error")
		r.do("GET", `/Users?filter=userName eq "ADA.LOVELACE"`, "", okta...).want(200).is("totalResults", "1")
		r.do("GET", "/Groups", "", okta...).want(200)
		r.token = ""
		r.do("GET", "/Users", "", okta...).want(401).is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:Error")
		r.token = "quickstart"
	})
	t.Run("look up and create", func(t *testing.T) {
		r.t = t
		r.do("GET", "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100", "", okta...).want(200).is("totalResults", "0")
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test.user@okta.local",
 "name":{"givenName":"Test","familyName":"User"},
 "emails":[{"primary":true,"value":"test.user@okta.local","type":"work"}],
 "displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"1mz050nq","active":true}`
		a := r.do("POST", "/Users", body, okta...).want(201).keep(r, "user").is("displayName", "Test User").is("password", "")
		if strings.Contains(a.body, "1mz050nq") {
			t.Error("R-06: the password came back")
		}
		r.do("POST", "/Users", body, okta...).want(409)
	})
	t.Run("profile push, U-06", func(t *testing.T) {
		r.t = t
		r.do("PUT", "/Users/{user}", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"{user}","userName":"test.user@okta.local",
 "name":{"givenName":"Another","middleName":"Excited","familyName":"User"},
 "emails":[{"primary":true,"value":"test.user@okta.local","type":"work","display":"test.user@okta.local"}],
 "active":true,"groups":[],"meta":{"resourceType":"User"}}`, okta...).want(200).is("name.givenName", "Another").is("displayName", "")
	})
	t.Run("deactivate, P-49", func(t *testing.T) {
		r.t = t
		r.do("PATCH", "/Users/{user}", `{`+patchOp+`,"Operations":[{"op":"replace","value":{"active":false}}]}`, okta...).want(200).is("active", "false").is("name.givenName", "Another")
		r.do("PATCH", "/Users/{user}", `{`+patchOp+`,"Operations":[{"op":"replace","value":{"active":true}}]}`, okta...).want(200).is("active", "true")
	})
	t.Run("import, G-10, N-05", func(t *testing.T) {
		r.t = t
		var ids []string
		for at := 1; ; {
			a := r.do("GET", fmt.Sprintf("/Users?startIndex=%d&count=50", at), "", okta...).want(200)
			list, _ := a.at("Resources").([]any)
			for _, e := range list {
				ids = append(ids, fmt.Sprint(e.(map[string]any)["id"]))
			}
			if at += len(list); at > int(a.at("totalResults").(float64)) {
				break
			}
		}
		slices.Sort(ids)
		if n := len(slices.Compact(slices.Clone(ids))); n != 201 || len(ids) != 201 {
			t.Errorf("%d ids, %d different; want 201 employees and no built-in account", len(ids), n)
		}
	})
	t.Run("group push", func(t *testing.T) {
		r.t = t
		r.do("GET", "/Groups?filter=displayName%20eq%20%22Test%20SCIMv2%22&startIndex=1&count=100", "", okta...).want(200).is("totalResults", "0")
		r.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Test SCIMv2","members":[]}`, okta...).want(201).keep(r, "group")
		ada := r.do("GET", `/Users?filter=userName eq "ada.lovelace"`, "")
		r.vars["ada"] = fmt.Sprint(ada.at("Resources.0.id"))
		ok := func(a *answer) {
			t.Helper()
			if a.status != 200 && a.status != 204 {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
		}
		members := func(want ...string) {
			t.Helper()
			slices.Sort(want)
			if got := r.do("GET", "/Groups/{group}", "").values("members", "value"); !slices.Equal(got, want) {
				t.Errorf("members are %v, want %v", got, want)
			}
		}
		ok(r.patch("/Groups/{group}", `{"op":"replace","value":{"id":"{group}","displayName":"Test SCIMv2"}}`))
		ok(r.patch("/Groups/{group}", `{"op":"remove","path":"members[value eq \"{ada}\"]"},{"op":"add","path":"members","value":[{"value":"{user}","display":"test.user@okta.local"}]}`))
		members(r.vars["user"])
		ok(r.patch("/Groups/{group}", `{"op":"replace","path":"members","value":[{"value":"{ada}","display":"Ada"},{"value":"{user}","display":"test.user@okta.local"}]}`))
		members(r.vars["ada"], r.vars["user"])
		r.do("PUT", "/Groups/{group}", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Test SCIMv2","members":[{"value":"{ada}","display":null}]}`, okta...).want(200)
		members(r.vars["ada"])
		ok(r.patch("/Groups/{group}", `{"op":"replace","path":"members","value":[]}`))
		members()
		r.patch("/Groups/{group}", `{"op":"add","path":"members","value":[{"value":"{ada}"}]}`).want(204)
		ok(r.do("PATCH", "/Groups/{group}", `{"Operations":[{"op":"replace","value":{"members":[],"id":"{group}","displayName":"Renamed"}}]}`, okta...))
		members()
		r.do("GET", "/Groups/{group}", "").is("displayName", "Renamed")
		r.do("DELETE", "/Groups/{group}", "").want(204)
	})
}
