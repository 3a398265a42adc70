package config

import (
	"strings"
	"testing"
)

// TestLocate: in each YAML value the place of the ! is found from its offset in
// the value; the ^ of the line below marks nothing but the reader's eye.
func TestLocate(t *testing.T) {
	for name, yaml := range map[string]string{
		"plain":                 "a: one !two",
		"plain at the start":    "a: x!",
		"single":                "a: 'one !two'",
		"single with doubled":   "a: 'it''s ''here'': !'",
		"double":                `a: "one !two"`,
		"double with escapes":   `a: "tab\t \"q\" \x41 \u00e9 \U0001F600 \\ !"`,
		"umlauts":               "a: 'größe !'",
		"anchor":                "a: &x 'one !two'",
		"tag":                   "a: !!str 'one !two'",
		"in a flow mapping":     "a: {b: 1, c: 'x !'}",
		"plain over two lines":  "a: one\n  two !three",
		"plain, blank between":  "a: one\n\n\n  two !three",
		"single over two lines": "a: 'one\n   two !three'",
		"double over two lines": "a: \"one\n   two !three\"",
		"double, joined lines":  "a: \"one \\\n    two !three\"",
		"double, blank between": "a: \"one\n\n   two !three\"",
		"literal":               "a: |\n  one\n  two !three\n",
		"literal, blank lines":  "a: |-\n\n  one\n\n\n  two !three\n",
		"literal, indented":     "a: |2\n    one\n  two !three\n",
		"folded":                "a: >-\n  one\n  two !three\n",
		"folded, blank lines":   "a: >-\n  one\n\n  two\n\n\n  !three\n",
		"start of a line":       "a: >-\n  one\n  !two\n",
		"after spaces":          "a: 'one   !two'",
		"spaces before a break": "a: 'one   \n     !two'",
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReporter(NewSource("f.yaml", []byte(yaml)))
			tree := parseTree([]byte(yaml), r)
			if tree == nil || len(r.Problems()) > 0 {
				t.Fatal(r.Problems())
			}
			at := tree.Items[0]
			if at.Kind == MappingNode {
				at = at.Items[len(at.Items)-1]
			}
			line, column := r.Source.Locate(at.Text, strings.LastIndex(at.Value, "!"))
			before := yaml[:strings.LastIndex(yaml, "!")]
			wantLine := strings.Count(before, "\n") + 1
			wantColumn := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
			if line != wantLine || column != wantColumn {
				t.Errorf("got %d:%d, want %d:%d in\n%s", line, column, wantLine, wantColumn, yaml)
			}
		})
	}
}

// TestInside shows a problem within a scalar, as package rules reports them.
func TestInside(t *testing.T) {
	yaml := `displayName: {in: "record.first_name + \" \" + record.lastname"}`
	r := NewReporter(NewSource("f.yaml", []byte(yaml)))
	in := parseTree([]byte(yaml), r).Items[0].Items[0].Text
	offset := strings.Index(in.Value, "lastname")
	r.Inside(in, offset, len("lastname"), "unknown field lastname", `did you mean "last_name"?`, false)
	want := `f.yaml:1:55: unknown field lastname
    1 | displayName: {in: "record.first_name + \" \" + record.lastname"}
      |                                                       ^^^^^^^^ did you mean "last_name"?`
	if got := r.Problems().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, at := range []Text{{}, {Line: 99, Column: 1}, {Value: "x", Line: 1, Column: 999}} {
		r.Inside(at, 7, 3, "nowhere", "", false)
	}
	if n := len(r.Problems()); n != 3 { // the two behind the end are one
		t.Errorf("%d problems", n)
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("a: 'it''s'", 3)
	f.Add("a: >-\n  one\n\n  two\n", 5)
	f.Add("a: \"\\x41\\\n  b\"", 2)
	f.Add("a: |1\n  b\n c", 4)
	f.Fuzz(func(t *testing.T, yaml string, offset int) {
		r := NewReporter(NewSource("f.yaml", []byte(yaml)))
		tree := parseTree([]byte(yaml), r)
		if tree == nil {
			return
		}
		visit(tree, func(at Text) {
			line, column := r.Source.Locate(at, offset)
			if line < at.Line || line > len(r.Source.lines) || column < 1 {
				t.Errorf("%d:%d is no place for %+v in %q", line, column, at, yaml)
			}
		})
	})
}

func visit(t *Tree, f func(Text)) {
	f(t.Text)
	for _, i := range t.Items {
		visit(i, f)
	}
}
