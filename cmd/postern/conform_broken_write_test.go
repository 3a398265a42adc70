package main

import (
	"strings"
)

// sent changes what comes in, before the server sees it.
func sent(method, path string, f func(o map[string]any)) func(*request) {
	return func(q *request) {
		if q.is(method, path) && q.body != nil {
			f(q.body)
		}
	}
}

var brokenSchemas = []breakage{
	{"S-01", broken{ask: sent("POST", "/Users", func(o map[string]any) { delete(o, "USERNAME") })}},
	{"S-06 S-07 S-08 S-09 S-11", broken{ask: sent("POST", "/Users", func(o map[string]any) {
		delete(o, "urn:example:scim:schemas:Sample")
		o["active"] = true
	})}},
	{"S-18", broken{ask: sent("POST", "/Users", func(o map[string]any) {
		for _, e := range asObjects(o["emails"]) {
			delete(e, "primary")
		}
	}), tell: edits(func(o map[string]any) {
		for _, e := range asObjects(o["emails"]) {
			e["primary"] = true
		}
	})}},
	{"S-21 U-03 U-04 U-13 G-09", broken{ask: idle("PUT")}},
	{"S-24", broken{tell: edits(func(o map[string]any) { o["schemas"] = append(o["schemas"].([]any), o["schemas"].([]any)[0]) })}},
	{"S-24 G-12 A-10", broken{tell: edits(func(o map[string]any) { delete(o, "schemas") })}},
	{"S-25", broken{tell: edits(func(o map[string]any) {
		for k, v := range asObject(o["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]) {
			o[k] = v
		}
	})}},
	{"S-26 P-34", broken{tell: edits(func(o map[string]any) { o["schemas"] = o["schemas"].([]any)[:1] })}},
	{"S-28", broken{ask: func(q *request) {
		if f := q.query.Get("filter"); strings.HasPrefix(f, "id eq") {
			q.query.Set("filter", strings.ToLower(f))
		}
	}}},
	{"S-32", broken{tell: edits(func(o map[string]any) { o["id"] = "bulkId:1" })}},
	{"S-33", broken{ask: sent("POST", "/Users", func(o map[string]any) {
		if e, ok := o["externalId"].(string); ok {
			o["externalId"] = strings.ToLower(e)
		}
	})}},
	{"S-33", broken{tell: edits(func(o map[string]any) { o["externalId"] = o["id"] })}},
	{"S-34", broken{tell: edits(func(o map[string]any) { asObject(o["meta"])["created"] = "1999-01-01T00:00:00Z" })}},
	{"S-35", broken{tell: edits(func(o map[string]any) { asObject(o["meta"])["lastModified"] = "2024-02-29 10:11:12" })}},
	{"S-35", broken{tell: edits(func(o map[string]any) { delete(asObject(o["meta"]), "resourceType") })}},
	{"S-36", broken{tell: func(_ *request, a *reply) { a.header.Set("ETag", `"other"`) }}},
	{"R-01", broken{ask: sent("POST", "/Users", func(o map[string]any) {
		if n, _ := o["userName"].(string); strings.HasPrefix(n, "CONFORM") {
			o["userName"] = "conform-another" + n[len(n)-8:]
		}
	})}},
	{"R-06 P-62", broken{tell: edits(func(o map[string]any) { o["password"] = "***" })}},
	{"R-11", broken{tell: edits(func(o map[string]any) { o["groups"] = []any{} })}},
	{"R-15 C-07 C-08 U-07", broken{tell: accepts}},
	{"R-16 U-13 X-07 P-47 P-48 P-14 P-63 P-60 B-06 B-07 A-09", broken{tell: edits(func(o map[string]any) { o["members"] = []any{map[string]any{"value": "x"}} })}},
	{"R-18", broken{tell: edits(func(o map[string]any) {
		for _, m := range asObjects(o["members"]) {
			m["$ref"] = nil
		}
	})}},
}

var brokenResources = []breakage{
	{"C-01", broken{tell: func(q *request, a *reply) {
		if q.method == "POST" && a.status == 201 {
			a.status = 200
		}
	}}},
	{"C-02", broken{tell: edits(func(o map[string]any) { o["groups"] = []any{map[string]any{"value": "conform-forged"}} })}},
	{"C-05 U-12 P-61", broken{tell: func(_ *request, a *reply) {
		if a.status == 409 {
			a.status = 400
		}
	}}},
	{"C-05 C-07 C-08 U-07", broken{tell: renames}},
	{"C-06", broken{tell: edits(func(o map[string]any) { asObject(o["meta"])["resourceType"] = "Group" })}},
	{"C-09", broken{ask: func(q *request) {
		if q.method == "DELETE" && q.one() {
			q.status = 204
		}
	}}},
	{"C-11 A-02 A-05 A-06", broken{ask: strips("attributes")}},
	{"C-17", broken{ask: func(q *request) {
		if q.is("POST", "/Groups") && q.body["members"] == nil {
			q.status = 400
		}
	}}},
	{"G-01", broken{tell: accepts}},
	{"G-02", broken{tell: func(_ *request, a *reply) { delete(a.body, "totalResults") }}},
	{"G-03", broken{tell: func(q *request, a *reply) {
		if a.body["totalResults"] == 0.0 {
			a.status = 404
		}
	}}},
	{"G-04", broken{tell: func(_ *request, a *reply) {
		if a.body["totalResults"] == 0.0 {
			delete(a.body, "Resources")
		}
	}}},
	{"G-04", broken{tell: func(_ *request, a *reply) {
		if a.body["totalResults"] == 0.0 {
			a.body["startIndex"] = "1"
		}
	}}},
	{"G-10", broken{tell: alternating()}},
	{"G-12", broken{tell: func(q *request, a *reply) {
		if q.query.Has("count") {
			for _, o := range a.list() {
				delete(o, "id")
			}
		}
	}}},
	{"G-13 X-02 X-05 X-07", broken{ask: func(q *request) {
		if q.method == "DELETE" && q.one() {
			q.status = 204
		}
	}}},
	{"M-01", broken{ask: answers("GET", "/Me", 500)}},
	{"U-02", broken{tell: accepts}},
	{"U-05", broken{tell: accepts}},
	{"U-06", broken{ask: func(q *request) {
		if q.method == "PUT" && q.body["id"] == "conform-forged" {
			q.status = 400
		}
	}}},
	{"U-08", broken{tell: func(q *request, a *reply) {
		if q.method == "PUT" && a.status == 200 {
			a.body = map[string]any{}
		}
	}}},
	{"U-11 P-12", broken{tell: counting()}},
	{"X-01", broken{tell: func(q *request, a *reply) {
		if q.method == "DELETE" && a.status == 204 {
			a.status, a.body = 200, map[string]any{}
		}
	}}},
	{"V-02", broken{tell: versions(`"same"`)}},
	{"V-03 B-13", broken{ask: func(q *request) {
		q.header.Del("If-Match")
		for _, o := range asObjects(q.body["Operations"]) {
			delete(o, "version")
		}
	}}},
	{"V-04 V-06", broken{ask: func(q *request) {
		if q.header.Get("If-Match") != "" {
			q.header.Set("If-Match", `"other"`)
		}
	}}},
	{"V-05 V-06", broken{ask: withoutHeader("If-None-Match")}},
	{"V-07", broken{tell: func(q *request, a *reply) {
		if q.query.Has("attributes") {
			a.header.Set("ETag", `"other"`)
		}
	}}},
	{"V-09", broken{ask: func(q *request) {
		if q.method == "PUT" && q.header.Get("If-Match") == "" {
			q.status = 428
		}
	}}},
}

// alternating turns every other list around.
func alternating() func(*request, *reply) {
	n := 0
	return func(q *request, a *reply) {
		list, ok := a.body["Resources"].([]any)
		if n++; ok && n%2 == 0 {
			for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
}

// counting gives every answer another version.
func counting() func(*request, *reply) {
	n := 0
	return edits(func(o map[string]any) {
		n++
		asObject(o["meta"])["version"] = n
	})
}

func versions(tag string) func(*request, *reply) {
	return func(_ *request, a *reply) {
		if a.header.Get("ETag") != "" {
			a.header.Set("ETag", tag)
		}
	}
}
