package conform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// An Exchange is a request and its answer, without secrets.
type Exchange struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	Request string `json:"request,omitempty"`
	Status  int    `json:"status,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Failure string `json:"failure,omitempty"` // there was no answer
}

// A probe is one check while it runs.
type probe struct {
	*run
	said []Exchange
}

// fail ends the check: the server does not do what it should.
func (p *probe) fail(format string, args ...any) {
	panic(stop{Failed, fmt.Sprintf(format, args...)})
}

// skip ends the check: it cannot be asked.
func (p *probe) skip(format string, args ...any) {
	panic(stop{Skipped, fmt.Sprintf(format, args...)})
}

// An answer is what the server said.
type answer struct {
	p      *probe
	what   string
	status int
	header http.Header
	text   string
	json   Object // nil if the body is no JSON object
}

// Headers of a request, as name and value; an empty value takes the header away.
type headers = map[string]string

// send sends a request. The body is JSON, or a text as it is.
func (p *probe) send(method, path string, body any, h headers) *answer {
	a, err := p.exchange(method, path, body, h)
	if err != nil {
		p.fail("%s %s: there was no answer: %v", method, path, err)
	}
	return a
}

func (p *probe) get(path string) *answer            { return p.send("GET", path, nil, nil) }
func (p *probe) post(path string, body any) *answer { return p.send("POST", path, body, nil) }
func (p *probe) put(path string, body any) *answer  { return p.send("PUT", path, body, nil) }
func (p *probe) delete(path string) *answer         { return p.send("DELETE", path, nil, nil) }
func (p *probe) patch(path string, ops ...op) *answer {
	return p.send("PATCH", path, patchOf(ops), nil)
}

// exchange is send that tells an error.
func (p *probe) exchange(method, path string, body any, h headers) (*answer, error) {
	text, err := textOf(body)
	if err != nil {
		return nil, err
	}
	p.said = append(p.said, Exchange{Method: method, Path: path, Request: p.blot(text)})
	said := &p.said[len(p.said)-1]
	req, err := http.NewRequestWithContext(p.ctx, method, p.base+path, strings.NewReader(text))
	if err != nil {
		said.Failure = err.Error()
		return nil, err
	}
	p.dress(req, text != "", h)
	res, err := p.client.Do(req)
	if err != nil {
		said.Failure = p.blot(err.Error())
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 32<<20))
	if err != nil {
		said.Failure = err.Error()
		return nil, err
	}
	a := &answer{p: p, what: method + " " + path, status: res.StatusCode, header: res.Header, text: string(data)}
	_ = json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &a.json)
	said.Status, said.Answer = a.status, p.blot(a.text)
	p.note(method, path, a)
	return a, nil
}

// dress gives a request its headers.
func (p *probe) dress(req *http.Request, hasBody bool, h headers) {
	req.Header.Set("Accept", "application/scim+json")
	req.Header.Set("User-Agent", "postern-conform")
	if hasBody {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	if p.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.opts.Token)
	}
	for name, v := range p.opts.Headers {
		req.Header[name] = v
	}
	for name, v := range h {
		if req.Header.Set(name, v); v == "" {
			req.Header.Del(name)
		}
	}
}

func textOf(body any) (string, error) {
	switch b := body.(type) {
	case nil:
		return "", nil
	case string:
		return b, nil
	}
	data, err := json.Marshal(body)
	return string(data), err
}

// note remembers what was made and what is gone.
func (p *probe) note(method, path string, a *answer) {
	path, _, _ = strings.Cut(path, "?")
	switch {
	case method == "DELETE" && (a.status/100 == 2 || a.status == 404):
		p.gone[path] = true
	case method == "POST" && a.status == 201:
		if id, ok := a.json["id"].(string); ok {
			p.made = append(p.made, path+"/"+url.PathEscape(id))
		} else if at, ok := p.local(a.header.Get("Location")); ok {
			p.made = append(p.made, at)
		}
	case method == "POST" && strings.EqualFold(path, "/Bulk"):
		for _, o := range objects(a.json["Operations"]) {
			if at, ok := p.local(text(o["location"])); ok && strings.EqualFold(text(o["method"]), "POST") {
				p.made = append(p.made, at)
			}
		}
	}
}

// local is a URL of this server as a path below the base. The host may be another:
// servers behind proxies have several names.
func (p *probe) local(location string) (string, bool) {
	for _, t := range p.server.types {
		if i := strings.LastIndex(location, t.Endpoint+"/"); i >= 0 {
			return location[i:], true
		}
	}
	return "", false
}

var secret = regexp.MustCompile(`(?i)("(?:password|secret|token|irk|clientToken)"\s*:\s*)"(?:[^"\\]|\\.)*"`)

// blot takes secrets out of a text.
func (r *run) blot(text string) string {
	text = secret.ReplaceAllString(text, `${1}"***"`)
	hidden := []string{r.opts.Token, passphrase}
	for _, v := range r.opts.Headers {
		hidden = append(hidden, v...)
	}
	for _, s := range hidden {
		if len(s) > 5 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

// want fails unless the status is one of these.
func (a *answer) want(status ...int) *answer {
	if !slices.Contains(status, a.status) {
		a.fail("status %d, want %s", a.status, either(status))
	}
	return a
}

func either(status []int) string {
	var out []string
	for _, s := range status {
		out = append(out, fmt.Sprint(s))
	}
	return strings.Join(out, " or ")
}

// refused fails unless the answer is an error with the status and, if any are
// given, one of the scimTypes.
func (a *answer) refused(status int, types ...string) *answer {
	a.want(status)
	if got := text(a.json["scimType"]); len(types) > 0 && !slices.Contains(types, got) {
		a.fail("scimType %q, want %s", got, strings.Join(types, " or "))
	}
	return a
}

func (a *answer) fail(format string, args ...any) {
	a.p.fail("%s: %s", a.what, fmt.Sprintf(format, args...))
}

// object is the body, which must be a JSON object.
func (a *answer) object() Object {
	if a.json == nil {
		a.fail("the body is no JSON object")
	}
	return a.json
}

// is fails unless an attribute has the value.
func (a *answer) is(at attr, want any) *answer {
	if got := at.in(a.object()); !same(got, want) {
		a.fail("%s is %s, want %s", at, show(got), show(want))
	}
	return a
}
