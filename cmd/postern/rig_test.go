package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The rig starts the real program on a copy of the quickstart, whose keys are
// shifted into a range that nothing else in the data can be mistaken for. What
// every test of this package receives, and what the program logs, is searched
// for them at the end.

const (
	employeeShift = 770_000_000
	roleShift     = 880_000_000
	keyRange      = 200_000
)

const shiftKeys = `
PRAGMA defer_foreign_keys = ON;
UPDATE employee_role SET emp_no = emp_no + 770000000, role_id = role_id + 880000000;
UPDATE employee SET emp_no = emp_no + 770000000, boss_no = boss_no + 770000000;
UPDATE role SET role_id = role_id + 880000000;
`

// A transcript is what a program said.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// An ear searches everything that leaves the program for keys, piece by piece:
// a body, a header's value and a line of the log are one piece each.
type ear struct {
	mu    sync.Mutex
	bytes int
	leaks []string
}

func (e *ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.bytes += len(p)
	e.leaks = append(e.leaks, leaked(string(p))...)
	return len(p), nil
}

var heard ear // of all tests of this package

func TestMain(m *testing.M) {
	child()
	status := m.Run()
	if len(heard.leaks) > 0 {
		fmt.Printf("FAIL: backend keys in answers or log lines: %q\n", heard.leaks)
		status = 1
	}
	os.Exit(status)
}

// leaked finds the places where a number in the range of the keys stands.
func leaked(text string) []string {
	var out []string
	for i := 0; i+9 <= len(text); i++ {
		if text[i] != '7' && text[i] != '8' {
			continue
		}
		n, err := strconv.Atoi(text[i : i+9])
		if err != nil || i > 0 && alphanumeric(text[i-1]) || i+9 < len(text) && alphanumeric(text[i+9]) {
			continue // part of a random id
		}
		if n > employeeShift && n < employeeShift+keyRange || n > roleShift && n < roleShift+keyRange {
			out = append(out, text[max(0, i-60):min(len(text), i+40)])
		}
	}
	return out
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func TestLeakedFindsKeys(t *testing.T) {
	if len(leaked(`{"id":"770001001"}`)) != 1 || len(leaked(`+49 170 1234604, "880000010"`)) != 1 {
		t.Fatal("the search for keys finds none")
	}
	if len(leaked("key 770001001, /Users/880000010 or 770001001")) != 3 {
		t.Fatal("the search for keys misses some")
	}
	if len(leaked("1770001001 and 7700010, 880000010e or 7700010011")) != 0 {
		t.Fatal("the search for keys finds what is none")
	}
}

type rig struct {
	t      *testing.T
	dir    string
	base   string
	admin  string
	token  string
	vars   map[string]string
	log    *transcript // since the last start
	trace  statements  // to backends
	ids    statements  // to the mapping table
	legacy *sql.DB     // the legacy database, if it is on a server
	// private keeps the log from being searched, for tests at debug level, where
	// a backend's own words are allowed.
	private bool
	// echoed are keys that a test sends as ids by itself, to see them refused. An
	// error may say what it was that was not found.
	echoed []string
	stop   func() // ends the program, as SIGTERM does; again does nothing
}

// start runs `postern serve` on a copy of the quickstart.
func start(t *testing.T, edit ...func(yaml string) string) *rig {
	t.Helper()
	r := prepare(t, edit...)
	r.serve()
	return r
}

// prepare copies the quickstart, but starts nothing.
func prepare(t *testing.T, edit ...func(yaml string) string) *rig {
	t.Helper()
	yaml := read(t, "../../examples/quickstart/postern.yaml")
	for _, f := range edit {
		yaml = f(yaml)
	}
	return stage(t, yaml, read(t, "../../examples/quickstart/legacy.sql")+shiftKeys)
}

// stage writes a configuration and the script of its database.
func stage(t *testing.T, yaml, script string) *rig {
	t.Helper()
	if os.Getenv(engineVariable) != "" && strings.Contains(yaml, engineDSN) {
		return moved(t, yaml, script)
	}
	return staged(t, yaml, script)
}

func staged(t *testing.T, yaml, script string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), token: "quickstart", vars: map[string]string{}}
	write(t, r.path("postern.yaml"), yaml)
	write(t, r.path("legacy.sql"), script)
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) serve() {
	r.t.Helper()
	if err := r.tryServe(); err != nil {
		r.t.Fatal(err)
	}
}

// tryServe starts the program, or says why that failed.
func (r *rig) tryServe() error {
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan [2]string, 1)
	done := make(chan int, 1)
	said := &transcript{}
	r.log = said
	all := io.Writer(said)
	if !r.private {
		all = io.MultiWriter(&heard, said)
	}
	m := &Main{Stdout: all, Stderr: all, Trace: r.trace.note, TraceIDs: r.ids.note,
		Listening: func(scim, admin string) { ready <- [2]string{scim, admin} }}
	go func() {
		done <- m.Run(ctx, []string{"serve", "--config", r.path("postern.yaml"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"})
	}()
	select {
	case at := <-ready:
		r.base, r.admin = "http://"+at[0]+"/scim/v2", "http://"+at[1]
	case status := <-done:
		cancel()
		return fmt.Errorf("serve ended with %d:\n%s", status, said.take())
	case <-time.After(30 * time.Second):
		cancel()
		return errors.New("serve does not listen")
	}
	t := r.t
	r.stop = sync.OnceFunc(func() {
		cancel()
		if status := <-done; status != 0 {
			t.Errorf("serve ended with %d:\n%s", status, said.take())
		}
	})
	t.Cleanup(r.stop)
	return nil
}

// run is a subtest on the same rig.
func (r *rig) run(name string, f func()) {
	outer := r.t
	outer.Run(name, func(t *testing.T) {
		r.t = t
		defer func() { r.t = outer }()
		f()
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// expand replaces {name} by what an earlier answer gave.
func (r *rig) expand(s string) string {
	for k, v := range r.vars {
		s = strings.ReplaceAll(s, "{"+k+"}", v)
	}
	return s
}

// do sends a request; header lines are given as "Name: value".
func (r *rig) do(method, path, body string, headers ...string) *answer {
	r.t.Helper()
	a, err := r.send(method, path, body, headers...)
	if err != nil {
		r.t.Fatal(err)
	}
	a.check(method + " " + clip(path))
	return a
}

// send is do for other goroutines than the test's.
func (r *rig) send(method, path, body string, headers ...string) (*answer, error) {
	path, body = r.expand(path), r.expand(body)
	if p, q, ok := strings.Cut(path, "?"); ok {
		path = p + "?" + encodeQuery(q)
	}
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	return r.answered(res, method+" "+clip(path))
}

// answered reads a response to its end.
func (r *rig) answered(res *http.Response, what string) (*answer, error) {
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Header.Write(&heard)
	said := string(b)
	for _, k := range r.echoed {
		said = strings.ReplaceAll(said, `the id \"`+k+`\"`, "the id")
	}
	_, _ = heard.Write([]byte(said))
	a := &answer{t: r.t, status: res.StatusCode, header: res.Header, body: string(b)}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &a.json); err != nil {
			return nil, fmt.Errorf("%s: the body is no JSON object: %s", what, b)
		}
	}
	return a, nil
}

func clip(s string) string {
	if len(s) <= 200 {
		return s
	}
	return s[:200] + "..."
}

// encodeQuery leaves queries that are encoded already alone.
func encodeQuery(q string) string {
	if !strings.ContainsAny(q, ` "`) {
		return q
	}
	var out []string
	for _, p := range strings.Split(q, "&") {
		k, v, _ := strings.Cut(p, "=")
		out = append(out, k+"="+strings.ReplaceAll(url.QueryEscape(v), "+", "%20"))
	}
	return strings.Join(out, "&")
}
