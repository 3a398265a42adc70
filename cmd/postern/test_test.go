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
