package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/postern/postern/scim"
)

// routes compiles the routing table of RFC 7644 section 3.2. Every route exists
// with and without the base's version segment, whose absence means the newest
// version (H-06), and with and without a slash at the end.
func (d *door) routes(o *Options) http.Handler {
	gin.SetMode(gin.ReleaseMode) // Gin knows one mode for the whole process
	e := gin.New()
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.RemoveExtraSlash = true
	// Parameters are matched as sent, and decoded once where they are read.
	e.UseEscapedPath, e.UnescapePathValues = true, false
	e.ForwardedByClientIP = false
	t := table{d: d, engine: e, prefixes: slices.Compact([]string{d.site.path, d.site.parent})}
	for _, col := range d.collections {
		t.collection(col, o)
	}
	t.discovery(o)
	t.root()
	e.NoMethod(d.handle(closed, notAllowed))
	e.NoRoute(d.stray())
	return e
}

type table struct {
	d        *door
	engine   *gin.Engine
	prefixes []string
}

// add adds a route; the empty path is the base itself.
func (t *table) add(method, path string, a access, h handler) {
	for _, prefix := range t.prefixes {
		if prefix+path != "" {
			t.engine.Handle(method, prefix+path, t.d.handle(a, h))
		}
		t.engine.Handle(method, prefix+path+"/", t.d.handle(a, h))
	}
	if method == http.MethodGet {
		t.add(http.MethodHead, path, a, h) // net/http leaves the body out
	}
}

func (t *table) collection(col *collection, o *Options) {
	all, one := col.t.Endpoint, col.t.Endpoint+"/:id"
	t.add(http.MethodGet, all, closed, col.list)
	t.add(http.MethodGet, one, closed, col.get)
	t.add(http.MethodPost, all+"/.search", closed, col.postSearch)
	if o.Elements != nil {
		t.elements(col, o)
	}
	if !col.t.Writable() {
		return
	}
	patch := col.patch
	if !o.Config.Patch {
		patch = notYet
	}
	t.add(http.MethodPost, all, closed, col.create)
	t.add(http.MethodPut, one, closed, col.replace)
	t.add(http.MethodPatch, one, closed, patch)
	t.add(http.MethodDelete, one, closed, col.remove)
}

// root adds what is asked of the whole service.
func (t *table) root() {
	t.add(http.MethodGet, "", closed, rootList)
	t.add(http.MethodPost, "/.search", closed, rootSearch)
	t.add(http.MethodPost, "/Bulk", closed, bulkRequest)
	t.me()
}

// notYet answers what is known but not supported (H-09).
func notYet(x *exchange) error {
	what := strings.TrimPrefix(x.c.FullPath(), x.site.path)
	return scim.Errorf(http.StatusNotImplemented, "", "%s is not supported here; GET %s/ServiceProviderConfig says what is.", what, x.base)
}

// notAllowed answers a method that the URL does not have; Gin has set Allow.
func notAllowed(x *exchange) error {
	allow := x.c.Writer.Header().Get("Allow")
	if x.c.Request.Method == http.MethodOptions {
		x.send(http.StatusNoContent, nil)
		return nil
	}
	return scim.Errorf(http.StatusMethodNotAllowed, "", "%s is not possible on this URL; possible are: %s.", knownMethod(x.c.Request.Method), allow)
}

// stray answers paths that lead nowhere. Outside the base nothing is protected,
// and whoever mistypes the base URL is better served by 404 than by 401.
func (d *door) stray() gin.HandlerFunc {
	inside := d.handle(closed, func(*exchange) error {
		return scim.Errorf(http.StatusNotFound, "", "There is no such endpoint; GET /ResourceTypes under the base URL lists those that are.")
	})
	outside := d.handle(open, func(*exchange) error {
		return scim.Errorf(http.StatusNotFound, "", "There is nothing at this URL; the service is under the path %s.", d.site.path+"/")
	})
	wrong := d.handle(open, func(x *exchange) error {
		v, _ := d.site.foreignVersion(x.c.Request.URL.Path)
		return scim.Bad(scim.InvalidVers, "Version %s of SCIM is not served here; use %s.", v, d.site.version)
	})
	return func(c *gin.Context) {
		path := c.Request.URL.Path
		if _, is := d.site.foreignVersion(path); is {
			wrong(c)
		} else if d.site.covers(path) {
			inside(c)
		} else {
			outside(c)
		}
	}
}

// checkEndpoints refuses what would make two routes of one URL.
func (d *door) checkEndpoints() error {
	seen := map[string]string{}
	for _, col := range d.collections {
		e := col.t.Endpoint
		if other, taken := seen[e]; taken {
			return fmt.Errorf("resource types %q and %q have the same endpoint %s", other, col.t.Name, e)
		}
		if e == "/"+d.site.version || strings.ContainsAny(e, ":*") {
			return fmt.Errorf("resource type %q: the endpoint %s cannot be told from other URLs", col.t.Name, e)
		}
		seen[e] = col.t.Name
	}
	return nil
}
