package steps

import (
	"context"
	"hash/maphash"

	"github.com/postern/postern/adapters"
)

// Locks let one change of an object of a kind happen at a time. They hold for this
// process only; what others do meanwhile, the comparison before a change finds, all
// but the blink between the two.
type Locks struct {
	seed  maphash.Seed
	slots [256]chan struct{}
}

// NewLocks makes the locks of a kind of object.
func NewLocks() *Locks {
	l := &Locks{seed: maphash.MakeSeed()}
	for i := range l.slots {
		l.slots[i] = make(chan struct{}, 1)
	}
	return l
}

func (l *Locks) lock(ctx context.Context, op string, key adapters.Key) (unlock func(), err error) {
	slot := l.slots[maphash.String(l.seed, string(key))%uint64(len(l.slots))]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: ctx.Err()}
	}
}
