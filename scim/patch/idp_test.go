package patch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/scim/schema"
)

const (
	enterprise = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`

	entraUser = `{"id":"48af03ac","externalId":"jyoung","userName":"jyoung","name":{"givenName":"Jo","familyName":"Young"},"active":true,
		"emails":[{"value":"jyoung@x.org","type":"work","primary":true},{"value":"jo@home.org","type":"home"}],
		` + enterprise + `:{"department":"HR","manager":{"value":"boss-1","displayName":"Boss"}}}`

	oktaGroup = `{"id":"abf4dd94-a4c0-4f67-89c9-76b03340cb9b","displayName":"Old",
		"members":[{"value":"89bb1940-b905-4575-9e7f-6f887cfb368e","display":"b"},{"value":"u1091"},
		{"value":"f648f8d5ea4e4cd38e9c"},{"value":"7f4bc1a3-285e-48ae-8202-5accb43efb0e"}]}`
)

// Every PATCH that Entra ID and Okta are known to send, byte for byte, against a
// user or a group. The key is the file in testdata/idp; of before, want changes
// the attributes that it names, and null takes one away; a word is a scimType.
var known = map[string]struct {
	row     string
	want    string
	members bool // MembersOnly
}{
	"entra-update-email-and-name": {"P-05 P-52", `{"emails":[{"value":"updatedEmail@microsoft.com","type":"work","primary":true},{"value":"jo@home.org","type":"home"}],
		"name":{"givenName":"Jo","familyName":"updatedFamilyName"}}`, false},
	"entra-rename":             {"R-22", `{"userName":"5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com"}`, false},
	"entra-disable":            {"P-05", `{"active":false}`, false},
	"entra-disable-default":    {"P-58", `{"active":false}`, false},
	"entra-disable-flag":       {"P-50", `{"active":false}`, false},
	"entra-add-string-default": {"P-37", `{"nickName":"Babs"}`, false},
	"entra-add-string-flag":    {"P-37", `{"nickName":"Babs"}`, false},
	"entra-several-default": {"P-27", `{"displayName":"Pvlo","name":{"givenName":"Gtfd","familyName":"Pkqf"},"externalId":"Eqpj",
		"emails":[{"value":"TestBcwqnm@test.microsoft.com","type":"work","primary":true},{"value":"jo@home.org","type":"home"}],
		` + enterprise + `:{"department":"HR","employeeNumber":"Eqpj","manager":{"value":"boss-1","displayName":"Boss"}}}`, false},
	"entra-several-flag": {"P-56", `{"displayName":"Bjfe","name":{"givenName":"Kkom","familyName":"Unua"},
		"emails":[{"value":"TestMhvaes@test.microsoft.com","type":"work","primary":true},{"value":"jo@home.org","type":"home"}],
		` + enterprise + `:{"department":"HR","employeeNumber":"Aklq","manager":{"value":"boss-1","displayName":"Boss"}}}`, false},
	"entra-remove-member-default": {"P-48 J1", `{"members":[{"value":"89bb1940-b905-4575-9e7f-6f887cfb368e","display":"b"},
		{"value":"f648f8d5ea4e4cd38e9c"},{"value":"7f4bc1a3-285e-48ae-8202-5accb43efb0e"}]}`, true},
	"entra-remove-member-flag": {"P-44", `{"members":[{"value":"89bb1940-b905-4575-9e7f-6f887cfb368e","display":"b"},{"value":"u1091"},
		{"value":"f648f8d5ea4e4cd38e9c"}]}`, true},
	"entra-old-dot-after-urn": {"P-27", `{` + enterprise + `:{"department":"Sales","manager":{"value":"boss-1","displayName":"Boss"}}}`, false},
	"entra-add-for-changed-value": {"P-37", `{"title":"tester","emails":[{"value":"x@joe.com","type":"work","primary":true},
		{"value":"jo@home.org","type":"home"}]}`, false},
	"entra-add-missing-address": {"P-42 J3", `{"addresses":[{"formatted":"1 Main Street","type":"work"}]}`, false},
	"entra-default-mapping-paths": {"P-42 P-59", `{"phoneNumbers":[{"value":"+1 1","type":"work"},{"value":"+1 2","type":"mobile"},{"value":"+1 3","type":"fax"}],
		"addresses":[{"postalCode":"98052","streetAddress":"One Way","type":"work"},{"formatted":"Elsewhere","type":"other"}],
		"emails":[{"value":"jyoung@x.org","type":"work","primary":true},{"value":"jo@home.org","type":"home"},{"value":"o@x.org","type":"other"}],
		` + enterprise + `:{"department":"Sales","employeeNumber":"7","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`, false},
	"entra-null-manager-emails": {"P-54", `{"emails":null,` + enterprise + `:{"department":"HR"}}`, false},
	"entra-null-members":        {"P-54", `{"members":null}`, false},
	"entra-group-rename":        {"P-50", `{"displayName":"1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName"}`, false},
	"entra-add-member":          {"P-39 R-18", `{}`, true}, // is one already
	"entra-remove-member": {"P-48 J1", `{"members":[{"value":"89bb1940-b905-4575-9e7f-6f887cfb368e","display":"b"},{"value":"u1091"},
		{"value":"7f4bc1a3-285e-48ae-8202-5accb43efb0e"}]}`, true},
	"entra-manager":         {"P-59", `{` + enterprise + `:{"department":"HR","manager":{"value":"2819c223-7f76-453a-919d-413861904646"}}}`, false},
	"entra-manager-urn":     {"P-41 P-59", `{` + enterprise + `:{"department":"HR","manager":{"value":"2819c223-7f76-453a-919d-413861904646"}}}`, false},
	"entra-partial-members": {"P-50", `{"members":[{"value":"u9"}]}`, false},
	"entra-role-primary":    {"F-28 P-42", `{"roles":[{"primary":true,"value":"admin"}]}`, false},

	"okta-deactivate":   {"P-49", `{"active":false}`, false},
	"okta-activate":     {"P-49 P-12", `{}`, false},
	"okta-password":     {"P-62", `{"password":"1mz050nq"}`, false},
	"okta-group-rename": {"P-57", `{"displayName":"Test SCIMv2"}`, false},

	"okta-group-rename-other-id": {"P-57", `mutability`, false},
	"okta-membership": {"P-06 P-44", `{"members":[{"value":"u1091"},{"value":"f648f8d5ea4e4cd38e9c"},{"value":"7f4bc1a3-285e-48ae-8202-5accb43efb0e"},
		{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173"}]}`, true},
	"okta-full-push": {"P-50", `{"members":[{"value":"89bb1940-b905-4575-9e7f-6f887cfb368e","display":"b"},
		{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173"}]}`, false},
	"okta-push-empty":                 {"P-54", `{"members":null}`, false},
	"okta-push-empty-without-schemas": {"P-02 P-57", `{"members":null,"displayName":"Test SCIMv2"}`, false},
}

func TestKnownClients(t *testing.T) {
	files, err := filepath.Glob("testdata/idp/*.json")
	if err != nil || len(files) != len(known) {
		t.Fatalf("%d files, %d expectations, %v", len(files), len(known), err)
	}
	user, group := builtin(t, "User"), builtin(t, "Group")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := known[name]
		t.Run(c.row+" "+name, func(t *testing.T) {
			rt, start := user, entraUser
			if strings.Contains(name, "group") || strings.Contains(name, "member") || strings.Contains(name, "push") {
				rt, start = group, oktaGroup
			}
			checkKnown(t, rt, start, string(body), c.want, c.members)
		})
	}
}

func checkKnown(t *testing.T, rt *schema.ResourceType, start, body, want string, members bool) {
	before := resource(t, rt.Layout, start)
	after, err := apply(t, rt, before, body, Options{})
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
		a := rt.Layout.Find(m.Name)
		expected.Set(a, valueOf(t, a, m.Value).Compact())
	}
	if !after.Equal(expected) {
		t.Errorf("got  %s\nwant %s", show(after), show(expected))
	}
	ops, err := Parse(readJSON(t, body), rt, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, only := MembersOnly(ops); only != members {
		t.Errorf("P-64: MembersOnly is %v", only)
	}
}
