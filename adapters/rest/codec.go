package rest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postern/postern/adapters/steps"
)

// A codec writes and reads bodies of one format. Bodies are made of data, never
// pasted together from text.
type codec interface {
	encode(c *call, v any) ([]byte, error)
	// decode reads a body. fault is a failure that the format itself tells.
	decode(c *call, resp *http.Response, data []byte) (body any, fault, broken error)
	contentType(c *call) string
	accept() string
	decorate(c *call, h http.Header)
}

// formats are the names of the codecs.
var formats = []string{"json", "form", "xml", "soap", "soap12", "rpc", "raw"}

func codecOf(format string) codec {
	switch format {
	case "form":
		return formCodec{}
	case "xml":
		return xmlCodec{}
	case "soap":
		return soapCodec{envelope: soap11}
	case "soap12":
		return soapCodec{envelope: soap12}
	case "rpc":
		return rpcCodec{}
	case "raw":
		return rawCodec{}
	}
	return jsonCodec{}
}

type jsonCodec struct{}

func (jsonCodec) contentType(*call) string              { return "application/json" }
func (jsonCodec) accept() string                        { return "application/json" }
func (jsonCodec) decorate(*call, http.Header)           {}
func (jsonCodec) encode(_ *call, v any) ([]byte, error) { return steps.WriteJSON(v) }

func (jsonCodec) decode(c *call, resp *http.Response, data []byte) (any, error, error) {
	return decodeSome(resp, data, c.keep)
}

// decodeAny reads JSON, or XML if the answer says that it is that.
func decodeAny(resp *http.Response, data []byte) (any, error, error) {
	return decodeSome(resp, data, nil)
}

// decodeSome is decodeAny for what is kept of JSON.
func decodeSome(resp *http.Response, data []byte, keep steps.Keep) (any, error, error) {
	if t := resp.Header.Get("Content-Type"); strings.Contains(t, "xml") && !strings.Contains(t, "html") {
		body, err := readXML(data)
		return body, nil, err
	}
	body, err := steps.ReadSome(data, keep)
	return body, nil, err
}

// formCodec writes application/x-www-form-urlencoded; answers are JSON or XML.
type formCodec struct{}

func (formCodec) contentType(*call) string    { return "application/x-www-form-urlencoded" }
func (formCodec) accept() string              { return "application/json" }
func (formCodec) decorate(*call, http.Header) {}

func (formCodec) decode(_ *call, resp *http.Response, data []byte) (any, error, error) {
	return decodeAny(resp, data)
}

func (formCodec) encode(_ *call, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a form is made of named values")
	}
	form := url.Values{}
	addForm(form, "", m)
	return []byte(form.Encode()), nil
}

// addForm writes parts as name[part] and lists as name[], as PHP and Rails read them.
func addForm(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if name != "" {
				k = name + "[" + k + "]"
			}
			addForm(form, k, e)
		}
	case []any:
		if len(v) == 0 {
			form.Add(name+"[]", "") // otherwise nothing would say that the list is empty
		}
		for _, e := range v {
			addForm(form, name+"[]", e)
		}
	default:
		form.Add(name, scalar(v))
	}
}

// rawCodec sends text as it is.
type rawCodec struct{}

func (rawCodec) contentType(*call) string    { return "text/plain; charset=utf-8" }
func (rawCodec) accept() string              { return "*/*" }
func (rawCodec) decorate(*call, http.Header) {}

func (rawCodec) encode(_ *call, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, errors.New("a raw body is a text")
	}
	return []byte(s), nil
}

func (rawCodec) decode(_ *call, resp *http.Response, data []byte) (any, error, error) {
	if t := resp.Header.Get("Content-Type"); strings.Contains(t, "json") {
		return decodeAny(resp, data)
	}
	return string(data), nil, nil
}

// rpcCodec is JSON-RPC 2.0. Parameters are a list or named, as send gives them.
type rpcCodec struct{}

func (rpcCodec) contentType(*call) string    { return "application/json" }
func (rpcCodec) accept() string              { return "application/json" }
func (rpcCodec) decorate(*call, http.Header) {}

func (rpcCodec) encode(c *call, v any) ([]byte, error) {
	m := map[string]any{"jsonrpc": "2.0", "id": c.ids.Add(1), "method": c.name}
	if v != nil {
		m["params"] = v
	}
	return steps.WriteJSON(m)
}

// decode gives the result; an error object is a failure, whatever the status,
// and is the body then.
func (rpcCodec) decode(_ *call, resp *http.Response, data []byte) (any, error, error) {
	body, _, err := decodeAny(resp, data)
	m, ok := body.(map[string]any)
	if err != nil || !ok {
		return nil, nil, errors.Join(err, errors.New("no answer of JSON-RPC"))
	}
	if e, failed := m["error"]; failed && e != nil {
		return map[string]any{"error": e}, errors.New("JSON-RPC answered an error"), nil
	}
	return m["result"], nil, nil
}

// knownFormat reports whether there is such a codec.
func knownFormat(name string) bool { return slices.Contains(formats, name) }
