package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
	json   map[string]any
}

// check holds every answer to what all answers have in common.
func (a *answer) check(what string) {
	a.t.Helper()
	switch {
	case a.status == 204 && a.body != "":
		a.t.Errorf("%s: X-01: 204 with a body", what)
	case a.status != 204 && a.status != 304 && a.header.Get("Content-Type") != "application/scim+json":
		a.t.Errorf("%s: H-01: Content-Type %q", what, a.header.Get("Content-Type"))
	case a.status >= 400:
		if a.json["status"] != strconv.Itoa(a.status) || a.json["detail"] == "" || a.json["detail"] == nil {
			a.t.Errorf("%s: E-01, E-02, E-03: %s", what, a.body)
		}
	}
	if strings.Contains(a.body, "null") && strings.Contains(a.body, ":null") {
		a.t.Errorf("%s: S-22: a null in %s", what, a.body)
	}
}

// want checks the status and stops the test if it is another.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// at walks to a value: "name.givenName", "emails.0.value". A URN is one step.
func (a *answer) at(path string) any {
	var v any = a.json
	for path != "" {
		step, rest, _ := strings.Cut(path, ".")
		switch w := v.(type) {
		case map[string]any:
			for k := range w {
				if len(k) > len(step) && (path == k || strings.HasPrefix(path, k+".")) {
					step, rest = k, strings.TrimPrefix(path[len(k):], ".")
				}
			}
			v = w[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(w) {
				return nil
			}
			v = w[i]
		default:
			return nil
		}
		path = rest
	}
	return v
}

// is checks a value as text; "" means that there is none.
func (a *answer) is(path, want string) *answer {
	a.t.Helper()
	got := ""
	switch v := a.at(path).(type) {
	case nil:
	case float64:
		got = strconv.FormatFloat(v, 'f', -1, 64)
	default:
		got = fmt.Sprint(v)
	}
	if got != want {
		a.t.Errorf("%s is %q, want %q in %s", path, got, want, a.body)
	}
	return a
}

func (a *answer) keep(r *rig, name string) *answer {
	a.t.Helper()
	id, _ := a.at("id").(string)
	if id == "" {
		a.t.Fatalf("no id in %s", a.body)
	}
	r.vars[name] = id
	return a
}

// values lists one sub-attribute of a multi-valued attribute, sorted.
func (a *answer) values(attr, sub string) []string {
	var out []string
	list, _ := a.at(attr).([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, fmt.Sprint(m[sub]))
		}
	}
	slices.Sort(out)
	return out
}
