package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

func TestCreate(t *testing.T) {
	r := newRig(t, nil)
	a := r.do("POST", "/Users", bjensen)
	r.want(a, 201) // C-01
	location := r.url + "/scim/v2/Users/id-1"
	meta := a.json["meta"].(map[string]any)
	if a.Header.Get("Location") != location || a.Header.Get("Content-Location") != location || meta["location"] != location {
		t.Errorf("C-01, S-36: Location %q, Content-Location %q, meta.location %q", a.Header.Get("Location"), a.Header.Get("Content-Location"), meta["location"])
	}
	if a.json["userName"] != "bjensen" || strings.Contains(a.body, "t1me") {
		t.Errorf("C-14, A-07: %s", a.body)
	}
	if c := r.call; c.Caller.Client != "entra" || c.Caller.Tenant != "acme" || c.Base != r.url+"/scim/v2" || c.Type.Name != "User" || !c.Body {
		t.Errorf("T-04: call %+v", c)
	}
	if a := r.do("GET", strings.TrimPrefix(location, r.url), ""); a.StatusCode != 200 {
		t.Errorf("the Location leads to %d", a.StatusCode)
	}
}

func TestAttributes(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	patch := `{"schemas":["` + scim.PatchOpMessage + `"],"Operations":[{"op":"replace","path":"title","value":"Ms"}]}`
	cases := []struct{ row, method, path, body string }{
		{"C-11 A-06 POST", "POST", "/Users", bjensen},
		{"A-06 GET", "GET", "/Users/" + id, ""},
		{"A-06 PUT", "PUT", "/Users/" + id, bjensen},
		{"A-06 PATCH", "PATCH", "/Users/" + id, patch},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			a := r.do(c.method, c.path+"?attributes=NAME.givenname,foo", c.body)
			got := fmt.Sprint(a.json["name"], a.json["userName"], a.json["id"] != nil, a.json["schemas"] != nil)
			if got != "map[givenName:Barbara] <nil> true true" {
				t.Errorf("%s: %s", got, a.body)
			}
			if !r.call.Body {
				t.Error("P-09: the provider is not told that a body is wanted")
			}
			a = r.do(c.method, c.path+"?excludedAttributes=name,id", c.body)
			if a.json["name"] != nil || a.json["id"] == nil || a.json["userName"] == nil {
				t.Errorf("A-03: %s", a.body)
			}
			r.want(r.do(c.method, c.path+"?attributes=id&excludedAttributes=name", c.body), 400, scim.InvalidValue)
		})
	}
	r.do("GET", "/Groups?excludedAttributes=members", "")
	if r.call.Select.Needs(r.call.Type.Layout.Find("members")) {
		t.Error("A-09: the provider is told that members are needed")
	}
	for _, item := range r.do("GET", "/Users?attributes=userName", "").json["Resources"].([]any) {
		if m := item.(map[string]any); m["id"] == nil || m["name"] != nil { // G-12
			t.Errorf("A-06 list: %v", m)
		}
	}
}

func TestRead(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	r.shelf.items[0].Set(r.call.Type.Layout.ID, scim.Str(`a/b+c%22 é`)) // H-22
	cases := []struct {
		row, path string
		status    int
	}{
		{"G-01 unknown", "/Users/nobody", 404},
		{"H-11 decoded once", "/Users/a%2Fb+c%2522%20%C3%A9", 200},
		{"H-11 not twice", "/Users/a%2Fb+c%22%20%C3%A9", 404},
		{"H-22 case-exact", "/Users/A%2Fb+c%2522%20%C3%A9", 404},
		{"H-11 encoded plus", "/Users/a%2Fb%2Bc%2522%20%C3%A9", 200},
		{"G-11 a filter is ignored", "/Users/a%2Fb+c%2522%20%C3%A9?filter=!!", 200},
		{"H-07 unknown parameter", "/Users/a%2Fb+c%2522%20%C3%A9?aadOptscim062020", 200},
		{"H-18 no suffixes", "/Users/" + id + ".scim", 404},
		{"H-20 only ids", "/Users/bjensen", 404},
		{"an id that looks like SQL", "/Users/1'%20OR%20'1'='1", 404},
		{"control characters", "/Users/a%00b", 404},
		{"invalid UTF-8", "/Users/%ff", 404},
		{"dots", "/Users/%2e%2e", 404},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) { r.want(r.do("GET", c.path, ""), c.status) })
	}
	r.call = provision.Call{}
	r.do("GET", "/Users/a%00b", "")
	r.do("DELETE", "/Users/%ff", "")
	if r.call.Type != nil {
		t.Error("an id that cannot be one reached the provider")
	}
	r.do("GET", "/Users/nobody", "")
	a := r.do("GET", "/Users/a%2Fb+c%2522%20%C3%A9", "")
	if a.Header.Get("Location") == "" || a.Header.Get("Location") != a.Header.Get("Content-Location") || a.Header.Get("Etag") != "" {
		t.Errorf("H-13: headers %v", a.Header)
	}
	r.shelf.items[0].Set(r.call.Type.Layout.Meta.Find("version"), scim.Str(`W/"3"`))
	r.shelf.items[0].Set(r.call.Type.Layout.Meta.Find("location"), scim.Value{})
	a = r.do("HEAD", "/Users/a%2Fb+c%2522%20%C3%A9", "")
	r.want(a, 200)
	if a.ContentLength <= 0 || a.Header.Get("Etag") != `W/"3"` || !strings.HasSuffix(a.Header.Get("Location"), "/Users/a%2Fb+c%2522%20%C3%A9") {
		t.Errorf("S-36, HEAD: length %d, headers %v", a.ContentLength, a.Header)
	}
}

func TestWrittenAttributesAreEchoed(t *testing.T) {
	r := newRig(t, func(o *Options) {
		user, _ := schema.Builtin(scim.UserSchema)
		user = user.Clone()
		user.Find("title").Returned = scim.ReturnedRequest
		u, err := schema.NewResourceType("User", "/Users", "", user, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Types = []*schema.ResourceType{u}
	})
	titled := strings.Replace(bjensen, "{", `{"title":"Ms",`, 1)
	id := r.create("first")
	patched := `{"schemas":["` + scim.PatchOpMessage + `"],"Operations":[{"op":"replace","path":"%s","value":"Ms"}]}`
	for _, c := range []struct {
		method, path, body string
		title              any
	}{
		{"POST", "/Users", titled, "Ms"}, // C-10
		{"POST", "/Users", bjensen, nil},
		{"PUT", "/Users/" + id, titled, "Ms"}, // S-30
		{"GET", "/Users/" + id, "", nil},
		{"GET", "/Users/" + id + "?attributes=title", "", "Ms"},
		{"PATCH", "/Users/" + id, fmt.Sprintf(patched, "title"), "Ms"},
		{"PATCH", "/Users/" + id, fmt.Sprintf(patched, "displayName"), nil},
	} {
		if a := r.do(c.method, c.path, c.body); a.json["title"] != c.title {
			t.Errorf("S-30 %s %s: title %v, want %v", c.method, c.path, a.json["title"], c.title)
		}
	}
}

func TestReplace(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	a := r.do("PUT", "/Users/"+id, strings.Replace(bjensen, "bjensen", "babs", 1))
	r.want(a, 200) // U-08
	if a.json["userName"] != "babs" || a.Header.Get("Location") != r.url+"/scim/v2/Users/"+id {
		t.Errorf("U-08, H-13: %v %s", a.Header, a.body)
	}
	r.want(r.do("PUT", "/Users/nobody", bjensen), 404)                                                // U-02
	r.want(r.do("PUT", "/Users/"+id, `{"schemas":["`+scim.UserSchema+`"]}`), 400, scim.InvalidValue)  // U-07
	r.want(r.do("PUT", "/Users/"+id, bjensen, `If-Match: W/"1"`), 412)                                // V-03: no version, no match
	r.want(r.do("PUT", "/Users/"+id, bjensen, `If-Match: *`), 200)                                    // V-04
	r.want(r.do("PUT", "/Groups/"+id, `{"schemas":["`+scim.GroupSchema+`"],"displayName":"g"}`), 404) // another type's id
	r.want(r.do("DELETE", "/Users/"+id, "", `If-Match: "x"`), 412)
}

func TestPatch(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	body := `{"schemas":["` + scim.PatchOpMessage + `"],"Operations":[{"op":"Replace","path":"title","value":"Ms"}]}`
	a := r.do("PATCH", "/Users/"+id+"?filter=!!", body) // P-15
	r.want(a, 200)                                      // P-09, P-10
	if a.json["title"] != "Ms" || a.Header.Get("Location") == "" {
		t.Errorf("P-09: %v %s", a.Header, a.body)
	}
	r.shelf.empty = true
	a = r.do("PATCH", "/Users/"+id, body)
	r.want(a, 204)
	if a.Header.Get("Location") != r.url+"/scim/v2/Users/"+id {
		t.Errorf("H-13: 204 with Location %q", a.Header.Get("Location"))
	}
	r.want(r.do("PATCH", "/Users/"+id, `{"schemas":[],"Operations":[]}`), 400, scim.InvalidSyntax)
	a = r.do("PATCH", "/Users/"+id, `{"schemas":["`+scim.PatchOpMessage+`"],"Operations":[{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"a b"}]}`)
	r.want(a, 400)
	if !strings.Contains(a.body, "Operations[1]") {
		t.Errorf("P-07: the detail does not name the operation: %s", a.body)
	}
}

func TestDelete(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	a := r.do("DELETE", "/Users/"+id, "", "Accept: text/plain")
	r.want(a, 204)
	if a.Header.Get("Location") != "" || a.ContentLength > 0 {
		t.Errorf("X-01: %v", a.Header)
	}
	for _, m := range []string{"GET", "PUT", "DELETE"} {
		r.want(r.do(m, "/Users/"+id, bjensen), 404)
	}
}

func TestList(t *testing.T) {
	r := newRig(t, nil)
	a := r.do("GET", "/Users", "")
	r.want(a, 200)
	if a.body != `{"schemas":["`+scim.ListResponseMessage+`"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}` {
		t.Errorf("G-02, G-03, G-04: %s", a.body)
	}
	for i := range 11 {
		r.create(fmt.Sprintf("user%02d", i))
	}
	cases := []struct {
		row, query         string
		total, start, size float64
	}{
		{"N-05 first page", "count=5", 11, 1, 5},
		{"N-05 last page", "startIndex=11&count=5", 11, 11, 1},
		{"N-06 past the end", "startIndex=9999", 11, 9999, 0},
		{"N-02 counters only", "count=0", 11, 1, 0},
		{"N-02 negative", "count=-3", 11, 1, 0},
		{"N-01 below one", "startIndex=-3", 11, 1, 11},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			a := r.do("GET", "/Users?"+c.query, "")
			r.want(a, 200)
			if a.json["totalResults"] != c.total || a.json["startIndex"] != c.start || a.json["itemsPerPage"] != c.size ||
				len(a.json["Resources"].([]any)) != int(c.size) {
				t.Error(a.body)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Limits = Limits{Filter: 200, Page: 7, PageMax: 9}
		o.Profiles = map[string]Profile{"entra": {LenientFilter: true}}
	})
	r.want(r.do("GET", `/Users?filter=userName+eq+%22a+b@x%22&sortBy=name.familyName&sortOrder=descending&count=8&startIndex=3`, ""), 200)
	s := r.seen
	if s.SortBy == nil || s.SortBy.Path() != "name.familyName" || !s.Descending || s.StartIndex != 3 || s.Count != 8 {
		t.Errorf("search %+v", s)
	}
	if c, ok := s.Filter.(*filter.Compare); !ok || c.Value.Str != "a+b@x" || c.Match == filter.Unbound {
		t.Errorf("H-12: filter %#v", s.Filter)
	}
	r.do("GET", "/Users?count=1000", "")
	if r.seen.Count != 9 || r.seen.Filter != nil || r.seen.SortBy != nil { // N-04
		t.Errorf("search %+v", r.seen)
	}
	if r.do("GET", "/Users", ""); r.seen.Count != 7 { // N-03
		t.Errorf("search %+v", r.seen)
	}
	bad := []struct {
		query string
		kind  scim.Keyword
	}{
		{"filter=", scim.InvalidFilter},                                         // F-32
		{"filter=userName%20eq", scim.InvalidFilter},                            //
		{"filter=userName%20regex%20%22x%22", scim.InvalidFilter},               // F-23
		{"filter=nope%20pr", scim.InvalidFilter},                                // G-08
		{"filter=%", scim.InvalidFilter},                                        //
		{"filter=userName%20pr&filter=title%20pr", scim.InvalidFilter},          //
		{"filter=" + strings.Repeat("a", 201), scim.InvalidFilter},              // F-33
		{"sortBy=nope", scim.InvalidValue},                                      // O-07
		{"sortBy=password", scim.InvalidValue},                                  // O-07
		{"sortBy=userName&sortOrder=up", scim.InvalidValue},                     // O-04
		{"count=abc", scim.InvalidValue}, {"startIndex=1.5", scim.InvalidValue}, // N-07
		{"attributes=a&excludedAttributes=b", scim.InvalidValue},
	}
	for _, c := range bad {
		a := r.do("GET", "/Users?"+c.query, "")
		if a.StatusCode != 400 || a.json["scimType"] != string(c.kind) {
			t.Errorf("%s: %s", c.query, a.body)
		}
	}
	if a := r.do("GET", "/Users?filter=userName%20eq%20", ""); !strings.Contains(a.body, "character 13") && !strings.Contains(a.body, "character 12") {
		t.Errorf("F-32: no position in %s", a.body)
	}
	r.want(r.do("GET", "/Users?filter=userName%20eq%20bare", ""), 200) // F-11, by profile
	r.want(r.do("GET", "/Users?filter=userName%20eq%20bare", "", "Authorization:", "Authorization: Bearer strict"), 400, scim.InvalidFilter)
}

func TestReject(t *testing.T) {
	r := newRig(t, nil)
	odd := strings.Replace(bjensen, "{", `{"shoeSize":42,`, 1)
	r.want(r.do("POST", "/Users", odd), 201) // S-39
	if !strings.Contains(r.log.String(), "shoeSize") || strings.Contains(r.log.String(), "42,") {
		t.Errorf("S-39: what was ignored is not in the log: %s", r.log)
	}
	r.want(r.do("POST", "/Users", odd, "Authorization:", "Authorization: Bearer strict"), 400, scim.InvalidSyntax)
}

func TestErrors(t *testing.T) {
	r := newRig(t, nil)
	secret := errors.New("pq: duplicate key value violates employee_pkey (emp_no)=(4711)")
	cases := []struct {
		row    string
		err    error
		status int
		kind   scim.Keyword
		retry  string
	}{
		{"E-06 no SCIM error", secret, 500, "", ""},
		{"C-05", scim.Errorf(409, scim.Uniqueness, "userName is taken"), 409, scim.Uniqueness, ""},
		{"L-02 Retry-After in seconds", &scim.Error{Status: 503, Detail: "The backend does not answer.", RetryAfter: 7, Err: secret}, 503, "", "7"},
		{"wrapped", fmt.Errorf("op: %w", scim.Bad(scim.NoTarget, "nothing")), 400, scim.NoTarget, ""},
		{"E-02 no detail", &scim.Error{Status: 404}, 404, "", ""},
		{"E-03 a status that is none", &scim.Error{Status: 200, Detail: "ok"}, 500, "", ""},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			r.shelf.fail = c.err
			a := r.do("GET", "/Users/x", "", "X-Request-Id: abc-12345")
			r.want(a, c.status)
			if kind := a.json["scimType"]; c.kind != "" && kind != string(c.kind) || c.kind == "" && kind != nil {
				t.Errorf("scimType %v", kind)
			}
			if a.Header.Get("Retry-After") != c.retry {
				t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
			}
			if strings.Contains(a.body+r.log.String(), "4711") {
				t.Errorf("E-06: the cause leaks: %s", a.body)
			}
			if c.status == 500 && !strings.Contains(a.body, "abc-12345") {
				t.Errorf("E-06: no request id in %s", a.body)
			}
		})
	}
	if !strings.Contains(r.log.String(), `"error":"*errors.errorString"`) {
		t.Errorf("the log does not say what kind of error it was: %s", r.log)
	}
}

func TestNoResourceIsAFault(t *testing.T) {
	var x exchange
	if err := x.resource(http.StatusCreated, nil, nil, nil); err == nil {
		t.Error("C-14: an answer without a resource")
	}
}
