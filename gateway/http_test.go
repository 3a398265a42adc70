package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/scim"
)

func TestRoutes(t *testing.T) {
	r := newRig(t, nil)
	cases := []struct {
		row, method, path string
		status            int
		allow             string
	}{
		{"H-08 collection", "DELETE", "/Users", 405, "GET HEAD POST"},
		{"H-08 collection", "PATCH", "/Users", 405, "GET HEAD POST"},
		{"H-08 item", "POST", "/Users/1", 405, "DELETE GET HEAD PATCH PUT"},
		{"H-09 unheard of", "BREW", "/Users", 405, "GET HEAD POST"},
		{"H-09 options", "OPTIONS", "/Users", 204, "GET HEAD POST"},
		{"D-17", "POST", "/Schemas", 405, "GET HEAD"},
		{"D-17", "PUT", "/ServiceProviderConfig", 405, "GET HEAD"},
		{"D-17", "DELETE", "/ResourceTypes/User", 405, "GET HEAD"},
		{"H-10", "GET", "/Nothing", 404, ""},
		{"H-10", "GET", "/Users/1/2", 404, ""},
		{"H-10 case", "GET", "/users", 404, ""},
		{"H-18", "GET", "/Users.scim", 404, ""},
		{"H-10 the base without its version", "GET", "/scim", 200, ""},
		{"Q-04 no body", "POST", "/Users/.search", 400, ""},
		{"H-09 .search", "GET", "/Users/.search", 404, ""},
		{"Q-04 no body", "POST", "/.search", 400, ""},
		{"B-15 bulk", "POST", "/Bulk", 400, ""},
		{"M-01", "GET", "/Me", 501, ""},
		{"M-01", "PATCH", "/Me", 501, ""},
		{"G-05", "GET", "/", 200, ""},
		{"G-05", "GET", "", 200, ""},
		{"slash at the end", "GET", "/Users/", 200, ""},
		{"slashes in the middle", "GET", "//Users", 200, ""},
		{"H-06 no version", "GET", "/scim/Users", 200, ""},
		{"H-06 no version, item", "GET", "/scim/Users/1", 404, ""},
		{"HEAD", "HEAD", "/Users", 200, ""},
	}
	for _, c := range cases {
		t.Run(c.row+" "+c.method+" "+c.path, func(t *testing.T) {
			a := r.do(c.method, c.path, "")
			r.want(a, c.status)
			allow := strings.FieldsFunc(a.Header.Get("Allow"), func(r rune) bool { return r == ',' || r == ' ' })
			slices.Sort(allow)
			if got := strings.Join(allow, " "); got != c.allow {
				t.Errorf("Allow %q, want %q", got, c.allow)
			}
		})
	}
	off := newRig(t, func(o *Options) { o.Config.Patch = false })
	off.want(off.do("PATCH", "/Users/1", "{}"), 501)                                     // H-09
	r.want(r.do("GET", "/scim/v9/Users", ""), 400, scim.InvalidVers)                     // H-06
	r.want(r.do("GET", "/scim/v1.1/Users", "", "Authorization:"), 400, scim.InvalidVers) //
	r.want(r.do("GET", "/scim/v2x/Users", ""), 404)
}

func TestRoutesElsewhere(t *testing.T) {
	for _, c := range []struct{ base, path string }{
		{"", "/Users"}, {"/", "/Users"}, {"/v2", "/v2/Users"}, {"/v2", "/Users"}, {"/scim/tenant/v2/", "/scim/tenant/v2/Users"},
		{"/scim", "/scim/Users"}, {"https://scim.example.org/x/v2", "/x/v2/Users"},
	} {
		r := newRig(t, func(o *Options) { o.Base = c.base })
		r.want(r.raw("GET", c.path, nil), 200) // H-05
		r.want(r.raw("GET", "/wp-login.php", nil, "Authorization:"), map[bool]int{true: 401, false: 404}[c.base == "" || c.base == "/" || c.base == "/v2"])
	}
}

func TestNewRefuses(t *testing.T) {
	good := func() Options {
		r := newRig(t, nil)
		return Options{Base: "/scim/v2", Types: types(t), Provider: r.shelf, Authenticator: authenticator(t), Logger: discard}
	}
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"query":      {func(o *Options) { o.Base = "https://x/scim?a" }, "H-05"},
		"userinfo":   {func(o *Options) { o.Base = "https://u:secret@x/scim" }, "Z-11"},
		"scheme":     {func(o *Options) { o.Base = "ftp://x/scim" }, ""},
		"no slash":   {func(o *Options) { o.Base = "scim/v2" }, ""},
		"wildcard":   {func(o *Options) { o.Base = "/scim/:x" }, ""},
		"no types":   {func(o *Options) { o.Types = nil }, ""},
		"type twice": {func(o *Options) { o.Types = append(o.Types, o.Types[0]) }, ""},
		"no auth":    {func(o *Options) { o.Authenticator = nil }, ""},
	} {
		o := good()
		c.change(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s (%s): %v", name, c.want, err)
		}
	}
}

func TestAccept(t *testing.T) {
	r := newRig(t, nil)
	for accept, status := range map[string]int{
		"":                                    200, // H-02
		"application/scim+json":               200,
		"application/json":                    200,
		"application/scim+json;charset=utf-8": 200,
		"application/json; charset=utf-8, text/plain": 200,
		"*/*":           200,
		"application/*": 200,
		"text/html, application/xml;q=0.9, */*;q=0.1": 200,
		"Application/SCIM+JSON":                       200,
		"garbage;;;":                                  200,
		"text/xml":                                    406, // H-04
		"text/*":                                      406,
		"application/scim+json;q=0, application/json;q=0, */*": 406,
		"application/scim+json;q=0, */*":                       200,
		"*/*;q=0":                                              406,
	} {
		if a := r.do("GET", "/Users", "", "Accept: "+accept); a.StatusCode != status {
			t.Errorf("Accept %q: %d, want %d", accept, a.StatusCode, status)
		}
	}
}

func TestContent(t *testing.T) {
	r := newRig(t, nil)
	cases := []struct {
		row     string
		headers []string
		status  int
	}{
		{"H-01", []string{"Content-Type: application/scim+json"}, 201},
		{"H-03", []string{"Content-Type: application/json"}, 201},
		{"H-03 Okta", []string{"Content-Type: application/scim+json; charset=utf-8"}, 201},
		{"H-03 quoted", []string{`Content-Type: Application/JSON; charset="UTF-8"`}, 201},
		{"H-03 missing", []string{"Content-Type:"}, 201},
		{"H-04 xml", []string{"Content-Type: text/xml"}, 415},
		{"H-04 form", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"H-04 latin", []string{"Content-Type: application/json; charset=iso-8859-1"}, 415},
		{"H-04 two", []string{"Content-Type: application/json", "Content-Type: text/xml"}, 415},
		{"H-04 malformed", []string{"Content-Type: ;;"}, 415},
		{"gzip", []string{"Content-Type: application/json", "Content-Encoding: gzip"}, 415},
		{"identity", []string{"Content-Type: application/json", "Content-Encoding: identity"}, 201},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) { r.want(r.do("POST", "/Users", bjensen, c.headers...), c.status) })
	}
}

func TestBodies(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits = Limits{Body: 2000, Depth: 8, Elements: 100} })
	pad := func(n int) string { return strings.Replace(bjensen, "bjensen", strings.Repeat("x", n), 1) }
	cases := []struct {
		row, body string
		status    int
		kind      string
	}{
		{"H-16 truncated", bjensen[:40], 400, "invalidSyntax"},
		{"H-16 empty", "", 400, "invalidSyntax"},
		{"H-16 two values", bjensen + "{}", 400, "invalidSyntax"},
		{"H-16 an array", "[]", 400, "invalidSyntax"},
		{"H-16 invalid UTF-8", pad(3)[:60] + "\xff" + pad(3)[60:], 400, "invalidSyntax"},
		{"S-38 twice", `{"userName":"a","username":"b"}`, 400, "invalidSyntax"},
		{"H-17 at the limit", pad(2000 - len(bjensen) + len("bjensen")), 201, ""},
		{"H-17 over it", pad(2001 - len(bjensen) + len("bjensen")), 413, ""},
		{"H-17 deep", `{"x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "}", 400, "invalidSyntax"},
		{"H-17 many", `{"x":[` + strings.Repeat("1,", 200) + "1]}", 413, ""},
	}
	for _, c := range cases {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(c.row, chunked), func(t *testing.T) {
				body := io.Reader(strings.NewReader(c.body))
				if chunked {
					body = io.MultiReader(body) // hides the length
				}
				a := r.raw("POST", "/scim/v2/Users", body, "Content-Type: application/json")
				r.want(a, c.status)
				if kind, _ := a.json["scimType"].(string); kind != c.kind {
					t.Errorf("scimType %q", kind)
				}
				if c.row == "H-17 over it" && !strings.Contains(a.body, "2000 bytes") {
					t.Errorf("E-08: %s", a.body)
				}
			})
		}
	}
	if n := len(r.shelf.items); n != 2 {
		t.Errorf("%d resources were made, want 2", n)
	}
}

func TestDeclaredLengthIsNotTrusted(t *testing.T) {
	r := newRig(t, nil)
	h, err := New(Options{Base: "https://scim.example.org/scim/v2", Types: types(t), Provider: r.shelf, Authenticator: authenticator(t), Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest("POST", "/scim/v2/Users", strings.NewReader(bjensen))
	req.Header.Set("Authorization", "Bearer right")
	req.ContentLength = 1 << 50
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if w.Code != 413 || !strings.Contains(w.Body.String(), "2097152 bytes") { // E-08
		t.Errorf("H-17: %d %s", w.Code, w.Body)
	}
}

func TestCredentials(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/Users", "/Users/1", "/Schemas", "/ResourceTypes", "/Me", "/nothing", "/Users/1/2"} {
		for _, c := range []struct {
			header string
			status int
			code   string
		}{
			{"", 401, ""}, {"Basic eDp5", 401, ""}, {"Bearer wrong", 401, "invalid_token"}, {"Bearer old", 401, "invalid_token"},
			{"Bearer", 400, "invalid_request"}, {"Bearer a b", 400, "invalid_request"},
		} {
			a := r.do("GET", path, "", "Authorization:", "Authorization: "+c.header)
			r.want(a, c.status) // E-09, T-02
			_, code, _ := strings.Cut(a.Header.Get("WWW-Authenticate"), `error="`)
			if strings.TrimSuffix(code, `"`) != c.code {
				t.Errorf("T-03 %s with %q: %s", path, c.header, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	a := r.do("POST", "/Users", bjensen, "Authorization: Bearer right") // a second header
	r.want(a, 400)
	if len(r.shelf.items) != 0 {
		t.Error("somebody got in")
	}
	r.want(r.do("DELETE", "/Users", "", "Authorization:"), 401)
	r.want(r.do("GET", "/ServiceProviderConfig", "", "Authorization:"), 200) // D-04
	closed := newRig(t, func(o *Options) { o.ConfigNeedsCredentials, o.OpenSchemas = true, true })
	closed.want(closed.do("GET", "/ServiceProviderConfig", "", "Authorization:"), 401)
	closed.want(closed.do("GET", "/Schemas", "", "Authorization:"), 200)
	closed.want(closed.do("GET", "/Users", "", "Authorization:"), 401)
}

func TestDiscovery(t *testing.T) {
	r := newRig(t, nil)
	a := r.do("GET", "/ServiceProviderConfig", "")
	r.want(a, 200)
	if a.json["Resources"] != nil || fmt.Sprint(a.json["schemas"]) != "["+scim.ConfigSchema+"]" || a.json["filter"].(map[string]any)["maxResults"] != 1000.0 {
		t.Errorf("D-01, D-02: %s", a.body)
	}
	for path, total := range map[string]float64{"/Schemas": 3, "/ResourceTypes": 2} {
		a := r.do("GET", path+"?count=1&startIndex=2&sortBy=x&sortOrder=up&attributes=id", "") // D-07
		r.want(a, 200)
		items := a.json["Resources"].([]any)
		if a.json["totalResults"] != total || len(items) != int(total) {
			t.Errorf("D-05, D-06, D-07: %s", a.body)
		}
		for _, item := range items {
			m := item.(map[string]any)
			location := m["meta"].(map[string]any)["location"].(string)
			one := r.raw("GET", strings.TrimPrefix(location, r.url), nil)
			r.want(one, 200)
			if fmt.Sprint(one.json) != fmt.Sprint(m) || one.Header.Get("Content-Location") != location {
				t.Errorf("D-05, D-06: %s is not the item of the list", location)
			}
		}
	}
	for _, path := range []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/" + scim.UserSchema} {
		r.want(r.do("GET", path+"?filter=id%20pr", ""), 403) // D-07
		r.want(r.do("GET", path+"?Filter=", ""), 403)
	}
	if a := r.do("GET", "/ServiceProviderConfig", "", "Host: localhost:1"); !strings.Contains(a.body, `"http://localhost:1/scim/v2/ServiceProviderConfig"`) {
		t.Errorf("H-14: the document of another base URL: %s", a.body)
	}
	r.want(r.do("GET", "/Schemas/urn:nobody", ""), 404) // D-20
	r.want(r.do("GET", "/ResourceTypes/Nobody", ""), 404)
	r.want(r.do("GET", "/Schemas/"+strings.ReplaceAll(scim.UserSchema, ":", "%3A"), ""), 200)
	r.want(r.do("GET", "/Schemas/"+strings.ToUpper(scim.UserSchema), ""), 200)
}

func TestBaseURL(t *testing.T) {
	local := netip.MustParsePrefix("127.0.0.0/8")
	forged := []string{"X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example"}
	cases := []struct {
		row, base string
		proxies   []netip.Prefix
		headers   []string
		want      string // "" for 421
	}{
		{"H-14 configured", "https://scim.example.org/scim/v2", nil, nil, "https://scim.example.org/scim/v2"},
		{"H-14 configured, Host ignored", "https://scim.example.org/scim/v2/", nil, []string{"Host: evil.example"}, "https://scim.example.org/scim/v2"},
		{"H-14 configured, forwarded ignored", "https://scim.example.org/scim/v2", []netip.Prefix{local}, forged, "https://scim.example.org/scim/v2"},
		{"H-14 loopback name", "/scim/v2", nil, []string{"Host: localhost:9"}, "http://localhost:9/scim/v2"},
		{"H-14 loopback IPv6", "/scim/v2", nil, []string{"Host: [::1]:9"}, "http://[::1]:9/scim/v2"},
		{"H-14 forwarded by a stranger", "/scim/v2", nil, append([]string{"Host: localhost"}, forged...), "http://localhost/scim/v2"},
		{"H-14 another network's proxy", "/scim/v2", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, append([]string{"Host: localhost"}, forged...), "http://localhost/scim/v2"},
		{"H-14 listed proxy", "/scim/v2", []netip.Prefix{local}, []string{"X-Forwarded-Host: scim.example.org", "X-Forwarded-Proto: https"}, "https://scim.example.org/scim/v2"},
		{"H-14 the nearest proxy's word", "/scim/v2", []netip.Prefix{local}, []string{"X-Forwarded-Host: evil.example, scim.example.org"}, "http://scim.example.org/scim/v2"},
		{"H-14 a proxy's nonsense", "/scim/v2", []netip.Prefix{local}, []string{"Host: localhost", "X-Forwarded-Host: a/b"}, "http://localhost/scim/v2"},
		{"rebound name", "/scim/v2", nil, []string{"Host: evil.example"}, ""},
		{"rebound name with loopback in it", "/scim/v2", nil, []string{"Host: 127.0.0.1.evil.example"}, ""},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Base, o.Proxies = c.base, c.proxies })
			a := r.do("POST", "/Users", bjensen, c.headers...)
			if c.want == "" {
				r.want(a, 421)
				return
			}
			r.want(a, 201)
			if got := a.Header.Get("Location"); got != c.want+"/Users/id-1" {
				t.Errorf("Location %q", got)
			}
		})
	}
}

func TestTimeBudget(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Time = 20 * time.Millisecond })
	r.shelf.hook = func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("query: %w", ctx.Err()) }
	a := r.do("GET", "/Users/1", "")
	r.want(a, 504) // H-23
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestClientGoesAway(t *testing.T) {
	r := newRig(t, nil)
	ended := make(chan error, 1)
	started := make(chan struct{})
	r.shelf.hook = func(ctx context.Context) error { close(started); <-ctx.Done(); ended <- ctx.Err(); return ctx.Err() }
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/scim/v2/Users/1", nil)
	req.Header.Set("Authorization", "Bearer right")
	go func() { <-started; cancel() }()
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Fatal("answered all the same")
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the work was not cancelled")
	}
}

func TestPanic(t *testing.T) {
	r := newRig(t, nil)
	r.shelf.hook = func(context.Context) error { panic("emp_no=4711") }
	a := r.do("GET", "/Users/1", "", "X-Request-Id: find-me-123")
	r.want(a, 500) // E-10
	r.shelf.hook = func(context.Context) error {
		var m map[string]int
		//lint:ignore SA5000 the panic is what is tested
		m["x"] = 1
		return nil
	}
	r.want(r.do("GET", "/Users/1", ""), 500)
	log := r.log.String()
	if strings.Contains(a.body+log, "4711") || !strings.Contains(a.body, "find-me-123") || !strings.Contains(log, "find-me-123") ||
		!strings.Contains(log, "rig_test.go") || !strings.Contains(log, "assignment to entry in nil map") {
		t.Errorf("body %s\nlog %s", a.body, log)
	}
	r.shelf.hook = nil
	r.want(r.do("GET", "/Users", ""), 200)
}
