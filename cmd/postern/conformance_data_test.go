package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What a legacy database really holds: odd spellings, gaps, values that no rule
// expects; and what is remembered of it.

const oddities = `
INSERT INTO employee (emp_no, login, first_name, last_name, shown_as, nick, job_title, email, phone, mobile, city, dept, badge_no, boss_no) VALUES
(770002001, 'odd%percent', '%', '_', 'a%b_c', '%_%', 'x\y', 'odd%@x', '%', NULL, '_', 'R&D', '0', 770001001),
(770002002, 'odd_under', 'O''Neil', '"quoted"', 'say "hi"', '''', '\', 'a''b@x', '', '', '', '', '', NULL),
(770002003, 'ODD.É', 'É', 'Straße', 'STRASSE', 'ſ', 'K', 'É@X.ORG', ' ', ' lead', 'trail ', 'tab	in', '00', 770002003),
(770002004, 'odd.é2', 'é', 'STRAẞE', 'straße', 'S', 'k', 'é@x.org', '+1', '+1', 'Ünal', 'ünal', '-1', NULL),
(770002005, 'odd.emoji💥', '💥', '日本', 'ＦＵＬＬ', 'İ', 'ı', 'ﬁ@x', 'x', 'y', 'ǆ', 'ǅ', '1.0', NULL),
(770002006, 'odd.null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 770001002),
(770002007, 'odd.empty', '', '', '', '', '', '', '', '', '', '', '', NULL),
(770002008, 'odd.like', 'a%', 'a_', 'A%', 'A_', 'a\%', 'a[b]', '*', '?', '[a-z]', '^a', 'a$', NULL);
INSERT INTO employee_role (emp_no, role_id) VALUES (770002001, 880000010), (770002003, 880000020), (770002003, 880000030);
`

// TestPushedIsEvaluated compares what the backend finds with what the gateway
// finds by itself (F-34): a term that no backend can follow, and that is never
// true, makes the gateway evaluate all of the filter.
func TestPushedIsEvaluated(t *testing.T) {
	yaml := strings.Replace(read(t, "../../examples/quickstart/postern.yaml"), "  admin:", "  limits: {pageMax: 5000}\n  admin:", 1)
	r := stage(t, yaml, read(t, "../../examples/quickstart/legacy.sql")+shiftKeys+oddities)
	r.serve()
	people := r.get("/Users", "count", "1000").want(200).items("Resources")
	if len(people) != 208 {
		t.Fatalf("%d users", len(people))
	}
	r.patch("/Users/"+r.id("odd.null"), `{"op":"add","path":"externalId","value":"Ext%1"}`).want(200)
	texts := []string{"", "a", "A", "%", "_", "é", "É", "ß", "SS", "s", "ſ", "K", "k", "K", "İ", "i", "'", `\\`, `\"`, " ", "-", "0", "00", "1", "1.0", "ﬁ", "日", "💥", "ｆｕｌｌ", "*", "[a", "x", "Eng", "neer", "@x", "example", "ada.lovelace", "ADA.LOVELACE", "odd.", "O'Neil", "Straße", "STRASSE", "Ünal", "straße", "Ext%1", "ext%1", "Ada", "Utrecht", "NL", "nl-NL", "Employee"}
	for i := range 12 {
		texts = append(texts, fmt.Sprint(people[(i*17)%len(people)]["userName"]), fmt.Sprint(people[(i*13)%len(people)]["id"]))
	}
	strs := []string{"userName", "id", "externalId", "name.givenName", "name.familyName", "displayName", "nickName", "title", "preferredLanguage", "emails.value", "emails", "phoneNumbers.value", "emails.type", "phoneNumbers.type",
		"addresses.locality", "addresses.country", enterpriseUser + ":department", enterpriseUser + ":employeeNumber", enterpriseUser + ":costCenter", "manager.value", "manager", "groups.value", "groups", "groups.type", "meta.resourceType", "userType", "schemas"}
	ops := []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	rng := rand.New(rand.NewPCG(7, uint64(len(texts))))
	pick := func(s []string) string { return s[rng.IntN(len(s))] }
	var leaf func(depth int) string
	leaf = func(depth int) string {
		switch n := rng.IntN(20); {
		case n < 10:
			return pick(strs) + " " + pick(ops) + ` "` + pick(texts) + `"`
		case n < 12:
			return pick(strs) + " pr"
		case n < 13:
			return pick([]string{"name", "emails", "phoneNumbers", "addresses", "meta", enterpriseUser, "manager", "groups"}) + " pr"
		case n < 14:
			return "active " + pick([]string{"eq", "ne"}) + " " + pick([]string{"true", "false"})
		case n < 15:
			return "meta.created " + pick([]string{"eq", "ne", "gt", "ge", "lt", "le"}) + ` "` + pick([]string{"2009-03-02T09:00:00Z", "2015-01-01T00:00:00+02:00", "2199-01-01T00:00:00Z"}) + `"`
		case n < 16:
			return pick(strs) + " " + pick([]string{"eq", "ne"}) + " null"
		case n < 18:
			return `phoneNumbers[type ` + pick([]string{"eq", "ne"}) + ` "` + pick([]string{"work", "mobile", "MOBILE", "x"}) + `" ` + pick([]string{"and", "or"}) + ` value ` + pick(ops) + ` "` + pick([]string{"+49", "%", "1", " lead"}) + `"]`
		case depth > 0 && n < 19:
			return "not (" + leaf(depth-1) + ")"
		case depth > 0:
			return "(" + leaf(depth-1) + " " + pick([]string{"and", "or"}) + " " + leaf(depth-1) + ")"
		}
		return "userName pr"
	}
	tried := 0
	for range 250 {
		f := leaf(2)
		a := r.get("/Users", "filter", f, "count", "5000", "attributes", "userName")
		b := r.get("/Users", "filter", `(`+f+`) or userType eq "nobody is that"`, "count", "5000", "attributes", "userName")
		if a.status != b.status {
			t.Errorf("%s: %d by the backend, %d here: %s %s", f, a.status, b.status, clip(a.body), clip(b.body))
		}
		if a.status != 200 {
			continue
		}
		tried++
		x, y := a.names(), b.names()
		slices.Sort(x)
		slices.Sort(y)
		if !slices.Equal(x, y) || a.total() != len(x) {
			t.Errorf("%s: the backend finds %d of %d, the gateway %d: %v", f, len(x), a.total(), len(y), apart(x, y))
		}
	}
	if tried < 150 {
		t.Errorf("only %d filters were good", tried)
	}
	for _, by := range append(strs, "active", "meta.created", "meta.lastModified", "meta.location", "name.formatted", "addresses") {
		r.run("sorted by "+by, func() {
			a := r.get("/Users", "sortBy", by, "count", "5000", "attributes", "userName")
			b := r.get("/Users", "sortBy", by, "count", "5000", "attributes", "userName", "filter", `userName pr or userType eq "nobody is that"`)
			if a.status != b.status || a.status != 200 && a.status != 400 {
				r.t.Fatalf("status %d and %d: %s", a.status, b.status, clip(a.body))
			}
			if a.status == 200 && !slices.Equal(a.names(), b.names()) {
				r.t.Errorf("another order: %v", apart(a.names(), b.names()))
			}
		})
	}
}

// apart lists what is only in one of two lists, or the first place where
// they part.
func apart(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, "-"+s)
		}
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			out = append(out, "+"+s)
		}
	}
	for i := range min(len(a), len(b)) {
		if len(out) == 0 && a[i] != b[i] {
			return []string{fmt.Sprint("at ", i), a[i], b[i]}
		}
	}
	return out
}

// TestOddRecords reads and changes records that break the rules.
func TestOddRecords(t *testing.T) {
	r := stage(t, read(t, "../../examples/quickstart/postern.yaml"), read(t, "../../examples/quickstart/legacy.sql")+shiftKeys+oddities+`
PRAGMA foreign_keys = OFF;
PRAGMA ignore_check_constraints = ON;
INSERT INTO employee (emp_no, login, status, hired, changed, boss_no) VALUES (770003001, 'odd.date', 'A', 'yesterday', '', 770009999);
INSERT INTO employee (emp_no, login, status) VALUES (770003002, 'odd.status', 'X');
INSERT INTO employee (emp_no, login, first_name, job_title) VALUES (770003003, 'odd.types', 42, x'00ff');
INSERT INTO employee (emp_no, login) VALUES (770003004, 'ODD.Ä'), (770003005, 'odd.ä');
INSERT INTO employee (emp_no, login) VALUES (770003006, '');
INSERT INTO employee_role (emp_no, role_id) VALUES (770009998, 880000010), (770003001, 880009999);
`)
	r.serve()
	r.run("a list with all of them", func() {
		a := r.get("/Users", "count", "1000").want(200)
		if a.total() != 214 || len(a.items("Resources")) != 214 {
			r.t.Errorf("%d users, %d shown", a.total(), len(a.items("Resources")))
		}
		r.get("/Groups").want(200)
	})
	r.run("a date that is none, a manager who is none", func() {
		r.get("/Users/"+r.id("odd.date")).want(200).is("meta.created", "").is(enterpriseUser, "")
		r.patch("/Users/"+r.id("odd.date"), `{"op":"replace","path":"title","value":"t"}`).want(200).is("title", "t")
		r.holds("yesterday", "SELECT hired FROM employee WHERE login = 'odd.date'")
	})
	r.run("a code that is not in the table", func() {
		id := r.id("odd.status")
		r.get("/Users/"+id).want(200).is("active", "")
		r.get("/Users", "filter", `active eq true and userName eq "odd.status"`).is("totalResults", "0")
		r.get("/Users", "filter", `not (active pr) and userName eq "odd.status"`).is("totalResults", "1")
		r.patch("/Users/"+id, `{"op":"replace","path":"active","value":false}`).want(200).is("active", "false")
	})
	r.run("other types than declared", func() {
		if a := r.get("/Users/" + r.id("odd.types")); a.status != 200 {
			r.t.Errorf("status %d: %s", a.status, a.body)
		}
	})
	r.run("two that are one in SCIM", func() {
		a := r.get("/Users", "filter", `userName eq "odd.Ä"`).want(200).is("totalResults", "2")
		for _, u := range a.items("Resources") {
			r.patch("/Users/"+fmt.Sprint(u["id"]), `{"op":"replace","path":"title","value":"still possible"}`).want(200)
		}
		r.do("POST", "/Users", user("Odd.Ä", "")).want(409)
	})
	r.run("a change touches nothing else", func() {
		id := r.id("odd.empty")
		r.patch("/Users/"+id, `{"op":"replace","path":"title","value":"t"}`).want(200)
		r.holds("", "SELECT nick FROM employee WHERE login = 'odd.empty'") // and not NULL
		id = r.id("ODD.É")
		r.do("PUT", "/Users/"+id, strings.Replace(r.get("/Users/"+id).body, `"ODD.É"`, `"odd.é.renamed"`, 1)).want(200)
		r.holds(" lead|trail ", "SELECT mobile || '|' || city FROM employee WHERE emp_no = 770002003")
	})
}

// TestRemembered: with a cache, what the gateway writes is seen at once, also
// from the other side of a relation.
func TestRemembered(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "timeout: 5s", "timeout: 5s, cache: 1h", 1) })
	r.vars["ada"], r.vars["alan"] = r.id("ada.lovelace"), r.id("alan.turing")
	r.do("POST", "/Groups", group("cached", "")).want(201).keep(r, "g")
	r.do("POST", "/Users", user("cached", `,"`+enterpriseUser+`":{"manager":{"value":"{alan}"}}`)).want(201).keep(r, "u")
	look := func() (groups, members, manager string) {
		u, g := r.get("/Users/{u}").want(200), r.get("/Groups/{g}").want(200)
		m := u.at(enterpriseUser + ".manager.value")
		return strings.Join(u.values("groups", "value"), " "), strings.Join(g.values("members", "value"), " "), fmt.Sprint(m)
	}
	expect := func(groups, members, manager string) {
		r.t.Helper()
		for range 2 {
			if g, m, b := look(); g != r.expand(groups) || m != r.expand(members) || b != r.expand(manager) {
				r.t.Errorf("groups %q, members %q, manager %q", g, m, b)
			}
		}
	}
	r.run("before", func() { expect("", "", "{alan}") })
	r.run("added", func() {
		r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{u}"}]}`).want(200)
		expect("{g}", "{u}", "{alan}")
	})
	r.run("removed", func() {
		r.patch("/Groups/{g}", `{"op":"remove","path":"members"}`)
		expect("", "", "{alan}")
	})
	r.run("replaced", func() {
		r.do("PUT", "/Groups/{g}", group("cached", `,"members":[{"value":"{u}"}]`)).want(200)
		expect("{g}", "{u}", "{alan}")
	})
	r.run("renamed", func() {
		r.patch("/Users/{u}", `{"op":"replace","path":"userName","value":"cached2"}`).want(200)
		r.get("/Users/{u}").is("userName", "cached2")
		r.get("/Users", "filter", `userName eq "cached2"`).is("Resources.0.id", r.vars["u"])
	})
	r.run("the manager is deleted", func() {
		r.do("DELETE", "/Users/{alan}", "").want(204)
		expect("{g}", "{u}", "<nil>")
	})
	r.run("the group is deleted", func() {
		r.do("DELETE", "/Groups/{g}", "").want(204)
		r.get("/Groups/{g}").want(404)
		r.get("/Users/{u}").want(200).is("groups", "")
	})
	r.run("the user is deleted", func() {
		r.do("DELETE", "/Users/{u}", "").want(204)
		r.get("/Users/{u}").want(404)
		r.get("/Users", "filter", `userName eq "cached2"`).is("totalResults", "0")
	})
}
