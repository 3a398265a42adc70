package rules

import (
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
)

// emailRows are e-mail addresses as rows: a code for the type, a flag, a note that
// no attribute shows.
func emailRows(t *testing.T) *Mapping {
	return compiled(t, userInput(userName(), rule("emails", rows(rule("value", name("address")), rule("type", name("kind"), table("W", "work", "H", "home", "O", "work")),
		rule("primary", name("main"))))))
}

func rowsOf(m *Mapping, parts ...any) []adapters.Record {
	var out []adapters.Record
	for i := 0; i+3 < len(parts); i += 4 {
		r := adapters.NewRecord(m.Rows[0].Shape, adapters.Key(parts[i].(string)))
		for j := range 3 {
			r.SetAt(j, parts[i+1+j])
		}
		out = append(out, r)
	}
	return out
}

// TestRowsRead: rows become elements; one of which nothing can be made is none.
func TestRowsRead(t *testing.T) {
	m := emailRows(t)
	res, warned := m.read(m.record(fields{"login": "ada", "$emails": rowsOf(m, "1", "a@x", "W", int64(1), "2", "b@x", "?", nil, "3", nil, "?", nil)}))
	const want = `"emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x"}]`
	if got := shown(res); !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(warned) != 1 {
		t.Errorf("warnings of the lines %v", warned)
	}
}

// TestRowsDelta: what stays is not touched, what changes keeps its key and what the
// mapping does not show of it, what cannot be read stays.
func TestRowsDelta(t *testing.T) {
	m := emailRows(t)
	held := rowsOf(m, "1", "a@x", "O", int64(1), "2", "b@x", "H", nil, "3", nil, "?", nil)
	rec := m.record(fields{"login": "ada", "$emails": held})
	before, _ := m.read(rec)
	for name, c := range map[string]struct{ after, want string }{
		"nothing":        {`[{"value":"a@x","type":"work","primary":true},{"value":"b@x","type":"home"}]`, ""},
		"another order":  {`[{"value":"b@x","type":"home"},{"value":"a@x","type":"work","primary":true}]`, ""},
		"a value":        {`[{"value":"new@x","type":"work","primary":true},{"value":"b@x","type":"home"}]`, "3:?, 1:new@x O 1, 2:b@x H"},
		"a type":         {`[{"value":"a@x","type":"work"},{"value":"b@x","type":"work","primary":true}]`, "3:?, 1:a@x O, 2:b@x W true"},
		"one more":       {`[{"value":"a@x","type":"work","primary":true},{"value":"b@x","type":"home"},{"value":"c@x","type":"home"}]`, "3:?, 1:a@x O 1, 2:b@x H, :c@x H"},
		"one less":       {`[{"value":"b@x","type":"home"}]`, "3:?, 2:b@x H"},
		"another":        {`[{"value":"a@x","type":"work","primary":true},{"value":"z@x"}]`, "3:?, 1:a@x O 1, :z@x"},
		"types exchange": {`[{"value":"a@x","type":"home","primary":true},{"value":"b@x","type":"work"}]`, "3:?, 1:a@x H 1, 2:b@x W"},
		"none":           {`[]`, "3:?"},
	} {
		d, err := m.Delta(rec, before, m.resource(t, `{"userName":"ada","emails":`+c.after+`}`), keyOf, idOf)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, change := range d.Set {
			got += inWords(change.New)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func inWords(v any) string {
	var out []string
	elems, _ := v.([]adapters.Record)
	for _, e := range elems {
		var parts []string
		for _, v := range e.Values() {
			if !adapters.NoValue(v) {
				parts = append(parts, adapters.Text(v))
			}
		}
		out = append(out, string(e.Key)+":"+strings.Join(parts, " "))
	}
	return strings.Join(out, ", ")
}

// TestRowsWrite: a new resource becomes rows, and a value that has no code is refused.
func TestRowsWrite(t *testing.T) {
	m := emailRows(t)
	rec, err := m.NewRecord(m.resource(t, `{"userName":"ada","emails":[{"value":"a@x","type":"home"},{"value":"b@x","primary":true}]}`), notNull, keyOf)
	if got := inWords(rec.Get("$emails")); err != nil || got != ":a@x H, :b@x true" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := m.NewRecord(m.resource(t, `{"userName":"ada","emails":[{"value":"a@x","type":"boat"}]}`), notNull, keyOf); err == nil {
		t.Error("a type without a code was taken")
	}
}

// TestJoinNames: record.JOIN.COLUMN is one field, for the backend as well.
func TestJoinNames(t *testing.T) {
	input := userInput(userName(), rule("title", in(`record.contact.title ?? record.contact?.role`)))
	input.Joins, input.Scope = []string{"contact"}, at(1, `record.contact.kind != "robot" and record.login != "root"`)
	m := compiled(t, input)
	if got := strings.Join(m.Shape().Names(), " "); got != "login contact.role contact.title contact.kind" {
		t.Errorf("the fields are %s", got)
	}
	if f, ok := m.ScopeFilter(); f == nil || !ok {
		t.Errorf("the scope is %v, %t", f, ok)
	}
	res, _ := m.read(m.record(fields{"login": "ada", "contact.role": "boss"}))
	if got := shown(res); !strings.Contains(got, `"title":"boss"`) {
		t.Error(got)
	}
}
