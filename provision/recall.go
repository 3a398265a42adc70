package provision

import (
	"sync"
	"time"

	"github.com/postern/postern/adapters"
)

// recall remembers for a short time which records were there and in scope, so
// that not every page asks the backend again about the same managers. Own writes
// are known at once; those of others after the time is over.
type recall struct {
	time time.Duration // not positive: nothing is remembered

	mu     sync.Mutex
	seen   map[adapters.Key]sighting
	writes uint64
}

type sighting struct {
	shown bool
	until time.Time
}

// mostSeen bounds what is remembered.
const mostSeen = 50_000

func newRecall(d time.Duration) *recall {
	return &recall{time: d, seen: map[adapters.Key]sighting{}}
}

// ask answers which keys are known to be shown, and which must be looked up. What
// was looked up is handed to note with the mark.
func (r *recall) ask(keys []adapters.Key, shown map[adapters.Key]bool) (open []adapters.Key, mark uint64) {
	if r.time <= 0 {
		return keys, 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, k := range keys {
		switch s, ok := r.seen[k]; {
		case !ok || now.After(s.until):
			open = append(open, k)
		case s.shown:
			shown[k] = true
		}
	}
	return open, r.writes
}

// mark is for note, of what is about to be looked up without having asked.
func (r *recall) mark() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

// recallAll remembers the records of a page, which are in scope, if that can
// spare others a question: managers often stand on a page before.
func (t *target) recallAll(recs []adapters.Record, mark uint64) {
	if !t.referred || len(recs) == 0 {
		return
	}
	keys, shown := make([]adapters.Key, len(recs)), make(map[adapters.Key]bool, len(recs))
	for i, r := range recs {
		keys[i], shown[r.Key] = r.Key, true
	}
	t.recall.note(keys, shown, mark)
}

// note remembers what was found of keys, unless a write finished since it was
// begun to look: the records may be older than the write.
func (r *recall) note(keys []adapters.Key, shown map[adapters.Key]bool, mark uint64) {
	if r.time <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if mark != r.writes {
		return
	}
	if len(r.seen)+len(keys) > mostSeen {
		clear(r.seen)
	}
	until := time.Now().Add(r.time)
	for _, k := range keys {
		r.seen[k] = sighting{shown[k], until}
	}
}

// forget is told of every record that was written, or found to be gone.
func (r *recall) forget(keys ...adapters.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	for _, k := range keys {
		delete(r.seen, k)
	}
}

// clear forgets all: others have written.
func (r *recall) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes++
	clear(r.seen)
}
