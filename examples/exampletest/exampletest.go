// Package exampletest runs an example as its reader would: the application from
// its own scripts, Postern as a program with the example's file, SCIM over HTTP.
// It knows nothing of Postern but that. A Life says, as data, what an application
// can do, and runs the whole life of a user and a group against it.
package exampletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Gateway is Postern before the application.
type Gateway struct {
	t       *testing.T
	program string
	base    string
	log     *bytes.Buffer
}

const token = "an-example-token"

// An Option says how Postern is started.
type Option func(*start)

type start struct {
	name  string
	env   []string
	swaps []string
}

// Env sets variables of the environment, as NAME=value.
func Env(all ...string) Option { return func(s *start) { s.env = append(s.env, all...) } }

// File is the file to serve, if it is not postern.yaml.
func File(name string) Option { return func(s *start) { s.name = name } }

// Swap replaces a text of the example's file, such as the application's usual
// address, by the one that this test has. The file must hold it.
func Swap(old, now string) Option { return func(s *start) { s.swaps = append(s.swaps, old, now) } }

// Start builds Postern and serves the example's file, with a fresh mapping table.
func Start(t *testing.T, opts ...Option) *Gateway {
	t.Helper()
	s := start{name: "postern.yaml"}
	for _, o := range opts {
		o(&s)
	}
	dir := t.TempDir()
	g := &Gateway{t: t, program: filepath.Join(dir, "postern"), log: &bytes.Buffer{}}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", g.program, "github.com/postern/postern/cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(dir, "postern.yaml")
	if err := os.WriteFile(file, []byte(s.file(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.serve(file, s.env)
	return g
}

// file is the example's file as this test needs it.
func (s *start) file(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(s.name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(s.swaps); i += 2 {
		if !strings.Contains(text, s.swaps[i]) {
			t.Fatalf("the file does not hold %s", s.swaps[i])
		}
		text = strings.ReplaceAll(text, s.swaps[i], s.swaps[i+1])
	}
	return text
}

// serve starts the program and waits until it listens.
func (g *Gateway) serve(file string, env []string) {
	t := g.t
	t.Helper()
	listen, admin := freeAddress(t), freeAddress(t)
	cmd := exec.CommandContext(t.Context(), g.program, "serve", "-c", file, "--listen", listen, "--admin", admin)
	cmd.Env = append(append(os.Environ(), env...), "SCIM_TOKEN="+token)
	cmd.Stdout, cmd.Stderr = g.log, g.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(last(g.log.String(), lastLines))
		}
	})
	g.base = "http://" + listen + "/scim/v2"
	for range 600 {
		if c, err := net.Dial("tcp", listen); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("Postern ended:\n%s", g.log.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("Postern does not listen")
}

// lastLines are as many of a log as tell what went wrong last.
const lastLines = 60

// last are the last lines of a text.
func last(text string, most int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if left := len(lines) - most; left > 0 {
		lines = lines[left:]
		if most > 1 {
			lines[0] = fmt.Sprintf("(%d lines before)\n%s", left, lines[0])
		}
	}
	return strings.Join(lines, "\n")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePort(t))
}

// A Resource is what SCIM sends and answers.
type Resource = map[string]any

// Do sends a request and wants a status.
func (g *Gateway) Do(status int, method, path string, body any) Resource {
	g.t.Helper()
	return Call(g.t, status, method, g.base+path, g.headers(), body)
}

// Try sends a request and gives whatever is answered.
func (g *Gateway) Try(method, path string, body any) (status int, answer Resource) {
	g.t.Helper()
	status, data := exchange(g.t, method, g.base+path, g.headers(), body)
	_ = json.Unmarshal(data, &answer)
	return status, answer
}

func (g *Gateway) headers() map[string]string {
	return map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/scim+json"}
}

// Call sends JSON to anybody and wants a status.
func Call(t *testing.T, status int, method, to string, headers map[string]string, body any) Resource {
	t.Helper()
	got, data := exchange(t, method, to, headers, body)
	if got != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", method, to, got, status, data)
	}
	var out Resource
	_ = json.Unmarshal(data, &out)
	return out
}

// Items sends a GET whose answer is a bare list of objects.
func Items(t *testing.T, to string, headers map[string]string) []Resource {
	t.Helper()
	status, data := exchange(t, http.MethodGet, to, headers, nil)
	var out []Resource
	if err := json.Unmarshal(data, &out); status != 200 || err != nil {
		t.Fatalf("GET %s: status %d, %v\n%s", to, status, err, data)
	}
	return out
}

func exchange(t *testing.T, method, to string, headers map[string]string, body any) (int, []byte) {
	t.Helper()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, to, in)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range headers {
		req.Header.Set(name, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, data
}

// Find lists what a filter finds.
func (g *Gateway) Find(endpoint, filter string) []Resource {
	g.t.Helper()
	list := g.Do(200, "GET", endpoint+"?filter="+url.QueryEscape(filter), nil)
	return resources(list)
}

func resources(list Resource) []Resource {
	var out []Resource
	all, _ := list["Resources"].([]any)
	for _, r := range all {
		out = append(out, r.(map[string]any))
	}
	return out
}

// An Op is one operation of a PATCH; Path and Value may be left out.
type Op struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// Patch changes a resource.
func (g *Gateway) Patch(path string, ops ...Op) {
	g.t.Helper()
	if status, answer := g.Try("PATCH", path, patch(ops)); status != 200 && status != 204 {
		g.t.Fatalf("PATCH %s %+v: status %d\n%v", path, ops, status, answer)
	}
}

func patch(ops []Op) Resource {
	return Resource{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

// All pages through an endpoint and counts; every id must come once.
func (g *Gateway) All(endpoint string, page int) map[string]Resource {
	g.t.Helper()
	seen := map[string]Resource{}
	for first := 1; ; {
		list := g.Do(200, "GET", fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, first, page), nil)
		for _, r := range resources(list) {
			id := r["id"].(string)
			if seen[id] != nil {
				g.t.Errorf("%s came twice", id)
			}
			seen[id] = r
			first++
		}
		total := int(list["totalResults"].(float64))
		if first > total || len(resources(list)) == 0 {
			if len(seen) != total {
				g.t.Errorf("%d resources, and a total of %d", len(seen), total)
			}
			return seen
		}
	}
}
