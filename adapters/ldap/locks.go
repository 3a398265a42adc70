package ldap

import (
	"context"
	"hash/maphash"
)

// locks let one change of an entry happen at a time. They hold for this process
// only; against others the assertion control helps, where the server has it.
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

func (l *locks) lock(ctx context.Context, key string) (unlock func(), err error) {
	slot := l.slots[maphash.String(l.seed, key)%uint64(len(l.slots))]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
