package rest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/scim/filter"
)

func text(s string) rest.Text { return rest.Text{Value: s, Line: 1} }

func pairs(kv ...string) []rest.Pair {
	var out []rest.Pair
	for i := 0; i+1 < len(kv); i += 2 {
		out = append(out, rest.Pair{Name: text(kv[i]), Value: text(kv[i+1])})
	}
	return out
}

func fails(list ...string) []rest.Fail {
	var out []rest.Fail
	for i := 0; i+2 < len(list); i += 3 {
		out = append(out, rest.Fail{When: text(list[i]), Kind: text(list[i+1]), Field: text(list[i+2])})
	}
	return out
}

// step makes a step; what is not among the pairs is empty.
func step(verb, path string, change ...func(*rest.Step)) []rest.Step {
	s := rest.Step{Verb: text(verb), Path: text(path), Written: steps.Written{At: text(verb)}}
	for _, c := range change {
		c(&s)
	}
	return []rest.Step{s}
}

func send(e string) func(*rest.Step)    { return func(s *rest.Step) { s.Send = text(e) } }
func record(e string) func(*rest.Step)  { return func(s *rest.Step) { s.Record = text(e) } }
func records(e string) func(*rest.Step) { return func(s *rest.Step) { s.Records = text(e) } }
func total(e string) func(*rest.Step)   { return func(s *rest.Step) { s.Total = text(e) } }
func next(e string) func(*rest.Step)    { return func(s *rest.Step) { s.Next = text(e) } }
func key(e string) func(*rest.Step)     { return func(s *rest.Step) { s.Key = text(e) } }
func query(kv ...string) func(*rest.Step) {
	return func(s *rest.Step) { s.Query = pairs(kv...) }
}
func size(n int) func(*rest.Step) { return func(s *rest.Step) { s.Size = n } }
func ordered(s *rest.Step)        { s.Ordered = true }
func lacks(names ...string) func(*rest.Step) {
	return func(s *rest.Step) {
		for _, n := range names {
			s.Lacks = append(s.Lacks, text(n))
		}
	}
}
func named(n string) func(*rest.Step) { return func(s *rest.Step) { s.Name = text(n) } }
func failing(list ...string) func(*rest.Step) {
	return func(s *rest.Step) { s.Fails = fails(list...) }
}

var fields = []string{"name", "nick", "note", "age", "active", "members"}

// A shape is one kind of API.
type shape struct {
	serve   func(l *legacy, w http.ResponseWriter, r *http.Request)
	config  func(c *rest.Config)
	target  func(t *rest.Target)
	harness func(h *adaptertest.Harness)
}

func open(t testing.TB, cfg rest.Config, target rest.Target) adapters.Adapter {
	t.Helper()
	b, problems, err := rest.Open(cfg)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	t.Cleanup(b.Close)
	a, problems := b.New(target)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return a
}

func (s shape) open(t testing.TB) adapters.Adapter {
	l := newLegacy()
	cfg := rest.Config{URL: l.serve(t, func(w http.ResponseWriter, r *http.Request) { s.serve(l, w, r) })}
	if s.config != nil {
		s.config(&cfg)
	}
	target := rest.Target{Fields: fields, Multi: []string{"members"}, Key: []string{"id"}}
	s.target(&target)
	return open(t, cfg, target)
}

func TestSuite(t *testing.T) {
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := adaptertest.Harness{Fields: adaptertest.StandardFields, Brief: true, New: s.open}
			if s.harness != nil {
				s.harness(&h)
			}
			adaptertest.Run(t, h)
		})
		t.Run(name+", guarded", func(t *testing.T) {
			t.Parallel()
			h := adaptertest.Harness{Fields: adaptertest.StandardFields, Brief: true, New: func(t testing.TB) adapters.Adapter {
				return guard.Wrap(s.open(t), "legacy", guard.Options{Cache: time.Minute})
			}}
			if s.harness != nil {
				s.harness(&h)
			}
			adaptertest.Run(t, h)
		})
	}
}

func shapes() map[string]shape {
	return map[string]shape{
		"envelope, offset and limit, members by calls": enveloped(),
		"page and size, total in a header, Location":   paged(),
		"next link, bare list, key looked up":          linked(),
		"given keys, PUT, all in one answer":           given(),
	}
}

// enveloped is like Redmine.
func enveloped() shape {
	return shape{
		serve: serveEnveloped,
		target: func(t *rest.Target) {
			t.List = step("get", "/users.json", query("limit", "page.limit", "offset", "page.offset"), size(1000), records("body.users"), total("body.total_count"), lacks("members", "note"))
			t.Finds = []rest.Find{{
				Steps:       step("get", "/users.json", query("q", "filter.value", "limit", "page.limit", "offset", "page.offset"), records("body.users"), total("body.total_count"), lacks("members", "note")),
				Answers:     []rest.Answer{{Field: text("nick"), Ops: filter.OpsOf(filter.Eq, filter.Co, filter.Sw, filter.Ew)}, {Field: text("name"), Ops: filter.OpsOf(filter.Eq)}},
				IgnoresCase: false,
			}}
			t.Many = step("get", "/users.json", query("ids", `join(keys, " ")`, "include", `needs("members") ? "members" : nil`), records("body.users"), size(7))
			t.Get = step("get", "/users/{key}.json", query("include", `needs("members") ? "members" : nil`), record("body.user"))
			t.Create = step("post", "/users.json", send("{user: record}"), record("body.user"))
			t.Update = step("put", "/users/{key}.json", send("{user: changes}"))
			t.Delete = step("delete", "/users/{key}.json")
			t.Members = []rest.Members{{Field: text("members"),
				Add:    step("post", "/users/{key}/members.json", send("{member: item}")),
				Remove: step("delete", "/users/{key}/members/{item}.json")}}
			t.Fails = fails(`status == 422 && any(body.errors, # contains "already been taken")`, "exists", "name")
		},
	}
}

func serveEnveloped(l *legacy, w http.ResponseWriter, r *http.Request) {
	p := segments(r)
	for i := range p {
		p[i] = strings.TrimSuffix(p[i], ".json")
		p[i], _ = url.PathUnescape(p[i])
	}
	fail := func(f *failure) {
		if f.status == 404 {
			w.WriteHeader(404)
			return
		}
		reply(w, f.status, map[string]any{"errors": []string{f.text}})
	}
	switch {
	case r.URL.Query().Has("ids"):
		users := []any{}
		for _, id := range strings.Fields(r.URL.Query().Get("ids")) {
			row, f := l.find(id)
			if f != nil {
				continue
			}
			if r.URL.Query().Get("include") != "members" {
				delete(row, "members")
			}
			users = append(users, row)
		}
		reply(w, 200, map[string]any{"users": users})
	case len(p) == 1 && r.Method == "GET":
		all := l.all(r.URL.Query().Get("q"))
		rows := slice(all, number(r.URL.Query().Get("offset"), 0), min(number(r.URL.Query().Get("limit"), 25), 25)) // clamped
		users := []any{}
		for _, row := range rows {
			delete(row, "members")
			delete(row, "note")
			users = append(users, row)
		}
		reply(w, 200, map[string]any{"users": users, "total_count": len(all)})
	case len(p) == 1:
		in, _ := readBody(r)["user"].(map[string]any)
		row, f := l.insert("", in)
		if f != nil {
			fail(f)
			return
		}
		reply(w, 201, map[string]any{"user": row})
	case len(p) == 2 && r.Method == "GET":
		row, f := l.find(p[1])
		if f != nil {
			fail(f)
			return
		}
		if r.URL.Query().Get("include") != "members" {
			delete(row, "members")
		}
		reply(w, 200, map[string]any{"user": row})
	case len(p) == 2 && r.Method == "PUT":
		in, _ := readBody(r)["user"].(map[string]any)
		if _, f := l.change(p[1], in); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	case len(p) == 2:
		if f := l.remove(p[1]); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	case len(p) == 3:
		again := false
		m := readBody(r)["member"]
		f := l.members(p[1], func(list []any) []any {
			again = slices.Contains(list, m)
			return append(list, m)
		})
		if again {
			_ = l.members(p[1], func(list []any) []any { return list[:len(list)-1] })
			f = &failure{422, "Member is invalid"}
		}
		if f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	default:
		if f := l.members(p[1], func(list []any) []any { return slices.DeleteFunc(list, func(e any) bool { return e == p[3] }) }); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	}
}

// paged numbers its pages, tells totals in a header and answers writes with
// nothing but a Location.
func paged() shape {
	return shape{
		serve: servePaged,
		target: func(t *rest.Target) {
			t.List = step("get", "/api/v1/people?sort=name", query("page", "page.number", "per_page", "page.size"), size(10), records("body"), total(`header("X-Total")`), ordered)
			t.Finds = []rest.Find{{
				Steps:   step("get", "/api/v1/people", query("nick", "filter.value", "page", "page.number", "per_page", "page.size"), size(10), records("body"), total(`header("X-Total")`), ordered),
				Answers: []rest.Answer{{Field: text("nick"), Ops: filter.OpsOf(filter.Eq)}}, Exact: true,
			}}
			t.Get = step("get", "/api/v1/people/{key}", record("body"))
			t.Create = step("post", "/api/v1/people", send("record"), key("lastSegment(headers.Location)"))
			t.Update = step("patch", "/api/v1/people/{key}", send("changes"), record("body"))
			t.Delete = step("delete", "/api/v1/people/{key}")
			t.Fails = fails(`body.code == "taken"`, "exists", "name")
		},
		config: func(c *rest.Config) { c.Headers = map[string]string{"Authorization": "Bearer good"} },
	}
}

func servePaged(l *legacy, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer good" {
		reply(w, 401, nil)
		return
	}
	id := ""
	if p := segments(r); len(p) == 4 {
		id, _ = url.PathUnescape(p[3])
	}
	fail := func(f *failure) {
		code := "x"
		if f.status == 422 {
			code, f.status = "taken", 500 // 500 that means conflict
		}
		reply(w, f.status, map[string]any{"code": code})
	}
	switch r.Method {
	case "GET":
		if id != "" {
			row, f := l.find(id)
			if f != nil {
				fail(f)
				return
			}
			reply(w, 200, row)
			return
		}
		all := l.all("")
		if q := r.URL.Query(); q.Has("nick") {
			all = slices.DeleteFunc(all, func(row map[string]any) bool { return row["nick"] != q.Get("nick") })
		}
		n := min(number(r.URL.Query().Get("per_page"), 10), l.maxPage)
		w.Header().Set("X-Total", strconv.Itoa(len(all)))
		rows := slice(all, (number(r.URL.Query().Get("page"), 1)-1)*n, n)
		if rows == nil {
			rows = []map[string]any{}
		}
		reply(w, 200, rows)
	case "POST":
		row, f := l.insert("", readBody(r))
		if f != nil {
			fail(f)
			return
		}
		w.Header().Set("Location", "/api/v1/people/"+url.PathEscape(adapters.Text(row["id"].(interface{ String() string }).String())))
		w.WriteHeader(201)
	case "PATCH":
		row, f := l.change(id, readBody(r))
		if f != nil {
			fail(f)
			return
		}
		reply(w, 200, row)
	case "DELETE":
		if f := l.remove(id); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	}
}

// linked pages by Link headers and answers a creation with ok alone.
func linked() shape {
	return shape{
		serve: serveLinked,
		target: func(t *rest.Target) {
			t.List = step("get", "/people", query("limit", "page.limit"), size(7), records("body"), next(`link(header("Link"), "next")`))
			t.Get = step("get", "/people/{key}", record("body[0]"), failing("body == []", "notFound", ""))
			t.Create = append(step("post", "/people", send("record"), named("create")),
				step("get", "/people", query("name", "record.name"), key("body[0].id"))...)
			t.Update = step("post", "/people/{key}", send("{set: changes}"))
			t.Delete = step("post", "/people/{key}/remove")
			t.Members = []rest.Members{{Field: text("members"), Change: step("post", "/people/{key}", send("{add: add, remove: remove}"))}}
			t.Fails = fails(`body.status == "FAIL" && body.reason == "taken"`, "exists", "name", `body.status == "FAIL"`, "notFound", "")
		},
	}
}

func serveLinked(l *legacy, w http.ResponseWriter, r *http.Request) {
	p := segments(r)
	id := ""
	if len(p) > 1 {
		id, _ = url.PathUnescape(p[1])
	}
	done := func(f *failure) { // everything is 200
		switch {
		case f == nil:
			reply(w, 200, map[string]any{"status": "OK"})
		case f.status == 422:
			reply(w, 200, map[string]any{"status": "FAIL", "reason": "taken"})
		default:
			reply(w, 200, map[string]any{"status": "FAIL"})
		}
	}
	switch {
	case r.Method == "GET" && id != "":
		row, f := l.find(id)
		if f != nil {
			reply(w, 200, []any{})
			return
		}
		reply(w, 200, []any{row})
	case r.Method == "GET":
		all := l.all("")
		if q := r.URL.Query(); q.Has("name") {
			all = slices.DeleteFunc(all, func(row map[string]any) bool { return row["name"] != q.Get("name") })
		}
		from, n := number(r.URL.Query().Get("from"), 0), number(r.URL.Query().Get("limit"), 100)
		if from+n < len(all) {
			w.Header().Set("Link", `</people?from=0>; rel="first", <?limit=`+strconv.Itoa(n)+`&from=`+strconv.Itoa(from+n)+`>; rel="next"`)
		}
		rows := slice(all, from, n)
		if rows == nil {
			rows = []map[string]any{}
		}
		reply(w, 200, rows)
	case len(p) == 3:
		done(l.remove(id))
	case id == "":
		_, f := l.insert("", readBody(r))
		done(f)
	default:
		in := readBody(r)
		set, _ := in["set"].(map[string]any)
		if _, f := l.change(id, set); f != nil {
			done(f)
			return
		}
		add, _ := in["add"].([]any)
		remove, _ := in["remove"].([]any)
		done(l.members(id, func(list []any) []any {
			list = slices.DeleteFunc(list, func(e any) bool { return slices.Contains(remove, e) })
			for _, e := range add {
				if !slices.Contains(list, e) {
					list = append(list, e)
				}
			}
			return list
		}))
	}
}

// given takes keys from the caller and shows everything at once.
func given() shape {
	return shape{
		serve: serveGiven,
		target: func(t *rest.Target) {
			t.Given = true
			t.List = step("get", "/things", records("body.things ?? []"))
			t.Create = step("put", "/things/{key}", send("record"))
			t.Get = step("get", "/things/{key}", record("body"))
			t.Update = step("patch", "/things/{key}", send("changes"), record("body"))
			t.Delete = step("delete", "/things/{key}")
			t.Fails = fails(`status == 409`, "exists", "name")
		},
		harness: func(h *adaptertest.Harness) { h.OddKeys = true },
	}
}

func serveGiven(l *legacy, w http.ResponseWriter, r *http.Request) {
	id := ""
	if p := segments(r); len(p) == 2 {
		id, _ = url.PathUnescape(p[1])
	}
	fail := func(f *failure) {
		if f.status == 422 {
			f.status = 409
		}
		w.WriteHeader(f.status)
	}
	textID := func(row map[string]any) map[string]any { // keys are text here
		for k, e := range l.rows {
			if e["name"] == row["name"] {
				row["id"] = k
			}
		}
		return row
	}
	switch r.Method {
	case "GET":
		if id != "" {
			row, f := l.find(id)
			if f != nil {
				fail(f)
				return
			}
			row["id"] = id
			reply(w, 200, row)
			return
		}
		all := l.all("")
		l.mu.Lock()
		for i := range all {
			all[i] = textID(all[i])
		}
		l.mu.Unlock()
		if len(all) == 0 {
			reply(w, 200, map[string]any{})
			return
		}
		reply(w, 200, map[string]any{"things": all})
	case "PUT":
		if _, f := l.insert(id, readBody(r)); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(201)
	case "PATCH":
		row, f := l.change(id, readBody(r))
		if f != nil {
			fail(f)
			return
		}
		row["id"] = id
		reply(w, 200, row)
	case "DELETE":
		if f := l.remove(id); f != nil {
			fail(f)
			return
		}
		w.WriteHeader(204)
	}
}
