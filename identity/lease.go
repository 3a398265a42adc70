package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// leaseTime is for how long a process has what it does not ask for again.
const leaseTime = time.Minute

// Once does work that one process does at a time, unless it was done by any of them
// less than every ago, or another one is doing it: then ran is false. The context
// of do ends if the lease is lost.
func (s *Store) Once(ctx context.Context, name string, every time.Duration, do func(context.Context) error) (ran bool, err error) {
	if ran, err = s.lease(ctx, name, every, leaseTime); err != nil || !ran {
		return false, err
	}
	inner, cancel := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		s.keep(inner, name, cancel)
	}()
	err = do(inner)
	cancel()
	<-kept
	settle := context.WithoutCancel(ctx)
	return true, errors.Join(err, s.write(settle, "lease", func(x *session) error {
		x.trace = nil
		q, args := qYield, []any{name, s.node}
		if err == nil {
			q, args = qDone, append(args, x.now)
		}
		_, err := x.exec(q, args...)
		return err
	}))
}

func (s *Store) lease(ctx context.Context, name string, every, long time.Duration) (mine bool, err error) {
	if err := s.live(ctx); err != nil {
		return false, err
	}
	err = s.write(ctx, "lease", func(x *session) error {
		x.trace = nil
		n, err := x.exec(qLease, name, s.node, x.now+long.Microseconds(), x.now, x.now-every.Microseconds())
		mine = n == 1
		return err
	})
	return mine, err
}

// keep asks for a lease again until ctx ends, and calls lost when it has another.
func (s *Store) keep(ctx context.Context, name string, lost func()) {
	tick := time.NewTicker(leaseTime / 4)
	defer tick.Stop()
	good := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var n int64
		err := s.write(ctx, "lease", func(x *session) (err error) {
			n, err = x.exec(qRenew, name, s.node, x.now+leaseTime.Microseconds(), x.now)
			return err
		})
		switch {
		case err == nil && n == 1:
			good = time.Now()
		case err == nil, time.Since(good) > leaseTime/2:
			lost()
			return
		}
	}
}

// Turn waits until nobody else has a turn of this name, in any process, and takes
// it. It is given up by release, or when the process is no more.
func (s *Store) Turn(ctx context.Context, name string) (release func(), err error) {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		mine, err := s.lease(ctx, name, 0, mostAlive)
		if err != nil {
			return nil, err
		}
		if mine {
			return func() { s.yield(ctx, name) }, nil
		}
		if err := s.unlock(ctx, name); err != nil {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("identity: turn: %w", ctx.Err())
		}
	}
}

func (s *Store) yield(ctx context.Context, name string) {
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.write(settle, "turn", func(x *session) error { // or it runs out
		_, err := x.exec(qGiveBack, name, s.node)
		return err
	})
}

// unlock takes a turn from a process that is no more.
func (s *Store) unlock(ctx context.Context, name string) error {
	gone := ""
	err := s.reading(ctx).each(qHolder, []any{name}, func(scan func(...any) error) error {
		var holder string
		var until int64
		err := scan(&holder, &until)
		if err == nil && (dead(holder, s.node) || until < s.tableTime() && s.steady()) {
			gone = holder
		}
		return err
	})
	if err != nil || gone == "" {
		return s.fail("turn", err)
	}
	return s.write(ctx, "turn", func(x *session) error {
		_, err := x.exec(qGiveBack, name, gone)
		return err
	})
}
