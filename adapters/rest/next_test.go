package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// TestNextIsRelative: a link to the next page is relative to the page that has it, also
// to where a redirect led.
func TestNextIsRelative(t *testing.T) {
	for _, c := range []struct{ name, first, link string }{
		{"a query", "/api/v1/users", "?page=2"},
		{"a name", "/api/v1/users", "users?page=2"},
		{"behind a redirect", "/api/old", "users?page=2"},
		{"a path", "/api/v1/users", "/api/v1/users?page=2"},
		{"whole, and its host in capitals", "/api/v1/users", "HTTP://HOST/api/v1/users?page=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := single(t, func(w http.ResponseWriter, r *http.Request) {
				link := strings.Replace(c.link, "HOST", strings.ToUpper(r.Host), 1)
				switch r.URL.RequestURI() {
				case "/api/old":
					http.Redirect(w, r, "/api/v1/users", http.StatusFound)
				case "/api/v1/users":
					reply(w, 200, map[string]any{"users": users(1, 10), "next": link})
				case "/api/v1/users?page=2":
					reply(w, 200, map[string]any{"users": users(11, 2)})
				default:
					w.WriteHeader(404)
				}
			}, func(cfg *rest.Config, target *rest.Target) {
				cfg.URL = strings.Replace(cfg.URL, "127.0.0.1", "localhost", 1) + "/api"
				target.List = step("get", strings.TrimPrefix(c.first, "/api"), records("body.users"), next("body.next"))
			})
			page, err := a.List(t.Context(), adapters.Query{Limit: 100, Total: true})
			if err != nil || len(page.Records) != 12 || page.Total != 12 {
				t.Errorf("%d records, %v", len(page.Records), err)
			}
		})
	}
}
