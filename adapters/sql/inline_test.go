package sql

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// gatheredText is what a database makes of members.
func gatheredText(members []string) string {
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = "x" + hex.EncodeToString([]byte(m))
		if _, ok := integer(m); ok {
			parts[i] = m
		}
	}
	return strings.Join(parts, ",")
}

func TestUngather(t *testing.T) {
	for _, c := range []struct{ members, want []string }{
		{nil, nil},
		{[]string{"7"}, []string{"7"}},
		{[]string{"10", "9", "10", "-2", "-10"}, []string{"-10", "-2", "9", "10"}},
		{[]string{"b", "a,b", "a", "b", "x\x00", "\xff"}, []string{"a", "a,b", "b", "x\x00", "\xff"}},
		{[]string{"b", "10", "9", "01"}, []string{"9", "10", "01", "b"}},
		{[]string{"9223372036854775807", "-9223372036854775808", "0"}, []string{"-9223372036854775808", "0", "9223372036854775807"}},
	} {
		got, _ := ungather(gatheredText(c.members)).([]string)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, not %q", c.members, got, c.want)
		}
	}
	if v := ungather(nil); v != nil {
		t.Errorf("no members are %#v", v)
	}
}

// FuzzUngather: whatever the members are, each comes out once and none is made up.
func FuzzUngather(f *testing.F) {
	f.Add("7|10|a,b|x\x00|7")
	f.Fuzz(func(t *testing.T, joined string) {
		members := slices.DeleteFunc(strings.Split(joined, "|"), func(m string) bool { return m == "" })
		got, _ := ungather(gatheredText(members)).([]string)
		slices.Sort(members)
		members = slices.Compact(members)
		slices.Sort(got)
		if !slices.Equal(got, members) {
			t.Errorf("%q came out as %q", members, got)
		}
	})
}
