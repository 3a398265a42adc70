package steps

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// A field is where a value of the record is in the raw object, and how it is there.
type field struct {
	name  string
	path  []string // taken apart at the dots
	read  *Expr    // over item; instead of the path
	write *Expr    // over value: what is sent instead of it
	multi bool
	apart bool // members that have calls of their own
}

// look finds a field in a raw object: by its whole name first, then by its path.
func (f *field) look(raw map[string]any) any {
	if v, ok := raw[f.name]; ok {
		return v
	}
	var at any = raw
	for _, p := range f.path {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[p]
	}
	return at
}

// value reads the field of a raw object.
func (f *field) value(raw map[string]any, s Scope) (any, error) {
	v := f.look(raw)
	if f.read != nil {
		var err error
		if v, err = f.read.Eval(s.with(map[string]any{"item": raw})); err != nil {
			return nil, fmt.Errorf("the field %s cannot be read: %w", f.name, err)
		}
	}
	if f.multi {
		return texts(v), nil
	}
	return plain(v), nil
}

// texts are the values of a list; no list for none.
func texts(v any) any {
	var out []string
	for _, e := range listOf(v) {
		if t := textOf(plain(e)); t != "" {
			out = append(out, t)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// plain is a raw value as a record holds it. What is no single value is its JSON.
func plain(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int64, float64, time.Time, []byte:
		if adapters.NoValue(v) {
			return nil
		}
		return v
	case int:
		return int64(v)
	case []any:
		if len(v) == 0 {
			return nil
		}
	case map[string]any:
		if text, mixed := v["#text"]; mixed { // an XML element with attributes
			return plain(text)
		}
		if len(v) == 0 {
			return nil
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(text)
}

// data is a value of a record as an expression, and a body, sees it.
func data(v any) any {
	switch v := v.(type) {
	case int64:
		return int(v)
	case time.Time:
		return adapters.Text(v)
	case []byte:
		return string(v)
	case []string:
		return listOf(v)
	}
	return v
}

// put stores a value under a path, making the objects on the way.
func put(m map[string]any, path []string, v any) {
	for _, p := range path[:len(path)-1] {
		next, ok := m[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[p] = next
		}
		m = next
	}
	m[path[len(path)-1]] = v
}

// object is a record as expressions see it: nested by the dots in field names.
// Fields without a value are left out.
func (a *Adapter) object(op string, r adapters.Record) (map[string]any, error) {
	out := map[string]any{}
	for i, f := range a.fields {
		if r.IsZero() || f.apart {
			continue
		}
		if v := r.Get(a.caps.Shape.Names()[i]); !adapters.NoValue(v) {
			raw, err := f.raw(op, v)
			if err != nil {
				return nil, err
			}
			put(out, f.path, raw)
		}
	}
	return out, nil
}

// raw is a value of the field as it is sent.
func (f *field) raw(op string, v any) (any, error) {
	if f.write == nil {
		return data(v), nil
	}
	text := data(v)
	if _, list := text.([]any); !list { // the same whether a client or the backend said it
		text = adapters.Text(v)
	}
	raw, err := f.write.Eval(Scope{"value": text})
	if err != nil {
		return nil, &adapters.Error{Kind: adapters.Invalid, Op: op, Field: f.name, Err: err}
	}
	return raw, nil
}

// changes are the new values of what changed; nothing, or what the
// configuration says instead, for what was taken away.
func (a *Adapter) changes(op string, set []adapters.Change) (map[string]any, error) {
	out := map[string]any{}
	for _, c := range set {
		f := a.fields[a.caps.Shape.Index(c.Field)]
		if f.apart {
			continue
		}
		v := a.o.Clear
		switch {
		case !adapters.NoValue(c.New):
			var err error
			if v, err = f.raw(op, c.New); err != nil {
				return nil, err
			}
		case f.multi:
			v = []any{}
		}
		put(out, f.path, v)
	}
	return out, nil
}

// record makes a record of a raw object: its key, and the fields wanted.
func (a *Adapter) record(raw map[string]any, want adapters.Fields, s Scope) (adapters.Record, error) {
	r := adapters.NewRecord(a.caps.Shape, a.keyOf(raw))
	for i, f := range a.fields {
		if !want.Has(i) && a.caps.Fields[i].Costly {
			continue
		}
		v, err := f.value(raw, s)
		if err != nil {
			if !want.Has(i) {
				continue
			}
			return r, err
		}
		r.SetAt(i, v)
	}
	return r, nil
}

// keyOf is the key that a raw object tells, "" if it does not.
func (a *Adapter) keyOf(raw map[string]any) adapters.Key {
	parts := make([]string, len(a.key))
	for i, f := range a.key {
		if parts[i] = textOf(plain(f.look(raw))); parts[i] == "" {
			return ""
		}
	}
	return adapters.JoinKey(parts...)
}

// said is a key as expressions see it: of several fields, a list of their values.
func (a *Adapter) said(k adapters.Key) any {
	if len(a.key) < 2 {
		return string(k)
	}
	parts, ok := adapters.SplitKey(k, len(a.key))
	if !ok {
		return string(k)
	}
	return listOf(parts)
}

var errText = errors.New("the text is no valid UTF-8")

// checkText refuses what no body could carry.
func (a *Adapter) checkText(op string, name string, v any) error {
	bad := false
	switch v := v.(type) {
	case string:
		bad = !utf8.ValidString(v)
	case []string:
		for _, s := range v {
			bad = bad || !utf8.ValidString(s)
		}
	}
	if bad {
		return &adapters.Error{Kind: adapters.Invalid, Op: op, Field: name, Err: errText}
	}
	return nil
}

func newField(name string) field { return field{name: name, path: strings.Split(name, ".")} }
