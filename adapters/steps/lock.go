package steps

import (
	"context"
	"hash/maphash"

	"github.com/postern/postern/adapters"
)

// locks let one change of an object happen at a time. They hold for this process
// only; what others do meanwhile, the comparison before a change finds, all but
// the blink between the two.
type locks struct {
	seed  maphash.Seed
	slots [256]chan struct{}
}

func newLocks() locks {
	l := locks{seed: maphash.MakeSeed()}
	for i := range l.slots {
		l.slots[i] = make(chan struct{}, 1)
	}
	return l
}

func (l *locks) lock(ctx context.Context, op string, key adapters.Key) (unlock func(), err error) {
	slot := l.slots[maphash.String(l.seed, string(key))%uint64(len(l.slots))]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: ctx.Err()}
	}
}
