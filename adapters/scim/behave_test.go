package scim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/scim"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

func fill(t *testing.T, a adapters.Adapter, n int) (last adapters.Record) {
	t.Helper()
	for i := range n {
		var err error
		r := adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"userName": fmt.Sprintf("u%03d", i), "nickName": "Nick"})
		if last, err = a.Create(t.Context(), r, adapters.AllFields); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func find(ctx context.Context, a adapters.Adapter, name, value string, m filter.Match) (int, error) {
	page, err := a.List(ctx, adapters.Query{Limit: 1000, Filter: &filter.Compare{Name: name, Op: filter.Eq, Value: filter.StringValue(value), Match: m}})
	return len(page.Records), err
}

// TestLists: a part of a list never passes for the whole (backends.md, dangers 4 and 5).
func TestLists(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		kind   adapters.Kind
		all    bool
	}{
		"pages clamped":              {&server{page: 7}, 0, true},
		"pages clamped, no totals":   {&server{page: 7, noTotal: true}, 0, true},
		"a total too high":           {&server{wrong: 3}, adapters.Unavailable, false},
		"startIndex ignored":         {&server{page: 7, noStart: true}, adapters.Internal, false},
		"HTML":                       {&server{broken: "<html>"}, adapters.Unavailable, false},
		"a cut answer":               {&server{broken: `{"totalResults":1,"Resources":[{"id`}, adapters.Unavailable, false},
		"an error that is a success": {&server{broken: `{"error":"no"}`}, adapters.Unavailable, false},
		"items that are no objects":  {&server{broken: `{"totalResults":1,"Resources":["x"]}`}, adapters.Unavailable, false},
	} {
		a := open(t, c.server)
		fill(t, a, 30)
		page, err := a.List(t.Context(), adapters.Query{Limit: 1000})
		if c.all && (err != nil || len(page.Records) != 30) || !c.all && !adapters.Is(err, c.kind) {
			t.Errorf("%s: %d records, %v", name, len(page.Records), err)
		}
	}
}

// TestFinds: what a filter finds is what it says, however the server takes it
// (backends.md, danger 2), and one that is understood is used.
func TestFinds(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		walks  bool
	}{
		"understood":                {&server{}, false},
		"ignored":                   {&server{ignores: true}, true},
		"not supported":             {&server{noFilter: true}, true},
		"nothing said":              {&server{silent: true}, true},
		"1.1":                       {&server{v11: true}, false},
		"not supported, 1.1":        {&server{v11: true, noFilter: true}, true},
		"case counts for nickName":  {&server{exact: true}, false},
		"pages clamped, no totals ": {&server{page: 5, noTotal: true}, false},
	} {
		a := open(t, c.server)
		fill(t, a, 20)
		if n, err := find(t.Context(), a, "userName", "u007", filter.Exact); n != 1 || err != nil {
			t.Errorf("%s: %d found, %v", name, n, err)
		}
		if n, err := find(t.Context(), a, "userName", "nobody", filter.Exact); n != 0 || err != nil {
			t.Errorf("%s: %d strangers found, %v", name, n, err)
		}
		if asked := c.server.said("filter="); (asked == 0) != (c.walks && !c.server.ignores) {
			t.Errorf("%s: %d filters", name, asked)
		}
		before := c.server.said("filter=")
		if n, err := find(t.Context(), a, "nickName", "NICK", filter.Folded); n != 20 || err != nil {
			t.Errorf("%s: %d found by nickName in other letters, %v", name, n, err)
		}
		if c.server.exact && c.server.said("filter=") != before {
			t.Errorf("%s: a filter was sent that would not find all", name)
		}
	}
}

// TestMembersAreDeltas: adding one member to a group reads none.
func TestMembersAreDeltas(t *testing.T) {
	s := &server{}
	a := open(t, s)
	r := fill(t, a, 1)
	s.calls = nil
	d := adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"7"}}}}
	if _, err := a.Update(t.Context(), r.Key, d, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.calls {
		if strings.HasPrefix(c, "GET") && !strings.Contains(c, "excludedAttributes=members") {
			t.Errorf("%v", s.calls)
		}
	}
	if s.said("PATCH") != 1 || s.said("PUT") != 0 {
		t.Errorf("%v", s.calls)
	}
}

// TestLostUpdate: somebody changes the resource between our reading and our writing.
func TestLostUpdate(t *testing.T) {
	for name, s := range map[string]*server{"PATCH": {etags: true}, "PUT": {etags: true, noPatch: true}} {
		a := open(t, s)
		r := fill(t, a, 1)
		s.between = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.things[0]["nickName"] = "of somebody else"
			s.touch(s.things[0])
		}
		d := adapters.Delta{Set: []adapters.Change{{Field: "nickName", Old: "Nick", New: "ours"}}}
		_, err := a.Update(t.Context(), r.Key, d, adapters.AllFields)
		if !adapters.Is(err, adapters.Conflict) || s.things[0]["nickName"] != "of somebody else" {
			t.Errorf("%s: %v, %v", name, err, s.things[0])
		}
	}
}

// TestPutKeeps: to replace a resource loses nothing that the mapping does not know.
func TestPutKeeps(t *testing.T) {
	s := &server{noPatch: true}
	a := open(t, s)
	r := fill(t, a, 1)
	s.things[0]["emails"] = []any{object{"type": "home", "value": "h@x"}, object{"type": "work", "value": "w@x", "display": "W"}}
	s.things[0]["title"] = "kept"
	const work = `emails[type eq "work"].value`
	d := adapters.Delta{Set: []adapters.Change{{Field: work, Old: "w@x", New: "new@x"}}}
	after, err := a.Update(t.Context(), r.Key, d, adapters.AllFields)
	if err != nil || after.Get(work) != "new@x" {
		t.Fatal(after.Values(), err)
	}
	if got := fmt.Sprint(s.things[0]["emails"], s.things[0]["title"]); got != "[map[type:home value:h@x] map[display:W type:work value:new@x]]kept" {
		t.Error(got)
	}
	d = adapters.Delta{Set: []adapters.Change{{Field: work, Old: "new@x"}}}
	if _, err := a.Update(t.Context(), r.Key, d, adapters.AllFields); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.things[0]["emails"]); got != "[map[type:home value:h@x]]" {
		t.Error(got)
	}
}

// TestDown: without an answer it is unavailable, and a write may have happened.
func TestDown(t *testing.T) {
	down := errors.New("no route")
	a := open(t, &server{}, func(c *scim.Config) {
		send := c.Send
		c.Send = func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return send(r)
			}
			return nil, down
		}
	})
	_, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"userName": "x"}), adapters.Fields{})
	var e *adapters.Error
	if !errors.As(err, &e) || e.Kind != adapters.Unavailable || !e.Unsure || !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
}

// TestMistakes: what is no attribute path is found without a server.
func TestMistakes(t *testing.T) {
	b, err := scim.Open(scim.Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[string]string{"a b": "no attribute path", `emails[type sw "w"].value`: "chosen by eq", "emails[": "no attribute path"} {
		_, problems := b.New(scim.Target{Endpoint: "/X", Fields: []steps.Text{{Value: f, Line: 1}}})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v", f, problems)
		}
	}
	for _, u := range []string{"", "x", "ftp://x"} {
		if _, err := scim.Open(scim.Config{URL: u}); err == nil {
			t.Errorf("%q was taken", u)
		}
	}
}
