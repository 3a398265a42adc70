package gateway

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postern/postern/scim"
)

func TestParseQuery(t *testing.T) {
	cases := []struct {
		name, raw string
		want      query
	}{
		{"H-07 unknown parameters are ignored", "foo=1&aadOptscim062020&x=%zz", query{}},
		{"F-32 an empty filter is a filter", "filter=", query{filter: param{"", true}}},
		{"F-02 the name in another case", "FILTER=a+pr", query{filter: param{"a pr", true}}},
		{"H-11 decoded once", "filter=userName%20eq%20%22a%2522b%22", query{filter: param{`userName eq "a%22b"`, true}}},
		{"H-12 a form's encoder means a space", `filter=displayName+eq+%22My+Group%22`, query{filter: param{`displayName eq "My Group"`, true}}},
		{"H-12 a form's encoder writes %2B", `filter=userName+eq+%22a%2Bb%40x%22`, query{filter: param{`userName eq "a+b@x"`, true}}},
		{"H-12 a path's encoder leaves the plus", `filter=userName%20eq%20%22a+b%40x%22`, query{filter: param{`userName eq "a+b@x"`, true}}},
		{"H-12 plus in a string stays", `filter=userName+eq+%22a+b@x%22`, query{filter: param{`userName eq "a+b@x"`, true}}},
		{"H-12 plus in a string with bare quotes", `filter=userName%20eq%20"a+b@x"+and+active+eq+true`, query{filter: param{`userName eq "a+b@x" and active eq true`, true}}},
		{"H-12 an escaped quote does not end a string", `filter=a+eq+"x\"+y"+or+b+pr`, query{filter: param{`a eq "x\"+y" or b pr`, true}}},
		{"H-12 a backslash at a string's end", `filter=a+eq+"x\\"+or+b+pr`, query{filter: param{`a eq "x\\" or b pr`, true}}},
		{"H-12 encoded plus", `filter=a%20eq%20"x%2By"`, query{filter: param{`a eq "x+y"`, true}}},
		{"H-12 elsewhere plus is a space", `sortBy=name+x&attributes="a+b"`, query{sortBy: param{"name x", true}, attributes: []string{`"a b"`}}},
		{"A-05 lists", "attributes=userName,%20emails,,urn:a:b:c&excludedAttributes=x", query{attributes: []string{"userName", "emails", "urn:a:b:c"}, excluded: []string{"x"}}},
		{"A-05 lists add up", "attributes=a&attributes=b", query{attributes: []string{"a", "b"}}},
		{"an equals sign in a value", "filter=a=b", query{filter: param{"a=b", true}}},
		{"a semicolon is no separator", "filter=a;b&count=1", query{filter: param{"a;b", true}, count: param{"1", true}}},
		{"empty pairs", "&&count=1&", query{count: param{"1", true}}},
		{"a name is decoded too", "%63ount=1", query{count: param{"1", true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseQuery(c.raw)
			if err != nil {
				t.Fatal(err)
			}
			if got.filter != c.want.filter || got.sortBy != c.want.sortBy || got.count != c.want.count ||
				!slices.Equal(got.attributes, c.want.attributes) || !slices.Equal(got.excluded, c.want.excluded) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestParseQueryRefuses(t *testing.T) {
	cases := []struct {
		raw  string
		kind scim.Keyword
	}{
		{"filter=a+pr&filter=b+pr", scim.InvalidFilter},
		{"filter=a&Filter=a", scim.InvalidFilter},
		{"filter=%2", scim.InvalidFilter},
		{"filter=%zz", scim.InvalidFilter},
		{"filter=%ff", scim.InvalidFilter},
		{"filter=\xff", scim.InvalidFilter},
		{"count=1&count=1", scim.InvalidValue},
		{"startIndex=1&STARTINDEX=2", scim.InvalidValue},
		{"sortBy=a&sortBy=b", scim.InvalidValue},
		{"sortOrder=%", scim.InvalidValue},
		{"attributes=%c3", scim.InvalidValue},
	}
	for _, c := range cases {
		_, err := parseQuery(c.raw)
		var e *scim.Error
		if !errors.As(err, &e) || e.Status != 400 || e.Type != c.kind || e.Detail == "" {
			t.Errorf("%s: %v", c.raw, err)
		}
	}
}

func TestWindow(t *testing.T) {
	lim := Limits{Page: 100, PageMax: 200}
	cases := []struct {
		row, raw     string
		start, count int
		bad          bool
	}{
		{"N-01 N-03 defaults", "", 1, 100, false},
		{"N-01 zero", "startIndex=0", 1, 100, false},
		{"N-01 negative", "startIndex=-5", 1, 100, false},
		{"N-02 negative", "count=-1", 1, 0, false},
		{"N-02 zero", "count=0", 1, 0, false},
		{"N-04 capped", "count=100000", 1, 200, false},
		{"N-04 huge", "count=99999999999999999999", 1, 200, false},
		{"N-06 huge", "startIndex=99999999999999999999", math.MaxInt32, 100, false},
		{"N-01 hugely negative", "startIndex=-99999999999999999999", 1, 100, false},
		{"N-07 word", "startIndex=abc", 0, 0, true},
		{"N-07 fraction", "count=1.0", 0, 0, true},
		{"N-07 exponent", "count=1e3", 0, 0, true},
		{"N-07 empty", "count=", 0, 0, true},
		{"N-07 sign only", "count=-", 0, 0, true},
		{"N-07 two signs", "count=--1", 0, 0, true},
		{"N-07 underscore", "count=1_0", 0, 0, true},
		{"N-07 Arabic digits", "count=%D9%A3", 0, 0, true},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			q, err := parseQuery(c.raw)
			if err != nil {
				t.Fatal(err)
			}
			start, count, err := q.window(&lim)
			if (err != nil) != c.bad || start != c.start || count != c.count {
				t.Errorf("%d, %d, %v", start, count, err)
			}
			var e *scim.Error
			if c.bad && (!errors.As(err, &e) || e.Type != scim.InvalidValue) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDescending(t *testing.T) {
	for text, want := range map[string]struct{ desc, bad bool }{
		"ascending": {}, "descending": {desc: true}, "Descending": {desc: true}, "up": {bad: true}, "": {bad: true},
	} {
		q := query{sortOrder: param{text, true}}
		desc, err := q.descending()
		if desc != want.desc || (err != nil) != want.bad {
			t.Errorf("O-04 %q: %v, %v", text, desc, err)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		`filter=userName+eq+"a+b"`, "attributes=a,b&count=1", "%66ilter=%22%5C%22+%22+", "filter=%", "&=&;", "filter=a&filter=b", "count=\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil {
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, p := range []param{q.filter, q.sortBy, q.sortOrder, q.startIndex, q.count} {
			if !utf8.ValidString(p.text) || !p.given && p.text != "" {
				t.Fatalf("param %+v", p)
			}
		}
		// What net/url reads is what is read here, but for plus signs in quotes and
		// for what net/url refuses.
		std, err := url.ParseQuery(raw)
		if err != nil || !std.Has("filter") || !utf8.ValidString(std.Get("filter")) {
			return
		}
		if fold := func(s string) string { return strings.ReplaceAll(s, "+", " ") }; fold(q.filter.text) != fold(std.Get("filter")) {
			t.Fatalf("filter %q, net/url reads %q", q.filter.text, std.Get("filter"))
		}
	})
}

func FuzzFilterPlus(f *testing.F) {
	f.Add("a+b@x", "other")
	f.Add(`"\`, " ")
	f.Fuzz(func(t *testing.T, first, second string) {
		if !utf8.ValidString(first) || !utf8.ValidString(second) {
			return
		}
		// However a client encodes it, as long as quotes and signs are encoded by
		// the rules of URLs, the filter arrives as it was meant.
		quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
		meant := "a eq " + quote(first) + " or b eq " + quote(second)
		for _, sent := range []string{url.QueryEscape(meant), url.PathEscape(meant)} {
			q, err := parseQuery("filter=" + strings.ReplaceAll(sent, "&", "%26"))
			if err != nil || q.filter.text != meant {
				t.Fatalf("%q arrived as %q, %v", meant, q.filter.text, err)
			}
		}
	})
}
