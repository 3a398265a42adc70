package gateway

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/patch"
)

// An exchange is one request and its answer.
type exchange struct {
	*door
	c       *gin.Context
	ctx     context.Context // ends with the client's connection or Limits.Time
	id      string          // of the request, in the answer and in every log line
	base    string          // the base URL as this client sees it
	caller  auth.Principal
	begun   time.Time
	status  int      // sent; 0 before
	cause   error    // why the status is what it is, for the log
	me      string   // the id that /Me stands for
	ignored []string // names that were left out of a body
	habits  []string // rewrites (patch.Rewrites) that a body needed
}

// A handler answers an exchange, or returns why not.
type handler func(*exchange) error

// access says what a route asks of its caller.
type access bool

const (
	closed access = false // credentials are needed
	open   access = true
)

// handle makes a Gin handler. Whatever happens in h, there is exactly one
// answer and one line in the log.
func (d *door) handle(a access, h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := requestID(c.Request)
		ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), idKey{}, id), d.limits.Time)
		defer cancel()
		x := &exchange{door: d, c: c, ctx: ctx, begun: time.Now(), id: id}
		defer x.report()
		defer x.recover()
		err := x.admit(a)
		if err == nil {
			err = h(x)
		}
		if err != nil {
			x.fail(err)
		}
	}
}

// admit checks what does not depend on the route.
func (x *exchange) admit(a access) (err error) {
	r := x.c.Request
	if len(r.RequestURI) > maxURLBytes {
		return scim.Errorf(http.StatusRequestURITooLong, "", "The URL is longer than %d bytes, which is the limit; shorten the filter.", maxURLBytes)
	}
	if a == closed {
		if x.caller, err = x.auth.Authenticate(r.Header); err != nil {
			return err
		}
		if err = x.slow(); err != nil {
			return err
		}
		if err = x.paused(); err != nil {
			return err
		}
	}
	if x.base, err = x.site.of(r); err != nil {
		return err
	}
	if r.Method == http.MethodDelete {
		return nil // its success has no body, and errors are sent whatever is accepted
	}
	return acceptable(r.Header["Accept"])
}

// paused refuses what is refused during maintenance.
func (x *exchange) paused() error {
	if x.pause == nil {
		return nil
	}
	p := x.pause()
	if !p.All && (!p.Writes || x.reading()) {
		return nil
	}
	e := scim.Errorf(http.StatusServiceUnavailable, "", "The gateway is in maintenance; send the request again later.")
	if !p.All {
		e.Detail = "The gateway is in maintenance and takes no changes; send the request again later."
	}
	e.RetryAfter = p.RetryAfter
	return e
}

// recover turns a panic into an answer (E-10).
func (x *exchange) recover() {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // it is this very value by contract
		panic(p)
	}
	// What panicked may hold a resource's values or a backend's key, so only the
	// runtime's own words are logged above debug level.
	attrs := []slog.Attr{slog.String("request", x.id), slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack()))}
	if e, ok := p.(runtime.Error); ok {
		attrs = append(attrs, slog.String("panic", e.Error()))
	}
	x.log.LogAttrs(x.ctx, slog.LevelError, "panic", attrs...)
	x.log.LogAttrs(x.ctx, slog.LevelDebug, "panic", slog.String("request", x.id), slog.Any("panic", p))
	if x.status == 0 {
		x.fail(errors.New("panic"))
	}
}

// note keeps the names of the rewrites that operations needed, each once.
func (x *exchange) note(ops []patch.Operation) {
	for i := range ops {
		for _, name := range ops[i].Rewrites {
			if !slices.Contains(x.habits, name) {
				x.habits = append(x.habits, name)
			}
		}
	}
}

// mostIgnored bounds what one body can write into the log.
const mostIgnored = 8

// report writes the log line: no query, no id of a resource, no header, no body
// (Z-08). The cause may hold a backend's words and goes to debug level.
func (x *exchange) report() {
	level := slog.LevelInfo
	switch {
	case x.status == http.StatusInternalServerError:
		level = slog.LevelError
	case x.status > http.StatusNotImplemented:
		level = slog.LevelWarn
	}
	if x.log.Enabled(x.ctx, level) {
		attrs := make([]slog.Attr, 0, 10)
		attrs = append(attrs, slog.String("method", knownMethod(x.c.Request.Method)), slog.String("route", x.route()),
			slog.Int("status", x.status), slog.Duration("took", time.Since(x.begun)),
			slog.String("client", x.caller.Client), slog.String("from", x.site.client(x.c.Request)), slog.String("request", x.id))
		if x.caller.Tenant != "" {
			attrs = append(attrs, slog.String("tenant", x.caller.Tenant))
		}
		if e := (*scim.Error)(nil); errors.As(x.cause, &e) && e.Type != "" {
			attrs = append(attrs, slog.String("scimType", string(e.Type)))
		}
		if level > slog.LevelInfo && x.cause != nil {
			attrs = append(attrs, slog.String("error", fmt.Sprintf("%T", x.cause)))
		}
		if len(x.habits) > 0 {
			attrs = append(attrs, slog.Any("rewrites", x.habits))
		}
		if len(x.ignored) > 0 {
			attrs = append(attrs, slog.Any("ignored", x.ignored[:min(len(x.ignored), mostIgnored)]))
		}
		x.log.LogAttrs(x.ctx, level, "request", attrs...)
	}
	if x.cause != nil && x.log.Enabled(x.ctx, slog.LevelDebug) {
		x.log.LogAttrs(x.ctx, slog.LevelDebug, "cause", slog.String("request", x.id), slog.Any("error", x.cause))
	}
}

// route is the pattern that matched; a path that matched none may hold anything.
func (x *exchange) route() string {
	if p := x.c.FullPath(); p != "" {
		return p
	}
	return "none"
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

type idKey struct{}

// RequestID is the id of the request that ctx belongs to, so that every line of
// the log can carry it; empty outside of requests.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

// requestID takes over the id that a proxy gave the request, if it is short and
// plain, so that one search finds the lines of both.
func requestID(r *http.Request) string {
	if v := r.Header["X-Request-Id"]; len(v) == 1 && isPlainID(v[0]) {
		return v[0]
	}
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], rand.Uint64())
	return hex.EncodeToString(raw[:])
}

func isPlainID(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
