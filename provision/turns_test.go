package provision

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
)

// TestTurns: who names the same goes one after the other, whatever the order in
// which queues are named, and nobody waits for ever.
func TestTurns(t *testing.T) {
	turns := newTurns()
	a, b := turns.queue("User", "a"), turns.queue("User", "b")
	for n := 0; a == b; n++ {
		b = turns.queue("User", "b", strconv.Itoa(n)) // the seed is random
	}
	if a != turns.queue("User", "a") {
		t.Error("not always the same queue")
	}
	inside := 0
	var wg sync.WaitGroup
	for i := range 200 {
		queues := []int{a, b, a}
		if i%2 == 0 {
			queues = []int{b, a}
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			release, err := turns.take(context.Background(), queues...)
			if err != nil {
				t.Error(err)
				return
			}
			inside++ // the race detector watches
			release()
		}()
	}
	wg.Wait()
	if inside != 200 {
		t.Errorf("%d went through", inside)
	}
	release, err := turns.take(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := turns.take(ctx, a, b); err != context.DeadlineExceeded {
		t.Errorf("waiting: %v", err)
	}
	release()
	if release, err = turns.take(context.Background(), a, b); err != nil { // the one that gave up holds nothing
		t.Fatal(err)
	}
	release()
}

func TestRecall(t *testing.T) {
	keys := []adapters.Key{"a", "b", "c"}
	ask := func(r *recall) (open int, shown map[adapters.Key]bool, mark uint64) {
		shown = map[adapters.Key]bool{}
		list, mark := r.ask(keys, shown)
		return len(list), shown, mark
	}
	r := newRecall(time.Hour)
	open, _, mark := ask(r)
	if open != 3 {
		t.Errorf("%d of 3 are open", open)
	}
	r.note(keys[:2], map[adapters.Key]bool{"a": true}, mark)
	if open, shown, _ := ask(r); open != 1 || !shown["a"] || shown["b"] {
		t.Errorf("%d open, %v", open, shown)
	}
	r.forget("a")
	if open, shown, _ := ask(r); open != 2 || shown["a"] {
		t.Errorf("after a write: %d open, %v", open, shown)
	}
	r.note(keys, map[adapters.Key]bool{"a": true}, mark) // begun before the write
	if open, _, _ := ask(r); open != 2 {
		t.Errorf("what was looked up before a write is kept")
	}
	r = newRecall(time.Nanosecond)
	_, _, mark = ask(r)
	r.note(keys, map[adapters.Key]bool{"a": true}, mark)
	time.Sleep(time.Microsecond)
	if open, _, _ := ask(r); open != 3 {
		t.Error("remembered beyond its time")
	}
	r = newRecall(-1)
	r.note(keys, map[adapters.Key]bool{"a": true}, 0)
	if open, _, _ := ask(r); open != 3 {
		t.Error("remembered though it is off")
	}
	r = newRecall(time.Hour)
	for i := range mostSeen + 10 {
		r.note([]adapters.Key{adapters.Key(rune(i))}, nil, 0)
	}
	if len(r.seen) > mostSeen {
		t.Errorf("%d remembered", len(r.seen))
	}
}

func TestUnrepeated(t *testing.T) {
	for _, n := range []int{1, 3, fewIDs, fewIDs + 1, 100} {
		ids := make([]string, 2*n)
		for i := range ids {
			ids[i] = string(rune('a' + i%n))
		}
		unrepeated(ids)
		for i, id := range ids {
			if (id == "") != (i >= n) {
				t.Fatalf("%d ids: %q at %d", n, id, i)
			}
		}
	}
}
