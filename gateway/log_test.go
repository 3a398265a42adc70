package gateway

import (
	"encoding/json"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

var discard = slog.New(slog.DiscardHandler)

func TestLog(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	id := r.create("bjensen")
	r.do("GET", "/Users/"+id+"?filter=userName%20eq%20%22needle%22", "", "X-Request-Id: from-proxy-1", "X-Forwarded-For: 6.6.6.6, 192.0.2.7")
	r.do("GET", "/Users?filter=userName%20eq%20%22needle%22", "", "X-Request-Id: a b\tc", "User-Agent: needle")
	r.do("GET", "/needle", "", "Authorization:", "Authorization: Bearer needle")
	r.do("POST", "/Users", `{"needle`)
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines for 5 requests:\n%s", len(lines), r.log)
	}
	for _, secret := range []string{"needle", "right", "t1meMa$heen", "bjensen"} { // Z-08
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("Z-08: %q is in the log:\n%s", secret, r.log)
		}
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"msg": "request", "method": "GET", "route": "/scim/v2/Users/:id", "status": 200.0,
		"client": "entra", "tenant": "acme", "request": "from-proxy-1", "from": "192.0.2.7"} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if took, _ := line["took"].(float64); took <= 0 {
		t.Errorf("took %v", line["took"])
	}
}

func TestRequestID(t *testing.T) {
	r := newRig(t, nil)
	for sent, kept := range map[string]bool{
		"abc-DEF_1.2": true, "short": false, "with space in": false, strings.Repeat("x", 65): false, "<script>alert": false, "": false,
	} {
		got := r.do("GET", "/Users", "", "X-Request-Id: "+sent).Header.Get("X-Request-Id")
		if (got == sent) != kept || got == "" {
			t.Errorf("%q came back as %q", sent, got)
		}
	}
}

func textLogger(b *safeBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// TestLogTellsRewrites: what a client had to be forgiven stands in the line of its
// request, by name, each once.
func TestLogTellsRewrites(t *testing.T) {
	r := newRig(t, nil)
	id := r.create("bjensen")
	r.do("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
		{"op":"Replace","path":"displayName","value":"needle"},{"op":"Replace","value":{"name.givenName":"needle"}}]}`)
	lines := strings.Split(strings.TrimSpace(r.log.String()), "\n")
	var line struct{ Rewrites []string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(line.Rewrites, " "); got != "op-case key-as-path" || strings.Contains(r.log.String(), "needle") {
		t.Errorf("rewrites %q in %s", got, lines[len(lines)-1])
	}
}
