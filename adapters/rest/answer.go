package rest

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
)

// headersOf are an answer's headers as expressions see them; few look.
func headersOf(resp *http.Response) steps.Later {
	return func() any {
		all := make(map[string]any, len(resp.Header))
		for name, v := range resp.Header {
			all[name] = strings.Join(v, ", ")
		}
		return all
	}
}

// answer is what expressions see of a response.
func (c *call) answer(resp *http.Response, data []byte, broken error) steps.Answer {
	a := steps.Answer{Values: map[string]any{
		"status": resp.StatusCode, "headers": headersOf(resp), "body": nil, "header": resp.Header.Get,
	}}
	html := c.page(resp, data)
	if broken == nil && html && c.codec.accept() != "*/*" {
		broken = errors.New("the answer is HTML")
	}
	var fault error
	if broken == nil {
		var body any
		if body, fault, broken = c.codec.decode(c, resp, inUTF8(resp, data)); broken == nil {
			a.Values["body"] = body
		}
	}
	a.Broken = broken
	if resp.Request != nil {
		a.Whence = resp.Request.URL
	}
	a.Fault = c.fault(resp, data, fault, html)
	if a.Fault == nil && broken != nil && !c.Reads() && c.untold(html) {
		a.Fault = &adapters.Error{Kind: adapters.Unavailable, Err: broken, Unsure: true}
	}
	return a
}

// page reports whether an answer is a page of HTML: what calls itself so, and looks so.
// Scripts that do not say what they answer call everything HTML, data in JSON, too.
func (c *call) page(resp *http.Response, data []byte) bool {
	if !strings.Contains(resp.Header.Get("Content-Type"), "html") {
		return false
	}
	start := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), maxStart)], " \t\r\n\ufeff"))
	if !strings.Contains(c.codec.accept(), "xml") {
		return bytes.HasPrefix(start, []byte("<"))
	}
	return bytes.Contains(start, []byte("<html")) || bytes.Contains(start, []byte("<!doctype html"))
}

// maxStart is where a page has said what it is.
const maxStart = 1024

// untold reports whether an answer that cannot be understood leaves open what became of
// a change, though nothing is to be read from it: where the body says whether it is one
// of success, and where there is a page, as of a log-in, in place of data.
func (c *call) untold(html bool) bool {
	switch c.codec.(type) {
	case rpcCodec, soapCodec:
		return true
	case jsonCodec, xmlCodec:
		return html
	}
	return false
}
