package schema

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
)

func TestBuiltinIsFresh(t *testing.T) {
	a, b := builtin(t, scim.UserSchema), builtin(t, strings.ToLower(scim.UserSchema))
	a.Find("userName").Required = false
	a.Find("name").Sub[0].Name = "x"
	if !b.Find("userName").Required || b.Find("name.formatted") == nil {
		t.Error("two copies share an attribute")
	}
	if _, ok := Builtin("urn:example:x"); ok {
		t.Error("an unknown schema is built in")
	}
}

func TestBuiltinCharacteristics(t *testing.T) {
	type want func(a *scim.Attribute) bool
	readOnly := func(a *scim.Attribute) bool { return a.Mutability == scim.ReadOnly }
	immutable := func(a *scim.Attribute) bool { return a.Mutability == scim.Immutable }
	values := func(v ...string) want {
		return func(a *scim.Attribute) bool { return slices.Equal(a.CanonicalValues, v) }
	}
	refs := func(v ...string) want {
		return func(a *scim.Attribute) bool { return slices.Equal(a.ReferenceTypes, v) && a.Type == scim.TypeReference }
	}
	cases := []struct {
		row, urn, path string
		want           want
	}{
		{"R-01", scim.UserSchema, "userName", func(a *scim.Attribute) bool { return a.Required && a.Uniqueness == scim.UniqueServer && !a.CaseExact }},
		{"R-05", scim.UserSchema, "active", func(a *scim.Attribute) bool { return a.Type == scim.TypeBoolean }},
		{"R-06", scim.UserSchema, "password", func(a *scim.Attribute) bool {
			return a.Mutability == scim.WriteOnly && a.Returned == scim.ReturnedNever
		}},
		{"R-09", scim.UserSchema, "photos.type", values("photo", "thumbnail")},
		{"R-09", scim.UserSchema, "photos.value", refs("external")},
		{"R-10", scim.UserSchema, "addresses.type", values("work", "home", "other")},
		{"R-10", scim.UserSchema, "addresses.primary", func(a *scim.Attribute) bool { return a.Type == scim.TypeBoolean }},
		{"R-11", scim.UserSchema, "groups", readOnly},
		{"R-11", scim.UserSchema, "groups.value", readOnly},
		{"R-11", scim.UserSchema, "groups.type", values("direct", "indirect")},
		{"R-13", scim.UserSchema, "groups.$ref", refs("Group")},
		{"R-14", scim.UserSchema, "x509Certificates.value", func(a *scim.Attribute) bool { return a.Type == scim.TypeBinary }},
		{"R-15", scim.GroupSchema, "displayName", func(a *scim.Attribute) bool { return a.Required }},
		{"R-16", scim.GroupSchema, "members.value", immutable},
		{"R-16", scim.GroupSchema, "members.type", immutable},
		{"R-16", scim.GroupSchema, "members.$ref", refs("User", "Group")},
		{"R-17", scim.GroupSchema, "members.display", func(a *scim.Attribute) bool { return a.Type == scim.TypeString }},
		{"R-19", scim.EnterpriseUserSchema, "manager.displayName", readOnly},
		{"R-19", scim.EnterpriseUserSchema, "manager.$ref", refs("User")},
		{"R-20", scim.EnterpriseUserSchema, "manager.value", func(a *scim.Attribute) bool { return a.CaseExact }},
	}
	for _, c := range cases {
		a := builtin(t, c.urn).Find(c.path)
		if a == nil || !c.want(a) {
			t.Errorf("%s: %s is %+v", c.row, c.path, a)
		}
	}
}

func TestBuiltinSchemasAreSound(t *testing.T) {
	for _, urn := range BuiltinURNs() {
		s := builtin(t, urn)
		if problems := Check(s); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
		var walk func(attrs []*scim.Attribute)
		walk = func(attrs []*scim.Attribute) {
			for _, a := range attrs {
				if a.Description == "" {
					t.Errorf("D-13: %s of %s has no description", a.Name, s.Name)
				}
				if a.Type == scim.TypeReference && len(a.ReferenceTypes) == 0 {
					t.Errorf("S-12: %s has no referenceTypes", a.Name)
				}
				walk(a.Sub)
			}
		}
		walk(s.Attributes)
	}
}

func TestCheck(t *testing.T) {
	one := func(a *scim.Attribute) *Schema {
		return &Schema{ID: "urn:example:s", Name: "S", Attributes: []*scim.Attribute{a}}
	}
	sub := func(parent string, multi bool, s *scim.Attribute) *Schema {
		return one(&scim.Attribute{Name: parent, Type: scim.TypeComplex, MultiValued: multi, Sub: []*scim.Attribute{s}})
	}
	ok := &scim.Attribute{Name: "x"}
	cases := []struct {
		name, says string
		in         *Schema
	}{
		{"fine", "", one(ok)},
		{"S-02 $ref", "", sub("c", true, &scim.Attribute{Name: "$ref", Type: scim.TypeReference})},
		{"S-01 odd but legal", "", one(&scim.Attribute{Name: "a$-_9"})},
		{"S-01 first letter", "begins with a letter", one(&scim.Attribute{Name: "9a"})},
		{"S-01 empty", "begins with a letter", one(&scim.Attribute{})},
		{"S-01 other letters", "begins with a letter", one(&scim.Attribute{Name: "größe"})},
		{"S-02 $ref at the top", "begins with a letter", one(&scim.Attribute{Name: "$ref", Type: scim.TypeReference})},
		{"S-16", "part of another", sub("c", false, &scim.Attribute{Name: "d", Type: scim.TypeComplex, Sub: []*scim.Attribute{ok}})},
		{"empty complex", "needs sub-attributes", one(&scim.Attribute{Name: "c", Type: scim.TypeComplex})},
		{"sub of simple", "only a complex", one(&scim.Attribute{Name: "c", Sub: []*scim.Attribute{ok}})},
		{"S-17 display", "single string", sub("c", true, &scim.Attribute{Name: "display", Type: scim.TypeBoolean})},
		{"S-17 primary", "single boolean", sub("c", true, &scim.Attribute{Name: "primary"})},
		{"S-17 type", "single string", sub("c", true, &scim.Attribute{Name: "type", MultiValued: true})},
		{"S-17 $ref", "single reference", sub("c", false, &scim.Attribute{Name: "$ref"})},
		{"S-17 only of many", "", sub("c", false, &scim.Attribute{Name: "display", Type: scim.TypeBoolean})},
		{"S-06 unique boolean", "no uniqueness", one(&scim.Attribute{Name: "b", Type: scim.TypeBoolean, Uniqueness: scim.UniqueServer})},
		{"S-06 boolean case", "no case", one(&scim.Attribute{Name: "b", Type: scim.TypeBoolean, CaseExact: true})},
		{"S-05 nothing to enforce", "enforce", one(&scim.Attribute{Name: "b", EnforceCanonical: true})},
		{"S-05 numbers", "for strings", one(&scim.Attribute{Name: "b", Type: scim.TypeInteger, CanonicalValues: []string{"1"}})},
		{"S-12 referenceTypes", "for references", one(&scim.Attribute{Name: "b", ReferenceTypes: []string{"uri"}})},
		{"twice", "twice", &Schema{ID: "urn:example:s", Attributes: []*scim.Attribute{{Name: "a"}, {Name: "A"}}}},
		{"common", "belong to every resource", one(&scim.Attribute{Name: "ID"})},
		{"no attributes", "no attributes", &Schema{ID: "urn:example:s"}},
		{"no URN", "must be a URN", &Schema{ID: "thing", Attributes: []*scim.Attribute{ok}}},
		{"D-08", "reserved for messages", &Schema{ID: "urn:ietf:params:scim:api:messages:2.0:X", Attributes: []*scim.Attribute{ok}}},
		{"S-41", "warning: reserved for RFCs", &Schema{ID: "urn:ietf:params:scim:schemas:core:2.0:Gadget", Attributes: []*scim.Attribute{ok}}},
		{"writeOnly", "warning: returned never", one(&scim.Attribute{Name: "w", Mutability: scim.WriteOnly})},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			problems := Check(c.in)
			says, advice := strings.CutPrefix(c.says, "warning: ")
			if c.says == "" {
				if len(problems) > 0 {
					t.Errorf("%v", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("%d problems, want one: %v", len(problems), problems)
			}
			var w *Warning
			if !strings.Contains(problems[0].Error(), says) || errors.As(problems[0], &w) != advice {
				t.Errorf("got %v (advice %v), want %s", problems[0], w != nil, c.says)
			}
		})
	}
}

func TestRestrict(t *testing.T) {
	var asked []string
	full := builtin(t, scim.UserSchema)
	s := full.Restrict(func(p string) bool {
		asked = append(asked, p)
		return p == "userName" || p == "name.givenName" || p == "emails.value"
	})
	if len(s.Attributes) != 3 || len(s.Find("name").Sub) != 1 || s.Find("EMAILS.VALUE") == nil || s.Find("name.familyName") != nil {
		t.Errorf("%+v", s)
	}
	if !slices.Contains(asked, "addresses.primary") || slices.Contains(asked, "name") {
		t.Errorf("asked about %v", asked)
	}
	if full.Find("name.familyName") == nil {
		t.Error("Restrict changed the schema it was given")
	}
	if got := len(field(t, SchemaNode(s, base), "attributes").Items); got != 3 { // D-19
		t.Errorf("D-19: %d attributes are published", got)
	}
}

func TestKnown(t *testing.T) { // S-39, P-25
	base := builtin(t, scim.UserSchema).Restrict(func(p string) bool { return p == "userName" || p == "custom" })
	base.Attributes = append(base.Attributes, &scim.Attribute{Name: "custom"})
	user := newType(t, "User", "/Users", base)
	known := []string{"userName", "NICKNAME", "name.givenName", "emails.value", scim.UserSchema + ":title", "custom", "meta",
		scim.EnterpriseUserSchema, scim.EnterpriseUserSchema + ":manager.value"}
	for _, n := range known {
		if !user.Known(n) {
			t.Errorf("%s is not known", n)
		}
	}
	for _, n := range []string{"nick", "name.nick", "members", "urn:example:x", ""} {
		if user.Known(n) {
			t.Errorf("%s is known", n)
		}
	}
	if user.Layout.Resolve("nickName") != nil {
		t.Error("what is not mapped is served")
	}
	if groupType(t).Known(scim.EnterpriseUserSchema) {
		t.Error("the enterprise extension is for users")
	}
	if got := user.Nearest("usrname"); got != "userName" {
		t.Errorf("Nearest: %q", got)
	}
	if got := user.Nearest("completelyDifferent"); got != "" {
		t.Errorf("Nearest: %q", got)
	}
	custom := &Schema{ID: "urn:example:c", Name: "C", Attributes: []*scim.Attribute{{Name: "a"}, {Name: "b"}}}
	rt, err := NewResourceType("User", "/Users", "", base, []Extension{{Schema: custom.Restrict(func(p string) bool { return p == "a" })}}, custom)
	if err != nil || !rt.Known("urn:example:c:b") || rt.Layout.Resolve("urn:example:c:b") != nil {
		t.Errorf("an extension that is served in part: %v", err)
	}
}

func TestNewResourceTypeRefuses(t *testing.T) { // S-40
	fine := &Schema{ID: "urn:example:s", Name: "S", Attributes: []*scim.Attribute{{Name: "a"}}}
	bad := &Schema{ID: "urn:example:t", Name: "T", Attributes: []*scim.Attribute{{Name: "9"}}}
	cases := []struct {
		name, typ, endpoint string
		base                *Schema
		exts                []Extension
		says                string
	}{
		{"S-40 no schema", "X", "/Xs", nil, nil, "no base schema"},
		{"name", "X Y", "/Xs", fine, nil, "word"},
		{"endpoint", "X", "Xs", fine, nil, "slash"},
		{"endpoint path", "X", "/x/y", fine, nil, "slash"},
		{"taken", "X", "/schemas", fine, nil, "belongs to the protocol"},
		{"bad schema", "X", "/Xs", bad, nil, "begins with a letter"},
		{"bad extension", "X", "/Xs", fine, []Extension{{Schema: bad}}, "begins with a letter"},
		{"extension without schema", "X", "/Xs", fine, []Extension{{}}, "no schema"},
		{"twice", "X", "/Xs", fine, []Extension{{Schema: fine}}, "twice"},
	}
	for _, c := range cases {
		_, err := NewResourceType(c.typ, c.endpoint, "", c.base, c.exts)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := NewResourceType("X", "/Xs", "", fine, nil); err != nil {
		t.Error(err)
	}
	if _, err := NewResourceType("X", "/Xs", "", fine, nil); err != nil {
		t.Errorf("a schema serves two types: %v", err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"userName", "nickName", "name.givenName"}
	for in, want := range map[string]string{"username ": "userName", "nikName": "nickName", "name.givnName": "name.givenName",
		"zzz": "", "": "", strings.Repeat("u", 500): ""} {
		if got := nearest(in, names); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
