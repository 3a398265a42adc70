package provision_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
)

// A probe is an adapter that counts what it is asked, and fails when told to.
type probe struct {
	adapters.Adapter
	relation *memory.Relation

	gets, lists, creates, updates, deletes atomic.Int64

	mu    sync.Mutex
	fails func(op string) error // before anything happens
	after func(op string)       // when all has happened
}

func (p *probe) calls() int64 {
	return p.gets.Load() + p.lists.Load() + p.creates.Load() + p.updates.Load() + p.deletes.Load()
}

func (p *probe) reset() {
	for _, n := range []*atomic.Int64{&p.gets, &p.lists, &p.creates, &p.updates, &p.deletes} {
		n.Store(0)
	}
}

// hook sets what happens around calls; nil takes it away.
func (p *probe) hook(fails func(string) error, after func(string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails, p.after = fails, after
}

func (p *probe) around(op string, n *atomic.Int64, f func() error) error {
	n.Add(1)
	p.mu.Lock()
	fails, after := p.fails, p.after
	p.mu.Unlock()
	if fails != nil {
		if err := fails(op); err != nil {
			return err
		}
	}
	err := f()
	if after != nil {
		after(op)
	}
	return err
}

func (p *probe) Get(ctx context.Context, k adapters.Key, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("get", &p.gets, func() error { r, err = p.Adapter.Get(ctx, k, w); return err })
	return r, err
}

func (p *probe) List(ctx context.Context, q adapters.Query) (pg adapters.Page, err error) {
	err = p.around("list", &p.lists, func() error { pg, err = p.Adapter.List(ctx, q); return err })
	return pg, err
}

func (p *probe) Create(ctx context.Context, in adapters.Record, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("create", &p.creates, func() error { r, err = p.Adapter.Create(ctx, in, w); return err })
	return r, err
}

func (p *probe) Update(ctx context.Context, k adapters.Key, d adapters.Delta, w adapters.Fields) (r adapters.Record, err error) {
	err = p.around("update", &p.updates, func() error { r, err = p.Adapter.Update(ctx, k, d, w); return err })
	return r, err
}

func (p *probe) Delete(ctx context.Context, k adapters.Key) error {
	return p.around("delete", &p.deletes, func() error { return p.Adapter.Delete(ctx, k) })
}

// A marked adapter makes keys that can be recognised.
type marked struct {
	adapters.Adapter
	last atomic.Int64
}

func (m *marked) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	r.Key = adapters.Key(fmt.Sprintf("%s%06d", keyMark, m.last.Add(1)))
	return m.Adapter.Create(ctx, r, want)
}
