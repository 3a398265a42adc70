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
func (x *exchange) body() (n scim.Node, err error) {
	err = x.withBody(x.limits.Body, "", func(data []byte) error {
		n, err = scim.ReadJSON(data, x.jsonLimits())
		return err
	})
	return n, err
}

func (x *exchange) jsonLimits() scim.Limits {
	return scim.Limits{Depth: x.limits.Depth, Elements: x.limits.Elements}
}

// withBody calls f with the request's body, whose bytes are used again when f
// returns.
func (x *exchange) withBody(limit int64, name string, f func(data []byte) error) error {
	r := x.c.Request
	if err := checkContent(r.Header); err != nil {
		return err
	}
	if r.ContentLength > limit {
		return tooLarge(limit, name)
	}
	p := x.buffers.get()
	defer x.buffers.put(p) // nodes copy what they keep
	buf := bytes.NewBuffer((*p)[:0])
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead) // all at once
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(nil, r.Body, limit))
	*p = buf.Bytes()
	if err != nil {
		return unread(err, limit, name)
	}
	return f(*p)
}

// unread explains why a body could not be read to its end.
func unread(err error, limit int64, name string) error {
	var large *http.MaxBytesError
	var slow net.Error
	switch {
	case errors.As(err, &large):
		return tooLarge(limit, name)
	case errors.As(err, &slow) && slow.Timeout():
		return scim.Errorf(http.StatusRequestTimeout, "", "The body did not arrive in time.")
	}
	return scim.Bad(scim.InvalidSyntax, "The body ended before it was complete.")
}

// tooLarge names the limit (E-08), by the name that clients know if it has one.
func tooLarge(limit int64, name string) error {
	if name != "" {
		name = " (" + name + ")"
	}
	return scim.Errorf(http.StatusRequestEntityTooLarge, "",
		"The body is larger than %d bytes, which is the limit%s; send it in parts.", limit, name)
}
