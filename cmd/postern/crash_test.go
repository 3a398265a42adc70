package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The program is killed again and again, at any moment, while clients create,
// rename, change and delete, over backends that fail as well. Clients do what
// provisioning clients do: what had no answer they look up, and try again.

// A crash is one such run.
type crash struct {
	*rig
	mu     sync.RWMutex // for reading while a process serves
	ops    atomic.Int64
	unsure atomic.Int64
	stored func() map[string][]string // login to shown names
	nodes  int                        // at a time; one if 0
	table  func() *sql.DB             // the mapping table; of the rig if nil
	waits  bool                       // what a client looks up is first carried on

	serving sync.Mutex
	bases   []string // of the nodes; "" while one is down
}

// A ghost is somebody whom a client looks after.
type ghost struct {
	name, id string // as acknowledged
	shown    string
	there    bool
	// What had no answer.
	open    string // create, rename, show, delete, or "" if all is known
	newName string
	newShow string
}

// crashes says how long the runs are: CRASH_OPERATIONS=10000 CRASH_KILLS=100 is
// the long form, of make crash.
func crashes(t *testing.T) (operations int64, kills int) {
	number := func(name string, short int) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			return short
		}
		return n
	}
	if testing.Short() {
		t.Skip("processes")
	}
	return int64(number("CRASH_OPERATIONS", 300)), number("CRASH_KILLS", 5)
}

func TestCrashSQL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, table string }{
		"keys of the database": {"emp_no", "emp_no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT"},
		"names as keys":        {"login", "login TEXT PRIMARY KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stage(t, fmt.Sprintf(crashSQL, c.key), "CREATE TABLE employee ("+c.table+", shown TEXT);")
			x := &crash{rig: r, stored: func() map[string][]string { return r.employees(r.open("legacy.db")) }}
			x.run(crashes(t))
		})
	}
}

// employees are login and shown name of everybody.
func (r *rig) employees(db *sql.DB) map[string][]string {
	out := map[string][]string{}
	rows, err := db.Query("SELECT login, shown FROM employee")
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var login, shown string
		if err := rows.Scan(&login, &shown); err != nil {
			r.t.Fatal(err)
		}
		out[login] = append(out[login], shown)
	}
	return out
}

func TestCrashREST(t *testing.T) {
	t.Parallel()
	b, url := newUnreliable(t)
	r := stage(t, fmt.Sprintf(crashREST, url), "")
	x := &crash{rig: r, stored: b.stored}
	x.run(crashes(t))
	t.Logf("the backend committed %d times without an answer", b.late)
}

const crashClients = 6

func (x *crash) run(operations int64, kills int) {
	begun := time.Now()
	running := make([]*process, max(1, x.nodes))
	x.bases = make([]string, len(running))
	for n := range running {
		running[n] = x.fork()
		x.bases[n] = running[n].base
	}
	clients := make([][]*ghost, crashClients)
	var working sync.WaitGroup
	for n := range clients {
		working.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(n), uint64(begun.UnixNano())))
			for x.ops.Load() < operations && !x.t.Failed() {
				clients[n] = x.step(rnd, n, clients[n])
			}
		})
	}
	killed := 0
	for ; killed < kills && !x.t.Failed(); killed++ {
		for until := x.ops.Load() + max(1, operations/int64(kills+1)); x.ops.Load() < min(until, operations) && !x.t.Failed(); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
		n := rand.IntN(len(running))
		_ = running[n].cmd.Process.Kill()
		x.down(n)
		_ = running[n].cmd.Wait()
		running[n] = x.fork()
		x.up(n, running[n].base)
	}
	working.Wait()
	x.finish(clients)
	x.t.Logf("%d nodes, %d operations, %d kills, %d without an answer, in %s", len(running), x.ops.Load(), killed, x.unsure.Load(),
		time.Since(begun).Round(time.Second))
}

// down takes a node out. If it was the only one, clients meet nobody, and wait.
func (x *crash) down(n int) {
	if len(x.bases) == 1 {
		x.mu.Lock()
	}
	x.serving.Lock()
	defer x.serving.Unlock()
	x.bases[n] = ""
}

func (x *crash) up(n int, base string) {
	x.serving.Lock()
	x.bases[n] = base
	x.serving.Unlock()
	if len(x.bases) == 1 {
		x.mu.Unlock()
	}
}

// node is one of those that serve, as a rig.
func (x *crash) node() *rig {
	x.serving.Lock()
	defer x.serving.Unlock()
	for {
		if base := x.bases[rand.IntN(len(x.bases))]; base != "" {
			return &rig{t: x.t, dir: x.dir, base: base, token: x.token}
		}
	}
}

// ask sends a request to any node; nil stands for no answer.
func (x *crash) ask(method, path, body string) *answer {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.ops.Add(1)
	a, err := x.node().send(method, path, body)
	if err != nil || a.status >= 500 {
		x.unsure.Add(1)
		return nil
	}
	return a
}

func (x *crash) step(rnd *rand.Rand, client int, all []*ghost) []*ghost {
	if len(all) == 0 || rnd.IntN(3) == 0 {
		g := &ghost{name: fmt.Sprintf("c%d.%d", client, len(all))}
		x.create(g, fmt.Sprint("first ", rnd.IntN(1000)))
		return append(all, g)
	}
	g := all[rnd.IntN(len(all))]
	switch what := rnd.IntN(10); {
	case g.open != "":
		x.resolve(g)
	case !g.there:
		x.create(g, fmt.Sprint("again ", rnd.IntN(1000)))
	case what < 5:
		x.change(g, "show", g.name, fmt.Sprint("shown ", rnd.IntN(1000)))
	case what < 7:
		x.change(g, "rename", fmt.Sprintf("%s.%d", g.name, rnd.IntN(1000)), g.shown)
	case what < 9:
		x.remove(g)
	default:
		x.twice(g, all)
	}
	return all
}

// crashed is somebody whom the backend knows in part, and the mapping table in part: the
// two must agree.
func crashed(name, shown string) string {
	return user(name, fmt.Sprintf(`,"displayName":%q,"nickName":%[1]q,"externalId":%[1]q`, shown))
}

// create makes somebody; g.id is "" then, for an id is never given again.
func (x *crash) create(g *ghost, shown string) {
	g.id, g.there = "", false
	a := x.ask("POST", "/Users", crashed(g.name, shown))
	switch {
	case a == nil || a.status == 409: // perhaps by the one before, which had no answer
		g.open, g.newName, g.newShow = "create", g.name, shown
	case a.status == 201:
		g.id, g.shown, g.there = fmt.Sprint(a.at("id")), shown, true
	default:
		x.t.Errorf("create %s: %d %s", g.name, a.status, a.body)
	}
}

func (x *crash) change(g *ghost, what, name, shown string) {
	a := x.ask("PUT", "/Users/"+g.id, crashed(name, shown))
	switch {
	case a == nil:
		g.open, g.newName, g.newShow = what, name, shown
	case a.status == 200:
		g.name, g.shown = name, shown
	default:
		x.t.Errorf("%s of %s: %d %s", what, g.name, a.status, a.body)
	}
}

func (x *crash) remove(g *ghost) {
	switch a := x.ask("DELETE", "/Users/"+g.id, ""); {
	case a == nil:
		g.open = "delete"
	case a.status == 204:
		g.there = false
	default:
		x.t.Errorf("delete %s: %d %s", g.name, a.status, a.body)
	}
}

// twice lets two clients create one person at the same moment.
func (x *crash) twice(g *ghost, all []*ghost) {
	name := g.name + ".twin" + fmt.Sprint(len(all), x.ops.Load())
	var both sync.WaitGroup
	var made [2]string
	for i := range made {
		both.Go(func() {
			if a := x.ask("POST", "/Users", user(name, `,"displayName":"twin"`)); a != nil && a.status == 201 {
				made[i] = fmt.Sprint(a.at("id"))
			}
		})
	}
	both.Wait()
	if made[0] != "" && made[1] != "" && made[0] != made[1] {
		x.t.Errorf("%s was created twice", name)
	}
}

// resolve finds out what became of what had no answer.
func (x *crash) resolve(g *ghost) {
	if len(x.bases) > 1 {
		time.Sleep(200 * time.Millisecond) // what the killed one had sent is still on its way
	}
	if x.waits {
		x.carriedOn()
	}
	for _, name := range slices.Compact([]string{g.newName, g.name}) {
		if name == "" {
			continue
		}
		a := x.ask("GET", `/Users?filter=userName eq "`+name+`"`, "")
		if a == nil {
			return
		}
		if a.status != 200 || a.total() > 1 {
			x.t.Errorf("find %s: %d %s", name, a.status, a.body)
			return
		}
		if a.total() == 0 {
			continue
		}
		id, shown := fmt.Sprint(a.at("Resources.0.id")), fmt.Sprint(a.at("Resources.0.displayName"))
		if g.id != "" && g.id != id {
			x.t.Errorf("%s: %s has another id than it was told", g.open, name)
		}
		g.id, g.name, g.shown, g.there, g.open, g.newName = id, name, shown, true, "", ""
		return
	}
	if g.open != "create" && g.open != "delete" {
		x.t.Errorf("%s: %s is lost", g.open, g.name)
	}
	g.there, g.open, g.newName = false, "", ""
}

// finish waits until nothing is left to settle, and compares.
func (x *crash) finish(clients [][]*ghost) {
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
	stored := x.stored()
	for login, shown := range stored {
		if len(shown) != 1 {
			x.t.Errorf("%s is there %d times", login, len(shown))
		}
	}
	for _, all := range clients {
		for _, g := range all {
			if g.open != "" {
				x.resolve(g)
			}
			switch shown := stored[g.name]; {
			case g.open != "":
				x.t.Errorf("%s: no answer", g.name)
			case g.there && (len(shown) != 1 || shown[0] != g.shown):
				x.t.Errorf("%s is stored as %q, and was told to be %q", g.name, shown, g.shown)
			case !g.there && len(shown) > 0:
				x.t.Errorf("%s was deleted, and is there", g.name)
			case g.there:
				x.get("/Users/"+g.id).want(200).is("userName", g.name).is("displayName", g.shown).is("nickName", g.shown).is("externalId", g.shown)
			}
		}
	}
	if total := x.get("/Users", "count", "0").total(); total != len(stored) {
		x.t.Errorf("%d are listed, %d stored", total, len(stored))
	}
	x.get("/Users", "count", "1000") // those that no client asked for get their ids
	if x.table == nil {
		x.table = func() *sql.DB { return x.open("postern.db") }
	}
	db := x.table()
	for what, query := range map[string]string{
		"links":                       "SELECT count(*) FROM link",
		"records with two identities": "SELECT count(*) + " + fmt.Sprint(len(stored)) + " FROM (SELECT 1 FROM link GROUP BY key HAVING count(*) > 1) AS twice",
		"living identities":           "SELECT count(*) FROM identity WHERE state <> 'gone'",
	} {
		if n := x.valueIn(db, query); n != fmt.Sprint(len(stored)) && len(stored) <= 1000 {
			x.t.Errorf("%s: %s, and %d records", what, n, len(stored))
		}
	}
}

// journal runs postern journal beside the server.
func (r *rig) journal(args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	return r.command(append([]string{"journal", args[0], "--config", r.path("postern.yaml")}, args[1:]...)...)
}
