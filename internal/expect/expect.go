// Package expect holds what came against what a test in YAML wanted, and says what
// differs at the place where it was wanted.
//
// What is wanted is a part: attributes and fields that are not named may be as they
// like. It knows the tree of package config and nothing else of Postern.
package expect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/config"
)

// A Difference is something that is not as it was wanted.
type Difference struct {
	At      config.Text // where it was wanted
	Message string      // what came instead
	Hint    string
}

// Match compares JSON, as encoding/json has it with UseNumber, with what is wanted.
// Path names what is compared in messages: "", "emails[0].value".
func Match(want *config.Tree, got any, path string) []Difference {
	switch want.Kind {
	case config.MappingNode:
		return members(want, got, path)
	case config.ListNode:
		return items(want, got, path)
	case config.NullNode:
		if got != nil {
			return []Difference{{place(want), fmt.Sprintf("%s is %s", name(path), Show(got)), "none is wanted"}}
		}
		return nil
	}
	if wanted := want.Any(); !same(wanted, got) {
		return []Difference{{want.Text, fmt.Sprintf("%s is %s", name(path), Show(got)), ""}}
	}
	return nil
}

func members(want *config.Tree, got any, path string) []Difference {
	object, ok := got.(map[string]any)
	if !ok {
		return []Difference{{place(want), fmt.Sprintf("%s is %s", name(path), Show(got)), "a block is wanted"}}
	}
	var out []Difference
	for _, item := range want.Items {
		key := item.Key.Value
		v, there := object[key]
		if !there && item.Kind != config.NullNode {
			out = append(out, Difference{item.Key, fmt.Sprintf("%s has no %q", name(path), key), has(object)})
			continue
		}
		out = append(out, Match(item, v, strings.TrimPrefix(path+"."+key, "."))...)
	}
	return out
}

func items(want *config.Tree, got any, path string) []Difference {
	list, ok := got.([]any)
	if !ok {
		return []Difference{{place(want), fmt.Sprintf("%s is %s", name(path), Show(got)), "a list is wanted"}}
	}
	if len(list) != len(want.Items) {
		return []Difference{{place(want), fmt.Sprintf("%s has %s", name(path), count(len(list))), Show(got)}}
	}
	var out []Difference
	for i, item := range want.Items {
		out = append(out, Match(item, list[i], fmt.Sprintf("%s[%d]", path, i))...)
	}
	return out
}

// place is where a difference of a whole node is shown: at its key, if it has one.
func place(t *config.Tree) config.Text {
	if t.Key.Line > 0 {
		return t.Key
	}
	return t.Text
}

func name(path string) string {
	if path == "" {
		return "the answer"
	}
	return path
}

func count(n int) string {
	switch n {
	case 0:
		return "no element"
	case 1:
		return "1 element"
	}
	return fmt.Sprintf("%d elements", n)
}

// has lists what there is.
func has(object map[string]any) string {
	keys := slices.Sorted(maps.Keys(object))
	if len(keys) == 0 {
		return "there is nothing"
	}
	if len(keys) > 8 {
		keys = append(keys[:8], "…")
	}
	return "there is " + strings.Join(keys, ", ")
}

// same compares two scalars. Numbers are equal by value, and a number never equals
// a text.
func same(want, got any) bool {
	w, wNumber := number(want)
	g, gNumber := number(got)
	if wNumber || gNumber {
		return wNumber && gNumber && w == g
	}
	return want == got
}

func number(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return strconv.FormatFloat(f, 'g', -1, 64), true
		}
		return v.String(), true
	}
	return "", false
}

// maxShown bounds what of a value is shown.
const maxShown = 100

// Show is a value for people.
func Show(v any) string {
	if v == nil {
		return "not there"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := []rune(strings.TrimSuffix(b.String(), "\n"))
	if len(text) > maxShown {
		return string(text[:maxShown]) + "…"
	}
	return string(text)
}
