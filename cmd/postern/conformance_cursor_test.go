package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// walk follows nextCursor to the end and answers the ids, or the values of an
// attribute, in the order in which they came.
func (r *rig) walk(path, attr string) (out []string, pages int) {
	r.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	cursor := ""
	for pages < 1000 {
		a := r.get(path + sep + "cursor=" + cursor).want(200)
		pages++
		list, _ := a.at("Resources").([]any)
		for _, e := range list {
			out = append(out, fmt.Sprint(e.(map[string]any)[attr]))
		}
		if n := a.at("itemsPerPage"); n != float64(len(list)) {
			r.t.Errorf("itemsPerPage %v for %d", n, len(list))
		}
		next, more := a.at("nextCursor").(string)
		if !more {
			return out, pages
		}
		if strings.Trim(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			r.t.Errorf("K-04: %q", next)
		}
		cursor = next
	}
	r.t.Fatal("K-02: the cursors do not end")
	return nil, 0
}

func (r *rig) byIndex(path, attr string) (out []string) {
	r.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for at := 1; ; at += 50 {
		a := r.get(fmt.Sprintf("%s%sstartIndex=%d&count=50", path, sep, at)).want(200)
		list, _ := a.at("Resources").([]any)
		for _, e := range list {
			out = append(out, fmt.Sprint(e.(map[string]any)[attr]))
		}
		if len(list) < 50 {
			return out
		}
	}
}

// TestCursors: rows K, against the quickstart's database.
func TestCursors(t *testing.T) {
	r := start(t)
	r.run("K-01, K-02, K-09, O-09 every resource once, in order", func() {
		for _, q := range []string{"/Users", "/Groups", "/Users?sortBy=userName", "/Users?sortBy=name.familyName&sortOrder=descending",
			"/Users?filter=" + url.QueryEscape(`userName sw "a"`),
			"/Users?filter=" + url.QueryEscape(`userType co "mploy"`), // the gateway's own work
			"/Users?sortBy=displayName", "/?filter=" + url.QueryEscape(`displayName co "e"`), "/?sortBy=displayName", "/"} {
			want := r.byIndex(q, "id")
			sep := "?"
			if strings.Contains(q, "?") {
				sep = "&"
			}
			got, pages := r.walk(q+sep+"count=7", "id")
			if !slices.Equal(got, want) {
				r.t.Errorf("K-02 %s: %d of %d on %d pages, or another order", q, len(got), len(want), pages)
			}
			if least := len(want) / 7; pages < least {
				r.t.Errorf("K-07 %s: %d pages", q, pages)
			}
		}
		a := r.get("/Users").want(200)
		if a.at("nextCursor") != nil || a.at("startIndex") == nil {
			r.t.Error("K-09: index is the default")
		}
		r.get("/ServiceProviderConfig").is("pagination.cursor", "true").is("pagination.index", "true").is("pagination.defaultPaginationMethod", "index").
			is("pagination.cursorTimeout", "3600")
	})
	r.run("K-03, K-05 the total, and no way back", func() {
		total := fmt.Sprint(r.get("/Users?count=0").at("totalResults"))
		first := r.get("/Users?count=5&cursor").want(200).is("totalResults", total).is("startIndex", "").is("previousCursor", "")
		r.get("/Users?count=5&cursor="+fmt.Sprint(first.at("nextCursor"))).want(200).is("totalResults", total)
		r.get("/Users?count=0&cursor=").want(200).is("totalResults", total).is("itemsPerPage", "0").is("nextCursor", "")
		r.get("/Users?count=-1&cursor=").want(200).is("itemsPerPage", "0")
		r.get("/Users?cursor=&filter="+url.QueryEscape(`userName eq "nobody"`)).want(200).is("totalResults", "0").is("nextCursor", "")
	})
	r.run("N-08 a page stays where it was when others come and go", func() {
		first := r.get("/Users?count=10&cursor=").want(200)
		shown := fmt.Sprint(first.at("Resources.3.id"))
		next := fmt.Sprint(first.at("nextCursor"))
		want := r.get("/Users?count=10&cursor="+next).values("Resources", "id")
		r.do("DELETE", "/Users/"+shown, "").want(204)
		if got := r.get("/Users?count=10&cursor="+next).values("Resources", "id"); !slices.Equal(got, want) {
			r.t.Errorf("%v, before the deletion %v", got, want)
		}
	})
	r.run("K-04, K-06, K-12 what is no cursor of this query", func() {
		next := fmt.Sprint(r.get("/Users?count=10&cursor=").at("nextCursor"))
		for i := range len(next) {
			c := byte('A')
			if next[i] == c {
				c = 'B'
			}
			forged := next[:i] + string(c) + next[i+1:]
			r.get("/Users?count=10&cursor="+forged).want(400).is("scimType", "invalidCursor")
		}
		for _, q := range []string{"/Groups?count=10", "/?count=10", "/Users?count=10&sortBy=userName", "/Users?count=10&attributes=userName",
			"/Users?count=10&filter=" + url.QueryEscape(`active eq true`)} {
			sep := "?"
			if strings.Contains(q, "?") {
				sep = "&"
			}
			r.get(q+sep+"cursor="+next).want(400).is("scimType", "invalidCursor")
		}
		for _, junk := range []string{"x", "AAAA", "%20", "1", strings.Repeat("A", 2000)} {
			r.get("/Users?cursor="+junk).want(400).is("scimType", "invalidCursor")
		}
		r.get("/Users?count=11&cursor="+next).want(400).is("scimType", "invalidCount")
		r.get("/Users?count=100000&cursor=").want(400).is("scimType", "invalidCount")
		r.get("/Users?cursor="+next).want(200).is("itemsPerPage", "10")
		r.get("/Users?startIndex=1&cursor=").want(400).is("scimType", "invalidValue") // K-14
	})
	r.run("K-11 in a search", func() {
		a := r.do("POST", "/Users/.search", `{`+searchRequest+`,"cursor":"","count":10}`).want(200)
		next := fmt.Sprint(a.at("nextCursor"))
		b := r.do("POST", "/Users/.search", `{`+searchRequest+`,"cursor":"`+next+`","count":10}`).want(200)
		c := r.get("/Users?count=10&cursor=" + next).want(200)
		if b.at("Resources.0.id") != c.at("Resources.0.id") || b.at("Resources.0.id") == a.at("Resources.0.id") {
			r.t.Error("K-11: another page than by GET")
		}
	})
	r.run("K-05 further than a query by index may look", func() {
		small := start(r.t, func(yaml string) string {
			return strings.Replace(yaml, "gateway:\n", "gateway:\n  limits: {scan: 50}\n", 1)
		})
		q := "/Users?count=7&filter=" + url.QueryEscape(`userType co "mploy"`)
		small.get(q).want(400).is("scimType", "tooMany")
		small.get(q+"&cursor=").want(200).is("totalResults", "")
		got, _ := small.walk(q, "userName")
		if want := start(r.t).byIndex("/Users", "userName"); !slices.Equal(got, want) {
			r.t.Errorf("%d of %d", len(got), len(want))
		}
	})
	r.run("K-13 a cursor outlives a restart, and expires", func() {
		next := fmt.Sprint(r.get("/Users?count=10&cursor=").at("nextCursor"))
		r.stop()
		r.serve()
		r.get("/Users?count=10&cursor=" + next).want(200)
	})
}
