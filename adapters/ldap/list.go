package ldap

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// Get implements adapters.Adapter.
func (a *Adapter) Get(ctx context.Context, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	var rec adapters.Record
	err := a.d.use(ctx, "get", func(s *session) (err error) {
		rec, err = a.get(s, key, want)
		return err
	})
	return rec, err
}

func (a *Adapter) get(s *session, key adapters.Key, want adapters.Fields) (adapters.Record, error) {
	e, err := a.find(s, key, a.attributes(want))
	if err != nil {
		return adapters.Record{}, err
	}
	recs, err := a.records(s, []*ldap.Entry{e}, want)
	if err != nil {
		return adapters.Record{}, err
	}
	return recs[0], nil
}

// records makes records of entries.
func (a *Adapter) records(s *session, entries []*ldap.Entry, want adapters.Fields) ([]adapters.Record, error) {
	recs := make([]adapters.Record, len(entries))
	for i, e := range entries {
		recs[i] = adapters.NewRecord(a.caps.Shape, a.target.keyOf(s.server, e))
		fill(s.server, e, a.fields, recs[i], want)
	}
	return recs, a.relate(s, entries, recs, want)
}

// List implements adapters.Adapter. The directory is asked for what may fit; what it
// answers is compared, put in order and cut here. No directory promises an order,
// or counts, so the keys of all that fits are read; the rest only of the page.
func (a *Adapter) List(ctx context.Context, q adapters.Query) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	if err := a.caps.Check(q); err != nil {
		return page, err
	}
	from, err := parsePlace(q.Cursor)
	if err != nil {
		return page, err
	}
	err = a.d.use(ctx, "list", func(s *session) (err error) {
		page, err = a.page(s, q, from, adapters.MayCache(ctx))
		return err
	})
	if err != nil {
		return adapters.Page{Total: -1}, err
	}
	return page, nil
}

// An item is an entry that fits: its key, what it is ordered by and, if everything
// was read at once, the entry.
type item struct {
	key   adapters.Key
	by    []filter.Value
	entry *ldap.Entry
}

func (a *Adapter) page(s *session, q adapters.Query, from place, mayCache bool) (adapters.Page, error) {
	page := adapters.Page{Total: -1}
	j, err := a.judge(s, q.Filter)
	if err != nil {
		return page, err
	}
	need := a.caps.Shape.FieldSet(append(j.names, sortNames(q.Sort)...)...)
	read, few := need, a.selective(s.server, j, q.Filter) || a.small(q)
	if few {
		read = need.Union(q.Want)
	}
	what, written := identity(q), a.d.written.Load()
	kept := a.kept.recall(from.List, what)
	guessed := kept == nil && q.Cursor == "" && q.Offset > 0 && !few && mayCache
	if guessed {
		kept = a.kept.goesOn(what, q.Offset, written)
	}
	var found []item
	if kept != nil {
		found, few, from.List = kept.items, false, kept.id
	} else if found, err = a.ordered(s, q, j, read, few); err != nil {
		return page, err
	} else {
		from.List = ""
	}
	if q.Total {
		page.Total = len(found)
	}
	items, next := cut(found, q, from)
	if next != nil {
		if next.List = from.List; next.List == "" {
			next.List = a.kept.keep(what, found, written)
		}
		page.Next = next.cursor()
		if q.Cursor == "" {
			a.kept.shows(next.List, q.Offset+len(items))
		}
	}
	entries := make([]*ldap.Entry, len(items))
	for i := range items {
		entries[i] = items[i].entry
	}
	if !few {
		if entries, err = a.fetch(s, items, q.Filter, j, need.Union(q.Want)); err != nil {
			return page, err
		}
		if guessed && kept != nil && len(entries) < len(items) { // the list is no longer what it was
			return a.page(s, q, place{}, false)
		}
	}
	page.Records, err = a.records(s, entries, q.Want)
	return page, err
}

// fewEntries is up to how many entries are read at once: more in one request than
// their keys first, and then those of the page.
const fewEntries = 500

// small reports a branch that had few entries when all were last read.
func (a *Adapter) small(q adapters.Query) bool {
	n := a.size.Load()
	return q.Limit > 0 && n > 0 && n <= fewEntries
}

func sortNames(by []adapters.Sort) []string {
	var out []string
	for _, s := range by {
		out = append(out, s.Field)
	}
	return out
}

// ordered reads all entries that fit, in order.
func (a *Adapter) ordered(s *session, q adapters.Query, j judge, read adapters.Fields, few bool) ([]item, error) {
	found, err := a.walk(s, q, j, read, few)
	if err != nil {
		return nil, err
	}
	if q.Filter == nil {
		a.size.Store(int64(len(found)) + 1)
	}
	if len(found) == 0 {
		if err := s.prove(); err != nil { // before it is believed
			return nil, err
		}
	}
	slices.SortFunc(found, func(x, y item) int { return order(q.Sort, x, y) })
	return found, nil
}

// walk reads all entries that fit.
func (a *Adapter) walk(s *session, q adapters.Query, j judge, read adapters.Fields, keep bool) ([]item, error) {
	if _, none := q.Filter.(filter.False); none {
		return nil, nil
	}
	var found []item
	condition := allOf(a.classes, a.condition(s.server, j, q.Filter))
	err := a.each(s, condition, read, j.whole, func(e *ldap.Entry, rec adapters.Record) error {
		if rec.Key == "" || !j.matches(q.Filter, rec) { // or it shows no key to this credential
			return nil
		}
		it := item{key: rec.Key}
		for _, by := range q.Sort {
			it.by = append(it.by, operand(by, rec))
		}
		if keep {
			it.entry = e
		}
		found = append(found, it)
		return nil
	})
	return found, err
}

// each reads entries as records, whole with their references.
func (a *Adapter) each(s *session, condition string, read adapters.Fields, whole bool, f func(*ldap.Entry, adapters.Record) error) error {
	var entries []*ldap.Entry
	err := s.search(&a.target.Entries, condition, a.attributes(read), func(e *ldap.Entry) error {
		if whole { // after the search: there is one at a time on a connection
			entries = append(entries, e)
			return nil
		}
		rec := adapters.NewRecord(a.caps.Shape, a.target.keyOf(s.server, e))
		fill(s.server, e, a.fields, rec, read)
		return f(e, rec)
	})
	if err != nil || !whole {
		return err
	}
	recs, err := a.records(s, entries, read)
	for i := range recs {
		if err == nil {
			err = f(entries[i], recs[i])
		}
	}
	return err
}

func operand(by adapters.Sort, rec adapters.Record) (v filter.Value) {
	rec.Subject().Values(&filter.Compare{Name: by.Field, Match: by.Match}, func(got filter.Value) bool {
		v = got
		return false
	})
	return v
}

// order is the order of a list: records without a value last when ascending, first
// when descending; and by key.
func order(by []adapters.Sort, x, y item) int {
	for i, s := range by {
		c := filter.CompareValues(s.Match, x.by[i], y.by[i])
		if s.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(x.key, y.key)
}

// fetch reads the entries of a page. What went away meanwhile, or fits no longer, is
// left out.
func (a *Adapter) fetch(s *session, items []item, e filter.Expr, j judge, want adapters.Fields) ([]*ldap.Entry, error) {
	byKey := make(map[adapters.Key]*ldap.Entry, len(items))
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = string(it.key)
	}
	take := func(entry *ldap.Entry) error {
		rec := adapters.NewRecord(a.caps.Shape, a.target.keyOf(s.server, entry))
		fill(s.server, entry, a.fields, rec, want)
		if j.whole || j.matches(e, rec) {
			byKey[rec.Key] = entry
		}
		return nil
	}
	attributes := a.attributes(want)
	err := chunks(keys, func(some []string) error {
		if a.target.Key == keyDN && s.dnAttribute == "" {
			return a.fetchDNs(s, some, attributes, take)
		}
		terms := make([]string, len(some))
		for i, k := range some {
			terms[i] = a.target.keyCondition(s.server, k)
		}
		return s.search(&a.target.Entries, allOf(a.classes, anyOf(terms...)), attributes, take)
	})
	if err != nil {
		return nil, err
	}
	out := make([]*ldap.Entry, 0, len(items))
	for _, it := range items {
		if entry := byKey[it.key]; entry != nil {
			out = append(out, entry)
		}
	}
	return out, nil
}

func (a *Adapter) fetchDNs(s *session, dns, attributes []string, take func(*ldap.Entry) error) error {
	for _, dn := range dns {
		e, err := s.base(dn, a.classes, attributes)
		if err == nil && e != nil {
			err = take(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A place is where a page begins: behind a key, or at an offset, of a list that may
// still be kept.
type place struct {
	List   string       `json:"l,omitempty"`
	Key    adapters.Key `json:"k,omitempty"`
	Offset int          `json:"o,omitempty"`
}

func (p place) cursor() string {
	b, err := json.Marshal(p)
	if err != nil { // it cannot be
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePlace(text string) (place, error) {
	var p place
	if text == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.DisallowUnknownFields()
		err = d.Decode(&p)
	}
	if err != nil || (p.Key == "") == (p.Offset == 0) || p.Offset < 0 {
		return p, adapters.Errorf(adapters.Invalid, "list", "the cursor is none of this list's")
	}
	return p, nil
}

// cut is the part of a list that a page shows, and the cursor of the next one.
func cut(found []item, q adapters.Query, from place) ([]item, *place) {
	start := min(max(q.Offset, 0), len(found))
	switch {
	case from.Offset > 0:
		start = min(from.Offset, len(found))
	case from.Key != "":
		start, _ = slices.BinarySearchFunc(found, from.Key, func(it item, k adapters.Key) int {
			if it.key <= k {
				return -1
			}
			return 1
		})
	}
	n := min(max(q.Limit, 0), len(found)-start)
	end := start + n
	switch {
	case n == 0 || end == len(found):
		return found[start:end], nil
	case len(q.Sort) > 0:
		return found[start:end], &place{Offset: end}
	}
	return found[start:end], &place{Key: found[end-1].key}
}
