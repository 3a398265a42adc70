package scim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/guard"
	"github.com/postern/postern/adapters/scim"
	"github.com/postern/postern/adapters/steps"
)

// fields are those of the suite: simple, of a complex attribute, of an element, and members.
var fields = []string{"userName", "nickName", "name.givenName", "age", `emails[type eq "work"].value`, "members"}

// sender sends over connections of its own: a test server that ends closes those of
// http.DefaultTransport, whosever they are.
func sender(t testing.TB) func(*http.Request) (*http.Response, error) {
	own := &http.Transport{}
	t.Cleanup(own.CloseIdleConnections)
	return (&http.Client{Transport: own}).Do
}

func open(t testing.TB, s *server, change ...func(*scim.Config)) adapters.Adapter {
	t.Helper()
	_, a := opened(t, s, change...)
	return a
}

func opened(t testing.TB, s *server, change ...func(*scim.Config)) (*scim.Backend, adapters.Adapter) {
	t.Helper()
	cfg := scim.Config{URL: s.start(t), Send: sender(t)}
	for _, c := range change {
		c(&cfg)
	}
	b, err := scim.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	target := scim.Target{Kind: "Thing", Endpoint: "/Things", Schema: "urn:example:Thing", Multi: []string{"members"}}
	for _, f := range fields {
		target.Fields = append(target.Fields, steps.Text{Value: f, Line: 1})
	}
	a, problems := b.New(target)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return b, a
}

var servers = map[string]func() *server{
	"2.0":                               func() *server { return &server{} },
	"2.0, versions":                     func() *server { return &server{etags: true} },
	"2.0, no PATCH":                     func() *server { return &server{noPatch: true, etags: true} },
	"2.0, filters ignored":              func() *server { return &server{ignores: true} },
	"2.0, filters refused though named": func() *server { return &server{noFilter: true, silent: true} },
	"2.0, small pages, no totals":       func() *server { return &server{page: 7, noTotal: true} },
	"2.0, caseExact, no bodies":         func() *server { return &server{exact: true, bodyless: true} },
	"2.0, one term at a time":           func() *server { return &server{noOr: 400, noWord: "invalidFilter"} },
	"2.0, the first term counts":        func() *server { return &server{orFirst: true} },
	"2.0, few at once":                  func() *server { return &server{full: 3} },
	"2.0, other letters":                func() *server { return &server{shuffled: true} },
	"1.1":                               func() *server { return &server{v11: true} },
	"1.1, no PATCH, no filters":         func() *server { return &server{v11: true, noPatch: true, noFilter: true} },
}

func TestSuite(t *testing.T) {
	for name, make := range servers {
		h := adaptertest.Harness{Brief: true, Fields: adaptertest.Fields{Name: "userName", Nick: "nickName", Note: "name.givenName", Age: "age", Active: `emails[type eq "work"].value`, Members: "members"}}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h
			h.New = func(t testing.TB) adapters.Adapter { return open(t, make()) }
			adaptertest.Run(t, h)
		})
		if name != "2.0" && name != "1.1" {
			continue
		}
		t.Run(name+", guarded", func(t *testing.T) {
			t.Parallel()
			h := h
			h.New = func(t testing.TB) adapters.Adapter {
				return guard.Wrap(open(t, make()), "server", guard.Options{Cache: time.Minute})
			}
			adaptertest.Run(t, h)
		})
	}
}
