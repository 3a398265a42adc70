package rules

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// toValue converts a backend's value to the attribute's type; the zero Value
// for no value, an error for one that cannot be of that type.
func toValue(a *scim.Attribute, v any, format string) (scim.Value, error) {
	if adapters.NoValue(v) {
		return scim.Value{}, nil
	}
	switch a.Type {
	case scim.TypeBoolean:
		return toBool(v)
	case scim.TypeInteger:
		return toInt(v)
	case scim.TypeDecimal:
		return toDecimal(v)
	case scim.TypeDateTime:
		return toDateTime(v, format)
	case scim.TypeBinary:
		if b, ok := v.([]byte); ok {
			return scim.Str(base64.StdEncoding.EncodeToString(b)), nil
		}
	case scim.TypeComplex:
		return scim.Value{}, fmt.Errorf("%s is complex: map its sub-attributes", a.Path())
	}
	return scim.Str(text(v)), nil
}

// text is the text form of a backend's value, as filters compare it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func toBool(v any) (scim.Value, error) {
	switch v := v.(type) {
	case bool:
		return scim.Bool(v), nil
	case int64:
		if v == 0 || v == 1 {
			return scim.Bool(v == 1), nil
		}
	case int:
		return toBool(int64(v))
	default:
		switch strings.ToLower(text(v)) {
		case "1", "t", "true", "y", "yes":
			return scim.Bool(true), nil
		case "0", "f", "false", "n", "no":
			return scim.Bool(false), nil
		}
	}
	return scim.Value{}, fmt.Errorf("the backend's value is no boolean")
}

func toInt(v any) (scim.Value, error) {
	switch v := v.(type) {
	case int64:
		return scim.Int(v), nil
	case int:
		return scim.Int(int64(v)), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return scim.Int(int64(v)), nil
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text(v)), 10, 64)
	if err != nil {
		return scim.Value{}, fmt.Errorf("the backend's value is no integer")
	}
	return scim.Int(n), nil
}

func toDecimal(v any) (scim.Value, error) {
	s := strings.TrimSpace(text(v))
	if f, err := strconv.ParseFloat(s, 64); err != nil || math.IsInf(f, 0) || math.IsNaN(f) || len(s) > 64 {
		return scim.Value{}, fmt.Errorf("the backend's value is no decimal")
	}
	if !validNumber(s) {
		f, _ := strconv.ParseFloat(s, 64)
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return scim.Decimal(s), nil
}

// validNumber reports whether s is a JSON number.
func validNumber(s string) bool {
	t := strings.TrimPrefix(s, "-")
	whole, frac, dotted := strings.Cut(t, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (whole == "0" || whole[0] != '0') && (!dotted || digits(frac))
}

// The forms in which legacy systems write dates. Those without a zone are UTC.
var dateLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "20060102150405Z", "20060102"}

func toDateTime(v any, format string) (scim.Value, error) {
	t, err := parseTime(v, format)
	if err != nil {
		return scim.Value{}, err
	}
	if t.IsZero() {
		return scim.Value{}, nil // the zero date means never
	}
	return scim.Str(formatTime(t)), nil
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseTime(v any, format string) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v, nil
	case int64:
		return unixTime(v, format), nil
	case int:
		return unixTime(int64(v), format), nil
	case float64:
		return unixTime(int64(v), format), nil
	}
	s := strings.TrimSpace(text(v))
	if strings.HasPrefix(s, "0000-00-00") {
		return time.Time{}, nil
	}
	layouts := dateLayouts[:]
	switch format {
	case "", "date":
	case "unix", "unixMilli":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("the backend's value is no unix time")
		}
		return unixTime(n, format), nil
	default:
		layouts = []string{format}
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("the backend's value is no date that is understood; say its format")
}

func unixTime(n int64, format string) time.Time {
	if format == "unixMilli" {
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// fromValue converts an attribute's value to what the backend is given.
func fromValue(a *scim.Attribute, v scim.Value, format string) (any, error) {
	switch v.Kind() {
	case scim.KindAbsent:
		return nil, nil
	case scim.KindBool:
		return v.Bool(), nil
	case scim.KindInt:
		return v.Int(), nil
	case scim.KindString, scim.KindDecimal:
		if a.Type == scim.TypeDateTime && format != "" {
			return fromDateTime(v.String(), format)
		}
		return v.String(), nil
	}
	return nil, fmt.Errorf("%s has several values, and the backend's field holds one", a.Path())
}

func fromDateTime(s, format string) (any, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, err
	}
	t = t.UTC()
	switch format {
	case "unix":
		return t.Unix(), nil
	case "unixMilli":
		return t.UnixMilli(), nil
	case "date":
		return t.Format("2006-01-02"), nil
	}
	return t.Format(format), nil
}

// fromAny converts what an expression computed to the attribute's type; maps
// and lists make complex and multi-valued values.
func fromAny(a *scim.Attribute, v any, single bool) (scim.Value, error) {
	if v == nil {
		return scim.Value{}, nil
	}
	if a.MultiValued && !single {
		return fromList(a, v)
	}
	m, isMap := v.(map[string]any)
	if a.Type != scim.TypeComplex {
		if isMap {
			return scim.Value{}, fmt.Errorf("%s is no complex attribute", a.Path())
		}
		return toValue(a, v, "")
	}
	if !isMap {
		sub := a.Find("value")
		if sub == nil {
			return scim.Value{}, fmt.Errorf("%s is complex: the expression must give an object", a.Path())
		}
		m = map[string]any{"value": v}
	}
	out := scim.NewComplex(a)
	for name, e := range m {
		sub := a.Find(name)
		if sub == nil {
			return scim.Value{}, fmt.Errorf("%s has no sub-attribute %q", a.Path(), name)
		}
		sv, err := fromAny(sub, e, false)
		if err != nil {
			return scim.Value{}, err
		}
		out.Set(sub, sv)
	}
	return out.Compact(), nil
}

func fromList(a *scim.Attribute, v any) (scim.Value, error) {
	var items []any
	switch v := v.(type) {
	case []any:
		items = v
	case []string:
		for _, s := range v {
			items = append(items, s)
		}
	default:
		items = []any{v}
	}
	var elems []scim.Value
	for _, e := range items {
		ev, err := fromAny(a, e, true)
		if err != nil {
			return scim.Value{}, err
		}
		if ev.Present() {
			elems = append(elems, ev)
		}
	}
	return scim.List(elems...), nil
}

// toAny is what expressions see of a value.
func toAny(a *scim.Attribute, v scim.Value) any {
	switch v.Kind() {
	case scim.KindBool:
		return v.Bool()
	case scim.KindInt:
		return int(v.Int())
	case scim.KindDecimal:
		f, _ := strconv.ParseFloat(v.String(), 64)
		return f
	case scim.KindString:
		return v.String()
	case scim.KindComplex:
		m := make(map[string]any, len(a.Sub))
		for _, s := range a.Sub {
			if sv := v.Get(s); sv.Present() {
				m[s.Name] = toAny(s, sv)
			}
		}
		return m
	case scim.KindList:
		l := make([]any, len(v.Elems()))
		for i, e := range v.Elems() {
			l[i] = toAny(a, e)
		}
		return l
	}
	return nil
}
