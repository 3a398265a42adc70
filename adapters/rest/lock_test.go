package rest_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// A whole is an application in which a record can only be replaced, and in which
// nothing notices that somebody else has replaced it meanwhile.
type whole struct {
	mu      sync.Mutex
	records map[string]map[string]any
	inside  map[string]int // changes of a record that have begun and not ended
	most    int            // of one record at a time
	apart   bool           // two records were changed at once
	entered chan string    // told of each change that begins, if somebody waits
	leave   chan struct{}  // changes wait for it, if there is one
}

func (w *whole) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/users/")
	if r.Method == http.MethodGet {
		w.mu.Lock()
		defer w.mu.Unlock()
		reply(rw, 200, w.records[id])
		return
	}
	in := readBody(r)
	w.mu.Lock()
	w.inside[id]++
	w.most = max(w.most, w.inside[id])
	w.apart = w.apart || len(w.inside) > 1
	w.mu.Unlock()
	if w.leave != nil {
		w.entered <- id
		<-w.leave
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inside[id]--; w.inside[id] == 0 {
		delete(w.inside, id)
	}
	in["id"] = id
	w.records[id] = in
	reply(rw, 200, in)
}

func (w *whole) adapter(t *testing.T) adapters.Adapter {
	w.inside = map[string]int{}
	return single(t, w.ServeHTTP, func(_ *rest.Config, target *rest.Target) {
		target.Update = step("put", "/users/{key}", send("record"), record("body"))
	})
}

// TestObjectLock covers row 63: a record that is read, changed and written whole is
// changed by one at a time, so that no change undoes another; who comes too late
// learns it, and repeats.
func TestObjectLock(t *testing.T) {
	w := &whole{records: map[string]map[string]any{"1": {"id": "1", "name": "x"}}}
	a := w.adapter(t)
	var all sync.WaitGroup
	for _, name := range []string{"nick", "note"} {
		all.Go(func() {
			var old any
			for n := range 30 {
				now := strings.Repeat("x", n+1)
				_, err := a.Update(t.Context(), "1", adapters.Delta{Set: []adapters.Change{{Field: name, Old: old, New: now}}}, adapters.AllFields)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				old = now
			}
		})
	}
	all.Wait()
	if w.most != 1 {
		t.Errorf("%d changes of one record at a time", w.most)
	}
	if got := w.records["1"]; got["nick"] != strings.Repeat("x", 30) || got["note"] != strings.Repeat("x", 30) || got["name"] != "x" {
		t.Errorf("a change was lost: %v", got)
	}
}

// TestObjectLockIsOfOneObject: changes of other records do not wait. Two may share a
// lock by chance; of many, some do not.
func TestObjectLockIsOfOneObject(t *testing.T) {
	w := &whole{records: map[string]map[string]any{}, entered: make(chan string, many), leave: make(chan struct{})}
	for n := range many {
		w.records[strconv.Itoa(n)] = map[string]any{"id": strconv.Itoa(n)}
	}
	a := w.adapter(t)
	ended := make(chan error, many)
	for n := range many {
		go func() {
			_, err := a.Update(t.Context(), adapters.Key(strconv.Itoa(n)), adapters.Delta{Set: []adapters.Change{{Field: "nick", New: "n"}}}, adapters.AllFields)
			ended <- err
		}()
	}
	for range 2 {
		select {
		case <-w.entered:
		case <-time.After(time.Minute):
			t.Fatal("a change waits for one of another record")
		}
	}
	close(w.leave)
	for range many {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if !w.apart {
		t.Error("no two records were changed at once")
	}
}

const many = 12
