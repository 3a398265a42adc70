package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// fetchChunk is how many keys one query asks for.
const fetchChunk = 500

// fetch reads the records with these keys that are in scope, in few queries where
// the backend can. Keys that come twice are read once.
func (t *target) fetch(ctx context.Context, keys []adapters.Key, want adapters.Fields) (map[adapters.Key]adapters.Record, error) {
	out := make(map[adapters.Key]adapters.Record, len(keys))
	if len(keys) == 1 || !t.caps.Or || !t.caps.Key.Filter[filter.Exact].Has(filter.Eq) {
		return out, t.fetchEach(ctx, keys, want, out)
	}
	for len(keys) > 0 {
		n := min(len(keys), fetchChunk)
		pg, err := t.Adapter.List(ctx, adapters.Query{Filter: oneOf(keys[:n]), Limit: n, Want: want})
		if err != nil {
			return nil, err
		}
		for _, r := range pg.Records {
			if t.inScope(r) {
				out[r.Key] = r
			}
		}
		keys = keys[n:]
	}
	return out, nil
}

func (t *target) fetchEach(ctx context.Context, keys []adapters.Key, want adapters.Fields, out map[adapters.Key]adapters.Record) error {
	for _, k := range keys {
		if _, again := out[k]; again {
			continue
		}
		r, err := t.Adapter.Get(ctx, k, want)
		switch {
		case adapters.Is(err, adapters.NotFound):
		case err != nil:
			return err
		case t.inScope(r):
			out[k] = r
		}
	}
	return nil
}

// present asks the backend which of the records are there and in scope.
func (t *target) present(ctx context.Context, keys []adapters.Key) (map[adapters.Key]bool, error) {
	recs, err := t.fetch(ctx, keys, t.scope.Want)
	if err != nil {
		return nil, err
	}
	out := make(map[adapters.Key]bool, len(recs))
	for k := range recs {
		out[k] = true
	}
	return out, nil
}

// recalled is present, except for what was found out a moment ago.
func (t *target) recalled(ctx context.Context, keys []adapters.Key) (map[adapters.Key]bool, error) {
	shown := make(map[adapters.Key]bool, len(keys))
	open, mark := t.recall.ask(keys, shown)
	if len(open) == 0 {
		return shown, nil
	}
	found, err := t.present(ctx, open)
	if err != nil {
		return nil, err
	}
	t.recall.note(open, found, mark)
	for k := range found {
		shown[k] = true
	}
	return shown, nil
}

// oneOf is true of the records with these keys.
func oneOf(keys []adapters.Key) filter.Expr {
	terms := make([]filter.Expr, len(keys))
	for i, k := range keys {
		terms[i] = &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(string(k))}
	}
	return filter.OrOf(terms...)
}
