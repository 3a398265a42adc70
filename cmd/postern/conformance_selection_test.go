package main

import (
	"slices"
	"strings"
	"testing"
)

// Rows A of the requirements: which attributes an answer holds.

func TestSelection(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	path := "/Users/" + ada
	keys := func(a *answer) string {
		var out []string
		for k := range a.json {
			out = append(out, k)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	cases := []struct{ row, name, value, want string }{
		{"A-02 named", "attributes", "userName", "id schemas userName"},
		{"A-02 sub-attribute", "attributes", "name.givenName", "id name schemas"},
		{"A-05 list, case and URN", "attributes", "USERNAME,urn:ietf:params:scim:schemas:core:2.0:User:title", "id schemas title userName"},
		{"A-05 extension attribute", "attributes", enterpriseUser + ":department", "id schemas " + enterpriseUser},
		{"A-08 unknown names", "attributes", "shoeSize", "id schemas"},
		{"A-07 password", "attributes", "password,userName", "id schemas userName"},
		{"A-11 extension alone", "attributes", enterpriseUser, "id schemas " + enterpriseUser},
		{"A-03 id cannot be excluded", "excludedAttributes", "id,schemas,userName,name,displayName,nickName,title,preferredLanguage,userType,active,emails,phoneNumbers,addresses,groups,meta," + enterpriseUser, "id schemas"},
	}
	for _, c := range cases {
		r.run(c.row, func() {
			if got := keys(r.get(path, c.name, c.value).want(200)); got != c.want {
				r.t.Errorf("%s=%s gives %s, want %s", c.name, c.value, got, c.want)
			}
			a := r.get("/Users", c.name, c.value, "filter", `userName eq "ada.lovelace"`).want(200)
			if item, _ := a.at("Resources.0").(map[string]any); keys(&answer{json: item}) != c.want {
				r.t.Errorf("in a list: %v", item)
			}
		})
	}
	r.run("A-01 default", func() {
		a := r.get(path).want(200)
		for _, p := range []string{"id", "schemas", "meta.location", "userName", "name.givenName", "emails.0.value", "groups.0.value", enterpriseUser + ".department"} {
			if a.at(p) == nil {
				r.t.Errorf("no %s", p)
			}
		}
	})
	r.run("A-02 only the sub-attribute", func() {
		r.get(path, "attributes", "name.givenName").is("name.givenName", "Ada").is("name.familyName", "")
		r.get(path, "excludedAttributes", "name.givenName").is("name.givenName", "").is("name.familyName", "Lovelace")
	})
	r.run("A-04 both", func() {
		r.get(path, "attributes", "userName", "excludedAttributes", "name").want(400).is("scimType", "invalidValue")
		r.get("/Users", "attributes", "userName", "excludedAttributes", "name").want(400).is("scimType", "invalidValue")
	})
	r.run("A-06, C-11 on every operation", func() {
		a := r.do("POST", "/Users?attributes=userName", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"selected","title":"T"}`).want(201).keep(r, "s")
		if keys(a) != "id schemas userName" {
			r.t.Errorf("POST gives %s", keys(a))
		}
		if a.header.Get("Location") != r.base+"/Users/"+r.vars["s"] {
			r.t.Error("H-13: no Location")
		}
		a = r.do("PUT", "/Users/{s}?attributes=title", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"selected","title":"U"}`).want(200)
		if keys(a) != "id schemas title" {
			r.t.Errorf("PUT gives %s", keys(a))
		}
		a = r.patch("/Users/{s}?attributes=userName", `{"op":"replace","path":"title","value":"V"}`).want(200)
		if keys(a) != "id schemas userName" {
			r.t.Errorf("PATCH gives %s", keys(a))
		}
		a = r.patch("/Users/{s}?excludedAttributes=title,meta,active,userType", `{"op":"replace","path":"title","value":"W"}`).want(200)
		if keys(a) != "id schemas userName" {
			r.t.Errorf("PATCH gives %s", keys(a))
		}
	})
	r.run("A-06, P-09 members patched with attributes", func() {
		staff := r.groupID("VPN")
		r.patch("/Groups/"+staff+"?attributes=displayName", `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).want(200).is("displayName", "VPN").is("members", "")
	})
	r.run("A-10 schemas always", func() {
		r.get(path, "attributes", "userName").is("schemas.0", "urn:ietf:params:scim:schemas:core:2.0:User")
	})
	r.run("S-26 schemas lists what is there", func() {
		r.get(path, "attributes", "userName").is("schemas.1", "")
		r.get(path).is("schemas.1", enterpriseUser)
	})
}
