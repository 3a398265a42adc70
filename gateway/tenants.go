package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/scim"
)

// A Hall is the way to the doors of many tenants. Each tenant has a door of its own,
// which knows its clients, its resources and its URLs, and nobody else's: so what
// reaches it cannot lead to another tenant. Which door it is, the token says; where
// the base URL holds the tenant's name, both must agree. A request that leads to no
// tenant goes to a door that knows no client, and so looks like one with a wrong
// token, whether there is such a tenant or not.
type Hall struct {
	// Base is Options.Base with TenantMark where the tenant's name stands, if it does.
	Base    string
	Proxies []netip.Prefix
	// Find tells whose token it is of which this is the hash.
	Find func(hash string) (tenant string, ok bool)
	// Enter is the tenant's door, until leave is called.
	Enter func(ctx context.Context, tenant string) (door http.Handler, leave func(), err error)
	// Nobody is a door without clients, at the base URL of the tenant NobodysName.
	Nobody http.Handler
	// Shut answers instead of a door that cannot be entered.
	Shut http.Handler

	site         site
	byPath       bool
	byHost       bool
	before, tail string // of the tenant's name: in the path, or in the host's name
}

// ErrNoTenant is what Enter answers if the tenant is not there any more.
var ErrNoTenant = errors.New("there is no such tenant")

// TenantMark stands for a tenant's name in a base URL.
const TenantMark = "{tenant}"

// NobodysName stands in the place of a tenant's name in the URLs of the door that
// knows no client. No tenant can have it.
const NobodysName = "-"

// NewHall checks the base URL. The hall answers as a handler.
func NewHall(h Hall) (http.Handler, error) {
	if h.Find == nil || h.Enter == nil || h.Nobody == nil || h.Shut == nil {
		return nil, errors.New("gateway: a hall needs to know its doors")
	}
	var err error
	if h.site, err = newSite(strings.ReplaceAll(h.Base, TenantMark, NobodysName), h.Proxies); err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(h.Base, "://")
	host, path, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(host, TenantMark):
		h.byHost = true
		h.before, h.tail, _ = strings.Cut(strings.ToLower(hostOf(host)), TenantMark)
	case strings.Contains(path, TenantMark):
		h.byPath = true
		h.before, h.tail, _ = strings.Cut("/"+path, TenantMark)
	}
	if strings.Count(h.Base, TenantMark) > 1 {
		return nil, fmt.Errorf("base URL %q: the tenant's name can stand in one place only", h.Base)
	}
	return &h, nil
}

// ServeHTTP finds the door. What it does for a tenant that is there and for one that
// is not is the same: one look-up of a hash, and a comparison of two names of which
// the caller knows the one.
func (h *Hall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant, ok := "", false
	if hash, sent := auth.HashSent(r.Header); sent {
		tenant, ok = h.Find(hash)
	}
	if !ok || !h.agrees(r, tenant) {
		h.Nobody.ServeHTTP(w, h.forNobody(r))
		return
	}
	door, leave, err := h.Enter(r.Context(), tenant)
	if errors.Is(err, ErrNoTenant) { // since a moment ago
		h.Nobody.ServeHTTP(w, h.forNobody(r))
		return
	}
	if err != nil {
		h.Shut.ServeHTTP(w, h.forNobody(r))
		return
	}
	defer leave()
	door.ServeHTTP(w, r)
}

// agrees reports whether a request names the tenant, if it must name one.
func (h *Hall) agrees(r *http.Request, tenant string) bool {
	switch {
	case h.byHost:
		return strings.EqualFold(h.host(r), h.before+tenant+h.tail)
	case h.byPath:
		named, _, ok := h.named(r)
		return ok && named == tenant
	}
	return true
}

// host is the name by which the client reached the gateway, without its port.
func (h *Hall) host(r *http.Request) string {
	host := r.Host
	if h.site.viaProxy(r) {
		if said := last(r.Header["X-Forwarded-Host"]); isAuthority(said) {
			host = said
		}
	}
	return hostOf(host)
}

func hostOf(authority string) string {
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && strings.Trim(authority[i+1:], "0123456789") == "" {
		authority = authority[:i]
	}
	return strings.TrimSuffix(authority, ".")
}

// named is the tenant in the path, as it was sent, and what follows it.
func (h *Hall) named(r *http.Request) (tenant, rest string, ok bool) {
	after, ok := strings.CutPrefix(r.URL.EscapedPath(), h.before)
	tenant, rest, more := strings.Cut(after, "/")
	if more {
		rest = "/" + rest
	}
	return tenant, rest, ok && tenant != ""
}

// forNobody is the request as the door without clients knows it: whatever tenant the
// path names.
func (h *Hall) forNobody(r *http.Request) *http.Request {
	if !h.byPath {
		return r
	}
	_, rest, ok := h.named(r)
	if !ok {
		return r
	}
	out := *r
	u := *r.URL
	out.URL = &u
	u.RawPath = ""
	u.Path = h.before + NobodysName + rest
	if !strings.HasPrefix(rest, "/") || strings.ContainsAny(rest, "%") {
		u.Path = h.before + NobodysName + "/"
	}
	return &out
}

// Refusing authenticates nobody, and says so in one way: the answer of a door that
// cannot be entered.
type Refusing struct{ RetryAfter int }

// Authenticate implements Authenticator.
func (f Refusing) Authenticate(http.Header) (auth.Principal, error) {
	e := scim.Errorf(http.StatusServiceUnavailable, "", "What this tenant needs cannot be reached just now; send the request again later.")
	e.RetryAfter = f.RetryAfter
	return auth.Principal{}, e
}
