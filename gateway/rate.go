package gateway

import (
	"math"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/postern/postern/scim"
)

// rates bound how many requests a client makes (L-05). They are made when the
// client calls first.
type rates struct{ reads, writes *rate.Limiter }

// burst is how many seconds' worth of requests may come at once.
const burst = 2

func limiter(perSecond int) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), burst*perSecond)
}

// slow refuses a request beyond the caller's rate, or beyond that of all callers
// together, with the whole seconds after which it may come again (L-01, L-02).
func (x *exchange) slow() error {
	if x.caller.Reads > 0 || x.caller.Writes > 0 {
		name := [2]string{x.caller.Tenant, x.caller.Client}
		v, ok := x.rates.Load(name)
		if !ok {
			v, _ = x.rates.LoadOrStore(name, &rates{reads: limiter(x.caller.Reads), writes: limiter(x.caller.Writes)})
		}
		if err := x.beyond(v.(*rates), "This client"); err != nil {
			return err
		}
	}
	return x.beyond(&x.all, "The clients of this tenant together")
}

// beyond takes one request from a rate, if it is not used up.
func (x *exchange) beyond(of *rates, who string) error {
	l, what := of.writes, "changes"
	if x.reading() {
		l, what = of.reads, "reads"
	}
	if l == nil {
		return nil
	}
	r := l.Reserve()
	wait := r.Delay()
	if wait == 0 {
		return nil
	}
	r.Cancel()
	e := scim.Errorf(http.StatusTooManyRequests, "", "%s may make %d %s a second; wait, and send the request again.", who, int(l.Limit()), what)
	e.RetryAfter = int(math.Ceil(float64(wait) / float64(time.Second)))
	return e
}

// reading reports whether the request changes nothing.
func (x *exchange) reading() bool {
	r := x.c.Request
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions ||
		r.Method == http.MethodPost && strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/.search")
}
