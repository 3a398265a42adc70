package main

import (
	"strings"
	"testing"
)

const otherYAML = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:postern.db
clients: {front: {token: quickstart}}
backends: {main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}}
resources:
  User:
    extensions: [EnterpriseUser]
    target: {backend: main, table: person, key: id}
    attributes:
      userName: login
      name.givenName: first
      title: job
      active: {name: active, values: {1: true, 0: false}, default: true}
      emails[type eq "work"].value: mail
      emails[type eq "work"].primary: {name: chief, values: {1: true, 0: false}}
      phoneNumbers[type eq "mobile"].value: phone
      addresses[type eq "home"].locality: town
      enterprise:department: dept
      enterprise:manager.value: {name: boss, refers: User}
      groups: {table: team_person, owner: person, member: team, refers: Group}
  Group:
    target: {backend: main, table: team, key: id}
    attributes:
      displayName: {name: title, uniqueness: server}
      members: {table: team_person, owner: team, member: person, refers: User}
`

const otherSQL = `
CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE COLLATE NOCASE, first TEXT, job TEXT, active INTEGER NOT NULL DEFAULT 1, mail TEXT,
	chief INTEGER, phone TEXT, town TEXT, dept TEXT, boss INTEGER REFERENCES person ON DELETE SET NULL);
CREATE TABLE team (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL UNIQUE);
CREATE TABLE team_person (team INTEGER NOT NULL REFERENCES team ON DELETE CASCADE, person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE, PRIMARY KEY (team, person));
`

// front is a gateway before another one that takes over what that has.
func front(t *testing.T, base, users string) *rig {
	t.Helper()
	r := stage(t, `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:postern.db
clients: {idp: {token: quickstart}}
backends: {other: {type: scim, url: "`+base+`", headers: {Authorization: Bearer quickstart}}}
resources:
  User:
    extensions: [EnterpriseUser]
    target: {backend: other}
    attributes: `+users+`
  Group: {target: {backend: other}, attributes: all}
`, "")
	return r
}

// TestTakeOver: what another server has under the same names takes one word, and what
// is mapped otherwise stays so.
func TestTakeOver(t *testing.T) {
	other := stage(t, otherYAML, otherSQL)
	other.serve()
	r := front(t, other.base, `{"*": all, nickName: {kept: true}, enterprise:division: {in: '"D-" + record["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"]'}}`)
	r.serve()
	const head = `{"schemas":["` + coreUser + `","` + enterpriseUser + `"],`
	r.do("POST", "/Users", head+`"userName":"boss"}`).want(201).keep(r, "boss")
	r.do("POST", "/Users", head+`"userName":"ada","name":{"givenName":"Ada"},"title":"Dr","nickName":"A","active":true,
		"emails":[{"type":"work","value":"ada@example.com","primary":true}],"phoneNumbers":[{"type":"mobile","value":"1"}],"addresses":[{"type":"home","locality":"London"}],
		"`+enterpriseUser+`":{"department":"Engines","manager":{"value":"{boss}"}}}`).want(201).keep(r, "ada")
	r.get("/Users/{ada}").want(200).is("title", "Dr").is("nickName", "A").is("name.givenName", "Ada").is("emails.0.value", "ada@example.com").is("emails.0.primary", "true").
		is("phoneNumbers.0.value", "1").is("addresses.0.locality", "London").is(enterpriseUser+".department", "Engines").is(enterpriseUser+".division", "D-Engines").
		is(enterpriseUser+".manager.value", r.vars["boss"])
	other.holds("Ada|Dr|ada@example.com|1|London|Engines", "SELECT first || '|' || job || '|' || mail || '|' || phone || '|' || town || '|' || dept FROM person WHERE login = 'ada'")
	r.do("PATCH", "/Users/{ada}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@example.com"},{"op":"remove","path":"title"}]}`).want(200).
		is("emails.0.value", "a@example.com").is("title", "")
	r.do("POST", "/Groups", `{"schemas":["`+coreGroup+`"],"displayName":"Staff","members":[{"value":"{ada}"}]}`).want(201).is("members.0.value", r.vars["ada"]).keep(r, "g")
	r.get("/Users/{ada}").want(200).is("groups.0.value", r.vars["g"])
	r.do("DELETE", "/Users/{ada}", "").want(204)
	other.holds("1", "SELECT count(*) FROM person")
}

// TestTakeOverLacks: check --online says what the other server does not have.
func TestTakeOverLacks(t *testing.T) {
	other := stage(t, otherYAML, otherSQL)
	other.serve()
	r := front(t, other.base, `{"*": all, displayName: dispName}`)
	out, status := r.check("--online")
	for _, want := range []string{"has no attribute dispName", "the server's schemas do not have all: not name.formatted", "phoneNumbers.display, phoneNumbers.primary, ims, photos", "3 warnings"} {
		if status != 0 || !strings.Contains(strings.ReplaceAll(out, "\n", " "), want) {
			t.Errorf("status %d, without %q:\n%s", status, want, out)
		}
	}
	write(t, r.path("postern.yaml"), strings.Replace(string(must(readInput(nil, r.path("postern.yaml")))), "type: scim, url", "type: memory, x", 1))
	if out, status := r.check(); status == 0 || !strings.Contains(out, "only another SCIM server has the same attributes, and other is of type memory") {
		t.Errorf("status %d:\n%s", status, out)
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}
