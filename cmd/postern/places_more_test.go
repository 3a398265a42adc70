package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

const sharedGroupsYAML = `
gateway: {listen: 127.0.0.1:0, log: {level: debug}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  agency: {type: sql, dsn: "sqlite:state/agency.db", init: agency.sql}
  wiki: {type: sql, dsn: "sqlite:state/wiki.db", init: wiki.sql}
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no}
    places:
      agency: {when: 'resource.userType == "Contractor"', backend: agency, table: contractor, key: id, names: {login: user_name}, lacks: [password]}
      guests: {when: 'resource.userType == "Guest"', backend: agency, table: guest, key: id, names: {login: user_name}}
    moving: {left: delete MORE}
    attributes:
      userName: login
      password: {name: pw, out: '"hash of " + value'}
      active: {name: status, values: {A: true, L: false}}
      userType: kind
  Group:
    target: {backend: wiki, table: space, key: id}
    attributes:
      displayName: title
      members: {table: space_user, owner: space, member: person, refers: User}
`

func sharedGroups(t *testing.T, more string) *rig {
	r := staged(t, strings.Replace(sharedGroupsYAML, " MORE", more, 1), `
CREATE TABLE employee (emp_no INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, pw TEXT, status TEXT NOT NULL DEFAULT 'A', kind TEXT);
INSERT INTO employee VALUES (770000001, 'ada', 'old', 'A', 'Employee'), (770000002, 'bob', 'old', 'A', 'Employee');`)
	write(t, r.path("agency.sql"), `
CREATE TABLE contractor (id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL UNIQUE, status TEXT NOT NULL DEFAULT 'A', kind TEXT NOT NULL);
CREATE TABLE guest (id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL UNIQUE, pw TEXT, status TEXT NOT NULL DEFAULT 'A', kind TEXT NOT NULL);
INSERT INTO contractor VALUES (990000001, 'cyd', 'A', 'Contractor');`)
	write(t, r.path("wiki.sql"), `
CREATE TABLE space (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE);
CREATE TABLE space_user (space INTEGER NOT NULL, person TEXT NOT NULL, PRIMARY KEY (space, person));
INSERT INTO space VALUES (880000001, 'Core'), (880000002, 'Other');
INSERT INTO space_user VALUES (880000001, '770000001'), (880000002, '770000001'), (880000001, '770000002');`)
	r.serve()
	r.vars["ada"], r.vars["bob"], r.vars["cyd"], r.vars["core"] = r.id("ada"), r.id("bob"), r.id("cyd"), r.groupID("Core")
	return r
}

func (r *rig) kind(who, kind, more string) *answer {
	r.t.Helper()
	return r.do("PATCH", "/Users/{"+who+"}", patchOf(`{"op":"replace","value":{"userType":"`+kind+`"`+more+`}}`))
}

// TestPlacesGroups: groups that live elsewhere have members of all places, and keep
// those that move.
func TestPlacesGroups(t *testing.T) {
	r := sharedGroups(t, "")
	r.get("/Groups/{core}").want(200).is("members.0.value", r.vars["ada"]).is("members.1.value", r.vars["bob"])
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"add","path":"members","value":[{"value":"{cyd}"}]}`)).want(200)
	for _, kind := range []string{"Contractor", "Guest", "Contractor"} {
		more := ""
		if kind == "Guest" {
			more = `,"password":"Secret!123"`
		}
		r.kind("ada", kind, more).want(200).is("userType", kind).is("id", r.vars["ada"])
		r.get("/Groups", "filter", `members.value eq "{ada}"`).want(200).is("totalResults", "2")
		r.get("/Groups/{core}").want(200).is("members.2.value", r.vars["ada"]).is("members.3", "")
	}
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"remove","path":"members[value eq \"{ada}\"]"}`)).want(200)
	r.get("/Groups", "filter", `members.value eq "{ada}"`).want(200).is("totalResults", "1")
	r.do("DELETE", "/Users/{ada}", "").want(204)
	r.get("/Groups/{core}").want(200).is("members.0.value", r.vars["bob"]).is("members.1.value", r.vars["cyd"]).is("members.2", "")
}

// TestPlacesPassword: it cannot be taken along.
func TestPlacesPassword(t *testing.T) {
	r := sharedGroups(t, "")
	r.kind("bob", "Guest", "").want(400).is("scimType", "invalidValue")
	r.holds("2", "SELECT count(*) FROM employee")
	r.kind("bob", "Guest", `,"password":"Secret!123"`).want(200).is("password", "")
	r.agency("hash of Secret!123", "SELECT pw FROM guest WHERE user_name = 'bob'")
	r.kind("bob", "Contractor", `,"password":"Secret!123"`).want(400).is("scimType", "invalidValue") // no room for it
	r.kind("bob", "Contractor", "").want(200)
	r.kind("bob", "Employee", "").want(400)
	r.agency("bob;cyd", "SELECT user_name FROM contractor ORDER BY user_name")
}

func TestPlacesWithoutPassword(t *testing.T) {
	r := sharedGroups(t, ", password: without")
	r.kind("bob", "Guest", "").want(200)
	r.agency("none", "SELECT coalesce(pw, 'none') FROM guest WHERE user_name = 'bob'")
}

// TestPlacesLeftBehind: the old record cannot be deleted yet. The resource is in its
// new place all the same, once, and the rest is carried on.
func TestPlacesLeftBehind(t *testing.T) {
	r := sharedGroups(t, "")
	db := r.open("legacy.db")
	if _, err := db.Exec("CREATE TRIGGER stays BEFORE DELETE ON employee BEGIN SELECT RAISE(ABORT, 'not now'); END"); err != nil {
		t.Fatal(err)
	}
	r.kind("bob", "Contractor", "").want(200).is("userType", "Contractor")
	r.get("/Users").want(200).is("totalResults", "3")
	r.get("/Users", "filter", `userName eq "bob"`).want(200).is("totalResults", "1").is("Resources.0.userType", "Contractor")
	r.holds("2", "SELECT count(*) FROM employee")
	if out, _, _ := r.journal("list"); !strings.Contains(out, "User") {
		t.Errorf("nothing is written down: %s", out)
	}
	r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"replace","path":"active","value":false}`)).want(200)
	r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"replace","path":"active","value":true}`)).want(200)
	if _, err := db.Exec("DROP TRIGGER stays"); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); r.value("SELECT count(*) FROM employee") != "1"; time.Sleep(50 * time.Millisecond) {
		if out, errs, _ := r.journal("retry", "--all"); time.Now().After(until) {
			t.Fatalf("the old record stays: %s %s", out, errs)
		}
	}
	r.get("/Users/{bob}").want(200).is("userType", "Contractor").is("active", "true")
	r.agency("bob A;cyd A", "SELECT user_name || ' ' || status FROM contractor ORDER BY user_name")
}

// TestPlacesRefusedThere: the new place refuses, and nothing has changed.
func TestPlacesRefusedThere(t *testing.T) {
	r := sharedGroups(t, "")
	db := r.open("agency.db")
	if _, err := db.Exec("CREATE TRIGGER full BEFORE INSERT ON contractor BEGIN SELECT RAISE(ABORT, 'full'); END; INSERT INTO guest (user_name, kind) VALUES ('BOB', 'Guest')"); err != nil {
		t.Fatal(err)
	}
	if a := r.kind("bob", "Contractor", `,"userName":"robert"`); a.status < 400 {
		t.Errorf("%d %s", a.status, a.body)
	}
	r.kind("bob", "Guest", `,"password":"Secret!123"`).want(409).is("scimType", "uniqueness") // of somebody whom nobody told us of
	r.get("/Users/{bob}").want(200).is("userType", "Employee").is("userName", "bob")
	r.agency("cyd", "SELECT user_name FROM contractor")
	r.holds("2", "SELECT count(*) FROM employee")
	if out, _, _ := r.journal("list", "--json"); strings.TrimSpace(out) != "[]" && strings.TrimSpace(out) != "null" {
		t.Errorf("something is left: %s", out)
	}
}

// TestPlacesBehindOurBack: a record that by the rule would be elsewhere is read where it
// is, and goes there with the next change.
func TestPlacesBehindOurBack(t *testing.T) {
	r := sharedGroups(t, "")
	if _, err := r.open("legacy.db").Exec("UPDATE employee SET kind = 'Contractor' WHERE login = 'bob'"); err != nil {
		t.Fatal(err)
	}
	r.get("/Users/{bob}").want(200).is("userType", "Contractor")
	r.get("/Users", "filter", `userType eq "Contractor"`).want(200).is("totalResults", "2")
	r.holds("2", "SELECT count(*) FROM employee")
	r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"replace","path":"active","value":false}`)).want(200).is("active", "false")
	r.holds("1", "SELECT count(*) FROM employee")
	r.agency("bob L;cyd A", "SELECT user_name || ' ' || status FROM contractor ORDER BY user_name")
	out, errs, status := r.command("identities", "scan", "--config", r.path("postern.yaml"), "--type", "User")
	if status != 0 || !strings.Contains(out, "3") {
		t.Errorf("scan: %d %s %s", status, out, errs)
	}
	r.get("/Users").want(200).is("totalResults", "3")
}

// TestPlacesAtOnce: several clients move one person at the same time, by PATCH and PUT.
func TestPlacesAtOnce(t *testing.T) {
	r := sharedGroups(t, ", password: without")
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			for i := range 8 {
				kind := []string{"Employee", "Contractor", "Guest"}[(n+i)%3]
				method, body := "PATCH", patchOf(`{"op":"replace","path":"userType","value":"`+kind+`"}`)
				if i%2 == 0 {
					method, body = "PUT", user("bob", `,"userType":"`+kind+`","active":true`)
				}
				a, err := r.send(method, "/Users/"+r.vars["bob"], body)
				if err != nil || a.status != 200 || a.at("userType") != kind {
					t.Errorf("%v %+v", err, a)
				}
				if a, err := r.send("GET", `/Users?filter=userName eq "bob"`, ""); err != nil || a.status != 200 || a.total() != 1 && i < 7 {
					t.Errorf("%v %s", err, a.body)
				}
			}
		})
	}
	all.Wait()
	r.get("/Users").want(200).is("totalResults", "3")
	r.get("/Users/{bob}").want(200).is("userName", "bob")
	r.get("/Groups/{core}").want(200).is("members.1.value", r.vars["bob"]).is("members.2", "")
	employees := r.value("SELECT count(*) FROM employee WHERE login = 'bob'")
	db := r.open("agency.db")
	others := r.column(db, "SELECT user_name FROM contractor WHERE user_name = 'bob' UNION ALL SELECT user_name FROM guest WHERE user_name = 'bob'")
	if want := map[string]int{"0": 1, "1": 0}[employees]; len(others) != want {
		t.Errorf("bob is there %s and %d times", employees, len(others))
	}
	if out, _, _ := r.journal("list", "--json"); strings.TrimSpace(out) != "[]" && strings.TrimSpace(out) != "null" {
		t.Errorf("something is left: %s", out)
	}
}

// TestPlacesOfGroups: a group moves with its members.
func TestPlacesOfGroups(t *testing.T) {
	const tables = `CREATE TABLE team (no INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL UNIQUE);
CREATE TABLE team_employee (team INTEGER NOT NULL, employee TEXT NOT NULL, PRIMARY KEY (team, employee));`
	r := staged(t, `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  agency: {type: sql, dsn: "sqlite:state/agency.db", init: agency.sql}
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no}
    attributes: {userName: login}
  Group:
    target: {backend: hr, table: team, key: "no"}
    places:
      outside: {when: 'resource.displayName startsWith "x-"', backend: agency, table: team, key: "no"}
    attributes:
      displayName: title
      members: {table: team_employee, owner: team, member: employee, refers: User}
`, tables+`CREATE TABLE employee (emp_no INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE); INSERT INTO employee VALUES (770000001, 'ada'), (770000002, 'bob');`)
	write(t, r.path("agency.sql"), tables)
	r.serve()
	r.vars["ada"], r.vars["bob"] = r.id("ada"), r.id("bob")
	r.do("POST", "/Groups", group("core", `,"members":[{"value":"{ada}"}]`)).want(201).keep(r, "core")
	for _, name := range []string{"x-core", "core", "x-core"} {
		r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"replace","path":"displayName","value":"`+name+`"}`)).want(200).is("displayName", name).is("members.0.value", r.vars["ada"]).is("members.1", "")
	}
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"add","path":"members","value":[{"value":"{bob}"}]}`)).want(200)
	r.get("/Groups/{core}").want(200).is("members.1.value", r.vars["bob"])
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"replace","path":"displayName","value":"core"},{"op":"remove","path":"members[value eq \"{ada}\"]"}`)).want(200)
	r.get("/Groups/{core}").want(200).is("members.0.value", r.vars["bob"]).is("members.1", "")
	r.holds("1", "SELECT count(*) FROM team_employee")
	r.agency("0", "SELECT count(*) FROM team_employee")
}

// TestPlacesOfOtherKinds: a place may be in a backend of any type, and two in one.
func TestPlacesOfOtherKinds(t *testing.T) {
	r := staged(t, `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  list: {type: file, path: .}
  mem: {type: memory}
resources:
  User:
    target: {backend: hr, table: employee, key: login}
    places:
      guests: {when: 'resource.userType == "Guest"', backend: list, file: guests.csv, key: name, names: {login: name}, lacks: [active]}
      robots: {when: 'resource.userType == "Robot"', backend: mem, key: no}
      former: {when: 'resource.userType == "Former"', backend: hr, table: former, key: id}
    attributes:
      userName: login
      name.givenName: first
      userType: kind
      active: {name: status, values: {A: true, L: false}}
`, `CREATE TABLE employee (login TEXT PRIMARY KEY, first TEXT, kind TEXT, status TEXT DEFAULT 'A');
CREATE TABLE former (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL, first TEXT, kind TEXT, status TEXT);
INSERT INTO employee (login, first, kind) VALUES ('ada', 'Ada', 'Employee');`)
	write(t, r.path("guests.csv"), "name,first,kind\nbob,Bob,Guest\n")
	r.serve()
	r.vars["ada"] = r.id("ada")
	r.get("/Users", "sortBy", "userName").want(200).is("totalResults", "2").is("Resources.1.userName", "bob")
	r.kind("ada", "Guest", "").want(400) // there is no room for active
	r.do("PATCH", "/Users/{ada}", patchOf(`{"op":"remove","path":"active"},{"op":"replace","path":"userType","value":"Guest"}`)).want(200).is("name.givenName", "Ada")
	if csv := read(t, r.path("guests.csv")); !strings.Contains(csv, "ada,Ada,Guest") {
		t.Errorf("the file holds %s", csv)
	}
	for _, kind := range []string{"Robot", "Former", "Guest", "Employee", "Former", "Robot", "Employee"} {
		r.kind("ada", kind, "").want(200).is("id", r.vars["ada"]).is("name.givenName", "Ada").is("userType", kind)
		r.get("/Users").want(200).is("totalResults", "2")
		r.get("/Users", "filter", `userName eq "ADA" and name.givenName co "d"`).want(200).is("totalResults", "1")
	}
	r.do("PATCH", "/Users/{ada}", patchOf(`{"op":"replace","value":{"userName":"ada.l"}}`)).want(200).is("id", r.vars["ada"])
	r.holds("1", "SELECT count(*) FROM employee WHERE login = 'ada.l'")
	r.do("POST", "/Users", user("Bob", `,"userType":"Robot"`)).want(409)
}

// TestPlacesNoDelete: where nobody can delete, a move cannot leave nothing.
func TestPlacesNoDelete(t *testing.T) {
	r := staged(t, strings.Replace(strings.Replace(placesYAML, "MOVING", "", 1), "table: contractor", "table: contractor\n        delete: []", 1), placesSQL)
	write(t, r.path("agency.sql"), agencySQL)
	if err := r.tryServe(); err == nil || !strings.Contains(err.Error(), "left: deactivate") {
		t.Errorf("it serves: %v", err)
	}
}
