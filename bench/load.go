package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A turn is what one server did while it was loaded.
type turn struct {
	requests int
	took     time.Duration
	cpu      time.Duration
	waits    []time.Duration // of each request
}

func (t *turn) rate() float64 { return float64(t.requests) / t.took.Seconds() }

// each is the processor time of a request, in seconds.
func (t *turn) each() float64 { return t.cpu.Seconds() / float64(max(t.requests, 1)) }

// load sends requests on all connections for a while.
func (s *server) load(ctx context.Context, t *task, d time.Duration, seed uint64) (turn, error) {
	if err := t.prepare(ctx, s); err != nil {
		return turn{}, err
	}
	var next atomic.Int64
	if t.grows {
		next.Store(int64(s.serial))
	}
	waits := make([][]time.Duration, len(s.conns))
	errs := make([]error, len(s.conns))
	var all sync.WaitGroup
	cpu, begun := s.process.cpu(), time.Now()
	end := begun.Add(d)
	for i, c := range s.conns {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			waits[i], errs[i] = s.drive(ctx, c, t, r, &next, end)
		})
	}
	all.Wait()
	out := turn{took: time.Since(begun), cpu: s.process.cpu() - cpu, waits: slices.Concat(waits...)}
	out.requests = len(out.waits)
	s.serial = max(s.serial, int(next.Load()))
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	return out, ctx.Err()
}

func (s *server) drive(ctx context.Context, c *conn, t *task, r *rand.Rand, next *atomic.Int64, end time.Time) ([]time.Duration, error) {
	waits := make([]time.Duration, 0, 4096)
	for at := time.Now(); at.Before(end) && ctx.Err() == nil; {
		status, err := c.do(s, t.make(s, r, int(next.Add(1)-1)))
		if err != nil {
			return waits, fmt.Errorf("%s: %s: %w\n%s", s.name, t.name, err, s.process.said())
		}
		if status != t.status {
			return waits, fmt.Errorf("%s: %s: status %d\n%.500s", s.name, t.name, status, c.body)
		}
		now := time.Now()
		waits = append(waits, now.Sub(at))
		at = now
	}
	return waits, nil
}

// A comparison is what was measured of one case.
type comparison struct {
	task            *task
	users           int
	engine          string
	ratios          []float64 // of each pair of turns
	shares          []float64 // likewise, of processor time
	facade, postern summary
	seen            map[string]observation // by server; empty if not observed
}

// A summary is what all turns of one server come to.
type summary struct {
	rate     float64 // median, per second
	p50, p99 time.Duration
	cpu      time.Duration // per request
}

// compare loads both servers in turns. Who begins alternates, so that neither
// always follows the other.
func compare(ctx context.Context, facade, postern *server, t *task, o *options) (*comparison, error) {
	for _, s := range []*server{facade, postern} {
		if _, err := s.load(ctx, t, o.warm, 0); err != nil {
			return nil, err
		}
	}
	var f, p []turn
	c := &comparison{task: t}
	for n := range o.rounds {
		order := []*server{facade, postern}
		if n%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			got, err := s.load(ctx, t, o.turn, uint64(n+1))
			if err != nil {
				return nil, err
			}
			if s == facade {
				f = append(f, got)
			} else {
				p = append(p, got)
			}
		}
		c.ratios = append(c.ratios, p[n].rate()/f[n].rate())
		if mine := p[n].each(); mine > 0 {
			c.shares = append(c.shares, f[n].each()/mine)
		}
	}
	c.facade, c.postern = summarise(f), summarise(p)
	return c, nil
}

func summarise(turns []turn) summary {
	var rates []float64
	var waits []time.Duration
	var cpu time.Duration
	for _, t := range turns {
		rates = append(rates, t.rate())
		waits = append(waits, t.waits...)
		cpu += t.cpu
	}
	slices.Sort(waits)
	n := len(waits)
	if n == 0 {
		return summary{}
	}
	return summary{rate: median(rates), p50: waits[n/2], p99: waits[n*99/100], cpu: cpu / time.Duration(n)}
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
