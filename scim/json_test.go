package scim

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestReadJSONRefuses(t *testing.T) {
	deep := strings.Repeat("[", 17) + strings.Repeat("]", 17)
	many := "[" + strings.Repeat("0,", 10) + "0]"
	wide := &strings.Builder{}
	for i := range 30 {
		fmt.Fprintf(wide, `"a%d":1,`, i)
	}
	cases := []struct {
		name, in string
		status   int
		typ      Keyword
		says     string
	}{
		{"H-16 empty", "", 400, InvalidSyntax, "empty"},
		{"H-16 blank", " \n\t", 400, InvalidSyntax, "empty"},
		{"H-16 truncated", `{"userName":"bjen`, 400, InvalidSyntax, "ends too early"},
		{"H-16 truncated array", `[1,`, 400, InvalidSyntax, "ends too early"},
		{"H-16 place", "{\n  \"a\": x}", 400, InvalidSyntax, "line 2, column 8 (byte 9)"},
		{"H-16 trailing", `{} {}`, 400, InvalidSyntax, "goes on"},
		{"H-16 trailing garbage", `{} x`, 400, InvalidSyntax, "goes on"},
		{"H-16 single quotes", `{'a':1}`, 400, InvalidSyntax, "not valid JSON"},
		{"H-16 leading zero", `{"a":01}`, 400, InvalidSyntax, "not valid JSON"},
		{"H-16 NaN", `{"a":NaN}`, 400, InvalidSyntax, "not valid JSON"},
		{"H-16 raw control character", "{\"a\":\"x\ny\"}", 400, InvalidSyntax, "not valid JSON"},
		{"H-01 invalid UTF-8", "{\"a\":\"\xff\"}", 400, InvalidSyntax, "not valid JSON"},
		{"H-01 lone surrogate", `{"a":"\ud800"}`, 400, InvalidSyntax, "not valid JSON"},
		{"H-01 byte order mark", "\ufeff{}", 400, InvalidSyntax, "not valid JSON"},
		{"duplicate", `{"a":1,"a":2}`, 400, InvalidSyntax, `"a" occurs twice`},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, 400, InvalidSyntax, `"a" occurs twice`},
		{"S-38", `{"userName":"a","USERNAME":"b"}`, 400, InvalidSyntax, `"USERNAME" occurs twice`},
		{"S-38 in a large object", "{" + wide.String() + `"A7":1}`, 400, InvalidSyntax, `"A7" occurs twice`},
		{"S-38 nested", `{"x":[{"Type":1,"type":2}]}`, 400, InvalidSyntax, `"type" occurs twice`},
		{"NUL", `{"a":"x\u0000y"}`, 400, InvalidValue, "NUL"},
		{"NUL in a name", `{"a\u0000":1}`, 400, InvalidValue, "NUL"},
		{"H-17 depth", deep, 400, InvalidSyntax, "16 levels"},
		{"H-17 elements", many, 413, "", "10 array elements"},
		{"P-13 elements", `{"a":` + many + `}`, 413, "", "10 array elements"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lim := Limits{}
			if c.status == 413 {
				lim.Elements = 10
			}
			_, err := ReadJSON([]byte(c.in), lim)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a *scim.Error", err)
			}
			if e.Status != c.status || e.Type != c.typ || !strings.Contains(e.Detail, c.says) {
				t.Errorf("got %v, want %d %s ... %s", e, c.status, c.typ, c.says)
			}
		})
	}
}

func TestReadJSONAccepts(t *testing.T) {
	in := ` {"A": [null, true, false, -1.50e3, "x\u00e9\n", {}], "b": {"C": []}} `
	n, err := ReadJSON([]byte(in), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	a, ok := n.Find("a")
	if !ok || len(a.Items) != 6 {
		t.Fatalf("S-01: member A not found as a: %+v", n)
	}
	if got := a.Items[3]; got.Kind != NodeNumber || got.Str != "-1.50e3" {
		t.Errorf("a number keeps its text: %+v", got)
	}
	if got := a.Items[4]; got.Kind != NodeString || got.Str != "xé\n" {
		t.Errorf("string: %+v", got)
	}
	if !a.Items[1].IsTrue() || a.Items[2].IsTrue() || a.Items[0].Kind != NodeNull {
		t.Errorf("literals: %+v", a.Items)
	}
	for i, want := range []string{"null", "true", "false", "-1.50e3", `"x\u`, "{}"} {
		at := a.Items[i].Offset
		if !strings.HasPrefix(in[at:], want) {
			t.Errorf("offset of %s is %d", want, at)
		}
	}
	if in[a.Offset] != '[' || a.Kind.String() != "an array" {
		t.Errorf("array: %+v", a)
	}
	if _, ok := n.Find("c"); ok {
		t.Error("Find looked into a nested object")
	}
}

func TestReadJSONDepthIsExact(t *testing.T) {
	ok := strings.Repeat("[", 16) + strings.Repeat("]", 16)
	if _, err := ReadJSON([]byte(ok), Limits{}); err != nil {
		t.Errorf("sixteen levels are allowed: %v", err)
	}
}

func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{"", "{}", `{"a":[1,2,{"b":null}]}`, `{"a":1,"A":2}`, "[\"\\ud800\"]", `"x" y`, `[1e999,-0]`, "{\"a\":\"\\u0000\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ReadJSON(data, Limits{Depth: 8, Elements: 100})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Detail == "" || (e.Status != 400 && e.Status != 413) {
				t.Fatalf("%q: %#v", data, err)
			}
			return
		}
		again, err := ReadJSON(AppendNode(nil, n), Limits{Depth: 8, Elements: 100})
		if err != nil || !sameNode(n, again) {
			t.Fatalf("%q does not survive: %v", data, err)
		}
	})
}

func sameNode(a, b Node) bool {
	if a.Kind != b.Kind || a.Str != b.Str || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) {
		return false
	}
	for i := range a.Items {
		if !sameNode(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Members {
		if a.Members[i].Name != b.Members[i].Name || !sameNode(a.Members[i].Value, b.Members[i].Value) {
			return false
		}
	}
	return true
}
