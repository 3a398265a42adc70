package several_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

type object = exampletest.Resource

// TestSeveral: one person in two systems, and the mail system owns the address.
func TestSeveral(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	g := exampletest.Start(t, exampletest.Swap("init: staff.sql", "init: "+filepath.Join(here, "staff.sql")), exampletest.Swap("init: mail.sql", "init: "+filepath.Join(here, "mail.sql")))
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
	find(`emails.value eq "ADA@example.com" and active eq true`, 1)
	find(`emails.value ew "@example.com"`, 2)
	find(`not (emails pr)`, 1)

	new := object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "lise.meitner",
		"emails": []any{object{"value": "turing@example.com", "type": "work"}}}
	if e := g.Do(409, "POST", "/Users", new); e["scimType"] != "uniqueness" {
		t.Errorf("an address that is taken: %v", e)
	}
	find(`userName eq "lise.meitner"`, 0)
	new["emails"] = []any{object{"value": "lise@example.com", "type": "work"}}
	path := "/Users/" + g.Do(201, "POST", "/Users", new)["id"].(string)
	find(`emails.value eq "lise@example.com"`, 1)

	patch := func(status int, ops ...any) object {
		t.Helper()
		return g.Do(status, "PATCH", path, object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops})
	}
	patch(409, object{"op": "replace", "path": "name.givenName", "value": "Lise"}, object{"op": "replace", "path": `emails[type eq "work"].value`, "value": "ada@example.com"})
	if u := g.Do(200, "GET", path, nil); u["name"] != nil {
		t.Errorf("a change that the mail system refused: %v", u)
	}
	patch(200, object{"op": "replace", "path": "userName", "value": "lise.m"}) // the mailbox follows
	find(`userName eq "lise.m" and emails.value eq "lise@example.com"`, 1)
	g.Do(204, "DELETE", path, nil)
	new["userName"] = "lise.m"
	path = "/Users/" + g.Do(201, "POST", "/Users", new)["id"].(string) // the address is free again
	g.Do(204, "DELETE", path, nil)
	g.Conform()
}
