package schema

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
)

func builtin(t testing.TB, urn string) *Schema {
	t.Helper()
	s, ok := Builtin(urn)
	if !ok {
		t.Fatalf("there is no schema %s", urn)
	}
	return s
}

func userType(t testing.TB, change ...func(*Schema)) *ResourceType {
	t.Helper()
	s := builtin(t, scim.UserSchema)
	for _, f := range change {
		f(s)
	}
	return newType(t, "User", "/Users", s, Extension{Schema: builtin(t, scim.EnterpriseUserSchema)})
}

func groupType(t testing.TB) *ResourceType {
	t.Helper()
	return newType(t, "Group", "/Groups", builtin(t, scim.GroupSchema))
}

// thingURN is a schema with an attribute of every type and characteristic that
// the built-in ones lack.
const thingURN = "urn:example:params:scim:schemas:1.0:Thing"

func thingType(t testing.TB, exts ...Extension) *ResourceType {
	t.Helper()
	code := str("code", "")
	code.Required, code.CaseExact = true, true
	serial := immutable(str("serial", ""))
	secret := str("secret", "")
	secret.Mutability, secret.Returned, secret.Required = scim.WriteOnly, scim.ReturnedNever, true
	stamp := str("stamp", "")
	stamp.Mutability = scim.ReadOnly
	color := canon(str("color", ""), "red", "green")
	color.EnforceCanonical = true
	typed := func(name string, ty scim.Type) *scim.Attribute { return &scim.Attribute{Name: name, Type: ty} }
	partID := str("id", "")
	partID.Required = true
	return newType(t, "Thing", "/Things", &Schema{ID: thingURN, Name: "Thing", Attributes: []*scim.Attribute{
		code, serial, secret, stamp, color,
		typed("count", scim.TypeInteger), typed("weight", scim.TypeDecimal), typed("born", scim.TypeDateTime),
		typed("blob", scim.TypeBinary), typed("link", scim.TypeReference), typed("on", scim.TypeBoolean),
		multi(str("tags", "")), multi(typed("sizes", scim.TypeInteger)),
		multi(complexAttr("parts", "", partID, str("note", ""))),
		complexAttr("lock", "", immutable(str("key", "")), str("label", "")),
	}}, exts...)
}

func newType(t testing.TB, name, endpoint string, s *Schema, exts ...Extension) *ResourceType {
	t.Helper()
	rt, err := NewResourceType(name, endpoint, name+"s", s, exts)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

func node(t testing.TB, text string) scim.Node {
	t.Helper()
	n, err := scim.ReadJSON([]byte(text), scim.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// wantError checks a *scim.Error by its type, and what its detail says.
func wantError(t testing.TB, err error, typ scim.Keyword, says ...string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *scim.Error %s", err, typ)
	}
	if e.Status != 400 || e.Type != typ {
		t.Errorf("got %v, want 400 %s", e, typ)
	}
	for _, s := range says {
		if !strings.Contains(e.Detail, s) {
			t.Errorf("detail %q does not say %q", e.Detail, s)
		}
	}
}

func encode(r *scim.Resource) string { return string(scim.AppendResource(nil, r, nil)) }
