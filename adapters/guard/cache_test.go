package guard_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/guard"
)

var caching = guard.Options{Cache: time.Minute}

func getNick(t *testing.T, a adapters.Adapter, key adapters.Key) any {
	t.Helper()
	r, err := a.Get(t.Context(), key, adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	return r.Get("nick")
}

func TestCacheOffByDefault(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", guard.Options{})
	getNick(t, a, key)
	getNick(t, a, key)
	if n := b.gets.Load(); n != 2 {
		t.Errorf("the backend was asked %d times, want 2", n)
	}
}

func TestCacheKeepsForItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		key := b.one(t)
		a := guard.Wrap(b, "hr", caching)
		for range 5 {
			getNick(t, a, key)
		}
		if n := b.gets.Load(); n != 1 {
			t.Errorf("the backend was asked %d times within the time, want 1", n)
		}
		time.Sleep(61 * time.Second)
		getNick(t, a, key)
		if n := b.gets.Load(); n != 2 {
			t.Errorf("the backend was asked %d times after the time, want 2", n)
		}
	})
}

// TestCacheWritesAreSeen writes in every way and wants the next read to be new.
func TestCacheWritesAreSeen(t *testing.T) {
	shape := newBackend().Capabilities().Shape
	writes := map[string]func(a adapters.Adapter, key adapters.Key) error{
		"update": func(a adapters.Adapter, key adapters.Key) error {
			_, err := a.Update(t.Context(), key, nick("old", "new"), adapters.Fields{})
			return err
		},
		"members": func(a adapters.Adapter, key adapters.Key) error {
			d := adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"7"}}}}
			_, err := a.Update(t.Context(), key, d, adapters.Fields{})
			return err
		},
		"create": func(a adapters.Adapter, _ adapters.Key) error {
			_, err := a.Create(t.Context(), adapters.FromMap(shape, "", map[string]any{"name": "bob"}), adapters.Fields{})
			return err
		},
		"delete": func(a adapters.Adapter, key adapters.Key) error { return a.Delete(t.Context(), key) },
	}
	for name, write := range writes {
		b := newBackend()
		key := b.one(t)
		g := guard.New("hr", caching)
		a, other := g.Wrap(b), g.Wrap(newBackend())
		before := getNick(t, a, key)
		if err := write(a, key); err != nil {
			t.Fatal(err)
		}
		r, err := a.Get(t.Context(), key, adapters.AllFields)
		if b.gets.Load() != 2 {
			t.Errorf("%s: the cache answered (%v, %v), as before: %v", name, r.Values(), err, before)
		}
		// A write through another adapter of the same backend counts as well.
		if name == "delete" {
			continue
		}
		getNick(t, a, key)
		if _, err := other.Create(t.Context(), adapters.FromMap(shape, "", map[string]any{"name": "x"}), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
		asked := b.gets.Load()
		if getNick(t, a, key); b.gets.Load() != asked+1 {
			t.Errorf("%s: the cache outlived a write through another adapter", name)
		}
	}
}

// TestCacheFailedWrite: a write that failed may have happened all the same.
func TestCacheFailedWrite(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	getNick(t, a, key)
	b.after = func(op string) {
		if op == "update" {
			panic("the connection broke after the commit")
		}
	}
	if _, err := a.Update(t.Context(), key, nick("old", "new"), adapters.Fields{}); err == nil {
		t.Fatal("the update did not fail")
	}
	if v := getNick(t, a, key); v != "new" {
		t.Errorf("the cache answered %v after a write that failed", v)
	}
}

// TestCacheReadDuringWrite is the trap of design.md section 9: a read that
// began before a write finished has the old record, and ends after the write.
func TestCacheReadDuringWrite(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	haveRead, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.after = func(op string) {
		if op == "get" {
			once.Do(func() {
				close(haveRead)
				<-goOn
			})
		}
	}
	slow := make(chan any)
	go func() {
		r, _ := a.Get(context.Background(), key, adapters.AllFields)
		slow <- r.Get("nick")
	}()
	<-haveRead
	if _, err := a.Update(t.Context(), key, nick("old", "new"), adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if v := <-slow; v != "old" {
		t.Fatalf("the read that was under way got %v", v)
	}
	if v := getNick(t, a, key); v != "new" {
		t.Errorf("the cache kept %v, which was read before the write", v)
	}
}

// TestCacheReadWithinWrite: the whole read happens while the write is under way.
func TestCacheReadWithinWrite(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	b.before = func(_ context.Context, op string) error {
		if op == "update" {
			getNick(t, a, key)
		}
		return nil
	}
	if _, err := a.Update(t.Context(), key, nick("old", "new"), adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	if v := getNick(t, a, key); v != "new" {
		t.Errorf("the cache kept %v, which was read during the write", v)
	}
}

func TestCacheWithout(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	getNick(t, a, key)
	if _, err := b.Adapter.Update(t.Context(), key, nick("old", "theirs"), adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	if v := getNick(t, a, key); v != "old" {
		t.Fatalf("the cache did not answer: %v", v)
	}
	r, err := a.Get(adapters.WithoutCache(t.Context()), key, adapters.AllFields)
	if err != nil || r.Get("nick") != "theirs" {
		t.Errorf("without the cache: %v, %v", r.Get("nick"), err)
	}
	if v := getNick(t, a, key); v != "theirs" {
		t.Errorf("the cache kept %v although a newer record was read", v)
	}
}

// TestCacheWant: only what was read can be answered, and only what is wanted is.
func TestCacheWant(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	shape := b.Capabilities().Shape
	steps := []struct {
		want  adapters.Fields
		asked int64
		nick  any
		note  any
	}{
		{shape.FieldSet("nick"), 1, "old", nil},
		{shape.FieldSet("nick"), 1, "old", nil},
		{shape.FieldSet("nick", "note"), 2, "old", "costly"},
		{shape.FieldSet("nick"), 2, "old", nil},
		{shape.FieldSet("note"), 2, nil, "costly"},
		{adapters.Fields{}, 2, nil, nil},
		{adapters.AllFields, 3, "old", "costly"},
		{shape.FieldSet("name"), 3, nil, nil},
	}
	for i, s := range steps {
		r, err := a.Get(t.Context(), key, s.want)
		if err != nil {
			t.Fatal(err)
		}
		if r.Key != key || r.Get("nick") != s.nick || r.Get("note") != s.note || b.gets.Load() != s.asked {
			t.Errorf("step %d: %q %v, asked %d times, want %+v", i, r.Key, r.Values(), b.gets.Load(), s)
		}
	}
}

func TestCacheIsNotTheCallers(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	for range 3 {
		r, err := a.Get(t.Context(), key, adapters.AllFields)
		if err != nil || r.Get("nick") != "old" {
			t.Fatalf("%v, %v", r.Values(), err)
		}
		r.Set("nick", "changed by the caller")
	}
}

// TestCacheBound reads many records through a cache of ten: the tenth before
// last must have been forgotten, what was just read must not.
func TestCacheBound(t *testing.T) {
	b := newBackend()
	shape := b.Capabilities().Shape
	for i := range 100 {
		if _, err := b.Create(t.Context(), adapters.FromMap(shape, "", map[string]any{"name": fmt.Sprint(i)}), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
	}
	o := caching
	o.CacheSize = 10
	a := guard.Wrap(b, "hr", o)
	for i := range 100 {
		getNick(t, a, adapters.Key(fmt.Sprint(i+1)))
	}
	kept := 0
	for i := range 100 {
		asked := b.gets.Load()
		if _, err := a.Get(t.Context(), adapters.Key(fmt.Sprint(100-i)), adapters.AllFields); err != nil {
			t.Fatal(err)
		}
		if b.gets.Load() == asked {
			kept++
		}
	}
	if kept == 0 || kept > 10 {
		t.Errorf("a cache of 10 answered %d of 100", kept)
	}
}

func TestCacheFailuresAreNotKept(t *testing.T) {
	b := newBackend()
	a := guard.Wrap(b, "hr", caching)
	if _, err := a.Get(t.Context(), "1", adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
		t.Fatal(err)
	}
	if v := getNick(t, a, b.one(t)); v != "old" {
		t.Errorf("got %v", v)
	}
}

// TestCacheConcurrent reads and writes at once; after the last write, and while
// others read, its author must see it.
func TestCacheConcurrent(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	a := guard.Wrap(b, "hr", caching)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				a.Get(ctx, key, adapters.AllFields)
			}
		})
	}
	old := any("old")
	for i := range 500 {
		if _, err := a.Update(t.Context(), key, nick(old, fmt.Sprint(i)), adapters.Fields{}); err != nil {
			t.Fatal(err)
		}
		if old = getNick(t, a, key); old != fmt.Sprint(i) {
			t.Fatalf("after writing %d the cache answered %v", i, old)
		}
	}
	cancel()
	wg.Wait()
}
