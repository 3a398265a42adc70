package main

import (
	"fmt"
	"strings"
	"testing"
)

// What a backend has no room for is kept in the mapping table (Y-06, S-33, GW-09).

const keptSQL = `
CREATE TABLE person (nr INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT UNIQUE, shown TEXT, mail TEXT, role TEXT, secret TEXT);
CREATE TABLE team (nr INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE team_person (team INTEGER, person INTEGER, PRIMARY KEY (team, person));
INSERT INTO sqlite_sequence VALUES ('person', 770000000);
INSERT INTO person (login, shown, role) VALUES ('old', 'Old', 'boss');
`

const keptYAML = `
gateway: {listen: 127.0.0.1:0, limits: {scan: 50}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}, other: {token: other}}
backends: {hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}}
resources:
  User:
    extensions: [EnterpriseUser]
    target: {backend: hr, table: person, key: nr}
    attributes:
      userName: login
      displayName: shown
      password: {name: secret, out: value}
      emails[type eq "work"].value: mail
      emails[type eq "home"].value: {kept: true}
      active: {name: role, in: 'value != "none"', out: 'value ? (kept ?? "user") : "none"', default: true}
      nickName: {kept: true, uniqueness: server}
      userType: {kept: true, default: Employee}
      phoneNumbers: {kept: true}
      name: {kept: true}
      enterprise: {kept: true}
      enterprise:department: {kept: true, mutability: immutable}
      meta.created: {kept: true}
      meta.lastModified: {kept: true}
  Group:
    target: {backend: hr, table: team, key: nr}
    attributes:
      displayName: title
      members: {table: team_person, owner: team, member: person, refers: User}
      externalId: {kept: true}
      meta.lastModified: {kept: true}
`

func keptRig(t *testing.T) *rig {
	t.Helper()
	r := stage(t, strings.Replace(keptYAML, "      externalId: {kept: true}\n", "", 1), keptSQL)
	r.serve()
	return r
}

const keptUser = `,"displayName":"Ada","externalId":"x1","nickName":"Ady","name":{"givenName":"Ada","familyName":"L"},
"emails":[{"value":"a@work.test","type":"work"},{"value":"a@home.test","type":"home"}],
"phoneNumbers":[{"value":"1","type":"work","primary":true},{"value":"2","type":"fax"}],
"` + enterpriseUser + `":{"costCenter":"C 7","department":"R&D","employeeNumber":"0017"}`

func (r *rig) keptRows() string { return r.valueIn(r.open("postern.db"), "SELECT count(*) FROM kept") }

func TestKept(t *testing.T) {
	r := keptRig(t)
	a := r.do("POST", "/Users", user("ada", keptUser)).want(201).keep(r, "ada")
	created := fmt.Sprint(a.at("meta.created"))
	is := func(a *answer) *answer {
		t.Helper()
		return a.is("nickName", "Ady").is("userType", "Employee").is("name.familyName", "L").is("emails.1.value", "a@home.test").is("emails.1.type", "home").
			is("phoneNumbers.0.primary", "true").is("phoneNumbers.1.value", "2").is(enterpriseUser+".costCenter", "C 7").
			is(enterpriseUser+".employeeNumber", "0017").is("meta.created", created)
	}
	is(a).is("meta.lastModified", created)
	is(r.get("/Users/{ada}").want(200))
	if etag := r.get("/Users/{ada}").header.Get("ETag"); etag != a.header.Get("ETag") {
		t.Errorf("V-01: the version is %s after the create and %s then", a.header.Get("ETag"), etag)
	}
	r.run("the backend has none of it", func() {
		r.holds("ada|Ada|a@work.test|user", "SELECT login || '|' || shown || '|' || mail || '|' || role FROM person WHERE login = 'ada'")
	})
	r.run("found, counted, sorted", func() {
		for i := range 60 { // more than may be looked at
			r.sql("INSERT INTO person (login, shown, role) VALUES (?, ?, 'user')", fmt.Sprint("many", i), fmt.Sprint("Many ", i))
		}
		for _, f := range []string{`nickName eq "ADY"`, enterpriseUser + `:costCenter eq "c 7"`, `userName eq "ada" and nickName eq "ady"`,
			`userName eq "ada" and phoneNumbers.value eq "2"`, `userName eq "ada" and name.familyName sw "l"`, `userName eq "ada" and emails[type eq "home" and value co "home"]`,
			`userName eq "ada" and meta.created ge "` + created + `"`, `userName eq "ada" and schemas eq "` + enterpriseUser + `"`, `userName eq "ada" and not (nickName eq "x")`} {
			r.get("/Users", "filter", f).want(200).is("totalResults", "1").is("Resources.0.id", r.vars["ada"])
		}
		r.get("/Users", "filter", `nickName eq "nobody"`).want(200).is("totalResults", "0")
		r.get("/Users", "filter", `nickName ne "ady"`).want(200).is("totalResults", "61")
		r.get("/Users", "filter", `nickName co "a"`).want(400).is("scimType", "tooMany") // F-22: not answered in part
		r.get("/Users", "filter", `userName sw "many1" or nickName eq "ady"`, "sortBy", "nickName").want(200).is("totalResults", "12").is("Resources.0.userName", "ada")
	})
	r.run("changed", func() {
		r.patch("/Users/{ada}", `{"op":"replace","path":"nickName","value":"Countess"},{"op":"replace","path":"displayName","value":"Lady"},{"op":"remove","path":"phoneNumbers[type eq \"fax\"]"}`).
			want(200).is("nickName", "Countess").is("displayName", "Lady").is("phoneNumbers.1.value", "").is("meta.created", created)
		b := r.get("/Users/{ada}").is("nickName", "Countess").is(enterpriseUser+".costCenter", "C 7")
		if later := fmt.Sprint(b.at("meta.lastModified")); later <= created {
			t.Errorf("S-35: lastModified is %s, and it was created %s", later, created)
		}
		if c := r.patch("/Users/{ada}", `{"op":"replace","path":"nickName","value":"Countess"}`).want(200); c.at("meta.lastModified") != b.at("meta.lastModified") {
			t.Error("P-12: a change of nothing is none")
		}
		r.patch("/Users/{ada}", `{"op":"replace","path":"`+enterpriseUser+`:department","value":"Sales"}`).want(400).is("scimType", "mutability")
		r.do("PATCH", "/Users/{ada}", patchOf(`{"op":"add","path":"nickName","value":"X"}`), `If-Match: `+a.header.Get("ETag")).want(412)
		r.do("PATCH", "/Users/{ada}", patchOf(`{"op":"add","path":"nickName","value":"X"}`), `If-Match: `+b.header.Get("ETag")).want(200).is("nickName", "X")
		r.do("PUT", "/Users/{ada}", user("ada", `,"displayName":"Ada","`+enterpriseUser+`":{"department":"R&D"}`)).want(200).is("nickName", "").is("userType", "Employee").is("name", "").is("emails", "")
		r.get("/Users/{ada}").is("nickName", "").is("phoneNumbers", "").is(enterpriseUser+".costCenter", "").is(enterpriseUser+".department", "R&D").is("externalId", "")
	})
	r.run("unique", func() {
		r.patch("/Users/{ada}", `{"op":"add","path":"nickName","value":"Ady"}`).want(200)
		r.do("POST", "/Users", user("bob", `,"nickName":"aDY"`)).want(409).is("scimType", "uniqueness")
		r.do("POST", "/Users", user("bob", `,"nickName":"bobby"`)).want(201).keep(r, "bob")
		r.patch("/Users/{bob}", `{"op":"add","path":"nickName","value":"ADY"}`).want(409).is("scimType", "uniqueness")
		r.patch("/Users/{bob}", `{"op":"add","path":"nickName","value":"BOBBY"}`).want(200)
	})
	r.run("other clients", func() {
		r.token = "other"
		defer func() { r.token = "quickstart" }()
		o := r.get("/Users", "filter", `nickName eq "ady"`).want(200).is("totalResults", "1").is("Resources.0.externalId", "").is("Resources.0.meta.created", created)
		if o.at("Resources.0.id") == r.vars["ada"] {
			t.Error("two clients have one id")
		}
	})
	r.run("deleted", func() {
		r.do("DELETE", "/Users/{ada}", "").want(204)
		r.do("DELETE", "/Users/{bob}", "").want(204)
		if n := r.keptRows(); n != "0" {
			t.Errorf("%s values stay behind", n)
		}
		if n := r.valueIn(r.open("postern.db"), "SELECT count(*) FROM external_id WHERE externalid IS NOT NULL"); n != "0" {
			t.Errorf("%s externalIds stay behind", n)
		}
		r.do("POST", "/Users", user("cyd", `,"nickName":"Ady"`)).want(201)
	})
}

// TestKeptAtFirstSight: times are those that every later look sees.
func TestKeptAtFirstSight(t *testing.T) {
	r := keptRig(t)
	first := r.get("/Users").want(200)
	if again := r.get("/Users").want(200); fmt.Sprint(first.at("Resources.0.meta.created")) == "<nil>" || first.body != again.body {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	r.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Team"}`).want(201).keep(r, "g")
	r.vars["u"] = r.id("old")
	before := fmt.Sprint(r.get("/Groups/{g}").at("meta.lastModified"))
	r.patch("/Groups/{g}", `{"op":"add","path":"members","value":[{"value":"{u}"}]}`)
	if after := fmt.Sprint(r.get("/Groups/{g}").at("meta.lastModified")); after <= before {
		t.Errorf("S-35: a member came, and lastModified is %s as before (%s)", after, before)
	}
}

// TestKeptStatements: what is kept of a page is read in one statement.
func TestKeptStatements(t *testing.T) {
	r := keptRig(t)
	for i := range 40 {
		r.do("POST", "/Users", user(fmt.Sprint("u", i), fmt.Sprintf(`,"nickName":"n%d"`, i))).want(201).keep(r, "u")
	}
	for _, c := range []struct {
		method, path, body string
		ids                int
	}{
		{"GET", `/Users?count=40&filter=userName sw "u"`, "", 2},
		{"GET", `/Users?count=40&filter=userName sw "u"&attributes=userName`, "", 1},
		{"GET", "/Users/{u}", "", 2},
		{"GET", "/Users/{u}?attributes=userName", "", 1},
		{"GET", `/Users?filter=nickName eq "n7"`, "", 3},
		{"PATCH", "/Users/{u}", patchOf(`{"op":"replace","path":"displayName","value":"S"}`), 8},
	} {
		r.run(c.method+" "+c.path, func() {
			sent := r.ids.during(func() { r.do(c.method, c.path, c.body).want(200) })
			if len(sent) != c.ids {
				r.t.Errorf("%d statements, not %d:\n%s", len(sent), c.ids, strings.Join(sent, "\n"))
			}
		})
	}
}

// TestKeptMoves: what is kept goes where the record goes.
func TestKeptMoves(t *testing.T) {
	r := keptRig(t)
	r.do("POST", "/Users", user("a", `,"nickName":"first","userType":"A"`)).want(201).keep(r, "a")
	r.do("POST", "/Users", user("b", `,"nickName":"second","externalId":"xb"`)).want(201).keep(r, "b")
	r.admins("merge", "--json", "--keep", r.vars["a"], "--drop", r.vars["b"], "--record", "keep", "--why", "same")
	r.get("/Users/{a}").want(200).is("nickName", "first").is("userType", "A").is("externalId", "")
	r.get("/Users/{b}").want(200).is("nickName", "first").is("id", r.vars["a"])
	r.get("/Users", "filter", `nickName eq "second"`).want(200).is("totalResults", "0")
	r.patch("/Users/{a}", `{"op":"replace","path":"active","value":false}`).want(200)
	r.holds("none none", "SELECT group_concat(role, ' ') FROM person WHERE login IN ('a', 'b')")
	r.admins("undo", "--why", "not the same", "--json", strings.TrimSpace(r.valueIn(r.open("postern.db"), "SELECT max(nr) FROM move")))
	r.get("/Users/{b}").want(200).is("nickName", "second").is("userType", "Employee").is("active", "false").is("externalId", "xb")
	r.get("/Users/{a}").want(200).is("nickName", "first")
	r.admins("merge", "--json", "--keep", r.vars["a"], "--drop", r.vars["b"], "--record", "delete", "--why", "same")
	r.get("/Users/{a}").want(200).is("nickName", "first")
	r.run("a record that is deleted takes it along", func() {
		if n := r.valueIn(r.open("postern.db"), "SELECT count(DISTINCT link) FROM kept"); n != "1" {
			t.Errorf("of %s records something is kept", n)
		}
	})
}

// TestKeptActive: a backend without a flag, whose field is changed instead, and gets
// back what it held (row 29 of the capabilities).
func TestKeptActive(t *testing.T) {
	r := keptRig(t)
	r.vars["u"] = r.id("old")
	active := func(to, shows, role string) {
		t.Helper()
		r.patch("/Users/{u}", `{"op":"replace","path":"active","value":`+to+`}`).want(200).is("active", shows)
		r.get("/Users/{u}").want(200).is("active", shows)
		r.holds(role, "SELECT role FROM person WHERE login = 'old'")
	}
	active("false", "false", "none")
	active("false", "false", "none")
	active("true", "true", "boss")
	r.sql("UPDATE person SET role = 'clerk' WHERE login = 'old'") // promoted elsewhere
	active("false", "false", "none")
	active("true", "true", "clerk")
	r.sql("UPDATE person SET role = 'none' WHERE login = 'old'") // locked elsewhere
	active("true", "true", "clerk")
	r.do("POST", "/Users", user("new", `,"active":false`)).want(201).is("active", "false").keep(r, "u")
	r.patch("/Users/{u}", `{"op":"replace","path":"active","value":true}`).want(200).is("active", "true")
	r.holds("user", "SELECT role FROM person WHERE login = 'new'")
	r.get("/Users", "filter", `userName eq "new" and active eq true`).want(200).is("totalResults", "1")
}
