package scim

import "testing"

func TestResolve(t *testing.T) {
	l := testLayout(t)
	cases := []struct{ name, in, want string }{
		{"S-01 case", "USERNAME", "userName"},
		{"S-01 sub case", "NAME.GIVENname", "name.givenName"},
		{"P-27 core URN", UserSchema + ":userName", "userName"},
		{"P-27 core URN, sub-attribute", UserSchema + ":name.givenName", "name.givenName"},
		{"P-27 any case", "URN:IETF:params:scim:schemas:CORE:2.0:user:USERNAME", "userName"},
		{"P-27 extension", extURN + ":manager.value", extURN + ":manager.value"},
		{"P-27 old Entra jobs, with a dot", extURN + ".department", extURN + ":department"},
		{"P-28 extension alone", extURN, extURN},
		{"meta", "meta.lastModified", "meta.lastModified"},
		{"common attribute with the base URN", UserSchema + ":id", "id"},
		{"none", "nothing", ""},
		{"no such sub-attribute", "name.nothing", ""},
		{"S-25 extension attribute at the top", "department", ""},
		{"core attribute under the extension", extURN + ":userName", ""},
		{"too deep", "name.givenName.x", ""},
		{"unknown URN", "urn:x:y:userName", ""},
		{"core URN alone", UserSchema, ""},
		{"core URN with nothing behind it", UserSchema + ":", ""},
		{"P-26 index", "emails[0]", ""},
		{"empty", "", ""},
		{"a dot", ".", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if a := l.Resolve(c.in); a != nil {
				got = a.Path()
			}
			if got != c.want {
				t.Errorf("Resolve(%q) is %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestResolveTakesTheLongestURN(t *testing.T) { // P-27
	a, b := "urn:example:a", "urn:example:a:b"
	l, err := NewLayout("urn:example:base", []*Attribute{{Name: "x"}}, []Extension{
		{Schema: a, Attributes: []*Attribute{{Name: "b", Type: TypeComplex, Sub: []*Attribute{{Name: "c"}}}}},
		{Schema: b, Attributes: []*Attribute{{Name: "c"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Resolve("urn:example:a:b:c"); got == nil || got.Schema() != b {
		t.Errorf("resolved to %v", got)
	}
}

func TestLayoutRefusesTwice(t *testing.T) {
	sub := func(names ...string) (out []*Attribute) {
		for _, n := range names {
			out = append(out, &Attribute{Name: n})
		}
		return out
	}
	cases := map[string]struct {
		attrs []*Attribute
		exts  []Extension
	}{
		"S-01 same name":   {attrs: sub("a", "A")},
		"common attribute": {attrs: sub("ID")},
		"meta":             {attrs: sub("meta")},
		"sub-attribute":    {attrs: []*Attribute{{Name: "c", Type: TypeComplex, Sub: sub("x", "X")}}},
		"extension":        {attrs: sub("a"), exts: []Extension{{Schema: "urn:e"}, {Schema: "URN:E"}}},
	}
	for name, c := range cases {
		if _, err := NewLayout("urn:b", c.attrs, c.exts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLayoutOrder(t *testing.T) {
	l := testLayout(t)
	attrs := l.Attributes()
	if attrs[0] != l.Schemas || attrs[1] != l.ID || attrs[2] != l.ExternalID || attrs[len(attrs)-1] != l.Meta {
		t.Error("the common attributes are not where they belong")
	}
	if u := l.URNs(); len(u) != 2 || u[0] != UserSchema || u[1] != extURN {
		t.Errorf("URNs %v", u)
	}
}
