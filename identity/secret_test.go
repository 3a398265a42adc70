package identity

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestSecret: one name, one key, whoever asks; another name has another.
func TestSecret(t *testing.T) { onBoth(t, testSecret) }

func testSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	var all [][]byte
	for range 2 { // a second process, or the next start
		s, err := Open(t.Context(), at(t, path), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"cursors", "cursors", "other"} {
			k, err := s.Secret(t.Context(), name)
			if err != nil || len(k) != secretBytes {
				t.Fatalf("%x, %v", k, err)
			}
			all = append(all, k)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(all[0], all[1]) || !bytes.Equal(all[0], all[3]) || bytes.Equal(all[0], all[2]) {
		t.Errorf("%x", all)
	}
}
