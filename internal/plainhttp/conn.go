package plainhttp

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// maxHeader bounds the head of an answer, together with what comes before the answer
// (1xx), where the library's transport is told no bound.
const maxHeader = 10 << 20

var (
	errSilent  = errors.New("the connection was closed without an answer")
	errTooLong = errors.New("the head of the answer is too long")
)

// A conn carries one request at a time.
type conn struct {
	host  *host
	net   net.Conn
	raw   syscall.RawConn
	r     *bufio.Reader
	w     *bufio.Writer
	left  int64 // that may still be read
	heard bool  // something of the answer
	since time.Time
}

func newConn(h *host, c net.Conn) *conn {
	out := &conn{host: h, net: c}
	if s, ok := c.(syscall.Conn); ok {
		out.raw, _ = s.SyscallConn()
	}
	out.r, out.w = bufio.NewReader(out), bufio.NewWriterSize(c, 1<<10)
	return out
}

func (c *conn) close() { _ = c.net.Close() }

// Read is what r reads from.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.net.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.heard = c.heard || n > 0
	return n, err
}

// exchange sends a request and reads the head of the answer. Whoever reads the body to
// its end gives the connection back.
func (c *conn) exchange(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	// The connection has no deadline of its own: it would know a little earlier than the
	// context that there is no more time, and whoever asks the context would not.
	c.left, c.heard = cmp.Or(c.host.t.next.MaxResponseHeaderBytes, maxHeader), false
	stop := context.AfterFunc(ctx, c.close)
	zip := req.Method != http.MethodHead && req.Header["Accept-Encoding"] == nil && req.Header["Range"] == nil && !c.host.t.next.DisableCompression
	resp, err := c.roundTrip(req, zip)
	if err != nil {
		stop()
		return nil, err
	}
	c.left = math.MaxInt64
	b := &body{c: c, stop: stop, ctx: ctx, inner: resp.Body, once: resp.Close || resp.StatusCode < 200}
	if resp.Body == http.NoBody || req.Method == http.MethodHead {
		b.end()
		return resp, nil
	}
	resp.Body = b
	if zip && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unzip(resp)
	}
	return resp, nil
}

func (c *conn) roundTrip(req *http.Request, zip bool) (*http.Response, error) {
	if err := c.send(req, zip); err != nil {
		return nil, errors.Join(errSilent, err)
	}
	for {
		resp, err := http.ReadResponse(c.r, req)
		switch {
		case err != nil && !c.heard:
			return nil, errors.Join(errSilent, err)
		case err != nil:
			return nil, err
		case resp.StatusCode < 100 || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, nil
		}
	}
}

// unsent are headers that a request without a body has not, or has elsewhere.
var unsent = map[string]bool{"Host": true, "Content-Length": true}

// send writes a request, of which nothing breaks a line: that has been looked at (usual).
func (c *conn) send(req *http.Request, zip bool) error {
	for _, part := range []string{req.Method, " ", req.URL.RequestURI(), " HTTP/1.1\r\nHost: ", cmp.Or(req.Host, req.URL.Host), "\r\n"} {
		_, _ = c.w.WriteString(part) // Flush tells
	}
	if err := req.Header.WriteSubset(c.w, unsent); err != nil {
		return err
	}
	end := "\r\n"
	if zip {
		end = "Accept-Encoding: gzip\r\n\r\n"
	}
	_, _ = c.w.WriteString(end)
	return c.w.Flush()
}

// release keeps the connection if it can be used again.
func (c *conn) release(usable bool) {
	if !usable || c.r.Buffered() > 0 {
		c.close()
		return
	}
	c.host.put(c)
}
