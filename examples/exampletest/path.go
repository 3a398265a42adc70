package exampletest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Paths are those of SCIM in the forms that mappings have: userName,
// name.givenName, emails[type eq "work"].value, and any of them behind the URN of
// an extension and a colon.

// A place is a path taken apart.
type place struct{ urn, attr, kind, sub string }

func parse(path string) place {
	var p place
	if strings.HasPrefix(path, "urn:") {
		i := strings.LastIndex(path[:strings.IndexAny(path+"[", "[")], ":")
		p.urn, path = path[:i], path[i+1:]
	}
	before, inside, filtered := strings.Cut(path, "[type eq \"")
	if !filtered {
		p.attr, p.sub, _ = strings.Cut(path, ".")
		return p
	}
	p.attr = before
	p.kind, p.sub, _ = strings.Cut(inside, "\"].")
	return p
}

// At is the value under a path, nil if there is none.
func At(r Resource, path string) any {
	p := parse(path)
	if p.urn != "" {
		r, _ = r[p.urn].(map[string]any)
	}
	v := r[p.attr]
	if p.kind != "" {
		list, _ := v.([]any)
		v = nil
		for _, e := range list {
			if m, _ := e.(map[string]any); m["type"] == p.kind {
				v = m
			}
		}
	}
	if p.sub != "" {
		m, _ := v.(map[string]any)
		v = m[p.sub]
	}
	return v
}

// set puts a value where At finds it; what leads there must exist.
func set(r Resource, path string, v any) {
	p := parse(path)
	if p.urn != "" {
		r = r[p.urn].(map[string]any)
	}
	switch {
	case p.kind != "":
		for _, e := range r[p.attr].([]any) {
			if m := e.(map[string]any); m["type"] == p.kind {
				m[p.sub] = v
			}
		}
	case p.sub != "":
		r[p.attr].(map[string]any)[p.sub] = v
	default:
		r[p.attr] = v
	}
}

// Equal compares what was sent with what is shown.
func Equal(a, b any) bool { return equal(a, b) }

// equal compares values as SCIM does: no value and an empty one are the same.
func equal(a, b any) bool {
	none := func(v any) bool { return v == nil || v == "" }
	return none(a) && none(b) || text(a) == text(b)
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// compare is a filter.
func compare(path, op string, v any) string {
	p := parse(path)
	if p.kind == "" {
		return fmt.Sprintf("%s %s %s", path, op, text(v))
	}
	attr := p.attr
	if p.urn != "" {
		attr = p.urn + ":" + attr
	}
	return fmt.Sprintf("%s[type eq %q and %s %s %s]", attr, p.kind, p.sub, op, text(v))
}

// Element is one value of a multi-valued attribute with its type.
func Element(kind string, more map[string]any) []any {
	e := map[string]any{"type": kind}
	for k, v := range more {
		e[k] = v
	}
	return []any{e}
}
