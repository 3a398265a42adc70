package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const crashPlacesYAML = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  agency: {type: sql, dsn: "sqlite:state/agency.db", init: agency.sql}
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no}
    places:
      agency: {when: 'resource.userType == "Contractor"', backend: agency, table: contractor, key: KEY, names: {login: user_name}}
    moving: {left: LEFT}
    attributes:
      userName: login
      displayName: shown
      nickName: {kept: true}
      userType: kind
      active: {name: status, values: {A: true, L: false}}
`

// TestCrashPlaces: the program is killed again and again while people are moved back
// and forth between two databases. Afterwards everybody is there exactly once, under
// the id that they had, or besides as what was left behind and is inactive.
func TestCrashPlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ left, key string }{
		"deleted":        {"delete", "id"},
		"names as keys":  {"delete", "user_name"},
		"set inactive":   {"deactivate", "id"},
		"kept as it was": {"keep", "id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			yaml := strings.NewReplacer("LEFT", c.left, "KEY", c.key).Replace(crashPlacesYAML)
			r := staged(t, yaml, "CREATE TABLE employee (emp_no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, shown TEXT, kind TEXT, status TEXT DEFAULT 'A');")
			write(t, r.path("agency.sql"), "CREATE TABLE contractor (id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL UNIQUE, shown TEXT, kind TEXT, status TEXT DEFAULT 'A');")
			x := &movers{rig: r, left: c.left}
			x.run(crashes(t))
		})
	}
}

// movers are people who are moved while the program is killed.
type movers struct {
	*rig
	left string
	mu   sync.RWMutex // for reading while a process serves
	ops  int64
	lost int
	sum  sync.Mutex

	moved atomic.Int64
}

// A mover is somebody whom one client moves.
type mover struct {
	name, id    string
	kind, shown string
	open        bool   // the last change had no answer
	other       string // the kind that it was to give
}

func (x *movers) ask(method, path, body string) *answer {
	x.mu.RLock()
	defer x.mu.RUnlock()
	a, err := x.rig.send(method, path, body)
	x.sum.Lock()
	defer x.sum.Unlock()
	if x.ops++; err != nil || a.status >= 500 {
		x.lost++
		return nil
	}
	return a
}

func (x *movers) done() int64 {
	x.sum.Lock()
	defer x.sum.Unlock()
	return x.ops
}

func (x *movers) run(operations int64, kills int) {
	begun := time.Now()
	p := x.fork()
	x.base = p.base
	clients := make([][]*mover, 4)
	for n := range clients {
		for i := range 4 + kills {
			name := fmt.Sprintf("m%d.%d", n, i)
			a := x.do("POST", "/Users", user(name, `,"userType":"Employee","displayName":"new","externalId":"x","nickName":"n"`)).want(201)
			clients[n] = append(clients[n], &mover{name: name, id: fmt.Sprint(a.at("id")), kind: "Employee", shown: "new"})
		}
	}
	var working sync.WaitGroup
	for n := range clients {
		working.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(n), uint64(begun.UnixNano())))
			for x.done() < operations && !x.t.Failed() {
				x.step(rnd, clients[n][rnd.IntN(len(clients[n]))])
			}
		})
	}
	killed := 0
	for ; killed < kills && !x.t.Failed(); killed++ {
		for until := x.done() + max(1, operations/int64(kills+1)); x.done() < min(until, operations) && !x.t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
		_ = p.cmd.Process.Kill()
		x.mu.Lock()
		_ = p.cmd.Wait()
		p = x.fork()
		x.base = p.base
		x.mu.Unlock()
	}
	working.Wait()
	x.finish(clients)
	x.t.Logf("%d operations, %d moves, %d kills, %d without an answer, in %s", x.done(), x.moved.Load(), killed, x.lost, time.Since(begun).Round(time.Second))
}

// step moves somebody, or changes them where they are, or looks.
func (x *movers) step(rnd *rand.Rand, m *mover) {
	switch {
	case m.open && rnd.IntN(20) > 0: // for a while nobody knows
		return
	case m.open:
		x.ascertain(m, fmt.Sprint("known ", rnd.IntN(1000)))
		return
	case rnd.IntN(4) == 0:
		x.look(m)
		return
	}
	kind, shown := m.kind, fmt.Sprint("shown ", rnd.IntN(1000))
	if rnd.IntN(3) > 0 {
		kind = map[string]string{"Employee": "Contractor", "Contractor": "Employee"}[kind]
	}
	a := x.ask("PATCH", "/Users/"+m.id, patchOf(fmt.Sprintf(`{"op":"replace","value":{"userType":%q,"displayName":%q,"nickName":%q}}`, kind, shown, shown)))
	switch {
	case a == nil:
		m.open, m.other = true, kind
	case a.status == 200 && a.at("id") == m.id && a.at("userType") == kind && a.at("displayName") == shown:
		if m.kind != kind {
			x.moved.Add(1)
		}
		m.kind, m.shown = kind, shown
	default:
		x.t.Errorf("move %s: %d %s", m.name, a.status, a.body)
	}
}

// look wants somebody to be found once, as they are.
func (x *movers) look(m *mover) {
	a := x.ask("GET", `/Users?filter=userName eq "`+m.name+`"`, "")
	if a == nil {
		return
	}
	is := [2]string{fmt.Sprint(a.at("Resources.0.userType")), fmt.Sprint(a.at("Resources.0.displayName"))}
	if a.status != 200 || a.total() != 1 || a.at("Resources.0.id") != m.id || is != [2]string{m.kind, m.shown} {
		x.t.Errorf("find %s as %s %q: %d %s", m.name, m.kind, m.shown, a.status, a.body)
	}
}

// ascertain finds out what became of a change that had no answer, by making another one.
func (x *movers) ascertain(m *mover, shown string) {
	a := x.ask("PATCH", "/Users/"+m.id, patchOf(fmt.Sprintf(`{"op":"replace","value":{"displayName":%q,"nickName":%[1]q}}`, shown)))
	if a == nil {
		return // it is not looked for before one has had an answer
	}
	kind := fmt.Sprint(a.at("userType"))
	if a.status != 200 || a.at("displayName") != shown || kind != m.kind && kind != m.other {
		x.t.Errorf("%s was to be %s or %s: %d %s", m.name, m.kind, m.other, a.status, a.body)
	}
	m.kind, m.shown, m.open = kind, shown, false
}

// finish waits until nothing is left to settle, and compares.
func (x *movers) finish(clients [][]*mover) {
	for _, all := range clients {
		for _, m := range all {
			for until := time.Now().Add(time.Minute); m.open && time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
				x.ascertain(m, "at last")
			}
		}
	}
	for until := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		out, _, status := x.journal("list", "--json")
		var left []json.RawMessage
		if err := json.Unmarshal([]byte(out), &left); err == nil && status == 0 && len(left) == 0 {
			break
		}
		if time.Now().After(until) {
			x.t.Fatalf("the journal does not get empty: %s", out)
		}
	}
	home, agency := x.kinds(x.open("legacy.db"), "SELECT login, kind || ' ' || shown || ' ' || status FROM employee"),
		x.kinds(x.open("agency.db"), "SELECT user_name, kind || ' ' || shown || ' ' || status FROM contractor")
	people := 0
	for _, all := range clients {
		for _, m := range all {
			people++
			here, there := home, agency
			if m.kind == "Contractor" {
				here, there = agency, home
			}
			if want := m.kind + " " + m.shown + " A"; here[m.name] != want {
				x.t.Errorf("%s is stored as %q, and was told to be %q", m.name, here[m.name], want)
			}
			switch other := there[m.name]; {
			case other == "":
			case x.left == "delete":
				x.t.Errorf("%s is there twice: %q, too", m.name, other)
			case x.left == "deactivate" && !strings.HasSuffix(other, " L"):
				x.t.Errorf("%s was left behind, and is active: %q", m.name, other)
			}
			x.get("/Users/"+m.id).want(200).is("userName", m.name).is("displayName", m.shown).is("externalId", "x").is("userType", m.kind)
		}
	}
	if total := x.get("/Users", "count", "0").total(); total != people {
		x.t.Errorf("%d are listed, and %d there", total, people)
	}
	db := x.open("postern.db")
	if n := x.valueIn(db, "SELECT count(*) FROM link"); n != fmt.Sprint(len(home)+len(agency)) {
		x.t.Errorf("%s links, and %d records", n, len(home)+len(agency))
	}
	if n := x.valueIn(db, "SELECT count(*) FROM identity"); n != fmt.Sprint(people) {
		x.t.Errorf("%s identities, and there were only %d people", n, people)
	}
}

func (x *movers) kinds(db *sql.DB, query string) map[string]string {
	out := map[string]string{}
	rows, err := db.Query(query)
	if err != nil {
		x.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var login, what string
		if err := rows.Scan(&login, &what); err != nil {
			x.t.Fatal(err)
		}
		out[login] = what
	}
	return out
}

// TestPlacesNodes: two nodes move the same people at the same time.
func TestPlacesNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("processes")
	}
	yaml, table := shared(t, strings.NewReplacer("LEFT", "delete", "KEY", "id").Replace(crashPlacesYAML))
	r := staged(t, yaml, "CREATE TABLE employee (emp_no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, shown TEXT, kind TEXT, status TEXT DEFAULT 'A');")
	write(t, r.path("agency.sql"), "CREATE TABLE contractor (id INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL UNIQUE, shown TEXT, kind TEXT, status TEXT DEFAULT 'A');")
	var nodes []*rig
	for range 2 {
		nodes = append(nodes, &rig{t: t, dir: r.dir, base: r.fork().base, token: r.token})
	}
	var ids []string
	for i := range 3 {
		ids = append(ids, fmt.Sprint(r.do("POST", "/Users", user(fmt.Sprint("p", i), `,"userType":"Employee"`)).want(201).at("id")))
	}
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 20 {
				kind := []string{"Employee", "Contractor"}[(i+n)%2]
				for try := 0; ; try++ {
					a, err := nodes[n%2].send("PATCH", "/Users/"+ids[i%3], patchOf(fmt.Sprintf(`{"op":"replace","value":{"userType":%q,"displayName":"%d.%d"}}`, kind, n, i)))
					if err == nil && a.status == 503 && try < 50 {
						time.Sleep(20 * time.Millisecond)
						continue
					}
					if err != nil || a.status != 200 || a.at("userType") != kind {
						t.Errorf("%v %+v", err, a)
					}
					break
				}
			}
		})
	}
	all.Wait()
	if n := len(r.column(r.open("legacy.db"), "SELECT login FROM employee")) + len(r.column(r.open("agency.db"), "SELECT user_name FROM contractor")); n != len(ids) {
		t.Errorf("%d records of %d people", n, len(ids))
	}
	for what, query := range map[string]string{"links": "SELECT count(*) FROM link", "identities": "SELECT count(*) FROM identity"} {
		if n := r.valueIn(table, query); n != fmt.Sprint(len(ids)) {
			t.Errorf("%s %s", n, what)
		}
	}
	for i, id := range ids {
		for _, n := range nodes {
			n.get("/Users/"+id).want(200).is("userName", fmt.Sprint("p", i))
			n.get("/Users", "filter", fmt.Sprintf(`userName eq "p%d"`, i)).want(200).is("totalResults", "1").is("Resources.0.id", id)
		}
	}
}
