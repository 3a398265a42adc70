package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// pause is between an exchange and its repetition, if the backend says nothing.
const pause = 100 * time.Millisecond

// exchange makes the exchange, and makes it again where that is safe and there is
// time for it.
func (c *call) exchange(ctx context.Context, s steps.Scope, t *token) (steps.Answer, error) {
	for n := 1; ; n++ {
		a, err := c.once(ctx, s, t)
		wait, again := c.again(ctx, a, err, n)
		if !again {
			return a, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return a, err
		}
	}
}

// again decides whether an exchange is repeated, and after how long: a read that
// got no answer, or one that says "not now"; a write only if the answer says that
// nothing was begun. What the backend asks to wait is waited for, if the request
// lives that long; otherwise the client is told.
func (c *call) again(ctx context.Context, a steps.Answer, err error, n int) (time.Duration, bool) {
	if n > c.b.cfg.Repeats || ctx.Err() != nil {
		return 0, false
	}
	wait := time.Duration(n) * pause
	switch {
	case err != nil:
		if !c.Reads() || !adapters.Is(err, adapters.Unavailable) {
			return 0, false
		}
	case a.Fault == nil || a.Fault.Kind != adapters.Unavailable:
		return 0, false
	case !c.Reads() && a.Values["status"] != http.StatusTooManyRequests:
		return 0, false
	default:
		wait = max(wait, a.Fault.RetryAfter)
	}
	deadline, bounded := ctx.Deadline()
	if bounded && time.Until(deadline) < 2*wait { // as long again for the answer
		return 0, false
	}
	return wait, bounded || wait <= time.Second
}
