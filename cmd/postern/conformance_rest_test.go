package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Rows that need a configuration of their own, or two of something.

func TestRemainingRows(t *testing.T) {
	r := start(t, func(y string) string {
		return strings.Replace(y, "{token: quickstart}", "{token: quickstart}\n  strict: {token: strict-token, profile: strict, unknown: reject}\n  entra: {token: entra-token, profile: entra}", 1)
	})
	ada := r.id("ada.lovelace")
	as := func(token string, f func()) {
		r.token = token
		defer func() { r.token = "quickstart" }()
		f()
	}
	r.run("S-02 $ref in filters and paths", func() {
		r.get("/Groups", "filter", `members.$ref pr`).want(200)
		r.get("/Groups", "filter", `members.$ref eq "`+r.base+`/Users/`+ada+`" and displayName eq "Staff"`).want(200).is("totalResults", "1")
	})
	r.run("D-18 pagination is published", func() {
		r.get("/ServiceProviderConfig").is("pagination.index", "true").is("pagination.cursor", "true").is("pagination.defaultPageSize", "100").is("pagination.maxPageSize", "1000")
	})
	r.run("P-21 a filter as path of a simple attribute is no way around schemas", func() {
		r.patch("/Users/"+ada, `{"op":"remove","path":"schemas[value eq \"`+coreUser+`\"]"}`).want(400)
	})
	r.run("J6, C-18 Entra's schema is tolerated from strict clients too", func() {
		as("strict-token", func() {
			r.do("POST", "/Groups", `{"schemas":["`+coreGroup+`","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"tolerated"}`).want(201)
		})
	})
	r.run("F-11, F-28 lenient filters for Entra only", func() {
		as("entra-token", func() {
			r.get("/Users", "filter", `active eq "true" and userName eq "ada.lovelace"`).want(200).is("totalResults", "1")
			r.get("/Users", "filter", `userName eq ada.lovelace`).want(200).is("totalResults", "1")
		})
		as("strict-token", func() {
			r.get("/Users", "filter", `active eq "true"`).want(400).is("scimType", "invalidFilter")
			r.get("/Users", "filter", `userName eq ada.lovelace`).want(400).is("scimType", "invalidFilter")
		})
	})
	r.run("P-53, J3 replace through a filter that matches nothing", func() {
		const ops = `{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"}`
		r.patch("/Users/"+ada, ops).want(400).is("scimType", "noTarget") // she has none
		as("entra-token", func() { r.patch("/Users/"+r.id("ada.lovelace"), ops).want(200).is("phoneNumbers.1.value", "1") })
	})
	r.run("P-58 booleans as text, not from strict clients", func() {
		as("strict-token", func() {
			r.patch("/Users/"+r.id("ada.lovelace"), `{"op":"replace","path":"active","value":"False"}`).want(400).is("scimType", "invalidValue")
		})
	})
	r.run("P-07 externalId and attributes, all or nothing", func() {
		r.do("POST", "/Users", user("atomic", `,"externalId":"before"`)).want(201).keep(r, "u")
		r.patch("/Users/{u}", `{"op":"replace","path":"externalId","value":"after"},{"op":"replace","path":"userName","value":"ada.lovelace"}`).want(409)
		r.get("/Users/{u}").is("externalId", "before")
		r.patch("/Users/{u}", `{"op":"replace","path":"externalId","value":"after"},{"op":"replace","path":"active","value":null}`).want(400)
		r.get("/Users/{u}").is("externalId", "before")
		r.do("POST", "/Users", user("ada.lovelace", `,"externalId":"left behind"`)).want(409)
		r.get("/Users", "filter", `externalId eq "left behind"`).is("totalResults", "0")
		sent := counted(r.trace.during(func() {
			r.patch("/Users/{u}?attributes=externalId", `{"op":"replace","path":"externalId","value":"after"}`).want(200).is("externalId", "after")
		}))
		for _, s := range sent {
			if !strings.HasPrefix(s, "SELECT") {
				r.t.Errorf("the backend has no externalId: %s", s)
			}
		}
	})
	r.run("X-05 PATCH does not delete, DELETE does not disable", func() {
		r.patch("/Users/{u}", `{"op":"replace","path":"active","value":false}`).want(200)
		r.holds("L", "SELECT status FROM employee WHERE login = 'atomic'")
		r.do("DELETE", "/Users/{u}", "").want(204)
		r.holds("0", "SELECT count(*) FROM employee WHERE login = 'atomic'")
	})
	r.run("R-21 groups in groups are refused", func() {
		staff := r.groupID("Staff")
		r.patch("/Groups/"+r.groupID("VPN"), `{"op":"add","path":"members","value":[{"value":"`+staff+`","type":"Group"}]}`).want(400).is("scimType", "invalidValue")
	})
	r.run("R-19 one's own manager", func() {
		r.patch("/Users/"+ada, `{"op":"add","path":"`+enterpriseUser+`:manager","value":"`+ada+`"}`).want(200).is(enterpriseUser+".manager.value", ada)
		r.patch("/Users/"+ada, `{"op":"remove","path":"`+enterpriseUser+`:manager"}`).want(200)
	})
}

// TestSlowBackend: an answer comes before clients give up (H-23).
func TestSlowBackend(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "  admin:", "  limits: {time: 300ms}\n  admin:", 1) })
	ada := r.id("ada.lovelace")
	db := r.open("legacy.db")
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	a := r.get("/Users/" + ada)
	if took := time.Since(begun); a.status != 503 && a.status != 504 || took > 2*time.Second || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d after %v: %s", a.status, took, a.body)
	}
	a = r.patch("/Users/"+ada, `{"op":"replace","path":"title","value":"late"}`)
	if a.status != 503 && a.status != 504 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	if _, err := db.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	r.get("/Users/"+ada).want(200).is("title", "Managing Director")
}

// TestTwoGateways: what one process cannot lock for another, the backend decides.
func TestTwoGateways(t *testing.T) {
	one := start(t)
	two := &rig{t: t, dir: one.dir, token: one.token, vars: map[string]string{}}
	two.serve()
	one.do("POST", "/Users", user("shared", "")).want(201).keep(one, "u")
	one.do("POST", "/Groups", group("shared", "")).want(201).keep(one, "g")
	two.vars["u"], two.vars["g"] = one.vars["u"], one.vars["g"]
	two.get("/Users/{u}").want(200)
	paths := []string{"title", "nickName", "displayName", "name.givenName", `emails[type eq \"work\"].value`, enterpriseUser + ":department"}
	users := one.get("/Users", "count", "6").items("Resources")
	last := make([]string, len(paths))
	until := time.Now().Add(700 * time.Millisecond)
	crowd(len(paths), func(i int) {
		at := []*rig{one, two}[i%2]
		for n := 0; time.Now().Before(until); n++ {
			v := fmt.Sprintf("w%d.%d", i, n)
			a, err := at.send("PATCH", "/Users/{u}", `{`+patchOp+`,"Operations":[{"op":"add","path":"`+paths[i]+`","value":"`+v+`"}]}`)
			if err != nil || a.status != 200 && a.status != 409 && a.status != 503 {
				t.Errorf("%v %v", a, err)
				return
			}
			if a.status == 200 {
				last[i] = v
			}
		}
		if a, err := at.send("PATCH", "/Groups/{g}", `{`+patchOp+`,"Operations":[{"op":"add","path":"members","value":[{"value":"`+fmt.Sprint(users[i]["id"])+`"}]}]}`); err != nil || a.status != 200 {
			t.Errorf("%v %v", a, err)
		}
	})
	a := one.get("/Users/{u}")
	for i, v := range last {
		if v == "" || !strings.Contains(a.body, `"`+v+`"`) {
			t.Errorf("%s: %q was lost: %s", paths[i], v, a.body)
		}
	}
	if n := len(two.get("/Groups/{g}").items("members")); n != len(paths) {
		t.Errorf("%d members", n)
	}
	var made atomic.Int64
	var ids []string
	crowd(8, func(i int) {
		if a, err := []*rig{one, two}[i%2].send("POST", "/Users", user([]string{"twice", "TWICE"}[i/4], "")); err == nil && a.status == 201 {
			made.Add(1)
		}
	})
	if made.Load() != 1 {
		t.Errorf("%d users of one name", made.Load())
	}
	for _, r := range []*rig{one, two} {
		ids = append(ids, r.id("twice"))
	}
	if len(slices.Compact(ids)) != 1 {
		t.Error("one user has two ids")
	}
}

// TestTwoGatewaysOneColumn: a column that holds several values is read, changed
// and written; whoever comes in between must not be undone.
func TestTwoGatewaysOneColumn(t *testing.T) {
	one := full(t)
	two := &rig{t: t, dir: one.dir, token: one.token, vars: map[string]string{}}
	two.serve()
	one.do("POST", "/Gadgets", thing("shared", "")).want(201).keep(one, "d")
	two.vars["d"] = one.vars["d"]
	var mu sync.Mutex
	var added []string
	until := time.Now().Add(500 * time.Millisecond)
	crowd(6, func(i int) {
		for n := 0; time.Now().Before(until); n++ {
			tag := fmt.Sprintf("t%d.%d", i, n)
			a, err := []*rig{one, two}[i%2].send("PATCH", "/Gadgets/{d}", `{`+patchOp+`,"Operations":[{"op":"add","path":"tags","value":["`+tag+`"]}]}`)
			if err != nil || a.status != 200 && a.status != 409 && a.status != 503 {
				t.Errorf("%v %v", a, err)
				return
			}
			if a.status == 200 {
				mu.Lock()
				added = append(added, tag)
				mu.Unlock()
			}
		}
	})
	body := one.get("/Gadgets/{d}").body
	for _, tag := range added {
		if !strings.Contains(body, `"`+tag+`"`) {
			t.Errorf("%s was lost", tag)
		}
	}
	if len(added) < 10 {
		t.Errorf("only %d changes", len(added))
	}
}
