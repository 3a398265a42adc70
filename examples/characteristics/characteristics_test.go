package characteristics_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

const (
	machine  = "urn:example:scim:schemas:Machine"
	warranty = "urn:example:scim:schemas:Warranty"
)

type object = exampletest.Resource

// TestCharacteristics: what the file declares is what is served.
func TestCharacteristics(t *testing.T) {
	g := start(t)
	for _, check := range []func(*testing.T, *exampletest.Gateway){declared, types, mutability, returned, uniqueness, required, reference} {
		check(t, g)
	}
}

func start(t *testing.T) *exampletest.Gateway {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return exampletest.Start(t, exampletest.Swap("init: machines.sql", "init: "+filepath.Join(here, "machines.sql")))
}

// lathe is a machine with a value for everything that clients can write.
func lathe(serial string) object {
	return object{"schemas": []string{machine, warranty}, "serial": serial, "label": "Lathe " + serial, "ports": 4, "weight": 12.75, "online": true, "bought": "2024-02-29T10:11:12Z",
		"firmware": "AQIDBA==", "manual": "https://example.com/lathe.pdf", "state": "new", "colour": "mauve", "pin": "4711", "note": "squeaks", "model": "L1",
		"tags": []any{"metal", "heavy"}, "place": object{"room": "B2", "rack": 3},
		"links":  []any{object{"value": "https://shop.example.com/", "type": "shop", "primary": true}, object{"value": "https://help.example.com/", "type": "help"}},
		warranty: object{"until": "2027-01-31T00:00:00Z", "company": "Example"}}
}

func make201(g *exampletest.Gateway, o object) (path string, made object) {
	made = g.Do(201, "POST", "/Machines", o)
	return "/Machines/" + made["id"].(string), made
}

// definitions are all attributes of a schema, parts with their parent's name.
func definitions(list any, under string, into map[string]object) {
	all, _ := list.([]any)
	for _, e := range all {
		a := e.(map[string]any)
		name := under + a["name"].(string)
		into[name] = a
		definitions(a["subAttributes"], name+".", into)
	}
}

// declared: /Schemas says what the file says (S-03, D-13), and ResourceTypes
// that the extension is required (D-10).
func declared(t *testing.T, g *exampletest.Gateway) {
	got := map[string]object{}
	definitions(g.Do(200, "GET", "/Schemas/"+machine, nil)["attributes"], "", got)
	for name, want := range map[string]object{
		"serial":        {"type": "string", "multiValued": false, "required": true, "caseExact": true, "mutability": "immutable", "returned": "default", "uniqueness": "server", "description": "As it is engraved."},
		"label":         {"type": "string", "required": true, "caseExact": false, "mutability": "readWrite", "uniqueness": "global"},
		"ports":         {"type": "integer", "uniqueness": "none", "required": false},
		"weight":        {"type": "decimal"},
		"online":        {"type": "boolean"},
		"bought":        {"type": "dateTime"},
		"firmware":      {"type": "binary"},
		"manual":        {"type": "reference", "referenceTypes": []any{"external"}},
		"state":         {"canonicalValues": []any{"new", "used", "broken"}},
		"colour":        {"canonicalValues": []any{"red", "green"}},
		"pin":           {"mutability": "writeOnly", "returned": "never"},
		"note":          {"returned": "request"},
		"model":         {"returned": "always"},
		"started":       {"type": "integer", "mutability": "readOnly"},
		"tags":          {"type": "string", "multiValued": true},
		"place":         {"type": "complex", "multiValued": false},
		"place.room":    {"type": "string", "caseExact": true},
		"place.rack":    {"type": "integer"},
		"links":         {"type": "complex", "multiValued": true},
		"links.value":   {"type": "reference", "referenceTypes": []any{"uri"}},
		"links.type":    {"canonicalValues": []any{"shop", "help"}},
		"replaces.$ref": {"type": "reference", "referenceTypes": []any{"Machine"}},
	} {
		for k, v := range want {
			if !reflect.DeepEqual(got[name][k], v) {
				t.Errorf("%s: %s is %v, want %v", name, k, got[name][k], v)
			}
		}
	}
	typ := g.Do(200, "GET", "/ResourceTypes/Machine", nil)
	if want := []any{object{"schema": warranty, "required": true}}; typ["endpoint"] != "/Machines" || typ["schema"] != machine || !reflect.DeepEqual(typ["schemaExtensions"], want) {
		t.Errorf("the resource type is %v", typ)
	}
	g.Conform()
}

// types: every data type comes back as it was sent, and takes nothing else
// (S-04 to S-12).
func types(t *testing.T, g *exampletest.Gateway) {
	sent := lathe("T-1")
	path, made := make201(g, sent)
	shown := g.Do(200, "GET", path+"?attributes="+"serial,label,ports,weight,online,bought,firmware,manual,state,colour,model,tags,place,links,note,"+warranty, nil)
	for name, v := range sent {
		if name == "pin" || name == "schemas" {
			continue
		}
		if !exampletest.Equal(shown[name], v) {
			t.Errorf("%s is %v, want %v", name, shown[name], v)
		}
	}
	if made["note"] != "squeaks" {
		t.Errorf("C-10: who wrote the note is shown %v", made["note"])
	}
	for name, bad := range map[string]any{"ports": 1.5, "weight": "heavy", "online": "perhaps", "bought": "2024-02-29", "firmware": "!", "manual": "no uri", "state": "lost",
		"tags": []any{true}, "place": object{"rack": "x"}, "serial": 7} {
		o := lathe("T-2")
		o[name] = bad
		if status, e := g.Try("POST", "/Machines", o); status != 400 || e["scimType"] != "invalidValue" {
			t.Errorf("%v as %s: status %d, %v", bad, name, status, e)
		}
	}
	for _, filter := range []string{"ports gt 3", "weight lt 12.8", "online eq true", `bought eq "2024-02-29T11:11:12+01:00"`, `manual ew ".pdf"`, `tags eq "heavy"`, `place.rack eq 3`,
		`links[type eq "help" and value co "help"]`, warranty + `:until ge "2027-01-31T00:00:00Z"`, `colour eq "MAUVE"`} {
		if got := g.Find("/Machines", `serial eq "T-1" and `+filter); len(got) != 1 {
			t.Errorf("%s finds %v", filter, got)
		}
	}
}

// mutability: who may change what, and when (S-29, C-13, U-05, P-30, P-31).
func mutability(t *testing.T, g *exampletest.Gateway) {
	o := lathe("M-1")
	o["started"] = 99
	path, made := make201(g, o)
	if made["started"] != 0.0 || made["serial"] != "M-1" {
		t.Errorf("made is %v", made)
	}
	refused := func(name string, v any) {
		t.Helper()
		body := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []exampletest.Op{{Op: "replace", Path: name, Value: v}}}
		if status, e := g.Try("PATCH", path, body); status != 400 || e["scimType"] != "mutability" {
			t.Errorf("PATCH of %s: status %d, %v", name, status, e)
		}
	}
	refused("started", 5)
	refused("serial", "M-2")
	o["serial"] = "M-2"
	if status, e := g.Try("PUT", path, o); status != 400 || e["scimType"] != "mutability" {
		t.Errorf("PUT of another serial: status %d, %v", status, e)
	}
	g.Patch(path, exampletest.Op{Op: "replace", Path: "pin", Value: "1234"}, exampletest.Op{Op: "replace", Path: "ports", Value: 8})
	if now := g.Do(200, "GET", path, nil); now["serial"] != "M-1" || now["started"] != 0.0 || now["ports"] != 8.0 || now["pin"] != nil {
		t.Errorf("afterwards: %v", now)
	}
}

// returned: what is shown when (S-30, A-02, A-03, A-07).
func returned(t *testing.T, g *exampletest.Gateway) {
	path, _ := make201(g, lathe("R-1"))
	for query, want := range map[string][4]bool{ // colour (default), model (always), note (request), pin (never)
		"":                                 {true, true, false, false},
		"?attributes=note,pin":             {false, true, true, false},
		"?attributes=colour":               {true, true, false, false},
		"?excludedAttributes=colour,model": {false, true, false, false},
	} {
		r := g.Do(200, "GET", path+query, nil)
		for i, name := range []string{"colour", "model", "note", "pin"} {
			if shown := r[name] != nil; shown != want[i] {
				t.Errorf("%s with %q: shown %t, want %t", name, query, shown, want[i])
			}
		}
	}
}

// uniqueness: of what, and whether case counts (S-28, S-31, C-05, F-13, F-37).
func uniqueness(t *testing.T, g *exampletest.Gateway) {
	make201(g, lathe("u-1"))
	make201(g, lathe("U-2"))
	conflict := func(serial, label string) int {
		o := lathe(serial)
		o["label"] = label
		status, _ := g.Try("POST", "/Machines", o)
		return status
	}
	if a, b, c := conflict("u-1", "Other"), conflict("u-3", "LATHE U-1"), conflict("U-1", "Another"); a != 409 || b != 409 || c != 201 {
		t.Errorf("the same serial %d, the same label %d, a serial in other letters %d; want 409, 409, 201", a, b, c)
	}
	for filter, want := range map[string]int{`serial eq "u-1"`: 1, `serial eq "U-2"`: 1, `serial eq "u-2"`: 0, `label eq "lathe U-2"`: 1,
		`serial eq "u-1" and place.room eq "b2"`: 0, `serial eq "u-1" and place.room eq "B2"`: 1} {
		if got := g.Find("/Machines", filter); len(got) != want {
			t.Errorf("%s finds %d, want %d", filter, len(got), want)
		}
	}
}

// required: attributes, and the extension (S-27, S-37).
func required(t *testing.T, g *exampletest.Gateway) {
	for _, without := range []string{"serial", "label", warranty, "until"} {
		o := lathe("Q-1")
		delete(o[warranty].(object), without)
		delete(o, without)
		if status, e := g.Try("POST", "/Machines", o); status != 400 || e["scimType"] != "invalidValue" {
			t.Errorf("without %s: status %d, %v", without, status, e)
		}
	}
	path, _ := make201(g, lathe("Q-1"))
	body := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []exampletest.Op{{Op: "remove", Path: warranty + ":until"}}}
	if status, e := g.Try("PATCH", path, body); status != 400 {
		t.Errorf("removing until: status %d, %v", status, e)
	}
}

// reference: a machine refers to another by its id, never by the table's key.
func reference(t *testing.T, g *exampletest.Gateway) {
	path, old := make201(g, lathe("F-1"))
	o := lathe("F-2")
	o["replaces"] = object{"value": old["id"]}
	_, made := make201(g, o)
	if got := made["replaces"].(object); got["value"] != old["id"] || filepath.Base(got["$ref"].(string)) != filepath.Base(path) {
		t.Errorf("replaces is %v", got)
	}
	if got := g.Find("/Machines", `replaces.value eq "`+old["id"].(string)+`"`); len(got) != 1 || got[0]["id"] != made["id"] {
		t.Errorf("found are %v", got)
	}
}
