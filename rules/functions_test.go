package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
)

// Every function's example gives what its documentation says.
func TestFunctions(t *testing.T) {
	for _, f := range Functions() {
		if got := evaluated(t, f.Example); got != f.Result {
			t.Errorf("%s gives %s, want %s", f.Example, got, f.Result)
		}
		if !strings.HasPrefix(f.Signature, f.Name+"(") || !strings.HasPrefix(f.Example, f.Name+"(") || f.Doc == "" {
			t.Errorf("%s is documented badly", f.Name)
		}
	}
	for _, c := range []struct{ expression, want string }{
		{`dateTime("01.02.2024", "02.01.2006")`, "2024-02-01T00:00:00Z"},
		{`dateTime(1706794200)`, "2024-02-01T13:30:00Z"},
		{`dateTime(1706794200000, "unixMilli")`, "2024-02-01T13:30:00Z"},
		{`dateTime(date("2024-02-01"))`, "2024-02-01T00:00:00Z"},
		{`dateTime(nil)`, "<nil>"},
		{`dateTime("")`, "<nil>"},
		{`dateTime("soon")`, "!"},
		{`dateFormat("2024-02-01T13:30:00Z", "unix")`, "1706794200"},
		{`dateFormat("2024-02-01T13:30:00Z", "date")`, "2024-02-01"},
		{`dateFormat(nil, "unix")`, "<nil>"},
		{`dateFormat("soon", "unix")`, "!"},
		{`dateFormat("2024-02-01", "")`, "!"},
		{`truth(nil)`, "false"},
		{`truth(1)`, "true"},
		{`truth("No")`, "false"},
		{`truth(true)`, "true"},
		{`truth("maybe")`, "!"},
		{`words()`, ""},
		{`words(nil, 7, " x ", "")`, "7 x"},
	} {
		if got := evaluated(t, c.expression); got != c.want {
			t.Errorf("%s gives %s, want %s", c.expression, got, c.want)
		}
	}
}

// evaluated is the result of an expression, "!" if it fails.
func evaluated(t *testing.T, text string) string {
	t.Helper()
	program, err := expr.Compile(text, functions()...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := expr.Run(program, nil)
	if err != nil {
		return "!"
	}
	return fmt.Sprint(out)
}

const docs = "../docs/rules.md"

// TestDocs keeps the table of functions in the documentation current; -update
// writes it anew. The mistakes that the text shows are those of the golden file.
func TestDocs(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| function | gives | for example |\n|---|---|---|\n")
	for _, f := range Functions() {
		fmt.Fprintf(&table, "| `%s` | %s | `%s` is `%s` |\n", f.Signature, f.Doc, f.Example, f.Result)
	}
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- functions: generated -->\n", "\n<!-- /functions -->"
	head, rest, ok := strings.Cut(string(data), begin)
	old, tail, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s has no place for the functions", docs)
	}
	if old == table.String() {
		return
	}
	if !*update {
		t.Errorf("the functions in %s are out of date; run go test ./rules -update", docs)
		return
	}
	if err := os.WriteFile(docs, []byte(head+begin+table.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What a failing expression says names no value: it ends up in the log.
func TestExpressionFailures(t *testing.T) {
	m := quick(t, rule("title", in(`int(record.a) > 1 ? "x" : "y"`)))
	for raw, want := range map[any]string{
		"s3cret": "line 3: its expression fails on the values that are there",
		nil:      "line 3: a value that its expression needs is absent",
	} {
		_, err := m.rules[1].read(m.record(fields{"a": raw}))
		if err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", raw, err, want)
		}
	}
}
