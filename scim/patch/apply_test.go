package patch

import (
	"strings"
	"testing"

	"github.com/postern/postern/scim"
)

const someUser = `{"id":"u1","userName":"bjensen","active":true,"title":"Boss","name":{"givenName":"Barbara","familyName":"Jensen"},
	"emails":[{"value":"b@work.org","type":"work","primary":true},{"value":"b@home.org","type":"home"}],
	"groups":[{"value":"g1","display":"One","type":"direct"},{"value":"g2","display":"Two"}],
	"meta":{"resourceType":"User","created":"2024-01-01T00:00:00Z","version":"W/\"1\""},
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"HR"}}`

// Sequences of operations on a user: of want, attributes that are named change,
// null takes away; a word is a scimType.
func TestApply(t *testing.T) {
	user := builtin(t, "User")
	op := func(s ...string) string { return patchBody(s...) }
	urn := scim.EnterpriseUserSchema
	cases := []struct {
		row, body, want string
		o               Options
	}{
		{"P-06 in order", op(`{"op":"add","path":"title","value":"A"}`, `{"op":"remove","path":"title"}`, `{"op":"add","path":"nickName","value":"B"}`),
			`{"title":null,"nickName":"B"}`, Options{}},
		{"P-06 each sees the one before", op(`{"op":"add","path":"phoneNumbers[type eq \"work\"].value","value":"1"}`,
			`{"op":"replace","path":"phoneNumbers[type eq \"work\"].display","value":"one"}`,
			`{"op":"replace","path":"phoneNumbers[display eq \"one\"].value","value":"2"}`),
			`{"phoneNumbers":[{"value":"2","type":"work","display":"one"}]}`, Options{}},
		{"P-07 atomic", op(`{"op":"add","path":"title","value":"A"}`, `{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`),
			"noTarget", Options{}},
		{"P-12 no-op", op(`{"op":"replace","value":{"active":true,"title":"Boss","emails":[{"type":"home","value":"b@home.org"},{"value":"b@work.org","type":"work","primary":true}]}}`),
			`{}`, Options{}},
		{"P-12 another order, another case", op(`{"op":"replace","path":"emails","value":[{"type":"home","value":"B@home.org"},{"value":"b@work.org","type":"work","primary":true}]}`),
			`{"emails":[{"value":"B@home.org","type":"home"},{"value":"b@work.org","type":"work","primary":true}]}`, Options{}},
		{"P-21 schemas", op(`{"op":"remove","path":"schemas eq \"` + urn + `\""}`), "mutability", Options{}},
		{"P-30 id", op(`{"op":"replace","path":"id","value":"other"}`), "mutability", Options{}},
		{"P-30 id unchanged", op(`{"op":"replace","path":"id","value":"u1"}`), "mutability", Options{}},
		{"P-30 meta", op(`{"op":"replace","path":"meta.created","value":"2025-01-01T00:00:00Z"}`), "mutability", Options{}},
		{"P-30 remove meta", op(`{"op":"remove","path":"meta"}`), "mutability", Options{}},
		{"R-11 groups", op(`{"op":"add","path":"groups","value":[{"value":"g9"}]}`), "mutability", Options{}},
		{"R-11 leave a group", op(`{"op":"remove","path":"groups[value eq \"g1\"]"}`), "mutability", Options{}},
		{"P-34 extension", op(`{"op":"remove","path":"`+urn+`:department"}`, `{"op":"add","path":"`+urn+`:employeeNumber","value":"7"}`),
			`{"` + urn + `":{"employeeNumber":"7"}}`, Options{}},
		{"S-26 last attribute of the extension", op(`{"op":"remove","path":"` + urn + `:department"}`), `{"` + urn + `":null}`, Options{}},
		{"P-46 userName", op(`{"op":"remove","path":"userName"}`), "mutability", Options{}},
		{"P-54 userName null", op(`{"op":"replace","path":"userName","value":null}`), "invalidValue", Options{}},
		{"P-55 userName empty", op(`{"op":"replace","path":"userName","value":""}`), "invalidValue", Options{}},
		{"P-55 in an element", op(`{"op":"replace","path":"emails","value":[{"value":"","type":"work"},{"value":"b@home.org","type":"home"}]}`),
			`{"emails":[{"value":"b@home.org","type":"home"}]}`, Options{}},
		{"J3 create on replace", op(`{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`),
			`{"emails":[{"value":"b@work.org","type":"work","primary":true},{"value":"b@home.org","type":"home"},{"value":"x","type":"other"}]}`, Options{Create: true}},
		{"J3 create whole on replace", op(`{"op":"replace","path":"emails[type eq \"other\"]","value":{"value":"x"}}`),
			`{"emails":[{"value":"b@work.org","type":"work","primary":true},{"value":"b@home.org","type":"home"},{"value":"x","type":"other"}]}`, Options{Create: true}},
		{"P-57 groups unchanged", op(`{"op":"replace","value":{"id":"u1","groups":[{"value":"g2"},{"value":"g1"}],"title":"x"}}`), `{"title":"x"}`, Options{}},
		{"P-57 groups changed", op(`{"op":"replace","value":{"groups":[{"value":"g2"}]}}`), "mutability", Options{}},
		{"P-57 groups emptied", op(`{"op":"replace","value":{"groups":[]}}`), "mutability", Options{}},
		{"P-57 groups other display", op(`{"op":"replace","value":{"groups":[{"value":"g2"},{"value":"g1","display":"Eins"}]}}`), "mutability", Options{}},
		{"P-57 groups added that are there", op(`{"op":"add","value":{"groups":[{"value":"g2"}]}}`), `{}`, Options{}},
		{"S-34 meta and schemas", op(`{"op":"replace","value":{"schemas":["urn:x"],"meta":{"created":"1999-01-01T00:00:00Z"},"title":"x"}}`), `{"title":"x"}`, Options{}},
		{"P-62 password", op(`{"op":"replace","path":"password","value":"s3cret"}`), `{"password":"s3cret"}`, Options{}},
		{"P-62 password removed", op(`{"op":"remove","path":"password"}`), "mutability", Options{}},
		{"P-33 by type", op(`{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`),
			`{"emails":[{"value":"b@work.org","type":"work","primary":false},{"value":"b@home.org","type":"home","primary":true}]}`, Options{}},
		{"P-33 added", op(`{"op":"add","path":"emails","value":[{"value":"n@x","primary":true}]}`),
			`{"emails":[{"value":"b@work.org","type":"work","primary":false},{"value":"b@home.org","type":"home"},{"value":"n@x","primary":true}]}`, Options{}},
		{"S-19 becomes the same", op(`{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"B@WORK.org","type":"work","display":"x"}}`),
			`{"emails":[{"value":"B@WORK.org","type":"work","display":"x","primary":true}]}`, Options{}},
		{"S-20 canonical type", op(`{"op":"add","path":"emails[type eq \"OTHER\"].value","value":"x"}`),
			`{"emails":[{"value":"b@work.org","type":"work","primary":true},{"value":"b@home.org","type":"home"},{"value":"x","type":"other"}]}`, Options{}},
		{"S-38 dotted beside nested", op(`{"op":"replace","value":{"name":{"givenName":"A"},"name.familyName":"B"}}`), `{"name":{"givenName":"A","familyName":"B"}}`, Options{}},
		{"P-56 dotted within the container", op(`{"op":"replace","value":{"` + urn + `":{"manager.value":"m1","nope":1}}}`), `{"` + urn + `":{"department":"HR","manager":{"value":"m1"}}}`, Options{}},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			before := resource(t, user.Layout, someUser)
			after, err := apply(t, user, before, c.body, c.o)
			checkResult(t, before, after, err, c.want)
		})
	}
}

func checkResult(t *testing.T, before, after *scim.Resource, err error, want string) {
	t.Helper()
	if !strings.HasPrefix(want, "{") {
		if err == nil || keyword(err) != want {
			t.Fatalf("got %v, want %s", err, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	expected := before.Clone()
	for _, m := range readJSON(t, want).Members {
		a := before.Layout().Find(m.Name)
		expected.Set(a, valueOf(t, a, m.Value).Compact())
	}
	if !after.Equal(expected) {
		t.Errorf("got  %s\nwant %s", show(after), show(expected))
	}
}

// The error names the operation that fails, also when it fails late (P-07).
func TestErrorsNameTheOperation(t *testing.T) {
	user := builtin(t, "User")
	ok := `{"op":"add","path":"title","value":"A"}`
	for _, c := range []struct{ row, body string }{
		{"P-30 at run time", patchBody(ok, ok, `{"op":"replace","path":"id","value":"x"}`)},
		{"P-53 at run time", patchBody(ok, ok, `{"op":"replace","path":"emails[type eq \"x\"].value","value":"x"}`)},
		{"P-04 when read", patchBody(ok, ok, `{"op":"nope"}`, ok)},
	} {
		_, err := apply(t, user, resource(t, user.Layout, someUser), c.body, Options{})
		if err == nil || !strings.Contains(err.Error(), "Operations[2]: ") {
			t.Errorf("%s: %v", c.row, err)
		}
	}
}

// What several operations fill together is judged at the end (S-27, P-46).
func TestComplete(t *testing.T) {
	required := func(a *scim.Attribute) { a.Required = true }
	cases := []struct{ row, attr, before, body, want string }{
		{"S-27 new extension without what it requires", "es", `{}`, patchBody(`{"op":"add","path":"` + extSchema + `:ec.a","value":"x"}`), "invalidValue"},
		{"S-27 filled by two operations", "es", `{}`, patchBody(`{"op":"add","path":"`+extSchema+`:ec.a","value":"x"}`,
			`{"op":"add","path":"`+extSchema+`:es","value":"y"}`), `{"` + extSchema + `":{"es":"y","ec":{"a":"x"}}}`},
		{"new element without what it requires", "m.value", `{}`, patchBody(`{"op":"add","path":"m[type eq \"work\"].display","value":"x"}`), "invalidValue"},
		{"element filled by two operations", "m.value", `{}`, patchBody(`{"op":"add","path":"m[type eq \"work\"].display","value":"x"}`,
			`{"op":"add","path":"m[type eq \"work\"].value","value":"y"}`), `{"m":[{"type":"work","display":"x","value":"y"}]}`},
		{"required complex emptied by parts", "c", `{"c":{"a":"1"}}`, patchBody(`{"op":"remove","path":"c.a"}`), "mutability"},
		{"the backend's fault elsewhere", "s", `{}`, patchBody(`{"op":"add","path":"c.a","value":"x"}`), `{"c":{"a":"x"}}`},
		{"the backend's fault in the same list", "m.value", `{"m":[{"display":"bad"}]}`, patchBody(`{"op":"add","path":"m","value":[{"value":"x"}]}`),
			`{"m":[{"display":"bad"},{"value":"x"}]}`},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			rt := thing(t, c.attr, required)
			before := resource(t, rt.Layout, c.before)
			after, err := apply(t, rt, before, c.body, Options{})
			checkResult(t, before, after, err, c.want)
		})
	}
}

// An element of a server's own keeps what the server says of it, when a client
// sends the element again without that.
func TestServerPartsStay(t *testing.T) {
	rt := thing(t, "m.display", func(a *scim.Attribute) { a.Mutability = scim.ReadOnly })
	before := resource(t, rt.Layout, `{"m":[{"value":"a","type":"work","display":"A"},{"value":"b","display":"B"}]}`)
	for _, body := range []string{
		patchBody(`{"op":"replace","path":"m","value":[{"value":"a","type":"work"},{"value":"c"}]}`),
		patchBody(`{"op":"replace","path":"m[value eq \"b\"]","value":{"value":"c"}}`),
	} {
		after, err := apply(t, rt, before, body, Options{})
		checkResult(t, before, after, err, `{"m":[{"value":"a","type":"work","display":"A"},{"value":"c"}]}`)
	}
}

// J1: no remove with a value may take more than what the value names, whatever
// the value is.
func TestRemoveNeverWipes(t *testing.T) {
	group := builtin(t, "Group")
	before := resource(t, group.Layout, `{"id":"g","displayName":"G","members":[{"value":"u1"},{"value":"u2"}]}`)
	members := group.Layout.Find("members")
	for _, value := range []string{`[]`, `{}`, `[{}]`, `[null]`, `""`, `[""]`, `[{"value":null}]`, `[{"value":""}]`, `[{"display":"x"}]`,
		`[{"$ref":"../Users/u1"}]`, `true`, `7`, `[[]]`, `[[{"value":"u1"}]]`, `[{"value":"nobody"}]`, `{"value":"nobody"}`, `"nobody"`, `[{"Value":"nobody"}]`} {
		for _, strict := range []bool{false, true} {
			after, err := apply(t, group, before, patchBody(`{"op":"remove","path":"members","value":`+value+`}`), Options{Strict: strict})
			if err == nil && len(after.Get(members).Elems()) != 2 {
				t.Errorf("value %s, strict %v: %s", value, strict, show(after))
			}
		}
	}
}

// A replace of references that names nobody is a mistake, not an empty list.
func TestReplaceNeverWipesByMistake(t *testing.T) {
	group := builtin(t, "Group")
	before := resource(t, group.Layout, `{"id":"g","displayName":"G","members":[{"value":"u1"}]}`)
	for _, value := range []string{`[{}]`, `[null]`, `[{"value":null}]`, `[{"display":"x"}]`, `{}`, `[{"$ref":"../Users/u1"}]`, `[{"id":"u1"}]`, `""`, `[""]`} {
		if after, err := apply(t, group, before, patchBody(`{"op":"replace","path":"members","value":`+value+`}`), Options{}); err == nil {
			t.Errorf("value %s: %s", value, show(after))
		}
	}
}

// J1 once more, for a list that did not come through Parse: an element that says
// nothing names nothing.
func TestEmptyElementNamesNothing(t *testing.T) {
	rt := thing(t, "", nil)
	for path, stored := range map[string]string{"m": `{"m":[{"value":"a","type":"work"},{"primary":true}]}`, "r": `{"r":[{"value":"a"}]}`, "l": `{"l":["a"]}`} {
		a := rt.Layout.Find(path)
		empty := scim.Value{}
		if a.Type == scim.TypeComplex {
			empty = scim.NewComplex(a)
		}
		before := resource(t, rt.Layout, stored)
		after, err := Apply(before, []Operation{{Op: Remove, Attr: a, Value: scim.List(empty)}})
		if err != nil || !after.Equal(before) {
			t.Errorf("%s: %v, %v", path, after, err)
		}
	}
}

// Where there is no primary to keep, it still says which element comes first: a
// backend may have room for one only.
func TestPrimaryThatIsNotServed(t *testing.T) {
	rt := thing(t, "m", func(a *scim.Attribute) { a.Sub = a.Sub[:3] })
	const old = `{"m":[{"value":"a"},{"value":"b"}]}`
	for _, c := range []struct{ body, want string }{
		{`{"op":"add","path":"m","value":[{"value":"c"},{"value":"d","primary":true}]}`, `["d","a","b","c"]`},
		{`{"op":"add","path":"m","value":{"value":"c","primary":"True"}}`, `["c","a","b"]`},
		{`{"op":"add","value":{"m":[{"value":"c","primary":true}]}}`, `["c","a","b"]`},
		{`{"op":"add","path":"m","value":[{"value":"b","primary":true}]}`, `["a","b"]`},
		{`{"op":"add","path":"m","value":[{"value":"c","primary":false}]}`, `["a","b","c"]`},
		{`{"op":"replace","path":"m","value":[{"value":"c"},{"value":"d","primary":true}]}`, `["d","c"]`},
	} {
		ops, err := Parse(readJSON(t, patchBody(c.body)), rt, Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		after, err := Apply(resource(t, rt.Layout, old), ops)
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		m, got := rt.Layout.Find("m"), []string{}
		for _, e := range after.Get(m).Elems() {
			got = append(got, e.Get(m.Find("value")).String())
		}
		if text := `["` + strings.Join(got, `","`) + `"]`; text != c.want {
			t.Errorf("%s: %s, want %s", c.body, text, c.want)
		}
	}
}
