package filter

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// An object is a Subject: values and elements by name.
type object struct {
	values   map[string][]Value
	elements map[string][]object
}

func (o object) Values(c *Compare, yield func(Value) bool) {
	for _, v := range o.values[c.Name] {
		if !yield(v) {
			return
		}
	}
}

func (o object) Elements(e *Element, yield func(Subject) bool) {
	for _, el := range o.elements[e.Name] {
		if !yield(el) {
			return
		}
	}
}

func strs(ss ...string) []Value {
	var vs []Value
	for _, s := range ss {
		vs = append(vs, StringValue(s))
	}
	return vs
}

// TestTruth is the truth table: per way to compare and literal, what each
// operator says of an attribute with these values. Operators stand in the order
// eq ne co sw ew gt ge lt le pr; "-" is a pair that CheckLiteral refuses.
func TestTruth(t *testing.T) {
	for _, c := range []struct {
		row     string
		m       Match
		literal Value
		values  []Value
		want    string
	}{
		{"F-13", Exact, StringValue("bab"), strs("bab"), "1011101011"},
		{"F-13", Exact, StringValue("bab"), strs("Bab"), "0100000111"},
		{"F-15", Exact, StringValue("b"), strs("abc"), "0110000111"},
		{"F-15", Exact, StringValue("b"), strs("bc"), "0111011001"},
		{"F-15", Exact, StringValue("b"), strs("ab"), "0110100111"},
		{"F-14 absent", Exact, StringValue("b"), nil, "0100000000"},
		{"F-14 empty is absent", Exact, StringValue("b"), strs(""), "0100000000"},
		{"F-19 both", Exact, StringValue("b"), strs("a", "c"), "0100011111"},
		{"F-14 any differs", Exact, StringValue("b"), strs("b", "c"), "1111111011"},
		{"F-14 none differs", Exact, StringValue("b"), strs("b", "", "b"), "1011101011"},
		{"F-27 null absent", Exact, Value{}, nil, "10-------0"},
		{"F-27 null present", Exact, Value{}, strs("x"), "01-------1"},
		{"F-27 null empty", Exact, Value{}, strs("", ""), "10-------0"},
		{"F-27 null several", Exact, Value{}, strs("", "x"), "01-------1"},
		{"empty literal, present", Exact, StringValue(""), strs("x"), "0111111001"},
		{"empty literal, absent", Exact, StringValue(""), nil, "0100000000"},
		{"empty literal, empty", Exact, StringValue(""), strs(""), "0100000000"},

		{"F-13 case", Folded, StringValue("bjensen"), strs("BJensen"), "1011101011"},
		{"F-31 ß", Folded, StringValue("STRASSE"), strs("straße"), "0100011001"},
		{"F-31 sigma", Folded, StringValue("ΣΊΣΥΦΟΣ"), strs("σίσυφος"), "1011101011"},
		{"F-31 Kelvin", Folded, StringValue("k"), strs("\u212A"), "1011101011"},
		{"F-15 co folds", Folded, StringValue("JEN"), strs("bjensen"), "0110000111"},
		{"F-15 sw folds", Folded, StringValue("BJ"), strs("bjensen"), "0111011001"},
		{"F-15 ew folds", Folded, StringValue("SEN"), strs("bjensen"), "0110100111"},
		{"F-14 absent", Folded, StringValue("b"), nil, "0100000000"},
		{"F-19", Folded, StringValue("B"), strs("a", "b"), "1111101111"},
		{"empty literal, present", Folded, StringValue(""), strs("x"), "0111111001"},
		{"empty literal, absent", Folded, StringValue(""), nil, "0100000000"},
		{"F-17 order folds", Folded, StringValue("b"), strs("C"), "0100011001"},
		{"not UTF-8", Folded, StringValue("x"), strs("\xffx"), "0110111001"},

		{"F-13", Boolean, BoolValue(true), []Value{BoolValue(true)}, "10-------1"},
		{"F-13", Boolean, BoolValue(true), []Value{BoolValue(false)}, "01-------1"},
		{"F-14 false is a value", Boolean, BoolValue(false), []Value{BoolValue(false)}, "10-------1"},
		{"F-14 absent is not false", Boolean, BoolValue(false), nil, "01-------0"},
		{"F-27", Boolean, Value{}, []Value{BoolValue(false)}, "01-------1"},
		{"not a boolean", Boolean, BoolValue(true), strs("true"), "01-------1"},

		{"F-17", Integer, IntValue(10), []Value{IntValue(9)}, "01---00111"},
		{"F-17", Integer, IntValue(10), []Value{IntValue(10)}, "10---01011"},
		{"F-17", Integer, IntValue(10), []Value{IntValue(11)}, "01---11001"},
		{"F-14 absent", Integer, IntValue(0), nil, "01---00000"},
		{"F-14 zero is a value", Integer, IntValue(0), []Value{IntValue(0)}, "10---01011"},
		{"F-19", Integer, IntValue(10), []Value{IntValue(9), IntValue(10), IntValue(11)}, "11---11111"},
		{"F-17 exact", Integer, NumberValue("9007199254740992.5"), []Value{IntValue(9007199254740993)}, "01---11001"},
		{"F-17 beyond 64 bits", Integer, NumberValue("9223372036854775808"), []Value{IntValue(9223372036854775807)}, "01---00111"},
		{"F-17 1.0 is 1", Integer, NumberValue("1.0"), []Value{IntValue(1)}, "10---01011"},
		{"F-17 exponent", Integer, NumberValue("1e2"), []Value{IntValue(100)}, "10---01011"},
		{"not a number", Integer, IntValue(1), strs("1"), "01---00001"},

		{"F-17", Decimal, NumberValue("0.1"), []Value{NumberValue("0.10000000000000000001")}, "01---11001"},
		{"F-17", Decimal, NumberValue("1.50"), []Value{NumberValue("15e-1")}, "10---01011"},
		{"F-17 negative", Decimal, NumberValue("-1.5"), []Value{NumberValue("-1.25")}, "01---11001"},
		{"F-17 sign", Decimal, NumberValue("0.001"), []Value{IntValue(-5)}, "01---00111"},
		{"F-17 -0.0 is 0", Decimal, NumberValue("-0.0"), []Value{IntValue(0)}, "10---01011"},
		{"F-17 absent", Decimal, NumberValue("0.5"), nil, "01---00000"},

		{"F-18 zone", DateTime, StringValue("2011-05-13T04:42:34Z"), strs("2011-05-13T06:42:34+02:00"), "10---01011"},
		{"F-18 no zone", DateTime, StringValue("2011-05-13T04:42:34"), strs("2011-05-13T04:42:34.000Z"), "10---01011"},
		{"F-18 fraction", DateTime, StringValue("2011-05-13T04:42:34.1Z"), strs("2011-05-13T04:42:34.1000000000001Z"), "01---11001"},
		{"F-18 fraction", DateTime, StringValue("2011-05-13T04:42:34.2Z"), strs("2011-05-13T04:42:34.13Z"), "01---00111"},
		{"F-18 any year", DateTime, StringValue("9999-12-31T23:59:59Z"), strs("0001-01-01T00:00:00Z"), "01---00111"},
		{"F-18 before 1970", DateTime, StringValue("1969-12-31T23:59:59.5Z"), strs("1969-12-31T23:59:59.25Z"), "01---00111"},
		{"F-14 absent", DateTime, StringValue("2011-05-13T04:42:34Z"), nil, "01---00000"},
		{"F-19", DateTime, StringValue("2011-05-13T04:42:34Z"), strs("2010-01-01T00:00:00Z", "2012-01-01T00:00:00Z"), "01---11111"},
		{"not a dateTime", DateTime, StringValue("2011-05-13T04:42:34Z"), strs("yesterday"), "01---00001"},

		{"F-16", Presence, Value{}, []Value{{}}, "01-------1"},
		{"F-16", Presence, Value{}, nil, "10-------0"},
		{"F-16", Presence, Value{}, strs(""), "10-------0"},
	} {
		if got := truth(c.m, c.literal, c.values); got != c.want {
			t.Errorf("%s: %v %s, %v: got %s, want %s", c.row, c.m, c.literal, c.values, got, c.want)
		}
	}
}

// truth is the row of the table. It also holds Test against Matches.
func truth(m Match, literal Value, values []Value) string {
	s := object{values: map[string][]Value{"a": values}}
	var b strings.Builder
	for op := Eq; op <= Pr; op++ {
		c := &Compare{Name: "a", Op: op, Match: m}
		if op != Pr {
			v, err := CheckLiteral(m, op, literal)
			if err != nil {
				b.WriteByte('-')
				continue
			}
			c.Value = v
		}
		is := Matches(c, s)
		if is == Matches(Not{c}, s) {
			return "not is not the opposite of " + op.String()
		}
		single := Value{}
		if len(values) == 1 {
			single = values[0]
		}
		if len(values) < 2 && m != Presence && Test(c, single) != is {
			return "Test differs for " + op.String()
		}
		b.WriteByte("01"[b2i(is)])
	}
	return b.String()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bound parses a filter and lets every leaf compare as m.
func bound(t testing.TB, text string, m Match) Expr {
	e, err := Parse(text, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Compare); ok {
			c.Match = m
		}
		return true
	})
	return e
}

func TestMatchesTree(t *testing.T) {
	email := func(typ string, values ...string) object {
		return object{values: map[string][]Value{"type": strs(typ), "value": strs(values...)}}
	}
	user := object{
		values: map[string][]Value{"userName": strs("bjensen"), "emails.type": strs("work", "home"),
			"emails.value": strs("b@work.org", "b@home.org")},
		elements: map[string][]object{"emails": {email("work", "b@work.org"), email("home", "b@home.org"), email("none")}},
	}
	for _, c := range []struct {
		row, text string
		want      bool
	}{
		{"F-07 one element", `emails[type eq "work" and value ew "@work.org"]`, true},
		{"F-07 not across elements", `emails[type eq "work" and value ew "@home.org"]`, false},
		{"F-19 across values without brackets", `emails.type eq "work" and emails.value ew "@home.org"`, true},
		{"F-08 or", `emails[type eq "x" or value co "home"]`, true},
		{"F-08 not", `emails[not (type eq "work")]`, true},
		{"F-08 not outside", `not (emails[type eq "work"])`, false},
		{"F-09", `emails[type eq "work"].value eq "B@WORK.ORG"`, true},
		{"F-09", `emails[type eq "work"].value eq "b@home.org"`, false},
		{"F-09 pr", `emails[type eq "none"].value pr`, false},
		{"F-09 ne is of the element", `emails[type eq "none"].value ne "x"`, true},
		{"F-14 no element has no value", `ims[type ne "x"]`, false},
		{"F-14 any-rule against not eq", `emails.type ne "work" and not (emails.type eq "work")`, false},
		{"F-14 any-rule", `emails.type ne "work"`, true},
		{"F-05 and before or", `userName eq "bjensen" or title pr and title eq "x"`, true},
		{"F-05 grouped", `(userName eq "bjensen" or title pr) and title eq "x"`, false},
		{"F-27", `title eq null and userName ne null`, true},
	} {
		if got := Matches(bound(t, c.text, Folded), user); got != c.want {
			t.Errorf("%s: %s: got %v", c.row, c.text, got)
		}
	}
	for _, e := range []Expr{nil, True{}, Not{False{}}, Not{Not{nil}}, And{True{}, Not{False{}}}, Or{False{}, True{}}, Not{And{True{}, False{}}}} {
		if !Matches(e, user) {
			t.Errorf("%s is false", Print(e))
		}
	}
}

// An unbound leaf compares as its literal suggests.
func TestMatchesUnbound(t *testing.T) {
	s := object{values: map[string][]Value{"s": strs("X"), "b": {BoolValue(true)}, "n": {IntValue(5)}}}
	for text, want := range map[string]bool{
		`s eq "X"`: true, `s eq "x"`: false, `s co "X"`: true, `b eq true`: true, `b eq false`: false,
		`n gt 4.5`: true, `n eq 5.0`: true, `n lt 5`: false, `s pr`: true, `x eq null`: true, `s gt 5`: false,
	} {
		if got := Matches(bound(t, text, Unbound), s); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// A subject that goes on after it was told to stop must not spoil the answer.
type stubborn struct{ object }

func (s stubborn) Values(c *Compare, yield func(Value) bool) {
	for _, v := range s.values[c.Name] {
		yield(v)
	}
}

func TestMatchesStubbornSubject(t *testing.T) {
	s := stubborn{object{values: map[string][]Value{"a": strs("x", "y", "")}}}
	for _, text := range []string{`a eq "x"`, `a pr`, `a ne null`, `a sw "x"`, `not (a eq null)`} {
		if !Matches(bound(t, text, Exact), s) {
			t.Errorf("%s is false", text)
		}
	}
}

// F-31: Fold is strings.EqualFold's rule, for every character there is.
func TestFold(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		s := string(r)
		if s == "\uFFFD" {
			continue
		}
		if f := Fold(s); Fold(string(unicode.SimpleFold(r))) != f || !strings.EqualFold(f, s) || Fold(f) != f || f > s {
			t.Fatalf("%q folds to %q", s, f)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aAkK\u212AsSſßẞéÉσςΣ\U00010400\U00010428-_")))
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		if (Fold(a) == Fold(b)) != strings.EqualFold(a, b) || sign(compareFold(a, b)) != strings.Compare(Fold(a), Fold(b)) {
			t.Fatalf("%q %q", Fold(a), Fold(b))
		}
		if got := string(appendFold(nil, a)); got != Fold(a) {
			t.Fatalf("appendFold: %q, want %q", got, Fold(a))
		}
	})
}

func sign(n int) int { return min(1, max(-1, n)) }

// F-17: decimals compare as math/big says.
func TestCompareNumbers(t *testing.T) {
	gen := rapid.StringMatching(`-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?([eE][+-]?[0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, ok := compareNumbers(NumberValue(a), NumberValue(b)); !ok || sign(got) != x.Cmp(y) {
			t.Fatalf("%s and %s: %d, want %d", a, b, got, x.Cmp(y))
		}
		d, _ := parseDecimal(a)
		n, ok := d.integer()
		if ok != x.IsInt() || ok && n != x.Num().Int64() {
			t.Fatalf("%s is %d, %v", a, n, ok)
		}
	})
	for _, s := range []string{"9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e18", "1e19", "92233720368547758.07e2"} {
		d, _ := parseDecimal(s)
		x, _ := new(big.Rat).SetString(s)
		if _, ok := d.integer(); ok != x.Num().IsInt64() {
			t.Errorf("%s: %v", s, ok)
		}
	}
	for _, s := range []string{"", "-", "x", "1.", "1e99999999999", "Inf", "0x1"} {
		if _, ok := compareNumbers(NumberValue(s), IntValue(1)); ok {
			t.Errorf("%q is a number", s)
		}
	}
}

func FuzzIsNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "01", "1.5e+3", "1e", ".5", "1.", "--1", "", "1e5 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !isNumber(s) {
			return
		}
		if _, err := strconv.ParseFloat(s, 64); err != nil && !strings.Contains(err.Error(), "range") {
			t.Fatalf("%q: %v", s, err)
		}
		parseDecimal(s)
	})
}

// Sorting: total, antisymmetric, and without a value last.
func TestCompareValues(t *testing.T) {
	for _, c := range []struct {
		m     Match
		order []Value // ascending, "=" not among them
	}{
		{Exact, []Value{StringValue("B"), StringValue("a"), IntValue(3), {}}},
		{Folded, []Value{StringValue("A"), StringValue("b"), StringValue("C"), StringValue("É"), BoolValue(true), {}}},
		{Boolean, []Value{BoolValue(false), BoolValue(true), StringValue("false"), {}}},
		{Integer, []Value{NumberValue("-1e30"), IntValue(-1), NumberValue("0.5"), IntValue(1), StringValue("0"), {}}},
		{DateTime, []Value{StringValue("2011-05-13T06:42:34+02:00"), StringValue("2011-05-13T04:42:34.5Z"),
			StringValue("2011-05-13T04:42:34.51"), StringValue("later"), {}}},
	} {
		for i, a := range c.order {
			for j, b := range c.order {
				if got := sign(CompareValues(c.m, a, b)); got != sign(i-j) {
					t.Errorf("%v: %s and %s: %d, want %d", c.m, a, b, got, sign(i-j))
				}
			}
		}
	}
	for _, c := range [][2]Value{{StringValue(""), {}}, {StringValue("é"), StringValue("É")}} {
		if CompareValues(Folded, c[0], c[1]) != 0 {
			t.Errorf("%s and %s differ", c[0], c[1])
		}
	}
}

func TestParseInstant(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2011-05-13T04:42:34Z", "2011-05-13T04:42:34Z"},
		{"2011-05-13t04:42:34z", "2011-05-13T04:42:34Z"},
		{"2011-05-13T04:42:34", "2011-05-13T04:42:34Z"},
		{"2011-05-13T04:42:34.5", "2011-05-13T04:42:34.5Z"},
		{"2011-05-13T04:42:34.123456789012345000Z", "2011-05-13T04:42:34.123456789012345Z"},
		{"2011-05-13T00:30:00+01:30", "2011-05-12T23:00:00Z"},
		{"2011-05-13T00:30:00.250-01:30", "2011-05-13T02:00:00.25Z"},
		{"2012-02-29T00:00:00Z", "2012-02-29T00:00:00Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
		{"2011-12-31T24:00:00Z", "2012-01-01T00:00:00Z"},
		{"1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z"},
		{"1990-12-31T15:59:60.5-08:00", "1991-01-01T00:00:00.5Z"},
		{"1990-12-31T15:59:60Z", ""},
		{"2011-05-13T24:00:01Z", ""},
		{"2011-05-13T24:00:00.1Z", ""},
		{"2011-05-13T25:00:00Z", ""},
		{"2011-05-13T04:60:00Z", ""},
		{"2011-05-13T04:42:61Z", ""},
		{"2011-02-29T00:00:00Z", ""},
		{"1900-02-29T00:00:00Z", ""},
		{"2011-04-31T00:00:00Z", ""},
		{"2011-13-01T00:00:00Z", ""},
		{"2011-00-01T00:00:00Z", ""},
		{"2011-01-00T00:00:00Z", ""},
		{"2011-05-13", ""},
		{"2011-05-13 04:42:34Z", ""},
		{"2011-05-13T04:42Z", ""},
		{"2011-05-13T04:42:34.Z", ""},
		{"2011-05-13T04:42:34,5Z", ""},
		{"2011-05-13T04:42:34+0200", ""},
		{"2011-05-13T04:42:34+24:00", ""},
		{"2011-05-13T04:42:34+02:60", ""},
		{"2011-05-13T04:42:34ZZ", ""},
		{"2O11-05-13T04:42:34Z", ""},
		{"-011-05-13T04:42:34Z", ""},
		{"0000-01-01T00:00:00+00:01", ""},
		{"9999-12-31T23:59:59-00:01", ""},
		{"", ""},
	} {
		got := ""
		if v, err := CheckLiteral(DateTime, Eq, StringValue(c.text)); err == nil {
			got = v.Str
		}
		if got != c.want {
			t.Errorf("F-18 %q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{"2011-05-13T04:42:34Z", "2011-05-13T04:42:34.5+02:00", "1990-12-31T23:59:60Z", "2011-12-31T24:00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := parseInstant(s)
		if !ok || !a.printable() {
			return
		}
		b, ok := parseInstant(a.String())
		if !ok || a.compare(b) != 0 {
			t.Fatalf("%q is %s", s, a)
		}
	})
}

// F-15, F-17, F-28: the messages, which clients read.
func TestCheckLiteral(t *testing.T) {
	for _, c := range []struct {
		row  string
		m    Match
		op   Op
		v    Value
		want string // the canonical literal, or the error
	}{
		{"F-28", Boolean, Eq, StringValue("true"), `"true" is no boolean; booleans are true and false, without quotes`},
		{"F-28", Boolean, Eq, IntValue(1), `1 is no boolean; booleans are true and false, without quotes`},
		{"F-28", Folded, Eq, IntValue(5), `5 is no string; strings are written in double quotes`},
		{"F-28", Exact, Sw, BoolValue(true), `true is no string; strings are written in double quotes`},
		{"F-28", Integer, Eq, StringValue("5"), `"5" is no number; numbers are written without quotes`},
		{"F-28", Decimal, Gt, BoolValue(true), `true is no number; numbers are written without quotes`},
		{"F-28", DateTime, Gt, IntValue(5), `5 is no dateTime; a dateTime is written "2011-05-13T04:42:34Z"`},
		{"F-18", DateTime, Gt, StringValue("2011"), `"2011" is no dateTime; a dateTime is written "2011-05-13T04:42:34Z"`},
		{"F-18", DateTime, Gt, StringValue("2011-05-13T06:42:34.50+02:00"), `"2011-05-13T04:42:34.5Z"`},
		{"F-15", Boolean, Co, StringValue("t"), `"co" cannot compare a boolean`},
		{"F-15", Integer, Sw, IntValue(1), `"sw" cannot compare a number`},
		{"F-15", DateTime, Ew, StringValue("Z"), `"ew" cannot compare a dateTime`},
		{"F-17", Boolean, Gt, BoolValue(false), `"gt" cannot compare a boolean`},
		{"F-17", Integer, Gt, NumberValue("1.0"), `1`},
		{"F-17", Integer, Gt, NumberValue("1.5"), `1.5`},
		{"F-17", Decimal, Eq, NumberValue("25e-1"), `25e-1`},
		{"F-17", Decimal, Eq, NumberValue("12e3"), `12000`},
		{"F-17", Decimal, Eq, NumberValue("1e401"), `"1e401": exponents go from -400 to 400`},
		{"F-17", Decimal, Eq, NumberValue("NaN"), `NaN is no JSON number`},
		{"F-20", Presence, Co, StringValue("x"), `"co" needs the name of a sub-attribute; a complex attribute has only "pr"`},
		{"F-20", Presence, Eq, StringValue("x"), `"eq" needs the name of a sub-attribute before "x"`},
		{"F-27", Presence, Eq, Value{}, `null`},
		{"F-16", Presence, Pr, Value{}, `null`},
		{"F-16", Folded, Pr, StringValue("x"), `"pr" takes no value`},
		{"F-27", Folded, Gt, Value{}, `null is compared with "eq" or "ne", not with "gt"`},
		{"F-27", Boolean, Ne, Value{}, `null`},
		{"unbound", Unbound, Eq, StringValue("x"), `"eq" cannot compare an unbound name`},
	} {
		v, err := CheckLiteral(c.m, c.op, c.v)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %v %v %s: got %s", c.row, c.m, c.op, c.v, got)
		}
	}
}

func TestCoerce(t *testing.T) {
	for _, c := range []struct {
		m    Match
		v    Value
		want Value
	}{
		{Boolean, StringValue("True"), BoolValue(true)},
		{Boolean, StringValue("FALSE"), BoolValue(false)},
		{Boolean, StringValue("yes"), StringValue("yes")},
		{Boolean, IntValue(1), IntValue(1)},
		{Integer, StringValue("5"), IntValue(5)},
		{Decimal, StringValue("1.5"), NumberValue("1.5")},
		{Decimal, StringValue("1.5 "), StringValue("1.5 ")},
		{Folded, IntValue(701984), StringValue("701984")},
		{Exact, NumberValue("1.50"), StringValue("1.50")},
		{Exact, BoolValue(true), StringValue("true")},
		{Exact, Value{}, Value{}},
		{Integer, Value{}, Value{}},
		{DateTime, StringValue("5"), StringValue("5")},
	} {
		if got := Coerce(c.m, c.v); got != c.want {
			t.Errorf("F-28 %v %s: got %s, want %s", c.m, c.v, got, c.want)
		}
	}
}

func TestMatchesAllocates(t *testing.T) {
	s := object{values: map[string][]Value{"userName": strs("BJensen"), "b": strs("x")}}
	e := bound(t, `(userName co "jens" or b eq "x") and not (c pr) and userName sw "bj" and b ge "X"`, Folded)
	var subject Subject = s
	if n := testing.AllocsPerRun(100, func() { Matches(e, subject) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatches(b *testing.B) {
	s := object{values: map[string][]Value{"userName": strs("BJensen"), "title": strs("Tour Guide"),
		"modified": strs("2011-05-13T04:42:34Z"), "emails.value": strs("a@x.org", "b@x.org", "c@example.com")}}
	for _, c := range []struct {
		text string
		m    Match
	}{
		{`userName eq "bjensen"`, Folded},
		{`title co "guide" and emails.value ew "EXAMPLE.com"`, Folded},
		{`modified gt "2011-05-13T04:42:33.5Z"`, DateTime},
	} {
		e := bound(b, c.text, c.m)
		name := strings.Join(slices.Compact(strings.Fields(c.text))[:2], "_")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !Matches(e, s) {
					b.Fatal("no match")
				}
			}
		})
	}
}
