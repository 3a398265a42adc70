package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/scim"
)

// fail answers with an error: always a SCIM body (E-01), always a detail (E-02),
// and the status in the body is the status of the response (E-03).
func (x *exchange) fail(err error) {
	x.cause = err
	e := x.explain(err)
	h := x.c.Writer.Header()
	var refused *auth.Refusal
	if errors.As(err, &refused) {
		h.Set("WWW-Authenticate", refused.Challenge)
	}
	if e.Location != "" {
		h.Set("Location", e.Location)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter)) // seconds: Okta reads no dates (L-02)
	}
	if e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusRequestTimeout {
		h.Set("Connection", "close") // the rest of the body is not read
	}
	x.write(e.Status, func(dst []byte) []byte { return scim.AppendError(dst, e) })
}

// Seconds after which it makes sense to ask again.
const (
	retryTimeout = 10
	retryStop    = 2
)

// explain makes what a client is told of an error. Causes that are no SCIM
// errors stay inside: they may hold a backend's words (E-06).
func (x *exchange) explain(err error) *scim.Error {
	var e *scim.Error
	var refused *auth.Refusal
	switch {
	case errors.As(err, &e) && (e.Status >= 400 && e.Status <= 599 || e.Status == http.StatusPermanentRedirect && e.Location != ""):
		return x.complete(e)
	case errors.As(err, &refused):
		return scim.Errorf(refused.Status, "", "%s", refused.Detail)
	case errors.Is(x.ctx.Err(), context.DeadlineExceeded):
		e = scim.Errorf(http.StatusGatewayTimeout, "", "The request took longer than %s and was given up. "+
			"A change may have been made all the same: read the resource before repeating it.", x.limits.Time)
		e.RetryAfter = retryTimeout
		return e
	case x.ctx.Err() != nil:
		// The client has gone, or this process is being stopped.
		e = scim.Errorf(http.StatusServiceUnavailable, "", "The gateway is stopping; repeat the request in a moment.")
		e.RetryAfter = retryStop
		return e
	}
	return x.complete(&scim.Error{Status: http.StatusInternalServerError, Detail: "Something went wrong inside the gateway.", Traced: true})
}

// complete adds what only the door knows: the id of the request, which is the header
// X-Request-Id of the answer, too.
func (x *exchange) complete(e *scim.Error) *scim.Error {
	if e.Detail != "" && !e.Traced {
		return e
	}
	c := *e
	if c.Detail == "" {
		c.Detail = http.StatusText(e.Status) + "."
	}
	if c.Traced {
		c.Detail += " The operator finds the cause in the log under the request id " + x.id + "."
	}
	return &c
}
