package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// An unreliable is an HTTP backend that keeps nothing unique, sometimes commits
// and then drops the connection, sometimes drops it before, and sometimes is slow.
type unreliable struct {
	mu    sync.Mutex
	next  int
	users map[string]map[string]any
	drops bool // until the end of the test
	late  int  // commits without an answer
}

func newUnreliable(t *testing.T) (*unreliable, string) {
	b := &unreliable{next: 770_000_000, users: map[string]map[string]any{}, drops: true}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s.URL
}

func (b *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	writes := r.Method != http.MethodGet
	b.mu.Lock()
	luck := rand.IntN(100)
	early, late := b.drops && writes && luck < 4, b.drops && writes && luck >= 96
	if early {
		b.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	status, answered := b.answer(r)
	if late {
		b.late++
	}
	var body []byte
	if answered != nil {
		body, _ = json.Marshal(answered) // as long as nobody changes it
	}
	b.mu.Unlock()
	if writes {
		time.Sleep(time.Duration(luck%8) * time.Millisecond)
	}
	if late {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (b *unreliable) answer(r *http.Request) (int, any) {
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/users"), "/")
	var sent map[string]any
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return 400, nil
		}
	}
	u, there := b.users[id]
	switch {
	case id == "" && r.Method == http.MethodPost:
		b.next++
		sent["id"] = strconv.Itoa(b.next)
		b.users[strconv.Itoa(b.next)] = sent
		return 201, sent
	case id == "":
		return 200, map[string]any{"users": b.list(r.URL.Query().Get("login"))}
	case !there:
		return 404, nil
	case r.Method == http.MethodPut:
		for k, v := range sent {
			u[k] = v
		}
	case r.Method == http.MethodDelete:
		delete(b.users, id)
		return 204, nil
	}
	return 200, u
}

func (b *unreliable) list(login string) []any {
	out := []any{}
	for _, u := range b.users {
		if login == "" || u["login"] == login {
			out = append(out, u)
		}
	}
	return out
}

// stored lists login and shown name of everybody.
func (b *unreliable) stored() map[string][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drops = false
	out := map[string][]string{}
	for _, u := range b.users {
		login := fmt.Sprint(u["login"])
		out[login] = append(out[login], fmt.Sprint(u["shown"]))
	}
	return out
}

const crashREST = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends: {hr: {type: rest, url: "%s", timeout: 5s, breaker: {failures: 1000}}}
resources:
  User:
    target:
      backend: hr
      key: id
      list: {get: /users, records: body.users}
      find: [{get: "/users?login={filter.value}", records: body.users, answers: {login: [eq]}}]
      get: {get: "/users/{key}", record: body}
      create: {post: /users, send: record, record: body}
      update: {put: "/users/{key}", send: changes, record: body}
      delete: {delete: "/users/{key}"}
    attributes: {userName: login, displayName: shown, nickName: {kept: true}, meta.lastModified: {kept: true}}
`

const crashSQL = `
gateway: {listen: 127.0.0.1:0, log: {level: error}}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends: {hr: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}}
resources:
  User:
    target: {backend: hr, table: employee, key: %s}
    attributes: {userName: login, displayName: shown, nickName: {kept: true}, meta.lastModified: {kept: true}}
`
