package several

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/postern/postern/adapters"
)

// A value is a record's value with its type, as JSON.
type value struct{ any }

// MarshalJSON implements json.Marshaler.
func (v value) MarshalJSON() ([]byte, error) {
	switch x := v.any.(type) {
	case int64:
		return json.Marshal(map[string]string{"int": strconv.FormatInt(x, 10)})
	case float64:
		return json.Marshal(map[string]string{"float": strconv.FormatFloat(x, 'g', -1, 64)})
	case time.Time:
		return json.Marshal(map[string]string{"time": x.Format(time.RFC3339Nano)})
	case []byte:
		return json.Marshal(map[string][]byte{"bytes": x})
	case []adapters.Record:
		return json.Marshal(map[string][]notedElement{"elements": notedElements(x)})
	}
	return json.Marshal(v.any)
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil && list != nil {
		v.any = list
		return nil
	}
	var typed struct {
		Int, Float, Time *string
		Bytes            []byte
		Elements         []notedElement
	}
	if b[0] != '{' {
		return json.Unmarshal(b, &v.any)
	}
	err := json.Unmarshal(b, &typed)
	switch {
	case err != nil:
	case typed.Int != nil:
		v.any, err = strconv.ParseInt(*typed.Int, 10, 64)
	case typed.Float != nil:
		v.any, err = strconv.ParseFloat(*typed.Float, 64)
	case typed.Time != nil:
		v.any, err = time.Parse(time.RFC3339Nano, *typed.Time)
	case typed.Bytes != nil:
		v.any = typed.Bytes
	case typed.Elements != nil:
		v.any = typed.Elements
	default:
		err = fmt.Errorf("a value of an unknown type")
	}
	return err
}

// A notedElement is an element of a field whose values are records themselves.
type notedElement struct {
	Key   string           `json:"key,omitempty"`
	Parts map[string]value `json:"parts"`
}

func notedElements(elems []adapters.Record) []notedElement {
	out := make([]notedElement, len(elems))
	for i, e := range elems {
		out[i] = notedElement{string(e.Key), map[string]value{}}
		for j, v := range e.Values() {
			if !adapters.NoValue(v) {
				out[i].Parts[e.Shape().Names()[j]] = value{v}
			}
		}
	}
	return out
}

// stored is a noted value as records hold it, in the field at that position.
func (p *place) stored(at int, v value) any {
	elems, ok := v.any.([]notedElement)
	if !ok {
		return v.any
	}
	of := p.caps.Fields[at].Elements
	if of == nil {
		return nil
	}
	out := make([]adapters.Record, len(elems))
	for i, e := range elems {
		out[i] = adapters.NewRecord(of.Shape, adapters.Key(e.Key))
		for name, part := range e.Parts {
			out[i].Set(name, part.any)
		}
	}
	return out
}

// sameValue is adapters.Same, whatever the order of elements: a backend has its own.
func sameValue(x, y any) bool {
	xs, ok := x.([]adapters.Record)
	ys, also := y.([]adapters.Record)
	if !ok || !also {
		return adapters.Same(x, y)
	}
	rest := slices.Clone(ys)
	for _, e := range xs {
		i := slices.IndexFunc(rest, e.Equal)
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return len(rest) == 0
}

// restored are elements as they were: those that are still there under their keys.
func restored(was any, now any) any {
	elems, ok := was.([]adapters.Record)
	if !ok {
		return was
	}
	there, _ := now.([]adapters.Record)
	out := adapters.CloneElements(elems)
	for i, e := range out {
		if !slices.ContainsFunc(there, func(t adapters.Record) bool { return t.Key == e.Key }) {
			out[i].Key = ""
		}
	}
	return out
}
