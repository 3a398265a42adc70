package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/postern/postern/adapters"
)

// observe tells the log and the counters. Neither sees a key.
func (g *Guard) observe(ctx context.Context, op operation, next func(context.Context) error) error {
	debugs := g.o.Log.Enabled(ctx, slog.LevelDebug)
	if !debugs && g.o.Observe == nil {
		err := next(ctx)
		g.warn(ctx, op, err)
		return err
	}
	hit := false
	start := time.Now()
	err := next(withHit(ctx, &hit))
	c := Call{Backend: g.name, Op: string(op), Took: time.Since(start), Cached: hit, Err: err}
	if g.o.Observe != nil {
		g.o.Observe(c)
	}
	if debugs {
		g.o.Log.LogAttrs(ctx, slog.LevelDebug, "backend call", attrs(c)...)
	}
	g.warn(ctx, op, err)
	return err
}

// warn says which backend failed in a way that its operator must look into. A
// request's id is on every line of the log; what the backend said is there at debug
// level only.
func (g *Guard) warn(ctx context.Context, op operation, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	switch kind := adapters.KindOf(err); kind {
	case adapters.Internal, adapters.Denied, adapters.Defect:
		g.o.Log.LogAttrs(ctx, slog.LevelWarn, "backend failed",
			slog.String("backend", g.name), slog.String("op", string(op)), slog.String("kind", kind.String()))
	}
}

func attrs(c Call) []slog.Attr {
	out := []slog.Attr{
		slog.String("backend", c.Backend), slog.String("op", c.Op), slog.String("kind", c.Kind()),
		slog.Duration("took", c.Took), slog.Bool("cached", c.Cached),
	}
	if c.Err != nil {
		out = append(out, slog.String("error", c.Err.Error()))
	}
	return out
}

type hitKey struct{}

// withHit lets the cache say that it answered.
func withHit(ctx context.Context, hit *bool) context.Context {
	return context.WithValue(ctx, hitKey{}, hit)
}

func noteHit(ctx context.Context) {
	if hit, ok := ctx.Value(hitKey{}).(*bool); ok {
		*hit = true
	}
}

// A gate lets so many calls through at a time.
type gate struct{ slots *semaphore.Weighted }

// newGate makes a gate; one for fewer than one call bounds nothing.
func newGate(most int) gate {
	if most < 1 {
		return gate{}
	}
	return gate{semaphore.NewWeighted(int64(most))}
}

// queue waits for a slot among those of one user.
func (g *Guard) queue(ctx context.Context, op operation, next func(context.Context) error) error {
	return g.wait(ctx, op, g.own.slots, next)
}

// turn waits for a slot.
func (g *Guard) turn(ctx context.Context, op operation, next func(context.Context) error) error {
	return g.wait(ctx, op, g.gate.slots, next)
}

// wait waits for a slot, no longer than a call may take.
func (g *Guard) wait(ctx context.Context, op operation, slots *semaphore.Weighted, next func(context.Context) error) error {
	if slots == nil {
		return next(ctx)
	}
	if !slots.TryAcquire(1) {
		waiting, cancel := g.deadline(ctx)
		err := slots.Acquire(waiting, 1)
		cancel()
		if err != nil {
			return unavailable(op, fmt.Errorf("no turn among %d calls at a time: %w", g.o.Concurrency, err))
		}
	}
	defer slots.Release(1)
	return next(ctx)
}

// deadline is ctx with the timeout of a call.
func (g *Guard) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if g.o.Timeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, g.o.Timeout)
}

// inTime bounds a call. What fails because the time is up, or because the
// caller went away, is Unavailable; a write may have happened all the same.
func (g *Guard) inTime(ctx context.Context, op operation, next func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(op, err)
	}
	timed, cancel := g.deadline(ctx)
	defer cancel()
	err := next(timed)
	if err == nil || timed.Err() == nil || isAnswer(err) {
		return err
	}
	e := unavailable(op, err)
	if !errors.Is(err, timed.Err()) {
		e.Err = fmt.Errorf("%w: %w", timed.Err(), err)
	}
	e.Unsure = op.writes()
	return e
}

// isAnswer reports whether an error is what a backend answered, and not what
// became of a call that was cut off.
func isAnswer(err error) bool {
	k := adapters.KindOf(err)
	return k != adapters.Internal && k != adapters.Unavailable
}

// recovered makes an *adapters.Error of a panic, and of any error that is none.
func recovered(ctx context.Context, op operation, next func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = adapters.Errorf(adapters.Defect, string(op), "panic: %v\n%s", p, debug.Stack())
		}
	}()
	err = next(ctx)
	var e *adapters.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &adapters.Error{Kind: adapters.Internal, Op: string(op), Err: err}
}

func unavailable(op operation, err error) *adapters.Error {
	return &adapters.Error{Kind: adapters.Unavailable, Op: string(op), Err: err}
}
