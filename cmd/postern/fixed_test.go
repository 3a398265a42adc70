package main

import "testing"

// A flag of the user is a group, by two views of the database (row 47).

const fixedSQL = `
CREATE TABLE person (nr integer PRIMARY KEY, login varchar(80) UNIQUE, is_admin boolean NOT NULL DEFAULT false, is_editor boolean NOT NULL DEFAULT false);
INSERT INTO person VALUES (770000001, 'ada', true, false), (770000002, 'bob', false, false);
CREATE VIEW flag (name) AS SELECT CAST(n AS varchar(20)) FROM (VALUES ('Admins'), ('Editors')) AS names (n);
CREATE VIEW flag_person (name, person) AS
  SELECT CAST('Admins' AS varchar(20)), nr FROM person WHERE is_admin UNION ALL SELECT 'Editors', nr FROM person WHERE is_editor;
CREATE FUNCTION flag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE person SET is_admin = is_admin OR NEW.name = 'Admins', is_editor = is_editor OR NEW.name = 'Editors' WHERE nr = NEW.person;
    RETURN NEW;
  END IF;
  UPDATE person SET is_admin = is_admin AND OLD.name <> 'Admins', is_editor = is_editor AND OLD.name <> 'Editors' WHERE nr = OLD.person;
  RETURN OLD;
END $$;
CREATE TRIGGER flag INSTEAD OF INSERT OR DELETE ON flag_person FOR EACH ROW EXECUTE FUNCTION flag();
`

const fixedYAML = `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends: {hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}}
resources:
  User:
    target: {backend: hr, table: person, key: nr}
    attributes:
      userName: login
      groups: {table: flag_person, owner: person, member: name, refers: Group}
  Group:
    target: {backend: hr, table: flag, key: name, generated: false}
    attributes:
      displayName: {name: name, mutability: readOnly}
      members: {table: flag_person, owner: name, member: person, refers: User}
`

func TestFixedGroups(t *testing.T) {
	r := stageOn(t, "postgres", fixedYAML, fixedSQL)
	r.serve()
	r.vars["ada"], r.vars["bob"], r.vars["admins"], r.vars["editors"] = r.id("ada"), r.id("bob"), r.groupID("Admins"), r.groupID("Editors")
	r.get("/Groups").want(200).is("totalResults", "2")
	r.get("/Groups/{admins}").want(200).is("members.0.value", r.vars["ada"]).is("members.1.value", "")
	r.patch("/Groups/{admins}", `{"op":"add","path":"members","value":[{"value":"{bob}"}]}`).want(200)
	r.patch("/Groups/{admins}", `{"op":"remove","path":"members[value eq \"{ada}\"]"}`).want(200)
	r.patch("/Groups/{editors}", `{"op":"add","path":"members","value":[{"value":"{bob}"},{"value":"{ada}"}]}`).want(200)
	r.holds("ada false true", "SELECT login || ' ' || is_admin || ' ' || is_editor FROM person WHERE login = 'ada'")
	r.holds("bob true true", "SELECT login || ' ' || is_admin || ' ' || is_editor FROM person WHERE login = 'bob'")
	r.get("/Users/{bob}").want(200).is("groups.1.type", "direct")
	r.get("/Users", "filter", `groups eq "{admins}"`).want(200).is("totalResults", "1").is("Resources.0.userName", "bob")
	r.do("DELETE", "/Users/{bob}", "").want(204)
	r.get("/Groups/{admins}").want(200).is("members", "")
}

// TestFlagAsRole: the same flag without a group.
func TestFlagAsRole(t *testing.T) {
	r := stage(t, `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends: {hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}}
resources:
  User:
    target: {backend: hr, table: person, key: nr}
    attributes:
      userName: login
      roles[type eq "admin"].value: {name: is_admin, in: 'truth(value) ? "admin" : nil', out: '(value ?? "") == "admin" ? 1 : 0'}
`, `CREATE TABLE person (nr INTEGER PRIMARY KEY, login TEXT, is_admin INTEGER NOT NULL); INSERT INTO person VALUES (770000001, 'ada', 0);`)
	r.serve()
	r.vars["u"] = r.id("ada")
	r.get("/Users/{u}").want(200).is("roles", "")
	r.patch("/Users/{u}", `{"op":"add","path":"roles","value":[{"type":"admin","value":"admin"}]}`).want(200).is("roles.0.value", "admin")
	r.holds("1", "SELECT is_admin FROM person")
	r.patch("/Users/{u}", `{"op":"remove","path":"roles[type eq \"admin\"]"}`).want(200).is("roles", "")
	r.holds("0", "SELECT is_admin FROM person")
	r.do("POST", "/Users", user("bob", "")).want(201).is("roles", "")
}
