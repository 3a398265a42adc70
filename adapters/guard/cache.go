package guard

import (
	"context"
	"sync"

	gocache "github.com/patrickmn/go-cache"

	"github.com/postern/postern/adapters"
)

// A cache remembers records that Get read. Lists are not remembered.
//
// Every write that finished through the guard, however it ended, counts. A record
// is good only while the count is what it was before the record was
// read: so neither a record that was there before the write survives it, nor
// one whose reading was under way.
type cache struct {
	adapters.Adapter
	g     *Guard
	shape *adapters.Shape

	mu   sync.Mutex // bounds kept
	kept *gocache.Cache
}

// An entry is what is kept under a key.
type entry struct {
	record adapters.Record
	fields adapters.Fields // that were read
	writes uint64          // finished before
}

func newCache(g *Guard, a adapters.Adapter) *cache {
	return &cache{
		Adapter: a,
		g:       g,
		shape:   a.Capabilities().Shape,
		kept:    gocache.New(g.o.Cache, 0), // no janitor: keep removes what has expired
	}
}

func (c *cache) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	if adapters.MayCache(ctx) && ctx.Err() == nil {
		if r, ok := c.find(key, want); ok {
			noteHit(ctx)
			return r, nil
		}
	}
	writes := c.g.writes.Load()
	r, err := c.Adapter.Get(ctx, key, want)
	if err == nil {
		c.keep(key, entry{r.Clone(), want, writes})
	}
	return r, err
}

// find answers the wanted fields if all of them are kept.
func (c *cache) find(key adapters.Key, want adapters.Fields) (adapters.Record, bool) {
	v, ok := c.kept.Get(string(key))
	if !ok {
		return adapters.Record{}, false
	}
	e := v.(entry)
	if e.writes != c.g.writes.Load() {
		return adapters.Record{}, false
	}
	r := e.record.Clone()
	for i := range c.shape.Len() {
		switch {
		case !want.Has(i):
			r.SetAt(i, nil)
		case !e.fields.Has(i):
			return adapters.Record{}, false
		}
	}
	return r, true
}

// keep stores an entry, unless a write finished since it was read. A full cache
// is emptied: go-cache has neither a bound nor an order of use.
func (c *cache) keep(key adapters.Key, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.writes != c.g.writes.Load() {
		return
	}
	if _, again := c.kept.Get(string(key)); !again && c.kept.ItemCount() >= c.g.o.CacheSize {
		c.kept.DeleteExpired()
		if c.kept.ItemCount() >= c.g.o.CacheSize {
			c.kept.Flush()
		}
	}
	c.kept.SetDefault(string(key), e)
}

func (c *cache) Create(ctx context.Context, r adapters.Record, want adapters.Fields) (adapters.Record, error) {
	defer c.g.writes.Add(1)
	return c.Adapter.Create(ctx, r, want)
}

func (c *cache) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (adapters.Record, error) {
	defer c.g.writes.Add(1)
	return c.Adapter.Update(ctx, key, d, want)
}

func (c *cache) Delete(ctx context.Context, key adapters.Key) error {
	defer c.g.writes.Add(1)
	return c.Adapter.Delete(ctx, key)
}
