package trace

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// A Value is what a record holds in a field. In JSON, what JSON has no type for is
// an object with one member: {"time": "…"}, {"bytes": "…"}.
type Value struct{ V any }

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	switch x := v.V.(type) {
	case time.Time:
		return marshal(map[string]string{"time": x.Format(time.RFC3339Nano)})
	case []adapters.Record:
		return marshal(Plain(x))
	case []byte:
		return marshal(map[string]string{"bytes": base64.StdEncoding.EncodeToString(x)})
	case float64:
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return marshal(nil)
		}
		text := strconv.FormatFloat(x, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0" // otherwise it would be read as an integer
		}
		return []byte(text), nil
	}
	return marshal(v.V)
}

// Plain is a value as JSON can hold it: elements become objects of the parts that they
// have.
func Plain(v any) any {
	elems, ok := v.([]adapters.Record)
	if !ok {
		return v
	}
	out := make([]map[string]Value, len(elems))
	for i, e := range elems {
		out[i] = fieldsOf(e)
	}
	return out
}

// elements are objects as the elements of a field.
func elements(shape *adapters.Shape, all []map[string]Value) []adapters.Record {
	out := make([]adapters.Record, len(all))
	for i, m := range all {
		out[i] = adapters.NewRecord(shape, "")
		for name, v := range m {
			out[i].Set(name, v.V)
		}
	}
	return out
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(data []byte) error {
	var raw any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return err
	}
	var err error
	v.V, err = valueOf(raw)
	return err
}

func valueOf(raw any) (any, error) {
	switch x := raw.(type) {
	case nil, string, bool:
		return x, nil
	case json.Number:
		if strings.ContainsAny(x.String(), ".eE") {
			return x.Float64()
		}
		return x.Int64()
	case []any:
		if len(x) > 0 {
			if _, objects := x[0].(map[string]any); objects {
				return objectsOf(x)
			}
		}
		out := make([]string, len(x))
		for i, e := range x {
			s, ok := e.(string)
			if !ok {
				return nil, errors.New("a list holds texts only")
			}
			out[i] = s
		}
		return out, nil
	case map[string]any:
		return tagged(x)
	}
	return nil, fmt.Errorf("no value: %v", raw)
}

func objectsOf(list []any) (any, error) {
	out := make([]map[string]Value, len(list))
	for i, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, errors.New("a list holds texts or objects")
		}
		out[i] = map[string]Value{}
		for name, raw := range m {
			v, err := valueOf(raw)
			if err != nil {
				return nil, err
			}
			out[i][name] = Value{v}
		}
	}
	return out, nil
}

func tagged(m map[string]any) (any, error) {
	if text, ok := m["time"].(string); ok && len(m) == 1 {
		return time.Parse(time.RFC3339Nano, text)
	}
	if text, ok := m["bytes"].(string); ok && len(m) == 1 {
		return base64.StdEncoding.DecodeString(text)
	}
	return nil, errors.New(`an object is {"time": "…"} or {"bytes": "…"}`)
}

// String is the value for people: text in quotes.
func (v Value) String() string {
	switch x := v.V.(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case []byte:
		return fmt.Sprintf("%d bytes", len(x))
	}
	text, err := marshal(Plain(v.V))
	if err != nil {
		return fmt.Sprint(v.V)
	}
	return string(text)
}
