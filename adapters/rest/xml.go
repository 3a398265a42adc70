package rest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// XML becomes data thus: an element is its text, or an object of its children
// by local name, with attributes as "@name" and text beside them as "#text";
// children of one name become a list; an empty element is no value.

type xmlCodec struct{}

func (xmlCodec) contentType(*call) string    { return "application/xml; charset=utf-8" }
func (xmlCodec) accept() string              { return "application/xml" }
func (xmlCodec) decorate(*call, http.Header) {}

func (xmlCodec) encode(c *call, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return nil, errors.New("XML has one root: write {name: ...}")
	}
	b := bytes.NewBufferString(xml.Header)
	for name, content := range m {
		if err := writeElement(b, name, c.b.cfg.Namespace, content); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func (xmlCodec) decode(_ *call, resp *http.Response, data []byte) (any, error, error) {
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return decodeAny(resp, data)
	}
	body, err := readXML(data)
	return body, nil, err
}

// An envelope is a version of SOAP.
type envelope struct{ namespace, contentType string }

var (
	soap11 = envelope{"http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"}
	soap12 = envelope{"http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"}
)

type soapCodec struct{ envelope envelope }

func (s soapCodec) accept() string { return "text/xml, application/soap+xml" }

func (s soapCodec) contentType(c *call) string {
	if s.envelope == soap12 {
		return s.envelope.contentType + `; action="` + c.action() + `"`
	}
	return s.envelope.contentType
}

func (s soapCodec) decorate(c *call, h http.Header) {
	if s.envelope == soap11 {
		h.Set("SOAPAction", `"`+c.action()+`"`)
	}
}

// action is the namespace and the name of what is called, as most services
// expect it; a header of the step says otherwise.
func (c *call) action() string {
	if c.b.cfg.Namespace == "" {
		return c.name
	}
	return strings.TrimRight(c.b.cfg.Namespace, "/") + "/" + c.name
}

func (s soapCodec) encode(c *call, v any) ([]byte, error) {
	b := bytes.NewBufferString(xml.Header)
	fmt.Fprintf(b, `<soap:Envelope xmlns:soap=%q><soap:Body>`, s.envelope.namespace)
	if err := writeElement(b, c.name, c.b.cfg.Namespace, v); err != nil {
		return nil, err
	}
	b.WriteString(`</soap:Body></soap:Envelope>`)
	return b.Bytes(), nil
}

// decode gives what is in the envelope's body. A fault is a failure, whatever
// the status.
func (s soapCodec) decode(_ *call, _ *http.Response, data []byte) (any, error, error) {
	doc, err := readXML(data)
	if err != nil || doc == nil {
		return nil, nil, err
	}
	root, _ := doc.(map[string]any)
	env, _ := root["Envelope"].(map[string]any)
	content, there := env["Body"]
	if !there {
		return nil, nil, errors.New("no SOAP envelope")
	}
	body, _ := content.(map[string]any)
	if fault, failed := body["Fault"]; failed {
		return map[string]any{"Fault": fault}, errors.New("SOAP answered a fault"), nil
	}
	return body, nil, nil
}

var xmlName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

// writeElement writes data as an element. Where the order of children matters,
// they are given as a list of objects of one entry each.
func writeElement(b *bytes.Buffer, name, namespace string, v any) error {
	if !xmlName.MatchString(name) {
		return errors.New("a name that XML does not allow")
	}
	b.WriteString("<" + name)
	if namespace != "" {
		b.WriteString(` xmlns="`)
		if err := xml.EscapeText(b, []byte(namespace)); err != nil {
			return err
		}
		b.WriteString(`"`)
	}
	b.WriteString(">")
	if err := writeContent(b, v); err != nil {
		return err
	}
	b.WriteString("</" + name + ">")
	return nil
}

func writeContent(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			for _, e := range several(v[name]) {
				if err := writeElement(b, name, "", e); err != nil {
					return err
				}
			}
		}
		return nil
	case []any:
		for _, e := range v {
			m, ok := e.(map[string]any)
			if !ok {
				return errors.New("the content of an element is named values")
			}
			if err := writeContent(b, m); err != nil {
				return err
			}
		}
		return nil
	}
	text := scalar(v)
	if strings.ContainsFunc(text, func(r rune) bool { return !xmlChar(r) }) {
		return errors.New("a character that XML cannot carry")
	}
	return xml.EscapeText(b, []byte(text))
}

// several are the values of one name: elements of a list repeat it, and an empty
// list is one empty element.
func several(v any) []any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list
	} else if ok {
		return []any{nil}
	}
	return []any{v}
}

// xmlChar is the Char production of XML 1.0.
func xmlChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
}

const maxDepth = 100

// readXML reads a document as data: its root under its name.
func readXML(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if e, known := charsetOf(label); known {
			return e.NewDecoder().Reader(in), nil
		}
		return nil, fmt.Errorf("the charset %q is not known", label)
	}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no XML: %w", err)
		}
		if start, ok := t.(xml.StartElement); ok {
			v, err := readElement(d, start, 0)
			if err != nil {
				return nil, fmt.Errorf("no XML: %w", err)
			}
			if err := onlySpace(d); err != nil {
				return nil, err
			}
			return map[string]any{start.Name.Local: v}, nil
		}
	}
}

// onlySpace refuses a document that does not end after its root.
func onlySpace(d *xml.Decoder) error {
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, ok := t.(xml.StartElement); ok || err != nil {
			return errors.Join(errors.New("no XML: more follows the root"), err)
		}
	}
}

func readElement(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("too deep")
	}
	m := map[string]any{}
	isNil := false
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		isNil = isNil || a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1")
		m["@"+a.Name.Local] = a.Value
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := readElement(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			addChild(m, t.Name.Local, v)
		case xml.EndElement:
			return content(m, text.String(), isNil), nil
		}
	}
}

func addChild(m map[string]any, name string, v any) {
	old, there := m[name]
	switch list := old.(type) {
	case children:
		m[name] = append(list, v)
	default:
		if there {
			m[name] = children{old, v}
		} else {
			m[name] = v
		}
	}
}

// children are elements of one name, until their parent is read to its end.
type children []any

func content(m map[string]any, text string, isNil bool) any {
	for k, v := range m {
		if list, ok := v.(children); ok {
			m[k] = []any(list)
		}
	}
	switch {
	case isNil:
		return nil
	case len(m) == 0 && text == "":
		return nil
	case len(m) == 0:
		return text
	case strings.TrimSpace(text) != "" || onlyAttributes(m):
		m["#text"] = text
	}
	return m
}

func onlyAttributes(m map[string]any) bool {
	for k := range m {
		if !strings.HasPrefix(k, "@") {
			return false
		}
	}
	return true
}
