package order

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/gob"
	"slices"
	"sort"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// A Place is where a record stands in a list: its sort values and its key.
type Place struct {
	Values []Optional
	Key    adapters.Key
}

// An Optional is the value of a sort field, if the record has one.
type Optional struct {
	Has   bool
	Value filter.Value
}

// PlaceOf is the place of a record.
func PlaceOf(r adapters.Record, by []adapters.Sort) Place {
	p := Place{Key: r.Key}
	for _, s := range by {
		var value Optional
		r.Subject().Values(&filter.Compare{Name: s.Field, Match: s.Match}, func(v filter.Value) bool {
			value = Optional{true, v}
			return false
		})
		p.Values = append(p.Values, value)
	}
	return p
}

// Page answers a query of whose records found are the places, by key. It may put
// them into another order; read reads the record at a place.
func Page(q adapters.Query, found func() []Place, read func(adapters.Key) adapters.Record) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	after, err := parseCursor(q.Cursor, len(q.Sort))
	if err != nil {
		return page, err
	}
	all := found()
	if len(q.Sort) > 0 {
		slices.SortStableFunc(all, func(x, y Place) int { return x.compare(y, q.Sort) })
	}
	if q.Total {
		page.Total = len(all)
	}
	rest := all[start(all, after, q):]
	cut := min(max(q.Limit, 0), len(rest))
	for _, p := range rest[:cut] {
		page.Records = append(page.Records, read(p.Key))
	}
	if cut > 0 && cut < len(rest) {
		page.Next = rest[cut-1].cursor()
	}
	return page, nil
}

// compare orders places: by their sort values, then by key.
func (p Place) compare(o Place, by []adapters.Sort) int {
	return cmp.Or(Values(p, o, by), Keys(p.Key, o.Key))
}

// Values orders places by their sort values alone: absent last, or first when
// descending.
func Values(p, o Place, by []adapters.Sort) int {
	for i, s := range by {
		c := compareOptional(s.Match, p.Values[i], o.Values[i])
		if s.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func compareOptional(m filter.Match, a, b Optional) int {
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
func start(found []Place, after *Place, q adapters.Query) int {
	if after == nil {
		return min(max(q.Offset, 0), len(found))
	}
	return sort.Search(len(found), func(i int) bool { return found[i].compare(*after, q.Sort) > 0 })
}

// cursor is the place as text. It holds values, not a position, so that records
// that come and go before it do not move it.
func (p Place) cursor() string {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(p); err != nil {
		return "" // cannot be: a place holds only text and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// parseCursor reads what cursor wrote; nil for no cursor.
func parseCursor(text string, sorts int) (*Place, error) {
	if text == "" {
		return nil, nil
	}
	var p Place
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = gob.NewDecoder(bytes.NewReader(b)).Decode(&p)
	}
	if err != nil || len(p.Values) != sorts {
		return nil, adapters.Errorf(adapters.Invalid, "list", "the cursor is none of this list's")
	}
	return &p, nil
}
