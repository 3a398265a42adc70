package plainhttp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// A Transport is an http.RoundTripper. It may be used from many goroutines.
type Transport struct {
	next *http.Transport

	mu     sync.Mutex
	hosts  map[string]*host
	closes bool // what is in use is not kept, until the next request
}

// New makes a transport that gives what it does not carry itself to next, and takes
// that one's proxy, dialer and bounds.
func New(next *http.Transport) *Transport {
	return &Transport{next: next, hosts: map[string]*host{}}
}

// A host is where requests go. The fields below address are guarded by Transport.mu.
type host struct {
	t       *Transport
	address string // "" if it is not for this transport
	idle    []*conn
	sweeps  bool
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	h := t.hostOf(req)
	if h == nil {
		return t.next.RoundTrip(req)
	}
	for {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		c := h.take()
		fresh := c == nil
		if fresh {
			var err error
			if c, err = h.dial(req.Context()); err != nil {
				return nil, err
			}
		}
		resp, err := c.exchange(req)
		if err == nil {
			return resp, nil
		}
		c.close()
		if ended := req.Context().Err(); ended != nil {
			return nil, ended
		}
		if fresh || !errors.Is(err, errSilent) { // else it was closed while nobody looked
			return nil, err
		}
	}
}

// CloseIdleConnections is what http.Client looks for.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	t.closes = true
	for _, h := range t.hosts {
		closeAll(h.idle)
		h.idle = nil
	}
	t.mu.Unlock()
	t.next.CloseIdleConnections()
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.close()
	}
}

// hostOf is where a request goes, nil if it is none for this transport.
func (t *Transport) hostOf(req *http.Request) *host {
	if !checkable || req.URL.Scheme != "http" || req.Method != http.MethodGet && req.Method != http.MethodHead || !bare(req) {
		return nil
	}
	t.mu.Lock()
	h := t.hosts[req.URL.Host]
	t.mu.Unlock()
	if h == nil {
		h = t.add(req)
	}
	if h.address == "" {
		return nil
	}
	return h
}

// bare reports whether a request has no body, and speaks of nothing but itself.
func bare(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody || req.Close || req.URL.Opaque != "" || req.Header == nil {
		return false
	}
	for _, name := range []string{"Connection", "Upgrade", "Expect", "Te", "Trailer", "Transfer-Encoding"} {
		if _, ok := req.Header[name]; ok {
			return false
		}
	}
	return usual(req)
}

// usual reports whether a request is one that net/http sends as it stands: what it
// refuses, or changes, is left to it.
func usual(req *http.Request) bool {
	if req.Header.Get("User-Agent") == "" || strings.ContainsFunc(req.URL.RawQuery, odd) || strings.ContainsFunc(req.Host, unnamed) {
		return false
	}
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return false
			}
		}
	}
	return true
}

func odd(r rune) bool { return r <= ' ' || r == 0x7f }

// unnamed characters are in no name of a host that needs no translation.
func unnamed(r rune) bool { return r <= ' ' || r > '~' || r == '%' || r == '/' }

func (t *Transport) add(req *http.Request) *host {
	h := &host{t: t, address: addressOf(req.URL)}
	if t.next.Proxy != nil {
		if proxy, err := t.next.Proxy(req); proxy != nil || err != nil {
			h.address = ""
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if is := t.hosts[req.URL.Host]; is != nil {
		return is
	}
	t.hosts[req.URL.Host] = h
	return h
}

// addressOf is what is dialled; "" for names that must be translated first.
func addressOf(u *url.URL) string {
	if u.Host == "" || strings.ContainsFunc(u.Host, unnamed) {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// An undated context ends when its own does, and tells nobody when: what takes the time
// from it ends a little before it does, and is then no matter of the context.
type undated struct{ context.Context }

// Deadline implements context.Context.
func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }

func (h *host) dial(ctx context.Context) (*conn, error) {
	dial := h.t.next.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	c, err := dial(undated{ctx}, "tcp", h.address)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	return newConn(h, c), nil
}

// take answers a connection that is open and of which nothing was sent that nobody
// asked for: the latest, nil if there is none.
func (h *host) take() *conn {
	for {
		h.t.mu.Lock()
		h.t.closes = false
		n := len(h.idle)
		if n == 0 {
			h.t.mu.Unlock()
			return nil
		}
		c := h.idle[n-1]
		h.idle[n-1], h.idle = nil, h.idle[:n-1]
		h.t.mu.Unlock()
		if c.quiet() {
			return c
		}
		c.close()
	}
}

// put keeps a connection for the next request.
func (h *host) put(c *conn) {
	c.since = time.Now()
	h.t.mu.Lock()
	defer h.t.mu.Unlock()
	if h.t.closes || len(h.idle) >= max(h.t.next.MaxIdleConnsPerHost, http.DefaultMaxIdleConnsPerHost) {
		c.close()
		return
	}
	h.idle = append(h.idle, c)
	if long := h.t.next.IdleConnTimeout; long > 0 && !h.sweeps {
		h.sweeps = true
		time.AfterFunc(long, h.sweep)
	}
}

// sweep closes what nobody has used for long.
func (h *host) sweep() {
	long := h.t.next.IdleConnTimeout
	h.t.mu.Lock()
	defer h.t.mu.Unlock()
	n := 0
	for n < len(h.idle) && time.Since(h.idle[n].since) >= long {
		n++
	}
	closeAll(h.idle[:n])
	h.idle = slices.Delete(h.idle, 0, n)
	if h.sweeps = len(h.idle) > 0; h.sweeps {
		time.AfterFunc(max(time.Second, long-time.Since(h.idle[0].since)), h.sweep)
	}
}
