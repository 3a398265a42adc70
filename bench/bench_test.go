package main

import (
	"path/filepath"
	"testing"

	"github.com/postern/postern/internal/testdb"
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
	for _, engine := range []string{"sqlite", "postgresql"} {
		t.Run(engine, func(t *testing.T) {
			if engine == "postgresql" {
				testdb.Postgres(t) // or skip
			}
			drop, err := b.at(t.Context(), filepath.Join(dir, engine), engine, users)
			if drop != nil {
				defer drop() //nolint:errcheck // nothing is left to say
			}
			if err == nil {
				err = b.sameAnswers(t, users)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func (b *binaries) sameAnswers(t *testing.T, users int) error {
	return b.plain.both(t.Context(), users, func(facade, postern *server) error {
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
}
