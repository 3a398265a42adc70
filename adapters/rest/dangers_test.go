package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/scim/filter"
)

// Tests against servers that misbehave: the eight dangers of backends.md first.

// single is an adapter of one simple shape before a handler.
func single(t testing.TB, h http.HandlerFunc, change func(*rest.Config, *rest.Target)) adapters.Adapter {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	cfg := rest.Config{URL: srv.URL}
	target := rest.Target{Fields: fields, Multi: []string{"members"}, Key: []string{"id"}}
	target.List = step("get", "/users", query("limit", "page.limit", "offset", "page.offset"), size(10), records("body.users"), total("body.total"))
	target.Finds = []rest.Find{{Steps: step("get", "/users", query("name", "filter.value", "offset", "page.offset"), records("body.users"), total("body.total")),
		Answers: []rest.Answer{{Field: text("name"), Ops: filter.OpsOf(filter.Eq)}}}}
	target.Get = step("get", "/users/{key}", record("body"))
	target.Create = step("post", "/users", send("record"), record("body"))
	target.Update = step("put", "/users/{key}", send("changes"))
	target.Delete = step("delete", "/users/{key}")
	if change != nil {
		change(&cfg, &target)
	}
	return open(t, cfg, target)
}

func byName(name string) adapters.Query {
	return adapters.Query{Limit: 10, Filter: &filter.Compare{Name: "name", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(name)}}
}

func wantKind(t *testing.T, what string, err error, k adapters.Kind) {
	t.Helper()
	if !adapters.Is(err, k) {
		t.Errorf("%s: got %v, want %v", what, err, k)
	}
}

func user(id int) map[string]any { return map[string]any{"id": id, "name": "user " + strconv.Itoa(id)} }

func users(from, n int) []any {
	out := []any{}
	for i := range n {
		out = append(out, user(from+i))
	}
	return out
}

// Danger 1: an expired credential looks like an empty directory.
func TestDangerEmptyDirectory(t *testing.T) {
	var good atomic.Bool
	good.Store(true)
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/me" && good.Load():
			reply(w, 200, map[string]any{"admin": true})
		case r.URL.Path == "/me":
			reply(w, 200, map[string]any{"admin": false})
		case r.URL.Path == "/users" && good.Load() && r.URL.Query().Get("name") != "nobody":
			reply(w, 200, map[string]any{"users": users(1, 1), "total": 1})
		case r.URL.Path == "/users":
			reply(w, 200, map[string]any{"users": []any{}, "total": 0})
		case r.URL.Path == "/users/1" && good.Load():
			reply(w, 200, user(1))
		default:
			w.WriteHeader(404)
		}
	}
	a := single(t, handler, func(c *rest.Config, _ *rest.Target) {
		c.Probe = &rest.Probe{Step: step("get", "/me")[0], Expect: text("body.admin"), Every: time.Hour}
	})
	ctx := t.Context()
	if page, err := a.List(ctx, byName("nobody")); err != nil || len(page.Records) != 0 {
		t.Fatalf("a good credential: %v %v", page, err)
	}
	good.Store(false)
	_, err := a.List(ctx, byName("user 1"))
	wantKind(t, "a look-up with an expired credential", err, adapters.Denied)
	_, err = a.List(ctx, adapters.Query{Limit: 10})
	wantKind(t, "a list with an expired credential", err, adapters.Denied)
	_, err = a.Get(ctx, "1", adapters.AllFields)
	wantKind(t, "a record with an expired credential", err, adapters.Denied)
	wantKind(t, "a deletion with an expired credential", a.Delete(ctx, "1"), adapters.Denied)
	wantKind(t, "the probe", a.Probe(ctx), adapters.Denied)
	good.Store(true)
	if _, err := a.Get(ctx, "1", adapters.AllFields); err != nil {
		t.Errorf("once the credential is good again: %v", err)
	}
}

// Danger 1, the other half: 200 and a public subset.
func TestDangerPublicSubset(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/me" {
			reply(w, 200, map[string]any{"admin": false})
			return
		}
		reply(w, 200, map[string]any{"users": users(1, 1), "total": 1})
	}, func(c *rest.Config, _ *rest.Target) {
		c.Probe = &rest.Probe{Step: step("get", "/me")[0], Expect: text("body.admin")}
	})
	_, err := a.List(t.Context(), adapters.Query{Limit: 10})
	wantKind(t, "a public subset", err, adapters.Denied)
}

// Danger 2: a filter that is not known is ignored.
func TestDangerIgnoredFilter(t *testing.T) {
	for _, exact := range []bool{false, true} {
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			rows := slice(users(1, 30), number(r.URL.Query().Get("offset"), 0), 10)
			reply(w, 200, map[string]any{"users": rows, "total": 30})
		}, func(_ *rest.Config, target *rest.Target) {
			f := &target.Finds[0]
			f.Exact, f.Steps[0].Ordered = exact, exact
		})
		page, err := a.List(t.Context(), byName("nobody"))
		if err != nil || len(page.Records) != 0 {
			t.Errorf("exact %t: a stranger was found: %v %v", exact, page.Records, err)
		}
		q := byName("user 25")
		q.Total = true
		page, err = a.List(t.Context(), q)
		if err != nil || len(page.Records) != 1 || page.Records[0].Key != "25" || page.Total != 1 {
			t.Errorf("exact %t: got %v %v", exact, page, err)
		}
	}
}

// Danger 3: success that failed.
func TestDangerFalseSuccess(t *testing.T) {
	ctx := t.Context()
	t.Run("messages at 200", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, []any{"User name taken"}) },
			func(_ *rest.Config, target *rest.Target) {
				target.Fails = fails(`any(body, # contains "taken")`, "exists", "name")
			})
		_, err := a.Create(ctx, newRecord(a, "name", "x"), adapters.AllFields)
		wantKind(t, "create", err, adapters.Exists)
	})
	t.Run("messages at 200, no rule", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, []any{"User name taken"}) }, nil)
		_, err := a.Create(ctx, newRecord(a, "name", "x"), adapters.AllFields)
		wantKind(t, "create", err, adapters.Internal)
		_, err = a.List(ctx, adapters.Query{Limit: 1})
		wantKind(t, "list", err, adapters.Internal)
	})
	t.Run("a message in place of a record, no rule", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" && r.URL.Path == "/users/1" {
				reply(w, 200, user(1))
				return
			}
			reply(w, 200, map[string]any{"status": "FAIL", "reason": "session over"})
		}, func(_ *rest.Config, target *rest.Target) { target.Update[0].Record = text("body") })
		_, err := a.Get(ctx, "5", adapters.AllFields)
		wantKind(t, "get", err, adapters.Internal)
		rec, err := a.Update(ctx, "1", adapters.Delta{Set: []adapters.Change{{Field: "nick", New: "x"}}}, adapters.AllFields)
		if err != nil || rec.Get("name") != "user 1" { // what it is, not what the message does not say
			t.Errorf("update: %v, %v", rec, err)
		}
	})
	t.Run("204 for nothing", func(t *testing.T) {
		var deletes atomic.Int32
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				w.WriteHeader(404)
				return
			}
			deletes.Add(1)
			w.WriteHeader(204)
		}, nil)
		wantKind(t, "delete of nothing", a.Delete(ctx, "5"), adapters.NotFound)
		_, err := a.Update(ctx, "5", adapters.Delta{Set: []adapters.Change{{Field: "nick", New: "x"}}}, adapters.AllFields)
		wantKind(t, "update of nothing", err, adapters.NotFound)
		if deletes.Load() != 0 {
			t.Error("a write was sent for what is not there")
		}
	})
	t.Run("yes, and then nothing is there", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "GET" {
				w.WriteHeader(404)
				return
			}
			w.Header().Set("Location", "/users/7")
			w.WriteHeader(201)
		}, func(_ *rest.Config, target *rest.Target) {
			target.Create = step("post", "/users", send("record"), key("lastSegment(headers.Location)"))
		})
		_, err := a.Create(ctx, newRecord(a, "name", "x"), adapters.AllFields)
		wantKind(t, "create", err, adapters.Internal)
	})
	t.Run("a create that overwrites", func(t *testing.T) {
		var puts atomic.Int32
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "PUT" {
				puts.Add(1)
			}
			reply(w, 200, user(1))
		}, func(_ *rest.Config, target *rest.Target) {
			target.Given = true
			target.Create = step("put", "/users/{key}", send("record"), record("body"))
		})
		rec := newRecord(a, "name", "x")
		rec.Key = "1"
		_, err := a.Create(ctx, rec, adapters.AllFields)
		wantKind(t, "create over another", err, adapters.Exists)
		if puts.Load() != 0 {
			t.Error("the other one was overwritten")
		}
	})
}

func newRecord(a adapters.Adapter, kv ...any) adapters.Record {
	r := adapters.NewRecord(a.Capabilities().Shape, "")
	for i := 0; i+1 < len(kv); i += 2 {
		r.Set(kv[i].(string), kv[i+1])
	}
	return r
}

// Danger 4: cut lists.
func TestDangerCutLists(t *testing.T) {
	ctx := t.Context()
	all := func(t *testing.T, a adapters.Adapter) ([]adapters.Record, error) {
		page, err := a.List(ctx, adapters.Query{Limit: 1000, Total: true})
		if err == nil && page.Total != len(page.Records) {
			t.Errorf("a total of %d beside %d records", page.Total, len(page.Records))
		}
		return page.Records, err
	}
	for clamp, ordered := range map[int]bool{3: false, 4: true} {
		t.Run(fmt.Sprintf("a page size that is clamped, ordered %t", ordered), func(t *testing.T) {
			a := single(t, func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				reply(w, 200, map[string]any{"users": slice(users(1, 25), number(q.Get("offset"), 0), min(clamp, number(q.Get("limit"), 99))), "total": 25})
			}, func(_ *rest.Config, target *rest.Target) { target.List[0].Ordered = ordered })
			if recs, err := all(t, a); err != nil || len(recs) != 25 {
				t.Errorf("%d records, %v", len(recs), err)
			}
		})
		t.Run(fmt.Sprintf("a page size that is clamped, pages by number, ordered %t", ordered), func(t *testing.T) {
			a := single(t, func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				n := min(clamp, number(q.Get("size"), 99))
				reply(w, 200, map[string]any{"users": slice(users(1, 25), (number(q.Get("page"), 1)-1)*n, n), "total": 25})
			}, func(_ *rest.Config, target *rest.Target) {
				target.List = step("get", "/users", query("page", "page.number", "size", "page.size"), size(10), records("body.users"), total("body.total"))
				target.List[0].Ordered = ordered
			})
			if recs, err := all(t, a); err != nil || len(recs) != 25 {
				t.Errorf("%d records, %v", len(recs), err)
			}
			page, err := a.List(ctx, adapters.Query{Offset: 13, Limit: 5})
			if err != nil || len(page.Records) != 5 || page.Records[0].Key != "14" {
				t.Errorf("from 13: %v %v", page.Records, err)
			}
		})
	}
	t.Run("clamped, and no total", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			reply(w, 200, map[string]any{"users": slice(users(1, 25), number(r.URL.Query().Get("offset"), 0), 4)})
		}, func(_ *rest.Config, target *rest.Target) { target.List[0].Total = rest.Text{} })
		if recs, err := all(t, a); err != nil || len(recs) != 25 {
			t.Errorf("%d records, %v", len(recs), err)
		}
	})
	t.Run("truncated", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"users": users(1, 5), "truncated": true})
		}, func(_ *rest.Config, target *rest.Target) {
			target.List = step("get", "/users", records("body.users"), func(s *rest.Step) { s.Truncated = text("body.truncated") })
		})
		_, err := all(t, a)
		wantKind(t, "a truncated list", err, adapters.TooMany)
	})
	t.Run("a size limit", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, r *http.Request) {
			reply(w, 200, map[string]any{"users": slice(users(1, 20), number(r.URL.Query().Get("offset"), 0), 10), "total": 25})
		}, nil)
		_, err := all(t, a)
		wantKind(t, "a list that ends before its total", err, adapters.Unavailable)
	})
	t.Run("the page parameter is ignored", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"users": users(1, 10), "total": 25})
		}, nil)
		_, err := all(t, a)
		wantKind(t, "the same page for ever", err, adapters.Internal)
	})
	t.Run("a next link that turns in circles", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"users": users(1, 10), "next": "/users?again"})
		}, func(_ *rest.Config, target *rest.Target) {
			target.List = step("get", "/users", records("body.users"), next("body.next"))
		})
		_, err := all(t, a)
		wantKind(t, "a circle", err, adapters.Internal)
	})
	t.Run("a next link to another host", func(t *testing.T) {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, map[string]any{"users": users(1, 10), "next": "http://evil.example/users"})
		}, func(_ *rest.Config, target *rest.Target) {
			target.List = step("get", "/users", records("body.users"), next("body.next"))
		})
		_, err := all(t, a) // neither followed nor cut, and nothing that the client said
		wantKind(t, "another host", err, adapters.Internal)
	})
}

// TestNobodyFound: a rule that calls an answer "not there" speaks of records. Of a find
// it makes the list to be walked, and of a list a failure, not one of the client.
func TestNobodyFound(t *testing.T) {
	gone := false
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if gone || r.URL.Query().Has("name") {
			reply(w, 200, map[string]any{"error": "none"})
			return
		}
		reply(w, 200, map[string]any{"users": users(1, 3), "total": 3})
	}, func(_ *rest.Config, target *rest.Target) {
		target.Fails = fails(`body.error == "none"`, "notFound", "")
		target.Finds[0].Exact = true
		target.Finds[0].Steps[0].Ordered = true
	})
	find := func(name string) (adapters.Page, error) {
		return a.List(t.Context(), adapters.Query{Limit: 9, Total: true, Want: adapters.AllFields, Filter: &filter.Compare{Name: "name", Op: filter.Eq, Value: filter.Value{Kind: filter.String, Str: name}, Match: filter.Exact}})
	}
	for name, want := range map[string]int{"nobody": 0, "user 2": 1} {
		if page, err := find(name); err != nil || page.Total != want || len(page.Records) != want {
			t.Errorf("%s: %d of %d, %v", name, len(page.Records), page.Total, err)
		}
	}
	gone = true
	_, err := find("nobody")
	wantKind(t, "the list", err, adapters.Internal)
}

// Danger 5: totals that are estimates. Without `total` they are not asked.
func TestDangerEstimatedTotal(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, map[string]any{"users": slice(users(1, 12), number(r.URL.Query().Get("offset"), 0), 10), "total": 10})
	}, func(_ *rest.Config, target *rest.Target) { target.List[0].Total = rest.Text{} })
	page, err := a.List(t.Context(), adapters.Query{Limit: 100, Total: true})
	if err != nil || page.Total != 12 || len(page.Records) != 12 {
		t.Errorf("a total of %d, %d records, %v", page.Total, len(page.Records), err)
	}
}

// Danger 6: disabled users vanish from the default list; a union brings them back
// (row 17).
func TestDangerVanishedUsers(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		rows := users(1, 3)
		if q.Get("status") == "locked" {
			rows = users(10, 2)
		}
		reply(w, 200, map[string]any{"users": slice(rows, number(q.Get("offset"), 0), 10), "total": len(rows)})
	}, func(_ *rest.Config, target *rest.Target) {
		one := func(status string) []rest.Step {
			return step("get", "/users?status="+status, query("offset", "page.offset"), records("body.users"), total("body.total"),
				func(s *rest.Step) { s.Set = pairs("active", strconv.Quote(status)) })
		}
		target.List = append(one("active"), one("locked")...)
		target.Finds = nil
	})
	page, err := a.List(t.Context(), adapters.Query{Limit: 100, Total: true})
	if err != nil || page.Total != 5 {
		t.Fatalf("a total of %d, %v", page.Total, err)
	}
	if got := page.Records[4].Get("active"); got != "locked" {
		t.Errorf("the last one is %v", got)
	}
}

// Danger 8: an id that now means another object is not that object.
func TestDangerOtherObject(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, user(8)) }, nil)
	_, err := a.Get(t.Context(), "7", adapters.AllFields)
	wantKind(t, "another object", err, adapters.NotFound)
	wantKind(t, "its deletion", a.Delete(t.Context(), "7"), adapters.NotFound)
}

// TestBodies covers row 53: empty, HTML and cut bodies break nothing.
func TestBodies(t *testing.T) {
	ctx := t.Context()
	html := "<html><body>Bad gateway: secret backend text</body></html>"
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		get, list, create adapters.Kind
	}{
		"empty 404":          {404, "application/json", "", adapters.NotFound, adapters.Internal, adapters.Internal},
		"HTML 404":           {404, "text/html", html, adapters.Internal, adapters.Internal, adapters.Internal},
		"HTML 200":           {200, "text/html", html, adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
		"HTML 502":           {502, "text/html", html, adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
		"cut JSON":           {200, "application/json", `{"id": 1, "users": [`, adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
		"two values":         {200, "application/json", `{} {}`, adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
		"empty 200":          {200, "application/json", "", adapters.Internal, adapters.Internal, adapters.Internal},
		"null":               {200, "application/json", "null", adapters.Internal, adapters.Internal, adapters.Internal},
		"a text":             {200, "application/json", `"ok"`, adapters.Internal, adapters.Internal, adapters.Internal},
		"500":                {500, "text/plain", "secret backend text", adapters.Internal, adapters.Internal, adapters.Internal},
		"429":                {429, "", "", adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
		"401":                {401, "", "", adapters.Denied, adapters.Denied, adapters.Denied},
		"400":                {400, "", "", adapters.Internal, adapters.Internal, adapters.Invalid},
		"redirect away":      {302, "", "", adapters.Internal, adapters.Internal, adapters.Internal},
		"longer than may be": {200, "application/json", `{"id": "` + strings.Repeat("x", 5000) + `"}`, adapters.Unavailable, adapters.Unavailable, adapters.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			a := single(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.contentType != "" {
					w.Header().Set("Content-Type", c.contentType)
				}
				w.Header().Set("Location", "http://evil.example/")
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}, func(cfg *rest.Config, _ *rest.Target) { cfg.Size = 4000 })
			_, err := a.Get(ctx, "1", adapters.AllFields)
			wantKind(t, "get", err, c.get)
			_, err = a.List(ctx, adapters.Query{Limit: 1})
			wantKind(t, "list", err, c.list)
			_, err = a.Create(ctx, newRecord(a, "name", "x"), adapters.AllFields)
			wantKind(t, "create", err, c.create)
			if e := err.(*adapters.Error); c.status == 429 && e.RetryAfter != 7*time.Second {
				t.Errorf("Retry-After: %v", e.RetryAfter)
			}
		})
	}
}

// A write that got no answer may have happened.
func TestUnsure(t *testing.T) {
	a := single(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
	_, err := a.Create(t.Context(), newRecord(a, "name", "x"), adapters.AllFields)
	if e, ok := err.(*adapters.Error); !ok || e.Kind != adapters.Unavailable || !e.Unsure {
		t.Errorf("got %#v", err)
	}
	_, err = a.Get(t.Context(), "1", adapters.AllFields)
	if e, ok := err.(*adapters.Error); !ok || e.Kind != adapters.Unavailable || e.Unsure {
		t.Errorf("got %#v", err)
	}
}

// TestRedirects: a read follows on its own host, a write nowhere.
func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		reply(w, 200, user(1))
	}))
	defer other.Close()
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/users/1":
			http.Redirect(w, r, "/moved/1", http.StatusFound)
		case "/users/2":
			http.Redirect(w, r, other.URL+"/users/2", http.StatusFound)
		default:
			reply(w, 200, user(1))
		}
	}, func(c *rest.Config, _ *rest.Target) { c.Headers = map[string]string{"X-Key": "secret"} })
	if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
		t.Errorf("on the same host: %v", err)
	}
	if _, err := a.Get(t.Context(), "2", adapters.AllFields); err == nil || elsewhere.Load() > 0 {
		t.Errorf("to another host: %v, %d requests there", err, elsewhere.Load())
	}
}

// TestAnswersOfSteps: what an answer says is known to its own step, and later ones know it
// by its name only; what a step says of the record does not change what another said.
func TestAnswersOfSteps(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-More", "details")
		switch r.URL.Path {
		case "/users/1":
			reply(w, 200, map[string]any{"id": 1, "name": "anna"})
		case "/details/1/anna":
			reply(w, 200, map[string]any{"name": "Anna", "nick": w.Header().Get("X-More")})
		default:
			w.WriteHeader(404)
		}
	}, func(_ *rest.Config, target *rest.Target) {
		target.Get = slices.Concat(
			step("get", "/users/{key}", named("first"), record("body")),
			step("get", `/{steps.first.headers["X-More"]}/{key}/{steps.first.body.name}`, named("second"), when("status == nil && headers == nil"),
				record(`headers["X-More"] == "details" ? body : nil`)),
			computing(record(`{nick: steps.second.body.nick + " " + steps.first.body.name + " " + string(steps.first.status)}`)))
	})
	rec, err := a.Get(t.Context(), "1", adapters.AllFields)
	if err != nil || rec.Get("name") != "Anna" || rec.Get("nick") != "details anna 200" {
		t.Errorf("got %v, %v", rec.Values(), err)
	}
}

// TestEscaping: values never change the meaning of a request (row 11).
func TestEscaping(t *testing.T) {
	var got atomic.Value
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.URL.EscapedPath() + "?" + r.URL.RawQuery)
		reply(w, 404, nil)
	}, nil)
	for key, want := range map[string]string{
		"a/b":       "/users/a%2Fb?",
		"a?b=c&d#e": "/users/a%3Fb=c&d%23e?",
		"../admin":  "/users/..%2Fadmin?",
		"a%2fb":     "/users/a%252fb?",
		"é x":       "/users/%C3%A9%20x?",
	} {
		_, err := a.Get(context.Background(), adapters.Key(key), adapters.AllFields)
		wantKind(t, key, err, adapters.NotFound)
		if got.Load() != want {
			t.Errorf("%q was asked for as %v, want %s", key, got.Load(), want)
		}
	}
	got.Store("")
	for _, key := range []string{"", ".", "..", "a\nb", "\xff"} {
		_, err := a.Get(context.Background(), adapters.Key(key), adapters.AllFields)
		wantKind(t, key, err, adapters.NotFound)
	}
	if got.Load() != "" {
		t.Errorf("an impossible key was asked for: %v", got.Load())
	}
}
