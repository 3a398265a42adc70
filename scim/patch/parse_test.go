package patch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

const patchOp = `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`

// patchBody is a body with these operations.
func patchBody(ops ...string) string {
	return "{" + patchOp + `,"Operations":[` + strings.Join(ops, ",") + "]}"
}

func TestParseRefuses(t *testing.T) {
	user := builtin(t, "User")
	op := func(ops ...string) string { return patchBody(ops...) }
	cases := []struct{ row, body, typ, says string }{
		{"P-02 wrong URN", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"Operations":[{"op":"add","path":"title","value":"x"}]}`, "invalidSyntax", "PatchOp"},
		{"P-02 string", `{"schemas":"urn:ietf:params:scim:api:messages:2.0:PatchOp","Operations":[{"op":"add","path":"title","value":"x"}]}`, "invalidSyntax", "array"},
		{"P-02 numbers", `{"schemas":[1],"Operations":[{"op":"add","path":"title","value":"x"}]}`, "invalidSyntax", "PatchOp"},
		{"P-03 array body", `[]`, "invalidSyntax", "JSON object"},
		{"P-03 none", `{` + patchOp + `}`, "invalidSyntax", "Operations"},
		{"P-03 empty", op(), "invalidSyntax", "at least one"},
		{"P-03 object", `{` + patchOp + `,"Operations":{"op":"add"}}`, "invalidSyntax", "array"},
		{"P-03 no objects", op(`"add"`), "invalidSyntax", "Operations[0]: An operation must be an object"},
		{"P-04 move", op(`{"op":"move","path":"title","value":"x"}`), "invalidSyntax", `Operations[0]: The op "move"`},
		{"P-04 second", op(`{"op":"add","path":"title","value":"x"}`, `{"op":"test","path":"title"}`), "invalidSyntax", "Operations[1]: "},
		{"P-04 none", op(`{"path":"title","value":"x"}`), "invalidSyntax", "op is missing"},
		{"P-04 null", op(`{"op":null,"path":"title","value":"x"}`), "invalidSyntax", "op is missing"},
		{"P-22 remove without path", op(`{"op":"remove"}`), "noTarget", "needs a path"},
		{"P-22 remove with value only", op(`{"op":"remove","value":{"members":[]}}`), "noTarget", "needs a path"},
		{"P-23 open bracket", op(`{"op":"add","path":"emails[","value":"x"}`), "invalidPath", "character"},
		{"P-23 number", op(`{"op":"add","path":7,"value":"x"}`), "invalidPath", "string"},
		{"P-23 rubbish after", op(`{"op":"add","path":"emails[type eq \"work\"]x","value":"x"}`), "invalidPath", "character 23"},
		{"P-23 slash", op(`{"op":"add","path":"/emails/0","value":"x"}`), "invalidPath", "character 1"},
		{"P-23 space", op(`{"op":"add","path":" title","value":"x"}`), "invalidPath", "character 1"},
		{"P-24 operator", op(`{"op":"remove","path":"emails[type zz \"x\"]"}`), "invalidFilter", "zz"},
		{"P-24 attribute", op(`{"op":"remove","path":"emails[kind eq \"x\"]"}`), "invalidFilter", "kind"},
		{"P-24 type", op(`{"op":"remove","path":"emails[primary eq 7]"}`), "invalidFilter", "primary"},
		{"P-25 unknown", op(`{"op":"add","path":"foo.bar","value":"x"}`), "invalidPath", `no attribute "foo.bar"`},
		{"P-25 nearest", op(`{"op":"add","path":"name.gvenName","value":"x"}`), "invalidPath", `did you mean "name.givenName"?`},
		{"P-25 sub", op(`{"op":"add","path":"emails[type eq \"work\"].valu","value":"x"}`), "invalidPath", `"emails.valu"`},
		{"P-25 too deep", op(`{"op":"add","path":"name.givenName.x","value":"x"}`), "invalidPath", "no attribute"},
		{"P-25 foreign URN", op(`{"op":"add","path":"urn:x:y:User:foo","value":"x"}`), "invalidPath", "no attribute"},
		{"P-26 index", op(`{"op":"remove","path":"emails[0]"}`), "invalidPath", "character"},
		{"P-20 filter on a single value", op(`{"op":"remove","path":"title[value eq \"x\"]"}`), "invalidPath", "not multi-valued"},
		{"P-20 filter on a complex value", op(`{"op":"remove","path":"name[givenName eq \"x\"]"}`), "invalidPath", "not multi-valued"},
		{"P-20 filter on a sub-attribute", op(`{"op":"remove","path":"emails.value[value eq \"x\"]"}`), "invalidPath", "not multi-valued"},
		{"P-32 boolean", op(`{"op":"replace","path":"active","value":{}}`), "invalidValue", "active"},
		{"P-32 in an element", op(`{"op":"add","path":"emails","value":[{"value":{}}]}`), "invalidValue", "emails[0].value"},
		{"P-32 scalar for complex", op(`{"op":"add","path":"name","value":true}`), "invalidValue", "name"},
		{"P-32 two where one belongs", op(`{"op":"add","path":"emails[type eq \"work\"]","value":[{"value":"a"},{"value":"b"}]}`), "invalidValue", "emails"},
		{"P-35 add", op(`{"op":"add","path":"title"}`), "invalidValue", "needs a value"},
		{"P-35 replace", op(`{"op":"replace","path":"title"}`), "invalidValue", "needs a value"},
		{"P-35 without path", op(`{"op":"replace"}`), "invalidValue", "needs a value"},
		{"P-36 no object", op(`{"op":"add","value":[1]}`), "invalidValue", "object"},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			ops, err := Parse(readJSON(t, c.body), user, Options{})
			if err == nil {
				t.Fatalf("accepted: %+v", ops)
			}
			if keyword(err) != c.typ || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s ... %s", err, c.typ, c.says)
			}
		})
	}
}

// Five kinds of path (P-20), with and without URN, in any case (P-27..P-29).
func TestPaths(t *testing.T) {
	user := builtin(t, "User")
	cases := []struct {
		path, attr, sub string
		where           bool
	}{
		{"userName", "userName", "", false},
		{"USERNAME", "userName", "", false},
		{"name.familyName", "name.familyName", "", false},
		{"emails", "emails", "", false},
		{`emails[type eq "work"]`, "emails", "", true},
		{`emails[TYPE EQ "Work"]`, "emails", "", true},
		{`emails[type eq "work" and value co "@x.org"].display`, "emails", "display", true},
		{"emails.display", "emails", "display", false},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName", "", false},
		{"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "name.givenName", "", false},
		{`urn:ietf:params:scim:schemas:core:2.0:user:emails[type eq "work"].value`, "emails", "value", true},
		{scim.EnterpriseUserSchema, scim.EnterpriseUserSchema, "", false},
		{scim.EnterpriseUserSchema + ":department", scim.EnterpriseUserSchema + ":department", "", false},
		{"URN:ietf:params:scim:schemas:extension:Enterprise:2.0:user:Manager.Value", scim.EnterpriseUserSchema + ":manager.value", "", false},
		{"meta.created", "meta.created", "", false},
		{"schemas", "schemas", "", false},
		{`schemas[value eq "urn:x"]`, "schemas", "", true},
		{`schemas eq "urn:x"`, "schemas", "", true}, // P-21
	}
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			ops, err := Parse(readJSON(t, patchBody(fmt.Sprintf(`{"op":"remove","path":%q}`, c.path))), user, Options{})
			if err != nil || len(ops) != 1 {
				t.Fatalf("%+v, %v", ops, err)
			}
			o, sub := ops[0], ""
			if o.Sub != nil {
				sub = o.Sub.Name
			}
			if o.Attr.Path() != c.attr && o.Attr.Name != c.attr || sub != c.sub || (o.Where != nil) != c.where {
				t.Errorf("got %s, sub %q, where %v", o.Attr.Path(), sub, o.Where)
			}
		})
	}
}

// What the configuration leaves out is dropped with a warning, or refused on
// request; what nobody defines is refused in a path and left out of a value.
func TestUnserved(t *testing.T) {
	base, _ := schema.Builtin(scim.UserSchema)
	served := base.Restrict(func(path string) bool { return path == "userName" || path == "active" })
	rt, err := schema.NewResourceType("User", "/Users", "", served, nil)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ row, op, typ, rejected, warning string }{
		{"path", `{"op":"add","path":"nickName","value":"x"}`, "", "invalidPath", `"nickName" is not served`},
		{"path with filter", `{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}`, "", "invalidPath", `"emails.value" is not served`},
		{"extension", `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"x"}`, "", "invalidPath", "is not served"},
		{"extension without URN", `{"op":"add","path":"manager","value":"x"}`, "", "invalidPath", "is not served"},
		{"P-25 unknown path", `{"op":"add","path":"nikName","value":"x"}`, "invalidPath", "invalidPath", ""},
		{"S-39 member", `{"op":"add","value":{"nickName":"x"}}`, "", "invalidSyntax", "nickName"},
		{"S-39 unknown member", `{"op":"add","value":{"foo":"x"}}`, "", "invalidSyntax", "foo"},
		{"S-39 unknown URN", `{"op":"add","value":{"urn:x:y":{"a":1}}}`, "", "invalidSyntax", "urn:x:y"},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			var warnings []string
			body := patchBody(c.op, `{"op":"replace","path":"active","value":false}`)
			ops, err := Parse(readJSON(t, body), rt, Options{Warn: func(s string) { warnings = append(warnings, s) }})
			if c.typ != "" {
				if err == nil || keyword(err) != c.typ {
					t.Errorf("got %v", err)
				}
			} else if err != nil || len(ops) != 1 || ops[0].Index != 1 {
				t.Errorf("got %+v, %v", ops, err)
			}
			if all := strings.Join(warnings, "\n"); !strings.Contains(all, c.warning) || (c.warning != "" && !strings.HasPrefix(all, "Operations[0]: ")) {
				t.Errorf("warnings: %q", all)
			}
			if _, err := Parse(readJSON(t, body), rt, Options{Reject: true}); err == nil || keyword(err) != c.rejected {
				t.Errorf("Reject: got %v", err)
			}
		})
	}
}

// Each rewrite is used on the habit it is for, is named, and is refused or left
// alone when the client is to be strict.
func TestRewrites(t *testing.T) {
	user, group := builtin(t, "User"), builtin(t, "Group")
	cases := []struct {
		name, body string
		rt         *schema.ResourceType
		strict     string // scimType, or "" if it is read the same
	}{
		{"missing-schemas", `{"Operations":[{"op":"replace","path":"active","value":false}]}`, user, "invalidSyntax"},
		{"missing-schemas", `{"schemas":[],"Operations":[{"op":"replace","path":"active","value":false}]}`, user, "invalidSyntax"},
		{"op-case", patchBody(`{"op":"REPLACE","path":"active","value":false}`), user, ""},
		{"empty-path", patchBody(`{"op":"replace","path":"","value":{"active":false}}`), user, "invalidPath"},
		{"wrapped-object", patchBody(`{"op":"replace","value":[{"active":false}]}`), user, "invalidValue"},
		{"key-as-path", patchBody(`{"op":"replace","value":{"name.givenName":"x"}}`), user, "left out"},
		{"name-without-urn", patchBody(`{"op":"replace","path":"department","value":"x"}`), user, "invalidPath"},
		{"array-of-one", patchBody(`{"op":"replace","path":"title","value":["x"]}`), user, "invalidValue"},
		{"empty-string", patchBody(`{"op":"replace","path":"title","value":""}`), user, ""},
		{"string-boolean", patchBody(`{"op":"replace","path":"active","value":"False"}`), user, "invalidValue"},
		{"bare-value", patchBody(`{"op":"replace","path":"` + scim.EnterpriseUserSchema + `:manager","value":"x"}`), user, "invalidValue"},
		{"one-for-many", patchBody(`{"op":"add","path":"emails","value":{"value":"x"}}`), user, "invalidValue"},
		{"empty-reference", patchBody(`{"op":"replace","path":"` + scim.EnterpriseUserSchema + `:manager","value":{}}`), user, "left out"},
		{"server-ref", patchBody(`{"op":"add","path":"members","value":[{"$ref":null,"value":"x"}]}`), group, ""},
		{"remove-list", patchBody(`{"op":"remove","path":"members","value":[{"value":"x"}]}`), group, ""},
		{"remove-value-ignored", patchBody(`{"op":"remove","path":"title","value":"x"}`), user, ""},
	}
	tested := map[string]bool{}
	for _, c := range cases {
		tested[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			ops, err := Parse(readJSON(t, c.body), c.rt, Options{})
			if err != nil || len(ops) != 1 || !slices.Contains(ops[0].Rewrites, c.name) {
				t.Fatalf("got %+v, %v", ops, err)
			}
			ops, err = Parse(readJSON(t, c.body), c.rt, Options{Strict: true})
			switch {
			case c.strict == "left out":
				if err != nil || len(ops) != 0 {
					t.Errorf("Strict: got %+v, %v", ops, err)
				}
			case c.strict == "":
				if err != nil || len(ops) != 1 {
					t.Errorf("Strict: got %+v, %v", ops, err)
				}
			case err == nil || keyword(err) != c.strict:
				t.Errorf("Strict: got %v, want %s", err, c.strict)
			}
		})
	}
	for _, r := range Rewrites() {
		if !tested[r.Name] || r.Doc == "" {
			t.Errorf("rewrite %q is not tested or not documented", r.Name)
		}
	}
}

func TestLimits(t *testing.T) {
	group := builtin(t, "Group")
	many := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	op := `{"op":"add","path":"members","value":[{"value":"x"}]}`
	cases := []struct {
		row, body string
		o         Options
		status    int
	}{
		{"P-13 operations", patchBody(many(3, op)), Options{Operations: 2}, 413},
		{"P-13 operations at the limit", patchBody(many(2, op)), Options{Operations: 2}, 0},
		{"P-13 default operations", patchBody(many(5001, op)), Options{}, 413},
		{"P-13 values", patchBody(`{"op":"add","path":"members","value":[` + many(3, `{"value":"x"}`) + `]}`), Options{Values: 2}, 413},
		{"P-13 values to remove", patchBody(`{"op":"remove","path":"members","value":[` + many(3, `{"value":"x"}`) + `]}`), Options{Values: 2}, 413},
		{"P-14 ten thousand members", patchBody(`{"op":"add","path":"members","value":[` + many(10_000, `{"value":"x"}`) + `]}`), Options{}, 0},
	}
	for _, c := range cases {
		t.Run(c.row, func(t *testing.T) {
			_, err := Parse(readJSON(t, c.body), group, c.o)
			if status := statusOf(err); status != c.status {
				t.Errorf("got %v", err)
			}
		})
	}
}

func statusOf(err error) int {
	if e, ok := err.(*scim.Error); ok {
		return e.Status
	}
	if err != nil {
		return -1
	}
	return 0
}
