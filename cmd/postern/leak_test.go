package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Built-in accounts are neither shown nor touched, and no answer says a backend's
// key or a backend's word; the rig listens for keys during every test.

// builtin is what a client must never read.
var builtin = []string{"Administrator", "Nightly batch", `"root"`, `"batch"`}

func (r *rig) unseen(a *answer) *answer {
	r.t.Helper()
	for _, s := range builtin {
		if strings.Contains(a.body, s) {
			r.t.Errorf("an answer shows %s: %s", s, clip(a.body))
		}
	}
	return a
}

func TestBuiltinAccounts(t *testing.T) {
	r := start(t)
	before := r.lines("SELECT emp_no, login, shown_as, status, kind, changed, boss_no FROM employee WHERE kind = 'builtin' ORDER BY emp_no")
	memberships := r.lines("SELECT emp_no, role_id FROM employee_role WHERE emp_no IN (770000001, 770000002) ORDER BY emp_no, role_id")
	r.run("lists and totals", func() {
		if a := r.unseen(r.get("/Users", "count", "1000")); a.total() != 200 || len(a.names()) != 200 {
			r.t.Errorf("%d users, %d shown", a.total(), len(a.names()))
		}
		for f, want := range map[string]string{
			`userName eq "root"`: "0", `userName sw "r" and displayName co "dmin"`: "0", `not (userName ne "batch")`: "0", `userName pr`: "200",
			`displayName eq "Nightly batch"`: "0", `not (name.familyName pr)`: "0", `emails pr or not (emails pr)`: "200", `userType pr`: "200",
			`meta.created lt "2009-03-02T08:30:00Z"`: "0", `not (manager pr) and not (title pr)`: "0", `userType ne "x" and name.givenName eq null`: "0",
		} {
			r.unseen(r.get("/Users", "filter", f).want(200)).is("totalResults", want)
		}
		for _, by := range []string{"userName", "displayName", "meta.created", "userType", "name.familyName", "id"} {
			for _, order := range []string{"ascending", "descending"} {
				r.unseen(r.get("/Users", "sortBy", by, "sortOrder", order, "count", "1000")).is("totalResults", "200")
			}
		}
	})
	r.run("members and groups", func() {
		a := r.unseen(r.get("/Groups", "count", "100"))
		for _, g := range a.items("Resources") {
			role := r.value("SELECT count(*) FROM employee_role JOIN role USING (role_id) JOIN employee USING (emp_no) WHERE title = ? AND kind <> 'builtin'", g["displayName"])
			members, _ := g["members"].([]any)
			if fmt.Sprint(len(members)) != role {
				r.t.Errorf("%v shows %d members, want %s", g["displayName"], len(members), role)
			}
		}
		if n := len(r.get("/Groups/" + r.groupID("Staff")).items("members")); n != 200 {
			r.t.Errorf("Staff has %d members", n)
		}
	})
	r.run("manager", func() {
		r.sql("UPDATE employee SET boss_no = 770000001 WHERE login = 'alan.turing'")
		alan := r.id("alan.turing")
		r.get("/Users/"+alan).is(enterpriseUser+".manager", "").is(enterpriseUser+".department", "Sales")
		r.get("/Users", "filter", `userName eq "alan.turing"`).is("Resources.0."+enterpriseUser+".manager", "")
		r.get("/Users", "filter", `manager pr and userName eq "alan.turing"`).is("totalResults", "0")
		r.get("/Users", "filter", `manager eq null and userName eq "alan.turing"`).is("totalResults", "1")
		r.patch("/Users/"+alan, `{"op":"replace","path":"title","value":"T"}`).want(200)
		r.holds("770000001", "SELECT boss_no FROM employee WHERE login = 'alan.turing'") // what was not shown was not changed
	})
	r.run("uniqueness", func() {
		for _, n := range []string{"root", "ROOT", "Batch"} {
			r.do("POST", "/Users", user(n, "")).want(409).is("scimType", "uniqueness")
		}
		r.patch("/Users/"+r.id("ada.lovelace"), `{"op":"replace","path":"userName","value":"root"}`).want(409)
	})
	r.run("a client cannot make one", func() {
		a := r.do("POST", "/Users", user("mine", `,"kind":"builtin"`)).want(201).keep(r, "mine")
		r.patch("/Users/{mine}", `{"op":"add","value":{"kind":"builtin"}}`)
		r.holds("staff", "SELECT kind FROM employee WHERE login = 'mine'")
		if strings.Contains(a.body, "kind") {
			r.t.Error("an unmapped column is shown")
		}
	})
	r.run("identities", func() {
		if s := r.dump("postern.db"); strings.Contains(s, "770000001") || strings.Contains(s, "770000002") {
			r.t.Error("a built-in account has an identity")
		}
	})
	if after := r.lines("SELECT emp_no, login, shown_as, status, kind, changed, boss_no FROM employee WHERE kind = 'builtin' ORDER BY emp_no"); after != before {
		t.Errorf("built-in accounts have changed:\n%s\n%s", before, after)
	}
	if after := r.lines("SELECT emp_no, role_id FROM employee_role WHERE emp_no IN (770000001, 770000002) ORDER BY emp_no, role_id"); after != memberships {
		t.Errorf("memberships of built-in accounts have changed:\n%s\n%s", memberships, after)
	}
}

// TestBecomesBuiltin hides an account that clients know already.
func TestBecomesBuiltin(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "timeout: 5s", "timeout: 5s, cache: 1ms", 1) })
	max, ada := r.id("max.obrien"), r.id("ada.lovelace")
	r.vars["max"], r.vars["ada"] = max, ada
	r.do("POST", "/Groups", group("b1", `,"members":[{"value":"{max}"},{"value":"{ada}"}]`)).want(201).keep(r, "g")
	r.do("POST", "/Users", user("b2", `,"`+enterpriseUser+`":{"manager":{"value":"{max}"}}`)).want(201).keep(r, "b2")
	r.get("/Users", "count", "1000")
	r.get("/Groups", "count", "1000")
	r.sql("UPDATE employee SET kind = 'builtin' WHERE login = 'max.obrien'")
	key := r.value("SELECT emp_no FROM employee WHERE login = 'max.obrien'")
	row := func() string {
		return r.lines("SELECT emp_no, login, first_name, status, kind, changed, job_title FROM employee WHERE login = 'max.obrien'") +
			r.lines("SELECT role_id FROM employee_role WHERE emp_no = ? ORDER BY role_id", key)
	}
	before := row()
	r.run("reads", func() {
		r.get("/Users/{max}").want(404)
		r.get("/Users", "filter", `id eq "{max}"`).want(200).is("totalResults", "0")
		r.get("/Users", "filter", `userName eq "max.obrien"`).is("totalResults", "0")
		r.get("/Users", "filter", `not (id ne "{max}")`).is("totalResults", "0")
		if a := r.get("/Users", "count", "1000"); slices.Contains(a.names(), "max.obrien") || a.total() != 200 {
			r.t.Errorf("it is listed, or counted: %d", a.total())
		}
	})
	r.run("references", func() {
		if got := r.get("/Groups/{g}").values("members", "value"); !slices.Equal(got, []string{ada}) {
			r.t.Errorf("members are %v", got)
		}
		r.get("/Groups", "filter", `members eq "{max}"`).is("totalResults", "0")
		r.get("/Groups", "filter", `members[value eq "{max}"]`).is("totalResults", "0")
		r.get("/Users/{b2}").is(enterpriseUser+".manager", "")
		r.get("/Users", "filter", `manager eq "{max}"`).is("totalResults", "0")
		r.get("/Users", "filter", `manager.value eq "{max}" or userName eq "b2"`).is("totalResults", "1")
	})
	r.run("writes", func() {
		r.do("PUT", "/Users/{max}", user("max.obrien", `,"title":"owned"`)).want(404)
		for _, op := range []string{`{"op":"replace","path":"title","value":"owned"}`, `{"op":"replace","path":"active","value":false}`, `{"op":"replace","path":"externalId","value":"x"}`, `{"op":"remove","path":"nickName"}`} {
			r.patch("/Users/{max}", op).want(404)
		}
		r.do("DELETE", "/Users/{max}", "").want(404)
		r.get("/Users", "filter", `externalId eq "x"`).is("totalResults", "0")
	})
	r.run("memberships", func() {
		vpn := r.groupID("VPN")
		had := r.value("SELECT count(*) FROM employee_role WHERE emp_no = ?", key)
		for _, ops := range []string{
			`{"op":"add","path":"members","value":[{"value":"{max}"}]}`,
			`{"op":"add","path":"members","value":[{"value":"{ada}"},{"value":"{max}"}]}`,
			`{"op":"add","value":{"members":[{"value":"{max}"}],"displayName":"VPN"}}`,
		} {
			if a := r.patch("/Groups/"+vpn, ops); a.status != 400 {
				r.t.Errorf("%s: status %d", ops, a.status)
			}
		}
		r.do("POST", "/Groups", group("b3", `,"members":[{"value":"{max}"}]`)).want(400)
		r.do("PUT", "/Groups/{g}", group("b1", `,"members":[{"value":"{ada}"},{"value":"{max}"}]`)).want(400)
		for _, ops := range []string{
			`{"op":"remove","path":"members","value":[{"value":"{max}"}]}`,
			`{"op":"remove","path":"members[value eq \"{max}\"]"}`,
			`{"op":"replace","path":"members","value":[{"value":"{ada}"}]}`,
			`{"op":"remove","path":"members"}`,
			`{"op":"add","path":"members","value":[{"value":"{ada}"}]}`,
		} {
			if a := r.patch("/Groups/{g}", ops); a.status >= 500 {
				r.t.Errorf("%s: status %d", ops, a.status)
			}
		}
		r.do("PUT", "/Groups/{g}", group("b1", `,"members":[{"value":"{ada}"}]`)).want(200)
		r.do("PUT", "/Groups/{g}", group("b1", ``)).want(200)
		if has := r.value("SELECT count(*) FROM employee_role WHERE emp_no = ?", key); has != had {
			r.t.Errorf("%s memberships, there were %s", has, had)
		}
	})
	r.run("as manager", func() {
		r.patch("/Users/{ada}", `{"op":"add","path":"`+enterpriseUser+`:manager","value":"{max}"}`).want(400).is("scimType", "invalidValue")
		r.do("POST", "/Users", user("b4", `,"`+enterpriseUser+`":{"manager":{"value":"{max}"}}`)).want(400)
		r.patch("/Users/{b2}", `{"op":"replace","path":"title","value":"t"}`).want(200)
		r.holds(key, "SELECT boss_no FROM employee WHERE login = 'b2'") // not shown, and not changed
	})
	if after := row(); after != before {
		t.Errorf("the account has changed:\n%s\n%s", before, after)
	}
	r.run("and back", func() {
		r.sql("UPDATE employee SET kind = 'staff' WHERE login = 'max.obrien'")
		if r.id("max.obrien") != max {
			r.t.Error("S-32: who was out of scope for a while has another id")
		}
		r.patch("/Users/{max}", `{"op":"replace","path":"title","value":"back"}`).want(200) // who is shown is remembered for seconds, but not past own writes
		r.get("/Users/{b2}").is(enterpriseUser+".manager.value", max)
		r.get("/Users", "count", "0").is("totalResults", "201")
	})
}

// TestNoWordOfTheBackend goes through every endpoint, with success and without,
// and looks for the backend's words: names of tables and columns, codes, dialect.
func TestNoWordOfTheBackend(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "timeout: 5s", "timeout: 1s, breaker: {open: 1s}", 1) })
	ada, staff := r.id("ada.lovelace"), r.groupID("Staff")
	r.vars["ada"], r.vars["staff"] = ada, staff
	words := []string{"emp_no", "role_id", "first_name", "boss_no", "employee_role", "shown_as", "job_title", "legacy.db", "sqlite", "constraint", "select ", "unique index", "badge_no", "go-sqlite3", "database is", "panic", "goroutine", r.dir}
	every := func() {
		for _, c := range [][3]string{
			{"GET", "/Users", ""}, {"GET", "/Users?count=1000", ""}, {"GET", "/Users/{ada}", ""}, {"GET", "/Groups", ""}, {"GET", "/Groups/{staff}", ""}, {"GET", "/Groups/{staff}?excludedAttributes=members", ""},
			{"GET", "/Schemas", ""}, {"GET", "/ResourceTypes", ""}, {"GET", "/ServiceProviderConfig", ""}, {"GET", "/Me", ""}, {"GET", "/Nowhere", ""},
			{"GET", `/Users?filter=login eq "x"`, ""}, {"GET", `/Users?filter=userName eq "ada.lovelace"`, ""}, {"GET", `/Users?filter=userType eq "x"`, ""}, {"GET", `/Users?sortBy=login`, ""},
			{"POST", "/Users", user("ada.lovelace", "")}, {"POST", "/Users", user("word", `,"active":null`)}, {"POST", "/Users", user("word", `,"addresses":[{"type":"home","locality":"x"}]`)},
			{"POST", "/Groups", group("Staff", "")}, {"POST", "/Groups", group("w", `,"members":[{"value":"x"}]`)},
			{"PUT", "/Users/{ada}", user("ada.lovelace", `,"active":null`)}, {"PUT", "/Users/{ada}", user("alan.turing", `,"active":true`)}, {"PUT", "/Groups/{staff}", group("VPN", "")},
			{"PATCH", "/Users/{ada}", `{` + patchOp + `,"Operations":[{"op":"remove","path":"active"}]}`},
			{"PATCH", "/Users/{ada}", `{` + patchOp + `,"Operations":[{"op":"replace","path":"userName","value":"alan.turing"}]}`},
			{"PATCH", "/Groups/{staff}", `{` + patchOp + `,"Operations":[{"op":"add","path":"members","value":[{"value":"{ada}"}]}]}`},
			{"PATCH", "/Groups/{staff}", `{` + patchOp + `,"Operations":[{"op":"replace","path":"displayName","value":"VPN"}]}`},
			{"DELETE", "/Users/none", ""}, {"POST", "/Bulk", "{}"}, {"PUT", "/Users", "{}"},
		} {
			a := r.do(c[0], c[1], c[2])
			for _, w := range words {
				if strings.Contains(strings.ToLower(a.body), w) {
					r.t.Errorf("%s %s: the answer says %q: %s", c[0], c[1], w, clip(a.body))
				}
			}
		}
	}
	every()
	r.run("while another program holds the database", func() {
		db := r.open("legacy.db")
		if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
			r.t.Fatal(err)
		}
		for _, c := range [][3]string{{"POST", "/Users", user("locked", "")}, {"GET", "/Users/{ada}", ""}} {
			a := r.do(c[0], c[1], c[2])
			for _, w := range words {
				if strings.Contains(strings.ToLower(a.body), w) {
					r.t.Errorf("%s %s: the answer says %q: %s", c[0], c[1], w, clip(a.body))
				}
			}
		}
	})
	log := strings.ToLower(r.log.take())
	for _, w := range []string{"emp_no", "role_id", "boss_no", "select ", "ada.lovelace", strings.ToLower(ada), strings.ToLower(staff), "alan.turing"} {
		if strings.Contains(log, w) {
			t.Errorf("the log at info level says %q", w)
		}
	}
}

// TestDebugLog: at debug level a backend's own words are allowed, but no token.
func TestDebugLog(t *testing.T) {
	r := prepare(t, func(y string) string {
		return strings.Replace(y, "  admin:", "  log: {level: debug, format: json}\n  admin:", 1)
	})
	r.private = true
	r.serve()
	r.do("POST", "/Users", user("debug", `,"title":"secret-title"`)).want(201)
	r.do("POST", "/Users", user("debug", "")).want(409)
	r.do("GET", "/Users", "", "Authorization: Bearer wrong-token").want(401)
	log := r.log.take()
	if !strings.Contains(log, `"level":"DEBUG"`) || !strings.Contains(log, `"request":"`) {
		t.Error("nothing is logged at debug level")
	}
	for _, s := range []string{"secret-title", "wrong-token", "Bearer"} {
		if strings.Contains(log, s) {
			t.Errorf("the log has %q", s)
		}
	}
}
