package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// manyTenants makes of the quickstart a configuration of two tenants, each with a
// database of its own.
func manyTenants(yaml string) string {
	const clients = `clients:
  quickstart: {token: quickstart}        # a token in clear text is for trials only
`
	yaml = strings.Replace(yaml, clients, `tenants:
  acme:
    clients: {entra: {token: acme-token}, okta: {token: acme-okta}}
    params: {database: acme}
  globex:
    clients: {entra: {token: globex-token}}
    params: {database: globex}
    limits: {pageMax: 7, page: 5}
`, 1)
	return strings.Replace(yaml, "sqlite:state/legacy.db", "sqlite:state/${param:database}.db", 1)
}

func tenantBase(base string) func(string) string {
	return func(yaml string) string {
		return strings.Replace(yaml, "gateway:\n", "gateway:\n  base: "+base+"\n", 1)
	}
}

// A customer sends requests with a token of its own.
type customer struct {
	r     *rig
	token string
}

func (r *rig) with(token string) customer { return customer{r, token} }

func (c customer) do(method, path, body string, headers ...string) *answer {
	c.r.t.Helper()
	return c.r.as(c.token).do(method, path, body, headers...)
}

func aUser(name string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","name":{"givenName":"A","familyName":"B"}}`
}

// TestTenantByCredential: Y-01, Y-02, Y-05, Y-08, S-31, GW-08: the token says which
// tenant it is; the same person has another id in each, the same userName may be
// in both, and limits differ.
func TestTenantByCredential(t *testing.T) {
	r := start(t, manyTenants)
	acme, globex := r.with("acme-token"), r.with("globex-token")
	one := acme.do("POST", "/Users", aUser("one.of.both")).want(201)
	two := globex.do("POST", "/Users", aUser("one.of.both")).want(201)
	if one.at("id") == two.at("id") {
		t.Error("Y-04, Y-05: one id in two tenants")
	}
	acme.do("POST", "/Users", aUser("one.of.both")).want(409)
	acme.do("GET", "/Users/"+two.at("id").(string), "").want(404)
	globex.do("GET", "/Users/"+one.at("id").(string), "").want(404)
	ada := `?filter=userName eq "ada.lovelace"`
	mine, theirs := acme.do("GET", "/Users"+ada, "").want(200), globex.do("GET", "/Users"+ada, "").want(200)
	okta := r.with("acme-okta").do("GET", "/Users"+ada, "").want(200)
	ids := map[any]bool{mine.at("Resources.0.id"): true, theirs.at("Resources.0.id"): true, okta.at("Resources.0.id"): true}
	if len(ids) != 3 || ids[nil] {
		t.Errorf("GW-08, Y-05: the same person under %v", ids)
	}
	acme.do("GET", "/ServiceProviderConfig", "").want(200).is("filter.maxResults", "1000")
	globex.do("GET", "/ServiceProviderConfig", "").want(200).is("filter.maxResults", "7")
	globex.do("GET", "/Users", "").want(200).is("itemsPerPage", "5")
	r.with("").do("GET", "/ServiceProviderConfig", "").want(401)
	if log := r.log.take(); !strings.Contains(log, "tenant=acme") || !strings.Contains(log, "tenant=globex") {
		t.Error("Y-07: the log does not say which tenant it is")
	}
}

// TestTenantByPath: Y-02, Y-03, H-05: the base URL holds the tenant's name, and
// must agree with the token. A tenant that is not there, one that is another's and a
// wrong token look alike.
func TestTenantByPath(t *testing.T) {
	r := start(t, manyTenants, tenantBase("https://scim.example.com/scim/{tenant}/v2"))
	r.base = strings.TrimSuffix(r.base, "/scim/v2")
	got := r.with("acme-token").do("GET", "/scim/acme/v2/Users?count=1", "").want(200)
	if at := fmt.Sprint(got.at("Resources.0.meta.location")); !strings.HasPrefix(at, "https://scim.example.com/scim/acme/v2/Users/") {
		t.Errorf("H-05: location %s", at)
	}
	r.with("acme-token").do("GET", "/scim/acme/Users?count=1", "").want(200)
	wrong := r.with("no-token").do("GET", "/scim/acme/v2/Users", "").want(401)
	for _, c := range [][2]string{
		{"acme-token", "/scim/globex/v2/Users"}, {"globex-token", "/scim/acme/v2/Users"}, {"acme-token", "/scim/nobody/v2/Users"},
		{"acme-token", "/scim/-/v2/Users"}, {"acme-token", "/scim/ACME/v2/Users"}, {"acme-token", "/scim/%61cme/v2/Users"}, {"no-token", "/scim/nobody/v2/Users"},
		{"acme-token", "/scim/globex/v2/ServiceProviderConfig"}, {"acme-token", "/scim/globex/v2/nothing"},
		{"acme-token", "/scim/globex"}, {"acme-token", "/scim/globex/v2/Users/%2e%2e%2f%2e%2e%2facme"}, {"acme-token", "/scim/v2/Users"},
	} {
		got := r.with(c[0]).do("GET", c[1], "")
		if same(wrong, got) != "" {
			t.Errorf("Y-03: %s with %s: %s", c[1], c[0], same(wrong, got))
		}
	}
	r.with("acme-token").do("GET", "/elsewhere", "").want(404)
}

// same tells by what two refusals differ.
func same(a, b *answer) string {
	strip := func(h http.Header) string {
		h = h.Clone()
		h.Del("X-Request-Id")
		h.Del("Date")
		return fmt.Sprint(h)
	}
	switch {
	case a.status != b.status || a.body != b.body:
		return fmt.Sprintf("%d %s and %d %s", a.status, a.body, b.status, b.body)
	case strip(a.header) != strip(b.header):
		return strip(a.header) + " and " + strip(b.header)
	}
	return ""
}

// TestTenantByHost: Y-02, Y-03: the same by the name of the host.
func TestTenantByHost(t *testing.T) {
	r := start(t, manyTenants, tenantBase("https://{tenant}.scim.example.com/scim/v2"))
	at := func(token, host string) *answer {
		t.Helper()
		req, _ := http.NewRequest("GET", r.base+"/Users?count=1", nil)
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.answered(res, host)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	got := at("acme-token", "acme.scim.example.com").want(200)
	if l := fmt.Sprint(got.at("Resources.0.meta.location")); !strings.HasPrefix(l, "https://acme.scim.example.com/scim/v2/Users/") {
		t.Errorf("location %s", l)
	}
	at("acme-token", "ACME.scim.example.com:443").want(200)
	wrong := at("no-token", "acme.scim.example.com").want(401)
	for _, host := range []string{"globex.scim.example.com", "nobody.scim.example.com", "scim.example.com", "acme.example.com", "127.0.0.1", "acme", "acme.scim.example.com.evil.example", "-.scim.example.com"} {
		if s := same(wrong, at("acme-token", host)); s != "" {
			t.Errorf("Y-03: at %s: %s", host, s)
		}
	}
}
