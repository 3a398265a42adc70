package trace

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// Transport watches HTTP on its way to a backend.
func (t *Tape) Transport(backend string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return &transport{t, backend, next} }
}

type transport struct {
	tape    *Tape
	backend string
	next    http.RoundTripper
}

// maxBody bounds what is kept of a body; the adapter has a bound of its own.
const maxBody = 64 << 20

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	op, reads := adapters.Purpose(ctx)
	e := &Exchange{Request: req.Method + " " + req.URL.String(), Reads: reads, secretive: op == "login"}
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		e.Body = string(data)
		req = req.Clone(ctx)
		req.Body = io.NopCloser(bytes.NewReader(data))
	}
	if s := current(ctx); t.tape.dry && s != nil && s.writes() && !reads && op != "login" {
		return nil, t.tape.stop(s, e)
	}
	resp, err := t.answer(req, e)
	if err != nil {
		e.Error = err.Error()
	}
	t.tape.add(ctx, t.backend, e)
	return resp, err
}

func (t *transport) answer(req *http.Request, e *Exchange) (*http.Response, error) {
	if t.tape.replay != nil {
		return t.replayed(req, e)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	if err != nil {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data), failing{err}))
	}
	e.Answer, e.Status, e.Headers = resp.Status, resp.StatusCode, map[string]string{}
	for name, v := range resp.Header {
		if !slices.Contains(unkept, name) {
			e.Headers[name] = strings.Join(v, ", ")
		}
	}
	if e.AnswerBody = string(data); !utf8.Valid(data) {
		e.AnswerBody, e.Binary = base64.StdEncoding.EncodeToString(data), true
	}
	return resp, nil
}

// unkept are headers that hold secrets, or that no replay needs.
var unkept = []string{"Set-Cookie", "Www-Authenticate", "Date", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive"}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

// replayed is the recorded answer to a request.
func (t *transport) replayed(req *http.Request, e *Exchange) (*http.Response, error) {
	t.tape.mu.Lock()
	defer t.tape.mu.Unlock()
	x, err := t.tape.replay.call(t.tape, e)
	if err != nil {
		return nil, err
	}
	e.Answer, e.Status, e.Headers, e.AnswerBody, e.Binary = x.Answer, x.Status, x.Headers, x.AnswerBody, x.Binary
	if x.Status == 0 {
		return nil, errors.New(x.Error)
	}
	data := []byte(x.AnswerBody)
	if x.Binary {
		if data, err = base64.StdEncoding.DecodeString(x.AnswerBody); err != nil {
			return nil, err
		}
	}
	resp := &http.Response{Status: x.Answer, StatusCode: x.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data)), Request: req}
	for name, v := range x.Headers {
		resp.Header.Set(name, v)
	}
	return resp, nil
}
