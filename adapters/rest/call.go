package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// A call is one HTTP exchange, compiled.
type call struct {
	b       *Backend
	op      string // of the operation: decides what a 404 means
	method  string
	path    *steps.Template
	query   []named
	headers []named
	send    *steps.Expr
	codec   codec
	accept  []string
	name    string // of rpc and soap: the method
	free    bool   // part of the log-in: needs no session itself
	ids     *atomic.Int64
	keep    steps.Keep // of a body in JSON
}

// Spare implements steps.Sparing. A session may look at answers, too.
func (c *call) Spare(keep steps.Keep) {
	if c.b.session == nil || c.b.session.again == nil {
		c.keep = keep
	}
}

type named struct {
	name string
	expr *steps.Expr
}

// Reads implements steps.Call.
func (c *call) Reads() bool {
	return c.method == http.MethodGet || c.method == http.MethodHead || c.method == "SEARCH" || slices.Contains([]string{"get", "list", "many", "probe", "login"}, c.op)
}

// Exprs implements steps.Call.
func (c *call) Exprs() []*steps.Expr {
	out := append(c.path.Exprs(), c.send)
	for _, n := range slices.Concat(c.query, c.headers) {
		out = append(out, n.expr)
	}
	return out
}

// Do implements steps.Call. If the credential is refused and there is another one
// by now, the call is made with that, once.
func (c *call) Do(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	if c.b.proof != nil && !c.free && c.op != "probe" {
		if err := c.b.proof.Lately(ctx); err != nil {
			return steps.Answer{}, err
		}
	}
	seen := c.b.credential.Load()
	a, err := c.within(ctx, s)
	if refusedBy(a, err) && c.b.renew(seen) {
		return c.within(ctx, s)
	}
	return a, err
}

// within makes the exchange in a session, if there are any. An answer that says
// that the session is over is answered with a new one and the same call, once.
func (c *call) within(ctx context.Context, s steps.Scope) (steps.Answer, error) {
	if c.free || c.b.session == nil {
		return c.exchange(ctx, s, nil)
	}
	token, err := c.b.session.get(ctx)
	if err != nil {
		return steps.Answer{}, err
	}
	a, err := c.exchange(ctx, s, token)
	if err != nil || !c.b.session.over(a) {
		return a, err
	}
	c.b.session.drop(token)
	if token, err = c.b.session.get(ctx); err != nil {
		return steps.Answer{}, err
	}
	return c.exchange(ctx, s, token)
}

// once makes the exchange with a session, nil for none.
func (c *call) once(ctx context.Context, s steps.Scope, t *token) (steps.Answer, error) {
	cred := c.b.credential.Load()
	if cred != c.b.first { // the first one's secrets are in every scope
		s = scopeWith(s, "secret", cred.secrets)
	}
	if t != nil {
		s = scopeWith(s, "session", t.values)
	}
	if c.b.cfg.Transport != nil {
		ctx = adapters.WithPurpose(ctx, c.op, c.Reads())
	}
	req, err := c.request(ctx, s, t, cred)
	if err != nil {
		return steps.Answer{}, err
	}
	resp, err := c.b.do(req)
	if err != nil {
		return steps.Answer{}, c.lost(ctx, err)
	}
	defer resp.Body.Close()
	data, broken := read(resp, c.b.cfg.Size)
	if int64(len(data)) > c.b.cfg.Size {
		broken = fmt.Errorf("the answer is longer than %d bytes", c.b.cfg.Size)
	}
	if broken != nil && ctx.Err() != nil {
		return steps.Answer{}, c.lost(ctx, broken)
	}
	return c.answer(resp, data, broken), nil
}

// maxAtOnce is up to which length of an answer its word is taken for it.
const maxAtOnce = 1 << 20

// read reads an answer's body, of one that is too long one byte more than is allowed.
func read(resp *http.Response, most int64) ([]byte, error) {
	n := resp.ContentLength
	if n < 0 || n > min(most, maxAtOnce) || resp.Body == http.NoBody {
		return io.ReadAll(io.LimitReader(resp.Body, most+1))
	}
	data := make([]byte, n)
	got, err := io.ReadFull(resp.Body, data)
	return data[:got], err
}

// lost is a call without an answer. The words for why are the log's, not the client's:
// they stay in Err.
func (c *call) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return &adapters.Error{Kind: adapters.Unavailable, Err: err, Unsure: !c.Reads()}
}

func scopeWith(s steps.Scope, name string, v any) steps.Scope {
	out := make(steps.Scope, len(s)+1)
	for k, e := range s {
		out[k] = e
	}
	out[name] = v
	return out
}

func (c *call) request(ctx context.Context, s steps.Scope, t *token, cred *credential) (*http.Request, error) {
	target, own, err := c.target(s)
	if err != nil {
		return nil, refused(err)
	}
	var body io.Reader
	contentType := ""
	if c.send != nil || c.name != "" {
		v, err := c.send.Eval(s)
		if err != nil {
			return nil, &adapters.Error{Kind: adapters.Internal, Err: err}
		}
		data, err := c.codec.encode(c, v)
		if err != nil {
			return nil, refused(err)
		}
		body, contentType = bytes.NewReader(data), c.codec.contentType(c)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, "", body)
	if err != nil {
		return nil, refused(err)
	}
	req.URL, req.Host = target, target.Host
	h := req.Header
	h["Accept"], h["User-Agent"] = c.accept, c.b.userAgent
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	c.codec.decorate(c, h)
	if own { // the credential is for the backend's own host
		maps.Copy(h, cred.lines)
		if cred.user != "" {
			req.SetBasicAuth(cred.user, cred.password)
		}
	}
	all := c.headers
	if t != nil {
		all = slices.Concat(c.b.session.headers, c.headers)
	}
	return req, setHeaders(h, all, s)
}

func setHeaders(h http.Header, all []named, s steps.Scope) error {
	for _, n := range all {
		v, err := n.expr.Eval(s)
		if err != nil {
			return &adapters.Error{Kind: adapters.Internal, Err: err}
		}
		text := scalar(v)
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return refused(fmt.Errorf("the header %s cannot carry its value", n.name))
		}
		if text != "" {
			h.Set(n.name, text)
		}
	}
	return nil
}

// refused is a value that the call cannot carry, unless the error says what it is.
func refused(err error) error {
	var e *adapters.Error
	if errors.As(err, &e) {
		return err
	}
	return &adapters.Error{Kind: adapters.Invalid, Err: err}
}

// target is the URL of the call, and whether it is on the backend's own host.
func (c *call) target(s steps.Scope) (*url.URL, bool, error) {
	if page, ok := s["page"].(map[string]any); ok {
		if link, _ := page["link"].(string); link != "" {
			return c.follow(link, steps.Whence(page))
		}
	}
	text, err := c.path.Fill(s, escapeInURL)
	if err != nil {
		return nil, false, err
	}
	own, err := c.own(text)
	if err != nil {
		return nil, false, err
	}
	if own {
		text = c.b.root + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, false, err
	}
	var extra []string
	for _, n := range c.query {
		v, err := n.expr.Eval(s)
		if err != nil {
			return nil, false, err
		}
		if list, ok := v.([]any); ok {
			for _, e := range list {
				extra = append(extra, url.QueryEscape(n.name)+"="+url.QueryEscape(scalar(e)))
			}
		} else if v != nil {
			extra = append(extra, url.QueryEscape(n.name)+"="+url.QueryEscape(scalar(v)))
		}
	}
	if len(extra) > 0 {
		if u.RawQuery != "" {
			extra = append([]string{u.RawQuery}, extra...)
		}
		u.RawQuery = strings.Join(extra, "&")
	}
	return u, own, nil
}

// own reports whether a text names no host.
func (c *call) own(text string) (bool, error) {
	if text == "" || text[0] == '?' || text[0] == '/' && !strings.HasPrefix(text, "//") {
		return true, nil
	}
	u, err := url.Parse(text)
	return err == nil && u.Host == "", err
}

// follow goes to where a backend's list says that it goes on: on the same host. A
// link that is relative is so to the page that has it (RFC 8288 section 3.1). What is
// wrong with it is nothing that a client said.
func (c *call) follow(link string, from any) (*url.URL, bool, error) {
	base, known := from.(*url.URL)
	if !known {
		base = c.b.base
	}
	u, err := base.Parse(link)
	if err == nil && !sameOrigin(u, c.b.base) {
		err = errors.New("the next page is on another host")
	}
	if err != nil {
		return nil, false, &adapters.Error{Kind: adapters.Internal, Err: err}
	}
	return u, true, nil
}

// escapeInURL writes a value into a path or, behind the question mark, into the
// query. Dots alone would climb in the path.
func escapeInURL(before, v string) (string, error) {
	if strings.Contains(before, "?") {
		return url.QueryEscape(v), nil
	}
	if v == "." || v == ".." {
		return "", errors.New("dots alone cannot be a part of a path")
	}
	return url.PathEscape(v), nil
}

// scalar is a value as text in a query, a header, a form.
func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int:
		return strconv.Itoa(v)
	case string, int64, float64, bool, []byte, time.Time:
		return adapters.Text(v)
	case map[string]any, []any:
		if text, err := steps.WriteJSON(v); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v)
}
