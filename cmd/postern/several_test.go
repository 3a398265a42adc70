package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// What clients are told when a person lives in a database and, in part, in a mail system
// that fails.

// A mailSystem is an API that keeps mailboxes, and fails as it is told.
type mailSystem struct {
	mu    sync.Mutex
	next  int
	boxes map[string]map[string]any
	fails string // "", "down": no answer to anything; "drops": none to writes; "refuses": 422 to writes
	asked int
}

func newMailSystem(t *testing.T) (*mailSystem, string) {
	m := &mailSystem{boxes: map[string]map[string]any{}}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return m, s.URL
}

func (m *mailSystem) now(fails string) { m.mu.Lock(); m.fails = fails; m.mu.Unlock() }

func (m *mailSystem) addresses() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, b := range m.boxes {
		out = append(out, fmt.Sprint(b["owner"], " ", b["address"]))
	}
	return strings.Join(out, "; ")
}

func (m *mailSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	writes := r.Method != http.MethodGet
	switch {
	case m.fails == "down", m.fails == "drops" && writes:
		panic(http.ErrAbortHandler)
	case m.fails == "refuses" && writes:
		w.WriteHeader(422)
		return
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	id := strings.Trim(strings.TrimPrefix(r.URL.Path, "/boxes"), "/")
	box, there := m.boxes[id]
	var out any
	switch {
	case id == "" && r.Method == http.MethodPost:
		m.next++
		sent["id"] = fmt.Sprint("box", m.next)
		m.boxes[fmt.Sprint("box", m.next)] = sent
		out = sent
	case id == "":
		list := []any{}
		for _, b := range m.boxes {
			if o := r.URL.Query().Get("owner"); o == "" || b["owner"] == o {
				list = append(list, b)
			}
		}
		out = map[string]any{"boxes": list}
	case !there:
		w.WriteHeader(404)
		return
	case r.Method == http.MethodPut:
		for k, v := range sent {
			box[k] = v
		}
		out = box
	case r.Method == http.MethodDelete:
		delete(m.boxes, id)
		w.WriteHeader(204)
		return
	default:
		out = box
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

const severalBackends = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
  mail: {type: rest, url: "%s", timeout: 5s, breaker: {failures: 1000}}
resources:
  User:
    target: {backend: hr, table: employee, key: emp_no}
    parts:
      mail:
        target:
          backend: mail
          list: {get: /boxes, records: body.boxes}
          find: [{get: "/boxes?owner={filter.value}", records: body.boxes, answers: {owner: [eq]}}]
          get: {get: "/boxes/{key}", record: body}
          create: {post: /boxes, send: record, record: body}
          update: {put: "/boxes/{key}", send: changes, record: body}
          delete: {delete: "/boxes/{key}"}
          fails: [{when: status == 422, kind: invalid}]
        on: {owner: login}
    attributes:
      userName: login
      title: job
      phoneNumbers: {table: phone, owner: emp_no, columns: {value: number, type: kind}}
      active: {name: status, values: {A: true, L: false}, default: true}
      emails[type eq "work"].value: mail.address
      password: {name: mail.password, out: value}
`

func withMail(t *testing.T) (*rig, *mailSystem) {
	m, url := newMailSystem(t)
	r := stage(t, fmt.Sprintf(severalBackends, url), "CREATE TABLE employee (emp_no INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT UNIQUE, job TEXT, status TEXT); CREATE TABLE phone (nr INTEGER PRIMARY KEY, emp_no INTEGER NOT NULL, number TEXT, kind TEXT);")
	r.serve()
	return r, m
}

func withAddress(name, address string) string {
	return user(name, `,"emails":[{"type":"work","value":"`+address+`"}]`)
}

func (r *rig) kinds() string {
	r.t.Helper()
	out, _, _ := r.journal("list", "--json")
	var all []map[string]any
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		r.t.Fatal(err)
	}
	var kinds []string
	for _, in := range all {
		kinds = append(kinds, fmt.Sprint(in["kind"], " ", in["state"]))
	}
	return strings.Join(kinds, ", ")
}

// within waits for what goes on by itself.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s: not in time", what)
}

func TestSeveralAreRefusedTogether(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	m.now("down")
	r.unseen(r.do("POST", "/Users", withAddress("ada", "ada@x.org"))).want(503)
	r.holds("0", "SELECT count(*) FROM employee") // nothing was begun
	m.now("refuses")
	r.unseen(r.do("POST", "/Users", withAddress("ada", "ada@x.org"))).want(400).is("scimType", "invalidValue")
	r.holds("0", "SELECT count(*) FROM employee")
	m.now("")
	id := fmt.Sprint(r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201).is("emails.0.value", "ada@x.org").at("id"))
	m.now("refuses")
	r.unseen(r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"title","value":"Dr"},{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x.org"}`))).want(400)
	r.holds("", "SELECT coalesce(job, '') FROM employee")
	if k := r.kinds(); k != "" {
		t.Errorf("the journal: %s", k)
	}
	asked := m.asked
	r.get("/Users/"+id, "attributes", "userName").want(200)
	r.do("PATCH", "/Users/"+id+"?attributes=title", patches(`{"op":"replace","path":"title","value":"Dr"}`)).want(200)
	if m.asked != asked {
		t.Errorf("the mail system was asked %d times for what it has nothing to do with", m.asked-asked)
	}
}

// TestSeveralRowsAreTakenBack: the rows of a multi-valued attribute, too, though those
// that come back have other keys.
func TestSeveralRowsAreTakenBack(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	id := fmt.Sprint(r.do("POST", "/Users", user("ada", `,"phoneNumbers":[{"type":"work","value":"1"},{"type":"home","value":"2"}],"emails":[{"type":"work","value":"ada@x.org"}]`)).want(201).at("id"))
	m.now("refuses")
	r.unseen(r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"phoneNumbers","value":[{"type":"mobile","value":"2"},{"type":"work","value":"3"}]},`+
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x.org"}`))).want(400)
	r.holds("work 1, home 2", "SELECT group_concat(kind || ' ' || number, ', ') FROM (SELECT kind, number FROM phone ORDER BY number)")
	if k := r.kinds(); k != "" {
		t.Errorf("the journal: %s", k)
	}
}

func TestSeveralAreCarriedOn(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	m.now("")
	id := fmt.Sprint(r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201).at("id"))
	m.now("drops")
	a := r.unseen(r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"title","value":"Dr"},{"op":"replace","path":"emails[type eq \"work\"].value","value":"new@x.org"}`)))
	a.want(503).is("detail", "The change of the User is stored only in part yet. The rest is carried on by itself: do not repeat it, but read the resource again later.")
	r.get("/Users/"+id).want(200).is("title", "Dr").is("emails.0.value", "ada@x.org") // what is stored
	if k := r.kinds(); k != "parts waiting" {
		t.Errorf("the journal: %s", k)
	}
	// Who is disabled must not wait for the mail system; who changes the address must.
	r.do("PATCH", "/Users/"+id+"?attributes=active", patches(`{"op":"replace","path":"active","value":false}`)).want(200).is("active", "false")
	r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"newer@x.org"}`)).want(503)
	m.now("")
	within(t, "the address", func() bool { return m.addresses() == "ada new@x.org" })
	within(t, "the journal", func() bool { return r.kinds() == "" })
	r.get("/Users/"+id).want(200).is("title", "Dr").is("active", "false").is("emails.0.value", "new@x.org")

	m.now("drops")
	r.unseen(r.do("DELETE", "/Users/"+id, "")).want(503).
		is("detail", "The User is deleted, but not all that belongs to it yet. The rest is carried on by itself: do not repeat it, but read the resource again later.")
	r.get("/Users/" + id).want(404)
	m.now("")
	within(t, "the mailbox goes", func() bool { return m.addresses() == "" && r.kinds() == "" })
}

// TestSeveralAreMergedAway: of a record that a merge deletes, what is left is carried on,
// though it was deleted by a command that is over.
func TestSeveralAreMergedAway(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	keep := fmt.Sprint(r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201).at("id"))
	drop := fmt.Sprint(r.do("POST", "/Users", withAddress("ada2", "ada2@x.org")).want(201).at("id"))
	m.now("drops")
	if _, stderr, status := r.cli("merge", "--keep", keep, "--drop", drop, "--record", "delete", "--why", "a test"); status != 0 {
		t.Errorf("merge: %s", stderr)
	}
	r.holds("ada", "SELECT group_concat(login) FROM employee")
	if k := r.kinds(); k != "parts waiting" {
		t.Errorf("the journal: %s", k)
	}
	m.now("")
	within(t, "the mailbox goes", func() bool { return m.addresses() == "ada ada@x.org" && r.kinds() == "" })
}

func TestSeveralGetStuck(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	id := fmt.Sprint(r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201).at("id"))
	m.now("drops")
	r.unseen(r.do("PUT", "/Users/"+id, user("ada", `,"title":"Dr","emails":[{"type":"work","value":"a@x.org"}]`))).want(503)
	m.now("refuses")
	within(t, "stuck", func() bool { return r.kinds() == "parts stuck" })
	if out, _, _ := r.journal("list"); !strings.Contains(out, "the backend says: invalid, of mail") {
		t.Errorf("the reason: %s", out)
	}
	m.now("") // what is stuck stands in nobody's way
	r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"b@x.org"}`)).want(200).is("title", "Dr").is("emails.0.value", "b@x.org")
	if _, stderr, status := r.journal("retry"); status != 0 {
		t.Errorf("retry: %s", stderr)
	}
	r.get("/Users/"+id).is("emails.0.value", "b@x.org") // it was changed since
}

// TestSeveralVersions: a version says that a part has changed, too.
func TestSeveralVersions(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	made := r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201)
	path, old := "/Users/"+fmt.Sprint(made.at("id")), made.etag()
	m.mu.Lock()
	m.boxes["box1"]["address"] = "elsewhere@x.org"
	m.mu.Unlock()
	op := patches(`{"op":"replace","path":"title","value":"Dr"}`)
	r.do("PATCH", path, op, "If-Match: "+old).want(412)
	now := r.get(path).want(200).is("emails.0.value", "elsewhere@x.org").etag()
	if now == old {
		t.Error("the version is the same")
	}
	r.do("PATCH", path, op, "If-Match: "+now).want(200).is("title", "Dr").is("emails.0.value", "elsewhere@x.org")
}

func patches(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// TestSeveralSecrets: a password is in no journal; what is left of it is for somebody to
// look at.
func TestSeveralSecrets(t *testing.T) {
	t.Parallel()
	r, m := withMail(t)
	m.now("")
	id := fmt.Sprint(r.do("POST", "/Users", withAddress("ada", "ada@x.org")).want(201).at("id"))
	m.now("drops")
	r.unseen(r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"title","value":"Dr"},{"op":"replace","path":"password","value":"tr0ub4dor-and-3"}`))).want(503)
	if d := r.dump("postern.db"); strings.Contains(d, "tr0ub4dor") {
		t.Error("the password is in the mapping table")
	}
	m.now("")
	within(t, "stuck", func() bool { return r.kinds() == "parts stuck" })
	out, _, _ := r.journal("list")
	if !strings.Contains(out, "it must be sent again") {
		t.Errorf("the reason: %s", out)
	}
	r.do("PATCH", "/Users/"+id, patches(`{"op":"replace","path":"password","value":"tr0ub4dor-and-4"}`)).want(200)
	var all []map[string]any
	list, _, _ := r.journal("list", "--json")
	_ = json.Unmarshal([]byte(list), &all)
	if _, stderr, status := r.journal("give-up", fmt.Sprint(all[0]["nr"]), "--why", "sent again"); status != 0 {
		t.Errorf("give-up: %s", stderr)
	}
	if k := r.kinds(); k != "" {
		t.Errorf("the journal: %s", k)
	}
}
