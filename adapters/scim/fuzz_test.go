package scim

import (
	"encoding/json"
	"testing"

	"github.com/postern/postern/adapters/steps"
)

// FuzzPlace: a path that is understood puts a value where it then finds it, whatever
// the resource holds, and takes it away again.
func FuzzPlace(f *testing.F) {
	for _, path := range []string{"userName", "name.givenName", `emails[type eq "work"].value`, `emails[type eq "work" and primary eq true]`, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "members", `a[`, `x[y eq 1]`, "meta.created"} {
		f.Add(path, `{}`, false)
		f.Add(path, `{"EMAILS":[{"type":"Work","value":"x"},{"primary":true}],"name":"text","members":[{"value":"1"},7,null]}`, true)
	}
	f.Fuzz(func(t *testing.T, path, doc string, multi bool) {
		p, err := parse(path, multi)
		if err != nil {
			return
		}
		v, err := steps.ReadJSON([]byte(doc))
		o, ok := v.(object)
		if err != nil || !ok {
			return
		}
		p.read(o)
		_ = p.path()
		if multi {
			p.write(o, []any{"a", "b"})
		} else {
			p.write(o, "a value")
			if got := p.read(o); got != "a value" && unambiguous(p) {
				t.Fatalf("%q: %v was read of %v", path, got, o)
			}
		}
		p.write(o, nil)
		if _, err := json.Marshal(o); err != nil {
			t.Fatal(err)
		}
	})
}

// unambiguous reports a place that no element of a list can be in the way of.
func unambiguous(p place) bool { return p.where == nil && p.urn == "" && p.attr != "" }

// FuzzDiscovery: whatever a server says of itself breaks nothing.
func FuzzDiscovery(f *testing.F) {
	for _, doc := range []string{`{"patch":{"supported":true}}`, `{"Resources":[{"patch":{}}]}`, `[{"name":"userName","type":"string","subAttributes":[{"name":7}]}]`, `{"PATCH":null,"filter":{"maxResults":"x"}}`} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		v, err := steps.ReadJSON([]byte(doc))
		if err != nil {
			return
		}
		o, _ := v.(object)
		if found := configOf(o); found != nil && field(found, "patch") == nil {
			t.Fatalf("%s is taken for a configuration", doc)
		}
		s := &service{exact: map[string]bool{}, texts: map[string]bool{}}
		s.learn(v, "")
		s.incoming(o)
		s.v11 = true
		s.incoming(o)
	})
}
