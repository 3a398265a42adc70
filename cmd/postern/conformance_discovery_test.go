package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Rows D of the requirements: what the service says of itself.

func TestDiscovery(t *testing.T) {
	r := start(t)
	r.run("D-01, D-02, F-01, O-01, P-01 ServiceProviderConfig", func() {
		a := r.get("/ServiceProviderConfig").want(200).is("schemas.0", "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig").
			is("patch.supported", "true").is("bulk.supported", "true").is("filter.supported", "true").is("filter.maxResults", "1000").
			is("changePassword.supported", "false").is("sort.supported", "true").is("etag.supported", "true").
			is("meta.resourceType", "ServiceProviderConfig").is("meta.location", r.base+"/ServiceProviderConfig").is("totalResults", "")
		for _, p := range []string{"bulk.maxOperations", "bulk.maxPayloadSize"} {
			if _, ok := a.at(p).(float64); !ok {
				r.t.Errorf("no %s", p)
			}
		}
	})
	r.run("D-02 the truth about limits", func() {
		other := start(r.t, func(y string) string {
			return strings.Replace(y, "  admin:", "  limits: {page: 7, pageMax: 11}\n  admin:", 1)
		})
		other.get("/ServiceProviderConfig").is("filter.maxResults", "11")
		other.get("/Users").is("itemsPerPage", "7")
		other.get("/Users", "count", "50").is("itemsPerPage", "11")
	})
	r.run("D-03, D-04 authentication schemes, without credentials", func() {
		r.token = ""
		defer func() { r.token = "quickstart" }()
		a := r.get("/ServiceProviderConfig").want(200).is("authenticationSchemes.0.type", "oauthbearertoken")
		for _, p := range []string{"name", "description"} {
			if a.at("authenticationSchemes.0."+p) == nil {
				r.t.Errorf("no %s", p)
			}
		}
		r.get("/Schemas").want(401)
		r.get("/ResourceTypes").want(401)
	})
	r.run("D-05, D-08, D-12, D-13 Schemas", func() {
		a := r.get("/Schemas").want(200).is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:ListResponse")
		var ids []string
		for _, s := range a.items("Resources") {
			id := fmt.Sprint(s["id"])
			ids = append(ids, id)
			one := r.get("/Schemas/"+id).want(200).is("id", id).is("meta.resourceType", "Schema").is("meta.location", r.base+"/Schemas/"+id).
				is("schemas.0", "urn:ietf:params:scim:schemas:core:2.0:Schema")
			if strings.Contains(id, ":api:") {
				r.t.Errorf("D-08: %s is a message", id)
			}
			for _, d := range one.items("attributes") {
				describes(r.t, id, d, true)
			}
		}
		slices.Sort(ids)
		if want := []string{coreGroup, coreUser, enterpriseUser}; !slices.Equal(ids, want) {
			r.t.Errorf("schemas are %v", ids)
		}
		r.get("/Schemas/" + strings.ToUpper(coreUser)).want(200)
	})
	r.run("D-02, D-19 Schemas say what is mapped", func() {
		user := r.get("/Schemas/" + coreUser)
		attrs := map[string]map[string]any{}
		for _, d := range user.items("attributes") {
			attrs[fmt.Sprint(d["name"])] = d
		}
		for _, n := range []string{"userName", "name", "displayName", "nickName", "title", "preferredLanguage", "userType", "active", "emails", "phoneNumbers", "addresses", "groups"} {
			if attrs[n] == nil {
				r.t.Errorf("%s is mapped, but not in /Schemas", n)
			}
		}
		for _, n := range []string{"photos", "x509Certificates", "password", "timezone", "roles", "entitlements", "ims", "profileUrl", "locale"} {
			if attrs[n] != nil {
				r.t.Errorf("%s is not mapped, but in /Schemas", n)
			}
		}
		is := func(attr, what string, want any) {
			r.t.Helper()
			if attrs[attr][what] != want {
				r.t.Errorf("%s of %s is %v, want %v", what, attr, attrs[attr][what], want)
			}
		}
		is("userName", "required", true)
		is("userName", "uniqueness", "server")
		is("userName", "caseExact", false)
		is("userType", "mutability", "readOnly") // an expression in one direction
		is("groups", "mutability", "readOnly")
		is("emails", "multiValued", true)
		group := r.get("/Schemas/" + coreGroup)
		for _, d := range group.items("attributes") {
			if d["name"] == "displayName" && (d["required"] != true || d["uniqueness"] != "server") {
				r.t.Errorf("Group.displayName is %v", d)
			}
		}
	})
	r.run("D-06, D-09, D-10, D-11 ResourceTypes", func() {
		a := r.get("/ResourceTypes").want(200).is("totalResults", "2").is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:ListResponse")
		for _, rt := range a.items("Resources") {
			name := fmt.Sprint(rt["name"])
			one := r.get("/ResourceTypes/"+name).want(200).is("id", name).is("name", name).is("endpoint", "/"+name+"s").
				is("meta.resourceType", "ResourceType").is("meta.location", r.base+"/ResourceTypes/"+name)
			r.get("/Schemas/" + fmt.Sprint(one.at("schema"))).want(200)
			for _, x := range one.items("schemaExtensions") {
				r.get("/Schemas/" + fmt.Sprint(x["schema"])).want(200)
				if _, ok := x["required"].(bool); !ok {
					r.t.Error("D-10: an extension without required")
				}
			}
		}
	})
	r.run("D-07 filter and other parameters", func() {
		for _, p := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/" + coreUser} {
			r.get(p, "filter", `id pr`).want(403)
		}
		r.get("/Schemas", "count", "1", "startIndex", "2", "sortBy", "id", "attributes", "id").want(200).is("totalResults", "3").is("itemsPerPage", "3")
	})
	r.run("D-17 discovery is read only", func() {
		for _, p := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/" + coreUser, "/ResourceTypes/User"} {
			for _, m := range []string{"POST", "PUT", "PATCH", "DELETE"} {
				if a := r.do(m, p, "{}").want(405); !strings.Contains(a.header.Get("Allow"), "GET") {
					r.t.Errorf("%s %s: Allow is %q", m, p, a.header.Get("Allow"))
				}
			}
		}
	})
	r.run("D-20 unknown names", func() {
		for _, p := range []string{"/Schemas/urn:x", "/ResourceTypes/Robot", "/Schemas/%00", "/Schemas/..%2f"} {
			r.get(p).want(404)
		}
	})
}

// describes checks one attribute definition (D-13, D-14).
func describes(t *testing.T, where string, d map[string]any, top bool) {
	t.Helper()
	name := fmt.Sprint(d["name"])
	for _, k := range []string{"type", "multiValued", "description", "required", "mutability", "returned"} {
		if d[k] == nil || d[k] == "" {
			t.Errorf("D-13: %s %s has no %s", where, name, k)
		}
	}
	among := func(k string, words ...string) {
		if v, ok := d[k]; ok && !slices.Contains(words, fmt.Sprint(v)) {
			t.Errorf("D-14: %s of %s is %v", k, name, v)
		}
	}
	among("type", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex")
	among("mutability", "readOnly", "readWrite", "immutable", "writeOnly")
	among("returned", "always", "never", "default", "request")
	among("uniqueness", "none", "server", "global")
	subs, _ := d["subAttributes"].([]any)
	switch {
	case d["type"] == "complex" && (len(subs) == 0 || d["uniqueness"] != nil && d["uniqueness"] != "none"):
		t.Errorf("D-14: complex attribute %s: %v", name, d)
	case d["type"] != "complex" && len(subs) > 0 || !top && len(subs) > 0:
		t.Errorf("S-16: %s has sub-attributes", name)
	case d["type"] == "reference" && d["referenceTypes"] == nil:
		t.Errorf("D-13: %s has no referenceTypes", name)
	case d["type"] == "string" && d["caseExact"] == nil:
		t.Errorf("D-13: %s has no caseExact", name)
	}
	for _, s := range subs {
		describes(t, where+" "+name, s.(map[string]any), false)
	}
}
