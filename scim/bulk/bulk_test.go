package bulk

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/internal/corpus"
	"github.com/postern/postern/scim"
)

const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],`

func parse(t *testing.T, body string) (*Request, error) {
	t.Helper()
	return Parse([]byte(body), Limits{Operations: 3})
}

// TestEnvelope: B-02, B-05, B-14, B-15, the request as a whole.
func TestEnvelope(t *testing.T) {
	post := func(id string) string { return `{"method":"post","path":"/Users","bulkId":"` + id + `","data":{}}` }
	for body, want := range map[string]int{
		head + `"Operations":[` + post("a") + `]}`:                                                               0,
		head + `"failOnErrors":1,"Operations":[` + post("a") + `]}`:                                              0,
		head + `"failOnErrors":null,"operations":[` + post("a") + `]}`:                                           0,
		`{"Operations":[` + post("a") + `]}`:                                                                     400,
		head + `"Operations":[]}`:                                                                                400,
		head + `"Operations":{}}`:                                                                                400,
		head + `"failOnErrors":0,"Operations":[` + post("a") + `]}`:                                              400,
		head + `"failOnErrors":"1","Operations":[` + post("a") + `]}`:                                            400,
		head + `"failOnErrors":1.5,"Operations":[` + post("a") + `]}`:                                            400,
		head + `"Operations":[` + post("a") + `,` + post("a") + `]}`:                                             400,
		head + `"Operations":[` + post("a") + `],"operations":[` + post("b") + `]}`:                              400,
		head + `"Operations":[` + strings.Join([]string{post("a"), post("b"), post("c"), post("d")}, ",") + `]}`: 413,
		head + `"Operations":[` + post("a"):                                                                      400,
		head + `"Operations":[{]}`:                                                                               400,
		``:                                                                                                       400,
		`[]`:                                                                                                     400,
		`"x"`:                                                                                                    400,
		head + `"Operations":[` + post("a") + `]} x`:                                                             400,
	} {
		_, err := parse(t, body)
		var e *scim.Error
		errors.As(err, &e)
		if got := e; (want == 0) != (err == nil) || want != 0 && (got == nil || got.Status != want) {
			t.Errorf("B-15 %s: %v, want %d", body, err, want)
		}
	}
}

// TestOperations: B-03, what is wrong with one operation is its own matter.
func TestOperations(t *testing.T) {
	for op, good := range map[string]bool{
		`{"method":"POST","path":"/Users","bulkId":"a","data":{}}`:         true,
		`{"method":"Delete","path":"/Users/1"}`:                            true,
		`{"method":"PATCH","path":"/Users/1","data":[]}`:                   true,
		`{"method":"PUT","path":"/Users/1","version":"W/\"1\"","data":{}}`: true,
		`{"method":"POST","path":"/Users","data":{}}`:                      false,
		`{"method":"GET","path":"/Users/1"}`:                               false,
		`{"method":"PUT","path":"/Users/1"}`:                               false,
		`{"method":"PUT","path":"/Users/1","data":null}`:                   false,
		`{"method":"DELETE"}`:                                              false,
		`{"method":1,"path":"/Users/1"}`:                                   false,
		`{}`:                                                               false,
		`[]`:                                                               false,
		`{"method":"DELETE","path":"/Users/1","path":"/Users/2"}`:          false,
	} {
		r, err := parse(t, head+`"Operations":[`+op+`]}`)
		if err != nil {
			if !good && strings.Contains(op, `"path":"/Users/2"`) {
				continue // the decoder sees it before the operation is looked at
			}
			t.Errorf("%s: %v", op, err)
			continue
		}
		if o := r.Operations[0]; (o.Err == nil) != good {
			t.Errorf("B-03 %s: %v", op, o.Err)
		}
	}
}

// TestReferences: B-06, wherever a reference may stand.
func TestReferences(t *testing.T) {
	r, err := parse(t, head+`"Operations":[{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[
 {"op":"remove","path":"members[value eq \"bulkId:a\" or value eq \"bulkId:b\"]"},
 {"op":"add","path":"members","value":[{"value":"bulkId:c","$ref":"https://h/v2/Users/bulkId:c"},{"value":"bulkId:"},{"display":"a bulkId:x in a text"}]}]}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	o := r.Operations[0]
	if want := []string{"g", "a", "b", "c"}; !slices.Equal(o.Refs, want) {
		t.Errorf("B-06: %q, want %q", o.Refs, want)
	}
	path, data, err := o.Resolved(scim.Limits{}, func(ref string) (string, bool) { return "ID-" + ref, true })
	want := `{"Operations":[{"op":"remove","path":"members[value eq \"ID-a\" or value eq \"ID-b\"]"},` +
		`{"op":"add","path":"members","value":[{"value":"ID-c","$ref":"https://h/v2/Users/ID-c"},{"value":"bulkId:"},{"display":"a bulkId:x in a text"}]}]}`
	if got := string(scim.AppendNode(nil, data)); err != nil || path != "/Groups/ID-g" || got != want {
		t.Errorf("B-06: %s %s, %v", path, got, err)
	}
}

// TestDetach: B-07, created without the edge, then patched.
func TestDetach(t *testing.T) {
	n, err := scim.ReadJSON([]byte(`{"userName":"u","members":[{"value":"bulkId:late"},{"value":"bulkId:there"},{"value":"x"}],
 "urn:x:ext":{"department":"d","manager":{"value":"bulkId:late"}},"boss":{"value":"bulkId:late"},"friend":"bulkId:late"}`), scim.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rest, edges := Detach(n, func(ref string) bool { return ref == "there" })
	want := `{"userName":"u","members":[{"value":"bulkId:there"},{"value":"x"}],"urn:x:ext":{"department":"d"}}`
	if got := string(scim.AppendNode(nil, rest)); got != want {
		t.Errorf("B-07: %s", got)
	}
	body := string(scim.AppendNode(nil, Patch(edges, func(ref string) (string, bool) { return "ID", true })))
	for _, part := range []string{`{"op":"add","path":"members","value":[{"value":"ID"}]}`, `"path":"urn:x:ext:manager","value":{"value":"ID"}`,
		`"path":"boss","value":{"value":"ID"}`, `"path":"friend","value":"ID"`} {
		if !strings.Contains(body, part) {
			t.Errorf("B-07: no %s in %s", part, body)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + `"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"manager":{"value":"bulkId:b"}}}]}`)
	f.Add(head + `"failOnErrors":1,"Operations":[{"method":"DELETE","path":"/Users/bulkId:a"},[],1]}`)
	f.Add(`{"Operations":[{"path":"members[value eq \"bulkId:`)
	for _, s := range corpus.Texts(f, "FuzzParse") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r, err := Parse([]byte(body), Limits{Operations: 10})
		if err != nil {
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != 400 && e.Status != 413 {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		for _, o := range r.Operations {
			if o.Err != nil {
				continue
			}
			_, data, err := o.Resolved(scim.Limits{}, func(string) (string, bool) { return "id", true })
			if err != nil {
				t.Fatalf("%q: it was read before: %v", body, err)
			}
			Detach(data, func(string) bool { return false })
		}
	})
}
