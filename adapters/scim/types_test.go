package scim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/scim"
	"github.com/postern/postern/adapters/steps"
)

func thing(endpoint, schema string, extensions ...any) object {
	return object{"name": "Thing", "schema": schema, "endpoint": endpoint, "schemaExtensions": extensions}
}

// openAt opens a target at an endpoint.
func openAt(t *testing.T, s *server, w scim.Target) (*scim.Backend, adapters.Adapter, string) {
	t.Helper()
	base := s.start(t)
	b, err := scim.Open(scim.Config{URL: base, Send: sender(t)})
	if err != nil {
		t.Fatal(err)
	}
	w.Schema = "urn:example:Thing"
	a, problems := b.New(w)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return b, a, base
}

// TestAnnouncedEndpoint: resources are where the server says, unless the
// configuration says where they are; a server is not believed more than its own URL.
func TestAnnouncedEndpoint(t *testing.T) {
	other := object{"name": "Other", "schema": "urn:example:Other", "endpoint": "/Others"}
	for name, c := range map[string]struct {
		types    []any
		down     int
		endpoint string
		said     bool
		path     string
	}{
		"it says nothing":             {nil, 0, "/Things", false, "/Things"},
		"it says another":             {[]any{other, thing("/Things", "URN:example:thing")}, 0, "/Wrong", false, "/Things"},
		"without a slash":             {[]any{thing("Things", "urn:example:Thing")}, 0, "/Wrong", false, "/Things"},
		"as a URL of its own":         {[]any{thing("{base}/Things", "urn:example:Thing")}, 0, "/Wrong", false, "/Things"},
		"as a URL of a stranger":      {[]any{thing("http://127.0.0.1:1/Things", "urn:example:Thing")}, 0, "/Things", false, "/Things"},
		"outside":                     {[]any{thing("/../../Wrong", "urn:example:Thing")}, 0, "/Things", false, "/Things"},
		"the configuration says more": {[]any{thing("/Wrong", "urn:example:Thing")}, 0, "/Things", true, "/Things"},
		"two, one where it usually is": {[]any{thing("/Wrong", "urn:example:Thing"), thing("/Things", "urn:example:Thing")}, 0,
			"/Things", false, "/Things"},
		"two, and none there":        {[]any{thing("/A", "urn:example:Thing"), thing("/B", "urn:example:Thing")}, 0, "/Things", false, "/Things"},
		"it does not say so at once": {[]any{thing("/Things", "urn:example:Thing")}, 1, "/Wrong", false, "/Things"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{types: c.types, down: c.down}
			_, a, base := openAt(t, s, scim.Target{Kind: "Thing", Endpoint: c.endpoint, Said: c.said, Fields: []steps.Text{{Value: "userName"}}})
			for _, e := range s.types {
				o := e.(object)
				o["endpoint"] = strings.Replace(o["endpoint"].(string), "{base}", base, 1)
			}
			for range c.down {
				if _, err := a.List(t.Context(), adapters.Query{Limit: 1}); !adapters.Is(err, adapters.Unavailable) {
					t.Errorf("before it says: %v", err)
				}
			}
			r, err := a.Create(t.Context(), adapters.FromMap(a.Capabilities().Shape, "", map[string]any{"userName": "x"}), adapters.AllFields)
			if err != nil {
				t.Fatal(err, s.calls)
			}
			if _, err := a.Get(t.Context(), r.Key, adapters.AllFields); err != nil {
				t.Error(err)
			}
			if page, err := a.List(t.Context(), adapters.Query{Limit: 1}); err != nil || len(page.Records) != 1 {
				t.Error(page, err)
			}
			if err := a.Delete(t.Context(), r.Key); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInspect: what is mapped and the server does not say that it has.
func TestInspect(t *testing.T) {
	const extension = "urn:example:More"
	types := []any{thing("/Things", "urn:example:Thing", object{"schema": extension})}
	for name, c := range map[string]struct {
		types    []any
		endpoint string
		said     bool
		fields   []string
		want     []string
	}{
		"all is there": {types, "/Things", false, []string{"userName", "name.givenName", "meta.created", "externalId", extension + ":colour"}, nil},
		"a misspelt attribute": {types, "/Things", false, []string{"nickname", "username", "nickNam"},
			[]string{"1:1: the server's schema urn:example:Thing has no attribute nickNam (did you mean nickName?)"}},
		"an attribute, a part, a term, an extension": {types, "/Things", false, []string{"title", "name.familyName", `name[type eq "x"].givenName`, "urn:example:Gone:x"}, []string{
			"1:1: the server's schema urn:example:Thing has no attribute title (what is written there may be lost)",
			"1:1: the server's schema urn:example:Thing has no attribute name.familyName (what is written there may be lost)",
			"1:1: the server's schema urn:example:Thing has no attribute name.type (what is written there may be lost)",
			"1:1: the server's Thing has no extension urn:example:Gone"}},
		"no such type": {[]any{object{"name": "Other", "schema": "urn:example:Other", "endpoint": "/Others"}}, "/Things", false, []string{"userName"},
			[]string{"7:7: the server has no resource type with the schema urn:example:Thing (say its endpoint; it has Other at /Others)"}},
		"no such endpoint": {types, "/Wrong", true, []string{"userName"}, []string{"7:7: the server says nothing of an endpoint /Wrong (it has Thing at /Things)"}},
		"it says nothing":  {nil, "/Things", false, []string{"userName"}, nil},
	} {
		w := scim.Target{Kind: "Thing", Endpoint: c.endpoint, Said: c.said, At: steps.Text{Line: 7, Column: 7}}
		for _, f := range c.fields {
			w.Fields = append(w.Fields, steps.Text{Value: f, Line: 1, Column: 1})
		}
		b, _, _ := openAt(t, &server{types: c.types}, w)
		w.Schema = "urn:example:Thing"
		problems, err := b.Inspect(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range problems {
			if got = append(got, p.Error()); !p.Warning {
				t.Errorf("%s: an error", name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
