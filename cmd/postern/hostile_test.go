package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Everything here is refused, or finds nothing, and changes nothing: the legacy
// database is the same at the end, to the last value.

// An attack is a request that must fail.
type attack struct{ name, body, keyword string }

// badJSON is refused before anybody asks what it means.
var badJSON = []attack{
	{"empty", ` `, "invalidSyntax"},
	{"open", `{`, "invalidSyntax"},
	{"closed only", `}`, "invalidSyntax"},
	{"a list", `[]`, "invalidSyntax"},
	{"null", `null`, "invalidSyntax"},
	{"a text", `"x"`, "invalidSyntax"},
	{"a number", `1`, "invalidSyntax"},
	{"two values", `{"a":1}{"b":2}`, "invalidSyntax"},
	{"no value", `{"schemas":}`, "invalidSyntax"},
	{"single quotes", `{'schemas':[]}`, "invalidSyntax"},
	{"bare names", `{schemas:[]}`, "invalidSyntax"},
	{"comma at the end", `{"userName":"x",}`, "invalidSyntax"},
	{"comment", `{"userName":"x"/*y*/}`, "invalidSyntax"},
	{"NaN", `{"userName":NaN}`, "invalidSyntax"},
	{"leading zero", `{"userName":01}`, "invalidSyntax"},
	{"byte order mark", "\xef\xbb\xbf{}", "invalidSyntax"},
	{"invalid UTF-8", "{\"userName\":\"\xff\xfe\"}", "invalidSyntax"},
	{"overlong UTF-8", "{\"userName\":\"\xc0\xaf\"}", "invalidSyntax"},
	{"invalid UTF-8 in a name", "{\"\xff\":1}", "invalidSyntax"},
	{"lone surrogate", `{"userName":"\ud800"}`, "invalidSyntax"},
	{"surrogates the wrong way round", `{"userName":"\udc00\ud800"}`, "invalidSyntax"},
	{"bad escape", `{"userName":"\x41"}`, "invalidSyntax"},
	{"line break in a text", "{\"userName\":\"a\nb\"}", "invalidSyntax"},
	{"raw NUL", "{\"userName\":\"a\x00b\"}", "invalidSyntax"},
	{"NUL after the end", "{}\x00", "invalidSyntax"},
	{"one name twice", `{"userName":"a","userName":"b"}`, "invalidSyntax"},
	{"one name in two cases", `{"userName":"a","USERNAME":"b"}`, "invalidSyntax"},
	{"seventeen levels", `{"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, "invalidSyntax"},
	{"many levels", strings.Repeat("[", 100_000), "invalidSyntax"},
	{"many levels of objects", strings.Repeat(`{"a":`, 50_000), "invalidSyntax"},
	{"form", `userName=x&active=true`, "invalidSyntax"},
	{"XML", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, "invalidSyntax"},
}

// badUsers are JSON, but no users.
var badUsers = []attack{
	{"NUL", user(`a\u0000b`, ""), "invalidValue"},
	{"NUL elsewhere", user("h", `,"title":"\u0000"`), "invalidValue"},
	{"control character", user(`a\u0001b`, ""), "invalidValue"},
	{"escape sequence", user(`a\u001b[31mb`, ""), "invalidValue"},
	{"delete", user(`a\u007fb`, ""), "invalidValue"},
	{"C1 control character", user(`a\u0085b`, ""), "invalidValue"},
	{"blank name", user(` \t `, ""), "invalidValue"},
	{"name is a list", `{"schemas":["` + coreUser + `"],"userName":["a"," b"]}`, "invalidValue"},
	{"name is an object", `{"schemas":["` + coreUser + `"],"userName":{"$ne":null}}`, "invalidValue"},
	{"name is true", `{"schemas":["` + coreUser + `"],"userName":true}`, "invalidValue"},
	{"active is an object", user("h", `,"active":{"a":true}`), "invalidValue"},
	{"active is 2", user("h", `,"active":2`), "invalidValue"},
	{"emails is text", user("h", `,"emails":"a@b"`), "invalidValue"},
	{"emails of emails", user("h", `,"emails":[[{"value":"a@b"}]]`), "invalidValue"},
	{"name of lists", user("h", `,"name":{"givenName":["a","b"]}`), "invalidValue"},
	{"manager unknown", user("h", `,"`+enterpriseUser+`":{"manager":{"value":"' OR '1'='1"}}`), "invalidValue"},
	{"manager is a key", user("h", `,"`+enterpriseUser+`":{"manager":{"value":"770001001"}}`), "invalidValue"},
	{"manager is a URL", user("h", `,"`+enterpriseUser+`":{"manager":{"value":"http://169.254.169.254/Users/1"}}`), "invalidValue"},
	{"schemas of numbers", `{"schemas":[1],"userName":"h"}`, "invalidSyntax"},
	{"taken by a built-in account", user("root", ""), "uniqueness"},
	{"taken by a built-in account, in capitals", user("ROOT", ""), "uniqueness"},
	{"prototype", `{"schemas":["` + coreUser + `"],"__proto__":{"userName":"h"}}`, ""},
}

// badPatches are bodies of a PATCH that fail.
var badPatches = []attack{
	{"path of SQL", `{"op":"replace","path":"userName'; DROP TABLE employee; --","value":"x"}`, "invalidPath"},
	{"path to a column", `{"op":"replace","path":"kind","value":"builtin"}`, "invalidPath"},
	{"path to the key", `{"op":"replace","path":"emp_no","value":"1"}`, "invalidPath"},
	{"path of levels", `{"op":"replace","path":"name.givenName.x.y.z","value":"x"}`, "invalidPath"},
	{"endless path", `{"op":"replace","path":"` + strings.Repeat("a.", 20_000) + `","value":"x"}`, ""},
	{"path of brackets", `{"op":"replace","path":"` + strings.Repeat("emails[", 5_000) + `","value":"x"}`, ""},
	{"path of parentheses", `{"op":"replace","path":"emails[` + strings.Repeat("(", 20_000) + `","value":"x"}`, ""},
	{"path with NUL", `{"op":"replace","path":"title\u0000","value":"x"}`, "invalidValue"},
	{"schemas", `{"op":"replace","path":"schemas","value":["urn:x"]}`, ""},
	{"meta", `{"op":"add","path":"meta","value":{"created":"2020-01-01T00:00:00Z"}}`, "mutability"},
	{"id", `{"op":"add","value":{"id":"770001001"}}`, "mutability"},
	{"groups", `{"op":"add","path":"groups","value":[{"value":"x"}]}`, "mutability"},
	{"groups without a path", `{"op":"add","value":{"groups":[{"value":"x"}]}}`, "mutability"},
	{"value without end", `{"op":"replace","path":"title","value":"` + strings.Repeat("x", 1<<20) + `"}`, "413"},
	{"control character", `{"op":"replace","path":"title","value":"\u0002"}`, "invalidValue"},
	{"name to nothing", `{"op":"replace","path":"userName","value":""}`, ""},
	{"name to a built-in account's", `{"op":"replace","path":"userName","value":"Batch"}`, "uniqueness"},
	{"manager is a key", `{"op":"replace","path":"` + enterpriseUser + `:manager","value":"770001002"}`, "invalidValue"},
	{"second operation fails", `{"op":"replace","path":"title","value":"changed"},{"op":"explode"}`, "invalidSyntax"},
	{"operation in an operation", `{"op":{"op":"add"},"path":"title","value":"x"}`, "invalidSyntax"},
}

// strangeIDs are no ids of anything. The first are real keys.
var strangeIDs = []string{
	"770001001", "770001001.0", "0770001001", "+770001001", " 770001001", "770001001 ", "0x2de5e5e9", "7.70001001e8", "880000010", "770000001", "1", "0", "-1",
	"' OR '1'='1", "1; DROP TABLE employee; --", "x' UNION SELECT login FROM employee --", `" OR ""="`, "1)) OR ((1=1", "/**/",
	"../../../etc/passwd", "...", "/etc/passwd", `..\..\windows`, "%2e%2e%2f", "%00", "a%00b",
	"http://evil.example/Users/1", "//evil.example", "urn:ietf:params:scim:schemas:core:2.0:User", "ldap://x/dc=x", "file:///etc/passwd",
	"*", "%", "_", "?", "#", "a b", "a+b", "ada.lovelace", "{id}", "${jndi:ldap://x}", "$(id)", "`id`", "<script>alert(1)</script>",
	"null", "undefined", "NaN", "true", "[]", "bulkId:1", "ünïcödé", "💥", "\u202e", "a\u0000b", "a\nb", "a\r\nSet-Cookie: x=y", "\u0001",
	strings.Repeat("a", 5_000), strings.Repeat("%", 500), strings.Repeat("../", 500),
}

func TestHostile(t *testing.T) {
	r := start(t, func(y string) string {
		return strings.Replace(y, "{token: quickstart}", "{token: quickstart}\n  entra: {token: entra-token, profile: entra}\n  strict: {token: strict-token, profile: strict, unknown: reject}", 1)
	})
	ids := map[string][2]string{}
	tokens := []string{"quickstart", "entra-token", "strict-token"}
	for _, token := range tokens {
		r.token = token
		ids[token] = [2]string{r.id("ada.lovelace"), r.groupID("Staff")}
	}
	before := r.dump("legacy.db")
	r.echoed = []string{"770001001", "770001002", "770000001"}
	refused := func(a *answer, what, keyword string) {
		r.t.Helper()
		want := map[string]int{"uniqueness": 409, "413": 413}[keyword]
		if want == 0 {
			want = 400
		}
		if a.status != want || keyword != "" && keyword != "413" && a.at("scimType") != keyword {
			r.t.Errorf("%s: status %d: %s", what, a.status, clip(a.body))
		}
	}
	for _, token := range tokens {
		r.token = token
		r.vars["ada"], r.vars["staff"] = ids[token][0], ids[token][1]
		r.run(token+" bodies that are no JSON, H-16, H-17", func() {
			for _, a := range badJSON {
				refused(r.do("POST", "/Users", a.body), "POST "+a.name, a.keyword)
				refused(r.do("PUT", "/Users/{ada}", a.body), "PUT "+a.name, a.keyword)
				refused(r.do("PATCH", "/Users/{ada}", a.body), "PATCH "+a.name, a.keyword)
				refused(r.do("PATCH", "/Groups/{staff}", a.body), "PATCH "+a.name, a.keyword)
			}
		})
		r.run(token+" users that are none", func() {
			for _, a := range badUsers {
				refused(r.do("POST", "/Users", a.body), "POST "+a.name, a.keyword)
				refused(r.do("PUT", "/Users/{ada}", a.body), "PUT "+a.name, a.keyword)
			}
		})
		r.run(token+" changes that fail, P-07", func() {
			for _, a := range badPatches {
				refused(r.patch("/Users/{ada}", a.body), a.name, a.keyword)
			}
		})
		r.run(token+" groups", func() {
			for _, id := range []string{"770000001", "nobody", "{staff}", "' OR '1'='1", "http://evil.example/Users/x"} {
				refused(r.do("POST", "/Groups", group("h", `,"members":[{"value":"`+id+`"}]`)), "member "+id, "invalidValue")
				refused(r.patch("/Groups/{staff}", `{"op":"add","path":"members","value":[{"value":"{ada}"},{"value":"`+id+`"}]}`), "member "+id, "invalidValue")
				r.patch("/Groups/{staff}", `{"op":"remove","path":"members","value":[{"value":"`+id+`"}]}`)
				r.patch("/Groups/{staff}", `{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)
			}
		})
		r.run(token+" ids, H-20, H-22", func() {
			for _, id := range strangeIDs {
				for _, col := range []string{"/Users/", "/Groups/"} {
					path := col + strings.NewReplacer("/", "%2F", "+", "%2B").Replace(url.PathEscape(id))
					r.do("GET", path, "").want(404)
					r.do("PUT", path, map[string]string{"/Users/": user("h", ""), "/Groups/": group("h", "")}[col]).want(404)
					r.patch(path, `{"op":"remove","path":"externalId"}`).want(404)
					r.do("DELETE", path, "").want(404)
				}
			}
		})
	}
	r.token = "quickstart"
	r.vars["ada"] = ids["quickstart"][0]
	r.run("paths lead to what they name, or nowhere", func() {
		for _, p := range []string{"/Users/../Users/{ada}", "//Users/{ada}", "/Users/{ada}/x/..", "/Users/{ada}/../../..", "/Users/%2e%2e/{ada}", "/Users;a=b/{ada}", "/Users/{ada};x", "/%55sers/{ada}",
			"/Groups/../Users/{ada}", "/Groups/{ada}", "/Users/{ada}/.", "/Users/.", "/Users/..", "/Users/{ada}%20", "/Users/%20{ada}", "/Users/{ada}%00", "/Users/{ada}%2f", "/users/{ada}"} {
			a := r.do("GET", p, "")
			if a.status == 200 && a.at("id") != r.vars["ada"] && a.at("Resources") == nil || a.status >= 500 && a.status != 501 {
				r.t.Errorf("%s: %d %s", p, a.status, clip(a.body))
			}
		}
		r.do("GET", "/Users/{ada}?%00=%ff&x=%zz", "").want(200)
	})
	r.run("nothing has changed", func() {
		if after := r.dump("legacy.db"); after != before {
			r.t.Errorf("the legacy database has changed:\n%s", difference(before, after))
		}
		if log := r.log.take(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
			r.t.Error("the log has errors")
		}
	})
}

// difference shows the first lines that differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return x[i] + "\n" + y[min(i, len(y)-1)]
		}
	}
	return "more lines"
}

func TestHostileQueries(t *testing.T) {
	r := start(t, func(y string) string { return strings.Replace(y, "  admin:", "  limits: {filter: 1MiB}\n  admin:", 1) })
	ada := r.id("ada.lovelace")
	r.get("/Users", "count", "1000")
	before := r.dump("legacy.db")
	for _, f := range []string{ // these find nothing, whoever evaluates them
		`userName eq "%"`, `userName eq "_"`, `userName co "%"`, `userName co "_"`, `userName sw "a_"`, `userName sw "%"`, `userName ew "%"`, `userName ew "_"`,
		`userName eq "b.ensen"`, `userName eq "ada%lovelace"`, `userName eq "ada_lovelace"`, `userName co "a%e"`, `userName sw "ada_"`,
		`userName co "\\"`, `userName ew "\\"`, `userName eq "\\%"`, `displayName co "\\_"`,
		`userName co "*"`, `userName sw "?"`, `userName co "[a-z]"`, `userName eq "ada*"`, `userName sw "^"`,
		`userName eq "' OR '1'='1"`, `userName eq "x'; DROP TABLE employee; --"`, `userName eq "x\" or userName pr or userName eq \""`, `userName eq "'"`, `userName eq "''"`, `userName eq ";"`, `userName eq "--"`,
		`userName eq "x' UNION SELECT * FROM employee --"`, `name.familyName co "'' OR "`,
		`id eq "770001001"`, `id eq "1 OR 1=1"`, `id eq ""`, `id eq "%"`, `manager eq "770001001"`, `manager.value eq "1"`, `groups.value eq "880000010"`, `groups eq "' OR ''='"`,
		`externalId eq "' OR ''='"`, `externalId eq "%"`, `userName eq "root"`, `userName eq "batch"`, `userName sw "roo"`, `displayName eq "Administrator"`, `displayName co "ightly"`,
		`emails[value eq "%"]`, `emails[type eq "work" and value sw "_"]`, `emails.value co "%"`,
		`userName eq "\uFFFF"`, `userName eq "ada\u0000.lovelace"`, "userName\neq \"x\"", `userName eq "💥"`, `userName co "\u202e"`, `userName eq "` + strings.Repeat("a", 20_000) + `"`,
		`meta.location eq "http://127.0.0.1/scim/v2/Users/770001001"`, `meta.created gt "9999-12-31T23:59:59Z"`,
	} {
		r.run("finds nothing "+clip(f), func() { r.get("/Users", "filter", f).want(200).is("totalResults", "0") })
	}
	for _, f := range []string{ // and these find the same as without the oddity
		`userName eq "ada.lovelace" and not (userName co "%")`, `userName eq "ADA.LOVELACE" and userName ne "%"`, `id eq "` + ada + `" and not (userName sw "_")`,
	} {
		r.run("finds one "+clip(f), func() { r.get("/Users", "filter", f).want(200).is("totalResults", "1") })
	}
	for name, f := range map[string]string{
		"NUL":                  "userName eq \"a\x00b\"",
		"comment":              `userName eq "a" -- or true`,
		"semicolon":            `userName eq "a"; userName pr`,
		"SQL":                  `1=1`,
		"SQL function":         `lower(userName) eq "x"`,
		"column":               `login eq "root"`,
		"key":                  `emp_no eq "1"`,
		"scope":                `kind eq "builtin"`,
		"password":             `password sw "a"`,
		"record":               `record.kind eq "builtin"`,
		"many parentheses":     strings.Repeat("(", 10_000) + "userName pr" + strings.Repeat(")", 10_000),
		"open parentheses":     strings.Repeat("(", 20_000),
		"many nots":            strings.Repeat("not (", 5_000) + "userName pr" + strings.Repeat(")", 5_000),
		"brackets in brackets": strings.Repeat("emails[", 1_000),
		"huge number":          `userName eq ` + strings.Repeat("9", 30_000),
	} {
		r.run("refused "+name, func() {
			a := r.get("/Users", "filter", f).want(400)
			if k := a.at("scimType"); k != "invalidFilter" && k != "tooMany" {
				r.t.Errorf("scimType %v: %s", k, clip(a.body))
			}
		})
	}
	for name, f := range map[string]string{
		"or":         strings.Repeat(`title pr or `, 3_000) + `title pr`,
		"and":        strings.Repeat(`title pr and `, 3_000) + `title pr`,
		"names":      strings.Repeat(`userName eq "x" or `, 1_500) + `userName eq "y"`,
		"ids":        strings.Repeat(`id eq "x" or `, 2_000) + `id eq "y"`,
		"managers":   strings.Repeat(`manager eq "x" or `, 1_700) + `manager eq "y"`,
		"elements":   strings.Repeat(`emails[type eq "work"] or `, 1_500) + `emails pr`,
		"here":       strings.Repeat(`userType eq "x" or `, 1_500) + `userType eq "y"`,
		"containing": strings.Repeat(`userName co "x" and `, 1_500) + `userName co "y"`,
	} {
		r.run("thousands of terms, F-33 "+name, func() {
			begun := time.Now()
			a := r.get("/Users", "filter", f)
			if k := a.at("scimType"); a.status != 200 && (a.status != 400 || k != "tooMany" && k != "invalidFilter") {
				r.t.Errorf("status %d: %s", a.status, clip(a.body))
			}
			if took := time.Since(begun); took > 5*time.Second {
				r.t.Errorf("took %v", took)
			}
		})
	}
	for _, q := range []string{"sortBy=userName;DROP TABLE employee", "sortBy=login", "sortBy=(SELECT 1)", "sortBy=userName&sortOrder=descending;--", "startIndex=1;DROP", "count=1 OR 1", "filter=%ff", "filter=%", "filter=%zz",
		"filter=a&filter=b", "count=1&count=2", "attributes=%ff", "sortBy=", "sortOrder="} {
		r.run("parameter "+q, func() {
			if a := r.do("GET", "/Users?"+strings.ReplaceAll(q, " ", "%20"), ""); a.status != 400 {
				r.t.Errorf("status %d: %s", a.status, clip(a.body))
			}
		})
	}
	r.run("URL without end", func() {
		r.get("/Users", "filter", `userName eq "`+strings.Repeat("a", 100_000)+`"`).want(414)
		r.get("/Users/" + strings.Repeat("a", 100_000)).want(414)
	})
	r.run("parameter attributes", func() {
		for _, v := range []string{"'; DROP TABLE employee", strings.Repeat("a,", 5_000), strings.Repeat("userName,", 3_000), "emp_no,kind", "\x00"} {
			r.get("/Users", "attributes", v, "count", "1").want(200)
			r.get("/Users/"+ada, "excludedAttributes", v).want(200)
		}
	})
	if r.dump("legacy.db") != before {
		t.Error("a query has changed the legacy database")
	}
	if log := r.log.take(); strings.Contains(log, "level=ERROR") {
		t.Error("the log has errors")
	}
}

// raw sends bytes and reads responses until the connection ends or answers no
// more.
func (r *rig) raw(text string) []*http.Response {
	r.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimSuffix(r.base, "/scim/v2"), "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := c.Write([]byte(r.expand(text))); err != nil {
		r.t.Fatal(err)
	}
	var out []*http.Response
	in := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return out
		}
		b := new(strings.Builder)
		if _, err := fmt.Fprint(b, bodyOf(res)); err != nil {
			return out
		}
		_ = res.Header.Write(&heard)
		_, _ = heard.Write([]byte(b.String()))
		out = append(out, res)
	}
}

func bodyOf(res *http.Response) string {
	defer res.Body.Close()
	var b strings.Builder
	_, _ = bufio.NewReader(res.Body).WriteTo(&b)
	return b.String()
}

// TestHostileHTTP sends what no HTTP library would. What net/http refuses before
// our code sees it has no SCIM body; what counts is that nothing gets in.
func TestHostileHTTP(t *testing.T) {
	r := start(t)
	r.vars["ada"], r.vars["host"] = r.id("ada.lovelace"), strings.TrimPrefix(strings.TrimSuffix(r.base, "/scim/v2"), "http://")
	before := r.dump("legacy.db")
	const auth = "Authorization: Bearer quickstart\r\n"
	const smuggled = "DELETE /scim/v2/Users/{ada} HTTP/1.1\r\nHost: {host}\r\n\r\n"
	for _, c := range []struct{ name, text string }{
		{"two lengths", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{\"a\"}"},
		{"length with a sign", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Length: +5\r\n\r\n{\"a\"}"},
		{"negative length", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Length: -1\r\n\r\n"},
		{"length and chunks", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"unknown coding", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled},
		{"two codings", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled},
		{"space before the colon", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Length : 5\r\n\r\n{\"a\"}"},
		{"folded header", "GET /scim/v2/Users/{ada}x HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer\r\n quickstart\r\n\r\n"},
		{"bad chunk size", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"},
		{"huge chunk size", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n"},
		{"no Host", "GET /scim/v2/Users/{ada}x HTTP/1.1\r\n" + auth + "\r\n"},
		{"two Hosts", "GET /scim/v2/Users/{ada}x HTTP/1.1\r\nHost: {host}\r\nHost: evil\r\n" + auth + "\r\n"},
		{"two tokens", "DELETE /scim/v2/Users/{ada} HTTP/1.1\r\nHost: {host}\r\n" + auth + "Authorization: Bearer other\r\n\r\n"},
		{"no such version", "GET /scim/v2/Users HTTP/9.9\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"no request", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
		{"bad escape in the path", "DELETE /scim/v2/Users/%zz HTTP/1.1\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"NUL in the path", "DELETE /scim/v2/Users/a\x00b HTTP/1.1\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"strange method", "DEL\x00ETE /scim/v2/Users/{ada} HTTP/1.1\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"method without a space", "DELETE/scim/v2/Users/{ada} HTTP/1.1\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"method override", "GET /scim/v2/Users/{ada}x HTTP/1.1\r\nHost: {host}\r\n" + auth + "X-HTTP-Method-Override: DELETE\r\n\r\n"},
		{"huge header", "GET /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "X-Big: " + strings.Repeat("a", 200_000) + "\r\n\r\n"},
		{"many headers", "GET /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + strings.Repeat("X-A: b\r\n", 30_000) + "\r\n"},
		{"huge line", "GET /scim/v2/Users?x=" + strings.Repeat("a", 200_000) + " HTTP/1.1\r\nHost: {host}\r\n" + auth + "\r\n"},
		{"huge chunked body", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + strings.Repeat(" ", 0x200000) + "\r\n0\r\n\r\n"},
		{"body that ends early", "POST /scim/v2/Users HTTP/1.1\r\nHost: {host}\r\n" + auth + "Content-Type: application/scim+json\r\nContent-Length: 500\r\n\r\n" + user("early", "")},
	} {
		r.run(c.name, func() {
			for _, res := range r.raw(c.text) {
				if res.StatusCode < 400 || res.StatusCode == 500 || res.StatusCode > 501 && res.StatusCode != 505 {
					r.t.Errorf("status %d", res.StatusCode)
				}
				if res.Header.Get("Content-Type") == "application/scim+json" && res.Header.Get("X-Request-Id") == "" {
					r.t.Error("an answer without a request id")
				}
			}
		})
	}
	r.run("header injection", func() {
		a := r.do("GET", "/Users/"+r.vars["ada"], "", "X-Request-Id: short")
		if a.header.Get("X-Request-Id") == "short" {
			r.t.Error("a strange request id is taken over")
		}
		a = r.do("GET", "/Users/%0d%0aSet-Cookie:%20a=b", "").want(404)
		if a.header.Get("Set-Cookie") != "" {
			r.t.Error("a header was injected")
		}
	})
	r.run("log injection", func() {
		r.do("GET", "/Users/%0alevel=ERROR%20msg=forged", "", "X-Request-Id: abcdefgh\tmsg=forged", "User-Agent: msg=forged").want(404)
		r.get("/Users", "filter", "userName eq \"\nmsg=forged\"")
		r.do("GET", "/Nowhere%0amsg=forged", "").want(404)
		if strings.Contains(r.log.take(), "forged") {
			r.t.Error("the log has what a client wrote")
		}
	})
	if after := r.dump("legacy.db"); after != before {
		t.Errorf("the legacy database has changed: %s", difference(before, after))
	}
}
