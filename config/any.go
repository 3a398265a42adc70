package config

import (
	"regexp"
	"strconv"
)

var (
	wholeNumber = regexp.MustCompile(`^[-+]?[0-9]+$`)
	realNumber  = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// Any is the tree as JSON would have it: nil, bool, int64, float64, string, []any or
// map[string]any. Dates are text.
func (t *Tree) Any() any {
	switch t.Kind {
	case NullNode:
		return nil
	case ListNode:
		out := make([]any, len(t.Items))
		for i, item := range t.Items {
			out[i] = item.Any()
		}
		return out
	case MappingNode:
		out := make(map[string]any, len(t.Items))
		for _, item := range t.Items {
			out[item.Key.Value] = item.Any()
		}
		return out
	}
	return t.scalar()
}

func (t *Tree) scalar() any {
	switch s := t.Value; {
	case t.Quoted:
	case s == "true" || s == "True" || s == "TRUE":
		return true
	case s == "false" || s == "False" || s == "FALSE":
		return false
	case wholeNumber.MatchString(s):
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	case realNumber.MatchString(s):
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return t.Value
}
