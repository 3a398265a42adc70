package scim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// Versions of the protocol.
const (
	V2  = "2.0"
	V11 = "1.1"
)

// A Config says where a server is and how to reach it.
type Config struct {
	URL     string
	Version string // "": what the server says
	NoPatch bool   // whatever the server says
	NoFind  bool   // no filters, whatever the server says
	Size    int64  // of an answer, at most; 0: 16 MiB

	// Send makes one HTTP exchange and adds the credential to it.
	Send func(*http.Request) (*http.Response, error)
}

// A Backend is one server. Open makes it; its methods may be called from many
// goroutines.
type Backend struct {
	cfg   Config
	base  string
	locks steps.KindLocks
	now   func() time.Time

	turn    chan struct{} // held while asking the server about itself
	service *service      // nil: not asked yet; read and written in turn
}

const defaultSize = 16 << 20

// Open makes a backend; it sends nothing.
func Open(cfg Config) (*Backend, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("the url is no http or https URL")
	}
	if cfg.Size == 0 {
		cfg.Size = defaultSize
	}
	return &Backend{cfg: cfg, base: strings.TrimRight(cfg.URL, "/"), now: time.Now, turn: make(chan struct{}, 1)}, nil
}

// An object is one of JSON.
type object = map[string]any

// A request is what one exchange says.
type request struct {
	method, path string
	query        url.Values
	body         object // nil: none
	etag         string // for If-Match
	v11          bool
	reads        bool
}

// A response is what came back.
type response struct {
	status int
	header http.Header
	doc    any   // nil: no body
	broken error // the body cannot be understood
}

// object is the body, if it is one.
func (r response) object() object {
	o, _ := r.doc.(object)
	return o
}

func (b *Backend) exchange(ctx context.Context, q request) (response, error) {
	ctx = adapters.WithPurpose(ctx, "exchange", q.reads)
	req, err := b.request(ctx, q)
	if err != nil {
		return response{}, &adapters.Error{Kind: adapters.Invalid, Err: err}
	}
	resp, err := b.cfg.Send(req)
	if err != nil {
		return response{}, lost(ctx, q, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, b.cfg.Size+1))
	if err != nil && ctx.Err() != nil {
		return response{}, lost(ctx, q, err)
	}
	if int64(len(data)) > b.cfg.Size {
		err = fmt.Errorf("the answer is longer than %d bytes", b.cfg.Size)
	}
	r := response{status: resp.StatusCode, header: resp.Header, broken: err}
	if err == nil {
		r.doc, r.broken = steps.ReadJSON(data)
	}
	return r, nil
}

// lost is an exchange without an answer.
func lost(ctx context.Context, q request, err error) error {
	var e *adapters.Error
	if errors.As(err, &e) { // the log-in failed
		return err
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return &adapters.Error{Kind: adapters.Unavailable, Err: err, Unsure: !q.reads}
}

func (b *Backend) request(ctx context.Context, q request) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		data, err := steps.WriteJSON(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	to := b.base + q.path
	if len(q.query) > 0 {
		to += "?" + q.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.method, to, body)
	if err != nil {
		return nil, err
	}
	media := "application/scim+json"
	if q.v11 {
		media = "application/json"
	}
	req.Header.Set("Accept", media+", application/json;q=0.9")
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	if q.etag != "" {
		req.Header.Set("If-Match", q.etag)
	}
	return req, nil
}
