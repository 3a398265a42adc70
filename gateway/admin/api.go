package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// The scopes of tokens. Whoever may write may read.
const (
	ScopeRead  = "identities:read"
	ScopeWrite = "identities:write"

	ScopeTenantsRead  = "tenants:read"
	ScopeTenantsWrite = "tenants:write"
)

// An API is what New offers to administrators under /v1/.
type API struct {
	Identities *provision.Identities
	// Tenants and Enter are instead of Identities where there are many tenants: Enter
	// is the way into one, until leave is called. "" stands for all of them.
	Tenants Tenants
	Enter   func(ctx context.Context, tenant string) (n *provision.Identities, leave func(), err error)

	Authenticator interface {
		Authenticate(http.Header) (auth.Principal, error)
	}
	// Run does work that outlives its request, until the context that it gives
	// ends; nil: nothing can be started.
	Run func(work func(context.Context))

	log     *slog.Logger
	mu      sync.Mutex
	running map[string]bool // resource types that are being scanned
}

// A route is one operation of the API. The description, openapi.yaml, has the same.
type route struct {
	method, path string
	scope        string // "": open
	handle       func(*API, *request) error
}

func routes() []route {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{get, "/v1/openapi.yaml", "", describe},
		{get, "/v1/identities", ScopeRead, (*API).list},
		{get, "/v1/identities/{id}", ScopeRead, (*API).show},
		{get, "/v1/identities/{id}/federation", ScopeRead, (*API).federation},
		{get, "/v1/identities/{id}/moves", ScopeRead, (*API).moves},
		{post, "/v1/identities/{id}/split", ScopeWrite, (*API).split},
		{post, "/v1/identities/{id}/release", ScopeWrite, (*API).release},
		{post, "/v1/merge", ScopeWrite, (*API).merge},
		{get, "/v1/moves", ScopeRead, (*API).moves},
		{post, "/v1/moves/{nr}/undo", ScopeWrite, (*API).undo},
		{get, "/v1/pending", ScopeRead, (*API).pending},
		{post, "/v1/retire", ScopeWrite, (*API).retire},
		{get, "/v1/tasks", ScopeRead, (*API).tasks},
		{post, "/v1/tasks", ScopeWrite, (*API).work},
		{get, "/v1/journal", ScopeRead, (*API).journal},
		{post, "/v1/journal/{nr}/retry", ScopeWrite, (*API).retry},
		{post, "/v1/journal/{nr}/give-up", ScopeWrite, (*API).giveUp},
		{get, "/v1/maintenance", ScopeRead, (*API).maintenance},
		{post, "/v1/maintenance", ScopeWrite, (*API).setMaintenance},
		{get, "/v1/removals", ScopeRead, (*API).removals},
		{post, "/v1/removals/{client}", ScopeWrite, (*API).letRemove},
		{get, "/v1/scans", ScopeRead, (*API).scans},
		{post, "/v1/scans", ScopeWrite, (*API).scan},
		{get, "/v1/scans/{nr}", ScopeRead, (*API).oneScan},
		{get, "/v1/scans/{nr}/findings", ScopeRead, (*API).findings},
		{post, "/v1/rekey", ScopeWrite, (*API).rekey},
		{get, "/v1/tenants", ScopeTenantsRead, (*API).listTenants},
		{post, "/v1/tenants", ScopeTenantsWrite, (*API).addTenant},
		{get, "/v1/tenants/{tenant}", ScopeTenantsRead, (*API).showTenant},
		{put, "/v1/tenants/{tenant}", ScopeTenantsWrite, (*API).changeTenant},
		{remove, "/v1/tenants/{tenant}", ScopeTenantsWrite, (*API).removeTenant},
	}
}

func (a *API) mount(mux *http.ServeMux, log *slog.Logger) {
	a.log, a.running = log, map[string]bool{}
	for _, r := range routes() {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, in *http.Request) { a.serve(r, w, in) })
	}
}

// A request is one call, and its answer.
type request struct {
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context // of a change: it does not end when the caller hangs up
	who    auth.Principal
	status int

	identities *provision.Identities // of the tenant
	tenant     string
	leave      func()
}

// workTime bounds what one call may take.
const workTime = 100 * time.Second

func (a *API) serve(rt route, w http.ResponseWriter, in *http.Request) {
	begun := time.Now()
	x := &request{w: w, r: in, ctx: in.Context(), leave: func() {}}
	if rt.method != http.MethodGet {
		x.ctx = context.WithoutCancel(x.ctx)
	}
	var cancel context.CancelFunc
	x.ctx, cancel = context.WithTimeout(x.ctx, workTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			a.log.LogAttrs(x.ctx, slog.LevelError, "panic in the admin API", slog.String("route", rt.path), slog.String("type", fmt.Sprintf("%T", p)))
			if x.status == 0 {
				x.fail(fmt.Errorf("panic: %T", p))
			}
		}
		level := slog.LevelInfo
		if x.status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		a.log.LogAttrs(x.ctx, level, "admin request", slog.String("method", rt.method), slog.String("route", rt.path),
			slog.Int("status", x.status), slog.String("admin", x.who.Client), slog.Duration("took", time.Since(begun)))
	}()
	defer func() { x.leave() }()
	err := a.admit(rt, x)
	if err == nil {
		err = a.enter(rt, x)
	}
	if err == nil {
		err = rt.handle(a, x)
	}
	if err != nil {
		a.log.LogAttrs(x.ctx, slog.LevelDebug, "admin request failed", slog.String("route", rt.path), slog.Any("error", err))
		x.fail(err)
	}
}

func (a *API) admit(rt route, x *request) (err error) {
	if rt.scope == "" {
		return nil
	}
	if x.who, err = a.Authenticator.Authenticate(x.r.Header); err != nil {
		return err
	}
	if slices.Contains(x.who.Scopes, rt.scope) || slices.Contains(x.who.Scopes, writeFor[rt.scope]) {
		return nil
	}
	x.w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+rt.scope+`"`)
	return scim.Errorf(http.StatusForbidden, "", "This token lacks the scope %s.", rt.scope)
}

// writeFor is the scope that a scope to read is a part of.
var writeFor = map[string]string{ScopeRead: ScopeWrite, ScopeTenantsRead: ScopeTenantsWrite}

// enter finds the identities that a request is about: where there are many tenants it
// says whose, with ?tenant=NAME. Maintenance may be that of all.
func (a *API) enter(rt route, x *request) (err error) {
	if rt.scope != ScopeRead && rt.scope != ScopeWrite {
		return nil
	}
	name := x.r.URL.Query().Get("tenant")
	switch {
	case a.Enter == nil && name != "":
		return scim.Errorf(http.StatusNotFound, "", "This gateway has one tenant, which has no name here.")
	case a.Enter == nil:
		x.identities = a.Identities
		return nil
	case name == "" && rt.path != "/v1/maintenance":
		return scim.Errorf(http.StatusBadRequest, "", "Say which tenant, with ?tenant=NAME; GET /v1/tenants lists them.")
	}
	x.tenant = name
	n, leave, err := a.Enter(x.ctx, name)
	if err == nil {
		x.identities, x.leave = n, leave
	}
	return err
}

// A problem is an error as RFC 9457 has it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (x *request) fail(err error) {
	var e *scim.Error
	var refused *auth.Refusal
	p := problem{Status: http.StatusInternalServerError, Detail: "Something went wrong inside the gateway; its log has more."}
	switch {
	case errors.As(err, &refused):
		x.w.Header().Set("WWW-Authenticate", refused.Challenge)
		p.Status, p.Detail = refused.Status, refused.Detail
	case errors.As(err, &e):
		p.Status, p.Detail = e.Status, e.Detail
		if e.RetryAfter > 0 {
			x.w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
		}
	case errors.Is(x.ctx.Err(), context.DeadlineExceeded):
		p.Status, p.Detail = http.StatusGatewayTimeout, fmt.Sprintf("It took longer than %s; look what was done before you repeat it.", workTime)
	}
	p.Title = http.StatusText(p.Status)
	x.answer(p.Status, "application/problem+json", p)
}

// send answers with JSON.
func (x *request) send(status int, v any) error {
	x.answer(status, "application/json", v)
	return nil
}

func (x *request) answer(status int, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // plain structures always marshal
		status, mediaType, body = http.StatusInternalServerError, "application/problem+json", []byte(`{"status":500}`)
	}
	x.write(status, mediaType, body)
}

func (x *request) write(status int, mediaType string, body []byte) {
	h := x.w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	x.status = status
	x.w.WriteHeader(status)
	x.w.Write(body) //nolint:errcheck // the caller has gone; there is nobody to tell
}

// mostBody bounds a request: a list of some 200,000 keys.
const mostBody = 16 << 20

// read reads the body of a request. A member that is not known is refused: a
// mistyped dryRun must not become a change.
func read[T any](x *request) (v T, err error) {
	if m, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || m != "application/json" {
		return v, scim.Errorf(http.StatusUnsupportedMediaType, "", "Send the body as application/json.")
	}
	d := json.NewDecoder(http.MaxBytesReader(x.w, x.r.Body, mostBody))
	d.DisallowUnknownFields()
	err = d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return v, scim.Errorf(http.StatusRequestEntityTooLarge, "", "The body is longer than %d bytes.", long.Limit)
	case err != nil:
		return v, scim.Errorf(http.StatusBadRequest, "", "The body is not as described in /v1/openapi.yaml: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	return v, nil
}

// number reads a parameter of the URL; the text "" is the default.
func number(text string, otherwise, most int64, name string) (int64, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, scim.Errorf(http.StatusBadRequest, "", "%s must be a number from 0 to %d.", name, most)
	}
	return n, nil
}

const anyNumber = 1<<63 - 1

// limits of pages.
const (
	usualPage = 100
	mostPage  = 1000
)

// page reads the parameters of a list.
func (x *request) page(from string) (start int64, limit int, err error) {
	q := x.r.URL.Query()
	if from != "" {
		if start, err = number(q.Get(from), 0, anyNumber, from); err != nil {
			return 0, 0, err
		}
	}
	n, err := number(q.Get("limit"), usualPage, mostPage, "limit")
	return start, max(1, int(n)), err
}

// nr reads the number in the path.
func (x *request) nr() (int64, error) {
	n, err := number(x.r.PathValue("nr"), 0, anyNumber-1, "the number")
	if err != nil || n == 0 {
		return 0, scim.Errorf(http.StatusNotFound, "", "There is nothing with this number.")
	}
	return n, nil
}
