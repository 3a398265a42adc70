package conform

import (
	"slices"
	"strings"
)

var sortChecks = []Check{
	{"O-02", Must, "Lists are sorted by the attribute that sortBy names.", "RFC 7644 section 3.4.2.3", false, func(p *probe) {
		p.sorted("abcde", "sortBy", "userName")
		p.sorted("edcba", "sortBy", "userName", "sortOrder", "descending")
	}},
	{"O-03", Must, "What has no value comes last in ascending order and first in descending.", "RFC 7644 section 3.4.2.3", false, func(p *probe) {
		at := p.plain().String()
		p.ends("sortBy", at, 4)
		p.ends("sortOrder", at, 0)
	}},
	{"O-04", Must, "The order is ascending if nothing else is said, and no order is refused that exists.", "RFC 7644 section 3.4.2.3", false, func(p *probe) {
		p.sorted("abcde", "sortBy", "userName")
		p.sorted("abcde", "sortBy", "userName", "sortOrder", "ascending")
		p.get(query(p.users(), "sortBy", "userName", "sortOrder", "upwards", "count", "1")).refused(400)
	}},
	{"O-05", Must, "The order is that of the type, and of texts without case where case does not matter.", "RFC 7644 section 3.4.2.3", false, func(p *probe) {
		at := p.plain().String()
		p.sorted("badce", "sortBy", at)
		p.sorted("ecdab", "sortBy", at, "sortOrder", "descending")
	}},
	{"O-07", Should, "An attribute that no schema has is refused in sortBy.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.needs("sort")
		p.get(query(p.users(), "sortBy", "conformUnknown", "count", "1")).refused(400)
	}},
}

// sorted fails unless the crowd comes in this order.
func (p *probe) sorted(want string, pairs ...string) {
	p.needs("sort", "filter")
	_, scope := p.crowd()
	if got := p.found(query(p.users(), append([]string{"filter", scope}, pairs...)...)); got != want {
		p.fail("the order by %s is %s, want %s", strings.Join(pairs, " "), got, want)
	}
}

// ends fails unless the one without a value comes where it should.
func (p *probe) ends(how, at string, where int) {
	p.needs("sort", "filter")
	_, scope := p.crowd()
	pairs := []string{"filter", scope, "sortBy", at}
	if how == "sortOrder" {
		pairs = append(pairs, "sortOrder", "descending")
	}
	if got := p.found(query(p.users(), pairs...)); strings.IndexByte(got, 'e') != where {
		p.fail("the order is %s: the user without a value is not at place %d", got, where)
	}
}

var pageChecks = []Check{
	{"N-01", Must, "startIndex begins with 1, and what is less counts as 1.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		first := p.page("startIndex", "1", "count", "2")
		for _, s := range []string{"0", "-5"} {
			a := p.page("startIndex", s, "count", "2")
			if a.json["startIndex"] != 1.0 || !slices.Equal(ids(a), ids(first)) {
				a.fail("startIndex is %s", show(a.json["startIndex"]))
			}
		}
	}},
	{"N-02", Must, "No more than count are listed; 0 and less list none and still count.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		for count, want := range map[string]int{"2": 2, "0": 0, "-1": 0} {
			a := p.page("count", count)
			if n := len(ids(a)); n != want || a.json["totalResults"] != 5.0 {
				a.fail("%d are listed, want %d, and totalResults is %s, want 5", n, want, show(a.json["totalResults"]))
			}
		}
	}},
	{"N-04", Should, "A count above the server's maximum is cut, not refused.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		if a := p.page("count", "100000"); len(ids(a)) != 5 {
			a.fail("%d are listed, want 5", len(ids(a)))
		}
	}},
	{"N-05", Must, "totalResults counts all, itemsPerPage what is listed, and startIndex is where the page begins.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		seen := []string{}
		for start, want := range []int{2, 2, 1} {
			a := p.page("startIndex", []string{"1", "3", "5"}[start], "count", "2")
			if a.json["totalResults"] != 5.0 || a.json["itemsPerPage"] != float64(want) || a.json["startIndex"] != float64(2*start+1) || len(ids(a)) != want {
				a.fail("totalResults, itemsPerPage and startIndex are %s, %s and %s; %d are listed", show(a.json["totalResults"]), show(a.json["itemsPerPage"]), show(a.json["startIndex"]), len(ids(a)))
			}
			seen = append(seen, ids(a)...)
		}
		if slices.Sort(seen); len(slices.Compact(seen)) != 5 {
			p.fail("the pages list %d different users of 5", len(slices.Compact(seen)))
		}
	}},
	{"N-06", Should, "A page behind the end is empty, and totalResults true.", "RFC 7644 section 3.4.2.4", false, func(p *probe) {
		a := p.page("startIndex", "9999")
		if len(ids(a)) != 0 || a.json["totalResults"] != 5.0 {
			a.fail("%d are listed and totalResults is %s", len(ids(a)), show(a.json["totalResults"]))
		}
	}},
	{"N-07", Should, "startIndex and count must be numbers.", "RFC 7644 section 3.12", true, func(p *probe) {
		p.get(query(p.users(), "startIndex", "one")).refused(400)
		p.get(query(p.users(), "count", "many")).refused(400)
	}},
}

// page is a page of the crowd.
func (p *probe) page(pairs ...string) *answer {
	p.needs("filter")
	_, scope := p.crowd()
	a := p.get(query(p.users(), append([]string{"filter", scope}, pairs...)...)).want(200)
	a.object()
	return a
}

// ids are those of a list, in its order.
func ids(a *answer) []string {
	var out []string
	for _, o := range objects(a.json["Resources"]) {
		out = append(out, text(o["id"]))
	}
	return out
}

var cursorChecks = []Check{
	{"K-10", Should, "Who pages by cursor says so under pagination, with the sizes of pages.", "RFC 9865 section 4", true, func(p *probe) {
		c := object(p.server.config["pagination"])
		if c == nil {
			p.skip("ServiceProviderConfig has no pagination")
		}
		for _, k := range []string{"cursor", "index"} {
			if _, ok := c[k].(bool); !ok {
				p.fail("pagination has no boolean %s", k)
			}
		}
	}},
	{"K-01", Must, "An empty cursor asks for the first page.", "RFC 9865 section 2", false, func(p *probe) {
		for _, first := range []string{"cursor=", "cursor"} {
			a := p.firstPage(first)
			if len(ids(a)) != 2 || text(a.json["nextCursor"]) == "" {
				a.fail("%d are listed, want 2, and nextCursor is %s", len(ids(a)), show(a.json["nextCursor"]))
			}
		}
	}},
	{"K-02", Must, "Every page but the last has a nextCursor, and all pages together have each resource once.", "RFC 9865 section 2", false, func(p *probe) {
		a, seen := p.firstPage("cursor="), []string{}
		for pages := 1; ; pages++ {
			seen = append(seen, ids(a)...)
			next := text(a.json["nextCursor"])
			if next == "" {
				break
			}
			if pages > 3 {
				a.fail("there are more than three pages of two for five users")
			}
			a = p.page("count", "2", "cursor", next)
		}
		if slices.Sort(seen); len(seen) != 5 || len(slices.Compact(seen)) != 5 {
			p.fail("the pages list %d users, want 5", len(seen))
		}
	}},
	{"K-03", Must, "The first page has no previousCursor.", "RFC 9865 section 2", false, func(p *probe) {
		if a := p.firstPage("cursor="); a.json["previousCursor"] != nil {
			a.fail("previousCursor is %s", show(a.json["previousCursor"]))
		}
	}},
	{"K-04", Must, "A cursor has no characters that need an escape in a URL.", "RFC 9865 section 2", false, func(p *probe) {
		a := p.firstPage("cursor=")
		next := text(a.json["nextCursor"])
		if next == "" || strings.Trim(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			a.fail("nextCursor is %q", next)
		}
	}},
	{"K-06", Should, "A cursor that was made up is refused with invalidCursor.", "RFC 9865 section 2.1", false, func(p *probe) {
		_ = p.firstPage("cursor=")
		_, scope := p.crowd()
		p.get(query(p.users(), "filter", scope, "cursor", "conform-forged", "count", "2")).refused(400, "invalidCursor")
	}},
	{"K-11", Must, "A cursor works in the body of a search too.", "RFC 9865 section 3", false, func(p *probe) {
		_ = p.firstPage("cursor=")
		_, scope := p.crowd()
		body := Object{"schemas": []string{searchURN}, "filter": scope, "count": 2, "cursor": ""}
		a := p.post(p.users()+"/.search", body).want(200)
		a.object()
		body["cursor"] = a.json["nextCursor"]
		b := p.post(p.users()+"/.search", body).want(200)
		if b.object(); len(ids(a)) != 2 || len(ids(b)) != 2 || slices.Equal(ids(a), ids(b)) {
			b.fail("the pages list %q and %q", ids(a), ids(b))
		}
	}},
}

// firstPage is the first page of two by cursor.
func (p *probe) firstPage(cursor string) *answer {
	p.needs("filter")
	if yes, _ := object(p.server.config["pagination"])["cursor"].(bool); !yes {
		p.skip("ServiceProviderConfig does not say that cursors are supported")
	}
	_, scope := p.crowd()
	a := p.get(query(p.users(), "filter", scope, "count", "2") + "&" + cursor).want(200)
	a.object()
	return a
}
