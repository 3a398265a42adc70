// Package corpus keeps what fuzzing found worth trying: in testdata/corpus/TARGET.txt
// of a package, a text in Go's quotes on each line. Fuzz targets begin with them, so
// that each run of the tests tries them all, and a run of the fuzzer goes on where the
// last one ended. It knows no target.
package corpus

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Texts are what is kept for a target.
func Texts(f *testing.F, target string) []string {
	f.Helper()
	all, err := Read(filepath.Join("testdata", "corpus", target+".txt"))
	if err != nil {
		f.Fatal(err)
	}
	return all
}

// Read reads a file of texts.
func Read(file string) ([]string, error) {
	data, err := os.ReadFile(file) //nolint:gosec // named by a test
	if err != nil {
		return nil, err
	}
	var all []string
	for line := range strings.Lines(string(data)) {
		text, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}
