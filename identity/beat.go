package identity

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A process that writes says again and again that it lives. What it has begun is
// carried on by another one only when it has not said so for lifeTime.

const (
	lifeTime  = 30 * time.Second
	beatEvery = 5 * time.Second
	// buried is when one is forgotten that has not said so. Until then it may be there:
	// perhaps it could not say so, for the database was away.
	buried = time.Hour
)

// A heart is what a process knows of itself and of the others.
type heart struct {
	once   sync.Mutex
	beats  atomic.Bool
	begun  atomic.Int64 // since when it has beaten without a pause, in the table's time
	last   atomic.Int64
	others atomic.Bool // lived at the last beat
	offset atomic.Int64
}

// now is the time by which the table counts: the database's, as far as it is known.
func (s *Store) tableTime() int64 { return s.now().UnixMicro() + s.heart.offset.Load() }

// Age answers for how long something has been so, by the clock of the table.
func (s *Store) Age(since time.Time) time.Duration {
	return time.Duration(s.tableTime()-since.UnixMicro()) * time.Microsecond
}

// live makes the heart beat, from the first time on that the process writes what
// others may have to carry on.
func (s *Store) live(ctx context.Context) error {
	if s.heart.beats.Load() || s.dry {
		return nil
	}
	s.heart.once.Lock()
	defer s.heart.once.Unlock()
	if s.heart.beats.Load() {
		return nil
	}
	if err := errors.Join(s.beat(ctx), s.sweep(ctx)); err != nil {
		return err
	}
	s.heart.beats.Store(true)
	s.idle.Go(s.beating)
	return nil
}

// sweep forgets the processes of this machine that are certainly no more.
func (s *Store) sweep(ctx context.Context) error {
	x := s.reading(ctx)
	x.trace = nil
	names, err := x.texts(qNodes, 0)
	for _, name := range names {
		if err == nil && dead(name, s.node) {
			err = s.leave(ctx, name)
		}
	}
	return s.fail("sweep", err)
}

func (s *Store) leave(ctx context.Context, name string) error {
	return s.write(ctx, "leave", func(x *session) error {
		x.trace = nil
		_, err := x.exec(qLeave, name)
		return err
	})
}

func (s *Store) beating() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ctx, cancel := context.WithTimeout(context.Background(), beatEvery)
			_ = s.beat(ctx) // then the next one
			cancel()
		case <-s.closed:
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = s.leave(ctx, s.node)
			cancel()
			return
		}
	}
}

// beat says that this process lives, and forgets those that have not for long.
func (s *Store) beat(ctx context.Context) error {
	var now int64
	var others bool
	err := s.write(ctx, "beat", func(x *session) error {
		now, x.trace = x.now, nil
		if _, err := x.exec(qBeat, s.node, now+lifeTime.Microseconds()); err != nil {
			return err
		}
		if _, err := x.exec(qBury, now-buried.Microseconds()); err != nil {
			return err
		}
		return x.row(qOthers, s.node, now).Scan(&others)
	})
	if err != nil {
		return err
	}
	if s.heart.begun.Load() == 0 || now-s.heart.last.Load() > lifeTime.Microseconds() {
		s.heart.begun.Store(now)
	}
	s.heart.last.Store(now)
	s.heart.others.Store(others)
	return nil
}

// steady reports whether this process has watched the others for long enough to
// say that one of them is no more. After the database was away, all are silent.
func (s *Store) steady() bool {
	begun := s.heart.begun.Load()
	now := s.tableTime()
	return begun > 0 && now-begun > lifeTime.Microseconds() && now-s.heart.last.Load() < lifeTime.Microseconds()/2
}

// Company reports whether other processes were at work on the table some seconds
// ago.
func (s *Store) Company() bool { return s.heart.others.Load() }

// Shared reports whether processes on several machines may work on the table.
func (s *Store) Shared() bool { return s.dialect.clock() != "" }
