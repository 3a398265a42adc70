package filter

import (
	"errors"
	"fmt"
	"strings"
)

var (
	comparisons = OpsOf(Eq, Ne, Gt, Ge, Lt, Le, Pr)

	opsOf = [...]Ops{
		Unbound:  0,
		Exact:    AllOps,
		Folded:   AllOps,
		Boolean:  OpsOf(Eq, Ne, Pr),
		Integer:  comparisons,
		Decimal:  comparisons,
		DateTime: comparisons,
		Presence: OpsOf(Eq, Ne, Pr),
	}

	nounOf = [...]string{"an unbound name", "a string", "a string", "a boolean", "a number", "a number", "a dateTime",
		"a complex attribute"}
)

// OpsFor is the set of operators that values compared as m have. What is special
// about one type within m (binary has no order, F-17) is for the caller.
func OpsFor(m Match) Ops { return opsOf[m] }

// CheckLiteral checks that values compared as m can be compared by op with v,
// and returns v as everybody below may rely on it: a dateTime in UTC, a whole
// number as Int. Its errors say what is wrong, but neither where nor with which
// attribute (F-15, F-17, F-18, F-28).
func CheckLiteral(m Match, op Op, v Value) (Value, error) {
	if !OpsFor(m).Has(op) {
		if m == Presence {
			return v, fmt.Errorf("%q needs the name of a sub-attribute; a complex attribute has only \"pr\"", op)
		}
		return v, fmt.Errorf("%q cannot compare %s", op, nounOf[m])
	}
	switch {
	case op == Pr && v.Kind != Null:
		return v, errors.New(`"pr" takes no value`)
	case op == Pr:
		return v, nil
	case v.Kind == Null && op != Eq && op != Ne:
		return v, fmt.Errorf(`null is compared with "eq" or "ne", not with %q`, op)
	case v.Kind == Null:
		return v, nil // eq null is "has no value", ne null "has one" (F-27)
	}
	return literal(m, op, v)
}

// literal checks and converts v, which is not Null.
func literal(m Match, op Op, v Value) (Value, error) {
	switch m {
	case Exact, Folded:
		if v.Kind == String {
			return v, nil
		}
		return v, fmt.Errorf("%s is no string; strings are written in double quotes", v.shown())
	case Boolean:
		if v.Kind == Bool {
			return v, nil
		}
		return v, fmt.Errorf("%s is no boolean; booleans are true and false, without quotes", v.shown())
	case Integer, Decimal:
		return numberLiteral(v)
	case DateTime:
		return dateTimeLiteral(v)
	}
	return v, fmt.Errorf("%q needs the name of a sub-attribute before %s", op, v.shown())
}

func numberLiteral(v Value) (Value, error) {
	if v.Kind != Int && v.Kind != Number {
		return v, fmt.Errorf("%s is no number; numbers are written without quotes", v.shown())
	}
	if v.Kind == Number {
		if msg := tooWide(v.Str); msg != "" {
			return v, errors.New(msg)
		}
	}
	d, ok := decimalOf(v)
	if !ok {
		return v, fmt.Errorf("%s is no JSON number", v.shown())
	}
	if n, ok := d.integer(); ok {
		return IntValue(n), nil
	}
	return v, nil
}

func dateTimeLiteral(v Value) (Value, error) {
	if v.Kind == String {
		if t, ok := parseInstant(v.Str); ok && t.printable() {
			return StringValue(t.String()), nil
		}
	}
	return v, fmt.Errorf(`%s is no dateTime; a dateTime is written "2011-05-13T04:42:34Z"`, v.shown())
}

// shown is the literal for a message, cut if it is long.
func (v Value) shown() string {
	switch v.Kind {
	case String:
		return quote(`"` + v.Str + `"`)
	case Number:
		return strings.Trim(quote(v.Str), `"`)
	}
	return v.String()
}

// Coerce turns a literal of the wrong type into the right one where it can only
// mean that: "true" for a boolean, "5" for a number, 5 for a string. It is for
// clients that quote too much or too little (F-28, lenient); what it cannot turn
// it returns as it is, for CheckLiteral to refuse.
func Coerce(m Match, v Value) Value {
	switch {
	case (m == Exact || m == Folded) && v.Kind != String && v.Kind != Null:
		return StringValue(v.String())
	case v.Kind != String:
		return v
	case m == Boolean && strings.EqualFold(v.Str, "true"):
		return BoolValue(true)
	case m == Boolean && strings.EqualFold(v.Str, "false"):
		return BoolValue(false)
	case m == Integer || m == Decimal:
		if n, msg := number(v.Str); msg == "" {
			return n
		}
	}
	return v
}
