package steps

import (
	"slices"
	"strings"
	"testing"
)

// FuzzWords: arguments of a program are whole, whatever is in them: one for each
// value, each with the text around it and the value as it is.
func FuzzWords(f *testing.F) {
	f.Add("--mail={", "a b", "$(id)")
	f.Add("{{", "", "\x00")
	f.Add("", "-rf", "\xff")
	f.Fuzz(func(t *testing.T, before, one, other string) {
		lit := strings.NewReplacer("{", "{{", "}", "}}").Replace(before)
		var c Compiler
		all := c.Template(Text{Value: lit + "{steps.all}", Line: 1}, Roots{"steps"})
		none := c.Template(Text{Value: lit + "{steps.none}", Line: 1}, Roots{"steps"})
		if len(c.Problems) > 0 {
			t.Fatalf("%q: %v", lit, c.Problems)
		}
		scope := func(v any) Scope { return Scope{"steps": map[string]any{"all": v, "none": nil}} }
		for _, values := range [][]any{{one}, {one, other}, {}} {
			var want []string
			for _, v := range values {
				want = append(want, before+v.(string))
			}
			if got, err := all.Words(scope(values)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q of %q: %q, %v; want %q", lit, values, got, err, want)
			}
		}
		if got, err := all.Words(scope(one)); err != nil || !slices.Equal(got, []string{before + one}) {
			t.Errorf("%q of %q: %q, %v", lit, one, got, err)
		}
		got, err := none.Words(scope(nil))
		if isOption := strings.HasPrefix(before, "-"); len(got) != 0 || (err == nil) != isOption {
			t.Errorf("%q of nothing: %q, %v", lit, got, err)
		}
	})
}
