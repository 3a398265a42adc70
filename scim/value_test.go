package scim

import (
	"strings"
	"testing"
	"unicode"
)

func TestCompact(t *testing.T) { // S-21, S-23
	l := testLayout(t)
	empty := NewComplex(at(t, l, "emails"))
	full := object(t, l, "emails", map[string]Value{"value": Str("a")})
	cases := map[string]struct{ in, want Value }{
		"S-23 empty complex":     {empty, Value{}},
		"S-23 all elements gone": {List(empty, Value{}, empty), Value{}},
		"one element stays":      {List(empty, full), List(full)},
		"S-21 empty list":        {List(), Value{}},
		"simple":                 {Bool(false), Bool(false)},
	}
	for name, c := range cases {
		if got := c.in.Compact(); !got.Equal(c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestValueCloneSharesNothing(t *testing.T) {
	l := testLayout(t)
	value := at(t, l, "emails.value")
	v := List(object(t, l, "emails", map[string]Value{"value": Str("a")}))
	c := v.Clone()
	c.Elems()[0].Set(value, Str("b"))
	if v.Elems()[0].Get(value).String() != "a" || v.Equal(c) {
		t.Error("the clone shares its elements")
	}
}

func TestValuesOfOtherKinds(t *testing.T) {
	l := testLayout(t)
	if Str("x").Elems() != nil || Str("x").Get(at(t, l, "emails.value")).Present() {
		t.Error("a simple value has elements or sub-attributes")
	}
	if Int(1).Equal(Bool(true)) || !Decimal("1.0").Equal(Decimal("1.0")) || Decimal("1.0").Equal(Str("1.0")) {
		t.Error("values of different kinds are equal")
	}
	if !Bool(true).Bool() || Bool(false).Bool() || Int(-3).Int() != -3 || Bool(false).Present() != true {
		t.Error("accessors")
	}
}

func TestFold(t *testing.T) { // F-31, 44 section 7.8
	equal := [][2]string{{"BJensen", "bjensen"}, {"ÄÖÜ", "äöü"}, {"Kelvin \u212a", "kelvin k"}, {"ſ", "S"}, {"Σ", "ς"}}
	for _, c := range equal {
		if Fold(c[0]) != Fold(c[1]) {
			t.Errorf("%q and %q fold apart", c[0], c[1])
		}
	}
	different := [][2]string{{"straße", "STRASSE"}, {"i", "İ"}, {"a", "á"}, {"[", "{"}, {"@", "`"}}
	for _, c := range different {
		if Fold(c[0]) == Fold(c[1]) {
			t.Errorf("%q and %q fold alike", c[0], c[1])
		}
	}
}

func TestFoldAgreesWithEqualFold(t *testing.T) {
	for r := rune(1); r < 0x3000; r++ {
		for _, o := range []rune{unicode.ToUpper(r), unicode.ToLower(r), unicode.SimpleFold(r), r ^ 0x20} {
			a, b := string(r), string(o)
			if (Fold(a) == Fold(b)) != strings.EqualFold(a, b) {
				t.Fatalf("%U %U: Fold and EqualFold disagree", r, o)
			}
		}
	}
}
