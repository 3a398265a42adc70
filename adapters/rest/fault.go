package rest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// fault is how HTTP itself judges an answer; nil for success. The backend's words
// are in Err only.
func (c *call) fault(resp *http.Response, data []byte, told error, html bool) *adapters.Error {
	status := resp.StatusCode
	if status >= 200 && status < 300 && told == nil {
		return nil
	}
	e := &adapters.Error{Kind: c.kind(status, html), Err: fmt.Errorf("status %d: %s", status, clip(data))}
	if told != nil {
		e.Err = errors.Join(e.Err, told)
	}
	if e.Kind == adapters.Unavailable {
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
		e.Unsure = !c.Reads() && status != http.StatusTooManyRequests
	}
	return e
}

const maxClip = 200

func clip(data []byte) string {
	text := strings.ToValidUTF8(string(data[:min(len(data), maxClip)]), "?")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}

// kind is what a status means where no rule of the configuration says more.
func (c *call) kind(status int, html bool) adapters.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return adapters.Denied
	case http.StatusNotFound, http.StatusGone:
		// Lists and creations name no record, and a page in HTML comes from what
		// stands before the application: nothing is gone then.
		if !html && slices.Contains([]string{"get", "update", "delete", "members"}, c.op) {
			return adapters.NotFound
		}
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return adapters.Unsupported
	case http.StatusConflict:
		if c.op == "create" {
			return adapters.Exists
		}
		return adapters.Conflict
	case http.StatusPreconditionFailed, http.StatusLocked:
		return adapters.Conflict
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		if c.op == "login" {
			return adapters.Denied
		}
		if !c.Reads() {
			return adapters.Invalid
		}
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return adapters.Unavailable
	}
	return adapters.Internal
}

// maxRetryAfter is longer than anybody waits.
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
