package route

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/order"
)

// skipChunk is how many records are read at once to find where a page begins.
const skipChunk = 1000

// A stream is the records of one place in order.
type stream struct {
	page  adapters.Page
	rank  []order.Place
	taken int
	more  bool // there may be records after the page
}

func (s *stream) empty() bool { return s.taken == len(s.page.Records) }

func (s *stream) fill(pg adapters.Page, limit int, by []adapters.Sort) {
	s.page, s.taken, s.rank = pg, 0, make([]order.Place, len(pg.Records))
	s.more = pg.Next != "" || len(pg.Records) == limit
	for i, r := range pg.Records {
		s.rank[i] = order.PlaceOf(r, by)
	}
}

// first is the stream with the next record; of equals that of the earlier place.
// nil: none has any.
func first(streams []*stream, by []adapters.Sort) *stream {
	var out *stream
	for _, s := range streams {
		if s.empty() {
			continue
		}
		if out == nil || order.Values(s.rank[s.taken], out.rank[out.taken], by) < 0 {
			out = s
		}
	}
	return out
}

// merged is a page of the lists of all places, merged by the sort.
func (l *listing) merged(ctx context.Context) (recs []adapters.Record, next string, err error) {
	offsets, err := l.skipped(ctx)
	if err != nil {
		return nil, "", err
	}
	streams := make([]*stream, len(l.places))
	err = l.each(func(i int, _ *place) error {
		streams[i] = &stream{}
		if err := l.near(ctx, i); err != nil {
			return err
		}
		from := l.from.At[i]
		q := adapters.Query{Sort: l.q.Sort, Limit: l.q.Limit + from.Skip, Cursor: from.Cursor, Offset: offsets[i], Total: l.q.Total, Want: l.wanted()}
		if from.End {
			if q = (adapters.Query{Total: true}); !l.q.Total {
				return nil
			}
		}
		pg, err := l.ask(ctx, i, q)
		if err != nil {
			return err
		}
		l.totals[i] = max(pg.Total, 0)
		streams[i].fill(pg, q.Limit, l.q.Sort)
		streams[i].taken = min(from.Skip, len(pg.Records))
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	for len(recs) < l.q.Limit {
		s := first(streams, l.q.Sort)
		if s == nil {
			break
		}
		recs = append(recs, s.page.Records[s.taken])
		s.taken++
	}
	return recs, l.onward(streams), nil
}

// wanted is what is wanted and what is sorted by.
func (l *listing) wanted() adapters.Fields {
	var names []string
	for _, s := range l.q.Sort {
		names = append(names, s.Field)
	}
	return l.q.Want.Union(l.shape.FieldSet(names...))
}

// onward is the cursor after a page.
func (l *listing) onward(streams []*stream) string {
	c := cursor{Sorted: true, At: make([]at, len(streams))}
	more := false
	for i, s := range streams {
		from := l.from.At[i]
		switch {
		case from.End || s.empty() && s.page.Next == "":
			c.At[i].End = true
		case s.empty():
			c.At[i].Cursor = s.page.Next
		default:
			c.At[i] = at{Cursor: from.Cursor, Skip: l.starts(i) + s.taken}
		}
		more = more || !c.At[i].End
	}
	if !more {
		return ""
	}
	return c.text()
}

// near replaces where a page begins in a place by a cursor of the place's own, if
// there is much between.
func (l *listing) near(ctx context.Context, i int) error {
	from := l.from.At[i]
	if from.End || from.Skip <= 2*l.q.Limit {
		return nil
	}
	pg, err := l.ask(ctx, i, adapters.Query{Sort: l.q.Sort, Limit: from.Skip, Cursor: from.Cursor})
	l.from.At[i] = at{Cursor: pg.Next, End: pg.Next == ""}
	return err
}

// starts is how many records of a place an offset has skipped.
func (l *listing) starts(i int) int {
	if l.offsets == nil {
		return 0
	}
	return l.offsets[i]
}

// skipped says how many records of each place lie before an offset.
func (l *listing) skipped(ctx context.Context) ([]int, error) {
	offsets := make([]int, len(l.places))
	if l.q.Offset <= 0 {
		return offsets, nil
	}
	streams := make([]*stream, len(l.places))
	for i := range streams {
		streams[i] = &stream{more: true}
	}
	sorted := *l
	sorted.q.Want = adapters.Fields{}
	for n := 0; n < l.q.Offset; n++ {
		if err := sorted.refill(ctx, streams, offsets, l.q.Offset-n); err != nil {
			return nil, err
		}
		s := first(streams, l.q.Sort)
		if s == nil {
			break
		}
		s.taken++
		for i := range streams {
			if streams[i] == s {
				offsets[i]++
			}
		}
	}
	l.offsets = offsets
	return offsets, nil
}

// refill reads on where a stream has no record left.
func (l *listing) refill(ctx context.Context, streams []*stream, offsets []int, most int) error {
	open := false
	for _, s := range streams {
		open = open || s.empty() && s.more
	}
	if !open {
		return nil
	}
	limit := min(most, skipChunk)
	return l.each(func(i int, _ *place) error {
		s := streams[i]
		if !s.empty() || !s.more {
			return nil
		}
		pg, err := l.ask(ctx, i, adapters.Query{Sort: l.q.Sort, Limit: limit, Offset: offsets[i], Want: l.wanted()})
		s.fill(pg, limit, l.q.Sort)
		return err
	})
}
