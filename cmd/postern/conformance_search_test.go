package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const searchRequest = `"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`

// TestSearch: rows Q, POST .search means what a GET means.
func TestSearch(t *testing.T) {
	r := start(t)
	same := func(get, path, members string) {
		r.t.Helper()
		a := r.get(get).want(200)
		b := r.do("POST", path, `{`+searchRequest+members+`}`).want(200)
		if a.body != b.body {
			r.t.Errorf("Q-02 %s and %s differ:\n%s\n%s", get, members, a.body, b.body)
		}
	}
	r.run("Q-01, Q-02, Q-03, A-05 the parameters mean the same", func() {
		same("/Users", "/Users/.search", "")
		same("/Users?filter="+url.QueryEscape(`userName eq "ada.lovelace"`), "/Users/.search", `,"filter":"userName eq \"ada.lovelace\""`)
		same("/Users?startIndex=11&count=5&sortBy=userName&sortOrder=descending&attributes=userName,name.familyName",
			"/Users/.search", `,"startIndex":11,"count":5,"sortBy":"userName","sortOrder":"descending","attributes":["userName","NAME.familyName"]`)
		same("/Groups?excludedAttributes=members&count=3", "/Groups/.search", `,"excludedAttributes":["members"],"count":3,"filter":null`)
		same("/Users?count=0", "/Users/.search", `,"COUNT":0`)
		same("/Users?count=2&attributes=userName", "/Users/.search", `,"count":2,"attributes":"userName","somethingElse":{}`)
		before := r.get("/Users?count=0").at("totalResults")
		if after := r.get("/Users?count=0").at("totalResults"); before != after {
			r.t.Errorf("Q-01: a search created something: %v, %v", before, after)
		}
	})
	r.run("Q-04 what is no search", func() {
		for _, body := range []string{``, `[]`, `"x"`, `{}`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`,
			`{` + searchRequest + `,"count":"3"}`, `{` + searchRequest + `,"attributes":[1]}`, `{` + searchRequest + `,"attributes":{}}`, `{` + searchRequest + `,"filter":1}`} {
			r.do("POST", "/Users/.search", body).want(400).is("scimType", "invalidSyntax")
			r.do("POST", "/.search", body).want(400).is("scimType", "invalidSyntax")
		}
		r.do("POST", "/Users/.search", `{`+searchRequest+`,"filter":"userName eq"}`).want(400).is("scimType", "invalidFilter")
		r.do("POST", "/Users/.search", `{`+searchRequest+`,"count":1.5}`).want(400).is("scimType", "invalidValue")
		r.do("POST", "/Users/.search", `{`+searchRequest+`,"attributes":["id"],"excludedAttributes":["name"]}`).want(400).is("scimType", "invalidValue")
	})
}

// TestRootQueries: G-05 to G-08, a query over all types is one list.
func TestRootQueries(t *testing.T) {
	r := start(t)
	whole := map[string]string{} // id: type
	r.run("G-05 users and groups", func() {
		users, groups := r.get("/Users?count=0").at("totalResults").(float64), r.get("/Groups?count=0").at("totalResults").(float64)
		total := users + groups
		for at := 1; at <= int(total); at += 7 {
			a := r.get(fmt.Sprintf("/?startIndex=%d&count=7&attributes=meta.resourceType", at)).want(200).is("totalResults", fmt.Sprint(total)).is("startIndex", fmt.Sprint(at))
			for _, e := range a.at("Resources").([]any) {
				m := e.(map[string]any)
				id := fmt.Sprint(m["id"])
				if whole[id] != "" {
					r.t.Errorf("%s is on two pages", id)
				}
				whole[id] = fmt.Sprint(m["meta"].(map[string]any)["resourceType"])
			}
		}
		if len(whole) != int(total) {
			r.t.Errorf("%d of %v resources on the pages", len(whole), total)
		}
		if kinds := slices.Sorted(maps.Values(whole)); kinds[0] != "Group" || kinds[len(kinds)-1] != "User" {
			r.t.Errorf("types %v", kinds)
		}
		r.get("/?count=0").is("totalResults", fmt.Sprint(total)).is("itemsPerPage", "0")
		r.get("/?startIndex=100000").is("totalResults", fmt.Sprint(total)).is("itemsPerPage", "0")
	})
	find := func(filter, more string) *answer {
		r.t.Helper()
		q, _ := json.Marshal(filter)
		return r.do("POST", "/.search", `{`+searchRequest+`,"filter":`+string(q)+more+`}`)
	}
	r.run("G-07, G-08 an attribute that a type lacks has no value there", func() {
		find(`meta.resourceType eq "Group"`, "").want(200).is("Resources.0.meta.resourceType", "Group").is("totalResults", fmt.Sprint(r.get("/Groups?count=0").at("totalResults")))
		find(`userName eq "ada.lovelace"`, "").is("totalResults", "1").is("Resources.0.userName", "ada.lovelace")
		find(`userName eq "ada.lovelace" or members.value eq "`+r.id("ada.lovelace")+`"`, "").want(200)
		groups := r.get("/Groups?count=0").at("totalResults")
		find(`not (userName pr)`, "").is("totalResults", fmt.Sprint(groups))
		find(`nothing eq "x"`, "").want(400).is("scimType", "invalidFilter")
		find(`userName eq "x" and nothing eq "x"`, "").want(400)
	})
	r.run("O-03, O-06 sorted over all types", func() {
		var names []string
		for at := 1; at < 60; at += 20 {
			a := find(`displayName pr`, fmt.Sprintf(`,"sortBy":"displayName","startIndex":%d,"count":20,"attributes":["id"]`, at)).want(200)
			for _, e := range a.at("Resources").([]any) {
				id := fmt.Sprint(e.(map[string]any)["id"])
				names = append(names, strings.ToLower(fmt.Sprint(r.get("/"+whole[id]+"s/"+id).at("displayName"))))
			}
		}
		if len(names) != 60 || !slices.IsSorted(names) {
			r.t.Errorf("%d names, sorted %v: %v", len(names), slices.IsSorted(names), names)
		}
		r.get("/?sortBy=nothing").want(400).is("scimType", "invalidValue")
		last := r.get("/?sortBy=userName&sortOrder=descending&count=1&attributes=meta").want(200)
		last.is("Resources.0.meta.resourceType", "Group") // no value comes first when descending
	})
}

// TestMe: rows M, a token that stands for a user.
func TestMe(t *testing.T) {
	r := start(t, func(yaml string) string {
		return strings.Replace(yaml, "{token: quickstart}", "{tokens: [{token: quickstart, subject: ADA.lovelace}, {token: service}]}", 1)
	})
	ada := r.id("ada.lovelace")
	r.run("M-01, M-02 the resource of the subject", func() {
		a := r.get("/Me").want(200).is("id", ada).is("userName", "ada.lovelace")
		if loc := a.header.Get("Location"); loc != r.base+"/Users/"+ada {
			r.t.Errorf("M-02: %s", loc)
		}
		r.patch("/Me", `{"op":"replace","path":"title","value":"Countess"}`).want(200).is("title", "Countess").is("id", ada)
		r.get("/Users/"+ada).is("title", "Countess")
		r.do("GET", "/Me?attributes=title", "", "If-None-Match: "+r.get("/Me").etag()).want(304)
		r.do("PUT", "/Me", user("ada.lovelace", `,"title":"Lady"`)).want(200).is("title", "Lady").is("id", ada)
		r.do("POST", "/Me", user("x", "")).want(501)
	})
	r.run("M-04 nobody", func() {
		r.token = "service"
		defer func() { r.token = "quickstart" }()
		r.get("/Me").want(501)
	})
	r.run("M-01 delete, and then there is nobody", func() {
		r.do("DELETE", "/Me", "").want(204)
		r.get("/Users/" + ada).want(404)
		r.get("/Me").want(404)
	})
}
