package provision

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim/filter"
)

// Records that a merge made secondary, and those of identities that a client is
// not to see yet, must stay out of lists, while totals and offsets count what is
// left. Few are left out by the backend, by their keys. Many are left out here: a
// page is read from where an earlier one ended, or from the beginning if that is
// near, and what is hidden is dropped until the page is full.

// A veil is what a client must not see in a list.
type veil struct {
	merged *mergedSet
	held   []adapters.Key
}

// A mergedSet is the records that merges made secondary.
type mergedSet struct {
	version int64
	keys    []adapters.Key
	has     map[adapters.Key]bool
}

func (v veil) len() int { return len(v.merged.keys) + len(v.held) }

func (v veil) hides(k adapters.Key) bool {
	for _, h := range v.held {
		if h == k {
			return true
		}
	}
	return v.merged.has[k]
}

// these is true of what is hidden.
func (v veil) these() filter.Expr {
	return oneOf(append(v.held[:len(v.held):len(v.held)], v.merged.keys...))
}

// drop leaves out of records what is hidden.
func (v veil) drop(recs []adapters.Record) []adapters.Record {
	out := recs[:0]
	for _, r := range recs {
		if !v.hides(r.Key) {
			out = append(out, r)
		}
	}
	return out
}

// name tells one veil from another.
func (v veil) name() string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(v.merged.version, 10))
	for _, k := range v.held {
		b.WriteString("\x00" + string(k))
	}
	return b.String()
}

// veil is what must stay out of this client's lists. The set of merged records is
// read again when it has changed.
func (s *Service) veil(ctx context.Context, c Call, t *target) (veil, error) {
	found, err := s.ids.Veil(ctx, c.Caller.domain(), t.name, t.Backend)
	if err != nil {
		return veil{}, err
	}
	v := veil{}
	for _, k := range found.Held {
		v.held = append(v.held, adapters.Key(k))
	}
	if v.merged, err = s.mergedSet(ctx, c, t, found); err != nil {
		return veil{}, err
	}
	t.hides.Store(v.len() > 0)
	return v, nil
}

func (s *Service) mergedSet(ctx context.Context, c Call, t *target, found identity.Veil) (*mergedSet, error) {
	t.reading.Lock() // of those who come at once, one reads
	defer t.reading.Unlock()
	if kept, ok := t.merged.Load(c.Caller.Tenant); ok && kept.(*mergedSet).version == found.Version {
		return kept.(*mergedSet), nil
	}
	keys, version, err := s.ids.Merged(ctx, c.Caller.Tenant, t.name, t.Backend)
	if err != nil {
		return nil, err
	}
	m := &mergedSet{version: version, keys: make([]adapters.Key, len(keys)), has: make(map[adapters.Key]bool, len(keys))}
	for i, k := range keys {
		m.keys[i], m.has[adapters.Key(k)] = adapters.Key(k), true
	}
	t.merged.Store(c.Caller.Tenant, m)
	return m, nil
}

// manyHidden is from how many records on what is hidden is left out here.
const manyHidden = 200

// nearby is how many records it is faster to read over than to let the backend
// leave out what is hidden.
const nearby = 5000

// listWithout lists a page without what is hidden.
func (t *target) listWithout(ctx context.Context, query adapters.Query, v veil) (adapters.Page, error) {
	if v.len() == 0 {
		return t.Adapter.List(ctx, query)
	}
	if v.len() < manyHidden {
		query.Filter = conjoin(query.Filter, filter.Not{Term: v.these()})
		return t.Adapter.List(ctx, query)
	}
	list := t.places.of(t, query, v)
	total, err := t.totalWithout(ctx, query.Filter, v, list)
	if err != nil {
		return adapters.Page{}, err
	}
	var pg adapters.Page
	if at, from := list.before(query.Offset); query.Limit > 0 && query.Offset-at > nearby {
		far := query
		far.Total, far.Filter = false, conjoin(query.Filter, filter.Not{Term: v.these()})
		pg, err = t.Adapter.List(ctx, far)
	} else if query.Limit > 0 && query.Offset < total {
		pg, err = t.walkWithout(ctx, query, v, at, from, list)
	}
	// Not all is read in the same moment: a page is never more than there is.
	pg.Total = max(total, len(pg.Records))
	return pg, err
}

// walkWithout reads from a place on, where so many records that are shown lie
// before, and notes where the page ended.
func (t *target) walkWithout(ctx context.Context, query adapters.Query, v veil, at int, from string, list *places) (adapters.Page, error) {
	var out adapters.Page
	q := query
	q.Total, q.Offset = false, 0
	end := query.Offset + query.Limit
	for more := true; more && at < end; more = from != "" {
		q.Want, q.Limit = adapters.Fields{}, min(scanChunk, query.Offset-at)
		if at >= query.Offset {
			q.Want, q.Limit = query.Want, end-at
		}
		pg, next, err := t.step(ctx, t.Adapter, from, q)
		if err != nil {
			return out, err
		}
		shown := v.drop(pg.Records)
		if at >= query.Offset {
			out.Records = append(out.Records, shown...)
		}
		at, from = at+len(shown), next
	}
	if at == end && from != "" {
		list.note(at, from)
	}
	return out, nil
}

// totalWithout counts what a filter finds without what is hidden. How many of the
// hidden ones it finds is remembered for a moment.
func (t *target) totalWithout(ctx context.Context, pushed filter.Expr, v veil, list *places) (int, error) {
	all, err := t.Adapter.List(ctx, adapters.Query{Filter: pushed, Total: true})
	if err != nil {
		return 0, err
	}
	among, err := list.among(func() (int, error) {
		pg, err := t.Adapter.List(ctx, adapters.Query{Filter: conjoin(pushed, v.these()), Total: true})
		return pg.Total, err
	})
	return max(all.Total-among, 0), err
}

// A shelf remembers, for a short time and until something is written, where the
// pages of lists ended.
type shelf struct {
	mu    sync.Mutex
	lists map[string]*places
}

// mostLists and mostPlaces bound what is remembered.
const (
	mostLists  = 100
	mostPlaces = 1000
)

// places are where the pages of one list ended, by how many records that are shown
// lie before, and how many of the hidden ones it has.
type places struct {
	mu     sync.Mutex
	writes uint64
	until  time.Time
	ends   map[int]string

	counting  sync.Mutex
	hidden    int // -1: not counted
	remembers bool
	time      time.Duration
}

// fresh reports whether the places still are where they were.
func (l *places) fresh(writes uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes == writes && time.Now().Before(l.until)
}

func (s *shelf) of(t *target, query adapters.Query, v veil) *places {
	name := v.name() + "\x00" + filter.Print(query.Filter)
	for _, by := range query.Sort {
		name += "\x00" + by.Field + by.Match.String() + strconv.FormatBool(by.Descending)
	}
	writes := t.recall.mark()
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lists[name]; l != nil && l.fresh(writes) {
		return l
	}
	if s.lists == nil || len(s.lists) >= mostLists {
		s.lists = map[string]*places{}
	}
	l := &places{writes: writes, until: time.Now().Add(max(t.recall.time, 0)), ends: map[int]string{}, hidden: -1, time: t.recall.time, remembers: t.recall.time > 0}
	s.lists[name] = l
	return l
}

// before is the nearest place before an offset.
func (l *places) before(offset int) (at int, from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, end := range l.ends {
		if n <= offset && n > at {
			at, from = n, end
		}
	}
	return at, from
}

func (l *places) note(at int, from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ends) >= mostPlaces {
		clear(l.ends)
	}
	l.ends[at] = from
}

// among is how many of what is hidden the list has. One counts, the others wait;
// what took long is remembered for longer.
func (l *places) among(count func() (int, error)) (int, error) {
	l.counting.Lock()
	defer l.counting.Unlock()
	if l.hidden >= 0 {
		return l.hidden, nil
	}
	begun := time.Now()
	n, err := count()
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if took := time.Since(begun); l.remembers {
		l.hidden, l.until = n, time.Now().Add(max(l.time, min(20*took, time.Minute)))
	}
	return n, nil
}
