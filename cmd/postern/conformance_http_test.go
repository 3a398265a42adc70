package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Rows D, H, E and T of the requirements: discovery, HTTP, errors, who is let in.

const coreUser = "urn:ietf:params:scim:schemas:core:2.0:User"
const coreGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"

// items are the objects of a list.
func (a *answer) items(path string) []map[string]any {
	var out []map[string]any
	list, _ := a.at(path).([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func TestHTTP(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	newUser := `{"schemas":["` + coreUser + `"],"userName":"`
	r.run("H-02, H-04 Accept", func() {
		for _, v := range []string{"application/scim+json", "application/json", "application/scim+json;charset=utf-8", "*/*", "text/html, application/json;q=0.5", "application/*"} {
			r.do("GET", "/Users/"+ada, "", "Accept: "+v).want(200)
		}
		for _, v := range []string{"text/html", "application/xml", "application/json;q=0, text/plain"} {
			r.do("GET", "/Users/"+ada, "", "Accept: "+v).want(406)
		}
	})
	r.run("H-03, H-04 Content-Type", func() {
		for i, v := range []string{"application/scim+json", "application/json", "application/json; charset=utf-8", "application/scim+json;charset=UTF-8"} {
			r.do("POST", "/Users", newUser+fmt.Sprint("typed", i)+`"}`, "Content-Type: "+v).want(201)
		}
		for _, v := range []string{"text/xml", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "json"} {
			r.do("POST", "/Users", newUser+`never"}`, "Content-Type: "+v).want(415)
		}
		r.do("POST", "/Users", newUser+`never"}`, "Content-Encoding: gzip").want(415)
	})
	r.run("H-05 any prefix", func() {
		other := start(r.t, func(y string) string {
			return strings.Replace(y, "  admin:", "  base: https://id.example.org/tenants/a/scim/v2\n  admin:", 1)
		})
		other.base = strings.Replace(other.base, "/scim/v2", "/tenants/a/scim/v2", 1)
		a := other.get("/Users", "count", "1").want(200) // H-14: the configured URL, and no other
		if l := fmt.Sprint(a.at("Resources.0.meta.location")); !strings.HasPrefix(l, "https://id.example.org/tenants/a/scim/v2/Users/") {
			r.t.Errorf("meta.location is %s", l)
		}
		if ref := fmt.Sprint(a.at("Resources.0.groups.0.$ref")); !strings.HasPrefix(ref, "https://id.example.org/tenants/a/scim/v2/Groups/") {
			r.t.Errorf("$ref is %s", ref)
		}
	})
	r.run("H-06 versions", func() {
		base := r.base
		defer func() { r.base = base }()
		r.base = strings.TrimSuffix(base, "/v2")
		r.get("/v9/Users").want(400).is("scimType", "invalidVers")
		r.get("/v1/Users/"+ada).want(400).is("scimType", "invalidVers")
		r.get("/Users/"+ada).want(200).is("meta.location", base+"/Users/"+ada)
	})
	r.run("H-07 unknown parameters", func() {
		r.do("GET", "/Users/"+ada+"?foo=1&bar&=x&%zz", "").want(200)
		r.do("GET", "/Users?foo=1&count=1", "").want(200).is("itemsPerPage", "1")
	})
	r.run("H-08, H-09 methods", func() {
		for _, c := range []struct {
			method, path string
			status       int
			allow        string
		}{
			{"PUT", "/Users", 405, "GET, POST"}, {"PATCH", "/Users", 405, "GET, POST"}, {"DELETE", "/Users", 405, "GET, POST"},
			{"POST", "/Users/" + ada, 405, "GET, PUT, PATCH, DELETE"},
			{"TRACE", "/Users", 405, "GET, POST"}, {"PROPFIND", "/Users/" + ada, 405, "GET, PUT, PATCH, DELETE"},
			{"GET", "/Me", 501, ""}, {"PUT", "/", 405, ""},
			{"GET", "/Bulk", 405, "POST"},
		} {
			a := r.do(c.method, c.path, "").want(c.status)
			for _, m := range strings.Split(c.allow, ", ") {
				if !strings.Contains(a.header.Get("Allow"), m) {
					r.t.Errorf("%s %s: Allow is %q", c.method, c.path, a.header.Get("Allow"))
				}
			}
		}
	})
	r.run("H-10, H-18, H-20 paths that lead nowhere", func() {
		for _, p := range []string{"/Nowhere", "/users", "/Users/" + ada + "/name", "/Users.scim", "/Users/ada.lovelace", "/Users/" + ada + ".scim"} {
			r.get(p).want(404)
		}
		base := r.base
		defer func() { r.base = base }()
		r.base = strings.TrimSuffix(base, "/scim/v2")
		r.get("/nothing/at/all").want(404)
	})
	r.run("H-11 decoded exactly once", func() {
		r.do("POST", "/Users", newUser+`a%22b"}`).want(201)
		r.do("GET", "/Users?filter=userName%20eq%20%22a%2522b%22", "").want(200).is("totalResults", "1")
		r.do("GET", "/Users?filter=userName%20eq%20%22a%22b%22", "").want(400)
		r.do("GET", "/Users/%2561"+ada, "").want(404)
	})
	r.run("H-12 plus signs", func() {
		r.do("POST", "/Users", newUser+`a+b@x.org"}`).want(201)
		r.do("GET", `/Users?filter=userName%20eq%20%22a+b@x.org%22`, "").want(200).is("totalResults", "1")
		r.do("GET", `/Users?filter=userName+eq+%22a%2Bb%40x.org%22`, "").want(200).is("totalResults", "1")
	})
	r.run("H-13, S-36 Location and Content-Location", func() {
		url := r.base + "/Users/" + ada
		get := r.get("/Users/"+ada).is("meta.location", url)
		put := r.do("PATCH", "/Users/"+ada, `{`+patchOp+`,"Operations":[{"op":"add","path":"nickName","value":"Ada"}]}`).want(200)
		for _, a := range []*answer{get, put} {
			if a.header.Get("Location") != url || a.header.Get("Content-Location") != url {
				r.t.Errorf("Location %q, Content-Location %q", a.header.Get("Location"), a.header.Get("Content-Location"))
			}
		}
		group := r.groupID("VPN")
		a := r.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).want(200)
		if a.header.Get("Location") != r.base+"/Groups/"+group {
			r.t.Errorf("204 has Location %q", a.header.Get("Location"))
		}
	})
	r.run("H-14 forwarded headers are not believed", func() {
		r.do("GET", "/Users/"+ada, "", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example").
			is("meta.location", r.base+"/Users/"+ada)
		req, _ := http.NewRequest("GET", r.base+"/Users/"+ada, nil)
		req.Host = "evil.example"
		req.Header.Set("Authorization", "Bearer quickstart")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			r.t.Fatal(err)
		}
		a, err := r.answered(res, "GET with a forged Host")
		if err != nil || strings.Contains(a.body, "evil") {
			r.t.Errorf("%v %s", err, a.body)
		}
	})
	r.run("H-14 a listed proxy is believed only for the client's address", func() {
		other := start(r.t, func(y string) string { return strings.Replace(y, "  admin:", "  proxies: [127.0.0.0/8]\n  admin:", 1) })
		other.do("GET", "/Users?count=1", "", "X-Forwarded-For: 203.0.113.9").want(200)
		if !strings.Contains(other.log.take(), "from=203.0.113.9") {
			r.t.Error("the log does not have the client's address")
		}
		r.do("GET", "/Users?count=1", "", "X-Forwarded-For: 203.0.113.8").want(200)
		if strings.Contains(r.log.take(), "203.0.113.8") {
			r.t.Error("an address from a stranger is in the log")
		}
	})
	r.run("H-17, E-08 limits", func() {
		big := newUser + strings.Repeat("a", 1<<20) + `"}`
		if a := r.do("POST", "/Users", big).want(413); !strings.Contains(fmt.Sprint(a.at("detail")), "1048576") {
			r.t.Errorf("E-08: the limit is not named: %s", a.body)
		}
		deep := `{"schemas":["` + coreUser + `"],"userName":"deep","x":` + strings.Repeat("[", 17) + strings.Repeat("]", 17) + `}`
		if a := r.do("POST", "/Users", deep).want(400).is("scimType", "invalidSyntax"); !strings.Contains(fmt.Sprint(a.at("detail")), "16") {
			r.t.Errorf("the limit is not named: %s", a.body)
		}
		many := `{"schemas":["` + coreUser + `"],"userName":"many","x":[` + strings.Repeat("1,", 200_000) + `1]}`
		if a := r.do("POST", "/Users", many).want(413); !strings.Contains(fmt.Sprint(a.at("detail")), "200000") {
			r.t.Errorf("E-08: the limit is not named: %s", a.body)
		}
	})
	r.run("H-21 no User-Agent is needed", func() {
		r.do("GET", "/Users/"+ada, "", "User-Agent: ").want(200)
	})
	r.run("H-22 ids are opaque", func() {
		r.get("/Users/" + ada[:10] + "%2F" + ada[10:]).want(404)
		r.get("/Users/%" + fmt.Sprintf("%02X", ada[0]) + ada[1:]).want(200)
	})
	r.run("HEAD and OPTIONS", func() {
		res, err := http.DefaultClient.Do(r.request("HEAD", "/Users/"+ada))
		if err != nil || res.StatusCode != 200 || res.ContentLength <= 0 {
			r.t.Errorf("HEAD: %v %v", res, err)
		}
		res, err = http.DefaultClient.Do(r.request("OPTIONS", "/Users"))
		if err != nil || res.StatusCode >= 500 || !strings.Contains(res.Header.Get("Allow"), "POST") {
			r.t.Errorf("OPTIONS: %v %v", res, err)
		}
	})
}

// request is one with the right token.
func (r *rig) request(method, path string) *http.Request {
	req, err := http.NewRequest(method, r.base+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	return req
}

// TestErrors holds errors to what is common to all; the rig itself checks E-01 to
// E-03 on every answer of every test.
func TestErrors(t *testing.T) {
	r := start(t)
	ada := r.id("ada.lovelace")
	words := []string{"invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue", "invalidVers", "sensitive"}
	for _, c := range []struct {
		row, method, path, body string
		status                  int
		scimType                string
	}{
		{"E-05 syntax", "POST", "/Users", `{"schemas":`, 400, "invalidSyntax"},
		{"E-05 schema", "POST", "/Users", `{"schemas":["` + coreUser + `"]}`, 400, "invalidValue"},
		{"E-05 not found", "GET", "/Users/none", "", 404, ""},
		{"E-05 conflict", "POST", "/Users", `{"schemas":["` + coreUser + `"],"userName":"ada.lovelace"}`, 409, "uniqueness"},
		{"E-04 filter", "GET", "/Users?filter=x", "", 400, "invalidFilter"},
		{"E-04 path", "PATCH", "/Users/" + ada, `{` + patchOp + `,"Operations":[{"op":"add","path":"emails[","value":1}]}`, 400, "invalidPath"},
		{"E-04 no target", "PATCH", "/Users/" + ada, `{` + patchOp + `,"Operations":[{"op":"remove"}]}`, 400, "noTarget"},
		{"E-04 mutability", "PATCH", "/Users/" + ada, `{` + patchOp + `,"Operations":[{"op":"replace","path":"id","value":"x"}]}`, 400, "mutability"},
		{"E-10 unknown route", "GET", "/x/y/z", "", 404, ""},
		{"E-06 the backend refuses", "PUT", "/Users/" + ada, `{"schemas":["` + coreUser + `"],"userName":"ada.lovelace","active":null}`, 400, "invalidValue"},
	} {
		r.run(c.row, func() {
			a := r.do(c.method, c.path, c.body).want(c.status).is("scimType", c.scimType).is("schemas.0", "urn:ietf:params:scim:api:messages:2.0:Error")
			if w := fmt.Sprint(a.at("scimType")); a.at("scimType") != nil && !slices.Contains(words, w) {
				r.t.Errorf("E-04: %s", w)
			}
			for _, secret := range []string{"employee", "login", "SQL", "constraint", "sqlite", "emp_no", "quickstart"} { // E-07
				if strings.Contains(strings.ToLower(a.body), strings.ToLower(secret)) {
					r.t.Errorf("E-06, E-07: the answer says %q: %s", secret, a.body)
				}
			}
			if a.header.Get("X-Request-Id") == "" {
				r.t.Error("E-06: no request id")
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	r := start(t, func(y string) string {
		return strings.Replace(y, "{token: quickstart}", `
    tokens:
      - {token: "quickstart"}
      - {token: "second-token", expires: 2999-01-01}
      - {token: "expired-token", expires: 2020-01-01}
  other: {token: other-token}`, 1)
	})
	r.run("T-02, T-03, E-09 no credentials", func() {
		r.token = ""
		defer func() { r.token = "quickstart" }()
		for _, c := range [][2]string{{"GET", "/Users"}, {"POST", "/Users"}, {"GET", "/Users/x"}, {"PUT", "/Users/x"}, {"PATCH", "/Users/x"}, {"DELETE", "/Users/x"},
			{"GET", "/Schemas"}, {"GET", "/ResourceTypes"}, {"POST", "/Bulk"}, {"GET", "/Me"}, {"POST", "/.search"}, {"GET", "/Nowhere"}, {"PUT", "/Users"}} {
			a := r.do(c[0], c[1], "").want(401)
			if w := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(w, "Bearer ") || strings.Contains(w, "error") {
				r.t.Errorf("%v: WWW-Authenticate is %q", c, w)
			}
		}
	})
	r.run("T-02, T-03 other schemes", func() {
		for _, h := range []string{"Basic cXVpY2tzdGFydDp4", "Digest x", "quickstart", "Token quickstart"} {
			if w := r.do("GET", "/Users", "", "Authorization: "+h).want(401).header.Get("WWW-Authenticate"); strings.Contains(w, "error") {
				r.t.Errorf("%s: %q", h, w)
			}
		}
	})
	r.run("T-03 wrong tokens", func() {
		for _, h := range []string{"Bearer wrong", "Bearer QUICKSTART", "Bearer quickstart1", "Bearer quickstar", "bearer other", "Bearer sha256:" + strings.Repeat("a", 64)} {
			a := r.do("GET", "/Users", "", "Authorization: "+h)
			if w := a.header.Get("WWW-Authenticate"); a.status != 401 && a.status != 400 || !strings.Contains(w, "error=") {
				r.t.Errorf("%s: %d %q", h, a.status, w)
			}
		}
	})
	r.run("T-03 malformed tokens", func() {
		for _, h := range []string{"Bearer", "Bearer  ", "Bearer a b", "Bearer a,b", "Bearer \"quickstart\"", "Bearer " + strings.Repeat("a", 5000)} {
			if a := r.do("GET", "/Users", "", "Authorization: "+h).want(400); !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_request") {
				r.t.Errorf("%s: %q", clip(h), a.header.Get("WWW-Authenticate"))
			}
		}
	})
	r.run("T-05 two live tokens, and an expired one", func() {
		r.do("GET", "/Users?count=0", "", "Authorization: Bearer quickstart").want(200)
		r.do("GET", "/Users?count=0", "", "Authorization: bearer second-token").want(200)
		a := r.do("GET", "/Users?count=0", "", "Authorization: Bearer expired-token").want(401)
		if w := a.header.Get("WWW-Authenticate"); !strings.Contains(w, `error="invalid_token"`) || !strings.Contains(a.body, "expired") {
			r.t.Errorf("%q %s", w, a.body)
		}
	})
	r.run("T-04 a token is one client's", func() {
		mine := r.id("ada.lovelace")
		r.token = "second-token"
		if r.id("ada.lovelace") != mine {
			r.t.Error("two tokens of one client see different ids")
		}
		r.token = "other-token"
		if r.id("ada.lovelace") == mine {
			r.t.Error("two clients see one id")
		}
		r.token = "quickstart"
	})
	r.run("T-17, Z-08 no token, filter or body in the log", func() {
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"secret-name","title":"secret-title"}`).want(201)
		r.get("/Users", "filter", `userName eq "secret-filter"`).want(200)
		log := r.log.take()
		for _, s := range []string{"Bearer", "second-token", "expired-token", "other-token", "secret-name", "secret-title", "secret-filter"} {
			if strings.Contains(log, s) {
				r.t.Errorf("the log has %q", s)
			}
		}
		if !strings.Contains(log, "client=quickstart") || !strings.Contains(log, "request=") {
			r.t.Error("the log names no client or no request")
		}
	})
}
