package schema

import (
	"strings"
	"testing"

	"github.com/postern/postern/scim"
)

func thingOf(t testing.TB, rt *ResourceType, rest string, o Options) *scim.Resource {
	t.Helper()
	d, err := Decode(rt, node(t, `{`+thingHead+rest+`}`), o)
	if err != nil {
		t.Fatal(err)
	}
	return d.Resource
}

func TestCheckReplace(t *testing.T) {
	thing := thingType(t)
	cases := []struct{ name, before, after, want string }{
		{"U-03", `,"tags":["a"]`, `,"tags":["b"]`, `"tags":["b"]`},
		{"U-04 omitted is cleared", `,"tags":["a"],"count":1`, `,"count":2`, `"count":2`},
		{"U-05 same", `,"serial":"S1"`, `,"serial":"S1"`, `"serial":"S1"`},
		{"U-05 same but for case", `,"serial":"S1"`, `,"serial":"s1"`, `"serial":"S1"`},
		{"U-05 omitted", `,"serial":"S1"`, ``, `"serial":"S1"`},
		{"U-05 nothing stored", ``, `,"serial":"S1"`, `"serial":"S1"`},
		{"U-05 in complex, same", `,"lock":{"key":"K","label":"a"}`, `,"lock":{"key":"K","label":"b"}`, `"lock":{"key":"K","label":"b"}`},
		{"U-05 in complex, omitted", `,"lock":{"key":"K","label":"a"}`, ``, `"lock":{"key":"K"}`},
		{"U-05 in complex, nothing stored", `,"lock":{"label":"a"}`, `,"lock":{"key":"K"}`, `"lock":{"key":"K"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before, after := thingOf(t, thing, c.before, Options{}), thingOf(t, thing, c.after, Options{})
			if err := CheckReplace(before, after); err != nil {
				t.Fatal(err)
			}
			if got, want := encode(after), `{"schemas":["`+thingURN+`"],"code":"c",`+c.want+`}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestReplaceAsRead: a client that sends back what it has read changes nothing, however
// the backend spells what the schema spells otherwise (S-19, S-20).
func TestReplaceAsRead(t *testing.T) {
	user := userType(t)
	email := func(kind, value string) scim.Value {
		a := user.Layout.Find("emails")
		v := scim.NewComplex(a)
		v.Set(a.Find("type"), scim.Str(kind))
		v.Set(a.Find("value"), scim.Str(value))
		return v
	}
	before := scim.NewResource(user.Layout)
	before.Set(user.Layout.Find("userName"), scim.Str("bjensen"))
	before.Set(user.Layout.Find("emails"), scim.List(email("WORK", "a@x"), email("WORK", "a@x"), email("home", "b@x")))
	was := encode(before)
	for sent, changes := range map[string]bool{
		`[{"type":"WORK","value":"a@x"},{"type":"WORK","value":"a@x"},{"type":"home","value":"b@x"}]`: false,
		`[{"type":"work","value":"a@x"},{"type":"home","value":"b@x"}]`:                               false,
		`[{"type":"WORK","value":"A@x"},{"type":"WORK","value":"a@x"},{"type":"home","value":"b@x"}]`: true,
		`[{"type":"WORK","value":"a@x"}]`:                                                             true,
		`[]`:                                                                                          true,
	} {
		d, err := Decode(user, node(t, `{`+userHead+`,"emails":`+sent+`}`), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckReplace(before, d.Resource); err != nil {
			t.Fatal(err)
		}
		emails := user.Layout.Find("emails")
		if same := d.Resource.Get(emails).Equal(before.Get(emails)); same == changes {
			t.Errorf("%s makes %s", sent, encode(d.Resource))
		}
		if encode(before) != was {
			t.Fatal("what was there before has changed")
		}
	}
}

func TestImmutable(t *testing.T) { // U-05, C-13
	thing := thingType(t)
	for name, c := range map[string][3]string{
		"attribute":     {`,"serial":"S1"`, `,"serial":"S2"`, "serial: "},
		"sub-attribute": {`,"lock":{"key":"K"}`, `,"lock":{"key":"L"}`, "lock.key: "},
	} {
		err := CheckReplace(thingOf(t, thing, c[0], Options{}), thingOf(t, thing, c[1], Options{}))
		t.Run(name, func(t *testing.T) { wantError(t, err, scim.Mutability, c[2], "immutable") })
	}
}

func TestImmutableLists(t *testing.T) { // U-05
	rt := newType(t, "Box", "/Boxes", &Schema{ID: "urn:example:box", Name: "Box", Attributes: []*scim.Attribute{
		immutable(multi(str("tags", ""))), immutable(multi(complexAttr("parts", "", str("value", ""), str("note", "")))),
		immutable(complexAttr("seal", "", str("by", ""), &scim.Attribute{Name: "no", Type: scim.TypeInteger})),
	}})
	box := func(rest string) *scim.Resource {
		d, err := Decode(rt, node(t, `{"schemas":["urn:example:box"],`+rest+`}`), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return d.Resource
	}
	const before = `"tags":["a","b"],"parts":[{"value":"1","note":"x"},{"value":"2"}],"seal":{"by":"me","no":1}`
	for in, lawful := range map[string]bool{
		`"tags":["B","a"]`: true,
		`"tags":["a"]`:     false,
		`"tags":["a","c"]`: false,
		`"parts":[{"value":"2"},{"value":"1","note":"X"}]`: true,
		`"parts":[{"value":"2"},{"value":"1"}]`:            false,
		`"seal":{"no":1,"by":"Me"}`:                        true,
		`"seal":{"no":2,"by":"me"}`:                        false,
		`"seal":{"by":"me"}`:                               false,
	} {
		after := box(in)
		err := CheckReplace(box(before), after)
		if lawful && (err != nil || !after.Equal(box(before))) {
			t.Errorf("%s: %v %s", in, err, encode(after))
		}
		if !lawful && err == nil {
			t.Errorf("%s: no error", in)
		}
	}
}

func TestReplaceCarriesOver(t *testing.T) {
	thing := thingType(t)
	secret, stamp := thing.Layout.Find("secret"), thing.Layout.Find("stamp")
	before := thingOf(t, thing, "", Options{})
	before.Set(stamp, scim.Str("2020"))
	before.Set(thing.Layout.ID, scim.Str("1"))
	d, err := Decode(thing, node(t, `{"schemas":["`+thingURN+`"],"code":"c","id":"2","stamp":"forged"}`), Options{Replace: true})
	if err != nil {
		t.Fatalf("U-09: %v", err)
	}
	after := d.Resource
	if err := CheckReplace(before, after); err != nil {
		t.Fatal(err)
	}
	if after.Get(secret).String() != "s" || after.Get(stamp).String() != "2020" || after.ID() != "1" {
		t.Errorf("U-06, U-09: secret %q, stamp %q, id %q", after.Get(secret), after.Get(stamp), after.ID())
	}
	if !after.Equal(before) {
		t.Error("U-11: a PUT that changes nothing changes something")
	}
	given := thingOf(t, thing, "", Options{})
	given.Set(secret, scim.Str("new"))
	if err := CheckReplace(before, given); err != nil || given.Get(secret).String() != "new" {
		t.Errorf("U-03: %v", err)
	}
}

func TestReplaceKeepsWhatTheServerFilledIn(t *testing.T) { // U-11
	group := groupType(t)
	members := group.Layout.Find("members")
	decode := func(rt *ResourceType, text string) *scim.Resource {
		d, err := Decode(rt, node(t, text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return d.Resource
	}
	head := `{"schemas":["` + scim.GroupSchema + `"],"displayName":"g","members":`
	before := decode(group, head+`[{"value":"1","$ref":"https://x/Users/1","type":"User"},{"value":"2","type":"Group"}]}`)
	elem := before.Get(members).Elems()[0].Clone()
	elem.Set(members.Find("display"), scim.Str("One"))
	before.Set(members, scim.List(elem, before.Get(members).Elems()[1]))
	same := decode(group, head+`[{"value":"1","$ref":"wrong","display":"Okta's"},{"value":"2"}]}`)
	if err := CheckReplace(before, same); err != nil || !same.Equal(before) {
		t.Errorf("R-18: %v %s", err, encode(same))
	}
	fewer := decode(group, head+`[{"value":"3"}]}`)
	if err := CheckReplace(before, fewer); err != nil || !strings.Contains(encode(fewer), `"members":[{"value":"3"}]`) { // U-13
		t.Errorf("U-13: %v %s", err, encode(fewer))
	}

	user := userType(t)
	manager := user.Layout.Extensions[0].Find("manager")
	body := func(id string) string {
		return `{` + userHead + `,"` + scim.EnterpriseUserSchema + `":{"manager":{"value":"` + id + `"}}}`
	}
	was := decode(user, body("26"))
	was.Set(manager.Find("displayName"), scim.Str("John"))
	for id, want := range map[string]string{"26": "John", "27": "", "": ""} {
		now := decode(user, body(id))
		if err := CheckReplace(was, now); err != nil || now.Get(manager.Find("displayName")).String() != want {
			t.Errorf("R-19: manager %q: %v %s", id, err, encode(now))
		}
	}
	gone := decode(user, `{`+userHead+`}`)
	if err := CheckReplace(was, gone); err != nil || gone.Get(user.Layout.Extensions[0]).Present() {
		t.Errorf("U-10: %v %s", err, encode(gone))
	}
}

func TestValidate(t *testing.T) {
	thing, user := thingType(t), userType(t)
	r := thingOf(t, thing, "", Options{})
	if err := Validate(r); err != nil {
		t.Fatal(err)
	}
	set := func(name string, v scim.Value) *scim.Resource {
		c := r.Clone()
		c.Set(thing.Layout.Resolve(name), v)
		return c
	}
	wantError(t, Validate(set("color", scim.Str("blue"))), scim.InvalidValue, "color", "red, green")
	wantError(t, Validate(set("code", scim.Value{})), scim.InvalidValue, "code is required")
	wantError(t, CheckRequired(set("secret", scim.Value{})), scim.InvalidValue, "secret is required")
	if err := Validate(set("secret", scim.Value{})); err != nil {
		t.Errorf("U-09: what is writeOnly cannot be seen in a stored resource: %v", err)
	}
	b := barbaraOf(t, user)
	emails := user.Layout.Find("emails")
	second := b.Get(emails).Elems()[1].Clone()
	second.Set(emails.Find("primary"), scim.Bool(true))
	b.Set(emails, scim.List(b.Get(emails).Elems()[0], second))
	wantError(t, Validate(b), scim.InvalidValue, "emails", "primary") // S-18
}

func TestSameElement(t *testing.T) { // P-40
	user, group := userType(t), groupType(t)
	elem := func(a *scim.Attribute, text string) scim.Value {
		v, err := ParseElement(a, node(t, text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	cases := []struct {
		a    *scim.Attribute
		x, y string
		want bool
	}{
		{group.Layout.Find("members"), `{"value":"1","type":"User"}`, `{"value":"1"}`, true},
		{group.Layout.Find("members"), `{"value":"a"}`, `{"value":"A"}`, false},
		{user.Layout.Find("emails"), `{"value":"a","type":"work"}`, `{"value":"A","type":"WORK","display":"x"}`, true},
		{user.Layout.Find("emails"), `{"value":"a","type":"work"}`, `{"value":"a","type":"home"}`, false},
		{user.Layout.Find("emails"), `{"value":"a"}`, `{"display":"a"}`, false},
		{user.Layout.Find("addresses"), `{"locality":"a","type":"work"}`, `{"type":"work","locality":"a"}`, true},
		{user.Layout.Find("addresses"), `{"locality":"a"}`, `{"locality":"b"}`, false},
	}
	for _, c := range cases {
		if got := SameElement(c.a, elem(c.a, c.x), elem(c.a, c.y)); got != c.want {
			t.Errorf("%s: %s and %s: %v", c.a.Name, c.x, c.y, got)
		}
	}
}
