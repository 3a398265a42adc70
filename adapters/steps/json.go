package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// WriteJSON writes a value as one line, without its end.
func WriteJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// ReadJSON reads one value as expressions compute with it. Whole numbers stay
// whole; no text is no value. Of a name that comes twice the last value counts, and
// what is no UTF-8 is replaced, as encoding/json does.
func ReadJSON(data []byte) (any, error) { return ReadSome(data, nil) }

// ReadSome is ReadJSON for what is kept of a value.
func ReadSome(data []byte, keep Keep) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	r := readers.Get().(*jsonReader)
	defer readers.Put(r)
	r.text.Reset(data)
	r.d.Reset(&r.text, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	v, err := r.value("", keep)
	if err != nil {
		return nil, fmt.Errorf("no JSON: %w", tolerable(err))
	}
	if _, err := r.d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON: more follows the value")
	}
	return v, nil
}

// tolerable keeps what the library says is wrong and not where: a place is a path, and
// could hold a name of the backend's.
func tolerable(err error) error {
	var at *jsontext.SyntacticError
	if errors.As(err, &at) && at.Err != nil {
		return fmt.Errorf("%w at byte %d", at.Err, at.ByteOffset)
	}
	return err
}

// A jsonReader reads values. The answers of one backend have the same names again and
// again, and objects of the same size under them, so that it remembers both.
type jsonReader struct {
	d     jsontext.Decoder
	text  bytes.Reader
	names map[string]string
	sizes map[string]int
}

var readers = sync.Pool{New: func() any { return &jsonReader{names: map[string]string{}, sizes: map[string]int{}} }}

// What is remembered: names are short, and few, and no object takes much room before
// it is read.
const (
	maxNames = 1000
	maxName  = 64
	maxRoom  = 64
)

// value reads a value that stands under a name, the list's for what is in a list.
func (r *jsonReader) value(under string, keep Keep) (any, error) {
	t, err := r.d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case 't', 'f':
		return t.Bool(), nil
	case '"':
		return t.String(), nil
	case '0':
		return number64(t.String()), nil
	case '[':
		return r.list(under, keep)
	case '{':
		return r.object(under, keep)
	}
	return nil, nil
}

func (r *jsonReader) list(under string, keep Keep) (any, error) {
	out := []any{}
	for r.d.PeekKind() != ']' {
		v, err := r.value(under, keep)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := r.d.ReadToken()
	return out, err
}

func (r *jsonReader) object(under string, keep Keep) (any, error) {
	room, known := r.sizes[under]
	out := make(map[string]any, room)
	for r.d.PeekKind() != '}' {
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		inner, kept := keep[name]
		if keep != nil && !kept {
			if err := r.d.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		if out[name], err = r.value(name, inner); err != nil {
			return nil, err
		}
	}
	if n := min(len(out), maxRoom); n != room && (known || len(r.sizes) < maxNames && len(under) <= maxName) {
		r.sizes[under] = n
	}
	_, err := r.d.ReadToken()
	return out, err
}

func (r *jsonReader) name() (string, error) {
	raw, err := r.d.ReadValue()
	if err != nil {
		return "", err
	}
	if known, ok := r.names[string(raw)]; ok {
		return known, nil
	}
	text, _ := jsontext.AppendUnquote(nil, raw) // it was read: what is no UTF-8 is replaced
	name := string(text)
	if len(raw) <= maxName && len(r.names) < maxNames {
		r.names[string(raw)] = name
	}
	return name, nil
}

// number64 is a number as expressions compute with it. Integers that fit nowhere stay
// text, which loses nothing.
func number64(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return f
	}
	return text
}
