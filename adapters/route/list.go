package route

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Without a sort the order is that of the places, and in each of them by key: the
// list of all is one list after the other. With a sort they are merged.

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	out := adapters.Page{Total: -1}
	if err := a.caps.Check(q); err != nil {
		return out, err
	}
	l := &listing{Adapter: a, q: q, filters: make([]filter.Expr, len(a.places)), totals: make([]int, len(a.places))}
	for i, p := range a.places {
		l.filters[i] = p.filter(q.Filter)
	}
	from, err := parseCursor(q.Cursor, len(a.places), len(q.Sort) > 0)
	if err != nil {
		return out, err
	}
	l.from = from
	switch {
	case q.Limit <= 0:
		err = l.count(ctx)
	case len(q.Sort) > 0:
		out.Records, out.Next, err = l.merged(ctx)
	default:
		out.Records, out.Next, err = l.chained(ctx)
	}
	if q.Total && err == nil {
		out.Total = 0
		for _, n := range l.totals {
			out.Total += n
		}
	}
	return out, err
}

// A listing is one query.
type listing struct {
	*Adapter
	q       adapters.Query
	filters []filter.Expr // by place
	totals  []int
	from    cursor
	offsets []int // where a merged page begins, by place
}

// A cursor says where the next page begins: in every place, of those that a sort
// merges, or else in the first that is not at its end.
type cursor struct {
	Sorted bool `json:"s,omitempty"`
	At     []at `json:"p"`
}

// An at is where the next page begins in a place: so many records after the place's
// own cursor.
type at struct {
	Cursor string `json:"c,omitempty"`
	Skip   int    `json:"n,omitempty"`
	End    bool   `json:"e,omitempty"`
}

func (c cursor) text() string {
	b, err := json.Marshal(c)
	if err != nil {
		return "" // cannot be: there are only texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// mostSkipped bounds what a cursor may say.
const mostSkipped = 1 << 30

func parseCursor(text string, places int, sorted bool) (cursor, error) {
	c := cursor{Sorted: sorted, At: make([]at, places)}
	if text == "" {
		return c, nil
	}
	c.At = nil
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	ok := err == nil && len(c.At) == places && c.Sorted == sorted
	for _, p := range c.At {
		ok = ok && p.Skip >= 0 && p.Skip <= mostSkipped
	}
	if !ok {
		return c, adapters.Errorf(adapters.Invalid, "list", "the cursor is none of this list's")
	}
	return c, nil
}

// ask asks a place for a page.
func (l *listing) ask(ctx context.Context, i int, q adapters.Query) (adapters.Page, error) {
	if _, none := l.filters[i].(filter.False); none {
		return adapters.Page{Total: 0}, nil
	}
	p := l.places[i]
	q.Filter = l.filters[i]
	if _, all := q.Filter.(filter.True); all {
		q.Filter = nil
	}
	q.Sort, q.Want = p.sorts(q.Sort), p.fields(q.Want)
	pg, err := p.Adapter.List(ctx, q)
	if err != nil {
		return pg, p.blame(err)
	}
	for j := range pg.Records {
		pg.Records[j] = p.out(pg.Records[j])
	}
	return pg, nil
}

// count asks all places how many records there are, if that is wanted.
func (l *listing) count(ctx context.Context) error {
	if !l.q.Total {
		return nil
	}
	return l.each(func(i int, _ *place) error {
		pg, err := l.ask(ctx, i, adapters.Query{Total: true})
		l.totals[i] = max(pg.Total, 0)
		return err
	})
}

// chained is a page of one list after the other.
func (l *listing) chained(ctx context.Context) (recs []adapters.Record, next string, err error) {
	ahead, err := l.ahead(ctx)
	if err != nil {
		return nil, "", err
	}
	skip := l.q.Offset
	for i := range l.places {
		if l.from.At[i].End || skip >= l.totals[i] && l.q.Offset > 0 {
			skip -= l.totals[i]
			continue
		}
		pg := ahead[i]
		if rest := l.q.Limit - len(recs); pg == nil || len(pg.Records) > rest {
			q := adapters.Query{Limit: rest, Cursor: l.from.At[i].Cursor, Offset: max(skip, 0), Want: l.q.Want}
			got, err := l.ask(ctx, i, q)
			if err != nil {
				return nil, "", err
			}
			pg = &got
		}
		skip = 0
		recs = append(recs, pg.Records...)
		if pg.Next == "" && len(recs) < l.q.Limit {
			continue
		}
		next, err = l.after(ctx, i, pg.Next, ahead)
		return recs, next, err
	}
	return recs, "", nil
}

// ahead asks all places at once: for their first page, if that is where the list
// begins, or how many records they have.
func (l *listing) ahead(ctx context.Context) ([]*adapters.Page, error) {
	out := make([]*adapters.Page, len(l.places))
	q := adapters.Query{Limit: l.q.Limit, Total: l.q.Total, Want: l.q.Want}
	switch {
	case l.q.Cursor != "":
		return out, l.count(ctx)
	case l.q.Offset > 0:
		q = adapters.Query{Total: true}
	}
	err := l.each(func(i int, _ *place) error {
		pg, err := l.ask(ctx, i, q)
		if l.totals[i] = max(pg.Total, 0); l.q.Offset == 0 {
			out[i] = &pg
		}
		return err
	})
	return out, err
}

// after is the cursor after a page that ended in a place.
func (l *listing) after(ctx context.Context, i int, next string, ahead []*adapters.Page) (string, error) {
	c := cursor{At: make([]at, len(l.places))}
	for j := range i {
		c.At[j].End = true
	}
	if c.At[i].Cursor = next; next != "" {
		return c.text(), nil
	}
	c.At[i].End = true
	for j := i + 1; j < len(l.places); j++ { // is there any more?
		pg := ahead[j]
		if pg == nil {
			got, err := l.ask(ctx, j, adapters.Query{Limit: 1})
			if err != nil {
				return "", err
			}
			pg = &got
		}
		if len(pg.Records) > 0 {
			return c.text(), nil
		}
	}
	return "", nil
}
