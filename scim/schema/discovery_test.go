package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/scim"
)

const base = "https://example.com/scim/v2"

// updating rewrites the golden files: go test ./scim/schema -run Golden -update.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the golden files")
	flag.Parse()
	os.Exit(m.Run())
}

func TestGoldenDiscovery(t *testing.T) {
	user, group := userType(t), groupType(t)
	types := []*ResourceType{user, group}
	cases := map[string]scim.Node{
		"ResourceTypes":         ListNode(ResourceTypeNodes(types, base)),
		"ServiceProviderConfig": ServiceProviderConfig(sampleConfig(), base+"/"),
	}
	for _, urn := range BuiltinURNs() {
		s, _ := Builtin(urn)
		name := "Schema-" + s.Name
		cases[name] = SchemaNode(s, base)
	}
	for name, node := range cases {
		t.Run(name, func(t *testing.T) { golden(t, name, node) })
	}
}

func golden(t *testing.T, name string, n scim.Node) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, scim.AppendNode(nil, n), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	file := filepath.Join("testdata", "golden", name+".json")
	if updating() {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs; if that is wanted, run with -update:\n%s", file, got.String())
	}
}

func sampleConfig() ProviderConfig {
	return ProviderConfig{
		DocumentationURI: "https://example.com/help", Patch: true, Filter: true, FilterMaxResults: 1000, ETag: true,
		Authentication: []AuthenticationScheme{{Type: "oauthbearertoken", Name: "Bearer token", Description: "A token per client.",
			SpecURI: "https://www.rfc-editor.org/info/rfc6750", Primary: true}},
		Pagination: &Pagination{Index: true, DefaultMethod: "index", DefaultPageSize: 100, MaxPageSize: 1000},
	}
}

// field reads a member of a node by a path of names.
func field(t *testing.T, n scim.Node, path ...string) scim.Node {
	t.Helper()
	for _, p := range path {
		m, ok := n.Find(p)
		if !ok {
			t.Fatalf("there is no member %s", p)
		}
		n = m
	}
	return n
}

func TestSchemasListsEachOnce(t *testing.T) { // D-05, D-08, D-09
	user := userType(t)
	nodes := SchemaNodes([]*ResourceType{user, groupType(t), user}, base)
	ids := map[string]int{}
	for _, n := range nodes {
		id := field(t, n, "id").Str
		ids[id]++
		if strings.HasPrefix(id, "urn:ietf:params:scim:api:") {
			t.Errorf("D-08: %s is listed", id)
		}
		if got := field(t, n, "meta", "location").Str; got != base+"/Schemas/"+id {
			t.Errorf("D-12: location %s", got)
		}
	}
	for _, urn := range append(user.Layout.URNs(), scim.GroupSchema) {
		if ids[urn] != 1 {
			t.Errorf("D-05, D-09: %s is listed %d times", urn, ids[urn])
		}
	}
	if got := field(t, ListNode(nodes), "totalResults").Str; got != "3" {
		t.Errorf("totalResults %s", got)
	}
}

func TestDiscoveryHasNoNulls(t *testing.T) { // D-14
	var walk func(n scim.Node)
	walk = func(n scim.Node) {
		if n.Kind == scim.NodeNull || n.Kind == scim.NodeString && n.Str == "" {
			t.Error("D-14: a null or an empty string")
		}
		for _, i := range n.Items {
			walk(i)
		}
		for _, m := range n.Members {
			walk(m.Value)
		}
	}
	types := []*ResourceType{userType(t), groupType(t)}
	walk(ListNode(SchemaNodes(types, base)))
	walk(ListNode(ResourceTypeNodes(types, base)))
	walk(ServiceProviderConfig(ProviderConfig{}, base))
}

func TestConfigTellsTheTruth(t *testing.T) { // D-01, D-02, D-18
	for _, on := range []bool{true, false} {
		c := ProviderConfig{Patch: on, Bulk: on, Filter: on, ChangePassword: on, Sort: on, ETag: on,
			More: []scim.Member{{Name: "securityEvents", Value: scim.Node{Kind: scim.NodeObject}}}}
		n := ServiceProviderConfig(c, base)
		for _, feature := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
			if got := field(t, n, feature, "supported").IsTrue(); got != on {
				t.Errorf("D-02: %s is %v", feature, got)
			}
		}
		if field(t, n, "authenticationSchemes").Kind != scim.NodeArray {
			t.Error("D-01: authenticationSchemes is no array")
		}
		field(t, n, "securityEvents")
	}
}
