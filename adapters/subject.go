package adapters

import (
	"math"
	"strconv"
	"time"

	"github.com/postern/postern/scim/filter"
)

// Subject is the record as a filter sees it: names are fields, KeyField is the
// key. It defines what "exactly" means in Field: whatever a backend answers to a
// filter must be what filter.Matches answers to the filter and this subject.
//
// A leaf compares text when its Match is Exact or Folded: an integer is its
// decimal text, an instant is RFC 3339 in UTC. With the other matches the value
// is of their type, or text that holds one.
func (r Record) Subject() filter.Subject { return subject{r} }

type subject struct{ r Record }

func (s subject) Values(c *filter.Compare, yield func(filter.Value) bool) {
	v := any(string(s.r.Key))
	if c.Name != KeyField {
		v = s.r.Get(c.Name)
	}
	if list, ok := v.([]string); ok {
		for _, e := range list {
			if e != "" && !yield(operand(e, c.Match)) {
				return
			}
		}
		return
	}
	if !NoValue(v) {
		yield(operand(v, c.Match))
	}
}

// Elements yields the elements of a field whose values have parts.
func (s subject) Elements(e *filter.Element, yield func(filter.Subject) bool) {
	elems, _ := s.r.Get(e.Name).([]Record)
	for _, r := range elems {
		if !yield(r.Subject()) {
			return
		}
	}
}

// operand is the value of a field as a leaf with that match compares it.
func operand(v any, m filter.Match) filter.Value {
	text := Text(v)
	switch m {
	case filter.Boolean:
		if b, err := strconv.ParseBool(text); err == nil {
			return filter.BoolValue(b)
		}
	case filter.Integer, filter.Decimal:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return filter.IntValue(n)
		}
		if m == filter.Decimal {
			return filter.NumberValue(text)
		}
	}
	return filter.StringValue(text)
}

// Text is a value of a record as text, "" for no value: what a filter compares
// when its match is Exact or Folded. Lists have no text.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatText(v)
	case bool:
		return strconv.FormatBool(v)
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return ""
}

// floatText writes numbers of a usual size without an exponent: 1234567 that a
// backend keeps as floating point is no other number than the integer.
func floatText(f float64) string {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
