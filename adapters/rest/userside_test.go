package rest_test

import (
	"fmt"
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

// An application that knows groups only as words on its users: rows 43 and 47.

// A staff is such an application. It lists ten users at a time.
type staff struct {
	mu    sync.Mutex
	roles [][]any // by number of the user, from 1
}

func (s *staff) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := number(segments(r)[len(segments(r))-1], 0)
	switch {
	case r.URL.Path == "/users":
		page := number(r.URL.Query().Get("page"), 1)
		all := []any{}
		for i, roles := range s.roles {
			if role := r.URL.Query().Get("role"); role == "" || slices.Contains(roles, any(role)) {
				all = append(all, map[string]any{"id": i + 1, "roles": roles})
			}
		}
		w.Header().Set("X-Total", strconv.Itoa(len(all)))
		reply(w, 200, slice(all, 10*(page-1), 10))
	case id < 1 || id > len(s.roles):
		reply(w, 404, nil)
	case r.Method == http.MethodGet:
		reply(w, 200, map[string]any{"id": id, "roles": s.roles[id-1]})
	default:
		s.roles[id-1], _ = readBody(r)["roles"].([]any)
		reply(w, 200, nil)
	}
}

func computing(change ...func(*rest.Step)) []rest.Step { return step("", "", change...) }

func when(e string) func(*rest.Step) { return func(s *rest.Step) { s.When = text(e) } }

// roles is the target: three groups from the configuration, their members from
// the users.
func (s *staff) roles3(t *testing.T) adapters.Adapter {
	l := newLegacy()
	paging := query("page", "page.number", "size", "page.size", "role", "key")
	target := rest.Target{Kind: "Group", Fields: []string{"name", "members"}, Key: []string{"id"}, Refers: map[string]string{"members": "User"}}
	groups := `[{id: "a", name: "Authors"}, {id: "e", name: "Editors"}, {id: "n", name: "Nobody"}]`
	target.List = computing(records(groups), lacks("members"))
	target.Get = slices.Concat(
		computing(named("all"), letting("one", "filter("+groups+", .id == key)")),
		computing(when("len(steps.all.one) == 0"), failing("true", "notFound", "")),
		step("get", "/users", when(`needs("members")`), named("users"), paging, size(10), records("body"), total(`int(header("X-Total"))`)),
		computing(record("{id: key, name: steps.all.one[0].name, users: steps.users?.records}")))
	target.Read = pairs("members", "map(item.users ?? [], .id)")
	target.Members = []rest.Members{{Field: text("members"),
		Add: slices.Concat(step("get", "/users/{item}", named("user")),
			step("put", "/users/{item}", when("key not in steps.user.body.roles"), send("{roles: concat(steps.user.body.roles, [key])}"))),
		Remove: slices.Concat(step("get", "/users/{item}", named("user")),
			step("put", "/users/{item}", send("{roles: filter(steps.user.body.roles, # != key)}")))}}
	target.Finds = []rest.Find{{Steps: slices.Concat(step("get", "/users/{filter.value}", named("user"), failing("status == 404", "none", "")),
		computing(records("filter("+groups+", .id in (steps.user.body?.roles ?? []))"), lacks("members"))),
		Answers: []rest.Answer{{Field: text("members"), Ops: filter.OpsOf(filter.Eq)}}}}
	return open(t, rest.Config{URL: l.serve(t, s.serve)}, target)
}

func (s *staff) of(user int) []string {
	var out []string
	for _, r := range s.roles[user-1] {
		out = append(out, r.(string))
	}
	return out
}

func newStaff(n int) *staff {
	s := &staff{}
	for range n {
		s.roles = append(s.roles, []any{"a"})
	}
	return s
}

// TestUserSideMembers covers rows 43 and 47: fixed groups, whose members are
// kept with the users.
func TestUserSideMembers(t *testing.T) {
	s := newStaff(25)
	a := s.roles3(t)
	ctx := t.Context()
	page, err := a.List(ctx, adapters.Query{Limit: 10, Total: true, Want: adapters.AllFields})
	if err != nil || page.Total != 3 {
		t.Fatalf("%v %v", page, err)
	}
	if got, _ := page.Records[0].Get("members").([]string); len(got) != 25 {
		t.Errorf("%d members over three pages, want 25", len(got))
	}
	if got := page.Records[2].Get("members"); !adapters.NoValue(got) {
		t.Errorf("nobody's members are %v", got)
	}
	change := adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"3", "7", "3"}}}}
	rec, err := a.Update(ctx, "e", change, adapters.AllFields)
	if got, _ := rec.Get("members").([]string); err != nil || !slices.Equal(got, []string{"3", "7"}) || !slices.Equal(s.of(3), []string{"a", "e"}) {
		t.Errorf("added: %v %v; user 3 has %v", got, err, s.of(3))
	}
	change = adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Remove: []string{"3", "9"}}}}
	rec, err = a.Update(ctx, "e", change, adapters.AllFields)
	if got, _ := rec.Get("members").([]string); err != nil || !slices.Equal(got, []string{"7"}) || !slices.Equal(s.of(3), []string{"a"}) {
		t.Errorf("removed: %v %v; user 3 has %v", got, err, s.of(3))
	}
	_, err = a.Update(ctx, "e", adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: []string{"26"}}}}, adapters.Fields{})
	wantKind(t, "a member that there is not", err, adapters.Invalid)
	byMember := func(id string) adapters.Query {
		return adapters.Query{Limit: 10, Filter: &filter.Compare{Name: "members", Op: filter.Eq, Match: filter.Exact, Value: filter.StringValue(id)}}
	}
	for id, want := range map[string]int{"7": 2, "8": 1, "26": 0} {
		if page, err := a.List(ctx, byMember(id)); err != nil || len(page.Records) != want {
			t.Errorf("user %s is in %v (%v), want %d groups", id, page.Records, err, want)
		}
	}
	_, err = a.Get(ctx, "x", adapters.AllFields)
	wantKind(t, "a group that there is not", err, adapters.NotFound)
	_, err = a.Create(ctx, newRecord(a, "name", "More"), adapters.Fields{})
	wantKind(t, "another group", err, adapters.Unsupported)
}

// TestMembersTakeTurns: two groups that take in one user at a time lose neither;
// the user's record is read, changed and written whole.
func TestMembersTakeTurns(t *testing.T) {
	s := newStaff(4)
	a := s.roles3(t)
	for round := range 20 {
		var wg sync.WaitGroup
		for _, group := range []adapters.Key{"e", "n"} {
			wg.Go(func() {
				m := adapters.MemberChange{Field: "members", Add: []string{"1", "2", "3", "4"}}
				if round%2 == 1 {
					m.Add, m.Remove = nil, m.Add
				}
				if _, err := a.Update(t.Context(), group, adapters.Delta{Members: []adapters.MemberChange{m}}, adapters.Fields{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for user := 1; user <= 4; user++ {
			if got := s.of(user); len(got) != 3-2*(round%2) {
				t.Fatalf("round %d: user %d has %v", round, user, got)
			}
		}
	}
}

// TestGroupsByScan covers row 43 where nothing lists the groups: they are what
// the users have.
func TestGroupsByScan(t *testing.T) {
	s := newStaff(12)
	s.roles[11] = []any{"e", "a"}
	l := newLegacy()
	a := open(t, rest.Config{URL: l.serve(t, s.serve)}, rest.Target{Kind: "Group", Fields: []string{"members"}, Key: []string{"value"}, Multi: []string{"members"},
		List: slices.Concat(
			step("get", "/users", named("users"), query("page", "page.number"), size(10), records("body"), total(`int(header("X-Total"))`)),
			computing(records(`let users = steps.users.records; map(uniq(flatten(map(users, .roles))), {{value: #, members: map(filter(users, # in .roles), .id)}})`))),
	})
	page, err := a.List(t.Context(), adapters.Query{Limit: 10, Total: true, Want: adapters.AllFields})
	if err != nil || page.Total != 2 || page.Records[1].Key != "e" {
		t.Fatalf("%v %v", page, err)
	}
}

// TestDangerRevokedSession: a session ends on the other side, where nothing tells
// it apart from an empty directory. The proof opens a new one, and the question is
// asked again: the old answer must not be believed because the new session is good.
func TestDangerRevokedSession(t *testing.T) {
	d := &door{}
	handler := func(w http.ResponseWriter, r *http.Request) {
		known := d.knows(r.Header.Get("X-Token"))
		switch {
		case r.URL.Path == "/login":
			reply(w, 200, map[string]any{"token": d.open()})
		case r.URL.Path == "/me" && !known:
			reply(w, 403, nil)
		case r.URL.Path == "/me":
			reply(w, 200, map[string]any{"admin": true})
		case r.URL.Path == "/users" && known:
			reply(w, 200, map[string]any{"users": users(1, 1), "total": 1})
		case r.URL.Path == "/users":
			reply(w, 200, map[string]any{"users": []any{}, "total": 0})
		case known:
			reply(w, 200, user(1))
		default:
			reply(w, 404, nil)
		}
	}
	for _, pages := range []bool{false, true} {
		a := single(t, handler, func(c *rest.Config, target *rest.Target) {
			c.Login = &rest.Login{Steps: step("post", "/login", letting("token", "body.token")), Headers: pairs("X-Token", "session.token"), Again: text("status in [401, 403]")}
			c.Probe = &rest.Probe{Step: step("get", "/me")[0], Expect: text("body.admin")}
			target.List[0].Ordered = pages
		})
		for what, ask := range map[string]func() (int, error){
			"a list": func() (int, error) {
				p, err := a.List(t.Context(), adapters.Query{Limit: 10})
				return len(p.Records), err
			},
			"a look-up": func() (int, error) { p, err := a.List(t.Context(), byName("user 1")); return len(p.Records), err },
			"a record":  func() (int, error) { _, err := a.Get(t.Context(), "1", adapters.AllFields); return 1, err },
		} {
			for range 2 {
				if n, err := ask(); n != 1 || err != nil {
					t.Errorf("pages passed through %t: %s: %d, %v", pages, what, n, err)
				}
				d.expire()
			}
		}
	}
}

// TestFindWhen: a find that does not answer a filter is not asked; the list is
// walked instead.
func TestFindWhen(t *testing.T) {
	asked := []string{}
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if n := r.URL.Query().Get("name"); n != "" {
			asked = append(asked, n)
			reply(w, 200, map[string]any{"users": []any{}, "total": 0})
			return
		}
		reply(w, 200, map[string]any{"users": []any{map[string]any{"id": 1, "name": "Zoë"}}, "total": 1})
	}, func(_ *rest.Config, target *rest.Target) {
		target.Finds[0].Steps[0].When = text(`filter.value matches "^[a-z]*$"`)
	})
	if page, err := a.List(t.Context(), byName("Zoë")); err != nil || len(page.Records) != 1 {
		t.Errorf("%v %v", page, err)
	}
	if _, err := a.List(t.Context(), byName("zoe")); err != nil || !slices.Equal(asked, []string{"zoe"}) {
		t.Errorf("asked for %v, %v", asked, err)
	}
}

// TestDeleteFallsBack covers row 22: what cannot be deleted is deactivated.
func TestDeleteFallsBack(t *testing.T) {
	var calls []string
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			calls = append(calls, strings.TrimSpace(r.Method+" "+fmt.Sprint(readBody(r)["active"])))
		}
		switch {
		case r.Method == http.MethodDelete && segments(r)[1] == "1":
			reply(w, 409, map[string]any{"error": "has documents"})
		default:
			reply(w, 200, user(number(segments(r)[1], 0)))
		}
	}, func(_ *rest.Config, target *rest.Target) {
		target.Delete = slices.Concat(step("delete", "/users/{key}", named("gone"), failing("status == 409", "none", "")),
			step("put", "/users/{key}", when("steps.gone.status == 409"), send("{active: false}")))
	})
	for _, key := range []adapters.Key{"1", "2"} {
		if err := a.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"DELETE <nil>", "PUT false", "DELETE <nil>"}; !slices.Equal(calls, want) {
		t.Errorf("the calls are %v, want %v", calls, want)
	}
}

// TestCreateReactivates covers row 23: a create that clashes with a leftover that
// is disabled brings it back; with one that is not, it fails.
func TestCreateReactivates(t *testing.T) {
	rows := map[string]map[string]any{"old": {"id": 1, "name": "old", "active": false}, "taken": {"id": 2, "name": "taken", "active": true}}
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		in := readBody(r)
		switch r.Method {
		case http.MethodPost:
			if rows[in["name"].(string)] != nil {
				reply(w, 422, map[string]any{"error": "taken"})
				return
			}
			reply(w, 201, map[string]any{"id": 3, "name": in["name"], "active": true})
		case http.MethodPut:
			rows["old"]["active"] = in["active"]
			reply(w, 200, nil)
		default:
			if n := r.URL.Query().Get("name"); n != "" {
				reply(w, 200, rows[n])
				return
			}
			reply(w, 200, rows[map[string]string{"1": "old", "2": "taken"}[segments(r)[1]]])
		}
	}, func(_ *rest.Config, target *rest.Target) {
		target.Create = slices.Concat(
			step("post", "/users", named("new"), send("record"), key("body.id ?? 0"), failing(`body.error == "taken"`, "none", "")),
			step("get", "/users", named("old"), when("steps.new.status == 422"), query("name", "record.name")),
			computing(when("steps.old?.body.active == true"), failing("true", "exists", "name")),
			step("put", "/users/{steps.old.body.id}", when("steps.new.status == 422"), send("record"), key("steps.old.body.id")))
	})
	for name, want := range map[string]adapters.Key{"old": "1", "new": "3"} {
		rec, err := a.Create(t.Context(), newRecord(a, "name", name, "active", true), adapters.Fields{})
		if name == "new" {
			err = nil // its row is not kept
			rec.Key = want
		}
		if err != nil || rec.Key != want {
			t.Errorf("%s: %v %v", name, rec.Key, err)
		}
	}
	if rows["old"]["active"] != true {
		t.Error("the leftover was not brought back")
	}
	_, err := a.Create(t.Context(), newRecord(a, "name", "taken", "active", true), adapters.Fields{})
	wantKind(t, "a name that is in use", err, adapters.Exists)
}

// TestPatternsAreConstants: a regular expression is never data.
func TestPatternsAreConstants(t *testing.T) {
	for _, e := range []string{`match(body.x, body.y)`, `rewrite(body.x, "(", "")`} {
		b, _, err := rest.Open(rest.Config{URL: "http://127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		_, problems := b.New(rest.Target{Fields: []string{"name"}, Key: []string{"id"}, List: step("get", "/", records(e))})
		if len(problems) == 0 || !strings.Contains(problems[0].Message, "must be a constant") {
			t.Errorf("%s: %v", e, problems)
		}
	}
}

// TestWrite covers row 55: what is sent of a field has the backend's type, whether
// the client said it or it was read.
func TestWrite(t *testing.T) {
	row, sent := map[string]any{"id": 1, "name": "a", "active": true, "age": 3}, map[string]any{}
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			sent = readBody(r)
		}
		reply(w, 200, row)
	}, func(_ *rest.Config, target *rest.Target) {
		target.Write = pairs("active", `value == "true"`, "age", `{years: int(value)}`)
		target.Update[0].Send = text("record")
	})
	change := adapters.Delta{Set: []adapters.Change{{Field: "age", Old: int64(3), New: "4"}}}
	if _, err := a.Update(t.Context(), "1", change, adapters.Fields{}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(sent); got != "map[active:true age:map[years:4] name:a]" {
		t.Errorf("sent %v", got)
	}
	if _, is := sent["active"].(bool); !is {
		t.Errorf("active is a %T", sent["active"])
	}
	change.Set[0].New = "many"
	_, err := a.Update(t.Context(), "1", change, adapters.Fields{})
	wantKind(t, "a value that cannot be written", err, adapters.Invalid)
}

// TestFindIsCut: a find that says that it left records out is no answer; the list
// is walked instead.
func TestFindIsCut(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("name") != "" {
			reply(w, 200, map[string]any{"users": []any{}, "total": 0, "truncated": true})
			return
		}
		reply(w, 200, map[string]any{"users": users(1, 3), "total": 3})
	}, func(_ *rest.Config, target *rest.Target) { target.Finds[0].Steps[0].Truncated = text("body.truncated") })
	if page, err := a.List(t.Context(), byName("user 2")); err != nil || len(page.Records) != 1 {
		t.Errorf("%v %v", page, err)
	}
}
