package guard

import (
	"context"
	"sync/atomic"

	"github.com/postern/postern/adapters"
)

// A Guard stands before one backend. New makes it; its methods may be called
// from many goroutines.
type Guard struct {
	name    string
	o       Options
	own     gate // of one of several users; nobody else waits there
	gate    gate
	breaker *breaker // nil: off
	writes  *atomic.Uint64
}

// New makes the guard of the backend with that name.
func New(name string, o Options) *Guard {
	o = o.withDefaults()
	return &Guard{name: name, o: o, gate: newGate(o.Concurrency), breaker: newBreaker(name, o), writes: new(atomic.Uint64)}
}

// For makes a guard for one of several users of the backend: limit and breaker are
// those of g, and a write of any user makes the others forget; but what it
// remembers is its own, and no more than most of its calls are among those that run
// or wait at g, so that nobody who sends many keeps the others waiting.
func (g *Guard) For(o Options, most int) *Guard {
	return &Guard{name: g.name, o: o.withDefaults(), own: newGate(most), gate: g.gate, breaker: g.breaker, writes: g.writes}
}

// Wrap guards one adapter by itself.
func Wrap(a adapters.Adapter, name string, o Options) adapters.Adapter {
	return New(name, o).Wrap(a)
}

// Wrap guards an adapter of the backend. Capabilities and Close pass through.
//
// The order of the layers, from the caller to the backend, is decided here:
// whoever waits for a turn learns that the breaker opened meanwhile, waiting
// does not count as the backend's time, and what comes out of the innermost
// layer is an *adapters.Error always.
func (g *Guard) Wrap(a adapters.Adapter) adapters.Adapter {
	var calls adapters.Adapter = &layered{a, chain(g.layers()...)}
	if g.o.Cache > 0 && g.o.CacheSize > 0 {
		calls = newCache(g, calls)
	}
	if g.o.Wrote != nil {
		calls = &layered{calls, g.tell}
	}
	return &layered{calls, g.observe}
}

// layers are those around a call that have something to do.
func (g *Guard) layers() []layer {
	var all []layer
	if g.own.slots != nil {
		all = append(all, g.queue) // the limit of one user
	}
	if g.gate.slots != nil {
		all = append(all, g.turn) // the limit
	}
	if g.breaker != nil {
		all = append(all, g.trip) // the breaker
	}
	return append(all,
		g.inTime,  // the timeout
		recovered, // panics and strange errors
	)
}

// tell says that something may have been written, however that ended.
func (g *Guard) tell(ctx context.Context, op operation, next func(context.Context) error) error {
	if op.writes() {
		defer g.o.Wrote()
	}
	return next(ctx)
}

// Forget forgets what is remembered of the backend: somebody else has written there.
func (g *Guard) Forget() { g.writes.Add(1) }

// Down reports whether the breaker is open: whether calls are refused without
// asking the backend.
func (g *Guard) Down() bool { return g.breaker != nil && g.breaker.open() }

// An operation is the name of an Adapter's method, as layers and logs see it.
type operation string

// The operations.
const (
	opGet    operation = "get"
	opList   operation = "list"
	opCreate operation = "create"
	opUpdate operation = "update"
	opDelete operation = "delete"
	opProbe  operation = "probe"
)

func (o operation) writes() bool { return o == opCreate || o == opUpdate || o == opDelete }

// A layer does something around a call, which is next.
type layer func(ctx context.Context, op operation, next func(context.Context) error) error

// chain makes one layer of several; the first is the outermost.
func chain(layers ...layer) layer {
	if len(layers) == 1 {
		return layers[0]
	}
	outer, inner := layers[0], chain(layers[1:]...)
	return func(ctx context.Context, op operation, next func(context.Context) error) error {
		return outer(ctx, op, func(ctx context.Context) error { return inner(ctx, op, next) })
	}
}

// layered is an adapter with a layer around each call.
type layered struct {
	adapters.Adapter
	around layer
}

func (l *layered) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (r adapters.Record, err error) {
	err = l.around(ctx, opGet, func(ctx context.Context) (err error) {
		r, err = l.Adapter.Get(ctx, key, want)
		return err
	})
	return r, err
}

func (l *layered) List(ctx context.Context, q adapters.Query) (p adapters.Page, err error) {
	err = l.around(ctx, opList, func(ctx context.Context) (err error) {
		p, err = l.Adapter.List(ctx, q)
		return err
	})
	return p, err
}

func (l *layered) Create(ctx context.Context, in adapters.Record, want adapters.Fields) (r adapters.Record, err error) {
	err = l.around(ctx, opCreate, func(ctx context.Context) (err error) {
		r, err = l.Adapter.Create(ctx, in, want)
		return err
	})
	return r, err
}

func (l *layered) Update(ctx context.Context, key adapters.Key, d adapters.Delta, want adapters.Fields) (r adapters.Record, err error) {
	err = l.around(ctx, opUpdate, func(ctx context.Context) (err error) {
		r, err = l.Adapter.Update(ctx, key, d, want)
		return err
	})
	return r, err
}

func (l *layered) Delete(ctx context.Context, key adapters.Key) error {
	return l.around(ctx, opDelete, func(ctx context.Context) error { return l.Adapter.Delete(ctx, key) })
}

func (l *layered) Probe(ctx context.Context) error {
	return l.around(ctx, opProbe, l.Adapter.Probe)
}
