package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/config"
)

// TestMistakes: what the package config cannot see, because it knows neither SCIM
// nor the expression language, is found all the same, with file, line, column,
// caret and the nearest name. Beside each file is the whole output.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			t.Chdir(filepath.Dir(f))
			_, _, err := load(filepath.Base(f))
			var ps config.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("no problem was found: %v", err)
			}
			golden(t, strings.TrimSuffix(filepath.Base(f), ".yaml")+".txt", ps.Error()+"\n"+ps.Summary()+"\n")
		})
	}
}

// golden compares with a file, or rewrites it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what comes out now; go test -update rewrites it. Got:\n%s", file, got)
	}
}
