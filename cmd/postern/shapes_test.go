package main

import (
	"slices"
	"strings"
	"testing"
)

// Schemas that no one flat table is, on every kind of database, from the door to the
// tables.

const shapesHead = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:state/postern.db
clients:
  quickstart: {token: quickstart}
backends:
  main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
`

const roleNamesYAML = shapesHead + `
  User:
    target: {backend: main, table: staff, key: no, scope: 'record.kind != "builtin"'}
    attributes:
      userName: login
      groups: {table: user_role, owner: staff_no, member: role, refers: Group}
  Group:
    target: {backend: main, table: user_role, key: role, distinct: true}
    attributes:
      displayName: role
      members: {table: user_role, owner: role, member: staff_no, refers: User}
`

const roleNamesSQL = `
CREATE TABLE staff (no integer PRIMARY KEY, login varchar(80) NOT NULL UNIQUE, kind varchar(20));
CREATE TABLE user_role (staff_no integer, role varchar(80) NOT NULL, UNIQUE (staff_no, role));
CREATE INDEX user_role_role ON user_role (role);
INSERT INTO staff VALUES (770000001, 'ada', 'person'), (770000002, 'bob', 'person'), (770000003, 'root', 'builtin');
INSERT INTO user_role VALUES (770000001, 'admin'), (770000002, 'admin'), (770000003, 'admin'), (770000001, 'clerk');
`

// TestRoleNames: groups that exist only as a name in a table of memberships.
func TestRoleNames(t *testing.T) {
	eachEngine(t, roleNamesYAML, roleNamesSQL, func(r *rig) {
		r.vars["ada"], r.vars["bob"] = r.id("ada"), r.id("bob")
		r.vars["clerk"], r.vars["admin"] = r.groupID("clerk"), r.groupID("admin")
		r.get(`/Groups?filter=members.value eq "{bob}"&count=1`).want(200).is("totalResults", "1").is("Resources.0.displayName", "admin")
		r.get("/Users/{ada}").want(200).is("groups.0.display", "").is("groups.1.value", r.vars["clerk"])
		a := r.get("/Schemas/" + coreGroup).want(200)
		if !slices.ContainsFunc(attributesOf(a), func(m map[string]any) bool { return m["name"] == "members" && m["required"] == true }) {
			r.t.Errorf("the schema does not say that there is no group without members: %s", a.body)
		}
		r.do("POST", "/Groups", group("empty", "")).want(400).is("scimType", "invalidValue")
		r.do("PATCH", "/Groups/{clerk}", patchOf(`{"op":"remove","path":"members[value eq \"{ada}\"]"}`)).want(400)
		r.do("PATCH", "/Groups/{clerk}", patchOf(`{"op":"remove","path":"members"}`)).want(400)
		r.holds("1", "SELECT count(*) FROM user_role WHERE role = 'clerk'")
		r.do("POST", "/Groups", group("admin", `,"members":[{"value":"{bob}"}]`)).want(409).is("scimType", "uniqueness")
		r.do("POST", "/Groups", group("new", `,"members":[{"value":"{bob}"}]`)).want(201).is("members.0.value", r.vars["bob"]).keep(r, "new")
		r.do("PATCH", "/Groups/{new}", patchOf(`{"op":"replace","path":"displayName","value":"admin"}`)).want(409)
		r.do("PATCH", "/Groups/{admin}", patchOf(`{"op":"replace","path":"displayName","value":"chief"}`)).want(200).is("displayName", "chief").is("id", r.vars["admin"])
		r.holds("3", "SELECT count(*) FROM user_role WHERE role = 'chief'")
		r.get("/Groups?count=1&startIndex=2").want(200).is("totalResults", "3").is("Resources.0.displayName", "clerk")
		r.do("DELETE", "/Groups/{admin}", "").want(204)
		r.get("/Groups/{admin}").want(404)
		r.get("/Users/{bob}").want(200).is("groups.0.value", r.vars["new"]).is("groups.1.value", "")
	})
}

// TestRoleNamesVacant: with a row that stands for a group without members, groups
// are made, emptied and kept as providers do it.
func TestRoleNamesVacant(t *testing.T) {
	yaml := strings.Replace(roleNamesYAML, "distinct: true", `distinct: true, vacant: {staff_no: ""}`, 1)
	eachEngine(t, yaml, roleNamesSQL, func(r *rig) {
		r.vars["ada"] = r.id("ada")
		r.do("POST", "/Groups", group("new", "")).want(201).is("members", "").keep(r, "new")
		r.do("PATCH", "/Groups/{new}", patchOf(`{"op":"add","path":"members","value":[{"value":"{ada}"}]}`)).want(200).is("members.0.value", r.vars["ada"])
		r.vars["clerk"] = r.groupID("clerk")
		r.do("PATCH", "/Groups/{clerk}", patchOf(`{"op":"remove","path":"members[value eq \"{ada}\"]"}`)).want(200).is("members", "")
		r.get("/Groups/{clerk}").want(200).is("displayName", "clerk")
		r.do("DELETE", "/Groups/{new}", "").want(204)
		r.holds("0", "SELECT count(*) FROM user_role WHERE role = 'new'")
	})
}

const byNameYAML = shapesHead + `
  User:
    target: {backend: main, table: staff, key: no}
    attributes:
      userName: login
      groups: {table: team_member, owner: login, member: team, refers: Group, ownerHolds: login, memberHolds: name}
  Group:
    target: {backend: main, table: team, key: no}
    attributes:
      displayName: name
      members: {table: team_member, owner: team, member: login, refers: User, ownerHolds: name, memberHolds: login}
`

// TestMembersByName: memberships that hold logins and names of groups.
func TestMembersByName(t *testing.T) {
	const script = `
CREATE TABLE staff (no integer PRIMARY KEY, login varchar(80) NOT NULL UNIQUE);
CREATE TABLE team (no integer PRIMARY KEY, name varchar(80) NOT NULL UNIQUE);
CREATE TABLE team_member (team varchar(80) NOT NULL, login varchar(80) NOT NULL, UNIQUE (team, login));
CREATE INDEX team_member_login ON team_member (login);
INSERT INTO staff VALUES (770000001, 'ada'), (770000002, 'bob');
INSERT INTO team VALUES (880000001, 'admins');
INSERT INTO team_member VALUES ('admins', 'ada');
`
	eachEngine(t, byNameYAML, script, func(r *rig) {
		r.vars["ada"], r.vars["bob"], r.vars["admins"] = r.id("ada"), r.id("bob"), r.groupID("admins")
		r.do("PATCH", "/Groups/{admins}", patchOf(`{"op":"add","path":"members","value":[{"value":"{bob}"}]}`)).want(200).is("members.1.value", r.vars["bob"])
		r.do("PATCH", "/Users/{bob}", patchOf(`{"op":"replace","path":"userName","value":"robert"}`)).want(200).is("groups.0.value", r.vars["admins"])
		r.do("PATCH", "/Groups/{admins}", patchOf(`{"op":"replace","path":"displayName","value":"chiefs"}`)).want(200).is("members.1.value", r.vars["bob"])
		r.holds("2", "SELECT count(*) FROM team_member WHERE team = 'chiefs' AND login IN ('ada', 'robert')")
		r.get("/Groups", "filter", `members.value eq "{bob}"`).want(200).is("totalResults", "1")
		r.do("DELETE", "/Users/{ada}", "").want(204)
		r.get("/Groups/{admins}").want(200).is("members.0.value", r.vars["bob"]).is("members.1.value", "")
	})
}

// TestNewKeys: whatever makes the key of a new record, it is there and tells it
// from others.
func TestNewKeys(t *testing.T) {
	const columns = `, login varchar(80) NOT NULL UNIQUE, dept varchar(20));`
	const plain = `CREATE TABLE staff (no integer PRIMARY KEY` + columns
	const text = `CREATE TABLE staff (no varchar(80) PRIMARY KEY` + columns
	const pgFunction = `CREATE SEQUENCE counter START 770000001; CREATE FUNCTION new_no() RETURNS integer LANGUAGE sql AS $$ SELECT nextval('counter')::integer $$;`
	const pgProcedure = `CREATE SEQUENCE counter START 770000001; CREATE PROCEDURE new_no(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := nextval('counter'); END $$;`
	const myCounter = `CREATE TABLE counter (n integer); INSERT INTO counter VALUES (770000000);`
	const myProcedure = myCounter + `CREATE PROCEDURE new_no() BEGIN UPDATE counter SET n = n + 1; SELECT n FROM counter; END;`
	for _, c := range []struct{ name, engine, newKey, script string }{
		{"expression", "sqlite", `{value: 'lower(resource.userName)'}`, text},
		{"uuid", "sqlite", `{value: 'uuid()'}`, text},
		{"statement", "sqlite", `{statement: 'SELECT coalesce(max(no), 770000000) + 1 FROM staff'}`, plain},
		{"uuid", "postgres", `{value: 'uuid()'}`, `CREATE TABLE staff (no uuid PRIMARY KEY` + columns},
		{"sequence", "postgres", `{sequence: staff_no}`, plain + `CREATE SEQUENCE staff_no START 770000001;`},
		{"function", "postgres", `{statement: 'SELECT new_no()'}`, plain + pgFunction},
		{"procedure", "postgres", `{statement: 'CALL new_no(NULL)'}`, plain + pgProcedure},
		{"identity, always", "postgres", "", `CREATE TABLE staff (no integer GENERATED ALWAYS AS IDENTITY (START 770000001) PRIMARY KEY` + columns},
		{"identity, by default", "postgres", "", `CREATE TABLE staff (no integer GENERATED BY DEFAULT AS IDENTITY (START 770000001) PRIMARY KEY` + columns},
		{"expression", "mariadb", `{value: 'lower(resource.userName)'}`, text},
		{"sequence", "mariadb", `{sequence: staff_no}`, plain + `CREATE SEQUENCE staff_no START WITH 770000001;`},
		{"procedure", "mariadb", `{statement: 'CALL new_no()'}`, plain + myProcedure},
		{"auto_increment", "mariadb", "", `CREATE TABLE staff (no integer AUTO_INCREMENT PRIMARY KEY` + columns + `ALTER TABLE staff AUTO_INCREMENT = 770000001;`},
	} {
		t.Run(c.engine+" "+c.name, func(t *testing.T) {
			newKey := ""
			if c.newKey != "" {
				newKey = ", newKey: " + c.newKey
			}
			yaml := shapesHead + "  User:\n    target: {backend: main, table: staff, key: no" + newKey + "}\n    attributes: {userName: login, title: dept}\n"
			r := stageOn(t, c.engine, yaml, c.script)
			if out, status := r.check("--online"); status != 0 {
				t.Errorf("check: %s", out)
			}
			r.serve()
			r.do("POST", "/Users", user("Ada", `,"title":"x"`)).want(201).is("title", "x").keep(r, "ada")
			r.do("POST", "/Users", user("bob", "")).want(201).keep(r, "bob")
			r.do("POST", "/Users", user("ada", "")).want(409).is("scimType", "uniqueness")
			r.get("/Users/{bob}").want(200).is("userName", "bob")
			r.get("/Users").want(200).is("totalResults", "2")
			r.holds("2", "SELECT count(DISTINCT no) FROM staff")
		})
	}
}

// check runs postern check on the rig's configuration.
func (r *rig) check(flags ...string) (string, int) {
	said := &transcript{}
	m := &Main{Stdout: said, Stderr: said}
	status := m.Run(r.t.Context(), append([]string{"check", "--config", r.path("postern.yaml")}, flags...))
	return said.take(), status
}

// TestNewKeyOffline: check --online has the database look at what makes keys.
func TestNewKeyOffline(t *testing.T) {
	for engine, newKey := range map[string]string{"sqlite": "{statement: 'SELECT nothing FROM nowhere'}", "postgres": "{sequence: nowhere}", "mariadb": "{sequence: nowhere}"} {
		yaml := shapesHead + "  User:\n    target: {backend: main, table: staff, key: no, newKey: " + newKey + "}\n    attributes: {userName: login}\n"
		r := stageOn(t, engine, yaml, "CREATE TABLE staff (no integer PRIMARY KEY, login varchar(80) NOT NULL UNIQUE);")
		if engine == "sqlite" {
			r.serve()
			r.stop()
		}
		if out, status := r.check("--online"); status == 0 || !strings.Contains(out, "no key can be made") || !strings.Contains(out, "key: no") {
			t.Errorf("%s: %d %s", engine, status, out)
		}
	}
}

func attributesOf(a *answer) []map[string]any {
	var out []map[string]any
	list, _ := a.at("attributes").([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
