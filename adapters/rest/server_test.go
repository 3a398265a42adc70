package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A legacy is a small application behind several kinds of API, for tests. It
// makes the keys and refuses a second equal name.
type legacy struct {
	mu      sync.Mutex
	rows    map[string]map[string]any
	last    int
	calls   map[string]int // by method and first segment of the path
	maxPage int
}

func newLegacy() *legacy {
	return &legacy{rows: map[string]map[string]any{}, calls: map[string]int{}, maxPage: 10}
}

func (l *legacy) serve(t testing.TB, h http.HandlerFunc) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.calls[r.Method]++
		l.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

type failure struct {
	status int
	text   string
}

func (l *legacy) taken(name any, but string) bool {
	for id, r := range l.rows {
		if id != but && r["name"] == name {
			return true
		}
	}
	return false
}

func (l *legacy) insert(id string, in map[string]any) (map[string]any, *failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken(in["name"], "") {
		return nil, &failure{422, "Name has already been taken"}
	}
	if id == "" {
		l.last++
		id = strconv.Itoa(l.last)
	}
	row := maps.Clone(in)
	row["id"] = id
	if n, err := strconv.Atoi(id); err == nil {
		row["id"] = json.Number(strconv.Itoa(n))
	}
	l.rows[id] = row
	return maps.Clone(row), nil
}

func (l *legacy) find(id string) (map[string]any, *failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.rows[id]; ok {
		return maps.Clone(r), nil
	}
	return nil, &failure{404, "no such user"}
}

func (l *legacy) change(id string, in map[string]any) (map[string]any, *failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, ok := l.rows[id]
	if !ok {
		return nil, &failure{404, "no such user"}
	}
	if name, there := in["name"]; there && l.taken(name, id) {
		return nil, &failure{422, "Name has already been taken"}
	}
	row = maps.Clone(row)
	maps.Copy(row, in)
	l.rows[id] = row
	return maps.Clone(row), nil
}

func (l *legacy) remove(id string) *failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.rows[id]; !ok {
		return &failure{404, "no such user"}
	}
	delete(l.rows, id)
	return nil
}

func (l *legacy) members(id string, change func([]any) []any) *failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, ok := l.rows[id]
	if !ok {
		return &failure{404, "no such user"}
	}
	row = maps.Clone(row)
	list, _ := row["members"].([]any)
	row["members"] = change(slices.Clone(list))
	l.rows[id] = row
	return nil
}

// all lists the rows by name: not in the order of keys.
func (l *legacy) all(search string) []map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []map[string]any
	for _, r := range l.rows {
		nick, _ := r["nick"].(string)
		if search == "" || strings.Contains(strings.ToLower(nick+"\n"+fmt.Sprint(r["name"])), strings.ToLower(search)) {
			out = append(out, maps.Clone(r))
		}
	}
	slices.SortFunc(out, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a["name"]), fmt.Sprint(b["name"])) })
	return out
}

func slice[T any](all []T, offset, limit int) []T {
	from := min(max(offset, 0), len(all))
	return all[from:min(from+max(limit, 0), len(all))]
}

func number(s string, fallback int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return fallback
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

func readBody(r *http.Request) map[string]any {
	var m map[string]any
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	_ = d.Decode(&m)
	return m
}

// segments are the unescaped parts of a path.
func segments(r *http.Request) []string {
	return strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
}
