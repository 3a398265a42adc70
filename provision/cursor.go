package provision

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// UnknownTotal is the total of a list that nobody counted.
const UnknownTotal = -1

// Where a cursor goes on: behind a record of the backend, or at an offset where
// the order is the gateway's own. Positions hold backend keys; whoever hands
// them out seals them.
const (
	atCursor = "k"
	atOffset = "o"
)

// ListAfter is List by cursor (RFC 9865): it begins behind what the position
// says, "" for the beginning, and answers in Next where the next page begins, ""
// on the last. The total is counted for the first page only, and only where that
// looks at no more records than a query may.
func (s *Service) ListAfter(ctx context.Context, c Call, q Search, position string) (List, error) {
	t := s.target(c)
	out, err := s.listAfter(ctx, c, t, q, position)
	if err != nil {
		return List{}, s.fail(ctx, t, err)
	}
	t.stamp(t.plan(c), out.Resources...)
	return out, nil
}

func (s *Service) listAfter(ctx context.Context, c Call, t *target, q Search, position string) (out List, err error) {
	kind, at, _ := strings.Cut(position, " ")
	if position == "" || q.Count == 0 {
		count := q
		count.StartIndex, count.Count = 1, 0
		if out, err = s.list(ctx, c, t, count); err != nil && !isTooMany(err) {
			return List{}, err
		}
		if err != nil {
			out.Total = UnknownTotal
		}
		if q.Count == 0 || out.Total == 0 {
			return out, nil
		}
	} else {
		out.Total = UnknownTotal
	}
	if t.ownOrder(q) {
		return s.sliceList(ctx, c, t, q, at, out.Total)
	}
	if kind == atOffset { // the configuration has changed: the backend sorts now
		return List{}, badCursor()
	}
	next, err := s.walkList(ctx, c, t, q, at)
	next.Total = out.Total
	return next, err
}

// ownOrder reports whether the gateway sorts, so that there is no place in the
// backend to go on from.
func (t *target) ownOrder(q Search) bool {
	if q.SortBy == nil {
		return false
	}
	_, ok := t.Mapping.PushSort(q.SortBy, q.Descending)
	return !ok
}

// sliceList goes on at an offset of the list as it is now.
func (s *Service) sliceList(ctx context.Context, c Call, t *target, q Search, at string, total int) (List, error) {
	from := 0
	if at != "" {
		var err error
		if from, err = strconv.Atoi(at); err != nil || from < 0 {
			return List{}, badCursor()
		}
	}
	q.StartIndex = from + 1
	out, err := s.list(ctx, c, t, q)
	if err != nil {
		return out, err
	}
	if end := from + q.Count; end < out.Total {
		out.Next = atOffset + " " + strconv.Itoa(end)
	}
	out.Total = total
	return out, nil
}

// walkList reads on from a place in the backend until the page is full, the list
// ends, or it has looked at as many records as one request may. A page may have
// fewer resources than were asked for, and still not be the last.
func (s *Service) walkList(ctx context.Context, c Call, t *target, q Search, at string) (List, error) {
	c.begun = t.gone.Load() + 1
	w, err := s.newWalk(ctx, c, t, q, at)
	if err != nil || w == nil {
		return List{}, err
	}
	for w.next = at; ; {
		done, err := w.step(ctx)
		if err != nil {
			return List{}, asBadCursor(at, err)
		}
		if done {
			break
		}
	}
	p := t.plan(c)
	recs, err := w.complete(ctx, w.found, p)
	if err != nil {
		return List{}, err
	}
	built, err := s.build(ctx, c, t, recs, p, nil, nil)
	if err != nil {
		return List{}, err
	}
	out := List{Resources: listed(built)}
	if w.next != "" {
		out.Next = atCursor + " " + w.next
	}
	return out, nil
}

// A walk is a scan that stops when a page is full.
type walk struct {
	scan
	next string // the adapter's cursor
}

// newWalk is nil if nothing can match.
func (s *Service) newWalk(ctx context.Context, c Call, t *target, q Search, at string) (*walk, error) {
	w := &walk{scan: scan{Service: s, c: c, t: t, q: q, hidden: veil{merged: &mergedSet{}}}}
	d, none, err := s.division(ctx, c, t, &w.q)
	if none || err != nil {
		return nil, err
	}
	w.d = d
	w.prepare()
	if d.rest == nil { // all that is read is shown: read it whole at once
		w.plan = t.plan(c)
	}
	return w, nil
}

func (w *walk) step(ctx context.Context) (done bool, err error) {
	missing := w.q.Count - len(w.found)
	query := adapters.Query{Filter: w.d.pushed, Sort: w.d.sort, Cursor: w.next, Want: w.plan.Want, Limit: missing}
	if w.d.rest != nil {
		query.Limit = min(scanChunk, max(w.Service.scan-w.seen, 1))
	}
	pg, err := w.t.Adapter.List(ctx, query)
	if err != nil {
		return false, err
	}
	w.seen += len(pg.Records)
	keys := make([]adapters.Key, len(pg.Records))
	for i, r := range pg.Records {
		keys[i] = r.Key
	}
	if err := w.keep(ctx, pg.Records); err != nil {
		return false, err
	}
	if len(w.found) <= w.q.Count {
		w.next = pg.Next
		return w.next == "" || len(w.found) == w.q.Count || w.seen >= w.Service.scan, nil
	}
	w.found = w.found[:w.q.Count]
	return true, w.stopAt(ctx, query, keys)
}

// stopAt finds the place behind the last record of a page that ends within one
// of the backend's.
func (w *walk) stopAt(ctx context.Context, query adapters.Query, keys []adapters.Key) error {
	last := w.found[len(w.found)-1].record.Key
	for i, k := range keys {
		if k == last {
			query.Limit, query.Want = i+1, w.t.scope.Want
			pg, err := w.t.Adapter.List(ctx, query)
			w.next = pg.Next
			return err
		}
	}
	return errors.New("the last record of a page is not on it")
}

func isTooMany(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Type == scim.TooMany || adapters.Is(err, adapters.TooMany)
}

func badCursor() error {
	return scim.Bad(scim.InvalidCursor, "The cursor leads nowhere any more; begin again with an empty cursor.")
}

// asBadCursor tells a cursor that the backend does not know any more from other
// mistakes.
func asBadCursor(at string, err error) error {
	if at != "" && adapters.Is(err, adapters.Invalid) {
		return badCursor()
	}
	return err
}
