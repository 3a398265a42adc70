package scim

import (
	"slices"
	"strings"
	"testing"
)

func TestSortKeys(t *testing.T) {
	l := testLayout(t)
	email := func(value string, primary bool) Value {
		return object(t, l, "emails", map[string]Value{"value": Str(value), "primary": Bool(primary)})
	}
	cases := []struct {
		name, attr string
		values     []Value // in ascending order
	}{
		{"O-05 folded", "userName", []Value{Str("A"), Str("b"), Str("C"), Str("ä")}},
		{"O-05 caseExact", "externalId", []Value{Str("B"), Str("a"), Str("b")}},
		{"O-05 code points, not UTF-16", "externalId", []Value{Str("\uffee"), Str("\U0001f600")}},
		{"O-03 absent last", "userName", []Value{Str("z"), {}}},
		{"O-05 boolean", "active", []Value{Bool(false), Bool(true), {}}},
		{"O-05 integer", "age", []Value{Int(-5), Int(9), Int(10), {}}},
		{"O-05 decimal", "weight", []Value{Decimal("-1e2"), Decimal("0.5"), Decimal("9"), Decimal("10"), Decimal("1e400")}},
		{"O-05 dateTime fraction", "born", []Value{Str("2020-01-01T00:00:00Z"), Str("2020-01-01T00:00:00.5Z"), Str("2020-01-01T00:00:01Z")}},
		{"O-05 dateTime offset", "born", []Value{Str("2020-01-01T02:00:00+02:00"), Str("2020-01-01T00:30:00Z")}},
		{"O-02 first element", "emails.value", []Value{List(email("a", false), email("z", false)), List(email("b", false))}},
		{"O-02 primary element", "emails.value", []Value{List(email("z", false), email("a", true)), List(email("b", false))}},
		{"O-02 simple multi-valued", "tags", []Value{List(Str("a"), Str("z")), List(Str("b")), {}}},
		{"O-02 complex", "name.familyName", []Value{
			object(t, l, "name", map[string]Value{"familyName": Str("A")}),
			object(t, l, "name", map[string]Value{"familyName": Str("b")}),
			object(t, l, "name", map[string]Value{"givenName": Str("x")})}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			attr, top := at(t, l, c.attr), at(t, l, strings.Split(c.attr, ".")[0])
			keys := make([]SortKey, len(c.values))
			for i, v := range c.values {
				r := NewResource(l)
				r.Set(top, v)
				keys[i] = SortKeyOf(r, attr)
			}
			for i := range keys {
				for j := range keys {
					if got, want := sign(keys[i].Compare(keys[j])), sign(i-j); got != want {
						t.Errorf("%d against %d: %d", i, j, got)
					}
				}
			}
		})
	}
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}

func TestSortByEqualKeys(t *testing.T) {
	l := testLayout(t)
	a, b := NewResource(l), NewResource(l)
	a.Set(at(t, l, "userName"), Str("BJensen"))
	b.Set(at(t, l, "userName"), Str("bjensen"))
	if SortKeyOf(a, at(t, l, "userName")).Compare(SortKeyOf(b, at(t, l, "userName"))) != 0 {
		t.Error("O-05, F-37: equal but for case")
	}
	empty := []SortKey{SortKeyOf(NewResource(l), at(t, l, "age")), SortKeyOf(NewResource(l), at(t, l, "age"))}
	if !slices.IsSortedFunc(empty, SortKey.Compare) || empty[0].Compare(empty[1]) != 0 {
		t.Error("O-03: two resources without a value")
	}
}
