package rules

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// What a value of the backend becomes depends on nothing but its text, as
// adapters.Text defines it, and what cannot be of the attribute's type is an
// error, never a guess: push.go relies on both.

// Failures of conversions. They name no value: they end up in the log.
var (
	errNoBoolean  = errors.New("the backend's value is no boolean")
	errNoInteger  = errors.New("the backend's value is no integer")
	errNoDecimal  = errors.New("the backend's value is no decimal")
	errNoDateTime = errors.New("the backend's value is no date that is understood; say its format")
	errNoUnixTime = errors.New("the backend's value is no unix time; leave the format out if the backend has dates of its own")
	errSeveral    = errors.New("several values cannot be one")
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
	}
	if s, ok := v.(string); ok {
		return scim.Str(s), nil
	}
	return toText(v)
}

func toText(v any) (scim.Value, error) {
	switch v.(type) {
	case []string, []any, map[string]any:
		return scim.Value{}, errSeveral
	}
	if s := text(v); s != "" {
		return scim.Str(s), nil
	}
	return scim.Value{}, nil
}

// text is the text of a value: as filters compare it, and of the few types more
// that expressions compute.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int:
		return strconv.Itoa(v)
	case string, []byte, int64, float64, bool, time.Time:
		return adapters.Text(v)
	}
	return fmt.Sprint(v)
}

// The texts that stand for true and false.
var (
	trueTexts  = [...]string{"1", "t", "T", "TRUE", "true", "True", "y", "Y", "yes", "Yes", "YES"}
	falseTexts = [...]string{"0", "f", "F", "FALSE", "false", "False", "n", "N", "no", "No", "NO"}
)

func toBool(v any) (scim.Value, error) {
	switch s := text(v); {
	case s == "":
		return scim.Value{}, nil
	case slices.Contains(trueTexts[:], s):
		return scim.Bool(true), nil
	case slices.Contains(falseTexts[:], s):
		return scim.Bool(false), nil
	}
	return scim.Value{}, errNoBoolean
}

func toInt(v any) (scim.Value, error) {
	if n, ok := v.(int64); ok {
		return scim.Int(n), nil
	}
	n, err := strconv.ParseInt(text(v), 10, 64)
	if err != nil {
		return scim.Value{}, errNoInteger
	}
	return scim.Int(n), nil
}

func toDecimal(v any) (scim.Value, error) {
	s := text(v)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return scim.Decimal(strconv.FormatInt(n, 10)), nil
	}
	if !validNumber(s) {
		return scim.Value{}, errNoDecimal
	}
	return scim.Decimal(s), nil
}

// validNumber reports whether s is a JSON number whose exponent can be handled.
func validNumber(s string) bool {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exp := s[i+1:]
		if exp != "" && (exp[0] == '+' || exp[0] == '-') {
			exp = exp[1:]
		}
		if _, err := strconv.ParseInt(s[i+1:], 10, 32); err != nil || !digits(exp) {
			return false
		}
		s = s[:i]
	}
	whole, frac, dotted := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return digits(whole) && (whole == "0" || whole[0] != '0') && (!dotted || digits(frac))
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
		if a.Type == scim.TypeDateTime {
			return fromDateTime(v.String(), format)
		}
		return v.String(), nil
	}
	return nil, fmt.Errorf("%s has several values, and the backend's field holds one", a.Path())
}

// fromAny converts what an expression computed to the attribute's type; maps
// and lists make complex and multi-valued values. single asks for one element
// of a multi-valued attribute.
func fromAny(a *scim.Attribute, v any, single bool) (scim.Value, error) {
	switch {
	case v == nil:
		return scim.Value{}, nil
	case a.MultiValued && !single:
		return fromList(a, v)
	case a.Type == scim.TypeComplex:
		return fromObject(a, v)
	}
	return toValue(a, v, "")
}

func fromObject(a *scim.Attribute, v any) (scim.Value, error) {
	m, isMap := v.(map[string]any)
	if !isMap {
		if a.Find("value") == nil {
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
	var elems []scim.Value
	add := func(e any) error {
		ev, err := fromAny(a, e, true)
		if err == nil && ev.Present() {
			elems = append(elems, ev)
		}
		return err
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice || r.Type().Elem().Kind() == reflect.Uint8 {
		err := add(v)
		return scim.List(elems...), err
	}
	for i := range r.Len() {
		if err := add(r.Index(i).Interface()); err != nil {
			return scim.Value{}, err
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

// parseLiteral reads a value as it is written in a configuration: one element,
// if the attribute has several.
func parseLiteral(a *scim.Attribute, s string) (scim.Value, bool) {
	if a.EnforceCanonical && !slices.Contains(a.CanonicalValues, s) {
		return scim.Value{}, false
	}
	var v scim.Value
	var err error
	switch a.Type {
	case scim.TypeBoolean:
		if s != "true" && s != "false" {
			return v, false
		}
		v = scim.Bool(s == "true")
	case scim.TypeInteger:
		v, err = toInt(s)
	case scim.TypeDecimal:
		v, err = toDecimal(s)
	case scim.TypeDateTime:
		v, err = toDateTime(s, "")
	case scim.TypeComplex:
		value := a.Find("value")
		if value == nil {
			return v, false
		}
		sv, ok := parseLiteral(value, s)
		v = scim.NewComplex(a)
		v.Set(value, sv)
		return v, ok
	default:
		v = scim.Str(s)
	}
	return v, err == nil && s != ""
}
