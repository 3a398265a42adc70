// Command keep adds to each testdata/corpus/TARGET.txt of the module what the fuzzer has
// in Go's cache for that target: `go run ./internal/corpus/keep` after a long run.
package main

import (
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/corpus"
)

const module = "github.com/postern/postern"

func main() {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		log.Fatal(err)
	}
	found := filepath.Join(strings.TrimSpace(string(cache)), "fuzz", module)
	err = filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		dir, name := filepath.Split(file)
		if pkg, ok := strings.CutSuffix(dir, "testdata/corpus/"); ok && err == nil {
			return keep(file, filepath.Join(found, pkg, strings.TrimSuffix(name, ".txt")))
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

// keep adds a target's inputs in the cache to its file.
func keep(file, cached string) error {
	old, err := corpus.Read(file)
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, text := range old {
		all[strconv.Quote(text)] = true
	}
	inputs, err := filepath.Glob(filepath.Join(cached, "*"))
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if text, ok := first(in); ok {
			all[strconv.Quote(text)] = true
		}
	}
	fmt.Println(file, len(old), "before,", len(all), "now")
	return os.WriteFile(file, []byte(strings.Join(slices.Sorted(maps.Keys(all)), "\n")+"\n"), 0o644) //nolint:gosec // for everybody
}

var argument = regexp.MustCompile(`(?m)^(?:string|\[\]byte)\((".*")\)$`)

// first is the first text among the arguments of an input.
func first(file string) (string, bool) {
	data, err := os.ReadFile(file) //nolint:gosec // in Go's cache
	if err != nil {
		return "", false
	}
	m := argument.FindSubmatch(data)
	if m == nil {
		return "", false
	}
	text, err := strconv.Unquote(string(m[1]))
	return text, err == nil
}
