package admin

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

var update = flag.Bool("update", false, "rewrite docs/admin-api.yaml")

type object = map[string]any

func described(t *testing.T) object {
	t.Helper()
	var d object
	if err := yaml.Unmarshal(description, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func in(d object, path ...string) object {
	for _, p := range path {
		d, _ = d[p].(object)
	}
	return d
}

// TestDescription: what is served is what is documented.
func TestDescription(t *testing.T) {
	const doc = "../../docs/admin-api.yaml"
	if *update {
		if err := os.WriteFile(doc, description, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(doc); err != nil || string(have) != string(description) {
		t.Errorf("docs/admin-api.yaml is older than openapi.yaml: go test ./gateway/admin -update (%v)", err)
	}
}

// TestRoutesAreDescribed: every route is described with its scope, and nothing
// else is.
func TestRoutesAreDescribed(t *testing.T) {
	d := described(t)
	var want, got, names []string
	for _, r := range routes() {
		want = append(want, r.method+" "+r.path+" "+r.scope)
	}
	for path, item := range in(d, "paths") {
		for method, op := range item.(object) {
			if method == "parameters" {
				continue
			}
			o := op.(object)
			scope, _ := o["x-scope"].(string)
			got = append(got, strings.ToUpper(method)+" "+path+" "+scope)
			name, _ := o["operationId"].(string)
			names = append(names, name)
			if name == "" || o["summary"] == nil || len(in(o, "responses")) == 0 {
				t.Errorf("%s %s: the description is not complete", method, path)
			}
			if open, ok := o["security"].([]any); (scope == "") != (ok && len(open) == 0) {
				t.Errorf("%s %s: scope %q, security %v", method, path, scope, o["security"])
			}
			if scope != "" && in(o, "responses", "default") == nil {
				t.Errorf("%s %s: no problems", method, path)
			}
		}
		for _, m := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(path, -1) {
			params, _ := item.(object)["parameters"].([]any)
			if !slices.ContainsFunc(params, func(p any) bool { return p.(object)["$ref"] == "#/components/parameters/"+m[1] }) {
				t.Errorf("%s: the parameter %s is not described", path, m[1])
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(got) {
		t.Error("two operations have one operationId")
	}
}

func TestReferencesLead(t *testing.T) {
	d := described(t)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$ref: "#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(string(description), -1) {
		used[m[1]+"/"+m[2]] = true
		if in(d, "components", m[1])[m[2]] == nil {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
	for kind := range in(d, "components") {
		for name := range in(d, "components", kind) {
			if kind != "securitySchemes" && !used[kind+"/"+name] {
				t.Errorf("%s/%s is not used", kind, name)
			}
		}
	}
}

// TestSchemasFitTypes: the members of every schema are those of its type.
func TestSchemasFitTypes(t *testing.T) {
	types := map[string]any{"Problem": problem{}, "Identity": identity.Identity{}, "Link": identity.IdentityLink{}, "ExternalID": identity.IdentityID{},
		"Identities": identitiesOut{}, "Federation": provision.Federation{}, "LinkedUser": provision.LinkedUser{}, "Reason": reasonIn{},
		"Merge": mergeIn{}, "Merged": provision.Merged{}, "Split": splitIn{}, "Record": recordIn{}, "Release": releaseIn{}, "Move": identity.Move{},
		"Moves": movesOut{}, "Pending": identity.Pending{}, "PendingList": pendingOut{}, "Retire": retireIn{}, "Task": identity.Task{},
		"Entry": identity.Intent{}, "Journal": journalOut{}, "Settled": settledOut{},
		"Maintenance": identity.Maintenance{}, "MaintenanceOrder": maintenanceIn{}, "Removals": identity.Removals{}, "RemovalsList": removalsOut{}, "Allow": allowIn{},
		"Tenants": tenantsOut{}, "Tenant": Tenant{}, "TenantEvent": identity.TenantChange{}, "TenantSettings": identity.TenantSettings{}, "TenantClient": identity.TenantClient{},
		"TenantToken": identity.TenantToken{}, "TenantRate": identity.TenantRate{}, "TenantRemovals": identity.TenantRemovals{}, "TenantAdd": tenantAddIn{},
		"TenantChange": tenantChangeIn{}, "TenantRemoved": TenantRemoved{}, "TenantPurged": identity.Purged{},
		"Tasks": tasksOut{}, "Work": workOut{}, "ScanOrder": scanIn{}, "Scan": identity.Scan{}, "Scans": scansOut{}, "Finding": identity.Finding{},
		"Findings": findingsOut{}, "KeyChange": provision.KeyChange{}, "Rekey": rekeyIn{}, "RekeyRow": provision.RekeyRow{}, "RekeyReport": provision.RekeyReport{}}
	d := described(t)
	for name := range in(d, "components", "schemas") {
		if types[name] == nil {
			t.Errorf("schema %s has no type", name)
		}
	}
	for name, v := range types {
		var got []string
		for p := range in(d, "components", "schemas", name, "properties") {
			got = append(got, p)
		}
		want := members(reflect.TypeOf(v))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: described %v, sent %v", name, got, want)
		}
	}
}

// members are the names in the JSON of a structure.
func members(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			names = append(names, members(f.Type)...)
		case f.IsExported() && name != "-":
			names = append(names, name)
		}
	}
	return names
}
