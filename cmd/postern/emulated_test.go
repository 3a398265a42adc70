package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A desk is an application without a flag for active: users have a role and groups,
// and can be locked by a call of its own, but nobody tells whether they are.
type desk struct {
	mu    sync.Mutex
	users map[string]map[string]any
	calls []string
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method != http.MethodGet {
		d.calls = append(d.calls, r.Method+" "+r.URL.Path)
	}
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent)
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	status, body := 200, any(nil)
	switch {
	case part[0] == "groups" && len(part) == 4: // groups/NAME/users/ID
		u := d.users[part[3]]
		groups := slices.DeleteFunc(u["groups"].([]string), func(g string) bool { return g == part[1] })
		if r.Method == http.MethodPut {
			groups = append(groups, part[1])
		}
		u["groups"] = groups
	case part[0] == "groups" && len(part) == 2:
		body = map[string]any{"id": part[1]}
	case part[0] == "groups":
		body = []any{map[string]any{"id": "staff"}, map[string]any{"id": "disabled"}}
	case len(part) == 1 && r.Method == http.MethodPost:
		id := strconv.Itoa(770_000_001 + len(d.users))
		sent["id"], sent["groups"] = id, []string{"staff"}
		d.users[id], status, body = sent, 201, sent
	case len(part) == 1:
		all := []any{}
		for _, u := range d.users {
			all = append(all, u)
		}
		body = all
	case d.users[part[1]] == nil:
		status = 404
	default:
		for k, v := range sent {
			d.users[part[1]][k] = v
		}
		body = d.users[part[1]]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

const deskYAML = `
gateway: {listen: 127.0.0.1:0}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends: {desk: {type: rest, url: "URL"}}
resources:
  User:
    target:
      backend: desk
      key: id
      list: {get: /users, records: body}
      get: {get: "/users/{key}", record: body}
      create: {post: /users, send: record, record: body}
      UPDATE
    attributes:
      userName: login
      ACTIVE
  Group:
    target:
      backend: desk
      key: id
      scope: 'record.id != "disabled"'
      list: {get: /groups, records: body}
      get: {get: "/groups/{key}", record: body}
    attributes: {displayName: id}
`

func deskRig(t *testing.T, update, active string) (*rig, *desk) {
	t.Helper()
	d := &desk{users: map[string]map[string]any{"770000001": {"id": "770000001", "login": "ada", "role": "boss", "groups": []string{"staff"}}}}
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	r := stage(t, strings.NewReplacer("URL", s.URL, "UPDATE", update, "ACTIVE", active).Replace(deskYAML), "")
	r.serve()
	r.vars["u"] = r.id("ada")
	return r, d
}

// turns switches somebody off and on, and looks.
func (r *rig) turns(d *desk, off, on func(u map[string]any) bool) {
	r.t.Helper()
	for range 2 {
		for _, c := range []struct {
			to string
			is func(map[string]any) bool
		}{{"false", off}, {"true", on}} {
			r.patch("/Users/{u}", `{"op":"replace","path":"active","value":`+c.to+`}`).want(200).is("active", c.to)
			r.get("/Users/{u}").want(200).is("active", c.to)
			r.get("/Users", "filter", `active eq `+c.to).want(200).is("totalResults", "1")
			if !c.is(d.users["770000001"]) {
				r.t.Errorf("active %s: the application has %v after %v", c.to, d.users["770000001"], d.calls)
			}
		}
	}
}

// TestActiveByRole: the role is taken away, and given back as it was (row 29).
func TestActiveByRole(t *testing.T) {
	r, d := deskRig(t, `update: {put: "/users/{key}", send: changes}`, `active: {name: role, in: 'value != "none"', out: 'value ? (kept ?? "user") : "none"', default: true}`)
	role := func(want string) func(map[string]any) bool {
		return func(u map[string]any) bool { return u["role"] == want }
	}
	r.turns(d, role("none"), role("boss"))
	d.users["770000001"]["role"] = "clerk"
	r.turns(d, role("none"), role("clerk"))
	r.do("POST", "/Users", user("new", `,"active":false`)).want(201).is("active", "false").keep(r, "n")
	r.patch("/Users/{n}", `{"op":"replace","path":"active","value":true}`).want(200).is("active", "true")
	if got := d.users["770000002"]["role"]; got != "user" {
		t.Errorf("who was created inactive gets the role %v", got)
	}
}

// TestActiveWriteOnly: the application locks, and does not tell (row 29).
func TestActiveWriteOnly(t *testing.T) {
	r, d := deskRig(t, `update:
        - {put: "/users/{key}", send: '{login: record.login}', when: 'changed("login")'}
        - {post: "/users/{key}/lock", when: 'changed("active") && not record.active'}
        - {post: "/users/{key}/unlock", when: 'changed("active") && record.active'}`, `active: {name: active, kept: true, default: true}`)
	r.get("/Users/{u}").is("active", "") // nobody has said
	any := func(map[string]any) bool { return true }
	r.turns(d, any, any)
	want := []string{"POST /users/770000001/lock", "POST /users/770000001/unlock", "POST /users/770000001/lock", "POST /users/770000001/unlock"}
	if !slices.Equal(d.calls, want) {
		t.Errorf("calls %q", d.calls)
	}
}

// TestActiveByGroup: membership of a group that nobody sees means inactive (row 27).
func TestActiveByGroup(t *testing.T) {
	r, d := deskRig(t, `read: {active: 'not ("disabled" in item.groups)'}
      update:
        - {put: "/users/{key}", send: '{login: record.login}', when: 'changed("login")'}
        - {put: "/groups/disabled/users/{key}", when: 'changed("active") && not record.active'}
        - {delete: "/groups/disabled/users/{key}", when: 'changed("active") && record.active'}`, `active: active`)
	in := func(u map[string]any) bool { return slices.Contains(u["groups"].([]string), "disabled") }
	r.turns(d, in, func(u map[string]any) bool { return !in(u) && slices.Equal(u["groups"].([]string), []string{"staff"}) })
	r.get("/Groups").want(200).is("totalResults", "1").is("Resources.0.displayName", "staff")
}
