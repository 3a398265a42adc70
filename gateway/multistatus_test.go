package gateway

import (
	"net/http"
	"strings"
	"testing"
)

const threeOperations = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
	{"op":"replace","path":"displayName","value":"one"},
	{"op":"replace","path":"emails[type eq","value":"x"},
	{"op":"replace","path":"title","value":"three"}]}`

// TestMultiStatus: only who asks, and only where it is switched on, gets a status
// for each operation; for everybody else a PATCH is all or nothing (GW-14, P-07).
func TestMultiStatus(t *testing.T) {
	for name, c := range map[string]struct {
		on     bool
		prefer string
		want   int
	}{
		"on, and asked for":      {true, "respond-async, Multi-Status; wait=5", 207},
		"on, and not asked for":  {true, "return=minimal", 400},
		"off, and asked for":     {false, "multi-status", 400},
		"a value is another one": {true, "multi-status=no", 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Proposals.MultiStatus = c.on }) // GW-14
			id := r.create("bjensen")
			a := r.do("PATCH", "/Users/"+id, threeOperations, "Prefer: "+c.prefer)
			if a.StatusCode != c.want {
				t.Fatalf("status %d: %s", a.StatusCode, a.body)
			}
			now := string(r.do("GET", "/Users/"+id, "").body)
			if got := strings.Contains(now, `"one"`) && strings.Contains(now, `"three"`); got != (c.want == 207) {
				t.Errorf("the user is %s", now)
			}
			if c.want != http.StatusMultiStatus {
				return
			}
			for _, part := range []string{`{"status":"200"},{"status":"400","response":{`, `Operations[1]`, `}},{"status":"200"}]}`, PatchResponseMessage} {
				if !strings.Contains(string(a.body), part) {
					t.Errorf("%s is missing in %s", part, a.body)
				}
			}
			if a.Header.Get("Preference-Applied") != "multi-status" || a.Header.Get("Location") == "" {
				t.Errorf("headers %v", a.Header)
			}
		})
	}
}

func TestMultiStatusAsAWhole(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Proposals.MultiStatus = true })
	if a := r.do("PATCH", "/Users/nobody", threeOperations, "Prefer: multi-status"); a.StatusCode != 404 {
		t.Errorf("nobody: %d", a.StatusCode)
	}
	id := r.create("bjensen")
	one := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"x"}]}`
	if a := r.do("PATCH", "/Users/"+id, one, "Prefer: multi-status"); a.StatusCode != 200 {
		t.Errorf("one operation: %d", a.StatusCode)
	}
}
