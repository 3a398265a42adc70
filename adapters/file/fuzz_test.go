package file

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
)

// roundTrip wants a content to be the text that it was made of, and a row that is
// written with what it holds to hold the same.
func roundTrip(t *testing.T, f format, text string, columns []string) {
	c := f.split("x", text)
	if got := c.text(); got != text {
		t.Fatalf("%q became %q", text, got)
	}
	if len(c.bad) > 0 {
		return
	}
	tried := 0
	for r := range c.records {
		if tried++; tried > 20 { // each reads all of them
			break
		}
		if columns == nil {
			columns = c.names
		}
		values, err := f.read(c, r, columns)
		if err != nil {
			continue
		}
		same, bad := f.write(c, r, nil)
		if bad != nil || same != r.text {
			t.Fatalf("%q was written as %q (%v)", r.text, same, bad)
		}
		var all []cell
		for i, name := range columns {
			all = append(all, cell{column: name, value: values[i]})
		}
		for _, was := range []*row{r, nil} {
			text, bad := f.write(c, was, all)
			if bad != nil {
				continue
			}
			d, err := c.with(nil, []*row{{text: text}})
			if err != nil {
				t.Fatal(err)
			}
			again := f.split("x", d.text())
			if len(again.bad) > 0 || again.last() == nil || again.last().text != text || again.text() != d.text() {
				t.Fatalf("%q, written as %q, makes %q: %v", r.text, text, d.text(), again.bad)
			}
			got, err := f.read(again, again.last(), columns)
			if err != nil || !slices.EqualFunc(got, values, sameValue) {
				t.Fatalf("%#v was written as %q and read as %#v (%v)", values, text, got, err)
			}
		}
	}
}

// sameValue takes "" and null for the same, as all of Postern does.
func sameValue(x, y any) bool {
	if adapters.NoValue(x) || adapters.NoValue(y) {
		return adapters.NoValue(x) && adapters.NoValue(y)
	}
	if list, ok := x.([]string); ok {
		other, ok := y.([]string)
		return ok && slices.Equal(list, other)
	}
	return x == y
}

// FuzzCSV: what is read and written is the same, byte for byte; and what Go's own
// reader reads otherwise is not taken.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"", "a,b\n1,2\n", "a,b\r\n\"1\n\",2", "\ufeffa\n\n\"\"\n", "a,b\n\"x\"\"\",\n", "a\n\r\n", "a,b\n1\n", "a,b\n1,\"2\n"} {
		f.Add(seed, `,`, `"`)
	}
	f.Add("a;b\n1;'2;'\n", ";", "'")
	f.Add("a:b\n\"1:2\n", ":", "")
	f.Fuzz(func(t *testing.T, text, comma, quote string) {
		if comma == "" || checkCharacters(comma, quote) != nil {
			return
		}
		own := &table{comma: comma, quote: quote, lists: map[string]string{}}
		roundTrip(t, own, text, nil)
		if comma != "," || quote != `"` {
			return
		}
		c := own.split("x", text)
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, mark)))
		theirs, err := r.ReadAll()
		if len(c.bad) > 0 || err != nil || len(theirs) == 0 || !slices.Equal(theirs[0], c.names) {
			return
		}
		var ours [][]string
		for r := range c.records {
			parts, _, _, _ := own.line(r.text, nil)
			var line []string
			for _, p := range parts {
				line = append(line, strings.ReplaceAll(p.value, "\r\n", "\n")) // as theirs does
			}
			ours = append(ours, line)
		}
		if !slices.EqualFunc(ours, theirs[1:], slices.Equal) {
			t.Fatalf("%q: %q, and by package csv %q", text, ours, theirs[1:])
		}
	})
}

// FuzzLines is the same for JSON lines.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"", "{\"a\":1}\n", "{ \"a\" : [\"x\",1] , \"b\":{\"c\":[1]}}\r\n\n{}", "\ufeff{\"\\u0061\":null,\"b\":1.50,\"c\":true}", "{\"a\":\"\\\"}\"}", "[1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, columns := range [][]string{{"a", "b", "c"}, {"b"}} {
			roundTrip(t, lines{map[string]string{"c": ""}}, text, columns)
		}
	})
}
