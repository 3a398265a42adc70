package scim

import (
	"strings"
	"testing"
)

// always is what no parameter takes away; badge.fixed is returned always, and
// brings its parent along.
const always = `{"schemas":["` + UserSchema + `","` + extURN + `"],"id":"1"`

func TestSelect(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	badge := `,"badge":{"fixed":"F"}}`
	cases := []struct {
		name                 string
		attributes, excluded string
		want                 string // exactly
	}{
		{"A-02", "userName", "", always + `,"userName":"bjensen"` + badge},
		{"A-02 sub-attribute", "name.givenName", "", always + `,"name":{"givenName":"Barbara"}` + badge},
		{"A-02 sub-attributes of many", "emails.value", "", always + `,"emails":[{"value":"b@example.com"},{"value":"b@example.org"}]` + badge},
		{"A-02 empty elements vanish", "emails.type", "", always + `,"emails":[{"type":"work"}]` + badge},
		{"A-02 a parent and its part", "name,name.givenName", "", always + `,"name":{"givenName":"Barbara","familyName":"Jensen"}` + badge},
		{"A-05 any case", "NAME.GIVENNAME", "", always + `,"name":{"givenName":"Barbara"}` + badge},
		{"A-05 with URN", UserSchema + ":userName", "", always + `,"userName":"bjensen"` + badge},
		{"A-05 spaces", " userName , active ", "", always + `,"userName":"bjensen","active":true` + badge},
		{"A-07 never", "password,name.hidden", "", always + badge},
		{"A-07 request", "rare", "", always + badge[:len(badge)-1] + `,"rare":"R"}`},
		{"A-07 request in complex", "name.onRequest", "", always + `,"name":{"onRequest":"asked"}` + badge},
		{"A-07 request complex", "dossier", "", always + badge[:len(badge)-1] + `,"dossier":{"page":"P","stamp":"S"}}`},
		{"A-07 part of request complex", "dossier.page", "", always + badge[:len(badge)-1] + `,"dossier":{"page":"P","stamp":"S"}}`},
		{"A-08", "foo,name.foo,urn:x:y", "", always + badge},
		{"A-11", extURN, "", always + badge[:len(badge)-1] + `,"` + extURN +
			`":{"department":"Tours","manager":{"value":"26","displayName":"John"},"sites":[{"city":"Rome"}]}}`},
		{"A-02 in an extension", extURN + ":manager.value", "", always + badge[:len(badge)-1] + `,"` + extURN + `":{"manager":{"value":"26"}}}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := Select(l, split(c.attributes), split(c.excluded))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(AppendResource(nil, r, s)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func TestExclude(t *testing.T) {
	l := testLayout(t)
	r := sample(t, l)
	full := string(AppendResource(nil, r, nil))
	cases := []struct{ name, excluded, gone string }{
		{"A-03", "userName", `,"userName":"bjensen"`},
		{"A-03 sub-attribute", "name.familyName", `,"familyName":"Jensen"`},
		{"A-03 sub-attribute of many", "emails.primary", `,"primary":true`},
		{"A-03 extension attribute", extURN + ":department", `"department":"Tours",`},
		{"A-03 always stays", "id,schemas,badge.fixed", ""},
		{"A-03 always stays in an excluded parent", "badge", `,"colour":"red"`},
		{"A-03 whole complex", "name", `,"name":{"givenName":"Barbara","familyName":"Jensen"}`},
		{"A-08", "foo", ""},
		{"A-09", "emails", `,"emails":[{"value":"b@example.com","type":"work","primary":true},{"value":"b@example.org"}]`},
		{"A-11", strings.ToUpper(extURN), `,"` + extURN + `":{"department":"Tours","manager":{"value":"26","displayName":"John"},"sites":[{"city":"Rome"}]}`},
		{"blank", " ", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := Select(l, nil, split(c.excluded))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(full, c.gone) {
				t.Fatalf("%s is not in %s", c.gone, full)
			}
			want := strings.Replace(full, c.gone, "", 1)
			if got := string(AppendResource(nil, r, s)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestDefaultSelection(t *testing.T) {
	l := testLayout(t)
	got := string(AppendResource(nil, sample(t, l), DefaultSelection(l)))
	for _, secret := range []string{"t1meMa$heen", "secret", "rare", "asked", "dossier"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is in %s", secret, got)
		}
	}
	for _, there := range []string{`"externalId":"x"`, `"weight":61.50`, `"age":42`, `"meta":{"resourceType":"User"`} {
		if !strings.Contains(got, there) {
			t.Errorf("%s is not in %s", there, got)
		}
	}
}

func TestBothParametersAreRefused(t *testing.T) {
	l := testLayout(t)
	_, err := Select(l, []string{"userName"}, []string{"emails"})
	if e, ok := err.(*Error); !ok || e.Type != InvalidValue || e.Status != 400 {
		t.Errorf("got %v", err)
	}
	if _, err := Select(l, []string{""}, []string{"emails"}); err != nil {
		t.Errorf("an empty parameter is no parameter: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	l := testLayout(t)
	cases := []struct {
		attributes, excluded string
		name                 string
		want                 bool
	}{
		{"", "emails", "emails", false},
		{"", "emails", "emails.value", false},
		{"", "emails", "userName", true},
		{"", "emails.value", "emails", true},
		{"", "emails.value", "emails.value", false},
		{"emails.value", "", "emails", true},
		{"emails.value", "", "emails.type", false},
		{"emails.value", "", "name", false},
		{"emails.value", "", "id", true},
		{extURN + ":manager.value", "", extURN, true},
		{extURN + ":manager.value", "", extURN + ":department", false},
		{extURN + ":manager.value", "", extURN + ":manager", true},
		{"", "", "password", false},
		{"", "", "name.hidden", false},
		{"", "", "dossier.page", false},
		{"", "", "name.givenName", true},
	}
	for _, c := range cases {
		s, err := Select(l, split(c.attributes), split(c.excluded))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Needs(at(t, l, c.name)); got != c.want {
			t.Errorf("attributes=%s excluded=%s: Needs(%s) is %v", c.attributes, c.excluded, c.name, got)
		}
	}
}

func TestWith(t *testing.T) { // S-30, C-10
	l := testLayout(t)
	r := sample(t, l)
	rare, dossier, password := at(t, l, "rare"), at(t, l, "dossier"), at(t, l, "password")
	out := func(s *Selection) string { return string(AppendResource(nil, r, s)) }

	got := out(DefaultSelection(l).With(rare, dossier, password, at(t, l, "userName")))
	if !strings.Contains(got, `"rare":"R"`) || !strings.Contains(got, `"page":"P"`) || strings.Contains(got, "t1meMa$heen") {
		t.Errorf("written: %s", got)
	}
	name := at(t, l, "name")
	if got := out(DefaultSelection(l).With(name)); !strings.Contains(got, "asked") {
		t.Errorf("a whole attribute was written: %s", got)
	}
	if got := out(DefaultSelection(l).With(name, name.Find("givenName"))); strings.Contains(got, "asked") {
		t.Errorf("another part was written: %s", got)
	}
	if got := out(DefaultSelection(l).With(name, name.Find("onRequest"))); !strings.Contains(got, "asked") {
		t.Errorf("the part was written: %s", got)
	}
	if got := out(DefaultSelection(l).With(dossier, dossier.Find("page"))); !strings.Contains(got, `{"page":"P","stamp":"S"}`) {
		t.Errorf("a part of an attribute that is returned on request was written: %s", got)
	}
	if s := DefaultSelection(l); s.With(at(t, l, "userName")) != s {
		t.Error("nothing to add makes a new selection")
	}
	only, _ := Select(l, []string{"userName"}, nil)
	if strings.Contains(out(only.With(rare)), `"rare"`) {
		t.Error("the client named what it wants, and gets more")
	}
	without, _ := Select(l, nil, []string{"rare"})
	if strings.Contains(out(without.With(rare)), `"rare"`) {
		t.Error("A-03: an excluded attribute is in")
	}
	if strings.Contains(out(DefaultSelection(l)), `"rare"`) {
		t.Error("With changed the selection it came from")
	}
}

func TestRequested(t *testing.T) {
	l := testLayout(t)
	s, _ := Select(l, []string{"name.givenName"}, nil)
	if !s.Requested(at(t, l, "name")) || !s.Requested(at(t, l, "name.givenName")) || s.Requested(at(t, l, "name.familyName")) {
		t.Error("Requested")
	}
}
