package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
)

// same checks that both servers give the same answers: of every task some, and
// of what may go wrong a few. They may differ in the ids, which must stand for the
// same records, and in the times of what was just written.
func same(facade, postern *server, users int) error {
	for _, t := range tasks(users) {
		r := [2]*rand.Rand{rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(7, 7))}
		for n := range 12 {
			at := n
			if t.grows {
				at = max(facade.serial, postern.serial)
			}
			a, b := t.make(facade, r[0], at), t.make(postern, r[1], at)
			if t.grows {
				facade.serial, postern.serial = at+1, at+1
			}
			if err := alike(facade, postern, a, b, t.status); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return sameBesides(facade, postern)
}

// sameBesides checks answers that are not timed.
func sameBesides(facade, postern *server) error {
	at := max(facade.serial, postern.serial) - 1 // the last that was created
	again := func(s *server) request { return create(s, rand.New(rand.NewPCG(1, 1)), at) }
	for _, c := range []struct {
		what   string
		status int
		make   func(*server) request
	}{
		{"a name that is taken", 409, again},
		{"a name in another case", 200, get(func(*server) string { return "/Users?filter=userName+eq+%22" + strings.ToUpper(loginOf(3)) + "%22" })},
		{"a name of nobody", 200, get(func(*server) string { return "/Users?filter=userName+eq+%22nobody%22" })},
		{"a hidden account", 200, get(func(*server) string { return "/Users?filter=userName+eq+%22root%22" })},
		{"a hidden manager", 200, get(func(s *server) string { return "/Users/" + s.users[0] })},
		{"an id of nobody", 404, get(func(*server) string { return "/Users/nobody" })},
		{"a team", 200, get(func(s *server) string { return "/Groups/" + s.teams[1] })},
		{"a page past the end", 200, get(func(*server) string { return "/Users?startIndex=90000000" })},
	} {
		if err := alike(facade, postern, c.make(facade), c.make(postern), c.status); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
	}
	return nil
}

func get(path func(*server) string) func(*server) request {
	return func(s *server) request { return request{method: "GET", path: path(s)} }
}

// alike sends a request to each and compares the answers.
func alike(facade, postern *server, a, b request, want int) error {
	left, err := facade.canonical(a, want)
	if err != nil {
		return err
	}
	right, err := postern.canonical(b, want)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(left, right) {
		l, _ := json.Marshal(left)
		r, _ := json.Marshal(right)
		return fmt.Errorf("%s %s: the answers differ\nfacade:  %s\npostern: %s", a.method, a.path, l, r)
	}
	return nil
}

// canonical is the answer to a request, with names for ids.
func (s *server) canonical(q request, want int) (any, error) {
	status, body, err := s.ask(q)
	if err != nil {
		return nil, err
	}
	if status != want {
		return nil, fmt.Errorf("%s: %s %s: status %d, not %d\n%s", s.name, q.method, q.path, status, want, body)
	}
	if len(body) == 0 {
		return nil, nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("%s: %s %s: %w", s.name, q.method, q.path, err)
	}
	if m, ok := v.(map[string]any); ok && status == 201 {
		s.names[fmt.Sprint(m["id"])] = "User " + fmt.Sprint(m["userName"])
	}
	return s.rename(v), nil
}

// rename puts names in the place of ids, and drops times of this year, which the
// two databases set a moment apart.
func (s *server) rename(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = s.rename(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = s.rename(e)
		}
		return v
	case string:
		if rest, ok := strings.CutPrefix(v, s.process.base); ok {
			v = rest
		}
		head, id := "", v
		if i := strings.LastIndexByte(v, '/'); i >= 0 {
			head, id = v[:i+1], v[i+1:]
		}
		if n, ok := s.names[id]; ok {
			return head + n
		}
		if len(v) == len("2006-01-02T15:04:05Z") && v[4] == '-' && v[10] == 'T' && v > "2025" {
			return "now"
		}
		return v
	}
	return v
}
