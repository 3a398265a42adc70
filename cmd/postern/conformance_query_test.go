package main

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"testing"
)

// Rows G, F, O, N and A of the requirements: queries against the quickstart.

// names lists the userNames of a list, in order.
func (a *answer) names() []string {
	var out []string
	list, _ := a.at("Resources").([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		out = append(out, fmt.Sprint(m["userName"]))
	}
	return out
}

func (a *answer) total() int {
	a.t.Helper()
	n, ok := a.at("totalResults").(float64)
	if !ok {
		a.t.Fatalf("no totalResults in %s", clip(a.body))
	}
	return int(n)
}

// get asks for a list of users with the query given as pairs of name and value.
func (r *rig) get(path string, query ...string) *answer {
	r.t.Helper()
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		v.Add(query[i], r.expand(query[i+1]))
	}
	if len(v) > 0 {
		path += "?" + strings.ReplaceAll(v.Encode(), "+", "%20")
	}
	return r.do("GET", path, "")
}

func TestRetrieve(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	r.run("G-01 known, unknown and deleted ids", func() {
		r.get("/Users/"+ada).want(200).is("userName", "ada.lovelace")
		r.get("/Users/"+ada[:len(ada)-1]).want(404).is("status", "404").is("scimType", "")
		r.get("/Users/" + strings.ToUpper(ada)).want(404) // S-32: case-exact
	})
	r.run("G-02, G-04 shape of a list", func() {
		a := r.get("/Users", "count", "3").want(200).is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:ListResponse").is("itemsPerPage", "3").is("startIndex", "1")
		for _, n := range []string{"totalResults", "itemsPerPage", "startIndex"} {
			if !strings.Contains(a.body, `"`+n+`":`) || strings.Contains(a.body, `"`+n+`":"`) {
				t.Errorf("G-04: %s is no integer", n)
			}
		}
	})
	r.run("G-03 nothing found", func() {
		a := r.get("/Users", "filter", `userName eq "nobody"`).want(200).is("totalResults", "0").is("itemsPerPage", "0")
		if l, ok := a.at("Resources").([]any); !ok || len(l) != 0 {
			r.t.Errorf("G-04: Resources is %v", a.at("Resources"))
		}
	})
	r.run("G-08 unknown attribute on one type", func() {
		r.get("/Users", "filter", `shoeSize eq "44"`).want(400).is("scimType", "invalidFilter")
		r.get("/Groups", "filter", `userName eq "x"`).want(400).is("scimType", "invalidFilter")
	})
	r.run("G-09 inactive users stay visible", func() {
		if n := r.get("/Users", "filter", "active eq false").want(200).total(); n == 0 {
			r.t.Error("no user who left is found")
		}
		r.get("/Users", "filter", `userName eq "gabriel.ricci"`).is("Resources.0.active", "false").is("Resources.0.userType", "Former employee")
	})
	r.run("G-10 one order", func() {
		first := r.get("/Users", "count", "200").names()
		var again []string
		for i := 1; i <= 200; i += 37 {
			again = append(again, r.get("/Users", "count", "37", "startIndex", fmt.Sprint(i)).names()...)
		}
		if !slices.Equal(first, again) {
			r.t.Error("pages do not make the list")
		}
	})
	r.run("G-11 a filter on one resource is ignored", func() {
		r.get("/Users/"+ada, "filter", `userName eq "other"`).want(200)
	})
	r.run("G-12 every item has id, schemas and meta", func() {
		a := r.get("/Users", "count", "50")
		for i := range 50 {
			p := fmt.Sprintf("Resources.%d.", i)
			if a.at(p+"id") == nil || a.at(p+"schemas") == nil || a.at(p+"meta.location") != r.base+"/Users/"+fmt.Sprint(a.at(p+"id")) {
				r.t.Fatalf("item %d lacks id, schemas or meta", i)
			}
		}
	})
	r.run("G-13, X-02 deleted in the backend", func() {
		gone := r.id("hugo.kovacs")
		r.sql("DELETE FROM employee WHERE login = 'hugo.kovacs'")
		r.get("/Users/" + gone).want(404)
		r.get("/Users", "filter", `userName eq "hugo.kovacs"`).is("totalResults", "0")
		if n := r.get("/Users", "count", "0").total(); n != 199 {
			r.t.Errorf("%d users are left", n)
		}
	})
}

// TestFilters asks for users by filters whose answers are known, or known to be
// errors.
func TestFilters(t *testing.T) {
	r := start(t)
	ada, alan := r.id("ada.lovelace"), r.id("alan.turing")
	staff := r.groupID("Staff")
	r.patch("/Users/"+alan, `{"op":"add","path":"externalId","value":"Ext-1"}`).want(200)
	ok := []struct{ row, filter, want string }{ // want: userNames, or a number
		{"F-03 names and operators without case", `USERNAME Eq "ADA.lovelace" AND Active EQ true`, "ada.lovelace"},
		{"F-04 runs of spaces", `userName   eq   "ada.lovelace"`, "ada.lovelace"},
		{"F-05 and before or", `userName eq "ada.lovelace" or userName eq "alan.turing" and userName eq "x"`, "ada.lovelace"},
		{"F-05 grouping first", `(userName eq "ada.lovelace" or userName eq "alan.turing") and userName sw "al"`, "alan.turing"},
		{"F-05 not before and", `not (userName ne "ada.lovelace") and active eq true`, "ada.lovelace"},
		{"F-06 not without a space", `not(userName ne "ada.lovelace")`, "ada.lovelace"},
		{"F-07 one element", `emails[type eq "work" and value sw "ada.lov"]`, "ada.lovelace"},
		{"F-07 terms on one element", `phoneNumbers[type eq "mobile" and value co "+49 30"]`, "0"},
		{"F-08 or and not inside", `emails[(type eq "home" or not (type ne "work")) and value eq "ADA.LOVELACE@example.com"]`, "ada.lovelace"},
		{"F-09 J8 sub-attribute after brackets", `emails[type eq "work"].value eq "ada.lovelace@example.com"`, "ada.lovelace"},
		{"F-10 escapes", `userName eq "\u0061da.lovelace"`, "ada.lovelace"},
		{"F-10 quotes", `displayName eq "say \"hi\" \\"`, "0"},
		{"F-12 no space before the quote", `userName eq"ada.lovelace"`, "ada.lovelace"},
		{"F-13 userName without case", `userName eq "ADA.LOVELACE"`, "ada.lovelace"},
		{"F-13 id with case", `id eq "` + strings.ToUpper(ada) + `"`, "0"},
		{"F-13 id", `id eq "` + ada + `"`, "ada.lovelace"},
		{"F-13 externalId", `externalId eq "Ext-1"`, "alan.turing"},
		{"F-13 externalId with case", `externalId eq "ext-1"`, "0"},
		{"F-14 ne of what is absent", `nickName ne "x" and userName eq "alan.turing"`, "alan.turing"},
		{"F-14 not eq of what is absent", `not (nickName eq "x") and userName eq "alan.turing"`, "alan.turing"},
		{"F-15 co", `userName co "DA.LOVELAC"`, "ada.lovelace"},
		{"F-15 sw", `userName sw "ada.l"`, "ada.lovelace"},
		{"F-15 ew", `userName ew "DA.LOVELACE"`, "ada.lovelace"},
		{"F-15 full equality", `userName co "ada.lovelace" and userName sw "ada.lovelace" and userName ew "ada.lovelace"`, "ada.lovelace"},
		{"F-16 pr", `nickName pr and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-16 pr of complex", `name pr`, "200"},
		{"F-16 pr of nothing", `nickName pr and userName eq "alan.turing"`, "0"},
		{"F-17 strings in order", `userName ge "zoe" and userName lt "zoe.wz"`, "zoe.wolf zoe.kumar zoe.fischer"},
		{"F-17 gt and le", `userName gt "zoe.fischer" and userName le "zoe.wolf"`, "zoe.wolf zoe.kumar"},
		{"F-18 offsets", `meta.created eq "2009-03-02T11:00:00+02:00"`, "ada.lovelace"},
		{"F-18 fractions", `meta.created lt "2009-03-02T09:00:00.001Z"`, "ada.lovelace"},
		{"F-18 later than all", `meta.created gt "2199-01-01T00:00:00Z"`, "0"},
		{"F-19 any value", `phoneNumbers.value eq "+49 170 1234604"`, "alan.turing"},
		{"F-19 the other value", `phoneNumbers.value eq "+49 30 5550 0001"`, "alan.turing"},
		{"F-20 complex multi-valued", `emails co "ada.lovelace@"`, "ada.lovelace"},
		{"F-21 manager", `manager eq "` + ada + `" and userName sw "alan.t"`, "alan.turing"},
		{"F-21 manager.value with id", `id eq "` + alan + `" and manager.value eq "` + ada + `"`, "alan.turing"},
		{"F-22 URN", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "B07007"`, "ada.lovelace"},
		{"F-22 URN in another case", `URN:ietf:params:scim:schemas:core:2.0:user:userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-24 schemas", `schemas eq "urn:ietf:params:scim:schemas:core:2.0:User" and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-24 extension", `schemas eq "` + enterpriseUser + `" and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-25 meta.resourceType", `meta.resourceType eq "User" and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-25 meta.lastModified", `meta.lastModified ge "2024-10-01T00:00:00Z"`, "200"}, // the keys were shifted just now
		{"F-25 meta.created", `meta.created ge "2022-10-01T00:00:00Z"`, "ivan.young"},
		{"F-27 eq null", `nickName eq null and userName eq "alan.turing"`, "alan.turing"},
		{"F-27 ne null", `nickName ne null and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-31 case folding", `name.familyName eq "MÜLLER" and userName eq "jorg.muller"`, "jorg.muller"},
		{"F-31 full width", `userName eq "ａｄａ.lovelace"`, "ada.lovelace"},
		{"F-34 quote", `name.familyName eq "O'Brien" and userName sw "fiona"`, "fiona.obrien"},
		{"F-34 expression", `userType eq "former EMPLOYEE" and userName eq "gabriel.ricci"`, "gabriel.ricci"},
		{"F-35 groups", `groups eq "` + staff + `" and userName eq "ada.lovelace"`, "ada.lovelace"},
		{"F-35 displayName", `displayName eq "ADA LOVELACE"`, "ada.lovelace"},
		{"F-38 evaluated here", `userType ne "Employee" and not (title co "Engineer") and userName sw "gabriel.r"`, "gabriel.ricci"},
	}
	for _, c := range ok {
		r.run(c.row, func() {
			a := r.get("/Users", "filter", c.filter).want(200)
			if c.want == "200" || c.want == "0" {
				a.is("totalResults", c.want)
				return
			}
			if got := a.names(); strings.Join(got, " ") != c.want || a.total() != len(got) {
				r.t.Errorf("%s finds %v of %d, want %s", c.filter, got, a.total(), c.want)
			}
		})
	}
	bad := []struct{ row, filter, detail string }{
		{"F-02 path that is served nowhere", `photos.value eq "x"`, "photos"},
		{"F-11 no quotes", `userName eq ada`, "character"},
		{"F-11 single quotes", `userName eq 'ada'`, "character"},
		{"F-15 co of a boolean", `active co "t"`, "active"},
		{"F-17 gt of a boolean", `active gt false`, "active"},
		{"F-18 bad date", `meta.created gt "yesterday"`, "meta.created"},
		{"F-20 complex alone", `name eq "x"`, "name"},
		{"F-23 unknown operator", `userName regex "x"`, "character"},
		{"F-28 wrong literal", `userName eq 5`, "userName"},
		{"F-28 boolean as text", `active eq "true"`, "active"},
		{"F-32 empty", ``, "empty"},
		{"F-32 trailing text", `userName eq "x" userName`, "character"},
		{"F-32 no operator", `userName`, "character"},
		{"F-32 and without right side", `userName pr and`, "character"},
		{"F-32 parenthesis", `(userName pr`, "character"},
		{"F-32 bracket", `emails[type eq "work"`, "character"},
		{"F-32 not without parentheses", `not userName pr`, "character"},
		{"F-10 bad escape", `userName eq "\q"`, "character"},
		{"F-07 brackets in brackets", `emails[type[value pr]]`, "character"},
		{"F-29, R-07 password", `password eq "x"`, "password"},
		{"F-29 password pr", `password pr`, "password"},
	}
	for _, c := range bad {
		r.run(c.row, func() {
			a := r.get("/Users", "filter", c.filter).want(400).is("scimType", "invalidFilter")
			if d := fmt.Sprint(a.at("detail")); !strings.Contains(d, c.detail) {
				r.t.Errorf("the detail does not say %q: %s", c.detail, d)
			}
		})
	}
	r.run("F-33 length", func() {
		r.get("/Users", "filter", `userName eq "`+strings.Repeat("a", 9000)+`"`).want(400).is("scimType", "invalidFilter")
	})
	r.run("F-26 a default is what was returned", func() {
		r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"default.active"}`).want(201).is("active", "true")
		r.get("/Users", "filter", `userName eq "default.active" and active eq true`).is("totalResults", "1")
	})
	r.run("F-35 Groups by displayName, id, members, externalId", func() {
		r.get("/Groups", "filter", `displayName eq "staff"`).is("totalResults", "1").is("Resources.0.id", staff)
		r.get("/Groups", "filter", `id eq "`+staff+`" and members eq "`+ada+`"`).is("totalResults", "1")
		r.get("/Groups", "filter", `members[value eq "`+ada+`"]`).is("Resources.0.id", staff)
		r.get("/Groups", "filter", `members.value eq "nobody"`).is("totalResults", "0")
		r.get("/Groups", "filter", `externalId eq "none"`).is("totalResults", "0")
	})
	r.run("F-37 one rule for filters and uniqueness", func() {
		r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"JÖRG.ß"}`).want(201)
		for _, n := range []string{"jörg.ß", "JÖrg.ß"} {
			r.get("/Users", "filter", `userName eq "`+n+`"`).is("totalResults", "1")
			r.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+n+`"}`).want(409).is("scimType", "uniqueness")
		}
	})
}

func TestSort(t *testing.T) {
	r := start(t)
	fold := func(s []string) []string {
		out := slices.Clone(s)
		for i := range out {
			out[i] = strings.ToLower(out[i])
		}
		return out
	}
	r.run("O-01 advertised", func() {
		r.do("GET", "/ServiceProviderConfig", "").is("sort.supported", "true")
	})
	r.run("O-02, O-05 by a singular attribute", func() {
		got := fold(r.get("/Users", "sortBy", "userName", "count", "1000").want(200).names())
		if !sort.StringsAreSorted(got) || len(got) != 200 {
			r.t.Error("not in order")
		}
		down := fold(r.get("/Users", "sortBy", "USERNAME", "sortOrder", "descending", "count", "1000").want(200).names())
		slices.Reverse(down)
		if !slices.Equal(got, down) {
			r.t.Error("descending is not the reverse")
		}
	})
	r.run("O-02 by emails and by a sub-attribute", func() {
		byMail := r.get("/Users", "sortBy", "emails", "count", "5").want(200)
		byValue := r.get("/Users", "sortBy", "emails.value", "count", "5").want(200)
		if !slices.Equal(byMail.names(), byValue.names()) {
			r.t.Error("emails and emails.value differ")
		}
		a := r.get("/Users", "sortBy", "name.familyName", "count", "1000").want(200)
		var families []string
		for i := range 200 {
			families = append(families, strings.ToLower(fmt.Sprint(a.at(fmt.Sprintf("Resources.%d.name.familyName", i)))))
		}
		if !sort.StringsAreSorted(families) {
			r.t.Error("family names are not in order")
		}
		r.get("/Users", "sortBy", "name").want(400).is("scimType", "invalidValue")
	})
	r.run("O-03 no value last, or first when descending", func() {
		has := func(a *answer, i int) bool { return a.at(fmt.Sprintf("Resources.%d.nickName", i)) != nil }
		up := r.get("/Users", "sortBy", "nickName", "count", "1000")
		down := r.get("/Users", "sortBy", "nickName", "sortOrder", "descending", "count", "1000")
		if !has(up, 0) || has(up, 199) || has(down, 0) || !has(down, 199) {
			r.t.Error("absent values are in the wrong place")
		}
	})
	r.run("O-04, O-07 wrong parameters", func() {
		r.get("/Users", "sortBy", "userName", "sortOrder", "up").want(400).is("scimType", "invalidValue")
		r.get("/Users", "sortBy", "shoeSize").want(400).is("scimType", "invalidValue")
		r.get("/Users", "sortBy", "password").want(400).is("scimType", "invalidValue")
	})
	r.run("O-06 ties", func() {
		whole := r.get("/Users", "sortBy", "title", "count", "200").names()
		var pages []string
		for i := 1; i <= 200; i += 13 {
			pages = append(pages, r.get("/Users", "sortBy", "title", "count", "13", "startIndex", fmt.Sprint(i)).names()...)
		}
		if !slices.Equal(whole, pages) {
			r.t.Error("pages of equal values overlap")
		}
	})
	r.run("O-08 sorted here as in the backend", func() {
		pushed := r.get("/Users", "sortBy", "userName", "filter", `active eq false`, "count", "200").names()
		here := r.get("/Users", "sortBy", "userName", "filter", `userType eq "Former employee"`, "count", "200").names()
		if len(pushed) == 0 || !slices.Equal(pushed, here) {
			r.t.Errorf("%v and %v", pushed, here)
		}
		for _, by := range []string{"active", "userType", "meta.created", "id"} {
			r.get("/Users", "sortBy", by, "count", "2").want(200).is("itemsPerPage", "2")
		}
	})
}

func TestPaging(t *testing.T) {
	r := start(t)
	cases := []struct {
		row, start, count  string
		at, items, results int
	}{
		{"N-01, N-03 defaults", "", "", 1, 100, 200},
		{"N-01 zero", "0", "5", 1, 5, 200},
		{"N-01 negative", "-5", "5", 1, 5, 200},
		{"N-02 negative count", "", "-1", 1, 0, 200},
		{"N-02 no items", "", "0", 1, 0, 200},
		{"N-02 bound", "", "7", 1, 7, 200},
		{"N-04 more than there are", "", "100000", 1, 200, 200},
		{"N-05 last page", "196", "10", 196, 5, 200},
		{"N-06 past the end", "9999", "10", 9999, 0, 200},
		{"N-01 huge", "99999999999999999999", "10", 2147483647, 0, 200},
	}
	for _, c := range cases {
		r.run(c.row, func() {
			var q []string
			if c.start != "" {
				q = append(q, "startIndex", c.start)
			}
			if c.count != "" {
				q = append(q, "count", c.count)
			}
			r.get("/Users", q...).want(200).is("startIndex", fmt.Sprint(c.at)).is("itemsPerPage", fmt.Sprint(c.items)).is("totalResults", fmt.Sprint(c.results))
			// The same where the gateway evaluates: every employee has a type.
			r.get("/Users", append(q, "filter", "userType pr")...).want(200).is("startIndex", fmt.Sprint(c.at)).is("itemsPerPage", fmt.Sprint(c.items)).is("totalResults", fmt.Sprint(c.results))
		})
	}
	r.run("N-07 no numbers", func() {
		for _, v := range []string{"abc", "1.5", "1e3", "", " 1", "0x10"} {
			r.get("/Users", "startIndex", v).want(400).is("scimType", "invalidValue")
			r.get("/Users", "count", v).want(400).is("scimType", "invalidValue")
		}
	})
	r.run("N-08 a record that appears between two pages", func() {
		first := r.get("/Users", "count", "100").names()
		r.sql("INSERT INTO employee (emp_no, login) VALUES (770000500, 'between')")
		second := r.get("/Users", "count", "100", "startIndex", "101").want(200).is("totalResults", "201").names()
		if len(first) != 100 || len(second) != 100 {
			r.t.Errorf("%d and %d items", len(first), len(second))
		}
	})
	r.run("G-06, F-38 more than may be scanned", func() {
		small := start(r.t, func(y string) string { return strings.Replace(y, "  admin:", "  limits: {scan: 50}\n  admin:", 1) })
		small.get("/Users", "filter", `userType eq "Employee"`).want(400).is("scimType", "tooMany")
		small.get("/Users", "filter", `userType eq "Employee" and userName sw "ada."`).want(200)
	})
}
