package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// Capabilities of docs/backends.md that no whole shape needs.

// TestTokenInHeader covers row 3: the token is in a header of the log-in's answer.
func TestTokenInHeader(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login":
			w.Header().Set("X-Subject-Token", "t 1")
			reply(w, 201, nil)
		case r.Header.Get("X-Auth-Token") != "t 1":
			reply(w, 401, nil)
		default:
			reply(w, 200, user(1))
		}
	}, func(c *rest.Config, _ *rest.Target) {
		c.Login = &rest.Login{Steps: step("post", "/login", letting("token", `header("X-Subject-Token")`)), Headers: pairs("X-Auth-Token", "session.token")}
	})
	if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil {
		t.Error(err)
	}
}

// recorder notes the writes that a server got, and refuses some.
func recorder(calls *[]string, refuse string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + r.URL.Path
		if r.Method != http.MethodGet {
			*calls = append(*calls, call)
		}
		if call == refuse {
			reply(w, 422, nil)
			return
		}
		reply(w, 200, user(1))
	}
}

func wantCalls(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: the calls are %v, want %v", what, got, want)
	}
}

// TestUndo covers row 15: when a later step fails, what was done is taken back,
// last first, also of a step that was repeated.
func TestUndo(t *testing.T) {
	for refuse, want := range map[string][]string{
		"":             {"POST /users", "PUT /users/1/roles/a", "PUT /users/1/roles/b", "POST /mail"},
		"POST /mail":   {"POST /users", "PUT /users/1/roles/a", "PUT /users/1/roles/b", "POST /mail", "DELETE /users/1/roles/b", "DELETE /users/1/roles/a", "DELETE /users/1"},
		"POST /users":  {"POST /users"},
		"PUT /nowhere": {"POST /users", "PUT /users/1/roles/a", "PUT /users/1/roles/b", "POST /mail"},
	} {
		var calls []string
		a := single(t, recorder(&calls, refuse), func(_ *rest.Config, target *rest.Target) {
			undo := func(path string) func(*rest.Step) {
				return func(s *rest.Step) { s.Undo = &step("delete", path)[0] }
			}
			target.Create = slices.Concat(
				step("post", "/users", named("new"), send("{name: record.name}"), record("body"), undo("/users/{steps.new.body.id}")),
				step("put", "/users/{steps.new.body.id}/roles/{item}", func(s *rest.Step) { s.Each = text(`split(record.note, ",")`) }, undo("/users/{steps.new.body.id}/roles/{item}")),
				step("post", "/mail", when("record.nick != nil"), send("record.nick")))
		})
		_, err := a.Create(t.Context(), newRecord(a, "name", "user 1", "nick", "n", "note", "a,b"), adapters.Fields{})
		if failed := strings.HasPrefix(refuse, "POST"); failed != (err != nil) {
			t.Errorf("%q is refused: %v", refuse, err)
		}
		wantCalls(t, refuse+" is refused", calls, want...)
	}
}

// TestOwnCallsForActive covers row 28: locking and unlocking are calls of their
// own, and the state is read elsewhere.
func TestOwnCallsForActive(t *testing.T) {
	locked := false
	var calls []string
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/users/1/lock", "/users/1/unlock":
			calls = append(calls, r.URL.Path)
			locked = strings.HasSuffix(r.URL.Path, "/lock")
			w.WriteHeader(204)
		case "/users/1/state":
			reply(w, 200, map[string]any{"locked": locked})
		default:
			reply(w, 200, user(1))
		}
	}, func(_ *rest.Config, target *rest.Target) {
		target.Get = slices.Concat(step("get", "/users/{key}", record("body")),
			step("get", "/users/{key}/state", when(`needs("active")`), record("{active: not body.locked}")))
		target.Update = slices.Concat(
			step("post", "/users/{key}/unlock", when(`changed("active") && changes.active`)),
			step("post", "/users/{key}/lock", when(`changed("active") && not changes.active`)))
	})
	for _, active := range []bool{false, true} {
		d := adapters.Delta{Set: []adapters.Change{{Field: "active", Old: !active, New: active}}}
		rec, err := a.Update(t.Context(), "1", d, adapters.AllFields)
		if err != nil || rec.Get("active") != active {
			t.Errorf("active %t: %v %v", active, rec.Get("active"), err)
		}
	}
	wantCalls(t, "off and on", calls, "/users/1/lock", "/users/1/unlock")
}

// TestMembershipObjects covers row 44: a membership has an id of its own, which
// is found before it is deleted.
func TestMembershipObjects(t *testing.T) {
	rows := map[int][2]string{}
	last := 70
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		q, list := r.URL.Query(), []any{}
		switch {
		case r.Method == http.MethodPost:
			in := readBody(r)
			last++
			rows[last] = [2]string{fmt.Sprint(in["group"]), fmt.Sprint(in["user"])}
			reply(w, 201, nil)
		case r.Method == http.MethodDelete:
			delete(rows, number(segments(r)[1], 0))
			w.WriteHeader(204)
		case r.URL.Path == "/memberships":
			for id, m := range rows {
				if m[0] == q.Get("group") && (q.Get("user") == "" || m[1] == q.Get("user")) {
					list = append(list, map[string]any{"id": id, "user": m[1]})
				}
			}
			reply(w, 200, list)
		default:
			reply(w, 200, user(1))
		}
	}, func(_ *rest.Config, target *rest.Target) {
		find := func(more ...string) []rest.Step {
			return step("get", "/memberships", named("found"), query(append([]string{"group", "key"}, more...)...), records("body"))
		}
		target.Get = slices.Concat(step("get", "/users/{key}", record("body")), find(), computing(record("{members: map(steps.found.records, .user)}")))
		target.Members = []rest.Members{{Field: text("members"),
			Add: step("post", "/memberships", send("{group: key, user: item}")),
			Remove: slices.Concat(find("user", "item"),
				step("delete", "/memberships/{item.id}", func(s *rest.Step) { s.Each = text("steps.found.records") }))}}
	})
	change := func(add, remove []string) []string {
		d := adapters.Delta{Members: []adapters.MemberChange{{Field: "members", Add: add, Remove: remove}}}
		rec, err := a.Update(t.Context(), "1", d, adapters.AllFields)
		if err != nil {
			t.Error(err)
		}
		got, _ := rec.Get("members").([]string)
		slices.Sort(got)
		return got
	}
	wantCalls(t, "in", change([]string{"7", "8", "9"}, nil), "7", "8", "9")
	wantCalls(t, "out", change(nil, []string{"8"}), "7", "9")
	if len(rows) != 2 {
		t.Errorf("the backend holds %v", rows)
	}
}

// TestEncodedTwice covers row 56: an application that holds UTF-8 in columns of
// Windows-1252. What a client reads and writes is the text itself.
func TestEncodedTwice(t *testing.T) {
	held := map[string]any{"id": 1, "name": "JosÃ© â‚¬", "nick": "plain é"}
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			for k, v := range readBody(r) {
				held[k] = v
			}
		}
		if r.URL.Path == "/users" {
			reply(w, 200, map[string]any{"users": []any{held}, "total": 1})
			return
		}
		reply(w, 200, held)
	}, func(_ *rest.Config, target *rest.Target) {
		target.Read = pairs("name", "utf8Once(item.name)", "nick", "utf8Once(item.nick)")
		target.Write = pairs("name", "utf8Twice(value)")
		target.Finds[0].Steps[0].Query = pairs("name", "utf8Twice(filter.value)", "offset", "page.offset")
	})
	rec, err := a.Get(t.Context(), "1", adapters.AllFields)
	if err != nil || rec.Get("name") != "José €" || rec.Get("nick") != "plain é" {
		t.Errorf("read %v, %v", rec.Values(), err)
	}
	if page, err := a.List(t.Context(), byName("José €")); err != nil || len(page.Records) != 1 {
		t.Errorf("found %v, %v", page.Records, err)
	}
	rec, err = a.Update(t.Context(), "1", adapters.Delta{Set: []adapters.Change{{Field: "name", Old: "José €", New: "Zoë 😀"}}}, adapters.AllFields)
	if err != nil || rec.Get("name") != "Zoë 😀" || held["name"] != "ZoÃ« ðŸ˜€" {
		t.Errorf("wrote %v, %v; the application holds %v", rec.Values(), err, held)
	}
}
