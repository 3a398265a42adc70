package guard_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/guard"
)

var breaking = guard.Options{Timeout: time.Second, Breaker: guard.Breaker{Failures: 3, Open: 10 * time.Second}}

func fail(k adapters.Kind) func(context.Context, string) error {
	return func(_ context.Context, op string) error { return adapters.Errorf(k, op, "on purpose") }
}

func probes(t *testing.T, a adapters.Adapter, n int) (last error) {
	for range n {
		last = a.Probe(t.Context())
	}
	return last
}

// refused answers how long an open breaker asks to wait; the test fails if the
// backend was asked.
func refused(t *testing.T, b *backend, a adapters.Adapter) time.Duration {
	t.Helper()
	before := b.before
	b.before = func(context.Context, string) error {
		t.Error("the backend was asked")
		return nil
	}
	defer func() { b.before = before }()
	var e *adapters.Error
	if err := a.Delete(t.Context(), "1"); !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure {
		t.Fatalf("an open breaker answers %v", err)
	}
	return e.RetryAfter
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		g := guard.New("hr", breaking)
		a := g.Wrap(b)
		b.before = fail(adapters.Unavailable)
		probes(t, a, 2)
		if g.Down() {
			t.Fatal("down after two failures of three")
		}
		probes(t, a, 1)
		if !g.Down() {
			t.Fatal("not down after three failures")
		}
		if wait := refused(t, b, a); wait != 10*time.Second {
			t.Errorf("RetryAfter is %v at once", wait)
		}
		time.Sleep(4 * time.Second)
		if wait := refused(t, b, a); wait != 6*time.Second {
			t.Errorf("RetryAfter is %v after 4 s", wait)
		}
		time.Sleep(7 * time.Second)
		if g.Down() {
			t.Error("still down after the pause")
		}
		probes(t, a, 1) // fails: open again at once
		if wait := refused(t, b, a); wait != 10*time.Second {
			t.Errorf("RetryAfter is %v after a failed trial", wait)
		}
		time.Sleep(11 * time.Second)
		b.before = nil
		if err := probes(t, a, 20); err != nil {
			t.Errorf("after the backend came back: %v", err)
		}
	})
}

// TestBreakerOneTrial lets one call through when the pause is over, and refuses
// the others with a time to wait.
func TestBreakerOneTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		a := guard.Wrap(b, "hr", breaking)
		b.before = fail(adapters.Unavailable)
		probes(t, a, 3)
		time.Sleep(11 * time.Second)
		b.before = func(context.Context, string) error { time.Sleep(time.Second / 2); return nil }
		go a.Probe(t.Context())
		synctest.Wait()
		if wait := refused(t, b, a); wait != time.Second {
			t.Errorf("RetryAfter during the trial is %v", wait)
		}
		time.Sleep(time.Second)
	})
}

// TestBreakerCountsOnlySilence: what a backend answers does not open the
// breaker, however often it refuses.
func TestBreakerCountsOnlySilence(t *testing.T) {
	for k := adapters.Internal; k <= adapters.Unsupported; k++ {
		b := newBackend()
		g := guard.New("hr", breaking)
		b.before = fail(k)
		probes(t, g.Wrap(b), 10)
		if down := g.Down(); down != (k == adapters.Unavailable) {
			t.Errorf("after ten errors of kind %v: down is %t", k, down)
		}
	}
}

func TestBreakerTimeoutsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		g := guard.New("hr", breaking)
		b.before = hang
		probes(t, g.Wrap(b), 3)
		if !g.Down() {
			t.Error("three timeouts do not open the breaker")
		}
	})
}

func TestBreakerIgnoresCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		g := guard.New("hr", breaking)
		a := g.Wrap(b)
		b.before = hang
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				time.Sleep(time.Millisecond)
				cancel()
			}()
			if err := a.Probe(ctx); !adapters.Is(err, adapters.Unavailable) {
				t.Errorf("got %v", err)
			}
		}
		if g.Down() {
			t.Error("callers that left opened the breaker")
		}
	})
}

// TestBreakerPanic wants a call that panics to give its turn back.
func TestBreakerPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		o := breaking
		o.Concurrency = 1
		a := guard.Wrap(b, "hr", o)
		b.before = fail(adapters.Unavailable)
		probes(t, a, 3)
		time.Sleep(11 * time.Second)
		b.before = func(context.Context, string) error { panic("boom") }
		probes(t, a, 1)
		b.before = nil
		if err := probes(t, a, 1); err != nil {
			t.Errorf("after a panic during the trial: %v", err)
		}
	})
}

// TestBreakerShared: two adapters of one backend are down together.
func TestBreakerShared(t *testing.T) {
	users, groups := newBackend(), newBackend()
	g := guard.New("hr", breaking)
	users.before = fail(adapters.Unavailable)
	probes(t, g.Wrap(users), 3)
	refused(t, groups, g.Wrap(groups))
}

// TestBreakerQueue: who waits for a turn while the breaker opens is refused at
// once, and does not ask the backend.
func TestBreakerQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		o := breaking
		o.Concurrency, o.Breaker.Failures = 1, 1
		a := guard.Wrap(b, "hr", o)
		asked := 0
		b.before = func(ctx context.Context, op string) error {
			asked++
			time.Sleep(time.Second / 2)
			return fail(adapters.Unavailable)(ctx, op)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { probes(t, a, 1) })
		}
		wg.Wait()
		if took := time.Since(start); asked != 1 || took != time.Second/2 {
			t.Errorf("asked %d times in %v", asked, took)
		}
	})
}
