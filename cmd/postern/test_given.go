package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// give puts what the test gives in place of the backends.
func (a *attempt) give() bool {
	t := a.test
	rec := &trace.Recording{}
	if len(t.Answers) > 0 {
		for _, b := range a.cfg.Backends {
			a.run.answered[b.Name.Value] = b.Type.Value == restKind
		}
		rec.Steps = []trace.Step{{}}
		for _, item := range t.Answers {
			e, ok := a.answer(item)
			if !ok {
				return false
			}
			rec.Steps[0].Exchanges = append(rec.Steps[0].Exchanges, e)
		}
	}
	a.run.tape = trace.New(trace.Options{Replay: rec, Secrets: secrets(a.cfg)})
	if t.Record != nil {
		key, ok := a.record(a.mapping, t.Record)
		if a.key = key; !ok {
			return false
		}
	}
	return a.records()
}

func (a *attempt) records() bool {
	if a.test.Records == nil {
		return true
	}
	for _, typ := range a.test.Records.Items {
		i := slices.IndexFunc(a.mappings, func(m *rules.Mapping) bool { return m.Type.Name == typ.Key.Value })
		if i < 0 {
			a.wrong(typ.Key, "known here: "+typeNames(a.cfg), "there is no resource type %q", typ.Key.Value)
			return false
		}
		for _, item := range typ.Items {
			if _, ok := a.record(a.mappings[i], item); !ok {
				return false
			}
		}
	}
	return true
}

// record reads a record that is given. Without a key its key is 1.
func (a *attempt) record(m *rules.Mapping, t *config.Tree) (key string, ok bool) {
	if t.Kind != config.MappingNode {
		a.wrong(t.Text, "as in {emp_no: 7, login: ada}", "a record is a block of fields")
		return "", false
	}
	r := givenRecord{Fields: map[string]any{}}
	held := map[string]string{}
	for _, item := range t.Items {
		name, known := fieldNamed(m, item.Key.Value)
		v, ok := fieldValue(m, name, item)
		if !ok {
			a.wrong(item.Key, "", "a field holds one value, a list of texts, or elements with the columns that the mapping names")
			return "", false
		}
		held[item.Key.Value] = adapters.Text(v)
		if known {
			r.Fields[name] = v
		} else if n := config.Nearest(item.Key.Value, m.Shape().Names()); n != "" && !slices.Contains(m.Key(), item.Key.Value) {
			a.wrong(item.Key, fmt.Sprintf("did you mean %q?", n), "the mapping of %s names no field %q", m.Type.Name, item.Key.Value)
			return "", false
		}
	}
	var parts []string
	for _, k := range m.Key() {
		part := held[k]
		if part == "" {
			part = "1"
		}
		parts = append(parts, part)
		if m.Shape().Index(k) >= 0 && r.Fields[k] == nil {
			r.Fields[k] = part
		}
	}
	r.Key = adapters.JoinKey(parts...)
	a.run.stands[m.Type.Name] = append(a.run.stands[m.Type.Name], r)
	return string(r.Key), true
}

// elementsOf are rows as a test gives them, by their columns.
func elementsOf(rows rules.RowsField, t *config.Tree) (any, bool) {
	out := []adapters.Record{}
	for _, item := range t.Items {
		columns, ok := item.Any().(map[string]any)
		if !ok {
			return nil, false
		}
		e := adapters.NewRecord(rows.Shape, "")
		for name, v := range columns {
			for _, l := range rows.Lookups {
				if l.Column == name {
					name = l.Field
				}
			}
			if rows.Shape.Index(name) < 0 {
				return nil, false
			}
			e.Set(name, v)
		}
		out = append(out, e)
	}
	return out, true
}

// fieldNamed finds the field that a test means: by its own name, or, of lists that
// stand elsewhere, by the attribute.
func fieldNamed(m *rules.Mapping, name string) (string, bool) {
	if m.Shape().Index(name) >= 0 {
		return name, true
	}
	for _, l := range m.Lookups {
		if l.Column == name {
			return l.Field, true
		}
	}
	for _, r := range m.Rules() {
		if r.Costly() && (r.Path == name || fieldName(m, r.Field()) == name) {
			return r.Field(), true
		}
	}
	return "", false
}

// fieldValue is what a backend would answer in a field.
func fieldValue(m *rules.Mapping, field string, t *config.Tree) (any, bool) {
	for _, rows := range m.Rows {
		if rows.Field == field && t.Kind == config.ListNode {
			return elementsOf(rows, t)
		}
	}
	switch v := t.Any().(type) {
	case map[string]any:
		return nil, false
	case []any:
		out := make([]string, len(v))
		for i, e := range v {
			if _, nested := e.([]any); nested {
				return nil, false
			}
			if _, nested := e.(map[string]any); nested {
				return nil, false
			}
			out[i] = adapters.Text(e)
		}
		return out, true
	default:
		return v, true
	}
}

// answer reads one answer: "GET /users/7": {...}, or the long form.
func (a *attempt) answer(t *config.Tree) (*trace.Exchange, bool) {
	if call := t.Find("call"); call != nil {
		return a.longAnswer(t, call)
	}
	if t.Kind != config.MappingNode || len(t.Items) != 1 {
		a.wrong(t.Text, "as in GET /users/7.json: {user: {id: 7}}", "an answer is a call, a colon and a body")
		return nil, false
	}
	item := t.Items[0]
	if status, ok := item.Any().(int64); ok && status >= 100 && status < 600 {
		return a.exchange(item.Key, int(status), nil, nil)
	}
	return a.exchange(item.Key, http.StatusOK, nil, item)
}

func (a *attempt) longAnswer(t, call *config.Tree) (*trace.Exchange, bool) {
	status, headers := http.StatusOK, map[string]string{}
	for _, item := range t.Items {
		switch item.Key.Value {
		case "call", "body":
		case "status":
			n, err := strconv.Atoi(item.Value)
			if err != nil || n < 100 || n > 599 {
				a.wrong(item.Text, "", "%q is no status", item.Value)
				return nil, false
			}
			status = n
		case "headers":
			for _, h := range item.Items {
				headers[http.CanonicalHeaderKey(h.Key.Value)] = h.Value
			}
		default:
			a.wrong(item.Key, "known are call, status, headers and body", "unknown key %q in an answer", item.Key.Value)
			return nil, false
		}
	}
	return a.exchange(call.Text, status, headers, t.Find("body"))
}

func (a *attempt) exchange(call config.Text, status int, headers map[string]string, body *config.Tree) (*trace.Exchange, bool) {
	method, path, ok := strings.Cut(call.Value, " ")
	if !ok {
		a.wrong(call, "as in GET /users/7.json", "%q is no call", call.Value)
		return nil, false
	}
	text := ""
	if body != nil {
		switch v := body.Any().(type) {
		case string:
			text = v
		default:
			data, err := json.Marshal(v)
			if err != nil {
				a.wrong(body.Text, "", "the body cannot be JSON: %s", err)
				return nil, false
			}
			text = string(data)
			if headers["Content-Type"] == "" {
				headers = withHeader(headers, "Content-Type", "application/json")
			}
		}
	}
	return trace.Answers(strings.ToUpper(method)+" "+a.urlOf(strings.TrimSpace(path)), status, headers, text), true
}

func withHeader(h map[string]string, name, v string) map[string]string {
	out := map[string]string{name: v}
	for k, x := range h {
		out[k] = x
	}
	return out
}

// urlOf is the whole URL of a call of the resource type's backend.
func (a *attempt) urlOf(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	b := a.cfg.Backend(a.resource.Target.Backend.Value)
	return strings.TrimRight(b.REST.URL.Value, "/") + path
}
