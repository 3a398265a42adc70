package main

import (
	"path/filepath"
	"testing"
)

// TestSameAnswers runs Postern and the façade as the benchmark does, on few
// users, and times nothing: what is compared must be the same work.
func TestSameAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts two programs")
	}
	const users = 50
	dir := t.TempDir()
	b, err := buildAll(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.at(t.Context(), filepath.Join(dir, "data"), users); err != nil {
		t.Fatal(err)
	}
	err = b.plain.both(t.Context(), users, func(facade, postern *server) error {
		if err := same(facade, postern, users); err != nil {
			return err
		}
		// What one has and the other has not must be found.
		if err := alike(facade, postern, request{method: "GET", path: "/Users/" + facade.users[1]},
			request{method: "GET", path: "/Users/" + postern.users[2]}, 200); err == nil {
			t.Error("answers about two people count as the same")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
