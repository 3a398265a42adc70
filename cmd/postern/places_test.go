package main

import (
	"strings"
	"testing"
)

// Contractors live elsewhere: in another database, whose columns have other names,
// that knows no departments and no passwords.

const placesSQL = `
CREATE TABLE employee (emp_no INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, first_name TEXT, status TEXT NOT NULL DEFAULT 'A', kind TEXT, dept TEXT, boss INTEGER);
INSERT INTO employee VALUES (770000001, 'ada', 'Ada', 'A', 'Employee', 'R&D', NULL), (770000002, 'bob', 'Bob', 'A', 'Employee', NULL, NULL);
CREATE TABLE team (no INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE);
INSERT INTO team VALUES (880000001, 'Core');
CREATE TABLE team_employee (team INTEGER NOT NULL, employee INTEGER NOT NULL, PRIMARY KEY (team, employee));
`

const placesYAML = `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  agency: {type: sql, dsn: "sqlite:state/agency.db", init: agency.sql}
resources:
  User:
    extensions: [EnterpriseUser]
    target: {backend: hr, table: employee, key: emp_no}
    places:
      agency:
        when: 'resource.userType == "Contractor"'
        backend: agency
        table: contractor
        key: id
        names: {login: user_name, first_name: given}
        lacks: ['enterprise:department']
    MOVING
    attributes:
      userName: login
      name.givenName: first_name
      active: {name: status, values: {A: true, L: false}}
      userType: kind
      enterprise:department: dept
      enterprise:manager.value: {name: boss, refers: User}
  Group:
    target: {backend: hr, table: team, key: "no"}
    attributes:
      displayName: title
      members: {table: team_employee, owner: team, member: employee, refers: User}
`

const agencySQL = `
CREATE TABLE contractor (id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL UNIQUE, given TEXT, status TEXT NOT NULL DEFAULT 'A', kind TEXT NOT NULL, boss INTEGER);
INSERT INTO contractor VALUES (990000001, 'cyd', 'Cyd', 'A', 'Contractor', NULL);
`

// places starts Postern in front of both databases.
func places(t *testing.T, moving string) *rig {
	r := staged(t, strings.Replace(placesYAML, "MOVING", moving, 1), placesSQL)
	write(t, r.path("agency.sql"), agencySQL)
	r.serve()
	return r
}

// agency checks what the contractors' own database holds.
func (r *rig) agency(want, query string) {
	r.t.Helper()
	db := r.open("agency.db")
	defer db.Close()
	if got := strings.Join(r.column(db, query), ";"); got != want {
		r.t.Errorf("%s is %q, want %q", query, got, want)
	}
}

const contractorRow = "SELECT user_name || ' ' || coalesce(given, '-') || ' ' || status || ' ' || kind FROM contractor ORDER BY user_name"

// TestPlaces: where a resource lives follows from what it is.
func TestPlaces(t *testing.T) {
	r := places(t, "")
	r.vars["ada"], r.vars["cyd"] = r.id("ada"), r.id("cyd")
	r.get("/Users").want(200).is("totalResults", "3").is("Resources.0.userName", "ada").is("Resources.2.userName", "cyd")
	r.get("/Users", "sortBy", "userName", "sortOrder", "descending", "startIndex", "2", "count", "1").want(200).is("totalResults", "3").is("Resources.0.userName", "bob")
	r.get("/Users", "filter", `enterprise:department eq "R&D" or userName eq "cyd"`).want(400)
	r.get("/Users", "filter", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr or userName eq "cyd"`).want(200).is("totalResults", "2")

	r.do("POST", "/Users", user("dee", `,"userType":"Contractor","name":{"givenName":"Dee"}`)).want(201).is("name.givenName", "Dee").keep(r, "dee")
	r.do("POST", "/Users", user("eve", `,"userType":"Employee","name":{"givenName":"Eve"}`)).want(201).keep(r, "eve")
	r.agency("cyd Cyd A Contractor;dee Dee A Contractor", contractorRow)
	r.holds("1", "SELECT count(*) FROM employee WHERE login = 'eve'")
	r.do("POST", "/Users", user("Dee", `,"userType":"Employee"`)).want(409).is("scimType", "uniqueness")
	r.do("POST", "/Users", user("ADA", `,"userType":"Contractor"`)).want(409).is("scimType", "uniqueness")
	r.do("POST", "/Users", user("fay", `,"userType":"Contractor","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"X"}`)).want(400).is("scimType", "invalidValue")
	r.do("PATCH", "/Users/{eve}", patchOf(`{"op":"replace","path":"userName","value":"dee"}`)).want(409)

	before := r.get("/Users/{eve}").want(200)
	a := r.do("PATCH", "/Users/{eve}", patchOf(`{"op":"replace","path":"userType","value":"Contractor"}`)).want(200).is("userType", "Contractor").is("name.givenName", "Eve")
	if a.at("id") != before.at("id") || a.at("meta.location") != before.at("meta.location") {
		t.Errorf("the id has changed: %s", a.body)
	}
	r.holds("0", "SELECT count(*) FROM employee WHERE login = 'eve'")
	r.agency("cyd Cyd A Contractor;dee Dee A Contractor;eve Eve A Contractor", contractorRow)
	r.get("/Users/{eve}").want(200).is("userName", "eve")
	r.get("/Users").want(200).is("totalResults", "5")
	r.do("PATCH", "/Users/{eve}", patchOf(`{"op":"replace","path":"name.givenName","value":"Eva"}`)).want(200).is("name.givenName", "Eva")
	r.do("PATCH", "/Users/{eve}", patchOf(`{"op":"replace","value":{"userType":"Employee","userName":"eva"}}`)).want(200).is("userName", "eva").is("name.givenName", "Eva")
	r.holds("eva Eva A Employee", "SELECT login || ' ' || first_name || ' ' || status || ' ' || kind FROM employee WHERE login = 'eva'")
	r.agency("cyd Cyd A Contractor;dee Dee A Contractor", contractorRow)
	r.do("DELETE", "/Users/{dee}", "").want(204)
	r.agency("cyd Cyd A Contractor", contractorRow)
	r.get("/Users").want(200).is("totalResults", "4")
}

// TestPlacesRefused: what cannot move is refused before anything is changed.
func TestPlacesRefused(t *testing.T) {
	r := places(t, "")
	r.vars["ada"], r.vars["bob"], r.vars["cyd"], r.vars["core"] = r.id("ada"), r.id("bob"), r.id("cyd"), r.groupID("Core")
	toAgency := `{"op":"replace","path":"userType","value":"Contractor"}`
	r.do("PATCH", "/Users/{ada}", patchOf(toAgency)).want(400).is("scimType", "invalidValue")
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"add","path":"members","value":[{"value":"{bob}"}]}`)).want(200)
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"add","path":"members","value":[{"value":"{cyd}"}]}`)).want(400).is("scimType", "invalidValue")
	r.do("PATCH", "/Users/{bob}", patchOf(toAgency)).want(409)
	r.do("PATCH", "/Groups/{core}", patchOf(`{"op":"remove","path":"members[value eq \"{bob}\"]"}`)).want(200)
	manager := `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"`
	r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"add","path":`+manager+`,"value":{"value":"{ada}"}}`)).want(200)
	r.do("PATCH", "/Users/{bob}", patchOf(toAgency)).want(400).is("scimType", "invalidValue")
	r.agency("cyd Cyd A Contractor", contractorRow)
	r.do("PATCH", "/Users/{bob}", patchOf(toAgency+`,{"op":"remove","path":`+manager+`}`)).want(200)
	r.do("PATCH", "/Users/{ada}", patchOf(toAgency+`,{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"}`)).want(200)
	r.agency("ada Ada A Contractor;bob Bob A Contractor;cyd Cyd A Contractor", contractorRow)
	r.holds("0", "SELECT count(*) FROM employee")
	r.get("/Users").want(200).is("totalResults", "3")
}

// TestPlacesLeft: what stays where it was is inactive, in no list, and used again.
func TestPlacesLeft(t *testing.T) {
	r := places(t, "moving: {left: deactivate}")
	r.vars["bob"] = r.id("bob")
	move := func(to string) *answer {
		return r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"replace","path":"userType","value":"`+to+`"}`)).want(200).is("active", "true").is("id", r.vars["bob"])
	}
	for range 2 {
		move("Contractor")
		r.holds("bob L", "SELECT login || ' ' || status FROM employee WHERE login = 'bob'")
		r.agency("bob Bob A Contractor;cyd Cyd A Contractor", contractorRow)
		r.get("/Users").want(200).is("totalResults", "3").is("Resources.2.userName", "bob")
		r.get("/Users", "filter", `userName eq "bob"`).want(200).is("totalResults", "1").is("Resources.0.active", "true")
		move("Employee")
		r.holds("bob A", "SELECT login || ' ' || status FROM employee WHERE login = 'bob'")
		r.agency("bob Bob L Contractor;cyd Cyd A Contractor", contractorRow)
	}
	r.do("DELETE", "/Users/{bob}", "").want(204)
	r.holds("0", "SELECT count(*) FROM employee WHERE login = 'bob'")
	r.agency("cyd Cyd A Contractor", contractorRow)
}
