package guard

import (
	"log/slog"
	"time"

	"github.com/postern/postern/adapters"
)

// Options say how a backend is guarded. Zero values mean the defaults, negative
// ones turn a guard off.
type Options struct {
	// Timeout is how long one call may take, and how long it may wait for its
	// turn. Default 5 s.
	Timeout time.Duration

	// Concurrency is how many calls run at a time; more wait. Default 8.
	Concurrency int

	// Cache is how long a record that Get read may be used again. Default: not
	// at all. A write through the same Guard empties the cache.
	Cache time.Duration

	// CacheSize is how many records are kept. Default 10,000.
	CacheSize int

	Breaker Breaker

	// Log gets a line at debug level for each call, at warn level for failures that
	// somebody must look into and when the breaker opens, and at info level when it
	// closes. nil: none.
	Log *slog.Logger

	// Observe is told of each call, for counters. It must be quick. nil: nobody.
	Observe func(Call)

	// Wrote is called when a call that writes has ended, in whatever way. nil: nobody.
	Wrote func()
}

// A Breaker says when to stop asking. Only calls that got no answer count
// (Unavailable): a backend that refuses is up.
type Breaker struct {
	Failures int           // so many in a row open it. Default 5
	Open     time.Duration // after which one call may try again. Default 10 s
}

// A Call is what became of one call.
type Call struct {
	Backend string
	Op      string // get, list, create, update, delete, probe
	Took    time.Duration
	Cached  bool  // answered without asking the backend
	Err     error // nil or an *adapters.Error
}

// Kind is the kind of the call's error as text, "ok" if there is none.
func (c Call) Kind() string {
	if c.Err == nil {
		return "ok"
	}
	return adapters.KindOf(c.Err).String()
}

func (o Options) withDefaults() Options {
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.Concurrency, 8)
	setDefault(&o.CacheSize, 10_000)
	setDefault(&o.Breaker.Failures, 5)
	setDefault(&o.Breaker.Open, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}
