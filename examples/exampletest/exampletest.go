// Package exampletest runs an example as its reader would: the application from
// its own scripts, Postern as a program with the example's file, SCIM over HTTP.
// It knows nothing of Postern but that.
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

// Wanted is the environment variable without which the tests of examples are
// skipped: they install Debian packages.
const Wanted = "POSTERN_EXAMPLES"

// Application starts the application of an example and gives what its script
// printed: BASE, HEADER, and so on.
func Application(t *testing.T) map[string]string {
	t.Helper()
	if os.Getenv(Wanted) == "" {
		t.Skip("set " + Wanted + "=1: the application is installed and started")
	}
	out, err := exec.CommandContext(t.Context(), "./app/up").Output()
	if err != nil {
		t.Fatalf("app/up: %v", err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			said[name] = value
		}
	}
	return said
}

// A Gateway is Postern before the application.
type Gateway struct {
	t    *testing.T
	base string
}

const token = "an-example-token"

// Start builds Postern and serves the example's file, with a fresh mapping table.
func Start(t *testing.T, env ...string) *Gateway {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/postern/postern/cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile("postern.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "postern.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	listen := free(t)
	cmd := exec.CommandContext(t.Context(), program, "serve", "-c", file, "--listen", listen, "--admin", free(t))
	cmd.Env = append(append(os.Environ(), env...), "SCIM_TOKEN="+token)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	g := &Gateway{t: t, base: "http://" + listen + "/scim/v2"}
	for range 100 {
		if c, err := net.Dial("tcp", listen); err == nil {
			_ = c.Close()
			return g
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("Postern does not listen:\n%s", log.String())
	return nil
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A Resource is what SCIM sends and answers.
type Resource = map[string]any

// Do sends a request and wants a status.
func (g *Gateway) Do(status int, method, path string, body any) Resource {
	g.t.Helper()
	return Call(g.t, status, method, g.base+path, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/scim+json"}, body)
}

// Call sends JSON to anybody and wants a status.
func Call(t *testing.T, status int, method, to string, headers map[string]string, body any) Resource {
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
	data, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", method, to, resp.StatusCode, status, data)
	}
	var out Resource
	_ = json.Unmarshal(data, &out)
	return out
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

// Patch changes a resource by operations of op, path, value.
func (g *Gateway) Patch(path string, ops ...[3]any) {
	g.t.Helper()
	var all []any
	for _, o := range ops {
		op := map[string]any{"op": o[0]}
		if o[1] != nil {
			op["path"] = o[1]
		}
		if o[2] != nil {
			op["value"] = o[2]
		}
		all = append(all, op)
	}
	req := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": all}
	data, _ := json.Marshal(req)
	r, err := http.NewRequestWithContext(g.t.Context(), "PATCH", g.base+path, bytes.NewReader(data))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 && resp.StatusCode != 204 {
		g.t.Fatalf("PATCH %s: status %d\n%s", path, resp.StatusCode, body)
	}
}

// All pages through an endpoint and counts; every id must come once.
func (g *Gateway) All(endpoint string, page int) map[string]Resource {
	g.t.Helper()
	seen := map[string]Resource{}
	for start := 1; ; {
		list := g.Do(200, "GET", fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, start, page), nil)
		for _, r := range resources(list) {
			id := r["id"].(string)
			if seen[id] != nil {
				g.t.Errorf("%s came twice", id)
			}
			seen[id] = r
			start++
		}
		total := int(list["totalResults"].(float64))
		if start > total || len(resources(list)) == 0 {
			if len(seen) != total {
				g.t.Errorf("%d resources, and a total of %d", len(seen), total)
			}
			return seen
		}
	}
}
