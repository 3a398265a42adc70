package patch

import (
	"fmt"
	"strings"
	"testing"
)

func benchmark(b *testing.B, typeName, start, body string) {
	rt := builtin(b, typeName)
	before := resource(b, rt.Layout, start)
	n := readJSON(b, body)
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(n, rt, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	ops, err := Parse(n, rt, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("apply", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Apply(before, ops); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOktaDeactivate(b *testing.B) {
	benchmark(b, "User", fullUser, readKnown(b, "okta-deactivate"))
}

func BenchmarkEntraSeveral(b *testing.B) {
	benchmark(b, "User", fullUser, readKnown(b, "entra-several-flag"))
}

// largeGroup has n members.
func largeGroup(n int) string {
	s := &strings.Builder{}
	s.WriteString(`{"id":"g","displayName":"G","members":[`)
	for i := range n {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(s, `{"value":"%032x"}`, i)
	}
	s.WriteString("]}")
	return s.String()
}

func BenchmarkAddToLargeGroup(b *testing.B) {
	benchmark(b, "Group", largeGroup(50_000), patchBody(`{"op":"add","path":"members","value":[{"value":"new"}]}`))
}

// Five hundred members out by filter, five hundred in by list, in one request.
func BenchmarkChurnInLargeGroup(b *testing.B) {
	var ops []string
	for i := range 500 {
		ops = append(ops, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%032x\"]"}`, i*7), fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":"new%d"}]}`, i))
	}
	body := patchBody(ops...)
	benchmark(b, "Group", largeGroup(50_000), body)
	ops2, err := Parse(readJSON(b, body), builtin(b, "Group"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("members only", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var d []MemberDelta
			if d, _ = MembersOnly(ops2); len(d[0].Add) != 500 {
				b.Fatal(len(d[0].Add))
			}
		}
	})
}
