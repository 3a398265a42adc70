package main

import (
	"strings"
	"testing"
)

const textRefsYAML = shapesHead + `
  User:
    target: {backend: main, table: staff, key: login, scope: 'record.kind != "builtin"'}
    attributes:
      userName: login
  Group:
    target: {backend: main, table: alias, key: address}
    attributes:
      displayName: address
      members: {name: dest, split: ",", refers: User}
`

const textRefsSQL = `
CREATE TABLE staff (login varchar(80) NOT NULL PRIMARY KEY, kind varchar(20));
CREATE TABLE alias (address varchar(80) NOT NULL PRIMARY KEY, dest varchar(500));
INSERT INTO staff VALUES ('ada@x', 'person'), ('bob@x', 'person'), ('ida@x', 'person'), ('root@x', 'builtin');
INSERT INTO alias VALUES ('sales@x', 'out@y, ada@x,root@x,, bob@x ,out@z'), ('chiefs@x', 'ida@x'), ('outside@x', 'out@y'), ('nobody@x', NULL);
`

// TestReferencesInAText: members that are a list in one column, among addresses that
// are no resources.
func TestReferencesInAText(t *testing.T) {
	// members come and go, here in a text.
	for name, yaml := range map[string]string{"scope": textRefsYAML, "no scope": strings.Replace(textRefsYAML, `, scope: 'record.kind != "builtin"'`, "", 1)} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, yaml, textRefsSQL, func(r *rig) { textRefs(r, name == "scope") })
		})
	}
}

func textRefs(r *rig, scoped bool) {
	const dest = "SELECT dest FROM alias WHERE address = 'sales@x'"
	for _, n := range []string{"ada", "bob", "ida"} {
		r.vars[n] = r.id(n + "@x")
	}
	r.vars["sales"], r.vars["outside"] = r.groupID("sales@x"), r.groupID("outside@x")
	second, third := r.vars["bob"], ""
	if !scoped {
		second, third = r.id("root@x"), r.vars["bob"]
	}
	r.get("/Groups/{sales}").want(200).is("members.0.value", r.vars["ada"]).is("members.1.value", second).is("members.2.value", third).is("members.3.value", "")
	r.get("/Groups/{outside}").want(200).is("members", "")
	textRefsFound(r)

	r.do("PATCH", "/Groups/{sales}", patchOf(`{"op":"add","path":"members","value":[{"value":"{ida}"}]}`)).want(200)
	r.holds("out@y,ada@x,root@x,bob@x,out@z,ida@x", dest)
	r.do("PATCH", "/Groups/{sales}", patchOf(`{"op":"remove","path":"members[value eq \"{ada}\"]"}`)).want(200)
	r.holds("out@y,root@x,bob@x,out@z,ida@x", dest)
	r.do("PATCH", "/Groups/{sales}", patchOf(`{"op":"remove","path":"members[value eq \"{bob}\"]"},{"op":"add","path":"members","value":[{"value":"nobody"}]}`)).want(400)
	r.holds("out@y,root@x,bob@x,out@z,ida@x", dest)

	r.do("PATCH", "/Users/{ida}", patchOf(`{"op":"replace","path":"userName","value":"idas@x"}`)).want(200).is("id", r.vars["ida"])
	r.holds("out@y,root@x,bob@x,out@z,idas@x", dest)
	r.holds("idas@x", "SELECT dest FROM alias WHERE address = 'chiefs@x'")
	r.get("/Groups", "filter", `members.value eq "{ida}"`).want(200).is("totalResults", "2")
	r.do("PATCH", "/Users/{ida}", patchOf(`{"op":"replace","path":"userName","value":"i,das@x"}`)).want(400)
	r.holds("idas@x", "SELECT dest FROM alias WHERE address = 'chiefs@x'")
	r.get("/Users/{ida}").want(200).is("userName", "idas@x")

	r.do("DELETE", "/Users/{bob}", "").want(204)
	r.get("/Groups", "filter", `members.value eq "{bob}"`).want(200).is("totalResults", "0")
	r.do("POST", "/Groups", group("new@x", `,"members":[{"value":"{ida}"},{"value":"{ada}"}]`)).want(201).keep(r, "new")
	r.holds("idas@x,ada@x", "SELECT dest FROM alias WHERE address = 'new@x'")
	r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a,b@x"}`).want(201).keep(r, "comma")
	r.do("PATCH", "/Groups/{new}", patchOf(`{"op":"add","path":"members","value":[{"value":"{comma}"}]}`)).want(400).is("scimType", "invalidValue")
	r.do("PATCH", "/Groups/{new}", patchOf(`{"op":"remove","path":"members"}`)).want(200).is("members", "")
	r.holds("0", "SELECT count(*) FROM alias WHERE address = 'new@x' AND dest LIKE '%x%'")
}

// textRefsFound: filters on members are exact, though one key may be a part of another.
func textRefsFound(r *rig) {
	r.get("/Groups", "filter", `members.value eq "{ada}"`).want(200).is("totalResults", "1").is("Resources.0.displayName", "sales@x")
	r.get("/Groups", "filter", `members[value eq "{ida}"]`).want(200).is("totalResults", "1").is("Resources.0.displayName", "chiefs@x")
	r.get("/Groups", "filter", `members.value eq "nobody"`).want(200).is("totalResults", "0")
	r.get("/Groups", "filter", `not (members.value eq "{ada}")`).want(200).is("totalResults", "3")
	r.get("/Groups", "filter", `members.value eq "{ada}" or displayName eq "chiefs@x"`).want(200).is("totalResults", "2")
	r.get("/Groups", "filter", `members pr`).want(200).is("totalResults", "2")
}

// TestReferencesInATextMerged: a merge carries memberships, and one member who is
// there by two records is one.
func TestReferencesInATextMerged(t *testing.T) {
	eachEngine(t, textRefsYAML+"admins:\n  ops: {token: ops, scopes: [\"identities:read\", \"identities:write\"]}\n", textRefsSQL, func(r *rig) {
		r.vars["ada"], r.vars["ida"] = r.id("ada@x"), r.id("ida@x")
		r.admins("merge", "--keep", r.vars["ada"], "--drop", r.vars["ida"], "--record", "keep", "--memberships", "--why", "x")
		r.holds("ida@x,ada@x", "SELECT dest FROM alias WHERE address = 'chiefs@x'")
		r.vars["chiefs"] = r.groupID("chiefs@x")
		r.get("/Groups/{chiefs}").want(200).is("members.0.value", r.vars["ada"]).is("members.1.value", "")
		r.get("/Groups", "filter", `members.value eq "{ada}"`).want(200).is("totalResults", "2")
		r.do("PATCH", "/Groups/{chiefs}", patchOf(`{"op":"remove","path":"members"}`)).want(200)
		r.holds("0", "SELECT count(*) FROM alias WHERE address = 'chiefs@x' AND dest LIKE '%x%'")
	})
}
