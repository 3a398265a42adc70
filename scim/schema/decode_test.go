package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/internal/corpus"
	"github.com/postern/postern/scim"
)

const (
	userHead  = `"schemas":["` + scim.UserSchema + `"],"userName":"bjensen"`
	thingHead = `"schemas":["` + thingURN + `"],"code":"c","secret":"s"`
)

func TestDecodeUser(t *testing.T) {
	user := userType(t)
	ent := scim.EnterpriseUserSchema
	out := func(rest string) string { return `{` + userHead + rest + `}` }
	outEnt := func(rest string) string {
		return `{"schemas":["` + scim.UserSchema + `","` + ent + `"],"userName":"bjensen"` + rest + `}`
	}
	cases := []struct{ name, in, want string }{
		{"plain", `{` + userHead + `}`, out("")},
		{"S-01 names ignore case", `{"SCHEMAS":["` + strings.ToUpper(scim.UserSchema) + `"],"USERNAME":"bjensen"}`, out("")},
		{"C-02 readOnly ignored", `{` + userHead + `,"id":"9","groups":[{"value":"g"}],"meta":{"resourceType":"X","created":7}}`, out("")},
		{"S-34 forged meta, wrong types", `{` + userHead + `,"meta":"x","groups":1}`, out("")},
		{"S-21 null", `{` + userHead + `,"title":null,"emails":[],"name":{}}`, out("")},
		{"S-23 all empty", `{` + userHead + `,"name":{"givenName":null},"emails":[null,{},{"value":""}]}`, out("")},
		{"P-55 empty string", `{` + userHead + `,"title":""}`, out("")},
		{"P-58 Entra booleans", `{` + userHead + `,"active":"False"}`, out(`,"active":false`)},
		{"P-58 in elements", `{` + userHead + `,"emails":[{"value":"a","primary":"True"}]}`, out(`,"emails":[{"value":"a","primary":true}]`)},
		{"P-41 object for array", `{` + userHead + `,"emails":{"value":"a"}}`, out(`,"emails":[{"value":"a"}]`)},
		{"P-41 array for object", `{` + userHead + `,"name":[{"givenName":"B"}]}`, out(`,"name":{"givenName":"B"}`)},
		{"P-41 empty array for single", `{` + userHead + `,"title":[]}`, out("")},
		{"P-59 manager as string", `{` + userHead + `,"` + ent + `":{"manager":"26"}}`, outEnt(`,"` + ent + `":{"manager":{"value":"26"}}`)},
		{"R-19 manager.displayName", `{` + userHead + `,"` + ent + `":{"manager":{"value":"26","displayName":"X"}}}`, outEnt(`,"` + ent + `":{"manager":{"value":"26"}}`)},
		{"P-59 empty manager", `{` + userHead + `,"` + ent + `":{"manager":""}}`, out("")},
		{"S-26 listed without object", `{"schemas":["` + scim.UserSchema + `","` + ent + `"],"userName":"bjensen"}`, out("")},
		{"S-20", `{` + userHead + `,"emails":[{"value":"A@B","type":"WORK"}]}`, out(`,"emails":[{"value":"A@B","type":"work"}]`)},
		{"S-05 not enforced", `{` + userHead + `,"emails":[{"value":"a","type":"Boat"}]}`, out(`,"emails":[{"value":"a","type":"Boat"}]`)},
		{"S-19", `{` + userHead + `,"emails":[{"value":"a","type":"work"},{"value":"A","type":"Work","primary":true},{"value":"a","type":"home"}]}`,
			out(`,"emails":[{"value":"a","type":"work","primary":true},{"value":"a","type":"home"}]`)},
		{"J9 bytes are kept", `{` + userHead + `,"phoneNumbers":[{"value":" +1 (201) 555 "}]}`, out(`,"phoneNumbers":[{"value":" +1 (201) 555 "}]`)},
		{"line breaks in addresses", `{` + userHead + `,"addresses":[{"formatted":"a\nb","country":"US"}]}`, out(`,"addresses":[{"formatted":"a\nb","country":"US"}]`)},
		{"S-24 twice", `{"schemas":["` + scim.UserSchema + `","` + scim.UserSchema + `"],"userName":"bjensen"}`, out("")},
		{"schemas as a string", `{"schemas":"` + scim.UserSchema + `","userName":"bjensen"}`, out("")},
		{"F-31 userName is kept as sent", `{"schemas":["` + scim.UserSchema + `"],"userName":"Ｂjensen"}`, `{"schemas":["` + scim.UserSchema + `"],"userName":"Ｂjensen"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := Decode(user, node(t, c.in), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := encode(d.Resource); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	user, group, thing := userType(t), groupType(t), thingType(t)
	u := func(rest string) string { return `{` + userHead + `,` + rest + `}` }
	th := func(rest string) string { return `{` + thingHead + `,` + rest + `}` }
	cases := []struct {
		name string
		t    *ResourceType
		in   string
		typ  scim.Keyword
		says string
	}{
		{"C-08 no schemas", user, `{"userName":"x"}`, scim.InvalidSyntax, scim.UserSchema},
		{"C-08 empty schemas", user, `{"schemas":[],"userName":"x"}`, scim.InvalidSyntax, scim.UserSchema},
		{"C-08 base URN missing", user, `{"schemas":["` + scim.EnterpriseUserSchema + `"],"userName":"x"}`, scim.InvalidSyntax, scim.UserSchema},
		{"S-24 not strings", user, `{"schemas":[1],"userName":"x"}`, scim.InvalidSyntax, "a number"},
		{"not an object", user, `[]`, scim.InvalidSyntax, "an array"},
		{"S-37 userName missing", user, `{"schemas":["` + scim.UserSchema + `"]}`, scim.InvalidValue, "userName is required"},
		{"R-01 userName empty", user, `{"schemas":["` + scim.UserSchema + `"],"userName":""}`, scim.InvalidValue, "userName"},
		{"R-01 userName blank", user, `{"schemas":["` + scim.UserSchema + `"],"userName":" \t"}`, scim.InvalidValue, "userName"},
		{"R-01 userName null", user, `{"schemas":["` + scim.UserSchema + `"],"userName":null}`, scim.InvalidValue, "userName"},
		{"R-15", group, `{"schemas":["` + scim.GroupSchema + `"]}`, scim.InvalidValue, "displayName is required"},
		{"S-06", user, u(`"active":"yes"`), scim.InvalidValue, "active: expected true or false"},
		{"S-06 number", user, u(`"active":1`), scim.InvalidValue, "active"},
		{"P-32 object for boolean", user, u(`"active":{}`), scim.InvalidValue, "an object"},
		{"C-07 number for string", user, u(`"title":7`), scim.InvalidValue, "title: expected a string, found a number"},
		{"C-07 string for complex", user, u(`"name":"x"`), scim.InvalidValue, "name: expected an object"},
		{"C-07 in an element", user, u(`"emails":[{"value":"a"},{"value":true}]`), scim.InvalidValue, "emails[1].value: expected a string, found a boolean"},
		{"C-07 string as element", user, u(`"emails":["a"]`), scim.InvalidValue, "emails[0]"},
		{"C-07 in an extension", user, u(`"` + scim.EnterpriseUserSchema + `":{"department":1}`), scim.InvalidValue, scim.EnterpriseUserSchema + ":department"},
		{"two values for a single one", user, u(`"title":["a","b"]`), scim.InvalidValue, "title"},
		{"S-18", user, u(`"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]`), scim.InvalidValue, "primary"},
		{"control character", user, u(`"title":"a\u0007"`), scim.InvalidValue, "U+0007"},
		{"R-14 chain", user, u(`"x509Certificates":[{"value":"MAAwAA=="}]`), scim.InvalidValue, "one DER certificate"},
		{"R-14 no DER", user, u(`"x509Certificates":[{"value":"AAAA"}]`), scim.InvalidValue, "one DER certificate"},
		{"S-07 fraction", thing, th(`"count":1.0`), scim.InvalidValue, "count"},
		{"S-07 exponent", thing, th(`"count":1e3`), scim.InvalidValue, "count"},
		{"S-07 too large", thing, th(`"count":9223372036854775808`), scim.InvalidValue, "64 bits"},
		{"S-07 string", thing, th(`"count":"1"`), scim.InvalidValue, "count"},
		{"S-08 string", thing, th(`"weight":"1"`), scim.InvalidValue, "weight"},
		{"S-08 exponent", thing, th(`"weight":1e9999`), scim.InvalidValue, "weight"},
		{"S-09", thing, th(`"born":"2024-01-01"`), scim.InvalidValue, `found "2024-01-01"`},
		{"S-11", thing, th(`"blob":"!!!!"`), scim.InvalidValue, "base64"},
		{"S-11 URL alphabet", thing, th(`"blob":"-_-_"`), scim.InvalidValue, "base64"},
		{"S-12", thing, th(`"link":"not a uri"`), scim.InvalidValue, "URI"},
		{"S-12 percent", thing, th(`"link":"http://x/%zz"`), scim.InvalidValue, "URI"},
		{"S-05 enforced", thing, th(`"color":"blue"`), scim.InvalidValue, "red, green"},
		{"required in an element", thing, th(`"parts":[{"id":"1"},{"note":"n"}]`), scim.InvalidValue, "parts.id is required"},
		{"writeOnly required", thing, `{"schemas":["` + thingURN + `"],"code":"c"}`, scim.InvalidValue, "secret is required"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.t, node(t, c.in), Options{})
			wantError(t, err, c.typ, c.says)
		})
	}
}

func TestDecodeTypes(t *testing.T) {
	thing := thingType(t)
	cases := []struct{ name, in, want string }{
		{"S-07", `"count":-12`, `"count":-12`},
		{"S-08", `"weight":0.50`, `"weight":0.50`},
		{"S-08 integer literal", `"weight":3`, `"weight":3`},
		{"S-10 offset", `"born":"2024-01-31T10:00:00.120+02:00"`, `"born":"2024-01-31T08:00:00.12Z"`},
		{"S-10 no offset", `"born":"2024-01-31T10:00:00"`, `"born":"2024-01-31T10:00:00Z"`},
		{"S-09 end of the day", `"born":"2024-12-31T24:00:00Z"`, `"born":"2025-01-01T00:00:00Z"`},
		{"S-11 unpadded", `"blob":"aGk"`, `"blob":"aGk="`},
		{"S-11 line breaks", `"blob":"aG\r\nk=\n"`, `"blob":"aGk="`},
		{"S-11 only padding", `"blob":"=="`, ``},
		{"S-12 relative", `"link":"Users/1"`, `"link":"Users/1"`},
		{"S-20 enforced", `"color":"RED"`, `"color":"red"`},
		{"simple multi-valued", `"tags":["a","A",null,"","b"]`, `"tags":["a","b"]`},
		{"numbers", `"sizes":[1,2,1]`, `"sizes":[1,2]`},
		{"one for many", `"tags":"a"`, `"tags":["a"]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := Decode(thing, node(t, `{`+thingHead+`,`+c.in+`}`), Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := `{"schemas":["` + thingURN + `"],"code":"c"`
			if c.want != "" {
				want += "," + c.want
			}
			if got := encode(d.Resource); got != want+"}" {
				t.Errorf("got %s, want %s}", got, want)
			}
		})
	}
}

func TestDateTimes(t *testing.T) { // S-09, S-10
	good := map[string]string{
		"2011-05-13T04:42:34Z":           "2011-05-13T04:42:34Z",
		"2011-05-13t04:42:34z":           "2011-05-13T04:42:34Z",
		"2011-05-13T04:42:34.000Z":       "2011-05-13T04:42:34Z",
		"2011-05-13T04:42:34.1234567Z":   "2011-05-13T04:42:34.1234567Z",
		"2011-12-31T23:30:00-01:00":      "2012-01-01T00:30:00Z",
		"2011-05-13T24:00:00.00+02:00":   "2011-05-13T22:00:00Z",
		"2024-02-29T00:00:00+14:00":      "2024-02-28T10:00:00Z",
		"0001-01-01T00:00:00Z":           "0001-01-01T00:00:00Z",
		"2011-05-13T04:42:34.0000000001": "2011-05-13T04:42:34Z",
	}
	for in, want := range good {
		if got, ok := normalDateTime(in); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
	for _, bad := range []string{"", "2024-01-01", "04:42:34Z", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01T25:00:00Z",
		"2024-01-01T24:00:01Z", "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00Z", "2024-01-01T00:00:00,5Z",
		"2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+0200", "2024-01-01T00:00:00+15:00", "2024-01-01T00:00:00+01:60", "12024-01-01T00:00:00Z",
		"2024-01-01T00:00:00Z ", "0001-01-01T00:00:00+01:00", "9999-12-31T23:00:00-02:00", "1706689800"} {
		if got, ok := normalDateTime(bad); ok {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

func TestUnknownAttributes(t *testing.T) { // S-39, J6
	user := newType(t, "User", "/Users", builtin(t, scim.UserSchema).Restrict(func(p string) bool { return p != "nickName" && p != "name.middleName" }))
	in := `{` + userHead + `,"nickName":"B","usrName":"x","name":{"middleName":"M","givenNam":"B"},"` + scim.EnterpriseUserSchema + `":{"department":"d"}}`
	var told []string
	d, err := Decode(user, node(t, in), Options{Warn: func(s string) { told = append(told, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(d.Resource); got != `{`+userHead+`}` {
		t.Errorf("got %s", got)
	}
	all := strings.Join(d.Warnings, "\n")
	for _, says := range []string{"nickName was ignored: it is not served", "usrName was ignored: it is not defined", `did you mean "userName"?`, "name.middleName",
		`did you mean "givenName"?`, scim.EnterpriseUserSchema + " was ignored: it is not served"} {
		if !strings.Contains(all, says) {
			t.Errorf("the warnings do not say %q:\n%s", says, all)
		}
	}
	if !slices.Equal(told, d.Warnings) {
		t.Error("Warn was told something else")
	}
	refused := map[string]string{
		`{` + userHead + `,"usrName":"x"}`:                                             `did you mean "userName"?`,
		`{` + userHead + `,"nickName":"x"}`:                                            "not served by this configuration",
		`{` + userHead + `,"name":{"givenNam":"x"}}`:                                   "name.givenNam",
		`{` + userHead + `,"emails":[{"valu":"x"}]}`:                                   "emails[0].valu",
		`{"schemas":["` + scim.UserSchema + `","urn:example:x"],"userName":"bjensen"}`: "urn:example:x",
	}
	for in, says := range refused {
		_, err := Decode(user, node(t, in), Options{Reject: true})
		wantError(t, err, scim.InvalidSyntax, says)
	}
	if _, err := Decode(user, node(t, `{`+userHead+`,"id":"7","meta":{},"groups":[]}`), Options{Reject: true}); err != nil {
		t.Errorf("C-02 also when unknown attributes are refused: %v", err)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	var in strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&in, `,"unknown%d":1`, i)
	}
	d, err := Decode(userType(t), node(t, `{`+userHead+in.String()+`}`), Options{})
	if err != nil || len(d.Warnings) != mostWarnings+1 || !strings.Contains(d.Warnings[mostWarnings], "not listed") {
		t.Errorf("%v %v", err, d)
	}
	long := strings.Repeat("x", 500) + "\n"
	d, err = Decode(userType(t), node(t, `{`+userHead+`,"`+strings.ReplaceAll(long, "\n", `\n`)+`":1}`), Options{})
	if err != nil || len(d.Warnings[0]) > 250 || strings.Contains(d.Warnings[0], "\n") {
		t.Errorf("a name that a client chose is in the log as it is: %v %q", err, d.Warnings)
	}
}

func TestNodesThatNoReaderMade(t *testing.T) {
	user := userType(t)
	title := user.Layout.Find("title")
	_, err := ParseValue(title, scim.Node{Kind: scim.NodeString, Str: "a\xff"}, Options{})
	wantError(t, err, scim.InvalidValue, "UTF-8")
}

func TestEnvelopeOfKnownClients(t *testing.T) {
	user, group := userType(t), groupType(t)
	entraGroup := `{"schemas":["` + scim.GroupSchema + `","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"8aa1","displayName":"displayName","meta":{"resourceType":"Group"}}`
	for _, reject := range []bool{false, true} { // C-18, J6
		d, err := Decode(group, node(t, entraGroup), Options{Reject: reject})
		if err != nil || len(d.Warnings) > 0 {
			t.Errorf("C-18: %v", err)
		}
	}
	entraUser := `{"schemas":["` + scim.UserSchema + `","urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],"userName":"Test_User",
		"addresses":null,"phoneNumbers":null,"preferredLanguage":null,"title":null,"department":null,"manager":null}`
	d, err := Decode(user, node(t, entraUser), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(d.Warnings, "\n"); !strings.Contains(all, "2.0User") || !strings.Contains(all, "department") {
		t.Errorf("the misspelt URI and the stray attributes are worth a warning: %s", all)
	}
	unlisted := `{` + userHead + `,"` + scim.EnterpriseUserSchema + `":{"department":"d"}}`
	d, err = Decode(user, node(t, unlisted), Options{})
	if err != nil || len(d.Warnings) != 1 || !d.Resource.Get(user.Layout.Extensions[0]).Present() {
		t.Errorf("an extension that schemas does not list: %v %v", err, d)
	}
	_, err = Decode(user, node(t, unlisted), Options{Reject: true})
	wantError(t, err, scim.InvalidSyntax, "schemas does not list")

	okta := `{"schemas":["` + scim.UserSchema + `"],"userName":"test.user@okta.local","name":{"givenName":"Test","familyName":"User"},
		"emails":[{"primary":true,"value":"test.user@okta.local","type":"work"}],"displayName":"Test User","locale":"en-US",
		"externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"1mz050nq","active":true}`
	if d, err = Decode(user, node(t, okta), Options{Reject: true}); err != nil || d.Resource.Get(user.Layout.Resolve("password")).String() != "1mz050nq" {
		t.Errorf("Okta's create: %v", err)
	}
	if _, err = Decode(user, node(t, `{"userName":"x"}`), Options{InferSchemas: true}); err != nil {
		t.Errorf("C-08 lenient: %v", err)
	}
}

func TestRequiredExtension(t *testing.T) { // S-27
	ext := &Schema{ID: "urn:example:ext", Name: "Ext", Attributes: []*scim.Attribute{{Name: "must", Required: true}, {Name: "may"}}}
	for _, c := range []struct {
		required bool
		in, says string
	}{
		{true, `{` + thingHead + `}`, "urn:example:ext is required"},
		{true, `{` + thingHead + `,"urn:example:ext":{"may":"x"}}`, "urn:example:ext:must is required"},
		{true, `{` + thingHead + `,"urn:example:ext":{"must":"x"}}`, ""},
		{false, `{` + thingHead + `}`, ""},
		{false, `{` + thingHead + `,"urn:example:ext":{"may":"x"}}`, "urn:example:ext:must is required"},
	} {
		_, err := Decode(thingType(t, Extension{Schema: ext, Required: c.required}), node(t, c.in), Options{})
		if c.says == "" && err == nil {
			continue
		}
		wantError(t, err, scim.InvalidValue, c.says)
	}
}

func TestWrittenAndNulls(t *testing.T) { // C-04, C-10
	user := userType(t)
	in := `{` + userHead + `,"active":null,"title":"","emails":[],"name":{"givenName":"B","familyName":null},"phoneNumbers":[{"value":"1","type":null}],
		"` + scim.EnterpriseUserSchema + `":{"department":null,"division":"d"},"id":null}`
	d, err := Decode(user, node(t, in), Options{})
	if err != nil {
		t.Fatal(err)
	}
	names := func(attrs []*scim.Attribute) string {
		var out []string
		for _, a := range attrs {
			out = append(out, strings.TrimPrefix(a.Path(), scim.EnterpriseUserSchema))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got, want := names(d.Nulls), ":department active emails name.familyName title"; got != want {
		t.Errorf("C-04: nulls %q, want %q", got, want)
	}
	if got, want := names(d.Written), " :division name name.givenName phoneNumbers userName"; got != want {
		t.Errorf("C-10: written %q, want %q", got, want)
	}
}

func TestSecretsAreNotEchoed(t *testing.T) {
	user := userType(t, func(s *Schema) {
		pw := s.Find("password")
		pw.CanonicalValues, pw.EnforceCanonical = []string{"x"}, true
	})
	for _, in := range []string{`"password":"t1meMa$heen"`, `"password":{"t":"t1meMa$heen"}`, `"password":["t1meMa$heen","b"]`, `"password":"t1meMa$heen\u0001"`} {
		_, err := Decode(user, node(t, `{`+userHead+`,`+in+`}`), Options{Reject: true})
		if err == nil {
			t.Errorf("%s: no error", in)
		} else if strings.Contains(err.Error(), "t1meMa") {
			t.Errorf("%s: the error says %v", in, err)
		}
	}
}

func TestStrictBooleans(t *testing.T) { // P-58
	_, err := Decode(userType(t), node(t, `{`+userHead+`,"active":"True"}`), Options{StrictBooleans: true})
	wantError(t, err, scim.InvalidValue, "active")
}

func TestManyMembers(t *testing.T) { // S-19, P-40
	group := groupType(t)
	in := `{"schemas":["` + scim.GroupSchema + `"],"displayName":"g","members":[{"value":"1","$ref":null,"display":"x"},{"value":"1","type":"user"},{"value":"2","$ref":"any thing"}]}`
	d, err := Decode(group, node(t, in), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `"members":[{"value":"1","type":"User"},{"value":"2","$ref":"any thing"}]`
	if got := encode(d.Resource); !strings.Contains(got, want) {
		t.Errorf("R-18: got %s", got)
	}
}

func TestParseElement(t *testing.T) {
	user := userType(t)
	emails := user.Layout.Find("emails")
	v, err := ParseElement(emails, node(t, `{"value":"a","type":"Work"}`), Options{})
	if err != nil || v.Kind() != scim.KindComplex || v.Get(emails.Find("type")).String() != "work" {
		t.Errorf("%v %v", v, err)
	}
	_, err = ParseElement(emails, node(t, `{"value":{}}`), Options{})
	wantError(t, err, scim.InvalidValue, "emails.value: expected a string, found an object")
	v, err = ParseValue(emails, node(t, `[]`), Options{})
	if err != nil || v.Present() {
		t.Errorf("S-21: %v %v", v, err)
	}
	v, err = ParseValue(user.Layout.ID, node(t, `"abc"`), Options{}) // P-57 compares it
	if err != nil || v.String() != "abc" {
		t.Errorf("P-57: %v %v", v, err)
	}
	groups := user.Layout.Find("groups")
	v, err = ParseValue(groups, node(t, `[{"value":"g","display":"G"}]`), Options{})
	if err != nil || v.Elems()[0].Get(groups.Find("display")).String() != "G" {
		t.Errorf("P-57: the parts of a readOnly attribute are read, to compare them: %v %v", v, err)
	}
}

func TestShuffledMembersAreTheSame(t *testing.T) { // S-15
	user := userType(t)
	a, err := Decode(user, node(t, `{`+userHead+`,"name":{"givenName":"B","familyName":"J"}}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decode(user, node(t, `{"name":{"familyName":"J","givenName":"B"},`+userHead+`}`), Options{})
	if err != nil || !a.Resource.Equal(b.Resource) {
		t.Error("the order of members matters")
	}
}

func FuzzDecode(f *testing.F) {
	user, thing := userType(f), thingType(f)
	for _, s := range []string{`{` + userHead + `}`, `{` + thingHead + `,"born":"2024-01-31T10:00:00","parts":[{"id":"1"}],"sizes":[1,2]}`, `[]`,
		`{` + userHead + `,"emails":[{"value":"a","primary":true},{"value":"A"}],"` + scim.EnterpriseUserSchema + `":{"manager":"26"}}`,
		`{` + thingHead + `,"weight":1e400,"blob":"aGk","link":"a/b","on":"TRUE","tags":["","\u00e9"]}`} {
		f.Add([]byte(s))
	}
	for _, s := range corpus.Texts(f, "FuzzDecode") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := scim.ReadJSON(data, scim.Limits{})
		if err != nil {
			return
		}
		for _, rt := range []*ResourceType{user, thing} {
			d, err := Decode(rt, n, Options{})
			if err != nil {
				if e, ok := err.(*scim.Error); !ok || e.Status != 400 || e.Detail == "" {
					t.Fatalf("%s: %#v", data, err)
				}
				continue
			}
			checkDecoded(t, rt, d)
		}
	})
}

// checkDecoded asserts what holds of everything that was accepted: it is valid,
// its JSON is, and reading that again gives the same resource.
func checkDecoded(t *testing.T, rt *ResourceType, d *Decoded) {
	if err := Validate(d.Resource); err != nil {
		t.Fatalf("accepted, but not valid: %v", err)
	}
	out := scim.AppendResource(nil, d.Resource, nil)
	if !json.Valid(out) {
		t.Fatalf("not JSON: %s", out)
	}
	again, err := Decode(rt, node(t, string(out)), Options{Reject: true, Replace: true})
	if err != nil {
		t.Fatalf("%s is not accepted: %v", out, err)
	}
	second := scim.AppendResource(nil, again.Resource, nil)
	if !reflect.DeepEqual(out, second) {
		t.Fatalf("%s became %s", out, second)
	}
}
