package gateway

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/scim"
)

// callers answers each token with a principal of its own.
type callers map[string]auth.Principal

func (c callers) Authenticate(h http.Header) (auth.Principal, error) {
	all := h["Authorization"]
	return c[all[len(all)-1]], nil
}

// TestRates: L-01, L-02, L-03, L-05.
func TestRates(t *testing.T) {
	slow, other := auth.Principal{Reads: 1, Writes: 2}, auth.Principal{Reads: 1}
	slow.Client, other.Client = "slow", "other"
	r := newRig(t, func(o *Options) { o.Authenticator = callers{"Bearer slow": slow, "Bearer other": other} })
	count := func(token, method, path, body string, n int) (refused int) {
		for range n {
			a := r.do(method, path, body, "Authorization: Bearer "+token)
			if a.StatusCode != http.StatusTooManyRequests {
				continue
			}
			refused++
			if s, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || s < 1 || s > 60 || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("L-02, L-03: %v", a.Header)
			}
		}
		return refused
	}
	search := `{"schemas":["` + scim.SearchRequestMessage + `"]}`
	if n := count("slow", "GET", "/Users", "", 40); n == 0 {
		t.Error("L-01: forty reads at once")
	}
	if n := count("slow", "POST", "/Users/.search", search, 20); n == 0 {
		t.Error("L-05: a search is a read")
	}
	if a := r.do("POST", "/Users", bjensen, "Authorization: Bearer slow"); a.StatusCode != 201 {
		t.Errorf("L-05: writes have a rate of their own: %d", a.StatusCode)
	}
	if a := r.do("GET", "/Users", "", "Authorization: Bearer other"); a.StatusCode != 200 {
		t.Errorf("L-05: another client waits: %d", a.StatusCode)
	}
	if n := count("other", "DELETE", "/Users/x", "", 40); n > 0 {
		t.Errorf("no rate of writes, and %d are refused", n)
	}
}
