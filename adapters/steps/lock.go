package steps

import (
	"context"
	"hash/maphash"
	"sync"

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

// KindLocks are the locks of each kind of object of a backend, the same for all who
// change it. The zero KindLocks is ready.
type KindLocks struct {
	mu  sync.Mutex
	all map[string]*Locks
}

// Of are the locks of a kind; nil for a kind without a name.
func (k *KindLocks) Of(kind string) *Locks {
	if kind == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[string]*Locks{}
	}
	if k.all[kind] == nil {
		k.all[kind] = NewLocks()
	}
	return k.all[kind]
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
