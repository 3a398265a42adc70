package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Rows P of the requirements, each through the whole of the program; what PATCH
// does to a resource in memory has its truth table in package patch.

func TestPatchEnvelope(t *testing.T) {
	r := start(t)
	r.do("POST", "/Users", user("p1", `,"title":"T","name":{"givenName":"G","familyName":"F"}`)).want(201).keep(r, "p")
	send := func(body string) *answer { r.t.Helper(); return r.do("PATCH", "/Users/{p}", body) }
	for _, c := range []struct {
		row, body string
		status    int
		keyword   string
	}{
		{"P-02 wrong URN", `{"schemas":["` + coreUser + `"],"Operations":[{"op":"add","path":"title","value":"x"}]}`, 400, "invalidSyntax"},
		{"P-03 no operations", `{` + patchOp + `}`, 400, "invalidSyntax"},
		{"P-03 empty operations", `{` + patchOp + `,"Operations":[]}`, 400, "invalidSyntax"},
		{"P-03 operations are no list", `{` + patchOp + `,"Operations":"add"}`, 400, "invalidSyntax"},
		{"P-03 an operation is no object", `{` + patchOp + `,"Operations":["add"]}`, 400, "invalidSyntax"},
		{"P-03 name without case", `{` + patchOp + `,"operations":[{"OP":"add","PATH":"title","VALUE":"x"}]}`, 200, ""},
		{"P-04 unknown op", `{` + patchOp + `,"Operations":[{"op":"move","path":"title","value":"x"}]}`, 400, "invalidSyntax"},
		{"P-04 no op", `{` + patchOp + `,"Operations":[{"path":"title","value":"x"}]}`, 400, "invalidSyntax"},
		{"P-05 op without case", `{` + patchOp + `,"Operations":[{"op":"RePlAcE","path":"title","value":"x"}]}`, 200, ""},
		{"P-22 remove without path", `{` + patchOp + `,"Operations":[{"op":"remove"}]}`, 400, "noTarget"},
		{"P-23 malformed path", `{` + patchOp + `,"Operations":[{"op":"add","path":"emails[","value":"x"}]}`, 400, "invalidPath"},
		{"P-23 path is no text", `{` + patchOp + `,"Operations":[{"op":"add","path":5,"value":"x"}]}`, 400, ""},
		{"P-24 bad filter in a path", `{` + patchOp + `,"Operations":[{"op":"replace","path":"emails[type zz \"x\"].value","value":"x"}]}`, 400, "invalidFilter"},
		{"P-24 unknown attribute in a filter", `{` + patchOp + `,"Operations":[{"op":"replace","path":"emails[colour eq \"x\"].value","value":"x"}]}`, 400, ""},
		{"P-25 unknown attribute", `{` + patchOp + `,"Operations":[{"op":"replace","path":"foo.bar","value":"x"}]}`, 400, "invalidPath"},
		{"P-26 index", `{` + patchOp + `,"Operations":[{"op":"replace","path":"emails[0].value","value":"x"}]}`, 400, ""},
		{"P-26 JSON pointer", `{` + patchOp + `,"Operations":[{"op":"replace","path":"/emails/0","value":"x"}]}`, 400, "invalidPath"},
		{"P-35 add without a value", `{` + patchOp + `,"Operations":[{"op":"add","path":"title"}]}`, 400, "invalidValue"},
		{"P-32 wrong type", `{` + patchOp + `,"Operations":[{"op":"replace","path":"active","value":{}}]}`, 400, "invalidValue"},
		{"P-32 value without path is no object", `{` + patchOp + `,"Operations":[{"op":"replace","value":"x"}]}`, 400, "invalidValue"},
		{"P-46 required", `{` + patchOp + `,"Operations":[{"op":"remove","path":"userName"}]}`, 400, "mutability"},
		{"P-54 required to null", `{` + patchOp + `,"Operations":[{"op":"replace","path":"userName","value":null}]}`, 400, ""},
		{"P-30 readOnly id", `{` + patchOp + `,"Operations":[{"op":"replace","path":"id","value":"x"}]}`, 400, "mutability"},
		{"P-30 readOnly meta", `{` + patchOp + `,"Operations":[{"op":"replace","path":"meta.created","value":"2020-01-01T00:00:00Z"}]}`, 400, "mutability"},
		{"P-30 readOnly by configuration", `{` + patchOp + `,"Operations":[{"op":"replace","path":"userType","value":"Boss"}]}`, 400, "mutability"},
		{"P-57 another id in the value", `{` + patchOp + `,"Operations":[{"op":"replace","value":{"id":"other","title":"x"}}]}`, 400, "mutability"},
		{"P-53 no target", `{` + patchOp + `,"Operations":[{"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}]}`, 400, "noTarget"},
		{"P-61 taken name", `{` + patchOp + `,"Operations":[{"op":"replace","path":"userName","value":"ADA.LOVELACE"}]}`, 409, "uniqueness"},
	} {
		r.run(c.row, func() {
			a := send(c.body).want(c.status)
			if c.keyword != "" {
				a.is("scimType", c.keyword)
			}
			if c.status != 200 {
				a = r.get("/Users/{p}").is("userName", "p1").is("emails", "")
			}
			if strings.Contains(c.row, "P-0") || strings.Contains(c.row, "P-2") {
				return
			}
			a.is("name.givenName", "G")
		})
	}
	r.run("P-06 in order", func() {
		r.patch("/Users/{p}", `{"op":"add","path":"nickName","value":"a"},{"op":"remove","path":"nickName"},{"op":"add","path":"nickName","value":"b"}`).want(200).is("nickName", "b")
	})
	r.run("P-07 all or nothing, and the operation's index", func() {
		a := r.patch("/Users/{p}", `{"op":"replace","path":"nickName","value":"c"},{"op":"replace","path":"title","value":"c"},{"op":"replace","path":"active","value":"perhaps"}`).want(400)
		if d := fmt.Sprint(a.at("detail")); !strings.Contains(d, "Operations[2]") {
			r.t.Errorf("the detail does not say which operation: %s", d)
		}
		r.get("/Users/{p}").is("nickName", "b")
		r.patch("/Users/{p}", `{"op":"replace","path":"nickName","value":"c"},{"op":"replace","path":"`+enterpriseUser+`:manager","value":"nobody"}`).want(400)
		r.get("/Users/{p}").is("nickName", "b")
		r.patch("/Users/{p}", `{"op":"replace","path":"nickName","value":"c"},{"op":"replace","path":"userName","value":"root"}`).want(409)
		r.get("/Users/{p}").is("nickName", "b")
	})
	r.run("P-11 unknown resource", func() {
		r.patch("/Users/none", `{"op":"replace","path":"title","value":"x"}`).want(404)
		r.do("PATCH", "/Users/{p}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"title","value":"x"}]}`, `If-Match: "v"`).want(412)
	})
	r.run("P-02 no schemas, for a strict client", func() {
		strict := start(r.t, profile("strict"))
		strict.do("PATCH", "/Users/"+strict.id("ada.lovelace"), `{"Operations":[{"op":"add","path":"title","value":"x"}]}`).want(400).is("scimType", "invalidSyntax")
	})
	r.run("P-15 a filter in the URL is ignored", func() {
		r.patch("/Users/{p}?filter=title%20eq%20%22nothing%22", `{"op":"replace","path":"title","value":"f"}`).want(200).is("title", "f")
	})
}

func TestPatchPaths(t *testing.T) {
	r := start(t)
	r.do("POST", "/Users", user("p2", `,"title":"T","nickName":"N","name":{"givenName":"G","familyName":"F"},"emails":[{"type":"work","value":"w@x"}],"phoneNumbers":[{"type":"work","value":"1"},{"type":"mobile","value":"2"}],"addresses":[{"type":"work","locality":"L","country":"DE"}],"`+enterpriseUser+`":{"department":"D"}`)).
		want(201).keep(r, "p")
	ada := r.id("ada.lovelace")
	for _, c := range []struct{ row, ops, path, want string }{
		{"P-20 attribute", `{"op":"replace","path":"title","value":"U"}`, "title", "U"},
		{"P-20 sub-attribute", `{"op":"replace","path":"name.givenName","value":"H"}`, "name.givenName", "H"},
		{"P-20 value path", `{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":"work","value":"v@x"}}`, "emails.0.value", "v@x"},
		{"P-20 value path with sub-attribute", `{"op":"replace","path":"emails[type eq \"work\"].value","value":"u@x"}`, "emails.0.value", "u@x"},
		{"P-27 URN of the core", `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"V"}`, "title", "V"},
		{"P-27 URN of the core with sub-attribute", `{"op":"replace","path":"URN:IETF:params:scim:schemas:core:2.0:user:NAME.givenname","value":"I"}`, "name.givenName", "I"},
		{"P-27 URN of an extension", `{"op":"replace","path":"` + enterpriseUser + `:department","value":"E"}`, enterpriseUser + ".department", "E"},
		{"P-27 URN of an extension with sub-attribute", `{"op":"add","path":"` + enterpriseUser + `:manager.value","value":"` + ada + `"}`, enterpriseUser + ".manager.value", ada},
		{"P-28 extension alone", `{"op":"add","path":"` + enterpriseUser + `","value":{"costCenter":"C"}}`, enterpriseUser + ".costCenter", "C"},
		{"P-28 the rest of the extension stays", `{"op":"add","path":"` + enterpriseUser + `","value":{"costCenter":"C2"}}`, enterpriseUser + ".department", "E"},
		{"P-29 filter without case", `{"op":"replace","path":"emails[TYPE EQ \"Work\"].VALUE","value":"t@x"}`, "emails.0.value", "t@x"},
		{"P-36 add without path", `{"op":"add","value":{"title":"W","emails":[{"type":"work","value":"t@x"}]}}`, "title", "W"},
		{"P-37 add to single-valued", `{"op":"add","path":"title","value":"X"}`, "title", "X"},
		{"P-38 add merges complex", `{"op":"add","path":"name","value":{"givenName":"J"}}`, "name.familyName", "F"},
		{"P-42 add where nothing is", `{"op":"remove","path":"emails"},{"op":"add","path":"emails[type eq \"work\"].value","value":"s@x"}`, "emails.0.value", "s@x"},
		{"P-43 remove single-valued", `{"op":"remove","path":"title"}`, "title", ""},
		{"P-43 remove all values", `{"op":"remove","path":"addresses"}`, "addresses", ""},
		{"P-44 remove by filter", `{"op":"remove","path":"phoneNumbers[type eq \"work\"]"}`, "phoneNumbers.0.type", "mobile"},
		{"P-44 the last value", `{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"}`, "phoneNumbers", ""},
		{"P-45 remove a sub-attribute", `{"op":"add","path":"addresses","value":[{"type":"work","locality":"L","country":"DE"}]},{"op":"remove","path":"addresses[type eq \"work\"].country"}`, "addresses.0.country", ""},
		{"P-45 the others stay", `{"op":"remove","path":"addresses[type eq \"work\"].postalCode"}`, "addresses.0.locality", "L"},
		{"P-47 remove what is not there", `{"op":"remove","path":"emails[type eq \"home\"]"}`, "emails.0.value", "s@x"},
		{"P-49 replace without path", `{"op":"replace","value":{"nickName":"M"}}`, "emails.0.value", "s@x"},
		{"P-50 replace multi-valued", `{"op":"replace","path":"emails","value":[{"type":"work","value":"r@x"}]}`, "emails.0.value", "r@x"},
		{"P-50 replace what is absent", `{"op":"replace","path":"title","value":"Y"}`, "title", "Y"},
		{"P-51 replace complex keeps the rest", `{"op":"replace","path":"name","value":{"givenName":"K"}}`, "name.familyName", "F"},
		{"P-54 null", `{"op":"replace","path":"title","value":null}`, "title", ""},
		{"P-54 empty list", `{"op":"replace","path":"emails","value":[]}`, "emails", ""},
		{"P-55 empty text", `{"op":"replace","path":"nickName","value":""}`, "nickName", ""},
		{"P-56 dotted and URN keys", `{"op":"replace","value":{"name.givenName":"L","` + enterpriseUser + `:costCenter":"C3"}}`, enterpriseUser + ".costCenter", "C3"},
		{"P-57 own id repeated", `{"op":"replace","value":{"id":"{p}","title":"Z"}}`, "title", "Z"},
		{"P-58 boolean as text", `{"op":"replace","path":"active","value":"False"}`, "active", "false"},
		{"P-59 manager as text", `{"op":"replace","path":"` + enterpriseUser + `:manager","value":"` + ada + `"}`, enterpriseUser + ".manager.value", ada},
		{"P-59 manager emptied", `{"op":"replace","path":"` + enterpriseUser + `:manager","value":""}`, enterpriseUser + ".manager", ""},
		{"P-59 manager as object", `{"op":"add","path":"` + enterpriseUser + `:manager","value":{"value":"` + ada + `"}}`, enterpriseUser + ".manager.value", ada},
		{"P-59 manager removed", `{"op":"remove","path":"` + enterpriseUser + `:manager"}`, enterpriseUser + ".manager", ""},
		{"P-59 manager as list", `{"op":"add","path":"` + enterpriseUser + `:manager","value":[{"value":"` + ada + `"}]}`, enterpriseUser + ".manager.value", ada},
		{"P-34 remove the extension", `{"op":"remove","path":"` + enterpriseUser + `"}`, "schemas.1", ""},
		{"P-34 and add to it again", `{"op":"add","path":"` + enterpriseUser + `:employeeNumber","value":"9"}`, "schemas.1", enterpriseUser},
		{"P-39 add an equal value", `{"op":"add","path":"emails","value":[{"type":"work","value":"q@x"}]},{"op":"add","path":"emails","value":[{"type":"work","value":"q@x"}]}`, "emails.1", ""},
	} {
		r.run(c.row, func() {
			a := r.patch("/Users/{p}", c.ops).want(200).is(c.path, r.expand(c.want))
			if b := r.get("/Users/{p}"); a.body != b.body {
				r.t.Errorf("P-09: the answer is not what is stored:\n%s\n%s", a.body, b.body)
			}
		})
	}
	r.run("P-42 J3 what has no place cannot be stored silently by a strict client", func() {
		a := r.patch("/Users/{p}", `{"op":"add","path":"emails[type eq \"other\"].value","value":"o@x"}`)
		if a.status == 200 && strings.Contains(a.body, "o@x") {
			r.t.Errorf("%s", a.body)
		}
	})
}

func TestPatchMembers(t *testing.T) {
	r := start(t)
	ada, alan, grace := r.id("ada.lovelace"), r.id("alan.turing"), r.id("grace.hopper")
	r.vars["ada"], r.vars["alan"], r.vars["grace"] = ada, alan, grace
	r.do("POST", "/Groups", group("pm", `,"members":[{"value":"{ada}"},{"value":"{alan}"}]`)).want(201).keep(r, "g")
	members := func(want ...string) {
		r.t.Helper()
		slices.Sort(want)
		if got := r.get("/Groups/{g}").values("members", "value"); !slices.Equal(got, want) {
			r.t.Errorf("members are %v, want %v", got, want)
		}
	}
	for _, c := range []struct {
		row, ops string
		want     []string
	}{
		{"P-39 a member twice", `{"op":"add","path":"members","value":[{"value":"{ada}"}]}`, []string{ada, alan}},
		{"P-10, P-14 several changes", `{"op":"add","path":"members","value":[{"value":"{grace}"}]},{"op":"remove","path":"members[value eq \"{ada}\"]"}`, []string{alan, grace}},
		{"P-06 remove, then add", `{"op":"remove","path":"members[value eq \"{alan}\"]"},{"op":"add","path":"members","value":[{"value":"{alan}"}]}`, []string{alan, grace}},
		{"P-06 add, then remove", `{"op":"add","path":"members","value":[{"value":"{ada}"}]},{"op":"remove","path":"members[value eq \"{ada}\"]"}`, []string{alan, grace}},
		{"P-47 remove a stranger", `{"op":"remove","path":"members[value eq \"{ada}\"]"},{"op":"remove","path":"members[value eq \"nobody\"]"}`, []string{alan, grace}},
		{"P-48 J1 remove with values", `{"op":"remove","path":"members","value":[{"value":"{alan}"}]}`, []string{grace}},
		{"P-48 J1 remove with one value", `{"op":"remove","path":"members","value":{"value":"{ada}"}}`, []string{grace}},
		{"P-41 one object", `{"op":"add","path":"members","value":{"value":"{ada}"}}`, []string{ada, grace}},
		{"P-36 without path", `{"op":"add","value":{"members":[{"value":"{alan}"}]}}`, []string{ada, alan, grace}},
		{"P-50 replace", `{"op":"replace","path":"members","value":[{"value":"{alan}"}]}`, []string{alan}},
		{"P-50 replace by the same", `{"op":"replace","path":"members","value":[{"value":"{alan}"},{"value":"{alan}"}]}`, []string{alan}},
		{"P-49 replace without path", `{"op":"replace","value":{"members":[{"value":"{ada}"},{"value":"{grace}"}]}}`, []string{ada, grace}},
		{"P-44 remove by or", `{"op":"remove","path":"members[value eq \"{ada}\" or value eq \"{alan}\"]"}`, []string{grace}},
		{"P-43 remove all", `{"op":"remove","path":"members"}`, nil},
		{"P-54 replace by nothing", `{"op":"add","path":"members","value":[{"value":"{ada}"}]},{"op":"replace","path":"members","value":[]}`, nil},
	} {
		r.run(c.row, func() {
			if a := r.patch("/Groups/{g}", c.ops); a.status != 204 && a.status != 200 {
				r.t.Fatalf("status %d: %s", a.status, a.body)
			}
			members(c.want...)
		})
	}
	r.run("P-48 an empty list removes nobody", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{ada}"}]}`)
		r.patch("/Groups/{g}", `{"op":"remove","path":"members","value":[]}`)
		members(ada)
	})
	r.run("P-63 unknown member, all or nothing", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{grace}"},{"value":"nobody"}]}`).want(400).is("scimType", "invalidValue")
		members(ada)
		r.patch("/Groups/{g}", `{"op":"remove","path":"members[value eq \"{ada}\"]"},{"op":"add","path":"members","value":[{"value":"nobody"}]}`).want(400)
		members(ada)
	})
	r.run("P-07 members and name together", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{grace}"}]},{"op":"replace","path":"displayName","value":"staff"}`).want(409)
		members(ada)
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{grace}"}]},{"op":"replace","path":"displayName","value":"pm2"}`)
		members(ada, grace)
		r.get("/Groups/{g}").is("displayName", "pm2")
	})
	r.run("P-13 many members at once", func() {
		var all []string
		for i := 1; i <= 200; i += 100 {
			a := r.get("/Users", "attributes", "id", "startIndex", fmt.Sprint(i), "count", "100")
			for _, u := range a.items("Resources") {
				all = append(all, `{"value":"`+fmt.Sprint(u["id"])+`"}`)
			}
		}
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[`+strings.Join(all, ",")+`]}`).want(200)
		if n := len(r.get("/Groups/{g}").items("members")); n != 200 {
			r.t.Errorf("%d members", n)
		}
	})
}
