package rest_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// TestRepeats covers row 63: a call is repeated only where that is safe.
func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		what   string
		status int // of the first answer; 0: none
		write  bool
		calls  int
	}{
		{"a read without an answer", 0, false, 2}, {"a read, 503", 503, false, 2}, {"a read, 429", 429, false, 2}, {"a read, 500", 500, false, 1},
		{"a write without an answer", 0, true, 1}, {"a write, 503", 503, true, 1}, {"a write, 502", 502, true, 1}, {"a write, 429", 429, true, 2},
	} {
		var calls atomic.Int64
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if c.write != (r.Method == http.MethodPost) {
				reply(w, 200, user(1))
				return
			}
			if calls.Add(1) > 1 {
				reply(w, 200, user(1))
				return
			}
			if c.status == 0 {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
				return
			}
			w.WriteHeader(c.status)
		}, func(cfg *rest.Config, _ *rest.Target) { cfg.Repeats = 1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var err error
		if c.write {
			_, err = a.Create(ctx, newRecord(a, "name", "user 1"), adapters.Fields{})
		} else {
			_, err = a.Get(ctx, "1", adapters.AllFields)
		}
		cancel()
		if n := int(calls.Load()); n != c.calls || (err == nil) != (n == 2) {
			t.Errorf("%s: %d calls, want %d; %v", c.what, n, c.calls, err)
		}
	}
}

// TestRetryAfter: what the backend asks to wait is waited for if the request lives
// that long, and told otherwise.
func TestRetryAfter(t *testing.T) {
	for after, calls := range map[string]int{"1": 2, "3600": 1} {
		var got atomic.Int64
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			if got.Add(1) == 1 {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(429)
				return
			}
			reply(w, 200, user(1))
		}, func(cfg *rest.Config, _ *rest.Target) { cfg.Repeats = 1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		begun := time.Now()
		_, err := a.Get(ctx, "1", adapters.AllFields)
		cancel()
		var e *adapters.Error
		switch {
		case int(got.Load()) != calls:
			t.Errorf("Retry-After %s: %d calls, want %d", after, got.Load(), calls)
		case calls == 2 && (err != nil || time.Since(begun) < time.Second):
			t.Errorf("Retry-After %s: %v after %s", after, err, time.Since(begun))
		case calls == 1 && (!errors.As(err, &e) || e.RetryAfter != time.Hour):
			t.Errorf("Retry-After %s: %v", after, err)
		}
	}
}
