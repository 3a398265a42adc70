package steps_test

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/postern/postern/adapters/steps"
)

// TestFunctions runs the example of every function.
func TestFunctions(t *testing.T) {
	for _, f := range steps.Functions() {
		var c steps.Compiler
		e := c.Expr(steps.Text{Value: f.Example, Line: 1}, nil)
		if len(c.Problems) > 0 {
			t.Errorf("%s: %v", f.Name, c.Problems)
			continue
		}
		got, err := e.Eval(steps.Scope{})
		if err != nil || fmt.Sprint(got) != f.Result {
			t.Errorf("%s = %v (%v), want %s", f.Example, got, err, f.Result)
		}
	}
}

// TestMistakes: mistakes are found at start, where they stand.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]steps.Problem{
		"bdy.users":        {Offset: 0, Length: 3, Hint: "did you mean body?"},
		"body.x + pge":     {Offset: 9, Length: 3, Hint: "did you mean page?"},
		"page.offst":       {Offset: 5},
		"$env":             {Offset: 0, Length: 4, Hint: "write the names themselves"},
		`"ü" + zzzzzzzzzz`: {Offset: 7, Length: 10, Hint: "known here: body, page"},
	} {
		var c steps.Compiler
		if c.Expr(steps.Text{Value: text, Line: 1}, steps.Roots{"body", "page"}); len(c.Problems) != 1 {
			t.Errorf("%s: %v", text, c.Problems)
			continue
		}
		p := c.Problems[0]
		if p.Offset != want.Offset || want.Length > 0 && p.Length != want.Length || want.Hint != "" && p.Hint != want.Hint {
			t.Errorf("%s: at %d, %d bytes, %q", text, p.Offset, p.Length, p.Hint)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"/users/{key}.json", "{{x}}", "{", "}", "{key + \"}\"}", "/a?b={key}&c={ {a: key}.a }"} {
		f.Add(s, "a/b")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		var c steps.Compiler
		tpl := c.Template(steps.Text{Value: text, Line: 1}, steps.Roots{"key"})
		if (tpl == nil) != (len(c.Problems) > 0) {
			t.Fatalf("a template %v with the problems %v", tpl, c.Problems)
		}
		if tpl != nil {
			_, _ = tpl.Fill(steps.Scope{"key": value}, func(_, v string) (string, error) { return v, nil })
		}
	})
}

// FuzzTwice: what was encoded twice comes back as it was, and nothing grows.
func FuzzTwice(f *testing.F) {
	for _, s := range []string{"", "plain", "José", "€ “x” \u0081\u009d", "😀\u00ff"} {
		f.Add(s)
	}
	var c steps.Compiler
	there := c.Expr(steps.Text{Value: "utf8Twice(item)", Line: 1}, steps.Roots{"item"})
	back := c.Expr(steps.Text{Value: "utf8Once(item)", Line: 1}, steps.Roots{"item"})
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		twice, err := there.Eval(steps.Scope{"item": s})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back.Eval(steps.Scope{"item": twice}); err != nil || got != s {
			t.Errorf("%q twice is %q, and once again %q (%v)", s, twice, got, err)
		}
	})
}

// TestObjectsOfPairs: what fromPairs and its like make can be sent.
func TestObjectsOfPairs(t *testing.T) {
	for text, want := range map[string]string{
		`fromPairs(concat(toPairs(item), [["b", 2]]))`:   `{"a":1,"b":2}`,
		`{x: [fromPairs([["y", {z: 1}]])]}`:              `{"x":[{"y":{"z":1}}]}`,
		`groupBy(["ab", "ac", "b"], # startsWith "a")`:   `{"false":["b"],"true":["ab","ac"]}`,
		`fromPairs(map(["p", "q"], [#, fromPairs([])]))`: `{"p":{},"q":{}}`,
	} {
		var c steps.Compiler
		e := c.Expr(steps.Text{Value: text, Line: 1}, steps.Roots{"item"})
		if len(c.Problems) > 0 {
			t.Errorf("%s: %v", text, c.Problems)
			continue
		}
		v, err := e.Eval(steps.Scope{"item": map[string]any{"a": 1}})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := steps.WriteJSON(v); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
}
