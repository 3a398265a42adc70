package filter

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/postern/postern/internal/corpus"
)

var update = flag.Bool("update", false, "write the golden files")

// A parseCase is a line of testdata/parse.txt.
type parseCase struct{ row, mode, text string }

func (c parseCase) path() bool {
	return strings.EqualFold(c.mode, "p") || strings.EqualFold(c.mode, "q")
}

func (c parseCase) limits() Limits {
	return Limits{Lenient: strings.EqualFold(c.mode, "l") || strings.EqualFold(c.mode, "q")}
}

func parseCases(t testing.TB) []parseCase {
	data, err := os.ReadFile("testdata/parse.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []parseCase
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, " ", 3)
		c := parseCase{f[0], f[1], f[2]}
		if c.mode == strings.ToUpper(c.mode) {
			if c.text, err = strconv.Unquote(c.text); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

// shape shows the structure of a tree, independently of Print.
func shape(e Expr) string {
	list := func(word string, terms []Expr) string {
		for _, t := range terms {
			word += " " + shape(t)
		}
		return "(" + word + ")"
	}
	switch e := e.(type) {
	case And:
		return list("and", e)
	case Or:
		return list("or", e)
	case Not:
		return list("not", []Expr{e.Term})
	case *Compare:
		if e.Op == Pr {
			return fmt.Sprintf("(pr %s@%d)", e.Name, e.Pos)
		}
		kind := [...]string{"null", "string", "bool", "int", "number"}[e.Value.Kind]
		return fmt.Sprintf("(%s %s@%d %s %q %d)", e.Op, e.Name, e.Pos, kind, e.Value.Str, e.Value.Num)
	case *Element:
		return fmt.Sprintf("(element %s@%d %s)", e.Name, e.Pos, shape(e.Where))
	}
	return fmt.Sprint(e)
}

// outcome is what the golden file says of a case.
func (c parseCase) outcome() string {
	if !c.path() {
		e, err := Parse(c.text, c.limits())
		if err != nil {
			return "error " + err.Error()
		}
		return shape(e)
	}
	target, err := ParsePath(c.text, c.limits())
	var fe *Error
	switch {
	case errors.As(err, &fe) && fe.InFilter:
		return "invalidFilter " + err.Error()
	case err != nil:
		return "invalidPath " + err.Error()
	case target.Where == nil:
		return fmt.Sprintf("path %s sub %q", target.Name, target.Sub)
	}
	return fmt.Sprintf("path %s sub %q where %s", target.Name, target.Sub, shape(target.Where))
}

func TestParse(t *testing.T) {
	cases := parseCases(t)
	var got strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&got, "%s %s %q\n\t%s\n", c.row, strings.ToLower(c.mode), c.text, c.outcome())
	}
	const golden = "testdata/parse.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := 1; i < min(len(g), len(w)); i += 2 {
		if g[i-1] != w[i-1] || g[i] != w[i] {
			t.Errorf("got\n%s\n%s\nwant\n%s\n%s", g[i-1], g[i], w[i-1], w[i])
		}
	}
	if len(g) != len(w) {
		t.Errorf("%d lines, want %d; run with -update", len(g), len(w))
	}
}

func TestParseRoundTrip(t *testing.T) {
	for _, c := range parseCases(t) {
		if c.path() {
			if target, err := ParsePath(c.text, c.limits()); err == nil {
				roundTripPath(t, target)
			}
		} else if e, err := Parse(c.text, c.limits()); err == nil {
			roundTrip(t, e)
		}
	}
}

// unbounded takes what printing may have made longer.
var unbounded = Limits{Length: 1 << 30, Depth: 1 << 30, Terms: 1 << 30}

func roundTrip(t testing.TB, e Expr) {
	t.Helper()
	text := Print(e)
	again, err := Parse(text, unbounded)
	if err != nil {
		t.Fatalf("printed as %s: %v", text, err)
	}
	if !Equal(again, e) || Print(again) != text {
		t.Fatalf("printed as %s, which is %s and not %s", text, shape(again), shape(e))
	}
}

func roundTripPath(t testing.TB, target Target) {
	t.Helper()
	text := target.String()
	again, err := ParsePath(text, unbounded)
	if err != nil {
		t.Fatalf("printed as %s: %v", text, err)
	}
	if again.Name != target.Name || again.Sub != target.Sub || !Equal(again.Where, target.Where) {
		t.Fatalf("printed as %s, which is %v and not %v", text, again, target)
	}
}

// F-33: each limit takes what it says, and one more is refused.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "a pr" + strings.Repeat(")", n) }
	terms := func(n int) string { return strings.TrimSuffix(strings.Repeat("a pr or ", n), " or ") }
	long := func(n int) string { return "a pr" + strings.Repeat(" ", n-4) }
	for _, c := range []struct {
		name, text string
		lim        Limits
		want       string
	}{
		{"default depth", nested(32), Limits{}, ""},
		{"default depth + 1", nested(33), Limits{}, "at 33: brackets are nested deeper than 32"},
		{"depth", nested(2), Limits{Depth: 2}, ""},
		{"depth + 1", "a[(b pr or (c pr))]", Limits{Depth: 2}, "at 12: brackets are nested deeper than 2"},
		{"depth is not breadth", "((a pr) or (b pr)) and not (c[d pr])", Limits{Depth: 2}, ""},
		{"default terms", terms(512), Limits{}, ""},
		{"default terms + 1", terms(513), Limits{}, "at 4097: there are more than 512 comparisons"},
		{"terms", "a[b pr].c pr", Limits{Terms: 1}, "at 9: there are more than 1 comparisons"},
		{"default length", long(8192), Limits{}, ""},
		{"default length + 1", long(8193), Limits{}, "at 8193: the filter is longer than 8192 bytes"},
		{"length", "a pr", Limits{Length: 3}, "at 4: the filter is longer than 3 bytes"},
		{"a bomb", strings.Repeat("not (", 1<<20), Limits{Length: 1 << 30}, "at 165: brackets are nested deeper than 32"},
		{"digits", "a eq " + strings.Repeat("9", 512), Limits{}, ""},
		{"digits + 1", "a eq " + strings.Repeat("9", 513), Limits{}, "at 6: a number has more than 512 characters"},
	} {
		got := ""
		if _, err := Parse(c.text, c.lim); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("F-33 %s: got %q, want %q", c.name, got, c.want)
		}
	}
	_, err := ParsePath("emails[type pr]", Limits{Length: 5})
	var fe *Error
	if !errors.As(err, &fe) || fe.InFilter || fe.Msg != "the path is longer than 5 bytes" {
		t.Errorf("F-33 path: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range parseCases(f) {
		f.Add(c.text, c.limits().Lenient)
	}
	for _, s := range corpus.Texts(f, "FuzzParse") {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, lenient bool) {
		e, err := Parse(text, Limits{Lenient: lenient})
		if err != nil {
			checkError(t, err, text)
			return
		}
		roundTrip(t, e)
		roundTrip(t, Simplify(e))
	})
}

func FuzzParsePath(f *testing.F) {
	for _, c := range parseCases(f) {
		f.Add(c.text, c.limits().Lenient)
	}
	for _, s := range corpus.Texts(f, "FuzzParsePath") {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, lenient bool) {
		target, err := ParsePath(text, Limits{Lenient: lenient})
		if err != nil {
			checkError(t, err, text)
			return
		}
		roundTripPath(t, target)
	})
}

func checkError(t *testing.T, err error, text string) {
	var fe *Error
	if !errors.As(err, &fe) || fe.Msg == "" || fe.Pos < 1 || fe.Pos > len(text)+1 {
		t.Fatalf("%q: %#v", text, err)
	}
	if len(fe.Msg) > 1000 {
		t.Fatalf("a message of %d bytes: %s", len(fe.Msg), fe.Msg)
	}
	for _, r := range fe.Msg {
		if r < ' ' {
			t.Fatalf("%q: the message has control characters: %q", text, fe.Msg)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{
		`userName eq "bjensen"`,
		`emails[type eq "work"].value eq "bjensen@example.com"`,
		`userType eq "Employee" and (emails co "example.com" or not (meta.lastModified gt "2011-05-13T04:42:34Z"))`,
	} {
		b.Run(strconv.Itoa(len(text)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
