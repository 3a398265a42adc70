package guard_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/memory"
)

// A backend is a memory adapter before which a test can put something.
type backend struct {
	*memory.Adapter
	gets   atomic.Int64
	before func(ctx context.Context, op string) error // may be nil
	after  func(op string)                            // may be nil
}

func (b *backend) do(ctx context.Context, op string, call func() error) error {
	if b.before != nil {
		if err := b.before(ctx, op); err != nil {
			return err
		}
	}
	err := call()
	if b.after != nil {
		b.after(op)
	}
	return err
}

func (b *backend) Get(ctx context.Context, k adapters.Key, w adapters.Fields) (r adapters.Record, err error) {
	b.gets.Add(1)
	err = b.do(ctx, "get", func() (err error) { r, err = b.Adapter.Get(ctx, k, w); return err })
	return r, err
}

func (b *backend) List(ctx context.Context, q adapters.Query) (p adapters.Page, err error) {
	err = b.do(ctx, "list", func() (err error) { p, err = b.Adapter.List(ctx, q); return err })
	return p, err
}

func (b *backend) Create(ctx context.Context, in adapters.Record, w adapters.Fields) (r adapters.Record, err error) {
	err = b.do(ctx, "create", func() (err error) { r, err = b.Adapter.Create(ctx, in, w); return err })
	return r, err
}

func (b *backend) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (r adapters.Record, err error) {
	err = b.do(ctx, "update", func() (err error) { r, err = b.Adapter.Update(ctx, k, d, w); return err })
	return r, err
}

func (b *backend) Delete(ctx context.Context, k adapters.Key) error {
	return b.do(ctx, "delete", func() error { return b.Adapter.Delete(ctx, k) })
}

func (b *backend) Probe(ctx context.Context) error {
	return b.do(ctx, "probe", func() error { return b.Adapter.Probe(ctx) })
}

func newBackend() *backend {
	return &backend{Adapter: memory.New(memory.Options{Fields: []memory.Field{
		{Name: "name", Unique: true}, {Name: "nick"}, {Name: "note", Costly: true},
		{Name: "age"}, {Name: "active"}, {Name: "members", Relation: memory.NewRelation()},
	}})}
}

// one stores a record and answers its key.
func (b *backend) one(t *testing.T) adapters.Key {
	t.Helper()
	shape := b.Capabilities().Shape
	r := adapters.FromMap(shape, "", map[string]any{"name": "alice", "nick": "old", "note": "costly"})
	r, err := b.Adapter.Create(t.Context(), r, adapters.Fields{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Key
}

func nick(from, to any) adapters.Delta {
	return adapters.Delta{Set: []adapters.Change{{Field: "nick", Old: from, New: to}}}
}

// calls are all methods that exchange something with the backend.
func calls(ctx context.Context, a adapters.Adapter) map[string]error {
	rec := adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"name": "x"})
	_, get := a.Get(ctx, "1", adapters.AllFields)
	_, list := a.List(ctx, adapters.Query{Limit: 1})
	_, create := a.Create(ctx, rec, adapters.AllFields)
	_, update := a.Update(ctx, "1", nick(nil, "x"), adapters.AllFields)
	return map[string]error{
		"get": get, "list": list, "create": create, "update": update,
		"delete": a.Delete(ctx, "1"), "probe": a.Probe(ctx),
	}
}

func TestSuite(t *testing.T) {
	off := guard.Options{Timeout: -1, Concurrency: -1, Breaker: guard.Breaker{Failures: -1}}
	for name, o := range map[string]guard.Options{
		"defaults":    {},
		"cache":       {Cache: time.Hour},
		"small cache": {Cache: time.Hour, CacheSize: 2},
		"one turn":    {Concurrency: 1},
		"observed":    {Observe: func(guard.Call) {}, Log: slog.New(slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{Level: slog.LevelDebug}))},
		"off":         off,
	} {
		t.Run(name, func(t *testing.T) {
			var b *backend
			adaptertest.Run(t, adaptertest.Harness{
				New: func(testing.TB) adapters.Adapter {
					b = newBackend()
					return guard.Wrap(b, "test", o)
				},
				Fields:  adaptertest.StandardFields,
				OddKeys: true,
				Brief:   true,
			})
		})
	}
}

func TestPanicIsDefect(t *testing.T) {
	b := newBackend()
	b.before = func(context.Context, string) error { panic("boom") }
	a := guard.Wrap(b, "test", guard.Options{Concurrency: 1, Timeout: time.Second})
	for op, err := range calls(t.Context(), a) {
		var e *adapters.Error
		if !errors.As(err, &e) || e.Kind != adapters.Defect || e.Op != op || !strings.Contains(err.Error(), "boom") {
			t.Errorf("%s: got %.80v", op, err)
		}
	}
}

func TestForeignErrorIsInternal(t *testing.T) {
	b := newBackend()
	foreign := errors.New("foreign")
	b.before = func(context.Context, string) error { return foreign }
	for op, err := range calls(t.Context(), guard.Wrap(b, "test", guard.Options{})) {
		var e *adapters.Error
		if !errors.As(err, &e) || e.Kind != adapters.Internal || e.Op != op || !errors.Is(err, foreign) {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

// hang waits until the call is cut off, as a backend does that does not answer.
func hang(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		b.before = hang
		a := guard.Wrap(b, "test", guard.Options{Timeout: 2 * time.Second, Breaker: guard.Breaker{Failures: -1}})
		start := time.Now()
		for op, err := range calls(t.Context(), a) {
			var e *adapters.Error
			if !errors.As(err, &e) || e.Kind != adapters.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v", op, err)
				continue
			}
			write := op == "create" || op == "update" || op == "delete"
			if e.Unsure != write {
				t.Errorf("%s: Unsure is %t", op, e.Unsure)
			}
		}
		if took := time.Since(start); took != 12*time.Second {
			t.Errorf("six calls took %v", took)
		}
	})
}

// TestTimeoutLate wants an answer that came with the deadline to stay what it is.
func TestTimeoutLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		b.before = func(ctx context.Context, op string) error {
			<-ctx.Done()
			return adapters.Errorf(adapters.Conflict, op, "changed")
		}
		a := guard.Wrap(b, "test", guard.Options{})
		if err := a.Delete(t.Context(), "1"); !adapters.Is(err, adapters.Conflict) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCancelledBeforeIsNotUnsure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBackend()
	asked := false
	b.before = func(context.Context, string) error { asked = true; return nil }
	for op, err := range calls(ctx, guard.Wrap(b, "test", guard.Options{})) {
		var e *adapters.Error
		if !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", op, err)
		}
	}
	if asked {
		t.Error("the backend was asked")
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		b := newBackend()
		b.before = func(context.Context, string) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}
		a := guard.Wrap(b, "test", guard.Options{Concurrency: 3, Timeout: 10 * time.Second})
		var wg sync.WaitGroup
		for range 9 {
			wg.Go(func() {
				if err := a.Probe(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		start := time.Now()
		wg.Wait()
		if most.Load() != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("at most %d at a time, %v in all", most.Load(), time.Since(start))
		}
	})
}

// TestLimitWaits wants nobody to wait for a turn longer than its context, nor
// than a call may take.
func TestLimitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend()
		b.before = func(context.Context, string) error { time.Sleep(time.Minute); return nil }
		a := guard.Wrap(b, "test", guard.Options{Concurrency: 1, Timeout: 5 * time.Second})
		go a.Probe(t.Context())
		synctest.Wait()
		for _, patience := range []time.Duration{time.Second, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			err := a.Delete(ctx, "1")
			var e *adapters.Error
			if !errors.As(err, &e) || e.Kind != adapters.Unavailable || e.Unsure {
				t.Errorf("patience %v: got %v", patience, err)
			}
			if took, want := time.Since(start), min(patience, 5*time.Second); took != want {
				t.Errorf("patience %v: waited %v", patience, took)
			}
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestObserve(t *testing.T) {
	b := newBackend()
	key := b.one(t)
	var log bytes.Buffer
	var seen []guard.Call
	a := guard.Wrap(b, "hr", guard.Options{
		Cache:   time.Hour,
		Log:     slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(c guard.Call) { seen = append(seen, c) },
	})
	for range 2 {
		if _, err := a.Get(t.Context(), key, adapters.AllFields); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Delete(t.Context(), "secret-key"); !adapters.Is(err, adapters.NotFound) {
		t.Fatal(err)
	}
	want := []struct {
		op, kind string
		cached   bool
	}{{"get", "ok", false}, {"get", "ok", true}, {"delete", "notFound", false}}
	if len(seen) != len(want) {
		t.Fatalf("%d calls seen, want %d", len(seen), len(want))
	}
	for i, w := range want {
		if c := seen[i]; c.Backend != "hr" || c.Op != w.op || c.Kind() != w.kind || c.Cached != w.cached {
			t.Errorf("call %d: %+v, want %+v", i, c, w)
		}
	}
	if n := strings.Count(log.String(), "backend call"); n != 3 || strings.Contains(log.String(), "secret-key") {
		t.Errorf("the log: %s", log.String())
	}
}
