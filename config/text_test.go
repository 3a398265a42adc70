package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecret: no way of printing shows the value (T-17).
func TestSecret(t *testing.T) {
	s := Secret{value: "geheim", Line: 1, Column: 2}
	b := Backend{SQL: SQLBackend{DSN: s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, s, &s, b)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "backend", b)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "backend", b)
	j, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	out.WriteString(s.String() + s.GoString())
	if shown := out.String(); strings.Contains(shown, "geheim") || strings.Contains(shown, "67656865696d") {
		t.Errorf("the secret is shown: %s", shown)
	}
	if s.Reveal() != "geheim" || !s.IsSet() {
		t.Error("the secret is lost")
	}
}

// TestReferences: what stands for a secret.
func TestReferences(t *testing.T) {
	for _, tt := range []struct{ written, want, problem string }{
		{"plain", "plain", ""},
		{"${env:TOKEN}", "token-from-the-environment", ""},
		{"a-${env:TOKEN}-b", "a-token-from-the-environment-b", ""},
		{"${env:TOKEN}${env:TOKEN}", strings.Repeat("token-from-the-environment", 2), ""},
		{"$${env:TOKEN}", "${env:TOKEN}", ""},
		{"$TOKEN", "$TOKEN", ""},
		{"${file:testdata/good/token.txt}", "secret-of-okta", ""},
		{"${env:EMPTY}", "", "is not set"},
		{"${file:testdata}", "", "there is no file"},
		{"${command:echo a  b}", "a b", ""},
		{"${command:printf x$(id)}", "x$(id)", ""}, // no shell
		{"x-${command:cat testdata/good/token.txt}", "x-secret-of-okta", ""},
		{"${command:false}", "", "fails with status 1"},
		{"${command:true}", "", "prints nothing"},
		{"${command:no-such-program}", "", "tells no secret"},
		{"${command:head -c 100000 /dev/zero}", "", "tells no secret"},
		{"${command: }", "", "refers to nothing"},
		{"${TOKEN}", "", "refers to nothing"},
		{"${env:TOKEN", "", "closing"},
	} {
		r := &reader{report: NewReporter(NewSource("f.yaml", []byte(tt.written))), env: environment}
		got, clear, ok := r.expand(&Tree{Text: Text{tt.written, 1, 1}, label: "x"}, false)
		if problem := r.report.Problems().Error(); ok != (tt.problem == "") || !strings.Contains(problem, tt.problem) || ok && got != tt.want {
			t.Errorf("%s: got %q, %v, %s", tt.written, got, ok, problem)
		}
		if clear != !strings.Contains(strings.ReplaceAll(tt.written, "$$", ""), "${") {
			t.Errorf("%s: clear is %v", tt.written, clear)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"table", "key", "scope", "allocate", "readOnly"}
	for name, want := range map[string]string{
		"tabel": "table", "TABLE": "table", "tables": "table", "kye": "key", "scop": "scope", "allocated": "allocate",
		"readonly": "readOnly", "xyz": "", "": "", "a": "", strings.Repeat("table", 50): "table",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%.20q: got %q, want %q", name, got, want)
		}
	}
}

// TestAgain: a secret in a file is read again; one that cannot be read stays.
func TestAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	data := "backends: {b: {type: rest, url: 'http://127.0.0.1', headers: {X-Key: 'k-${file:" + path + "}'}}}"
	cfg, _ := Parse("f.yaml", []byte(data), environment)
	if cfg == nil || len(cfg.Backends) != 1 {
		t.Fatal("no backend")
	}
	s := cfg.Backends[0].REST.Headers[0].Value
	write("two")
	if got := s.Again(); got != "k-two" || s.Reveal() != "k-one" {
		t.Errorf("read again: %q; before: %q", got, s.Reveal())
	}
	write("")
	if got := s.Again(); got != "k-one" {
		t.Errorf("an empty file gives %q", got)
	}
}
