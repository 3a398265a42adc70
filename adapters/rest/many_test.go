package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/scim/filter"
)

// A bulky is an application that gives many users in one answer; details of one, and
// of many, but not in its list.
type bulky struct {
	mu    sync.Mutex
	users int             // 1 to users, but for gone
	gone  map[string]bool // ids that are not there
	calls map[string]int
	most  int  // ids that an answer holds at most; 0: all
	whole bool // all must be there
}

func (b *bulky) called(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[what]++
}

func (b *bulky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ids, given := r.URL.Query()["ids"]
	switch {
	case r.URL.Path == "/rpc":
		b.called("many")
		var calls []struct {
			ID     int
			Params []any
		}
		_ = json.NewDecoder(r.Body).Decode(&calls)
		out := []any{}
		for _, c := range slices.Backward(calls) {
			id := fmt.Sprint(c.Params[0])
			if n, err := strconv.Atoi(id); err != nil || n < 1 || n > b.users || b.gone[id] {
				out = append(out, map[string]any{"id": c.ID, "error": map[string]any{"code": 404}})
				continue
			}
			out = append(out, map[string]any{"id": c.ID, "result": detailed(id)})
		}
		reply(w, 200, out)
	case r.URL.Path == "/search":
		in := readBody(r)
		b.called("many")
		list, _ := in["ids"].([]any)
		b.answer(w, list)
	case strings.HasPrefix(r.URL.Path, "/users/"):
		b.called("one")
		id := strings.TrimPrefix(r.URL.Path, "/users/")
		if n, err := strconv.Atoi(id); err != nil || n < 1 || n > b.users || b.gone[id] {
			w.WriteHeader(404)
			return
		}
		reply(w, 200, detailed(id))
	case given:
		b.called("many")
		var list []any
		for _, id := range strings.Split(ids[0], ",") {
			list = append(list, id)
		}
		b.answer(w, list)
	default:
		b.called("list")
		out := []any{}
		for i := 1; i <= b.users; i++ {
			if !b.gone[strconv.Itoa(i)] {
				out = append(out, map[string]any{"id": i, "name": fmt.Sprint("user ", i)})
			}
		}
		reply(w, 200, map[string]any{"users": out})
	}
}

func (b *bulky) answer(w http.ResponseWriter, ids []any) {
	out := []any{}
	for _, id := range slices.Backward(ids) {
		n, err := strconv.Atoi(fmt.Sprint(id))
		missing := err != nil || n < 1 || n > b.users || b.gone[fmt.Sprint(id)]
		if missing && b.whole {
			w.WriteHeader(404)
			return
		}
		if !missing && (b.most == 0 || len(out) < b.most) {
			out = append(out, detailed(fmt.Sprint(id)))
		}
	}
	reply(w, 200, map[string]any{"users": out})
}

func detailed(id string) map[string]any {
	return map[string]any{"id": id, "name": "user " + id, "note": "note " + id}
}

func (b *bulky) open(t *testing.T, change ...func(*rest.Target)) adapters.Adapter {
	b.calls = map[string]int{}
	target := rest.Target{Fields: []string{"name", "note"}, Key: []string{"id"},
		List: step("get", "/users", records("body.users"), lacks("note")),
		Get:  step("get", "/users/{key}", record("body")),
		Many: step("get", "/users", query("ids", `join(keys, ",")`), records("body.users"), size(10), failing("status == 404", "notFound", "")),
	}
	for _, c := range change {
		c(&target)
	}
	return open(t, rest.Config{URL: (&legacy{calls: map[string]int{}}).serve(t, b.ServeHTTP)}, target)
}

// oneOf is true of the records with these keys.
func oneOf(keys ...string) filter.Expr {
	var terms []filter.Expr
	for _, k := range keys {
		terms = append(terms, &filter.Compare{Name: adapters.KeyField, Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(k)})
	}
	return filter.OrOf(terms...)
}

func upTo(n int) []string {
	var out []string
	for i := 1; i <= n; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// TestMany covers row 25: the details of a page and records by their keys come in
// few calls, as many in each as the configuration says.
func TestMany(t *testing.T) {
	note := func(a adapters.Adapter) adapters.Fields { return a.Capabilities().Shape.FieldSet("note") }
	posted := func(x *rest.Target) {
		x.Many = step("post", "/search", send("{ids: map(keys, int(#))}"), records("body.users"), size(25))
	}
	batch := func(x *rest.Target) {
		x.Many = step("post", "/rpc", send(`map(keys, ({jsonrpc: "2.0", id: #index, method: "user.get", params: [#]}))`),
			records("map(filter(body, .error == nil), .result)"), size(25), failing("any(body, .error != nil && .error.code != 404)", "unavailable", ""))
	}
	for _, c := range []struct {
		what   string
		b      *bulky
		change func(*rest.Target)
		query  adapters.Query
		found  int
		calls  map[string]int
	}{
		{"the details of a page", &bulky{users: 95}, nil, adapters.Query{Limit: 30}, 30, map[string]int{"list": 1, "many": 3}},
		{"the same by POST, in chunks of 25", &bulky{users: 95}, posted, adapters.Query{Limit: 30}, 30, map[string]int{"list": 1, "many": 2}},
		{"a batch of JSON-RPC", &bulky{users: 95}, batch, adapters.Query{Limit: 60}, 60, map[string]int{"list": 1, "many": 3}},
		{"a batch with one that is not there", &bulky{users: 9, gone: map[string]bool{"3": true}}, batch, adapters.Query{Filter: oneOf("3", "4"), Limit: 9}, 1,
			map[string]int{"many": 2}},
		{"one detail", &bulky{users: 95}, nil, adapters.Query{Limit: 1}, 1, map[string]int{"list": 1, "one": 1}},
		{"the same without get", &bulky{users: 95}, func(x *rest.Target) { x.Get = nil }, adapters.Query{Limit: 1}, 1, map[string]int{"list": 1, "many": 1}},
		{"records by keys", &bulky{users: 95}, nil, adapters.Query{Filter: oneOf(upTo(95)...), Limit: 95}, 95, map[string]int{"many": 10}},
		{"keys that are not there, once more", &bulky{users: 9, gone: map[string]bool{"3": true}}, nil, adapters.Query{Filter: oneOf("3", "4", "x", "4"), Limit: 9}, 1, map[string]int{"many": 2}},
		{"none is there", &bulky{users: 1}, nil, adapters.Query{Filter: oneOf("3", "4"), Limit: 9}, 0, map[string]int{"many": 1}},
		{"an answer that is cut is no answer about the rest", &bulky{users: 95, most: 4}, nil, adapters.Query{Filter: oneOf(upTo(10)...), Limit: 10}, 10, map[string]int{"many": 3}},
		{"one that is not there spoils the answer", &bulky{users: 8, gone: map[string]bool{"5": true}, whole: true}, nil,
			adapters.Query{Filter: oneOf(upTo(8)...), Limit: 8}, 7, map[string]int{"many": 7}},
		{"more keys than look-ups are worth", &bulky{users: 95}, func(x *rest.Target) { x.Many = nil }, adapters.Query{Filter: oneOf(upTo(51)...), Limit: 60}, 51,
			map[string]int{"list": 1, "one": 51}},
		{"what it lacks, too, is read one by one", &bulky{users: 95}, func(x *rest.Target) { lacks("note")(&x.Many[0]) }, adapters.Query{Filter: oneOf("1", "2"), Limit: 2}, 2,
			map[string]int{"many": 1, "one": 2}},
		{"an answer that holds others", &bulky{users: 95}, func(x *rest.Target) { x.Many[0].Query = pairs("id", "keys"); lacks("note")(&x.Many[0]) },
			adapters.Query{Filter: oneOf("1", "2"), Limit: 9}, 2, map[string]int{"list": 1, "one": 2}},
	} {
		t.Run(c.what, func(t *testing.T) {
			a := c.b.open(t, func(x *rest.Target) {
				if c.change != nil {
					c.change(x)
				}
			})
			c.query.Want = note(a)
			page, err := a.List(t.Context(), c.query)
			if err != nil || len(page.Records) != c.found {
				t.Fatalf("%d records, want %d; %v", len(page.Records), c.found, err)
			}
			for _, r := range page.Records {
				if r.Get("note") != "note "+string(r.Key) {
					t.Errorf("%s has %v", r.Key, r.Get("note"))
				}
			}
			if !maps.Equal(c.b.calls, c.calls) {
				t.Errorf("%v calls, want %v", c.b.calls, c.calls)
			}
		})
	}
}

// TestManyIsNotBelieved: a backend that does not know the parameter answers with all
// it has, and an answer that fails is no answer.
func TestManyIsNotBelieved(t *testing.T) {
	b := bulky{users: 3000}
	a := b.open(t, func(x *rest.Target) { x.Many[0].Query = pairs("id", "keys") })
	_, err := a.List(t.Context(), adapters.Query{Filter: oneOf("1", "2"), Limit: 9})
	if !adapters.Is(err, adapters.Internal) || b.calls["list"] != 1 {
		t.Errorf("%v after %v", err, b.calls)
	}
	a = b.open(t, func(x *rest.Target) { x.Many[0].Path = text("/users/none") })
	if _, err := a.List(t.Context(), adapters.Query{Filter: oneOf("1", "2"), Limit: 9}); err != nil {
		t.Errorf("a rule calls it not found: %v", err)
	}
	a = b.open(t, func(x *rest.Target) { x.Many[0].Path, x.Many[0].Fails = text("/users/none"), nil })
	if _, err := a.List(t.Context(), adapters.Query{Filter: oneOf("1", "2"), Limit: 9}); !adapters.Is(err, adapters.Internal) {
		t.Errorf("no rule says what it means: %v", err)
	}
}

// TestManyAlone: without a call for one, one record is read by the call for many.
func TestManyAlone(t *testing.T) {
	b := bulky{users: 5}
	a := b.open(t, func(x *rest.Target) { x.Get = nil })
	r, err := a.Get(t.Context(), "3", adapters.AllFields)
	if err != nil || r.Get("note") != "note 3" {
		t.Errorf("%v; %v", r, err)
	}
	if _, err := a.Get(t.Context(), "7", adapters.AllFields); !adapters.Is(err, adapters.NotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if !maps.Equal(b.calls, map[string]int{"many": 2}) {
		t.Errorf("%v", b.calls)
	}
}

// TestManyIsChecked: a call that does not name the keys is a mistake.
func TestManyIsChecked(t *testing.T) {
	b, _, err := rest.Open(rest.Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, problems := b.New(rest.Target{Fields: []string{"name"}, Key: []string{"id"}, List: step("get", "/users", records("body")), Many: step("get", "/users")})
	var all []string
	for _, p := range problems {
		all = append(all, p.Message)
	}
	if want := []string{"a list does not say where its records are", "many does not say where the keys go"}; !slices.Equal(all, want) {
		t.Errorf("%q", all)
	}
}
