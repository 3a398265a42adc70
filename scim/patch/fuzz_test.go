package patch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/corpus"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
	"pgregory.net/rapid"
)

func readKnown(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "idp", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const fullUser = `{"id":"u1","externalId":"e1","userName":"bjensen","active":true,"title":"Boss","displayName":"Babs","nickName":"B","locale":"en",
	"profileUrl":"https://x.org/b","name":{"givenName":"Barbara","familyName":"Jensen","formatted":"Ms. B"},
	"emails":[{"value":"b@work.org","type":"work","primary":true},{"value":"b@home.org","type":"home","display":"Home"}],
	"phoneNumbers":[{"value":"1","type":"work"},{"value":"2","type":"mobile"}],"ims":[{"value":"b","type":"xmpp"}],
	"photos":[{"value":"https://x.org/b.png","type":"photo"}],"addresses":[{"streetAddress":"1 Way","type":"work","country":"US","primary":true}],
	"groups":[{"value":"g1","display":"One","type":"direct"},{"value":"g2"}],"entitlements":[{"value":"e"}],"roles":[{"value":"r","primary":true}],
	"x509Certificates":[{"value":"MAA="}],"meta":{"resourceType":"User","created":"2024-01-01T00:00:00Z"},
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"HR","employeeNumber":"7","manager":{"value":"m1","displayName":"M"}}}`

// FuzzPatch sends anything at all to a user: no panic, the user stays what it
// was, and what comes out is a valid user or an error for the client.
func FuzzPatch(f *testing.F) {
	files, err := filepath.Glob("testdata/idp/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add([]byte(readKnown(f, strings.TrimSuffix(filepath.Base(file), ".json"))))
	}
	for _, s := range []string{"", "{}", `{"Operations":[]}`, `{"Operations":[null]}`, `{"Operations":[{"op":"add","path":"emails[primary eq true].value","value":[[1]]}]}`,
		`{"Operations":[{"op":"remove","path":"name"},{"op":"add","value":{"name":{"":null}}}]}`,
		`{"Operations":[{"op":"replace","path":"emails[not (type eq \"work\")]","value":{"primary":"True"}}]}`,
		`{"Operations":[{"op":"replace","path":"emails.value","value":"x"},{"op":"add","path":"roles.primary","value":true}]}`,
		`{"Operations":[{"op":"replace","path":"groups.value","value":"x"}]}`,
		`{"Operations":[{"op":"add","path":"x509Certificates[value eq \"MAA=\"].display","value":"x"}]}`,
		`{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]}`} {
		f.Add([]byte(s))
	}
	user := builtin(f, "User")
	before := resource(f, user.Layout, fullUser)
	if err := schema.Validate(before); err != nil {
		f.Fatalf("the user to begin with: %v", err)
	}
	for _, s := range corpus.Texts(f, "FuzzPatch") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) { mustKeepItsPromises(t, user, before, body) })
}

// mustKeepItsPromises parses and applies anything at all to the user before.
func mustKeepItsPromises(t testing.TB, user *schema.ResourceType, before *scim.Resource, body []byte) {
	n, err := scim.ReadJSON(body, scim.Limits{})
	if err != nil {
		return
	}
	was := show(before)
	for _, o := range []Options{{}, {Strict: true, Reject: true}, {Create: true}} {
		ops, err := Parse(n, user, o)
		if err != nil {
			mustBeForTheClient(t, err)
			continue
		}
		after, err := Apply(before, ops)
		if show(before) != was {
			t.Fatalf("the user before has changed:\n%s\n%s", was, show(before))
		}
		if _, only := MembersOnly(ops); only && err != nil {
			t.Fatalf("P-64: an operation that need not look has failed: %v", err)
		}
		if err != nil {
			mustBeForTheClient(t, err)
			continue
		}
		if err := schema.Validate(after); err != nil {
			t.Fatalf("not valid: %v\n%s", err, show(after))
		}
		mustHoldItsTypes(t, after)
		mustNotMove(t, before, after, ops)
	}
}

// mustNotMove checks that what no operation touches has not changed.
func mustNotMove(t testing.TB, before, after *scim.Resource, ops []Operation) {
	t.Helper()
	touched := map[*scim.Attribute]bool{}
	for _, a := range Touches(ops) {
		for ; a != nil; a = a.Parent() {
			touched[a] = true
		}
	}
	for _, a := range before.Layout().Attributes() {
		if !touched[a] && a != before.Layout().Schemas && !after.Get(a).Equal(before.Get(a)) {
			t.Fatalf("%s has changed, but no operation touches it: %s", a.Path(), show(after))
		}
	}
}

// TestAnySequence is FuzzPatch with bodies that mean something.
func TestAnySequence(t *testing.T) {
	user := builtin(t, "User")
	before := resource(t, user.Layout, fullUser)
	ext := scim.EnterpriseUserSchema
	paths := []string{"userName", "title", "active", "name", "name.givenName", "emails", "emails.value", "emails.type", "emails.primary",
		`emails[type eq \"work\"]`, `emails[type eq \"work\"].value`, `emails[type eq \"home\"].primary`, `emails[value pr]`, `emails[value pr].type`,
		`emails[not (primary eq true)]`, `emails[type eq \"x\" or primary eq \"True\"].display`, "phoneNumbers", `addresses[country eq \"US\"]`,
		"addresses.country", `roles[primary eq true].value`, "groups", `groups[value eq \"g1\"]`, "id", "meta", "password", "x509Certificates",
		ext, ext + ":department", ext + ":manager", ext + ":manager.value", ext + ":manager.displayName", "manager"}
	values := []string{`null`, `""`, `"x"`, `"work"`, `"True"`, `true`, `7`, `[]`, `{}`, `[{}]`, `["x"]`, `["x","x"]`, `{"value":"x"}`, `[{"value":"x","primary":true}]`,
		`{"value":"b@home.org","type":"home"}`, `[{"value":"b@home.org","type":"home"},{"value":"B@home.org","type":"HOME","primary":"true"}]`,
		`{"type":"work"}`, `{"primary":true}`, `{"givenName":null,"familyName":"F"}`, `{"department":"","manager":{"value":"m2"}}`, `{"country":"DE"}`,
		`{"userName":"n","emails":[{"value":"z"}],"name.givenName":"G","id":"u1"}`, `"MAA="`, `[{"value":"g1"},{"value":"g2"}]`}
	rapid.Check(t, func(rt *rapid.T) {
		var ops []string
		for range rapid.IntRange(1, 6).Draw(rt, "n") {
			op := `{"op":"` + rapid.SampledFrom(opNames[:]).Draw(rt, "op") + `"`
			if rapid.IntRange(0, 9).Draw(rt, "with path") > 0 {
				op += `,"path":"` + rapid.SampledFrom(paths).Draw(rt, "path") + `"`
			}
			if rapid.IntRange(0, 9).Draw(rt, "with value") > 0 {
				op += `,"value":` + rapid.SampledFrom(values).Draw(rt, "value")
			}
			ops = append(ops, op+"}")
		}
		rt.Log(patchBody(ops...))
		mustKeepItsPromises(t, user, before, []byte(patchBody(ops...)))
	})
}

func mustBeForTheClient(t testing.TB, err error) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) || (e.Status != 400 && e.Status != 413) || e.Detail == "" {
		t.Fatalf("no error for a client: %#v", err)
	}
}

// mustHoldItsTypes checks that every value has the kind that its attribute's type
// demands, and that readOnly attributes are as they were.
func mustHoldItsTypes(t testing.TB, r *scim.Resource) {
	t.Helper()
	for _, a := range r.Layout().Attributes() {
		if a != r.Layout().Schemas {
			mustHaveType(t, a, r.Get(a))
		}
	}
	groups := r.Get(r.Layout().Find("groups"))
	if r.ID() != "u1" || len(groups.Elems()) != 2 {
		t.Fatalf("P-30: %s", show(r))
	}
}

func mustHaveType(t testing.TB, a *scim.Attribute, v scim.Value) {
	t.Helper()
	if !v.Present() {
		return
	}
	if a.MultiValued {
		if v.Kind() != scim.KindList || len(v.Elems()) == 0 {
			t.Fatalf("%s is no list but of kind %d", a.Path(), v.Kind())
		}
		for _, e := range v.Elems() {
			mustBeOne(t, a, e)
		}
		return
	}
	mustBeOne(t, a, v)
}

func mustBeOne(t testing.TB, a *scim.Attribute, v scim.Value) {
	t.Helper()
	want := scim.KindString
	switch a.Type {
	case scim.TypeBoolean:
		want = scim.KindBool
	case scim.TypeComplex:
		want = scim.KindComplex
		if !v.Compact().Present() {
			t.Fatalf("%s is an empty object", a.Path())
		}
		for _, sub := range a.Sub {
			mustHaveType(t, sub, v.Get(sub))
		}
	}
	if v.Kind() != want {
		t.Fatalf("%s has kind %d, want %d", a.Path(), v.Kind(), want)
	}
}
