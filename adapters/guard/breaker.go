package guard

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/postern/postern/adapters"
)

// A breaker is gobreaker's, which decides, and the time when it opened.
type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	pause  time.Duration
	opened atomic.Int64 // nanoseconds of the wall clock
}

// errLeft is told to gobreaker for calls that say nothing about the backend.
var errLeft = errors.New("the caller left")

func newBreaker(name string, o Options) *breaker {
	if o.Breaker.Failures < 0 {
		return nil
	}
	b := &breaker{pause: o.Breaker.Open}
	b.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        name,
		MaxRequests: 1,
		Timeout:     o.Breaker.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= o.Breaker.Failures },
		IsExcluded:  func(err error) bool { return errors.Is(err, errLeft) },
		OnStateChange: func(name string, from, to gobreaker.State) {
			b.changed(o.Log, name, to)
		},
	})
	return b
}

func (b *breaker) changed(log *slog.Logger, name string, to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		b.opened.Store(time.Now().UnixNano())
		log.Warn("backend is down, not asking it for a while", "backend", name, "pause", b.pause)
	case gobreaker.StateClosed:
		log.Info("backend is up again", "backend", name)
	}
}

func (b *breaker) open() bool { return b.State() == gobreaker.StateOpen }

// refusal is the error of a call that is not made.
func (b *breaker) refusal(op operation, cause error) error {
	e := unavailable(op, cause)
	e.RetryAfter = time.Until(time.Unix(0, b.opened.Load()).Add(b.pause))
	e.RetryAfter = max(e.RetryAfter, time.Second) // one call is trying just now
	return e
}

// trip asks the breaker, and tells it what became of the call.
func (g *Guard) trip(ctx context.Context, op operation, next func(context.Context) error) error {
	if g.breaker == nil {
		return next(ctx)
	}
	done, err := g.breaker.Allow()
	if err != nil {
		return g.breaker.refusal(op, err)
	}
	outcome := errLeft // should next not return at all
	defer func() { done(outcome) }()
	err = next(ctx)
	outcome = verdict(ctx, err)
	return err
}

// verdict is what the outcome of a call says about the backend: nil if it is up.
func verdict(ctx context.Context, err error) error {
	switch {
	case err == nil || !adapters.Is(err, adapters.Unavailable):
		return nil
	case ctx.Err() != nil:
		return errLeft
	}
	return err
}
