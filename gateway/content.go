package gateway

import (
	"bytes"
	"errors"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// acceptable reports whether the client takes SCIM's JSON (H-02). A header that
// cannot be read asks for nothing in particular.
func acceptable(accept []string) error {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == mediaType || accept[0] == "*/*") {
		return nil
	}
	best := map[string]rank{"application/scim+json": {}, "application/json": {}}
	ranges := 0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			kind, params, err := mime.ParseMediaType(item)
			if err != nil {
				continue
			}
			ranges++
			for name, r := range best {
				best[name] = r.better(precision(kind, name), quality(params["q"]))
			}
		}
	}
	if ranges == 0 {
		return nil
	}
	for _, r := range best {
		if r.q > 0 {
			return nil
		}
	}
	return scim.Errorf(http.StatusNotAcceptable, "", "Answers are application/scim+json; accept that, application/json or */*.")
}

// A rank is how well the most precise media range fits a type.
type rank struct {
	precision int
	q         float64
}

func (r rank) better(precision int, q float64) rank {
	if precision == 0 || precision < r.precision || precision == r.precision && q < r.q {
		return r
	}
	return rank{precision, q}
}

func precision(mediaRange, name string) int {
	switch mediaRange {
	case name:
		return 3
	case "application/*":
		return 2
	case "*/*":
		return 1
	}
	return 0
}

func quality(q string) float64 {
	if f, err := strconv.ParseFloat(q, 64); err == nil {
		return f
	}
	return 1
}

// checkContent refuses bodies that are not plain SCIM JSON in UTF-8 (H-03, H-04).
// A body without a type is taken for what it must be.
func checkContent(h http.Header) error {
	if enc := h["Content-Encoding"]; len(enc) > 0 && !(len(enc) == 1 && strings.EqualFold(enc[0], "identity")) {
		return scim.Errorf(http.StatusUnsupportedMediaType, "", "Compressed bodies are not read; send the body without Content-Encoding.")
	}
	types := h["Content-Type"]
	if len(types) == 0 || len(types) == 1 && (types[0] == mediaType || types[0] == "application/json") {
		return nil
	}
	if len(types) > 1 {
		return unsupported("There is more than one Content-Type.")
	}
	kind, params, err := mime.ParseMediaType(types[0])
	if err != nil || kind != mediaType && kind != "application/json" {
		return unsupported("The Content-Type " + strconv.Quote(clip(types[0])) + " is not read here.")
	}
	if cs, ok := params["charset"]; ok && !strings.EqualFold(cs, "utf-8") && !strings.EqualFold(cs, "us-ascii") {
		return unsupported("The charset " + strconv.Quote(clip(cs)) + " is not read here.")
	}
	return nil
}

func unsupported(what string) error {
	return scim.Errorf(http.StatusUnsupportedMediaType, "", "%s Send application/scim+json in UTF-8.", what)
}

// body reads the request's JSON within the limits (H-16, H-17).
func (x *exchange) body() (scim.Node, error) {
	r := x.c.Request
	if err := checkContent(r.Header); err != nil {
		return scim.Node{}, err
	}
	if r.ContentLength > x.limits.Body {
		return scim.Node{}, x.tooLarge()
	}
	p := x.buffers.get()
	defer x.buffers.put(p) // nodes copy what they keep
	buf := bytes.NewBuffer((*p)[:0])
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead) // all at once
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(nil, r.Body, x.limits.Body))
	*p = buf.Bytes()
	if err != nil {
		return scim.Node{}, x.unread(err)
	}
	return scim.ReadJSON(*p, scim.Limits{Depth: x.limits.Depth, Elements: x.limits.Elements})
}

// unread explains why a body could not be read to its end.
func (x *exchange) unread(err error) error {
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return x.tooLarge()
	case errors.As(err, &slow) && slow.Timeout():
		return scim.Errorf(http.StatusRequestTimeout, "", "The body did not arrive in time.")
	}
	return scim.Bad(scim.InvalidSyntax, "The body ended before it was complete.")
}

func (x *exchange) tooLarge() error {
	return scim.Errorf(http.StatusRequestEntityTooLarge, "",
		"The body is larger than %d bytes, which is the limit; send it in parts.", x.limits.Body)
}
