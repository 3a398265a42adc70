package scim

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestAppendResource(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	want := `{"schemas":["` + UserSchema + `","` + extURN + `"],"id":"1","externalId":"x","userName":"bjensen","active":true,"age":42,` +
		`"weight":61.50,"born":"2001-02-03T04:05:06Z","name":{"givenName":"Barbara","familyName":"Jensen"},` +
		`"emails":[{"value":"b@example.com","type":"work","primary":true},{"value":"b@example.org"}],"tags":["a","b"],` +
		`"badge":{"fixed":"F","colour":"red"},"` + extURN + `":{"department":"Tours","manager":{"value":"26","displayName":"John"},` +
		`"sites":[{"city":"Rome"}]},"meta":{"resourceType":"User","location":"https://example.com/Users/1"}}`
	if got := string(AppendResource(nil, r, nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	other, err := Select(testLayout(t), []string{"id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(AppendResource([]byte("x"), r, other)); got != "x"+want {
		t.Errorf("a selection of another layout: %s", got)
	}
}

func TestNoNullsNoEmptyArrays(t *testing.T) { // S-22, S-23
	l := testLayout(t)
	r := NewResource(l)
	if got := string(AppendResource(nil, r, nil)); got != `{"schemas":["`+UserSchema+`"]}` {
		t.Errorf("an empty resource: %s", got)
	}
	emails := at(t, l, "emails")
	r.Set(emails, List(NewComplex(emails), Value{}))
	r.Set(at(t, l, "tags"), List(Value{}, Str("a"), Value{}))
	r.Set(at(t, l, "name"), NewComplex(at(t, l, "name")))
	if got, want := string(AppendResource(nil, r, nil)), `{"schemas":["`+UserSchema+`"],"tags":["a"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAppendValue(t *testing.T) {
	l := testLayout(t)
	cases := map[string]struct {
		attr string
		v    Value
		want string
	}{
		"absent":      {"userName", Value{}, "null"},
		"all hidden":  {"name", object(t, l, "name", map[string]Value{"hidden": Str("h")}), `{"hidden":"h"}`},
		"one element": {"emails", object(t, l, "emails", map[string]Value{"value": Str("a")}), `{"value":"a"}`},
		"empty":       {"name", NewComplex(at(t, l, "name")), "null"},
		"decimal":     {"weight", Decimal("-1e3"), "-1e3"},
	}
	for name, c := range cases {
		if got := string(AppendValue([]byte("."), at(t, l, c.attr), c.v)); got != "."+c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAppendString(t *testing.T) {
	cases := map[string]string{
		"":                      `""`,
		"plain":                 `"plain"`,
		`a"b\c`:                 `"a\"b\\c"`,
		"\n\r\t\b\x00\x1f":      `"\n\r\t\u0008\u0000\u001f"`,
		"é€😀\u2028":             "\"é€😀\u2028\"",
		"bad\xffutf":            "\"bad\ufffdutf\"",
		"cut \xe2\x82":          "\"cut \ufffd\ufffd\"",
		"</script>":             `"</script>"`,
		"replacement \ufffd":    "\"replacement \ufffd\"",
		"del \x7f":              "\"del \x7f\"",
		"surrogate\xed\xa0\x80": "\"surrogate\ufffd\ufffd\ufffd\"",
	}
	for in, want := range cases {
		if got := string(AppendString(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestAppendStringRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		out := AppendString(nil, s)
		var back string
		if err := json.Unmarshal(out, &back); err != nil || back != s || !utf8.Valid(out) {
			t.Fatalf("%q became %s: %v", s, out, err)
		}
	})
}

func decoded(t *testing.T, out []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return m
}

func TestAppendList(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	ids, _ := Select(l, []string{"id"}, nil)
	empty := decoded(t, AppendList(nil, 0, 1, nil))
	want := map[string]any{"schemas": []any{ListResponseMessage}, "totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{}}
	if !reflect.DeepEqual(empty, want) { // G-02, G-03, G-04
		t.Errorf("G-04: %v", empty)
	}
	two := decoded(t, AppendList(nil, 12, 11, []*Resource{r, r}, nil, ids))
	items := two["Resources"].([]any)
	if two["totalResults"] != 12.0 || two["startIndex"] != 11.0 || two["itemsPerPage"] != 2.0 || len(items) != 2 { // N-05
		t.Errorf("N-05: %v", two)
	}
	if one := items[1].(map[string]any); one["id"] != "1" || one["userName"] != nil { // G-12
		t.Errorf("A-06: %v", one)
	}
}

func TestAppendError(t *testing.T) { // E-01, E-02
	got := decoded(t, AppendError(nil, Bad(InvalidFilter, `bad "x"`)))
	want := map[string]any{"schemas": []any{ErrorMessage}, "status": "400", "scimType": "invalidFilter", "detail": `bad "x"`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("E-01: %v", got)
	}
	bare := decoded(t, AppendError(nil, &Error{Status: 404}))
	if bare["status"] != "404" || bare["detail"] == "" || bare["scimType"] != nil {
		t.Errorf("E-02: %v", bare)
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	s, _ := Select(l, nil, []string{"emails.type"})
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = AppendResource(buf[:0], r, s) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendResource(b *testing.B) {
	l := testLayout(b)
	r := sample(b, l)
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendResource(buf[:0], r, nil)
	}
}

func BenchmarkReadJSON(b *testing.B) {
	l := testLayout(b)
	data := AppendResource(nil, sample(b, l), nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := ReadJSON(data, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
