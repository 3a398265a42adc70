package steps_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/postern/postern/adapters/steps"
)

// FuzzJSON: what is read is what encoding/json reads, and so is what is refused.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{``, ` `, "\ufeff{}", `{"a":1,"a":2,"b":[1.5,-0,1e3,true,null,"x\u00e9"]}`, `{"\ud800":"\udc00"}`, "{\"\xff\":\"\xfe\"}", `{"a"`, `[1,]`, `{"a":1}}`,
		`12345678901234567890`, `9223372036854775807`, `{"":{"":[]}}`, `nul`, "\"a\nb\"", `1 2`, `01`, strings.Repeat("[", 10_001)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, refused := byTheLibrary(data)
		got, err := steps.ReadJSON(data)
		if (err != nil) != refused || !refused && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v (%v), want %#v (refused: %t)", data, got, err, want, refused)
		}
		if _, err := steps.ReadSome(data, steps.Keep{"a": {"b": nil}}); (err != nil) != refused {
			t.Errorf("%q: what is passed over: %v (refused: %t)", data, err, refused)
		}
	})
}

func byTheLibrary(data []byte) (v any, refused bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, true
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, true
	}
	return plainNumbers(v), false
}

func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		if n, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return n
		}
		return v.String()
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return v
}
