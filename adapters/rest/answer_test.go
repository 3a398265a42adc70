package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
)

// saying answers every call so, but for those that read one user.
func saying(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			reply(w, 200, user(1))
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// TestDataCalledHTML: scripts that do not say what they answer call everything HTML.
func TestDataCalledHTML(t *testing.T) {
	for body, want := range map[string]string{
		`{"id": 1, "name": "ada"}`:                "ada",
		"\ufeff\n {\"id\": 1, \"name\": \"ada\"}": "ada",
		"<br />Notice: {\"id\": 1}":               "",
		"ok":                                      "",
	} {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			_, _ = w.Write([]byte(body))
		}, nil)
		rec, err := a.Get(t.Context(), "1", adapters.AllFields)
		if want == "" {
			wantKind(t, body, err, adapters.Unavailable)
		} else if err != nil || rec.Get("name") != want {
			t.Errorf("%s: %v, %v", body, rec, err)
		}
	}
	a := single(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(404)
		_, _ = w.Write([]byte(`{"error": "no such user"}`))
	}, nil)
	_, err := a.Get(t.Context(), "1", adapters.AllFields)
	wantKind(t, "404 with data", err, adapters.NotFound)
}

// TestXMLCalledHTML: so do those that answer XML, which looks like a page.
func TestXMLCalledHTML(t *testing.T) {
	body := `<?xml version="1.0"?><user><id>1</id><name>ada</name></user>`
	a := single(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(body))
	}, func(c *rest.Config, target *rest.Target) {
		c.Format = "xml"
		target.Get = step("get", "/users/{key}", record("body.user"))
	})
	if rec, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil || rec.Get("name") != "ada" {
		t.Errorf("%v, %v", rec, err)
	}
	body = `<?xml version="1.0"?><!DOCTYPE html><html><user><id>1</id></user></html>`
	_, err := a.Get(t.Context(), "1", adapters.AllFields)
	wantKind(t, "a page", err, adapters.Unavailable)
}

// TestPageIsNoSuccess: a page in place of data, as of a log-in, does not say that a
// change was made, nor does what is no answer of JSON-RPC or SOAP.
func TestPageIsNoSuccess(t *testing.T) {
	const html = "<!DOCTYPE html><html><form action=login></form></html>"
	for _, c := range []struct {
		format, contentType, body string
		want                      adapters.Kind // Internal: success
	}{
		{"json", "text/html", html, adapters.Unavailable},
		{"json", "text/html", "", adapters.Internal},
		{"json", "text/html", "deleted", adapters.Internal},
		{"json", "application/json", "", adapters.Internal},
		{"form", "text/html", html, adapters.Internal},
		{"rpc", "text/html", html, adapters.Unavailable},
		{"rpc", "application/json", "", adapters.Unavailable},
		{"rpc", "application/json", `{"jsonrpc": "2.0", "id": 1, "res`, adapters.Unavailable},
		{"rpc", "application/json", `{"jsonrpc": "2.0", "id": 1, "result": null}`, adapters.Internal},
		{"soap", "text/html", html, adapters.Unavailable},
		{"soap", "text/xml", "<Envelope><Body>", adapters.Unavailable},
		{"soap", "text/xml", "<Envelope><Body/></Envelope>", adapters.Internal},
	} {
		a := single(t, saying(c.contentType, c.body), func(cfg *rest.Config, target *rest.Target) {
			verb, path := c.format, "Drop"
			if !strings.Contains("rpc soap", c.format) {
				verb, path, cfg.Format = "delete", "/users/{key}", c.format
			}
			target.Delete = step(verb, path)
		})
		err := a.Delete(t.Context(), "1")
		e, failed := err.(*adapters.Error)
		if c.want == adapters.Internal && err != nil || c.want != adapters.Internal && (!failed || e.Kind != c.want || !e.Unsure) {
			t.Errorf("%s, %s, %q: %v", c.format, c.contentType, c.body, err)
		}
	}
}

// TestCharsets: answers of older systems are not in UTF-8, and say so.
func TestCharsets(t *testing.T) {
	for _, c := range []struct{ format, contentType, body string }{
		{"json", "application/json; charset=ISO-8859-1", "{\"id\": 1, \"name\": \"Zo\xeb\"}"},
		{"json", `application/json; charset="utf-8"`, "{\"id\": 1, \"name\": \"Zo\u00eb\"}"},
		{"xml", "text/xml", "<?xml version='1.0' encoding='windows-1252'?><u><id>1</id><name>Zo\xeb</name></u>"},
		{"xml", "text/xml", "<?xml version='1.0' encoding='ISO-8859-15'?><u><id>1</id><name>Zo\xeb</name></u>"},
		{"xml", "text/xml; charset=windows-1252", "<?xml version='1.0'?><u><id>1</id><name>Zo\xeb</name></u>"},
		{"xml", "text/xml; charset=utf-8", "<?xml version='1.0' encoding='utf-8'?><u><id>1</id><name>Zo\u00eb</name></u>"},
		{"xml", "text/xml; charset=windows-1252", "<?xml version='1.0' encoding='windows-1252'?><u><id>1</id><name>Zo\xeb</name></u>"},
	} {
		a := single(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			_, _ = w.Write([]byte(c.body))
		}, func(cfg *rest.Config, target *rest.Target) {
			cfg.Format = c.format
			target.Get = step("get", "/users/{key}", record("body.u ?? body"))
		})
		if rec, err := a.Get(t.Context(), "1", adapters.AllFields); err != nil || rec.Get("name") != "Zoë" {
			t.Errorf("%s, %q: %v, %v", c.contentType, c.body, rec.Get("name"), err)
		}
	}
}
