package main

import (
	"fmt"
	"testing"
)

// Keys that a backend uses again: SQLite without AUTOINCREMENT gives the key of
// the last row, once that is deleted, to the next (GW-02).

const reusingConfig = `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients:
  quickstart: {token: quickstart}
  other: {token: other}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no, birth: created_at%s}
    attributes:
      userName: login
      displayName: shown
      active: {name: status, values: {A: true, L: false}}
  Group:
    target: {backend: hr, table: role, key: role_id}
    attributes:
      displayName: title
      members: {table: employee_role, owner: role_id, member: emp_no, refers: User}
`

const reusingTables = `
CREATE TABLE employee (emp_no INTEGER PRIMARY KEY, login TEXT UNIQUE, shown TEXT, status TEXT DEFAULT 'A',
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')));
CREATE TABLE role (role_id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT UNIQUE);
CREATE TABLE employee_role (emp_no INTEGER, role_id INTEGER, PRIMARY KEY (emp_no, role_id));
INSERT INTO role VALUES (880000001, 'all');
INSERT INTO employee (emp_no, login, created_at) VALUES (770000001, 'ada', '2020-01-01'), (770000002, 'bob', '2020-01-02');
`

// supplant deletes a person behind Postern's back and makes another one, who gets
// the same key.
func (r *rig) supplant(old, fresh string) {
	r.t.Helper()
	key := r.value("SELECT emp_no FROM employee WHERE login = ?", old)
	r.sql("DELETE FROM employee WHERE login = ?", old)
	r.sql("INSERT INTO employee (login, shown) VALUES (?, 'new')", fresh)
	r.holds(key, "SELECT emp_no FROM employee WHERE login = ?", fresh)
}

func TestKeysUsedAgain(t *testing.T) {
	for name, scope := range map[string]string{
		"plain":  "",
		"scoped": `, scope: 'record.shown != "hidden"'`,
	} {
		t.Run(name, func(t *testing.T) {
			r := stage(t, fmt.Sprintf(reusingConfig, scope), reusingTables)
			r.serve()
			for n, c := range supplantedRequests {
				old, fresh := fmt.Sprint("old", n), fmt.Sprint("fresh", n)
				r.run(c.name, func() {
					r.sql("INSERT INTO employee (login, shown) VALUES (?, 'old')", old)
					r.vars["old"], r.vars["login"] = r.id(old), fresh
					r.vars["other"] = r.as("other").id(old)
					r.as("quickstart").supplant(old, fresh)
					c.check(r)
					r.do("GET", "/Users/{old}", "").want(404)
					r.as("other").do("GET", "/Users/{other}", "").want(404)
					r.as("quickstart").holds("new A", "SELECT shown || ' ' || status FROM employee WHERE login = ?", fresh)
					if now := r.id(fresh); now == r.vars["old"] {
						t.Errorf("a new record has the id of an old one")
					}
				})
			}
		})
	}
}

// supplantedRequests are what the first request can be on an id whose record was
// deleted and replaced.
var supplantedRequests = []struct {
	name  string
	check func(r *rig)
}{
	{"get", func(r *rig) { r.do("GET", "/Users/{old}", "").want(404) }},
	{"list", func(r *rig) {
		for _, u := range r.do("GET", "/Users", "").want(200).json["Resources"].([]any) {
			if u.(map[string]any)["id"] == r.vars["old"] {
				r.t.Error("a list shows a new record under an old id")
			}
		}
	}},
	{"find", func(r *rig) {
		r.do("GET", `/Users?filter=userName eq "{login}"`, "").want(200)
	}},
	{"find by id", func(r *rig) {
		if a := r.do("GET", `/Users?filter=id eq "{old}"`, "").want(200); a.json["totalResults"] != 0.0 {
			r.t.Errorf("an old id finds a new record: %s", a.body)
		}
	}},
	{"find by id here", func(r *rig) {
		if a := r.do("GET", `/Users?filter=id sw "{old}"`, "").want(200); a.json["totalResults"] != 0.0 {
			r.t.Errorf("an old id finds a new record: %s", a.body)
		}
	}},
	{"patch", func(r *rig) {
		r.patch("/Users/{old}", `{"op":"replace","path":"displayName","value":"wrong"}`).want(404)
	}},
	{"put", func(r *rig) {
		r.do("PUT", "/Users/{old}", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{login}","active":false}`).want(404)
	}},
	{"delete", func(r *rig) { r.do("DELETE", "/Users/{old}", "").want(404) }},
	{"member", func(r *rig) {
		r.vars["all"] = r.groupID("all")
		r.patch("/Groups/{all}", `{"op":"add","path":"members","value":[{"value":"{old}"}]}`).want(400)
		r.holds("0", "SELECT count(*) FROM employee_role")
	}},
}

// A birth says nothing before it was seen, and none is seen where the field is
// empty.
func TestKeysUsedAgainUnseen(t *testing.T) {
	r := stage(t, fmt.Sprintf(reusingConfig, ""), reusingTables)
	r.serve()
	r.sql("UPDATE employee SET created_at = NULL")
	ada := r.id("ada")
	r.sql("UPDATE employee SET created_at = '2021-01-01'")
	for range 2 {
		if r.id("ada") != ada {
			t.Fatal("an id was retired for a birth that was not known")
		}
	}
	r.sql("UPDATE employee SET created_at = '2022-01-01' WHERE login = 'ada'")
	if r.id("ada") == ada {
		t.Fatal("an id was kept though the birth differs")
	}
}

// More than is plausible are not retired: somebody may have changed the field.
func TestKeysUsedAgainByAll(t *testing.T) {
	r := stage(t, fmt.Sprintf(reusingConfig, ""), reusingTables)
	r.serve()
	for n := range 150 {
		r.sql("INSERT INTO employee (login) VALUES (?)", fmt.Sprint("u", n))
	}
	r.do("GET", "/Users?count=200", "").want(200)
	r.sql("UPDATE employee SET created_at = created_at || ' '")
	r.down("GET", "/Users?count=200", "")
}
