package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// Records in two backends: the shown name lives in a part. What the backends hold must
// agree afterwards, with each other, with the mapping table and with what clients were told.

const crashSeveral = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  mail: %s
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no}
    parts:
      mail:
        target: %s
        on: {login: login}
    attributes: {userName: login, displayName: mail.shown, nickName: nick, meta.lastModified: {kept: true}}
`

const crashSeveralScript = "CREATE TABLE employee (emp_no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT, nick TEXT);"

func TestCrashSeveral(t *testing.T) {
	t.Parallel()
	t.Run("two databases", func(t *testing.T) {
		t.Parallel()
		r := stage(t, fmt.Sprintf(crashSeveral, `{type: sql, dsn: "sqlite:state/mail.db", init: mail.sql}`, `{backend: mail, table: mailbox, key: id}`), crashSeveralScript)
		write(t, r.path("mail.sql"), "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, shown TEXT);")
		x := &crash{rig: r, waits: true}
		x.stored = func() map[string][]string {
			return x.agreed(r.pairs(r.open("mail.db"), "SELECT login, shown FROM mailbox"))
		}
		x.run(crashes(t))
	})
	t.Run("a database and an API that drops connections", func(t *testing.T) {
		t.Parallel()
		b, url := newUnreliable(t)
		r := stage(t, fmt.Sprintf(crashSeveral, `{type: rest, url: "`+url+`", timeout: 5s, breaker: {failures: 1000}}`, `
          backend: mail
          key: id
          list: {get: /users, records: body.users}
          find: [{get: "/users?login={filter.value}", records: body.users, answers: {login: [eq]}}]
          get: {get: "/users/{key}", record: body}
          create: {post: /users, send: record, record: body}
          update: {put: "/users/{key}", send: changes, record: body}
          delete: {delete: "/users/{key}"}`), crashSeveralScript)
		x := &crash{rig: r, waits: true}
		x.stored = func() map[string][]string { return x.agreed(b.stored()) }
		operations, kills := crashes(t)
		x.run(min(operations, 2000), min(kills, 20)) // what may still be on its way is waited for
		t.Logf("the backend committed %d times without an answer", b.late)
	})
}

// TestSeveralCreateFound: the record itself is in an API that commits and gives no answer;
// it is found again, and its part is made.
func TestSeveralCreateFound(t *testing.T) {
	t.Parallel()
	b, url := newUnreliable(t)
	r := stage(t, `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  api: {type: rest, url: "`+url+`", timeout: 5s, breaker: {failures: 1000}}
  mail: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
  User:
    target:
      backend: api
      list: {get: /users, records: body.users}
      find: [{get: "/users?login={filter.value}", records: body.users, answers: {login: [eq]}}]
      get: {get: "/users/{key}", record: body}
      create: {post: /users, send: record, record: body}
      update: {put: "/users/{key}", send: changes, record: body}
      delete: {delete: "/users/{key}"}
    parts:
      mail: {target: {backend: mail, table: mailbox, key: id}, on: {login: login}}
    attributes: {userName: login, nickName: shown, displayName: mail.shown}
`, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, shown TEXT);")
	r.serve()
	made := 0
	for n := range 200 {
		name := fmt.Sprint("u", n)
		if a := r.do("POST", "/Users", user(name, `,"displayName":"`+name+`"`)); a.status == 201 {
			a.is("displayName", name)
			made++
		}
	}
	b.mu.Lock()
	late := b.late
	b.mu.Unlock()
	if late == 0 || made < 150 {
		t.Errorf("%d commits without an answer, %d made", late, made)
	}
	boxes := len(r.pairs(r.open("legacy.db"), "SELECT login, shown FROM mailbox"))
	if stored := len(b.stored()); boxes != stored || made != stored {
		t.Errorf("%d records, %d parts, %d answers 201", stored, boxes, made)
	}
}

// pairs are the rows of two columns, by the first.
func (r *rig) pairs(db *sql.DB, query string) map[string][]string {
	out := map[string][]string{}
	rows, err := db.Query(query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var login string
		var shown sql.NullString
		if err := rows.Scan(&login, &shown); err != nil {
			r.t.Fatal(err)
		}
		out[login] = append(out[login], shown.String)
	}
	return out
}

// agreed compares the main records with their parts, and answers the parts.
func (x *crash) agreed(parts map[string][]string) map[string][]string {
	main := x.pairs(x.open("legacy.db"), "SELECT login, nick FROM employee")
	for login, nick := range main {
		if len(nick) != 1 {
			x.t.Errorf("%s is there %d times", login, len(nick))
		}
		if part := parts[login]; len(part) == 1 && nick[0] != "" && nick[0] != part[0] {
			x.t.Errorf("%s is %q in one backend and %q in the other", login, nick[0], part[0])
		}
	}
	if a, b := slices.Sorted(maps.Keys(main)), slices.Sorted(maps.Keys(parts)); !slices.Equal(a, b) {
		x.t.Errorf("one backend has %q, the other %q", a, b)
	}
	return parts
}

// carriedOn waits until nothing is left of what stands in the journal now.
func (x *crash) carriedOn() {
	entries := func() map[float64]bool {
		var left []map[string]any
		for {
			out, _, status := x.journal("list", "--json")
			if err := json.Unmarshal([]byte(out), &left); status == 0 && err == nil {
				break
			}
		}
		nrs := map[float64]bool{}
		for _, in := range left {
			nr, _ := in["nr"].(float64)
			nrs[nr] = true
		}
		return nrs
	}
	was := entries()
	for until := time.Now().Add(2 * time.Minute); len(was) > 0 && time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		now := entries()
		maps.DeleteFunc(was, func(nr float64, _ bool) bool { return !now[nr] })
	}
}
