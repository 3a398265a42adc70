package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTenantInSteps: Y-08: parameters are known in the steps of a backend, in a log-in
// and in settings, and each tenant's are its own.
func TestTenantInSteps(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // REGION, COMPANY, what
		switch {
		case len(parts) != 3 || parts[0] != "eu":
			w.WriteHeader(404)
		case parts[2] == "login":
			var in map[string]string
			_ = json.NewDecoder(r.Body).Decode(&in)
			fmt.Fprintf(w, `{"token": %q}`, in["who"])
		case r.Header.Get("X-Session") != "session of "+parts[1] || r.Header.Get("X-Tenant") != parts[1]:
			w.WriteHeader(401)
		default:
			fmt.Fprintf(w, `{"people": [{"id": 1, "login": "ada", "shown": "Ada"}]}`)
		}
	}))
	defer app.Close()
	const rules = `
gateway: {listen: 127.0.0.1:8080}
identities: sqlite:postern.db
params: {region: eu}
tenants:
  acme: {clients: {entra: {token: acme-token}}, params: {company: acme}}
  globex: {clients: {entra: {token: globex-token}}, params: {company: globex}}
backends:
  api:
    type: rest
    url: "URL/${param:region}"
    login:
      steps: [{post: "/{params.company}/login", send: '{who: "session of " + params.company}', let: {token: body.token}}]
      headers: {X-Session: session.token}
resources:
  User:
    target:
      backend: api
      key: id
      read: {shown: 'item.shown + " of " + params.company'}
      list: {get: "/{params.company}/people", headers: {X-Tenant: tenant}, records: body.people}
    attributes: {userName: login, displayName: shown}
`
	r := stage(t, strings.Replace(rules, "URL", app.URL, 1), "")
	r.serve()
	for _, name := range []string{"acme", "globex"} {
		r.with(name+"-token").do("GET", "/Users", "").want(200).is("totalResults", "1").is("Resources.0.displayName", "Ada of "+name)
	}
	wrong := stage(t, strings.NewReplacer("URL", app.URL, "params.company}/people", "params.compny}/people").Replace(rules), "")
	if out := wrong.ends(1, "check"); !strings.Contains(out, `"compny" is missing`) {
		t.Error(out)
	}
}

// TestTenantInStepsOfTheOnlyBackend: Y-08: a target need not say its backend where there
// is one. Its steps are each tenant's own all the same.
func TestTenantInStepsOfTheOnlyBackend(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"people": [{"id": 1, "login": "ada", "shown": %q}]}`, r.URL.Path)
	}))
	defer app.Close()
	for _, backend := range []string{"", "      backend: api\n"} {
		r := stage(t, `
gateway: {listen: 127.0.0.1:8080}
identities: sqlite:postern.db
tenants:
  acme: {clients: {entra: {token: acme-token}}, params: {company: acme}}
  globex: {clients: {entra: {token: globex-token}}, params: {company: globex}}
backends:
  api: {type: rest, url: "`+app.URL+`"}
resources:
  User:
    target:
`+backend+`      key: id
      list: {get: "/{params.company}", records: body.people}
    attributes: {userName: login, displayName: shown}
`, "")
		r.serve()
		for _, name := range []string{"acme", "globex"} {
			r.with(name+"-token").do("GET", "/Users", "").want(200).is("Resources.0.displayName", "/"+name)
		}
	}
}
