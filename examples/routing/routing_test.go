package routing_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

type object = exampletest.Resource

// TestRouting: different people in two systems, and one of them changes sides.
func TestRouting(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	g := exampletest.Start(t, exampletest.Swap("init: staff.sql", "init: "+filepath.Join(here, "staff.sql")), exampletest.Swap("init: agency.sql", "init: "+filepath.Join(here, "agency.sql")))
	find := func(filter string, want int) object {
		t.Helper()
		found := g.Do(200, "GET", "/Users?filter="+url.QueryEscape(filter), nil)
		if found["totalResults"] != float64(want) {
			t.Fatalf("%s: %v", filter, found)
		}
		if all, _ := found["Resources"].([]any); len(all) > 0 {
			return all[0].(object)
		}
		return nil
	}
	find(`active eq true`, 3)
	find(`userType eq "contractor"`, 1)
	alan := find(`userName eq "alan"`, 1)
	path := "/Users/" + alan["id"].(string)
	patch := func(path string, status int, ops ...any) object {
		t.Helper()
		return g.Do(status, "PATCH", path, object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops})
	}
	side := func(kind string) object { return object{"op": "replace", "path": "userType", "value": kind} }
	for range 2 {
		for _, kind := range []string{"Contractor", "Employee"} {
			if u := patch(path, 200, side(kind)); u["id"] != alan["id"] || u["userType"] != kind || u["active"] != true {
				t.Errorf("alan as %s: %v", kind, u)
			}
			find(`userName eq "alan"`, 1)
			find(`active pr`, 3)
		}
	}
	ada := "/Users/" + find(`userName eq "ada"`, 1)["id"].(string)
	if e := patch(ada, 400, side("Contractor")); e["scimType"] != "invalidValue" {
		t.Errorf("the agency knows no departments: %v", e)
	}
	new := object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "ada", "userType": "Contractor"}
	if e := g.Do(409, "POST", "/Users", new); e["scimType"] != "uniqueness" {
		t.Errorf("a name that is taken in the other place: %v", e)
	}
	g.Do(204, "DELETE", path, nil)
	find(`userName eq "alan"`, 0)
	g.Conform()
}
