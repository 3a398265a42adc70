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
)

// A Value is what a record holds in a field. In JSON, what JSON has no type for is
// an object with one member: {"time": "…"}, {"bytes": "…"}.
type Value struct{ V any }

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	switch x := v.V.(type) {
	case time.Time:
		return marshal(map[string]string{"time": x.Format(time.RFC3339Nano)})
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
	text, err := marshal(v.V)
	if err != nil {
		return fmt.Sprint(v.V)
	}
	return string(text)
}
