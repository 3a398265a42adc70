package memory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/gob"
	"slices"
	"sort"
	"strconv"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// List implements adapters.Adapter.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	if err := alive(ctx, "list"); err != nil {
		return page, err
	}
	if err := a.caps.Check(q); err != nil {
		return page, err
	}
	after, err := parseCursor(q.Cursor, len(q.Sort))
	if err != nil {
		return page, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	found := a.matching(q)
	if q.Total {
		page.Total = len(found)
	}
	rest := found[start(found, after, q):]
	cut := min(max(q.Limit, 0), len(rest))
	for _, p := range rest[:cut] {
		page.Records = append(page.Records, a.read(p.Key, q.Want))
	}
	if cut > 0 && cut < len(rest) {
		page.Next = rest[cut-1].cursor()
	}
	return page, nil
}

// A place is where a record stands in a list: its sort values and its key.
type place struct {
	Values []optional
	Key    adapters.Key
}

// An optional is the value of a sort field, if the record has one.
type optional struct {
	Has   bool
	Value filter.Value
}

// matching lists the places of all records that the filter is true of, in order.
func (a *Adapter) matching(q adapters.Query) []place {
	named := a.relationsIn(q.Filter)
	var found []place
	for _, key := range a.order {
		r := a.records[key]
		for i, name := range named {
			if i == 0 {
				r = r.Clone()
			}
			at := a.caps.Shape.Index(name)
			r.SetAt(at, a.ends[at].of(key))
		}
		if q.Filter == nil || filter.Matches(q.Filter, r.Subject()) {
			found = append(found, placeOf(r, q.Sort))
		}
	}
	if len(q.Sort) > 0 {
		slices.SortStableFunc(found, func(x, y place) int { return x.compare(y, q.Sort) })
	}
	return found
}

// relationsIn lists the fields that a filter names and relations keep.
func (a *Adapter) relationsIn(e filter.Expr) []string {
	var names []string
	switch e := e.(type) {
	case filter.And:
		for _, t := range e {
			names = append(names, a.relationsIn(t)...)
		}
	case filter.Or:
		for _, t := range e {
			names = append(names, a.relationsIn(t)...)
		}
	case filter.Not:
		return a.relationsIn(e.Term)
	case *filter.Compare:
		if i := a.caps.Shape.Index(e.Name); i >= 0 && a.ends[i] != nil {
			names = append(names, e.Name)
		}
	}
	return names
}

func placeOf(r adapters.Record, by []adapters.Sort) place {
	p := place{Key: r.Key}
	for _, s := range by {
		var value optional
		r.Subject().Values(&filter.Compare{Name: s.Field, Match: s.Match}, func(v filter.Value) bool {
			value = optional{true, v}
			return false
		})
		p.Values = append(p.Values, value)
	}
	return p
}

// compare orders places: absent last, or first when descending; then by key.
func (p place) compare(o place, by []adapters.Sort) int {
	for i, s := range by {
		c := compareOptional(s.Match, p.Values[i], o.Values[i])
		if s.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return compareKeys(p.Key, o.Key)
}

func compareOptional(m filter.Match, a, b optional) int {
	switch {
	case a.Has && b.Has:
		return filter.CompareValues(m, a.Value, b.Value)
	case a.Has:
		return -1
	case b.Has:
		return 1
	}
	return 0
}

// start is the index in found at which the page begins.
func start(found []place, after *place, q adapters.Query) int {
	if after == nil {
		return min(max(q.Offset, 0), len(found))
	}
	return sort.Search(len(found), func(i int) bool { return found[i].compare(*after, q.Sort) > 0 })
}

// cursor is the place as text. It holds values, not a position, so that records
// that come and go before it do not move it.
func (p place) cursor() string {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(p); err != nil {
		return "" // cannot be: a place holds only text and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// parseCursor reads what cursor wrote; nil for no cursor.
func parseCursor(text string, sorts int) (*place, error) {
	if text == "" {
		return nil, nil
	}
	var p place
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(b)).Decode(&p)
	}
	if err != nil || len(p.Values) != sorts {
		return nil, adapters.Errorf(adapters.Invalid, "list", "the cursor is none of this list's")
	}
	return &p, nil
}

// compareKeys is the order "by key": decimal numbers by value, before all other
// keys by text.
func compareKeys(a, b adapters.Key) int {
	na, aNumber := number(a)
	nb, bNumber := number(b)
	switch {
	case aNumber && bNumber:
		return cmp.Compare(na, nb)
	case aNumber:
		return -1
	case bNumber:
		return 1
	}
	return cmp.Compare(a, b)
}

// number is the key as a number, if it is written as one writes numbers.
func number(k adapters.Key) (int64, bool) {
	n, err := strconv.ParseInt(string(k), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(k)
}
