package sql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
	"pgregory.net/rapid"
)

// nocase is how SQLite's NOCASE sees a text.
func nocase(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// TestVariants: whatever folds like a text is one of its variants, or within one of its spans.
func TestVariants(t *testing.T) {
	letters := []rune("aAkK\u212asS\u017fßẞéÉåÅ\u212bωΩ\u2126µμΜǆǅǄσςΣиИ𐐀𐐨@._日")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom(letters), 1, 12, -1).Draw(t, "text")
		other := strings.Map(func(r rune) rune {
			ascii, rest := others(r)
			if ascii != 0 {
				rest = append(rest, ascii, nocaseUpper(ascii))
			}
			return rapid.SampledFrom(rest).Draw(t, "letter")
		}, text)
		if !strings.EqualFold(text, other) {
			t.Fatalf("%q and %q are not alike", text, other)
		}
		list, ranges := variants(text), spans(text)
		found := list == nil
		for _, v := range list {
			if !strings.EqualFold(v.(string), text) {
				t.Fatalf("%q is no variant of %q", v, text)
			}
			found = found || nocase(v.(string)) == nocase(other)
		}
		if !found || len(list)&(len(list)-1) != 0 {
			t.Fatalf("%q is not among the %d variants of %q", other, len(list), text)
		}
		var pairs [][2]string
		if err := json.Unmarshal([]byte(ranges), &pairs); err != nil {
			t.Fatalf("spans of %q: %v", text, err)
		}
		for _, p := range pairs {
			if o := nocase(other); o >= nocase(p[0]) && o < nocase(p[1]) {
				return
			}
		}
		t.Fatalf("%q is in none of the spans %q of %q", other, ranges, text)
	})
}

func nocaseUpper(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// TestSpans: long texts have few spans.
func TestSpans(t *testing.T) {
	for text, most := range map[string]int{"klaus.kessler@sparkasse-kassel.example": 15, strings.Repeat("s", 200): 201, strings.Repeat("и", 100): 32} {
		var pairs [][2]string
		if err := json.Unmarshal([]byte(spans(text)), &pairs); err != nil || len(pairs) > most {
			t.Errorf("%q: %d spans, %v", text, len(pairs), err)
		}
	}
	if spans("a\x00b") != "" || spans("\xff") != "" || spans(strings.Repeat("s", 1000)) != "" {
		t.Error("spans where there can be none, or too many")
	}
}

// FuzzCursor: a cursor from anywhere is a place in the list or Invalid.
func FuzzCursor(f *testing.F) {
	for _, c := range []string{"", "aTEy", "c2FiY3xpMQ", "MTAw", "AAAA", "!", "LTE", "aQ"} {
		f.Add(c)
	}
	one := &plan{scope: scope{key: []*column{{name: "a"}}}}
	two := &plan{scope: scope{key: []*column{{name: "a"}, {name: "b"}}}}
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, p := range []*plan{one, two} {
			for _, q := range []adapters.Query{{Cursor: cursor}, {Cursor: cursor, Sort: []adapters.Sort{{Field: "a"}}}} {
				s, err := p.start(q)
				if err != nil && !adapters.Is(err, adapters.Invalid) {
					t.Fatalf("%q: %v", cursor, err)
				}
				if err != nil || cursor == "" || len(q.Sort) > 0 {
					continue
				}
				again, err := p.start(adapters.Query{Cursor: s.next(s.after, q)})
				if err != nil || keyOf(again.after) != keyOf(s.after) {
					t.Fatalf("%q reads as %v, and what that writes as %v, %v", cursor, s.after, again.after, err)
				}
			}
		}
	})
}

// FuzzSpec: a comparison survives being written as text.
func FuzzSpec(f *testing.F) {
	f.Add(uint8(1), uint8(1), uint8(0), uint8(1), int64(0), "x y")
	f.Add(uint8(4), uint8(6), uint8(5), uint8(3), int64(-7), "")
	f.Fuzz(func(t *testing.T, k, match, op, valueKind uint8, n int64, text string) {
		c := filter.Compare{Name: singleField, Match: filter.Match(match), Op: filter.Op(op),
			Value: filter.Value{Kind: filter.Kind(valueKind), Num: n, Str: text}}
		gotKind, got, err := parseSpec(specOf(kind(k), &c))
		if err != nil || gotKind != kind(k) || *got != c {
			t.Fatalf("%v, %v, %v", gotKind, got, err)
		}
	})
}

// FuzzSpecText: text that is no comparison is an error.
func FuzzSpecText(f *testing.F) {
	f.Add("")
	f.Add("1 2 3 4 5 x")
	f.Add("1 2 3 x 5 x")
	f.Fuzz(func(t *testing.T, text string) {
		if _, c, err := parseSpec(text); (c == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", text, c, err)
		}
	})
}
