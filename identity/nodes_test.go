package identity

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nodes are stores on one table that take each other for processes of other machines.
func nodes(t *testing.T, names ...string) []*Store {
	t.Helper()
	path := file(t)
	var all []*Store
	for _, name := range names {
		s := openAt(t, path, Options{})
		s.node = name + "/1/process"
		all = append(all, s)
	}
	return all
}

// silent makes a node look as if it had not said for long that it lives, to one
// that has watched for long enough.
func silent(t *testing.T, s, watcher *Store) {
	t.Helper()
	noErr(t, watcher.beat(t.Context()))
	_, err := s.writer.db.Exec("UPDATE node SET until = 1 WHERE name = '" + s.node + "'")
	noErr(t, err)
}

func watched(s *Store) { s.heart.begun.Add(-2 * lifeTime.Microseconds()) }

// TestOrphans: an entry of the journal is carried on when its process is taken to
// be no more, and not before.
func TestOrphans(t *testing.T) { onBoth(t, testOrphans) }

func testOrphans(t *testing.T) {
	ctx := t.Context()
	all := nodes(t, "a", "b")
	a, b := all[0], all[1]
	in := must[Intent](t)(a.Begin(ctx, create("ada")))
	if in.Shared {
		t.Error("a is not alone")
	}
	if second := must[Intent](t)(b.Begin(ctx, create("bob"))); !second.Shared {
		t.Error("b thinks that it is alone")
	}
	orphaned := func(what string, want bool) {
		t.Helper()
		seen := must[[]Intent](t)(b.Intents(ctx, in.Domain.Tenant))[0]
		if got := b.Orphaned(seen); got != want || seen.Nr != in.Nr {
			t.Errorf("%s: %t", what, got)
		}
	}
	orphaned("while a lives", false)
	silent(t, a, b)
	orphaned("after the database was away, perhaps", false)
	watched(b)
	orphaned("when a was silent for long", true)
	noErr(t, a.beat(ctx))
	orphaned("a lives after all", false)
}

// TestOnce: of all who would do work, one does it at a time, and none does it again
// before it is due.
func TestOnce(t *testing.T) { onBoth(t, testOnce) }

func testOnce(t *testing.T) {
	ctx := t.Context()
	all := nodes(t, "a", "b", "c")
	var at, most, times atomic.Int64
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			_, err := all[n%3].Once(ctx, "work", time.Hour, func(context.Context) error {
				most.Store(max(most.Load(), at.Add(1)))
				time.Sleep(20 * time.Millisecond)
				at.Add(-1)
				times.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 || times.Load() != 1 {
		t.Errorf("done %d times, by %d at a time", times.Load(), most.Load())
	}
	broken := errors.New("broken")
	for n, s := range all {
		ran, err := s.Once(ctx, "other work", time.Hour, func(context.Context) error { return broken })
		if !ran || !errors.Is(err, broken) {
			t.Errorf("%d: what failed is not tried again: %t %v", n, ran, err)
		}
	}
	if ran, err := all[1].Once(ctx, "work", 0, func(context.Context) error { return nil }); !ran || err != nil {
		t.Errorf("what is due at once is not done: %v", err)
	}
}

// TestTurns: nobody has a turn that another one has; that of a process that is no
// more is taken from it.
func TestTurns(t *testing.T) { onBoth(t, testTurns) }

func testTurns(t *testing.T) {
	ctx := t.Context()
	all := nodes(t, "a", "b", "c")
	at := 0 // guarded by the turn alone
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			for range 3 {
				release, err := all[n%3].Turn(ctx, "record")
				if err != nil {
					t.Error(err)
					return
				}
				was := at
				time.Sleep(time.Millisecond)
				at = was + 1
				release()
			}
		})
	}
	wg.Wait()
	if at != 18 {
		t.Errorf("%d turns, not 18", at)
	}
	_, err := all[0].Turn(ctx, "record")
	noErr(t, err)
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := all[1].Turn(short, "record"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two have the turn: %v", err)
	}
	silent(t, all[0], all[1])
	watched(all[1])
	release, err := all[1].Turn(ctx, "record")
	noErr(t, err)
	release()
}

// TestFollow: what one writes about, the others hear, and the writer does not.
func TestFollow(t *testing.T) { onBoth(t, testFollow) }

func testFollow(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	all := nodes(t, "a", "b")
	for range 2 {
		for _, s := range all {
			noErr(t, s.beat(ctx))
		}
	}
	if !all[0].Company() || !all[1].Company() {
		t.Fatal("they do not know of each other")
	}
	var mu sync.Mutex
	heard := make([][]string, 2)
	var wg sync.WaitGroup
	for n, s := range all {
		wg.Go(func() {
			s.Follow(ctx, func(topic string) {
				mu.Lock()
				defer mu.Unlock()
				heard[n] = append(heard[n], topic)
			})
		})
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		all[0].Changed("backend hr")
		mu.Lock()
		done := slices.Contains(heard[1], "backend hr")
		mu.Unlock()
		if done {
			break
		}
		if time.Now().After(until) {
			t.Fatal("b hears nothing")
		}
	}
	cancel()
	wg.Wait()
	if slices.Contains(heard[1], "") {
		t.Errorf("heard %q", heard)
	}
}

// TestLookHearsWhatWasMissed: the numbers tell it also when nobody was told.
func TestLookHearsWhatWasMissed(t *testing.T) { onBoth(t, testLookHearsWhatWasMissed) }

func testLookHearsWhatWasMissed(t *testing.T) {
	ctx := t.Context()
	s := nodes(t, "a")[0]
	var heard []string
	look := func() { noErr(t, s.look(ctx, func(topic string) { heard = append(heard, topic) })) }
	look()
	_, err := s.writer.db.Exec("INSERT INTO change (topic, version) VALUES ('backend x', 1)")
	noErr(t, err)
	look()
	look()
	_, err = s.writer.db.Exec("UPDATE change SET version = 7")
	noErr(t, err)
	look()
	if !slices.Equal(heard, []string{"backend x", "backend x"}) {
		t.Errorf("%q", heard)
	}
}
