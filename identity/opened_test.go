package identity

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
)

// TestKilledInCompany: nothing that a process told is lost when it is killed while others
// come and go, several of them in one process. Who opens the table must not let go of the
// file's locks, which are the process's and not its own: the last one to leave carries
// the log over and removes it, and somebody who came in between would write on in what is
// no longer there.
func TestKilledInCompany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	ctx, cancel := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	defer visitors.Wait()
	defer cancel()
	for range 2 {
		visitors.Go(func() {
			for ctx.Err() == nil {
				s, err := Open(context.Background(), path, Options{})
				if err == nil {
					_, err = s.Intents(context.Background(), "t")
				}
				if s != nil {
					err = errors.Join(err, s.Close())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	told := map[string]string{} // key -> id
	for range 100 {
		for key, id := range runAndKill(t, path, 0) {
			if told[key] != "" && told[key] != id {
				t.Fatalf("a record had the id %s before the kill, and %s after", told[key], id)
			}
			told[key] = id
		}
	}
	s := openAt(t, path, Options{})
	checkInvariants(t, s)
	for key, id := range told {
		if e := resolve(t, s, d1, "User", id)[0]; e.Key != key {
			t.Fatalf("the id of record %s was lost: %+v", key, e)
		}
	}
}
