package scim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/scim"
	"github.com/postern/postern/scim/filter"
)

// people puts resources with the ids into the server.
func (s *server) people(ids ...string) {
	for _, id := range ids {
		s.things = append(s.things, object{"id": id, "userName": "name of " + id, "members": []any{object{"value": "m of " + id}}})
	}
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("id-%03d", i)
	}
	return out
}

// A tally is how a server was asked: by filters, for one resource, for the list.
type tally struct{ filters, ones, lists int }

func tallied(calls []string) (t tally) {
	for _, c := range calls {
		switch {
		case strings.Contains(c, "filter="):
			t.filters++
		case strings.HasPrefix(c, "/base/Things/"):
			t.ones++
		case strings.HasPrefix(c, "/base/Things?"):
			t.lists++
		}
	}
	return t
}

// A sent is what was sent. The server may hear of a call that was broken off when
// its answer is waited for no longer.
type sent struct {
	mu    sync.Mutex
	calls []string
}

func (l *sent) watch(cfg *scim.Config) {
	send := cfg.Send
	cfg.Send = func(r *http.Request) (*http.Response, error) {
		l.mu.Lock()
		l.calls = append(l.calls, r.URL.RequestURI())
		l.mu.Unlock()
		return send(r)
	}
}

// taken are the calls since the last time.
func (l *sent) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls = nil
	return calls
}

// named are the userNames of the records with some keys.
func named(ctx context.Context, a adapters.Adapter, want adapters.Fields, ids []string) ([]string, error) {
	terms := make([]filter.Expr, len(ids))
	for i, id := range ids {
		terms[i] = &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(id)}
	}
	page, err := a.List(ctx, adapters.Query{Filter: filter.OrOf(terms...), Limit: 1000, Want: want})
	var out []string
	for _, r := range page.Records {
		if want.Has(a.Capabilities().Shape.Index("members")) && fmt.Sprint(r.Get("members")) != "[m of "+string(r.Key)+"]" {
			return nil, fmt.Errorf("%s lacks members: %v", r.Key, r.Get("members"))
		}
		out = append(out, string(r.Key)+": "+adapters.Text(r.Get("userName")))
	}
	return out, err
}

func expected(ids []string) []string {
	var out []string
	for _, id := range ids {
		out = append(out, id+": name of "+id)
	}
	return out
}

// TestMany covers row 25: resources with many ids come in few exchanges where the server
// filters, and whatever it makes of such a filter, nobody is missing, a stranger, or
// there twice. What it cannot do it is not asked for again.
func TestMany(t *testing.T) {
	here := numbered(90)
	gone := []string{"gone-1", "gone-2", "gone-3"}
	for name, c := range map[string]struct {
		server      *server
		ask         []string
		found       int
		all         bool  // members are wanted, too
		once, again tally // none: not counted
	}{
		"understood":                    {server: &server{}, ask: here[:30], once: tally{2, 0, 0}, again: tally{2, 0, 0}},
		"1.1":                           {server: &server{v11: true}, ask: here[:30], once: tally{2, 0, 0}, again: tally{2, 0, 0}},
		"one":                           {server: &server{}, ask: here[:1], once: tally{0, 1, 0}, again: tally{0, 1, 0}},
		"one that remains":              {server: &server{}, ask: here[:26], once: tally{1, 1, 0}, again: tally{1, 1, 0}},
		"many":                          {server: &server{}, ask: here[:80], once: tally{4, 0, 0}, again: tally{4, 0, 0}},
		"some are gone":                 {server: &server{}, ask: slices.Concat(here[:20], gone), found: 20, once: tally{1, 3, 0}, again: tally{1, 3, 0}},
		"all are gone":                  {server: &server{}, ask: gone, found: -1, once: tally{1, 3, 0}, again: tally{1, 3, 0}},
		"many are gone":                 {server: &server{}, ask: slices.Concat(here[:40], numbered(150)[90:]), found: 40, once: tally{4, 0, 2}, again: tally{4, 0, 2}},
		"members are wanted":            {server: &server{}, ask: here[:30], all: true, once: tally{0, 30, 0}, again: tally{0, 30, 0}},
		"ten at a time":                 {server: &server{most: 10}, ask: here[:30], once: tally{3, 0, 0}, again: tally{3, 0, 0}},
		"one at a time":                 {server: &server{most: 1}, ask: here[:30], once: tally{0, 30, 0}, again: tally{0, 30, 0}},
		"short pages":                   {server: &server{page: 7}, ask: here[:25], once: tally{4, 0, 0}, again: tally{4, 0, 0}},
		"short pages, no totals":        {server: &server{page: 7, noTotal: true}, ask: here[:25], once: tally{5, 0, 0}, again: tally{5, 0, 0}},
		"only a first page":             {server: &server{page: 7, noStart: true}, ask: here[:25], once: tally{2, 25, 0}, again: tally{0, 25, 0}},
		"a total too high":              {server: &server{wrong: 2}, ask: here[:25], once: tally{4, 25, 0}, again: tally{0, 25, 0}},
		"no filters":                    {server: &server{noFilter: true}, ask: here[:30], once: tally{0, 30, 0}, again: tally{0, 30, 0}},
		"nothing said":                  {server: &server{silent: true}, ask: here[:30], once: tally{0, 30, 0}, again: tally{0, 30, 0}},
		"ignored":                       {server: &server{ignores: true}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"a stranger":                    {server: &server{orMore: true}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"the first term alone":          {server: &server{orFirst: true}, ask: here[:25], once: tally{1, 24, 0}, again: tally{0, 25, 0}},
		"the first term, many":          {server: &server{orFirst: true}, ask: here[:90], once: tally{4, 0, 2}, again: tally{0, 0, 2}},
		"nobody":                        {server: &server{orNone: true}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"refused":                       {server: &server{noOr: 400, noWord: "invalidFilter"}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"refused, 1.1":                  {server: &server{noOr: 400, v11: true}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"forbidden":                     {server: &server{noOr: 403}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"not found":                     {server: &server{noOr: 404}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"not there":                     {server: &server{noOr: 501}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"it fails":                      {server: &server{noOr: 500}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"it takes too long":             {server: &server{noOr: 504}, ask: here[:25], once: tally{1, 25, 0}, again: tally{0, 25, 0}},
		"more than it reads one by one": {server: &server{noOr: 400}, ask: here[:90], again: tally{0, 0, 2}},
		"too many":                      {server: &server{full: 10}, ask: here[:25], again: tally{4, 1, 0}},
		"too long":                      {server: &server{short: 500}, ask: here[:25], once: tally{3, 1, 0}, again: tally{2, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := c.server, &sent{}
			a := open(t, s, l.watch)
			s.people(here...)
			fields := a.Capabilities().Shape.FieldSet("userName")
			if c.all {
				fields = adapters.AllFields
			}
			found := c.ask
			if c.found != 0 {
				found = c.ask[:max(c.found, 0)]
			}
			for i, want := range []tally{c.once, c.again} {
				got, err := named(t.Context(), a, fields, c.ask)
				calls := l.taken()
				if err != nil || !slices.Equal(got, expected(found)) {
					t.Fatalf("%v, %v", got, err)
				}
				for _, call := range calls {
					if !s.v11 && strings.Contains(call, "filter=") && !strings.Contains(call, "excludedAttributes=members&") {
						t.Errorf("time %d: members were asked for: %s", i+1, call)
					}
				}
				if n := tallied(calls); n != want && want != (tally{}) {
					t.Errorf("time %d: %+v, want %+v", i+1, n, want)
				}
			}
		})
	}
}

// TestManyOtherLetters: a server that takes ids for the same whatever their letters are
// finds nobody under an id that was not asked for, and is asked again.
func TestManyOtherLetters(t *testing.T) {
	s, l := &server{}, &sent{}
	a := open(t, s, l.watch)
	s.people("a", "b")
	for range 2 {
		got, err := named(t.Context(), a, adapters.Fields{}, []string{"A", "a", "B"})
		if err != nil || !slices.Equal(got, expected([]string{"a"})) {
			t.Errorf("%v, %v", got, err)
		}
		if n := tallied(l.taken()); n != (tally{1, 2, 0}) {
			t.Errorf("%+v", n)
		}
	}
}

// TestManyCountsWhatWasAsked: an answer under other ids does not make up for those that
// it leaves out.
func TestManyCountsWhatWasAsked(t *testing.T) {
	s, l := &server{orFirst: true}, &sent{}
	a := open(t, s, l.watch)
	s.people("a", "c")
	for _, want := range []tally{{1, 2, 0}, {0, 2, 0}} {
		got, err := named(t.Context(), a, adapters.Fields{}, []string{"A", "c"})
		if err != nil || !slices.Equal(got, expected([]string{"c"})) {
			t.Errorf("%v, %v", got, err)
		}
		if n := tallied(l.taken()); n != want {
			t.Errorf("%+v, want %+v", n, want)
		}
	}
}

// TestManyAgain: what a server could not do it is asked for again later, and what passes,
// as 503 does, is no inability.
func TestManyAgain(t *testing.T) {
	s := &server{noOr: 500}
	ids := numbered(25)
	s.people(ids...)
	l := &sent{}
	b, a := opened(t, s, l.watch)
	now := time.Unix(1_000_000, 0)
	b.Clock(func() time.Time { return now })
	for _, step := range []struct {
		after  time.Duration
		status int
		calls  tally
		kind   adapters.Kind
	}{
		{0, 500, tally{1, 25, 0}, 0},
		{10 * time.Minute, 0, tally{0, 25, 0}, 0},
		{10 * time.Minute, 0, tally{1, 0, 0}, 0},
		{0, 503, tally{1, 0, 0}, adapters.Unavailable},
		{0, 429, tally{1, 0, 0}, adapters.Unavailable},
		{0, 0, tally{1, 0, 0}, 0},
	} {
		now = now.Add(step.after)
		s.noOr = step.status
		got, err := named(t.Context(), a, adapters.Fields{}, ids)
		calls := tallied(l.taken())
		switch {
		case step.kind != 0 && !adapters.Is(err, step.kind), step.kind == 0 && (err != nil || len(got) != 25):
			t.Errorf("%+v: %d, %v", step, len(got), err)
		case calls != step.calls:
			t.Errorf("%+v: %+v", step, calls)
		}
	}
}

// TestManyLong: URLs stay short, however long the ids are.
func TestManyLong(t *testing.T) {
	s, l := &server{}, &sent{}
	a := open(t, s, l.watch)
	ids := numbered(24)
	for i := range ids {
		ids[i] += strings.Repeat(`"ä`, 30)
	}
	ids = append(ids, "y"+strings.Repeat("z", 1000), "z"+strings.Repeat("z", 1000))
	s.people(ids...)
	got, err := named(t.Context(), a, adapters.Fields{}, ids)
	if err != nil || !slices.Equal(got, expected(ids)) {
		t.Fatalf("%v, %v", got, err)
	}
	calls := l.taken()
	for _, c := range calls {
		if len(c) > 2000 {
			t.Errorf("%d bytes: %s", len(c), c)
		}
	}
	if n := tallied(calls); n.filters < 8 || n.ones != 2 {
		t.Errorf("%+v", n)
	}
}

// TestManyWithoutAnswer: a filter that gets no answer is not sent again, so that a server
// that works too long on it is of use; but who went away says nothing of the server.
func TestManyWithoutAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		lost  error
		found int
		again tally
	}{
		"no answer in time": {context.DeadlineExceeded, 25, tally{0, 25, 0}},
		"cut off":           {errors.New("connection reset"), 25, tally{0, 25, 0}},
		"who asks is gone":  {context.Canceled, 0, tally{1, 0, 0}},
	} {
		s, l := &server{}, &sent{}
		lose := true
		a := open(t, s, l.watch, func(cfg *scim.Config) {
			send := cfg.Send
			cfg.Send = func(r *http.Request) (*http.Response, error) {
				if lose && r.FormValue("filter") != "" {
					return nil, c.lost
				}
				return send(r)
			}
		})
		ids := numbered(25)
		s.people(ids...)
		got, err := named(t.Context(), a, adapters.Fields{}, ids)
		if len(got) != c.found || (err != nil) != (c.found == 0) {
			t.Errorf("%s: %d, %v", name, len(got), err)
		}
		lose = false
		l.taken()
		got, err = named(t.Context(), a, adapters.Fields{}, ids)
		if n := tallied(l.taken()); err != nil || len(got) != 25 || n != c.again {
			t.Errorf("%s: afterwards %d, %v, %+v", name, len(got), err, n)
		}
	}
}

// TestManyTold: a filter for many that is switched off is not sent.
func TestManyTold(t *testing.T) {
	s, l := &server{}, &sent{}
	a := open(t, s, l.watch, func(c *scim.Config) { c.NoFind = true })
	ids := numbered(9)
	s.people(ids...)
	got, err := named(t.Context(), a, adapters.Fields{}, ids)
	if n := tallied(l.taken()); err != nil || len(got) != 9 || n != (tally{0, 9, 0}) {
		t.Errorf("%v, %v, %+v", got, err, n)
	}
}
