package steps

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/adapters"
)

// This file reads records whose keys are known: many in one call where the
// configuration has a call for that, otherwise each by itself.

// tells reports whether there is a call that brings a field which lists lack.
func (a *Adapter) tells(i int) bool {
	return a.o.Get != nil || a.o.Many != nil && !a.unsaid.Has(i)
}

// brings reports whether the call for many records brings all these fields.
func (a *Adapter) brings(want adapters.Fields) bool {
	if a.o.Many == nil {
		return false
	}
	for i := range a.caps.Fields {
		if want.Has(i) && a.unsaid.Has(i) {
			return false
		}
	}
	return true
}

// keyed reads the records with these keys. What is not there is left out.
func (a *Adapter) keyed(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields, take taking) ([]item, error) {
	keys = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(keys))), func(k adapters.Key) bool { return !plausible(k) })
	switch {
	case a.o.Batch != nil:
		return a.tried(ctx, op, keys, want, must, take)
	case a.o.Many != nil && (len(keys) > 1 || a.o.Get == nil):
		return a.many(ctx, op, keys, want, must)
	}
	return a.singly(ctx, op, keys, want, must)
}

// singly reads the records with these keys one by one.
func (a *Adapter) singly(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	recs := make([]adapters.Record, len(keys))
	which := make([]int, len(keys))
	for i, k := range keys {
		recs[i], which[i] = adapters.Record{Key: k}, i
	}
	recs, err := a.each(ctx, op, recs, which, want.Union(must))
	out := make([]item, len(recs))
	for i, r := range recs {
		out[i] = item{Record: r}
	}
	return out, err
}

// many reads records by their keys, a chunk of keys in each call.
func (a *Adapter) many(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.o.Parallel)
	parts := make([][]item, (len(keys)+a.chunk-1)/a.chunk)
	n := 0
	for part := range slices.Chunk(keys, a.chunk) {
		into := &parts[n]
		n++
		g.Go(func() error {
			return a.believed(ctx, op, func() (nothing bool, err error) {
				*into, err = a.ask(ctx, op, part, want, must)
				return err == nil && len(*into) < len(part), err
			})
		})
	}
	err := g.Wait()
	return slices.Concat(parts...), err
}

// ask asks for records until an answer brings none of them: a backend may cut a
// list that is too long for it, and what it left out is not gone. Where it refuses
// the whole because one is not there, it is asked for the halves.
func (a *Adapter) ask(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	var all []item
	for len(keys) > 0 {
		got, err := a.walkIn(ctx, op, a.o.Many, want, must, map[string]any{"keys": texted(keys)}, min(a.o.Limit, len(keys)+maxSurplus))
		switch {
		case errors.Is(err, errLong):
			return nil, &adapters.Error{Kind: adapters.Internal, Op: op, Err: errors.New("the answer for many keys holds more than what was asked for: the backend does not know the parameter")}
		case len(keys) > 1 && (adapters.Is(err, adapters.NotFound) || adapters.Is(err, adapters.TooMany)):
			more, err := a.halves(ctx, op, keys, want, must)
			return append(all, more...), err
		case adapters.Is(err, adapters.NotFound):
			return all, nil
		case err != nil:
			return nil, err
		}
		got = slices.DeleteFunc(got, func(it item) bool { return !slices.Contains(keys, it.Key) })
		if len(got) == 0 {
			break
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(k adapters.Key) bool {
			return slices.ContainsFunc(got, func(it item) bool { return it.Key == k })
		})
		all = append(all, got...)
	}
	return all, nil
}

// maxSurplus is how many records an answer may hold that nobody asked for.
const maxSurplus = 1000

func (a *Adapter) halves(ctx context.Context, op string, keys []adapters.Key, want, must adapters.Fields) ([]item, error) {
	middle := len(keys) / 2
	all, err := a.ask(ctx, op, keys[:middle], want, must)
	if err != nil {
		return nil, err
	}
	more, err := a.ask(ctx, op, keys[middle:], want, must)
	return append(all, more...), err
}

// texted are keys as expressions see them.
func texted(keys []adapters.Key) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return out
}

// fill reads what must be there and the lists lack.
func (a *Adapter) fill(ctx context.Context, op string, items []item, must adapters.Fields) ([]item, error) {
	recs := make([]adapters.Record, len(items))
	lacks := map[adapters.Key]adapters.Fields{}
	var lacking []int
	for n, it := range items {
		recs[n], lacks[it.Key] = it.Record, it.lacks
		for i := range a.caps.Fields {
			if must.Has(i) && it.lacks.Has(i) && a.tells(i) {
				lacking = append(lacking, n)
				break
			}
		}
	}
	if len(lacking) == 0 {
		return items, nil
	}
	recs, err := a.details(ctx, op, recs, lacking, must)
	out := make([]item, len(recs))
	for i, r := range recs {
		out[i] = item{r, lacks[r.Key]}
	}
	return out, err
}

// details reads some of the records again, for what lists lack. What went away
// meanwhile is left out.
func (a *Adapter) details(ctx context.Context, op string, recs []adapters.Record, which []int, want adapters.Fields) ([]adapters.Record, error) {
	if len(which) == 0 || a.o.Get != nil && (len(which) == 1 || a.o.Batch != nil || !a.brings(want)) {
		return a.each(ctx, op, recs, which, want)
	}
	keys := make([]adapters.Key, len(which))
	for n, i := range which {
		keys[n] = recs[i].Key
	}
	items, err := a.many(ctx, op, keys, want, adapters.Fields{})
	if err != nil {
		return nil, err
	}
	found := make(map[adapters.Key]item, len(items))
	for _, it := range items {
		found[it.Key] = it
	}
	gone := make([]bool, len(recs))
	for _, i := range which {
		it, there := found[recs[i].Key]
		if gone[i] = !there; there {
			recs[i] = over(recs[i], it)
		}
	}
	return present(recs, gone), nil
}

// over is what was read of a record, over what was known of it.
func over(known adapters.Record, it item) adapters.Record {
	for i := range known.Values() {
		if it.lacks.Has(i) {
			it.SetAt(i, known.At(i))
		}
	}
	return it.Record
}

// each reads some of the records one by one, a few at a time.
func (a *Adapter) each(ctx context.Context, op string, recs []adapters.Record, which []int, want adapters.Fields) ([]adapters.Record, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.o.Parallel)
	gone := make([]bool, len(recs))
	for _, i := range which {
		g.Go(func() error {
			rec, err := a.get(ctx, op, recs[i].Key, want)
			if adapters.Is(err, adapters.NotFound) {
				gone[i] = true
				return nil
			}
			recs[i] = rec
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return present(recs, gone), nil
}

func present(recs []adapters.Record, gone []bool) []adapters.Record {
	out := recs[:0]
	for i, r := range recs {
		if !gone[i] {
			out = append(out, r)
		}
	}
	return out
}
