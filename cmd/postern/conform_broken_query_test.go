package main

import (
	"fmt"
	"strings"
)

var brokenQueries = []breakage{
	{"F-02", broken{ask: strips("filter")}},
	{"F-03 F-04 F-05 F-06 F-07 F-08 F-09 F-10 F-13 F-14 F-16 F-18 F-19 F-22 F-24 F-25 F-26 F-27 F-31 F-35", broken{ask: blurs, tell: everybody}},
	{"F-11 F-15 F-17 F-20 F-23 F-28 F-32 G-08 O-04 O-07 N-07 A-04 K-06", broken{tell: lists}},
	{"F-11 F-15 F-17 F-20 F-23 F-28 F-32 G-08 K-06", broken{tell: renames}},
	{"F-03", broken{ask: asks(" EQ ", " zz ")}},
	{"F-05", broken{ask: asks(`eq "alpha" or title eq "Bravo"`, `eq "alpha" and title eq "Bravo"`)}},
	{"F-06", broken{ask: asks("not(", "no(")}},
	{"F-09", broken{ask: asks("].value eq", "] and id eq")}},
	{"F-13", broken{ask: asks("ALPHA", "none")}},
	{"F-14", broken{ask: asks(` ne "alpha"`, ` ne "alpha" and title pr`)}},
	{"F-26", broken{ask: asks(` sw "_lpha"`, ` sw "alpha"`)}},
	{"F-26", broken{ask: asks(` sw "LP"`, ` co "LP"`)}},
	{"F-31", broken{ask: asks(" ge ", " gt ")}},
	{"F-31", broken{ask: asks(" lt ", " le ")}},
	{"F-18", broken{ask: asks(`"2000-01-01T02:00:00+02:00"`, `"2100-01-01T02:00:00Z"`)}},
	{"F-16", broken{ask: asks(" pr", ` sw "a"`)}},
	{"F-27", broken{ask: asks(" eq null", ` eq "null"`)}},
	{"H-12", broken{ask: asks("a+b", "a b")}},
	{"O-02 O-04", broken{ask: func(q *request) {
		if q.query.Get("sortBy") != "" {
			q.query.Set("sortOrder", "descending")
		}
	}}},
	{"O-03", broken{ask: func(q *request) {
		if q.query.Get("sortBy") == "title" {
			q.query.Set("sortBy", "userName")
			q.query.Set("sortOrder", "descending")
		}
	}}},
	{"O-05", broken{ask: func(q *request) {
		if q.query.Get("sortBy") == "title" {
			q.query.Set("sortBy", "userName")
		}
	}}},
	{"N-01", broken{tell: func(q *request, a *reply) {
		if q.query.Has("startIndex") {
			a.body["startIndex"] = q.query.Get("startIndex")
		}
	}}},
	{"N-02 N-05", broken{ask: strips("count")}},
	{"N-04", broken{ask: func(q *request) {
		if q.query.Get("count") == "100000" {
			q.status = 400
		}
	}}},
	{"N-05", broken{tell: func(_ *request, a *reply) {
		if list, ok := a.body["Resources"].([]any); ok {
			a.body["totalResults"] = len(list)
		}
	}}},
	{"N-06", broken{ask: strips("startIndex")}},
	{"K-01 K-02", broken{ask: strips("cursor")}},
	{"K-02", broken{tell: func(_ *request, a *reply) {
		if a.body["Resources"] != nil {
			a.body["nextCursor"] = "x"
		}
	}}},
	{"K-03", broken{tell: func(q *request, a *reply) {
		if q.query.Has("cursor") {
			a.body["previousCursor"] = "x"
		}
	}}},
	{"K-04", broken{tell: func(_ *request, a *reply) {
		if c, ok := a.body["nextCursor"].(string); ok {
			a.body["nextCursor"] = c + "=="
		}
	}}},
	{"K-11", broken{ask: func(q *request) { delete(q.body, "cursor") }}},
	{"A-02", broken{tell: func(q *request, a *reply) {
		if q.query.Has("attributes") {
			delete(a.body, "id")
		}
	}}},
	{"A-03 A-09", broken{ask: strips("excludedAttributes")}},
	{"A-03", broken{tell: func(q *request, a *reply) {
		if q.query.Get("excludedAttributes") == "id" {
			delete(a.body, "id")
		}
	}}},
	{"A-08", broken{ask: func(q *request) {
		if strings.Contains(q.query.Encode(), "conformUnknown") {
			q.status = 400
		}
	}}},
	{"Q-01 Q-03", broken{tell: func(q *request, a *reply) {
		if strings.HasSuffix(q.path, ".search") {
			a.status = 201
		}
	}}},
	{"Q-02", broken{ask: strips("attributes")}},
	{"Q-02", broken{ask: func(q *request) { delete(q.body, "startIndex") }}},
	{"Q-04", broken{tell: accepts}},
}

// everybody answers all of the crowd, whatever the filter says, or some of it where
// all are wanted.
func everybody(q *request, a *reply) {
	if list, ok := a.body["Resources"].([]any); ok && len(list) > 4 {
		a.body["Resources"] = list[1:]
	}
}

var brokenBulk = []breakage{
	{"B-02", broken{tell: bulk(func(a *reply) { a.body["schemas"] = []any{} })}},
	{"B-03 B-04 B-05 B-11 B-13 B-19 B-20", broken{tell: bulk(func(a *reply) {
		for _, o := range asObjects(a.body["Operations"]) {
			o["status"] = "200"
		}
	})}},
	{"B-05", broken{tell: bulk(func(a *reply) {
		for _, o := range asObjects(a.body["Operations"]) {
			delete(o, "bulkId")
		}
	})}},
	{"B-06 B-07", broken{ask: func(q *request) {
		for _, o := range asObjects(q.body["Operations"]) {
			delete(asObject(o["data"]), "members")
		}
	}}},
	{"B-09", broken{ask: func(q *request) { delete(q.body, "failOnErrors") }}},
	{"B-10", broken{tell: bulk(func(a *reply) { a.body["failOnErrors"] = 5 })}},
	{"B-11 B-20", broken{tell: bulk(func(a *reply) { a.status = 400 })}},
	{"B-12", broken{tell: bulk(func(a *reply) {
		for _, o := range asObjects(a.body["Operations"]) {
			o["status"] = map[string]any{"code": fmt.Sprint(o["status"])}
		}
	})}},
	{"B-12", broken{tell: bulk(func(a *reply) {
		for _, o := range asObjects(a.body["Operations"]) {
			delete(o, "response")
		}
	})}},
	{"B-14 B-15", broken{tell: accepts}},
	{"B-18", broken{ask: func(q *request) {
		if all := asObjects(q.body["Operations"]); len(all) == 1 && all[0]["method"] == "PATCH" {
			all[0]["data"] = map[string]any{"schemas": asObject(all[0]["data"])["schemas"], "Operations": []any{}}
		}
	}}},
}

// bulk changes what is answered to bulk requests.
func bulk(f func(a *reply)) func(*request, *reply) {
	return func(q *request, a *reply) {
		if q.path == "/Bulk" && a.status == 200 && a.body["Operations"] != nil {
			f(a)
		}
	}
}
