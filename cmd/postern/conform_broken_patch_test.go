package main

import (
	"strings"
)

// operations changes the operations of every PATCH.
func operations(f func(o map[string]any)) func(*request) {
	return func(q *request) {
		if q.method == "PATCH" {
			for _, o := range asObjects(q.body["Operations"]) {
				f(o)
			}
		}
	}
}

// halts refuses operations of a kind.
func halts(when func(o map[string]any) bool) func(*request) {
	return func(q *request) {
		if q.method == "PATCH" {
			for _, o := range asObjects(q.body["Operations"]) {
				if when(o) {
					q.status = 400
				}
			}
		}
	}
}

func path(o map[string]any) string { p, _ := o["path"].(string); return p }

var brokenPatches = []breakage{
	{"P-02 P-03 P-04 P-07 P-11 P-22 P-30 P-32 P-35 P-46 P-53 P-57 P-60 P-61 P-63 P-23 P-24 P-25 P-26", broken{tell: accepts}},
	{"P-02 P-04 P-22 P-30 P-32 P-46 P-53 P-60 P-63 P-23 P-24 P-25", broken{tell: renames}},
	{"P-05 P-06 P-36 P-37 P-38 P-39 P-41 P-42 P-43 P-44 P-45 P-48 P-49 P-50 P-51 P-52 P-54 P-55 P-58 P-14 P-20 P-27 P-28 P-29 P-33 P-34 P-56 R-22", broken{ask: idle("PATCH")}},
	{"P-05", broken{ask: halts(func(o map[string]any) bool { return o["op"] == "Replace" })}},
	{"P-06", broken{ask: func(q *request) {
		if all, ok := q.body["Operations"].([]any); ok && q.method == "PATCH" && len(all) > 1 {
			all[0], all[2] = all[2], all[0]
		}
	}}},
	{"P-07", broken{ask: func(q *request) { // the first operation is carried out, and the second is not even read
		if all, ok := q.body["Operations"].([]any); ok && q.method == "PATCH" && len(all) > 1 {
			q.body["Operations"] = all[:1]
		}
	}, tell: func(q *request, a *reply) {
		if q.method == "PATCH" && a.status == 200 {
			a.status = 400
		}
	}}},
	{"P-09", broken{tell: func(q *request, a *reply) {
		if q.method == "PATCH" && a.status == 200 {
			a.status, a.body = 204, nil
		}
	}}},
	{"P-38 P-51", broken{ask: func(q *request) { // the parts that are not named go
		if all := asObjects(q.body["Operations"]); q.method == "PATCH" && len(all) == 1 && all[0]["path"] == "name" {
			asObject(all[0]["value"])["familyName"] = nil
		}
	}}},
	{"P-39 P-41", broken{ask: operations(func(o map[string]any) {
		if o["op"] == "add" {
			o["op"] = "replace"
		}
	})}},
	{"P-42", broken{ask: operations(func(o map[string]any) {
		if o["op"] == "add" {
			o["op"] = "replace"
		}
	})}},
	{"P-43", broken{ask: halts(func(o map[string]any) bool { return o["op"] == "remove" })}},
	{"P-44", broken{ask: operations(func(o map[string]any) {
		if o["op"] == "remove" {
			o["path"], _, _ = strings.Cut(path(o), "[")
		}
	})}},
	{"P-45", broken{ask: operations(func(o map[string]any) {
		if o["op"] == "remove" {
			o["path"] = strings.TrimSuffix(path(o), ".display")
		}
	})}},
	{"P-47", broken{ask: halts(func(o map[string]any) bool { return o["op"] == "remove" })}},
	{"P-48", broken{ask: operations(func(o map[string]any) {
		if o["op"] == "remove" {
			delete(o, "value")
		}
	})}},
	{"P-49", broken{ask: halts(func(o map[string]any) bool { return path(o) == "" })}},
	{"P-52", broken{ask: operations(func(o map[string]any) {
		if i := strings.Index(path(o), "[type"); i > 0 && strings.HasSuffix(path(o), ".value") {
			o["path"] = path(o)[:i] + ".value"
		}
	})}},
	{"P-53", broken{ask: operations(func(o map[string]any) { o["op"] = "add" })}},
	{"P-54", broken{ask: operations(func(o map[string]any) {
		if o["value"] == nil {
			o["value"] = "null"
		}
	})}},
	{"P-55", broken{ask: halts(func(o map[string]any) bool { return o["value"] == "" })}},
	{"P-58", broken{ask: halts(func(o map[string]any) bool { return o["value"] == "False" })}},
	{"P-33", broken{tell: edits(func(o map[string]any) {
		for _, e := range asObjects(o["emails"])[:min(1, len(asObjects(o["emails"])))] {
			e["primary"] = true
		}
	})}},
	{"P-56", broken{ask: halts(func(o map[string]any) bool { return path(o) == "" })}},
	{"P-27", broken{ask: halts(func(o map[string]any) bool { return strings.HasPrefix(path(o), "urn:") })}},
}
