package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
)

// What backends of every kind do that no rule knows: 502 and the request's id, which
// the log has, too, and not a word of the backend (E-06).

// blurted is a text of a backend that nobody is to read.
const blurted = "ORA-00942 at /srv/legacy/secret.php"

// A mood is how a backend that speaks HTTP answers.
type mood struct {
	name, body, kind string
	status           int
	cut              bool
	want             int
}

var moods = []mood{
	{"a status that nobody knows", blurted, "text/plain", 418, false, 502},
	{"an error of its own", `{"error": "` + blurted + `"}`, "application/json", 500, false, 502},
	{"an error of its own in HTML", "<html>" + blurted, "text/html", 500, false, 502},
	{"an error of its own without a word", "", "", 500, false, 502},
	{"a redirect to somewhere else", blurted, "text/plain", 302, false, 502},
	{"another object", `{"` + blurted + `": 1}`, "application/json", 200, false, 502},
	{"nothing", "", "application/json", 200, false, 502},
	{"HTML", "<html><body>" + blurted, "text/html", 200, false, 503},
	{"half a body", `{"user": {"id": "` + blurted, "application/json", 200, false, 503},
	{"half a body, and the connection is cut", `{"user": {"id": "` + blurted, "application/json", 200, true, 503},
	{"text", blurted, "application/json", 200, false, 503},
}

// moody answers everything in the mood that is current.
func moody(t *testing.T) (url string, now *atomic.Pointer[mood]) {
	now = &atomic.Pointer[mood]{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m := now.Load()
		w.Header().Set("Content-Type", m.kind)
		if m.status == 302 {
			w.Header().Set("Location", "http://elsewhere.example/")
		}
		if m.cut {
			w.Header().Set("Content-Length", "5000")
		}
		w.WriteHeader(m.status)
		_, _ = w.Write([]byte(m.body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, now
}

// small is a configuration of one resource type before one backend.
func small(t *testing.T, backend, target, attributes string) *rig {
	t.Helper()
	r := stage(t, `gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:postern.db
clients: {quickstart: {token: quickstart}}
backends:
  app: {`+backend+`, breaker: {failures: 1000}}
resources:
  User:
    target: {backend: app, `+target+`}
    attributes: {`+attributes+`}
`, "")
	r.serve()
	return r
}

// baffled wants a request to end with a status, with the request's id in the answer
// and in the log, and without the backend's words.
func (r *rig) baffled(what string, status int, method, path, body string) {
	r.t.Helper()
	a := r.do(method, path, body)
	id := a.header.Get("X-Request-Id")
	detail := fmt.Sprint(a.at("detail"))
	switch {
	case a.status != status:
		r.t.Errorf("%s: %s: status %d, want %d: %s", what, method, a.status, status, a.body)
	case status == 502 && !strings.Contains(detail, id):
		r.t.Errorf("%s: %s: the detail does not tell the request's id %s: %s", what, method, id, detail)
	case status == 503 && a.header.Get("Retry-After") == "":
		r.t.Errorf("%s: %s: no Retry-After", what, method)
	}
	log := r.log.take()
	if !strings.Contains(log, id) {
		r.t.Errorf("%s: the log does not have the id %s", what, id)
	}
	if status == 502 && !strings.Contains(log, "backend=app op=") {
		r.t.Errorf("%s: the log does not tell the backend:\n%s", what, log)
	}
	if strings.Contains(a.body+log, "ORA-00942") || strings.Contains(a.body+log, "secret.php") {
		r.t.Errorf("%s: the backend's words came out: %s\n%s", what, a.body, log)
	}
}

func TestUnknownFailuresOverHTTP(t *testing.T) {
	const plain = "userName: name"
	formats := map[string][2]string{
		"JSON": {"type: rest", `key: id, list: {get: /users, records: body.users}, get: {get: "/users/{key}", record: body.user}, create: {post: /users, send: record, record: body.user}`},
		"form": {"type: rest, format: form", `key: id, list: {get: /users, records: body.users}, get: {get: "/users/{key}", record: body.user}, create: {post: /users, send: record, record: body.user}`},
		"XML":  {"type: rest, format: xml", `key: id, list: {get: /users, records: body.users.user}, get: {get: "/users/{key}", record: body.user}, create: {post: /users, send: "{user: record}", record: body.user}`},
		"SOAP": {"type: rest, format: soap", `key: id, list: {soap: List, records: body.users.user}, get: {soap: Get, send: "{id: key}", record: body.user}, create: {soap: Add, send: record, record: body.user}`},
		"RPC":  {"type: rest", `key: id, list: {rpc: list, records: body.users}, get: {rpc: get, send: "[key]", record: body.user}, create: {rpc: add, send: record, record: body.user}`},
		"SCIM": {"type: scim", `key: id`},
	}
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			url, now := moody(t)
			now.Store(&mood{kind: "application/json", status: 404})
			attributes := plain
			if name == "SCIM" {
				attributes = "userName: userName"
			}
			r := small(t, f[0]+`, url: "`+url+`"`, f[1], attributes)
			for _, m := range moods {
				want := m.want
				if want == 502 && m.status == 200 && (name == "XML" || name == "SOAP" || name == "RPC" || name == "SCIM") {
					want = 0
				}
				now.Store(&m)
				for _, q := range [][3]string{{"GET", "/Users?count=5", ""}, {"GET", `/Users?filter=userName eq "x"`, ""}, {"POST", "/Users", user("x", "")}} {
					if want == 0 { // the format makes one thing or the other of it
						if a := r.do(q[0], q[1], q[2]); a.status != 502 && a.status != 503 {
							t.Errorf("%s: %s: status %d: %s", m.name, q[0], a.status, a.body)
						}
						continue
					}
					r.baffled(m.name, want, q[0], q[1], q[2])
				}
			}
		})
	}
}

func TestUnknownFailureOfProgram(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	program := func(script string) {
		write(t, app, "#!/bin/sh\n"+script+"\n")
		if err := os.Chmod(app, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program("exit 0")
	r := small(t, `type: command, program: "`+app+`"`, `key: id, list: {run: [list], records: body}, create: {run: [add, "--name={record.name}"], record: body}`, "userName: name")
	for what, script := range map[string]string{
		"a status that nobody knows": "echo '" + blurted + "' >&2\nexit 99",
		"a status and an answer":     "echo '{\"x\": \"" + blurted + "\"}'\nexit 3",
		"another object":             "echo '{\"x\": \"" + blurted + "\"}'",
	} {
		program(script)
		r.baffled(what, 502, "GET", "/Users?count=5", "")
		r.baffled(what, 502, "POST", "/Users", user("x", ""))
	}
}

func TestUnknownFailureOfDatabase(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	for _, event := range []string{"INSERT", "UPDATE", "DELETE"} { // an integer overflow
		r.sql("CREATE TRIGGER on_" + event + " BEFORE " + event + " ON employee BEGIN SELECT abs(-9223372036854775807 - 1); END")
	}
	for _, q := range [][3]string{{"POST", "/Users", user("x", "")}, {"PATCH", "/Users/" + ada, `{` + patchOp + `,"Operations":[{"op":"replace","path":"title","value":"x"}]}`}, {"DELETE", "/Users/" + ada, ""}} {
		a := r.do(q[0], q[1], q[2]).want(502)
		log := r.log.take()
		if id := a.header.Get("X-Request-Id"); !strings.Contains(a.body, id) || !strings.Contains(log, id) || strings.Contains(a.body+log, "overflow") {
			t.Errorf("%s %s: %s\n%s", q[0], q[1], a.body, log)
		}
	}
}

func TestUnknownFailureOfDirectory(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go grumble(c)
		}
	}()
	r := small(t, `type: ldap, url: "ldap://`+l.Addr().String()+`", bind: {dn: cn=x, password: x}, base: dc=x`, `classes: person, rdn: uid, key: uid`, "userName: uid, name.familyName: sn")
	r.baffled("result 80", 502, "GET", "/Users?count=5", "")
	r.baffled("result 80", 502, "POST", "/Users", user("x", `,"name":{"familyName":"x"}`))
}

// grumble is a directory that lets everybody in and fails with "other" (RFC 4511
// section 4.1.9).
func grumble(c net.Conn) {
	defer c.Close()
	for {
		p, err := ber.ReadPacket(c)
		if err != nil || len(p.Children) < 2 {
			return
		}
		tag, code := p.Children[1].Tag+1, goldap.LDAPResultOther
		switch p.Children[1].Tag {
		case goldap.ApplicationBindRequest:
			code = goldap.LDAPResultSuccess
		case goldap.ApplicationSearchRequest:
			tag = goldap.ApplicationSearchResultDone
		}
		out := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
		out.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
		out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
		out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, blurted, ""))
		m := ber.NewSequence("")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.Children[0].Value, ""))
		m.AppendChild(out)
		if _, err := c.Write(m.Bytes()); err != nil {
			return
		}
	}
}

// TestOwnFailureIsTold: what fails inside Postern is its own fault, and 500.
func TestOwnFailureIsTold(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	if _, err := r.open("postern.db").Exec("ALTER TABLE external_id RENAME TO nowhere"); err != nil {
		t.Fatal(err)
	}
	a := r.do("GET", "/Users/"+ada, "").want(500)
	if id := a.header.Get("X-Request-Id"); !strings.Contains(a.body, id) || !strings.Contains(r.log.take(), id) {
		t.Error(a.body)
	}
}
