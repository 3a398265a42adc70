package schema

import (
	"testing"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
)

func parse(t testing.TB, text string) filter.Expr {
	t.Helper()
	e, err := filter.Parse(text, filter.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

const barbara = `{"schemas":["` + scim.UserSchema + `"],"userName":"BJensen","externalId":"Ext1","active":true,"title":"",
	"name":{"givenName":"Barbara","familyName":"Jensen"},"profileUrl":"https://Example.com/B",
	"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@home.org","type":"home"}],
	"x509Certificates":[{"value":"MAA="}],
	"` + scim.EnterpriseUserSchema + `":{"department":"Tours","manager":{"value":"26abC"}}}`

func barbaraOf(t testing.TB, rt *ResourceType) *scim.Resource {
	t.Helper()
	d, err := Decode(rt, node(t, barbara), Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.Resource.Set(rt.Layout.ID, scim.Str("aBc"))
	d.Resource.Set(rt.Layout.Resolve("meta.lastModified"), scim.Str("2011-05-13T04:42:34Z"))
	d.Resource.Set(rt.Layout.Resolve("meta.resourceType"), scim.Str("User"))
	return d.Resource
}

func TestBindAndMatch(t *testing.T) {
	user := userType(t)
	r := barbaraOf(t, user)
	ent := scim.EnterpriseUserSchema
	cases := []struct {
		name, filter string
		want         bool
	}{
		{"F-03 case", `USERNAME Eq "bjensen"`, true},
		{"F-13 folded", `userName eq "bJENSEN"`, true},
		{"F-13 id is exact", `id eq "abc"`, false},
		{"F-13 id", `id eq "aBc"`, true},
		{"S-33 externalId is exact", `externalId eq "ext1"`, false},
		{"F-25 externalId", `externalId eq "Ext1"`, true},
		{"S-12 references are exact", `profileUrl eq "https://example.com/B"`, false},
		{"F-22", `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "BJ"`, true},
		{"F-22 extension", ent + `:department eq "tours"`, true},
		{"F-22 extension, deep", ent + `:manager.value eq "26abC"`, true},
		{"F-21 manager", ent + `:manager eq "26abC"`, true},
		{"F-21, R-20 manager is exact", ent + `:manager eq "26ABC"`, false},
		{"F-35 Entra's reference check", `id eq "aBc" and ` + ent + `:manager eq "26abC"`, true},
		{"F-21 as Entra prints it", `id eq "aBc" and manager eq "26abC"`, true},
		{"F-21 without the URN, deep", `Manager.Value eq "27"`, false},
		{"F-24", `schemas eq "` + ent + `"`, true},
		{"F-24 none", `schemas eq "urn:example:x"`, false},
		{"F-25 lastModified", `meta.lastModified ge "2011-05-13T06:42:34+02:00"`, true},
		{"F-18", `meta.lastModified gt "2011-05-13T06:42:34.000+02:00"`, false},
		{"F-25 resourceType", `meta.resourceType eq "User"`, true},
		{"F-16 complex", `name pr`, true},
		{"F-16 multi-valued complex", `emails pr`, true},
		{"F-16 extension", ent + ` pr`, true},
		{"F-16 absent", `title pr`, false},
		{"F-16 absent complex", `addresses pr`, false},
		{"F-27 eq null", `title eq null`, true},
		{"F-27 ne null", `userName ne null`, true},
		{"F-27 complex", `name eq null`, false},
		{"F-27 absent multi-valued", `phoneNumbers eq null`, true},
		{"F-20", `emails co "HOME.org"`, true},
		{"F-19", `emails.value eq "babs@home.org"`, true},
		{"F-19 any value", `emails.type eq "work" and emails.value eq "babs@home.org"`, true},
		{"F-07 the same element", `emails[type eq "work" and value eq "babs@home.org"]`, false},
		{"F-07", `emails[type eq "home" and value eq "babs@home.org"]`, true},
		{"F-08", `emails[not (type eq "home") and (primary eq true or value co "x")]`, true},
		{"F-09", `emails[type eq "work"].value eq "bjensen@example.com"`, true},
		{"F-09 other element", `emails[type eq "work"].value eq "babs@home.org"`, false},
		{"F-07 on one complex value", `name[givenName eq "barbara" and familyName eq "jensen"]`, true},
		{"value of a simple attribute", `schemas[value eq "` + ent + `"]`, true},
		{"F-14 ne, absent", `nickName ne "x"`, true},
		{"booleans", `active ne true`, false},
		{"S-11 binary in another spelling", `x509Certificates.value eq "MAA"`, true},
		{"F-31 width", `userName eq "ＢＪｅｎｓｅｎ"`, true},
		{"F-31 width, ne", `userName ne "ＢＪｅｎｓｅｎ"`, false},
		{"R-11 groups", `groups[value eq "x"]`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, err := Bind(user.Layout, parse(t, c.filter), BindOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := filter.Matches(e, Subject(r)); got != c.want {
				t.Errorf("%s is %v", filter.Print(e), got)
			}
		})
	}
}

func TestBindRefuses(t *testing.T) {
	user, thing := userType(t), thingType(t)
	cases := []struct {
		name   string
		t      *ResourceType
		filter string
		says   string
	}{
		{"G-08", user, `usrName eq "x"`, `did you mean "userName"?`},
		{"G-08 position", user, `active eq true and usrName eq "x"`, "character 20"},
		{"G-08 in brackets", user, `emails[typ eq "work"]`, `did you mean "type"?`},
		{"G-08 with brackets", user, `mails[type eq "work"]`, `did you mean "emails"?`},
		{"F-20", user, `name eq "x"`, "sub-attributes"},
		{"F-20 no value", user, `addresses co "x"`, "sub-attributes"},
		{"F-20 extension", user, scim.EnterpriseUserSchema + ` eq "x"`, "sub-attributes"},
		{"F-15", user, `active co "t"`, "active"},
		{"F-17 boolean", user, `active gt false`, "active"},
		{"F-17 binary", user, `x509Certificates.value gt "AA=="`, "binary"},
		{"F-15 binary", user, `x509Certificates.value co "AA=="`, "binary"},
		{"F-18", user, `meta.created gt "yesterday"`, "dateTime"},
		{"F-28 string for boolean", user, `active eq "true"`, "boolean"},
		{"F-28 number for string", user, `userName eq 5`, "string"},
		{"F-28 string for number", thing, `count eq "5"`, "number"},
		{"F-29, R-07", user, `password eq "x"`, "never returned"},
		{"F-29 pr", user, `password pr`, "never returned"},
		{"F-29 writeOnly", thing, `secret sw "x"`, "never returned"},
		{"no elements", user, `userName[value eq "x"]`, "no elements"},
		{"extension in brackets", user, scim.EnterpriseUserSchema + `[department eq "x"]`, "no elements"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Bind(c.t.Layout, parse(t, c.filter), BindOptions{})
			wantError(t, err, scim.InvalidFilter, c.says)
		})
	}
}

func TestBareNameOfTwoExtensions(t *testing.T) { // F-21
	ext := func(urn string) Extension {
		return Extension{Schema: &Schema{ID: urn, Name: "E", Attributes: []*scim.Attribute{{Name: "boss"}}}}
	}
	_, err := Bind(thingType(t, ext("urn:example:a"), ext("urn:example:b")).Layout, parse(t, `boss eq "x"`), BindOptions{})
	wantError(t, err, scim.InvalidFilter, "no attribute")
}

func TestBindLenient(t *testing.T) { // F-28, G-07
	user := userType(t)
	r := barbaraOf(t, user)
	cases := map[string]bool{
		`active eq "true"`:  true,
		`active eq "False"`: false,
		`nothing eq "x"`:    false,
		`nothing pr`:        false,
		`nothing ne "x"`:    true,
		`nothing eq null`:   true,
		`not (nothing eq "x") and userName eq "bjensen"`: true,
		`nothing[value eq "x"]`:                          false,
		`emails[nothing eq "x" or type eq "work"]`:       true,
	}
	for text, want := range cases {
		e, err := Bind(user.Layout, parse(t, text), BindOptions{Lenient: true, IgnoreUnknown: true})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := filter.Matches(e, Subject(r)); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	_, err := Bind(user.Layout, parse(t, `password eq "x"`), BindOptions{Lenient: true, IgnoreUnknown: true})
	wantError(t, err, scim.InvalidFilter, "never returned")
}

func TestBindNumbersAndDates(t *testing.T) { // F-17, F-18
	thing := thingType(t)
	r := thingOf(t, thing, `,"count":10,"weight":0.50,"born":"2024-01-31T10:00:00.5+02:00","sizes":[1,20]`, Options{})
	for text, want := range map[string]bool{
		`count gt 9`: true, `count lt 10`: false, `weight eq 0.5`: true, `weight lt 1e0`: true, `sizes gt 19`: true, `sizes eq 2`: false,
		`born gt "2024-01-31T08:00:00Z"`: true, `born eq "2024-01-31T08:00:00.500Z"`: true, `sizes[value eq 20]`: true,
		`code eq "C"`: false, `color pr`: false, `parts[id eq "1"]`: false,
	} {
		e, err := Bind(thing.Layout, parse(t, text), BindOptions{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := filter.Matches(e, Subject(r)); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestBoundTree(t *testing.T) {
	user := userType(t)
	text := `USERNAME eq "x" and EMAILS[TYPE eq "work"] and emails eq "y" and urn:ietf:params:scim:schemas:core:2.0:user:NAME.familyname pr`
	original := parse(t, text)
	e, err := Bind(user.Layout, original, BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := `userName eq "x" and emails[type eq "work"] and emails.value eq "y" and name.familyName pr`
	if got := filter.Print(e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	filter.Walk(e, func(n filter.Expr) bool {
		if c, ok := n.(*filter.Compare); ok && (c.Ref.(*scim.Attribute) == nil || c.Match == filter.Unbound) {
			t.Errorf("%s is not bound", c.Name)
		}
		return true
	})
	if !filter.Equal(original, parse(t, text)) {
		t.Error("Bind changed the tree it was given")
	}
}

func TestUserNameSpellings(t *testing.T) { // F-31, R-02
	user := userType(t)
	cases := map[string]string{
		`userName eq "plain"`:       `userName eq "plain"`,
		"userName eq \"caf\u00e9\"": "userName eq \"caf\u00e9\" or userName eq \"cafe\u0301\"",
		"userName ne \"caf\u00e9\"": "userName ne \"caf\u00e9\" and userName ne \"cafe\u0301\"",
		"userName eq \"\uff41\"":    "userName eq \"\uff41\" or userName eq \"a\"",
		"userName co \"\uff41\"":    "userName co \"\uff41\"",
		"nickName eq \"\uff41\"":    "nickName eq \"\uff41\"",
	}
	for in, want := range cases {
		e, err := Bind(user.Layout, parse(t, in), BindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !filter.Equal(e, parse(t, want)) {
			t.Errorf("%s became %s", in, filter.Print(e))
		}
	}
}

func TestBindElement(t *testing.T) { // P-29
	user := userType(t)
	emails := user.Layout.Find("emails")
	e, err := BindElement(emails, parse(t, `TYPE EQ "Work" and value ew ".COM"`), BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for _, v := range barbaraOf(t, user).Get(emails).Elems() {
		got = append(got, filter.Matches(e, ElementSubject(emails, v)))
	}
	if len(got) != 2 || !got[0] || got[1] {
		t.Errorf("got %v", got)
	}
	_, err = BindElement(emails, parse(t, `emails[type eq "x"]`), BindOptions{})
	wantError(t, err, scim.InvalidFilter, "another")
	thing := thingType(t)
	tags := thing.Layout.Find("tags")
	e, err = BindElement(tags, parse(t, `value eq "A"`), BindOptions{})
	if err != nil || !filter.Matches(e, ElementSubject(tags, scim.Str("a"))) || filter.Matches(e, ElementSubject(tags, scim.Str("b"))) {
		t.Errorf("P-21: %v", err)
	}
}

func TestUnboundSubject(t *testing.T) {
	user := userType(t)
	if filter.Matches(parse(t, `userName eq "BJensen" or emails[type pr]`), Subject(barbaraOf(t, user))) {
		t.Error("a tree that is not bound matches")
	}
}

func TestSortAttribute(t *testing.T) {
	user := userType(t)
	good := map[string]string{
		"userName": "userName", "NAME.familyName": "name.familyName", "emails": "emails.value", "meta.lastModified": "meta.lastModified",
		scim.EnterpriseUserSchema + ":department": scim.EnterpriseUserSchema + ":department",
	}
	for in, want := range good { // O-02
		a, err := SortAttribute(user.Layout, in)
		if err != nil || a.Path() != want {
			t.Errorf("%s: %v %v", in, a, err)
		}
	}
	bad := map[string]string{ // O-02, O-07
		"usrName": `did you mean "userName"?`, "": "no attribute", "name": "sub-attributes", "addresses": "sub-attributes",
		"password": "never returned", scim.EnterpriseUserSchema: "sub-attributes", scim.EnterpriseUserSchema + ":manager": "sub-attributes",
	}
	for in, says := range bad {
		_, err := SortAttribute(user.Layout, in)
		wantError(t, err, scim.InvalidValue, says)
	}
}

func FuzzBind(f *testing.F) {
	user := userType(f)
	for _, s := range []string{`userName eq "x"`, `emails[type eq "work"].value co "x"`, `meta.created gt "2011-05-13T04:42:34Z"`, `not (active eq true)`,
		`name eq null or schemas eq "x"`, "userName eq \"\uff41\u00e9\""} {
		f.Add(s)
	}
	r := barbaraOf(f, user)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := filter.Parse(text, filter.Limits{Lenient: true})
		if err != nil {
			return
		}
		bound, err := Bind(user.Layout, e, BindOptions{Lenient: true})
		if err != nil {
			if e, ok := err.(*scim.Error); !ok || e.Type != scim.InvalidFilter {
				t.Fatalf("%s: %#v", text, err)
			}
			return
		}
		again, err := Bind(user.Layout, parse(t, filter.Print(bound)), BindOptions{})
		if err != nil {
			t.Fatalf("%s does not bind again: %v", filter.Print(bound), err)
		}
		if filter.Matches(bound, Subject(r)) != filter.Matches(again, Subject(r)) {
			t.Fatalf("%s means something else than %s", filter.Print(bound), filter.Print(again))
		}
	})
}
