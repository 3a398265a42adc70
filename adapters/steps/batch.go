package steps

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/adapters"
)

// A Batch is asked about Many where only the backend itself shows whether it knows such
// a call. What the call does not bring is read by itself before it is taken for gone,
// and all is read so where the call fails.
type Batch interface {
	// Takes answers how many of some keys, from the first on, go into one call now:
	// none or one if they are to be read by themselves.
	Takes(ctx context.Context) (func([]adapters.Key) int, error)

	// Failed notes that a call for n keys failed. It reports whether Takes now answers
	// less than n, so that the keys can be asked for in another way.
	Failed(n int, err error) bool
}

// Failures of calls for many records that the engine finds.
var (
	errAnew = errors.New("the keys are to be asked for in another way")
	errHalf = errors.New("the answer for many keys left out more records than it held")
)

// A taking says how many of some keys, from the first on, go into one call.
type taking func([]adapters.Key) int

// parts are the keys of each call.
func (take taking) parts(keys []adapters.Key) [][]adapters.Key {
	var out [][]adapters.Key
	for len(keys) > 0 {
		n := min(max(take(keys), 1), len(keys))
		out, keys = append(out, keys[:n]), keys[n:]
	}
	return out
}

// taking is how keys are asked for by whoever wants these fields.
func (a *Adapter) taking(ctx context.Context, op string, want adapters.Fields) (taking, error) {
	switch {
	case a.o.Many == nil || a.o.Batch != nil && !a.brings(want):
		return func([]adapters.Key) int { return 1 }, nil
	case a.o.Batch == nil:
		return func([]adapters.Key) int { return a.chunk }, nil
	}
	take, err := a.o.Batch.Takes(ctx)
	if err != nil {
		return nil, newRun(op, nil).named(err)
	}
	return take, nil
}

// tried reads records by their keys, many in a call as far as the backend does that.
func (a *Adapter) tried(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields, take taking) ([]item, error) {
	parts := slices.DeleteFunc(take.parts(keys), func(part []adapters.Key) bool { return len(part) == 1 })
	got, err := a.gather(ctx, op, parts, want, must)
	if err != nil {
		return nil, err
	}
	rest, err := a.others(ctx, op, missing(keys, got), want, must)
	if err != nil {
		return nil, err
	}
	asked := slices.Concat(parts...) // in order, as keys are
	left := 0
	for _, it := range rest {
		if _, was := slices.BinarySearch(asked, it.Key); was {
			left++
		}
	}
	if left > len(got) {
		a.o.Batch.Failed(len(asked), errHalf)
	}
	return append(got, rest...), nil
}

// gather makes a call for each part of the keys.
func (a *Adapter) gather(ctx context.Context, op string, parts [][]adapters.Key, want, must adapters.Fields) ([]item, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.o.Parallel)
	found := make([][]item, len(parts))
	for i, part := range parts {
		g.Go(func() (err error) {
			found[i], err = a.try(ctx, op, part, want, must)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(found...), err
}

// try makes the call for some keys. Of its answer only what was asked for counts.
func (a *Adapter) try(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	got, err := a.walkIn(ctx, op, a.o.Many, want, must, map[string]any{"keys": texted(keys)}, min(a.o.Limit, len(keys)+maxSurplus))
	if err != nil && a.o.Batch.Failed(len(keys), err) {
		return nil, errAnew
	}
	return slices.DeleteFunc(got, func(it item) bool { return !slices.Contains(keys, it.Key) }), err
}

// others reads the records that no call for many has brought: where they are too many
// to be read one by one, among all there are.
func (a *Adapter) others(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	if len(keys) <= maxLookups {
		return a.singly(ctx, op, keys, want, must)
	}
	all, err := a.walk(ctx, op, a.o.List, want, must, nil)
	return slices.DeleteFunc(all, func(it item) bool {
		_, wanted := slices.BinarySearch(keys, it.Key)
		return !wanted
	}), err
}

// missing are the keys, which are sorted, of which no record was found.
func missing(keys []adapters.Key, found []item) []adapters.Key {
	there := make(map[adapters.Key]bool, len(found))
	for _, it := range found {
		there[it.Key] = true
	}
	return slices.DeleteFunc(slices.Clone(keys), func(k adapters.Key) bool { return there[k] })
}
