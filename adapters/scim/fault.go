package scim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// fault is what an answer means; nil for success. The server's own words are in Err
// only.
func fault(r response, op string, reads bool) *adapters.Error {
	if r.status >= 200 && r.status < 300 {
		return nil
	}
	scimType, _ := field(r.object(), "scimType").(string)
	e := &adapters.Error{Kind: kind(r, op, reads, scimType), Err: fmt.Errorf("status %d %s: %s", r.status, scimType, clip(fmt.Sprint(field(r.object(), "detail"))))}
	if e.Kind == adapters.Unavailable {
		e.RetryAfter = retryAfter(r.header.Get("Retry-After"), time.Now())
		e.Unsure = !reads && r.status != http.StatusTooManyRequests
	}
	return e
}

func kind(r response, op string, reads bool, scimType string) adapters.Kind {
	switch scimType {
	case "uniqueness":
		return adapters.Exists
	case "tooMany":
		return adapters.TooMany
	}
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return adapters.Denied
	case http.StatusNotFound, http.StatusGone:
		// What stands before the server answers in HTML: nothing is gone then.
		if r.broken == nil && slices.Contains([]string{"get", "update", "delete", "members"}, op) {
			return adapters.NotFound
		}
	case http.StatusConflict:
		if op == "create" || op == "update" {
			return adapters.Exists
		}
		return adapters.Conflict
	case http.StatusPreconditionFailed, http.StatusLocked:
		return adapters.Conflict
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return adapters.Unsupported
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		if !reads {
			return adapters.Invalid
		}
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return adapters.Unavailable
	}
	return adapters.Internal
}

const maxClip = 200

func clip(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), maxClip)], "?"))
}

const maxRetryAfter = time.Hour

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.Atoi(text); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(text); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
