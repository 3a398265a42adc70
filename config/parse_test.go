package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// environment is what tests find in the environment.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"TOKEN": "token-from-the-environment", "ENTRA_TOKEN": "token-of-entra", "EMPTY": ""}[name]
	return v, ok
}

// parseFile parses a file of testdata under its plain name, as messages show it.
func parseFile(t *testing.T, file string) (*Config, error) {
	t.Helper()
	t.Chdir(filepath.Dir(file))
	data, err := os.ReadFile(filepath.Base(file))
	if err != nil {
		t.Fatal(err)
	}
	return Parse(filepath.Base(file), data, environment)
}

// TestBad: every file of testdata/bad is refused, with exactly the output beside
// it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 45 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			_, err := parseFile(t, f)
			var ps Problems
			if !errors.As(err, &ps) || !ps.Broken() {
				t.Fatalf("no problem was found: %v", err)
			}
			out := ps.Error() + "\n" + ps.Summary() + "\n"
			golden(t, strings.TrimSuffix(filepath.Base(f), ".yaml")+".txt", []byte(out))
			for _, secret := range []string{"geheim", "very-secret", "very secret", "my-secret"} {
				if strings.Contains(out, secret) {
					t.Errorf("the output shows the secret %q", secret)
				}
			}
		})
	}
}
