package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesPassTheirTests: every example says what its mapping must do, and it
// does, without a backend and without a secret.
func TestExamplesPassTheirTests(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/postern.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples; %v", len(files), err)
	}
	for _, file := range files {
		file = filepath.Join(filepath.Dir(file), "tests.yaml")
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
			continue
		}
		var out, errs bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
		if status := m.Run(t.Context(), []string{"test", "-v", "-c", filepath.Join(filepath.Dir(file), "postern.yaml")}); status != 0 {
			t.Errorf("%s:\n%s%s", file, &out, &errs)
		}
	}
}

// mostLines is how long the configuration of an application may be.
const mostLines = 60

// TestExamplesAreShort: no application needs more lines, comments and blank ones apart.
func TestExamplesAreShort(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/postern.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples; %v", len(files), err)
	}
	for _, file := range files {
		n := 0
		for line := range strings.Lines(read(t, file)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				n++
			}
		}
		if n > mostLines {
			t.Errorf("%s has %d lines, more than %d", file, n, mostLines)
		}
	}
}

// TestMappingsAreReallyTested: a mapping that is broken in any of these ways fails a
// test of its example.
func TestMappingsAreReallyTested(t *testing.T) {
	yaml := read(t, "../../examples/quickstart/postern.yaml")
	tests := read(t, "../../examples/quickstart/tests.yaml")
	for from, to := range map[string]string{
		"userName: login":         "userName: nick",
		"{A: true, L: false}":     "{A: false, L: true}",
		", default: true}":        "}",
		"record.kind != ":         "record.kind == ",
		"name.givenName: first_n": "name.givenName: last_n",
		" and primary eq true":    "",
	} {
		dir := t.TempDir()
		broken := strings.Replace(yaml, from, to, 1)
		if broken == yaml {
			t.Fatalf("the quickstart has no %q", from)
		}
		write(t, filepath.Join(dir, "postern.yaml"), broken)
		write(t, filepath.Join(dir, "tests.yaml"), tests)
		write(t, filepath.Join(dir, "legacy.sql"), "")
		var out bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
		if status := m.Run(t.Context(), []string{"test", "-c", filepath.Join(dir, "postern.yaml")}); status != 1 || !strings.Contains(out.String(), "failed.") {
			t.Errorf("%q for %q ends with %d:\n%s", to, from, status, &out)
		}
		if _, err := os.Stat(filepath.Join(dir, "state")); err == nil {
			t.Error("a test made the mapping table")
		}
	}
}

// TestSecretsInTests: a test says (hidden) where a call has a secret of the
// configuration, and what failed is told without it.
func TestSecretsInTests(t *testing.T) {
	t.Setenv("POSTERN_TEST_KEY", "top secret/7")
	dir := t.TempDir()
	config := `gateway: {listen: 127.0.0.1:8080}
identities: sqlite:p.db
clients: {c: {tokens: [{hash: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}}
backends: {api: {type: rest, url: https://api.example.com, secrets: {key: "${env:POSTERN_TEST_KEY}"}}}
resources:
  User:
    target: {backend: api, key: id, list: {get: /users, records: body}, get: {get: "/users/{key}", query: {key: secret.key}, record: body}}
    attributes: {userName: login}
tests:
  - name: given
    answers: [{"GET /users/7?key=(hidden)": {id: 7, login: ada}}]
    request: GET /Users/7
    answer: {userName: ada}
`
	missing := `  - name: missing
    answers: [{"GET /users/8?key=(hidden)": {id: 8, login: bob}}]
    request: GET /Users/7
    answer: {userName: ada}
`
	run := func(text string) (int, string) {
		if err := os.WriteFile(filepath.Join(dir, "postern.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
		return m.Run(t.Context(), []string{"test", "-v", "-c", filepath.Join(dir, "postern.yaml")}), out.String()
	}
	if status, out := run(config); status != 0 {
		t.Errorf("ends with %d:\n%s", status, out)
	}
	status, out := run(config + missing)
	if status == 0 || !strings.Contains(out, "no answer is given to GET https://api.example.com/users/7?key=(hidden)") || strings.Contains(out, "top") {
		t.Errorf("ends with %d:\n%s", status, out)
	}
}
