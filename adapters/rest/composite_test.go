package rest_test

import (
	"net/http"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// TestKeyOfSeveralFields: expressions see a key of several fields as a list.
func TestKeyOfSeveralFields(t *testing.T) {
	row := map[string]any{"user": "a|b", "host": `h\1/2`, "name": "x"}
	gone := false
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.EscapedPath() == "/users":
			reply(w, 200, map[string]any{"users": []any{row}, "total": 1})
		case r.URL.EscapedPath() == "/new":
			gone = false
			reply(w, 201, map[string]any{"user": row["user"], "host": row["host"]})
		case r.URL.EscapedPath() != "/hosts/h%5C1%2F2/users/a%7Cb" || gone:
			w.WriteHeader(404)
		case r.Method == "PUT":
			row["name"] = readBody(r)["name"]
			reply(w, 200, map[string]any{})
		case r.Method == "DELETE":
			gone = true
			w.WriteHeader(204)
		default:
			reply(w, 200, row)
		}
	}, func(_ *rest.Config, target *rest.Target) {
		const path = "/hosts/{key[1]}/users/{key[0]}"
		target.Key = []string{"user", "host"}
		target.Get, target.Update, target.Delete = step("get", path, record("body")), step("put", path, send("changes")), step("delete", path)
		target.Create = step("post", "/new", send("record"), key("[body.user, body.host]"))
	})
	page, err := a.List(t.Context(), adapters.Query{Limit: 9})
	if err != nil || len(page.Records) != 1 {
		t.Fatalf("%v, %v", page, err)
	}
	k := page.Records[0].Key
	if rec, err := a.Get(t.Context(), k, adapters.AllFields); err != nil || rec.Key != k || rec.Get("name") != "x" {
		t.Errorf("get: %v, %v", rec, err)
	}
	rec, err := a.Update(t.Context(), k, adapters.Delta{Set: []adapters.Change{{Field: "name", Old: "x", New: "y"}}}, adapters.AllFields)
	if err != nil || rec.Key != k || rec.Get("name") != "y" {
		t.Errorf("update: %v, %v", rec, err)
	}
	if err := a.Delete(t.Context(), k); err != nil || !gone {
		t.Errorf("delete: %v", err)
	}
	if rec, err := a.Create(t.Context(), newRecord(a, "name", "y"), adapters.AllFields); err != nil || rec.Key != k || rec.Get("name") != "y" {
		t.Errorf("create: %v, %v", rec, err)
	}
}

// TestComposedInQuery: an object, or a list in a list, stands in a query as JSON.
func TestComposedInQuery(t *testing.T) {
	var got string
	a := single(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query().Get("where") + r.URL.Query().Get("in")
		reply(w, 200, user(1))
	}, func(_ *rest.Config, target *rest.Target) {
		target.Get = step("get", "/users/{key}", query("where", `{id: key, also: [1, nil, {a: "x"}]}`, "in", "[[1, 2]]"), record("body"))
	})
	if _, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil || got != `{"also":[1,null,{"a":"x"}],"id":"1"}[1,2]` {
		t.Errorf("%s, %v", got, err)
	}
}
