package provision

import (
	"context"
	"hash/maphash"
	"slices"
)

// turns lets those who name the same thing go one after the other. It has a
// bounded number of queues, so that strangers may have to wait for each other too.
type turns struct {
	seed   maphash.Seed
	queues [512]chan struct{}
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.queues {
		t.queues[i] = make(chan struct{}, 1)
	}
	return t
}

// queue is where those who name these words stand.
func (t *turns) queue(words ...string) int {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, w := range words {
		h.WriteString(w) //nolint:errcheck // never fails
		h.WriteByte(0)   //nolint:errcheck // never fails
	}
	return int(h.Sum64() % uint64(len(t.queues)))
}

// take waits for a turn in all queues, always in the same order, and answers the
// function that gives it up. It fails when ctx ends first.
func (t *turns) take(ctx context.Context, queues ...int) (release func(), err error) {
	slices.Sort(queues)
	queues = slices.Compact(queues)
	for n, q := range queues {
		select {
		case t.queues[q] <- struct{}{}:
		case <-ctx.Done():
			t.leave(queues[:n])
			return nil, ctx.Err()
		}
	}
	return func() { t.leave(queues) }, nil
}

func (t *turns) leave(queues []int) {
	for _, q := range queues {
		<-t.queues[q]
	}
}
