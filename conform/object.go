package conform

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// An Object is a JSON object.
type Object = map[string]any

// An attr names a place in a resource: an attribute, one of an extension, a part.
type attr struct{ urn, name, sub string }

// String is the name as paths and filters have it.
func (a attr) String() string {
	s := a.name
	if a.urn != "" {
		s = a.urn + ":" + s
	}
	if a.sub != "" {
		s += "." + a.sub
	}
	return s
}

// top is a top-level attribute.
func top(name string) attr {
	name, sub, _ := strings.Cut(name, ".")
	return attr{name: name, sub: sub}
}

// in is the value in a resource, nil if there is none.
func (a attr) in(o Object) any {
	if a.urn != "" {
		o = object(o[a.urn])
	}
	if a.sub == "" {
		return o[a.name]
	}
	return object(o[a.name])[a.sub]
}

// set puts a value into a resource; nil takes it away.
func (a attr) set(o Object, v any) {
	if a.urn != "" {
		o = within(o, a.urn)
	}
	if name := a.name; a.sub != "" {
		o, a.name = within(o, name), a.sub
	}
	if o[a.name] = v; v == nil {
		delete(o, a.name)
	}
}

func within(o Object, name string) Object {
	if in := object(o[name]); in != nil {
		return in
	}
	in := Object{}
	o[name] = in
	return in
}

func object(v any) Object {
	o, _ := v.(map[string]any)
	return o
}

// objects are the objects in a list.
func objects(v any) []Object {
	list, _ := v.([]any)
	var out []Object
	for _, e := range list {
		if o := object(e); o != nil {
			out = append(out, o)
		}
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// texts are the texts in a list.
func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		out = append(out, text(e))
	}
	return out
}

// values are one part of each element of a list, sorted.
func values(v any, sub string) []string {
	var out []string
	for _, o := range objects(v) {
		out = append(out, text(o[sub]))
	}
	slices.Sort(out)
	return out
}

// empty reports whether there is no value, in one of the ways of RFC 7643 section 2.5.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func same(a, b any) bool {
	return empty(a) && empty(b) || reflect.DeepEqual(plain(a), plain(b))
}

// plain is a value as JSON makes it.
func plain(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	_ = json.Unmarshal(data, &out)
	return out
}

func show(v any) string {
	if v == nil {
		return "absent"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// clone copies a resource.
func clone(o Object) Object {
	c, _ := plain(o).(map[string]any)
	return c
}

// over puts one object over another, part by part. "{n}" becomes the word.
func over(o, more Object, word string) {
	for _, k := range slices.Sorted(maps.Keys(more)) {
		v := spell(more[k], word)
		if in := object(v); in != nil && object(o[k]) != nil {
			over(object(o[k]), in, word)
			continue
		}
		o[k] = v
	}
}

func spell(v any, word string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "{n}", word)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = spell(e, word)
		}
		return out
	case map[string]any:
		out := Object{}
		for k, e := range v {
			out[k] = spell(e, word)
		}
		return out
	}
	return v
}

// An op is an operation of a PATCH.
type op struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

const (
	messages  = "urn:ietf:params:scim:api:messages:2.0:"
	patchURN  = messages + "PatchOp"
	userURN   = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	entURN    = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	listURN   = messages + "ListResponse"
	errorURN  = messages + "Error"
	searchURN = messages + "SearchRequest"
	bulkURN   = messages + "BulkRequest"
)

func patchOf(ops []op) Object { return Object{"schemas": []string{patchURN}, "Operations": ops} }
