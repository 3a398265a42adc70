package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBackendsTable: every test that docs/backends.md names is there, and every
// row has its number.
func TestBackendsTable(t *testing.T) {
	have := testsOf(t)
	pkg := ""
	rows := 0
	for line := range strings.Lines(read(t, "../../docs/backends.md")) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || !regexp.MustCompile(`^\| [0-9]+$`).MatchString(cells[0]) {
			continue
		}
		rows++
		for _, w := range regexp.MustCompile(`[\w/]+ Test\w+|Test\w+`).FindAllString(cells[3], -1) {
			name := w
			if before, after, two := strings.Cut(w, " "); two {
				pkg, name = before, after
			}
			if !have[pkg+" "+name] {
				t.Errorf("row %s: there is no %s in %s", strings.TrimPrefix(cells[0], "| "), name, pkg)
			}
		}
	}
	if rows != 63 {
		t.Errorf("%d rows, want 63", rows)
	}
}

// testsOf are the tests of adapters, examples and the program, as "package Test".
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, room := range []string{"adapters", "cmd", "examples", "rules"} {
		err := filepath.WalkDir("../../"+room, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			pkg := strings.TrimPrefix(filepath.Dir(path), "../../")
			for _, m := range function.FindAllStringSubmatch(read(t, path), -1) {
				have[strings.TrimPrefix(pkg, "adapters/")+" "+m[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return have
}
