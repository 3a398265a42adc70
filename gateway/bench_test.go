package gateway

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// A sink is a ResponseWriter that keeps nothing.
type sink struct{ h http.Header }

func (s sink) Header() http.Header         { return s.h }
func (s sink) Write(p []byte) (int, error) { return len(p), nil }
func (s sink) WriteHeader(int)             {}

// BenchmarkDoor is what the door itself costs per request, without a log.
func BenchmarkDoor(b *testing.B) {
	s := &shelf{}
	l := types(b)
	h, err := New(Options{Base: "https://scim.example.org/scim/v2", Types: l, Provider: s, Authenticator: authenticator(b), Logger: discard})
	if err != nil {
		b.Fatal(err)
	}
	for range 100 {
		r := scim.NewResource(l[0].Layout)
		r.Set(l[0].Layout.Find("userName"), scim.Str("bjensen"))
		r.Set(l[0].Layout.Find("displayName"), scim.Str("Barbara Jensen"))
		s.items = append(s.items, s.stamp(provision.Call{Type: l[0]}, r, "2819c223-7f76-453a-919d-413861904646"))
	}
	for _, c := range []struct{ name, path, query string }{
		{"get", "/scim/v2/Users/2819c223-7f76-453a-919d-413861904646", ""},
		{"filter", "/scim/v2/Users", "filter=userName%20eq%20%22bjensen%22&count=1"},
		{"page", "/scim/v2/Users", "count=100"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := &http.Request{Method: "GET", URL: &url.URL{Path: c.path, RawQuery: c.query}, RemoteAddr: "127.0.0.1:1",
					Header: http.Header{"Authorization": {"Bearer right"}, "Accept": {"application/scim+json"}}}
				h.ServeHTTP(sink{make(http.Header)}, req)
			}
		})
	}
}
