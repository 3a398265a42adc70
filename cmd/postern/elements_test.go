package main

import (
	"fmt"
	"strings"
	"testing"
)

// Elements of multi-valued attributes by keys and URLs of their own: the proposal
// elementKeys (GW-13).

const elementsYAML = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081, proposals: [elementKeys]}
identities: sqlite:state/postern.db
clients:
  quickstart: {token: quickstart}
  reader: {token: reader-token, access: read}
  dry: {token: dry-token, access: dryRun}
  other: {token: other-token}
backends:
  main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
  User:
    extensions: [EnterpriseUser]
    target: {backend: main, table: staff, key: no}
    attributes:
      userName: login
      title: title
      phoneNumbers[type eq "work"].value: phone
      phoneNumbers[type eq "mobile"].value: mobile
      emails: {table: mail, owner: staff_no, columns: {value: address, type: kind, display: label, primary: {name: preferred, values: {1: true, 0: false}}}}
      groups: {table: membership, owner: staff_no, member: team_no, refers: Group}
  Group:
    target: {backend: main, table: team, key: no}
    attributes:
      displayName: title
      members: {table: membership, owner: team_no, member: staff_no, refers: User}
`

const elementsSQL = `
CREATE TABLE staff (no integer PRIMARY KEY, login varchar(80) NOT NULL UNIQUE, title varchar(80), phone varchar(80), mobile varchar(80));
CREATE TABLE mail (nr integer, staff_no integer NOT NULL, address varchar(80), kind varchar(20), label varchar(80), preferred integer);
CREATE TABLE team (no integer PRIMARY KEY, title varchar(80) NOT NULL UNIQUE);
CREATE TABLE membership (team_no integer NOT NULL, staff_no integer NOT NULL, UNIQUE (team_no, staff_no));
INSERT INTO staff VALUES (770000001, 'ada', NULL, '+49 1', NULL), (770000002, 'bob', NULL, NULL, NULL);
INSERT INTO mail VALUES (1, 770000001, 'ada@work', 'work', NULL, 1), (2, 770000001, 'ada@home', 'home', NULL, 0), (3, 770000002, 'bob@work', 'work', NULL, 0), (4, 770000002, 'bob@work', 'work', NULL, 0);
INSERT INTO team VALUES (880000001, 'red');
INSERT INTO membership VALUES (880000001, 770000001);
`

// keyOf is the key of the element that has the value.
func (r *rig) keyOf(list, value string) string {
	r.t.Helper()
	a := r.get(list).want(200).is("schemas.0", "urn:postern:params:scim:api:messages:2.0:ElementList")
	for _, e := range a.at("Elements").([]any) {
		m := e.(map[string]any)
		if m["value"].(map[string]any)["value"] == value {
			key, _ := m["key"].(string)
			if ref, _ := m["$ref"].(string); key != "" && (!strings.HasPrefix(ref, r.base) || !strings.HasSuffix(ref, "/"+key)) {
				r.t.Errorf("$ref is %s", ref)
			}
			return key
		}
	}
	r.t.Fatalf("%s has no %s: %s", list, value, a.body)
	return ""
}

func TestElements(t *testing.T) {
	eachEngine(t, elementsYAML, elementsSQL, func(r *rig) {
		r.vars["ada"], r.vars["bob"], r.vars["red"] = r.id("ada"), r.id("bob"), r.groupID("red")
		r.run("GW-13 read", r.readElements)
		r.run("GW-13 a key stays", r.keysStay)
		r.stop()
		r.serve()
		r.run("GW-13 a key stays when Postern starts again", r.keysStayed)
		r.run("GW-13 V-03, V-05 conditions", r.elementConditions)
		r.run("GW-13 PATCH of an element", r.patchElements)
		r.run("GW-13 elements that are alike", r.alikeElements)
		r.run("GW-13 elements with a place", r.placedElements)
		r.run("GW-13 members", r.memberElements)
		r.run("GW-13 what is refused", r.refusedElements)
	})
}

func (r *rig) readElements() {
	key := r.keyOf("/Users/{ada}/emails", "ada@work")
	a := r.get("/Users/{ada}/emails/"+key).want(200).is("value", "ada@work").is("type", "work").is("primary", "true")
	if at := a.header.Get("Location"); at != r.base+r.expand("/Users/{ada}/emails/")+key {
		r.t.Errorf("H-13: Location %s", at)
	}
	whole := r.get("/Users/{ada}").want(200)
	if strings.Contains(whole.body, key) || strings.Contains(whole.body, "Elements") {
		r.t.Errorf("the resource itself has changed: %s", whole.body)
	}
	r.sql("UPDATE mail SET nr = 9 - nr") // another order
	if again := r.keyOf("/Users/{ada}/EMAILS/", "ada@work"); again != key {
		r.t.Errorf("the key was %s and is %s", key, again)
	}
	r.do("HEAD", "/Users/{ada}/emails/"+key, "").want(200)
	r.get("/Users/{ada}/emails/" + key + "x").want(404)
	r.get("/Users/{bob}/emails/" + key).want(404)
	r.get("/Users/nobody/emails/" + key).want(404)
	r.get("/ServiceProviderConfig").is("elementKeys.supported", "true")
	for _, name := range []string{"title", "name", "nothing", "schemas", "meta", "emails.value"} {
		r.get("/Users/{ada}/" + name).want(404)
	}
}

func (r *rig) keysStay() {
	made := r.do("POST", "/Users/{ada}/emails", `{"value":"ada@new","type":"other"}`).want(201).is("value", "ada@new")
	at := strings.TrimPrefix(made.header.Get("Location"), r.base)
	r.do("POST", "/Users/{ada}/emails", `{"value":"ada@new","type":"other"}`).want(200)
	for range 2 { // as a client does that got no answer
		r.do("PUT", at, `{"value":"ada@newer","type":"home","display":"D"}`).want(200).is("value", "ada@newer")
	}
	r.get(at).want(200).is("value", "ada@newer").is("display", "D")
	r.holds("ada@newer home D", "SELECT address || ' ' || kind || ' ' || label FROM mail WHERE label = 'D'")

	// What is like the element was at first gets another key, also when it is gone.
	like := r.do("POST", "/Users/{ada}/emails", `{"value":"ada@new","type":"other"}`).want(201).header.Get("Location")
	if strings.HasSuffix(like, at) {
		r.t.Errorf("two elements are called %s", at)
	}
	r.vars["at"], r.vars["like"] = at, strings.TrimPrefix(like, r.base)
}

func (r *rig) keysStayed() {
	at := r.vars["at"]
	r.get(at).want(200).is("value", "ada@newer")
	r.do("DELETE", at, "").want(204)
	r.do("DELETE", at, "").want(404)
	r.get(at).want(404)
	r.keyOf("/Users/{ada}/emails", "ada@new")
	r.do("DELETE", r.vars["like"], "").want(204)
	r.holds("0", "SELECT count(*) FROM mail WHERE address LIKE 'ada@new%'")
}

func (r *rig) elementConditions() {
	at := "/Users/{ada}/emails/" + r.keyOf("/Users/{ada}/emails", "ada@home")
	tag := r.get(at).etag()
	r.do("GET", at, "", "If-None-Match: "+tag).want(304)
	r.do("GET", at, "", `If-Match: "x"`).want(412)
	r.do("PUT", at, `{"value":"x"}`, `If-Match: "x"`).want(412)
	r.do("DELETE", at, "", `If-Match: "x"`).want(412)
	r.patch("/Users/{ada}", `{"op":"replace","path":"title","value":"Countess"}`).want(200)
	now := r.do("PUT", at, `{"value":"ada@home","type":"home","display":"Home"}`, "If-Match: "+tag).want(200).etag()
	if now == tag {
		r.t.Error("V-02: another content, and the same version")
	}
	r.sql("UPDATE mail SET label = 'theirs' WHERE address = 'ada@home'")
	r.do("DELETE", at, "", "If-Match: "+now).want(412) // V-08
}

func (r *rig) patchElements() {
	at := "/Users/{ada}/emails/" + r.keyOf("/Users/{ada}/emails", "ada@home")
	patch := func(ops string) *answer { return r.do("PATCH", at, patchOf(ops)) }
	patch(`{"op":"replace","path":"display","value":"H"}`).want(200).is("display", "H").is("value", "ada@home")
	patch(`{"op":"Replace","value":{"value":"ada@hut","display":"Hut"}}`).want(200).is("value", "ada@hut").is("display", "Hut").is("type", "home")
	patch(`{"op":"remove","path":"display"},{"op":"add","path":"primary","value":true}`).want(200).is("display", "").is("primary", "true")
	r.get("/Users/{ada}/emails/"+r.keyOf("/Users/{ada}/emails", "ada@work")).is("primary", "false") // P-33
	for body, kind := range map[string]string{
		`{"op":"replace","path":"display","value":"1"},{"op":"replace","path":"nothing","value":"x"}`: "invalidPath",
		`{"op":"replace","path":"display","value":"1"},{"op":"remove"}`:                               "noTarget",
		`{"op":"replace","path":"type","value":"other"},{"op":"remove","path":"value"}`:               "invalidValue",
		`{"op":"replace","path":"emails.display","value":"1"}`:                                        "invalidPath",
		`{"op":"replace","path":"value] or emails[value","value":"1"}`:                                "invalidPath",
		`{"op":"replace","value":"1"}`:                                                                "invalidValue",
	} {
		patch(body).want(400).is("scimType", kind)
	}
	if a := patch(`{"op":"replace","path":"display","value":"1"},{"op":"replace","value":{"display":"2","primary":[1]}}`).want(400); !strings.Contains(a.body, "Operations[1]") {
		r.t.Errorf("which operation it is: %s", a.body)
	}
	r.do("PATCH", at, `{`+patchOp+`,"Operations":[]}`).want(400).is("scimType", "invalidSyntax")
	r.get(at).want(200).is("display", "").is("value", "ada@hut")
	r.do("PUT", at, `{"value":"ada@work","type":"work"}`).want(409).is("scimType", "uniqueness") // there is that one
}

func (r *rig) alikeElements() {
	a := r.get("/Users/{bob}/emails").want(200)
	if a.at("Elements.0.key") != nil && a.at("totalResults") != 1.0 {
		r.t.Errorf("elements that are the same have a key: %s", a.body)
	}
	r.sql("UPDATE mail SET label = 'second' WHERE nr = 4 OR nr = 5")
	r.do("POST", "/Users/{bob}/emails", `{"value":"bob@home","type":"home"}`).want(201)
	key := r.keyOf("/Users/{bob}/emails", "bob@home")
	r.sql("INSERT INTO mail SELECT 20, staff_no, address, kind, 'twin', preferred FROM mail WHERE address = 'bob@home'")
	was := r.lines("SELECT address || label FROM mail WHERE label IS NOT NULL ORDER BY nr")
	r.get("/Users/{bob}/emails/" + key).want(409)
	r.do("PUT", "/Users/{bob}/emails/"+key, `{"value":"x"}`).want(409)
	r.do("DELETE", "/Users/{bob}/emails/"+key, "").want(409)
	if is := r.lines("SELECT address || label FROM mail WHERE label IS NOT NULL ORDER BY nr"); is != was {
		r.t.Errorf("it was changed by guess: %s, then %s", was, is)
	}
	if k := r.keyOf("/Users/{bob}/emails", "bob@home"); k != "" {
		r.t.Errorf("two have the key %s", k)
	}
}

func (r *rig) placedElements() {
	key := r.keyOf("/Users/{ada}/phoneNumbers", "+49 1")
	at := "/Users/{ada}/phoneNumbers/" + key
	r.patch("/Users/{ada}", `{"op":"replace","path":"phoneNumbers[type eq \"work\"].value","value":"+49 2"}`).want(200)
	r.get(at).want(200).is("value", "+49 2") // the number at work, whatever it is
	r.do("PUT", at, `{"value":"+49 3","type":"mobile"}`).want(200).is("type", "mobile")
	r.get(at).want(200).is("value", "+49 3").is("type", "mobile")
	r.do("PUT", at, `{"value":"+49 3","type":"pager"}`).want(400).is("scimType", "invalidValue") // no column for it
	r.do("POST", "/Users/{ada}/phoneNumbers", `{"value":"+49 4","type":"work"}`).want(201)
	if r.keyOf("/Users/{ada}/phoneNumbers", "+49 4") == key {
		r.t.Error("two numbers have one key")
	}
	r.do("DELETE", at, "").want(204)
	r.holds("1", "SELECT count(*) FROM staff WHERE phone = '+49 4' AND mobile IS NULL")
}

func (r *rig) memberElements() {
	key := r.keyOf("/Groups/{red}/members", r.vars["ada"])
	r.get("/Groups/{red}/members/"+key).want(200).is("value", r.vars["ada"]).is("type", "User")
	r.do("POST", "/Groups/{red}/members", `{"value":"{bob}"}`).want(201)
	r.do("POST", "/Groups/{red}/members", `{"value":"{bob}"}`).want(200)
	r.do("PUT", "/Groups/{red}/members/"+key, `{"value":"{bob}"}`).want(400).is("scimType", "mutability")
	r.do("PUT", "/Groups/{red}/members/"+key, `{"value":"{ada}"}`).want(200)
	r.do("DELETE", "/Groups/{red}/members/"+key, "").want(204)
	r.holds("770000002", "SELECT staff_no FROM membership")
	r.get("/Groups/{red}/members/" + key).want(404)
	r.do("POST", "/Groups/{red}/members", `{"value":"nobody"}`).want(400)
	r.keyOf("/Users/{bob}/groups", r.vars["red"])
	r.do("DELETE", "/Users/{bob}/groups/"+r.keyOf("/Users/{bob}/groups", r.vars["red"]), "").want(400).is("scimType", "mutability")
}

func (r *rig) refusedElements() {
	list := "/Users/{ada}/emails"
	key := r.keyOf(list, "ada@work")
	r.do("PUT", list, `{}`).want(405)
	r.do("POST", list+"/"+key, `{}`).want(405)
	r.do("GET", list+`?filter=value eq "x"`, "").want(400).is("scimType", "invalidFilter")
	for body, kind := range map[string]string{`[]`: "invalidSyntax", `{}`: "invalidValue", `{"type":"work"}`: "invalidValue", `{"value":1}`: "invalidValue", `{`: "invalidSyntax"} {
		r.do("POST", list, body).want(400).is("scimType", kind)
	}
	r.do("DELETE", list+"/"+key, "", "Authorization: Bearer other-token").want(404) // its ids are others
	r.token = "dry-token"
	r.vars["dry"] = r.id("ada")
	dry := "/Users/{dry}/emails/" + r.keyOf("/Users/{dry}/emails", "ada@work")
	r.do("PUT", dry, `{"value":"ada@dry","type":"work"}`).want(200).is("value", "ada@dry")
	r.do("DELETE", dry, "").want(204)
	r.get(dry).want(200).is("value", "ada@work")
	r.token = "reader-token"
	r.vars["read"] = r.id("ada")
	r.do("DELETE", "/Users/{read}/emails/"+r.keyOf("/Users/{read}/emails", "ada@work"), "").want(403)
	r.token = "quickstart"
}

// TestElementsAreOff: without the proposal there are no such URLs.
func TestElementsAreOff(t *testing.T) {
	r := stage(t, strings.Replace(elementsYAML, ", proposals: [elementKeys]", "", 1), elementsSQL)
	r.serve()
	r.vars["ada"] = r.id("ada")
	r.get("/ServiceProviderConfig").is("elementKeys", "")
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		for _, path := range []string{"/Users/{ada}/emails", "/Users/{ada}/emails/x"} {
			if a := r.do(method, path, ""); a.status != 404 {
				t.Errorf("GW-13: %s: %d", fmt.Sprint(method, " ", path), a.status)
			}
		}
	}
}
