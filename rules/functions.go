package rules

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
)

// A Function is one that rules add to those that the expression language has
// (trim, lower, upper, split, join, replace, int, float, string and so on).
// Examples are run by a test and printed in the documentation.
type Function struct {
	Name, Signature, Doc string
	Example, Result      string
	run                  func(params ...any) (any, error)
	typ                  any
}

// Functions lists them. All of them take no value for a value.
func Functions() []Function {
	return []Function{
		{Name: "dateTime", Signature: "dateTime(value, layout?)",
			Doc:     "A date in any of the usual forms, a unix time, or a text in a layout, as a SCIM dateTime in UTC. No value gives none.",
			Example: `dateTime("2024-02-01 13:30:00")`, Result: "2024-02-01T13:30:00Z",
			run: runDateTime, typ: new(func(any, ...string) string)},
		{Name: "dateFormat", Signature: "dateFormat(value, layout)",
			Doc:     "A SCIM dateTime in a layout, or as `unix`, `unixMilli` or `date`. No value gives none.",
			Example: `dateFormat("2024-02-01T13:30:00Z", "02.01.2006")`, Result: "01.02.2024",
			run: runDateFormat, typ: new(func(any, string) any)},
		{Name: "truth", Signature: "truth(value)",
			Doc:     "The boolean that 1, 0, true, false, t, f, yes, no, y and n stand for. No value is false.",
			Example: `truth("Y")`, Result: "true",
			run: runTruth, typ: new(func(any) bool)},
		{Name: "words", Signature: "words(value...)",
			Doc:     "The values that are there, trimmed and joined by a space.",
			Example: `words("Ada", nil, " Lovelace")`, Result: "Ada Lovelace",
			run: runWords, typ: new(func(...any) string)},
		{Name: "uuid", Signature: "uuid()",
			Doc:     "A new random UUID (version 4), another each time.",
			Example: `uuid() == uuid()`, Result: "false",
			run: runUUID, typ: new(func() string)},
		{Name: "passwordHash", Signature: "passwordHash(value, scheme)",
			Doc: "A password as the application keeps it: `bcrypt`, `sha256-crypt` and `sha512-crypt` ($5$, $6$) as crypt(3) does; `ssha`, `ssha256` and `ssha512` as directories do; " +
				"or, without salt, `sha1-hex`, `sha256-hex` and `sha512-hex`. No value gives none.",
			Example: `passwordHash("secret", "sha1-hex")`, Result: "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4",
			run: runPasswordHash, typ: new(func(any, string) any)},
	}
}

func functions() []expr.Option {
	var opts []expr.Option
	for _, f := range Functions() {
		opts = append(opts, expr.Function(f.Name, f.run, f.typ))
	}
	return opts
}

func runUUID(...any) (any, error) {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // which never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

func runDateTime(params ...any) (any, error) {
	format := ""
	if len(params) > 1 {
		format, _ = params[1].(string)
	}
	v, err := toDateTime(params[0], format)
	if err != nil || !v.Present() {
		return nil, err
	}
	return v.String(), nil
}

func runDateFormat(params ...any) (any, error) {
	layout, ok := params[1].(string)
	if !ok || layout == "" {
		return nil, fmt.Errorf("dateFormat needs a layout")
	}
	v, err := toDateTime(params[0], "")
	if err != nil || !v.Present() {
		return nil, err
	}
	return fromDateTime(v.String(), layout)
}

func runTruth(params ...any) (any, error) {
	v, err := toBool(params[0])
	return v.Bool(), err
}

func runWords(params ...any) (any, error) {
	var words []string
	for _, p := range params {
		if s := strings.TrimSpace(text(p)); s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, " "), nil
}

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
