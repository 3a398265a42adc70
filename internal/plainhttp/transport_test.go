package plainhttp_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postern/postern/internal/plainhttp"
)

// A stage is a server of which each word is ours, and a client before it.
type stage struct {
	t     *testing.T
	url   string
	dials atomic.Int64
	next  *http.Transport
	*plainhttp.Transport
}

// open starts a server that lets serve speak on each connection; it is closed when that
// returns.
func open(t *testing.T, serve func(c net.Conn, r *bufio.Reader)) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, url: "http://" + l.Addr().String(), next: http.DefaultTransport.(*http.Transport).Clone()}
	s.next.Proxy, s.next.MaxIdleConnsPerHost = nil, 64
	s.Transport = plainhttp.New(s.next)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.dials.Add(1)
			all.Go(func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); s.CloseIdleConnections(); all.Wait() })
	return s
}

// heard reads a request.
func heard(r *bufio.Reader) (*http.Request, bool) {
	req, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return req, err == nil
}

// always answers every request with the same words.
func always(words string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		for {
			if _, ok := heard(r); !ok {
				return
			}
			if _, err := io.WriteString(c, words); err != nil || strings.Contains(words, "close") || strings.Contains(words, "HTTP/1.0") || strings.Contains(words, "until the end") {
				return
			}
		}
	}
}

func (s *stage) request(ctx context.Context, method string) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/users/1?a=b%20c", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "test")
	return req
}

func (s *stage) get() (string, error) {
	s.t.Helper()
	resp, err := s.RoundTrip(s.request(s.t.Context(), "GET"))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (s *stage) want(body string, dials int64) {
	s.t.Helper()
	if got, err := s.get(); got != body || err != nil {
		s.t.Errorf("%q %v, want %q", got, err, body)
	}
	if n := s.dials.Load(); n != dials {
		s.t.Errorf("%d connections, want %d", n, dials)
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

// TestLikeTheLibrary: whatever a server answers, it comes out as from net/http's.
func TestLikeTheLibrary(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("a long text, a long text, a long text"))
	_ = z.Close()
	for name, words := range map[string]string{
		"length":          fine,
		"chunks":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n3;x=y\r\nest\r\n0\r\n\r\n",
		"trailer":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nfine\r\n0\r\nX-Sum: 7\r\n\r\n",
		"close":           "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
		"1.0":             "HTTP/1.0 200 OK\r\n\r\nold",
		"1.0 with length": "HTTP/1.0 404 Not Found\r\nContent-Length: 3\r\n\r\nold",
		"no content":      "HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
		"not modified":    "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
		"empty":           "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
		"status 99":       "HTTP/1.1 099 X\r\nContent-Length: 4\r\n\r\nfine",
		"interim":         "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + fine,
		"redirect":        "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 2\r\n\r\nno",
		"gzip":            fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len(), zipped.String()),
		"gzip in chunks":  fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", zipped.Len(), zipped.String()),
		"no gzip":         "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine",
		"cut":             "HTTP/1.1 200 OK\r\nContent-Length: 400\r\nConnection: close\r\n\r\nfine",
		"cut chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n40\r\nfine",
		"two lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\nConnection: close\r\n\r\nfine",
		"no HTTP":         "SSH-2.0 close\r\n\r\n",
		"nothing":         " close",
		"another":         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: close\r\n\r\n",
		"hints":           strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20) + "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"a long head":     "HTTP/1.1 200 OK\r\nConnection: close\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n\r\n",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				said := words
				if head, _, ok := strings.Cut(words, "\r\n\r\n"); method == "HEAD" && ok && name != "interim" && name != "hints" {
					said = head + "\r\n\r\n"
				} else if method == "HEAD" && name == "interim" {
					said = strings.TrimSuffix(said, "fine")
				}
				s := open(t, always(said))
				ours, want := s.tell(s.Transport, method), s.tell(s.next, method)
				if ours != want && !(strings.HasPrefix(ours, "failed") && strings.HasPrefix(want, "failed")) {
					t.Errorf("got  %s\nwant %s", ours, want)
				}
			})
		}
	}
}

// tell is everything that is to be known of an answer.
func (s *stage) tell(by http.RoundTripper, method string) string {
	resp, err := by.RoundTrip(s.request(s.t.Context(), method))
	if err != nil {
		return "failed: " + err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.Status, resp.Proto, resp.Header, resp.Trailer, resp.ContentLength, resp.Uncompressed, " ", string(body), err)
}

// TestSent: a request is the same on the wire.
func TestSent(t *testing.T) {
	var seen []*http.Request
	s := open(t, func(c net.Conn, r *bufio.Reader) {
		if req, ok := heard(r); ok {
			seen = append(seen, req)
			_, _ = io.WriteString(c, fine)
		}
	})
	for _, by := range []http.RoundTripper{s.next, s.Transport} {
		req := s.request(t.Context(), "GET")
		req.Header["X-Key"] = []string{"one", "two  three"}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Host", "elsewhere")
		req.Host = "app.example.com"
		resp, err := by.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
	}
	a, b := seen[0], seen[1]
	if !reflect.DeepEqual(a.Header, b.Header) || a.Host != b.Host || a.RequestURI != b.RequestURI || a.Method != b.Method {
		t.Errorf("%v %s %s\n%v %s %s", a.Header, a.Host, a.RequestURI, b.Header, b.Host, b.RequestURI)
	}
}

// TestConnections says when one is used again.
func TestConnections(t *testing.T) {
	s := open(t, always(fine))
	for range 5 {
		s.want("fine", 1)
	}
	resp, err := s.RoundTrip(s.request(t.Context(), "GET"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // not read: it is not known where the next answer begins
	if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Error(err)
	}
	s.want("fine", 2)
	resp, err = s.RoundTrip(s.request(t.Context(), "GET"))
	if err != nil {
		t.Fatal(err)
	}
	s.want("fine", 3) // while the other is being read
	_, _ = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	s.CloseIdleConnections()
	s.want("fine", 4)

	more := open(t, always(fine+"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
	more.want("fine", 1)
	more.want("fine", 2)
}

// TestComplaint: what a server says while nobody asks is no answer to the next request.
func TestComplaint(t *testing.T) {
	said := make(chan bool)
	first := true
	s := open(t, func(c net.Conn, r *bufio.Reader) {
		for {
			if _, ok := heard(r); !ok {
				return
			}
			_, _ = io.WriteString(c, fine)
			if first {
				first = false
				_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				time.Sleep(20 * time.Millisecond)
				said <- true
				return
			}
		}
	})
	s.want("fine", 1)
	<-said
	s.want("fine", 2)
}

// TestClosedMeanwhile: a connection that is closed when the request has just been sent
// costs a new one; if that is closed too, the request fails.
func TestClosedMeanwhile(t *testing.T) {
	var n atomic.Int64
	s := open(t, func(c net.Conn, r *bufio.Reader) {
		if _, ok := heard(r); n.Add(1) == 3 || !ok {
			return
		}
		_, _ = io.WriteString(c, fine)
		_, _ = heard(r)
	})
	s.want("fine", 1)
	s.want("fine", 2)
	if _, err := s.get(); err == nil {
		t.Error("an answer")
	}
	if s.dials.Load() != 3 {
		t.Error(s.dials.Load())
	}
}

// TestTime: whoever has no more time gets told so, in the head and in the body.
func TestTime(t *testing.T) {
	for name, words := range map[string]string{"head": "", "half a head": "HTTP/1.1 200 OK\r\n", "body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"} {
		for _, why := range []error{context.DeadlineExceeded, context.Canceled} {
			t.Run(name+" "+why.Error(), func(t *testing.T) {
				t.Parallel()
				s := open(t, func(c net.Conn, r *bufio.Reader) {
					if _, ok := heard(r); ok {
						_, _ = io.WriteString(c, words)
						_, _ = heard(r)
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				if why == context.Canceled {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(50*time.Millisecond, cancel)
				}
				defer cancel()
				resp, err := s.RoundTrip(s.request(ctx, "GET"))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
				}
				if !errors.Is(err, why) || ctx.Err() == nil {
					t.Error(err, ctx.Err())
				}
			})
		}
	}
}

// TestTimeIsTheContexts: when there is no more time, the context says so already.
func TestTimeIsTheContexts(t *testing.T) {
	s := open(t, func(_ net.Conn, r *bufio.Reader) {
		for {
			if _, ok := heard(r); !ok {
				return
			}
		}
	})
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
		if _, err := s.RoundTrip(s.request(ctx, "GET")); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == nil {
			t.Fatal(err, ctx.Err())
		}
		cancel()
	}
}

// TestOver: what nobody waits for any more is not sent, and costs no connection.
func TestOver(t *testing.T) {
	s := open(t, always(fine))
	s.want("fine", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 200 {
		if _, err := s.RoundTrip(s.request(ctx, "GET")); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	s.want("fine", 1)
}

// TestRefused: what net/http would not send is not sent.
func TestRefused(t *testing.T) {
	s := open(t, always(fine))
	for name, value := range map[string]string{"X Key": "v", "X-Key": "a\x00b", "X-Other": "secret\n"} {
		req := s.request(t.Context(), "GET")
		req.Header[name] = []string{value}
		if _, err := s.RoundTrip(req); err == nil {
			t.Errorf("%q: %q was sent", name, value)
		}
	}
	req := s.request(t.Context(), "GET")
	req.URL.Host = ""
	if _, err := s.RoundTrip(req); err == nil {
		t.Error("without a host")
	}
}

// TestClosedInUse: connections that are in use when all are closed go when they are free.
func TestClosedInUse(t *testing.T) {
	s := open(t, always(fine))
	resp, err := s.RoundTrip(s.request(t.Context(), "GET"))
	if err != nil {
		t.Fatal(err)
	}
	s.CloseIdleConnections()
	if body, err := io.ReadAll(resp.Body); string(body) != "fine" || err != nil {
		t.Errorf("%q %v", body, err)
	}
	s.want("fine", 2)
}

// TestOthers go to net/http's transport, which alone knows what to do.
func TestOthers(t *testing.T) {
	s := open(t, always(fine))
	asked := map[string]int{}
	s.next.Proxy = func(req *http.Request) (*url.URL, error) {
		asked[req.Method+req.Header.Get("Upgrade")]++
		return nil, nil
	}
	send := func(method string, change func(*http.Request)) {
		t.Helper()
		req := s.request(t.Context(), method)
		change(req)
		resp, err := s.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	for range 3 {
		send("POST", func(*http.Request) {})
		send("GET", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("x")) })
		send("GET", func(r *http.Request) { r.Header.Set("Upgrade", "x") })
		send("GET", func(*http.Request) {}) // the proxy is asked for once
	}
	if want := map[string]int{"POST": 3, "GET": 4, "GETx": 3}; !reflect.DeepEqual(asked, want) {
		t.Errorf("%v, want %v", asked, want)
	}
	proxied := open(t, always(fine))
	proxied.next.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(s.url) }
	proxied.want("fine", 0)
}

// TestForgotten: connections that nobody uses are closed, and many at once are bounded.
func TestForgotten(t *testing.T) {
	gone := make(chan bool, 10)
	s := open(t, func(c net.Conn, r *bufio.Reader) {
		always(fine)(c, r)
		gone <- true
	})
	s.next.IdleConnTimeout, s.next.MaxIdleConnsPerHost = time.Millisecond, 2
	var all []*http.Response
	for range 5 {
		resp, err := s.RoundTrip(s.request(t.Context(), "GET"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp)
	}
	for _, resp := range all {
		_, _ = io.ReadAll(resp.Body)
	}
	for range 5 {
		<-gone
	}
	s.want("fine", 6)
}
