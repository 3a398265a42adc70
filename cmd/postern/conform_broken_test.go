package main

import (
	"net/url"
	"strings"
)

// What broken servers do.

// accepts answers every refusal as if all had been well.
func accepts(_ *request, a *reply) {
	if a.status >= 400 {
		a.status, a.body = 200, map[string]any{"schemas": []any{}, "totalResults": 0, "Resources": []any{}}
	}
}

// idle carries no change out: it answers with what is there.
func idle(method string) func(*request) {
	return func(q *request) {
		if q.method == method && q.one() {
			q.method, q.body, q.raw, q.query = "GET", nil, "", nil
		}
	}
}

// edits changes every resource that is answered.
func edits(f func(o map[string]any)) func(*request, *reply) {
	return func(q *request, a *reply) {
		if a.status < 300 && (strings.HasPrefix(q.path, "/Users") || strings.HasPrefix(q.path, "/Groups")) {
			for _, o := range a.list() {
				f(o)
			}
		}
	}
}

// renames gives errors another keyword.
func renames(_ *request, a *reply) {
	if a.status >= 400 && a.body != nil {
		a.body["scimType"] = "tooMany"
	}
}

// answers answers every request of a kind with a status.
func answers(method, path string, status int) func(*request) {
	return func(q *request) {
		if q.is(method, path) {
			q.status = status
		}
	}
}

// strips takes parameters away from the question.
func strips(names ...string) func(*request) {
	return func(q *request) {
		for _, n := range names {
			q.query.Del(n)
			delete(q.body, n)
		}
	}
}

// blurs answers only the first part of a filter, as if the rest had not been said.
func blurs(q *request) {
	f := q.query.Get("filter")
	if i := strings.Index(f, " and "); i > 0 {
		q.query.Set("filter", f[:i])
	}
}

// asks changes the filter.
func asks(old, now string) func(*request) {
	return func(q *request) {
		if f := q.query.Get("filter"); f != "" {
			q.query.Set("filter", strings.ReplaceAll(f, old, now))
		}
	}
}

// withoutHeader takes a header away from the question.
func withoutHeader(name string) func(*request) { return func(q *request) { q.header.Del(name) } }

// lists turns the errors of queries into lists.
func lists(q *request, a *reply) {
	if q.method == "GET" && a.status == 400 {
		accepts(q, a)
	}
}

var brokenDiscovery = []breakage{
	{"D-01", broken{tell: ofConfig(func(c map[string]any) { delete(c, "sort") })}},
	{"D-01", broken{tell: ofConfig(func(c map[string]any) { c["schemas"] = []any{} })}},
	{"D-01", broken{tell: ofConfig(func(c map[string]any) { delete(asObject(c["bulk"]), "maxOperations") })}},
	{"D-02", broken{ask: answers("POST", "/Bulk", 501)}},
	{"D-02", broken{ask: answers("PATCH", "/", 501)}},
	{"D-02 C-12 V-01 V-05", broken{tell: func(_ *request, a *reply) { a.header.Del("ETag") }}},
	{"D-03", broken{tell: ofConfig(func(c map[string]any) { asObjects(c["authenticationSchemes"])[0]["type"] = "bearer" })}},
	{"D-04", broken{tell: func(q *request, a *reply) {
		if q.header.Get("Authorization") == "" {
			a.status = 401
		}
	}}},
	{"D-05", broken{ask: answers("GET", "/Schemas/", 404)}},
	{"D-05", broken{tell: discovered("/Schemas", func(a *reply) { a.body["totalResults"] = 1 })}},
	{"D-06", broken{ask: answers("GET", "/ResourceTypes/", 404)}},
	{"D-06", broken{tell: discovered("/ResourceTypes", func(a *reply) { a.body["schemas"] = []any{} })}},
	{"D-07", broken{ask: func(q *request) {
		if q.path == "/Schemas" || q.path == "/ResourceTypes" {
			q.query.Del("filter")
		}
	}}},
	{"D-08", broken{tell: discovered("/Schemas", func(a *reply) { a.list()[0]["id"] = "urn:ietf:params:scim:api:messages:2.0:PatchOp" })}},
	{"D-09", broken{tell: discovered("/ResourceTypes", func(a *reply) { a.list()[0]["schema"] = "urn:example:none" })}},
	{"D-10", broken{tell: discovered("/ResourceTypes", func(a *reply) { delete(a.list()[0], "endpoint") })}},
	{"D-10", broken{tell: discovered("/ResourceTypes", func(a *reply) {
		a.list()[0]["schemaExtensions"] = asObjects(a.list()[0]["schemaExtensions"])[0]
	})}},
	{"D-11", broken{tell: discovered("/ResourceTypes", func(a *reply) { a.list()[0]["id"] = "other" })}},
	{"D-12", broken{tell: discovered("/Schemas", func(a *reply) { delete(a.list()[0], "meta") })}},
	{"D-13", broken{tell: discovered("/Schemas", func(a *reply) { asObjects(a.list()[0]["attributes"])[0]["type"] = "text" })}},
	{"D-13", broken{tell: discovered("/Schemas", func(a *reply) { asObjects(a.list()[0]["attributes"])[0]["mutability"] = "readwrite" })}},
	{"D-14", broken{tell: discovered("/Schemas", func(a *reply) { asObjects(a.list()[0]["attributes"])[0]["canonicalValues"] = nil })}},
	{"D-15", broken{tell: discovered("/Schemas", func(a *reply) {
		a.list()[0]["attributes"] = append(a.list()[0]["attributes"].([]any), map[string]any{"name": "id", "type": "string", "mutability": "readWrite"})
	})}},
	{"D-17", broken{ask: answers("POST", "/Schemas", 201)}},
	{"D-19", broken{tell: edits(func(o map[string]any) { o["colour"] = "red" })}},
	{"D-20", broken{tell: func(q *request, a *reply) {
		if q.is("GET", "/Schemas/") {
			accepts(q, a)
		}
	}}},
	{"K-10", broken{tell: ofConfig(func(c map[string]any) { asObject(c["pagination"])["cursor"] = "yes" })}},
}

// ofConfig changes ServiceProviderConfig.
func ofConfig(f func(c map[string]any)) func(*request, *reply) {
	return discovered("/ServiceProviderConfig", func(a *reply) { f(a.body) })
}

func discovered(path string, f func(a *reply)) func(*request, *reply) {
	return func(q *request, a *reply) {
		if q.path == path && a.status == 200 {
			f(a)
		}
	}
}

var brokenHTTP = []breakage{
	{"H-01 H-02", broken{tell: func(_ *request, a *reply) { a.header.Set("Content-Type", "application/json") }}},
	{"H-01", broken{tell: func(_ *request, a *reply) {
		if a.status >= 400 {
			a.header.Set("Content-Type", "text/html")
		}
	}}},
	{"H-02", broken{ask: func(q *request) {
		if q.header.Get("Accept") == "" {
			q.status = 406
		}
	}}},
	{"H-03", broken{ask: func(q *request) {
		if q.header.Get("Content-Type") == "application/json" {
			q.status = 415
		}
	}}},
	{"H-04", broken{tell: accepts}},
	{"H-07", broken{ask: func(q *request) {
		if q.query.Has("conformUnknown") {
			q.status = 400
		}
	}}},
	{"H-09", broken{ask: answers("DELETE", "/Users", 204)}},
	{"H-10", broken{tell: func(q *request, a *reply) {
		if q.path == "/ConformNothing" {
			a.body, a.raw = nil, ""
		}
	}}},
	{"H-11", broken{ask: func(q *request) { q.path = decodedTwice(q.path) }}},
	{"H-13", broken{tell: func(_ *request, a *reply) { a.header.Del("Location") }}},
	{"H-14", broken{tell: edits(func(o map[string]any) {
		u, _ := url.Parse(asObject(o["meta"])["location"].(string))
		asObject(o["meta"])["location"] = u.Path
	})}},
	{"H-16", broken{ask: func(q *request) {
		if q.method == "POST" && q.body == nil {
			q.status = 500
		}
	}}},
	{"H-20", broken{ask: func(q *request) {
		if strings.HasPrefix(q.path, "/Users/conform-") {
			q.status = 200
		}
	}}},
	{"H-22", broken{ask: func(q *request) { q.path = strings.ReplaceAll(strings.ToLower(q.path), "/users", "/Users") }}},
	{"T-02", broken{tell: func(_ *request, a *reply) { a.header.Del("WWW-Authenticate") }}},
	{"T-03", broken{tell: func(_ *request, a *reply) { a.header.Set("WWW-Authenticate", "Bearer") }}},
	{"E-01", broken{tell: failed(func(a *reply) { a.body["status"] = a.status })}},
	{"E-01 H-10 E-09", broken{tell: failed(func(a *reply) { delete(a.body, "schemas") })}},
	{"E-02", broken{tell: failed(func(a *reply) { delete(a.body, "detail") })}},
	{"E-03", broken{tell: failed(func(a *reply) { a.body["status"] = "500" })}},
	{"E-04", broken{tell: failed(func(a *reply) { a.body["scimType"] = "wrong" })}},
}

// decodedTwice decodes a path once more than it should.
func decodedTwice(path string) string {
	out, err := url.PathUnescape(path)
	if err != nil {
		return path
	}
	return out
}

func failed(f func(a *reply)) func(*request, *reply) {
	return func(_ *request, a *reply) {
		if a.status >= 400 && a.body != nil {
			f(a)
		}
	}
}
