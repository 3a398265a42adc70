package scim

import (
	"slices"
	"strings"
)

// A Kind tells what a Value holds.
type Kind uint8

// The kinds of value. Absent is the zero Kind: null, an empty array and a
// missing member are one state, "unassigned" (RFC 7643 section 2.5).
const (
	KindAbsent  Kind = iota
	KindString       // string, dateTime, binary, reference
	KindBool         // boolean
	KindInt          // integer
	KindDecimal      // decimal, as its JSON text
	KindComplex      // one object: a value per sub-attribute
	KindList         // the elements of a multi-valued attribute
)

// A Value is the value of one attribute. The zero Value is "unassigned".
// Values are immutable by agreement: whoever changes one that it did not make
// clones it first.
type Value struct {
	kind Kind
	num  int64
	str  string
	list []Value // elements, or the slots of a complex value
}

// Str is a string, dateTime, binary or reference value.
func Str(s string) Value { return Value{kind: KindString, str: s} }

// Bool is a boolean value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int is an integer value.
func Int(n int64) Value { return Value{kind: KindInt, num: n} }

// Decimal is a decimal value, given as the text of a JSON number.
func Decimal(text string) Value { return Value{kind: KindDecimal, str: text} }

// List is the value of a multi-valued attribute. No elements: unassigned.
func List(elems ...Value) Value {
	if len(elems) == 0 {
		return Value{}
	}
	return Value{kind: KindList, list: elems}
}

// NewComplex is an empty value for the complex attribute a; fill it with Set.
func NewComplex(a *Attribute) Value {
	return Value{kind: KindComplex, list: make([]Value, len(a.Sub))}
}

func (v Value) Kind() Kind     { return v.kind }
func (v Value) Present() bool  { return v.kind != KindAbsent }
func (v Value) String() string { return v.str } // of KindString and KindDecimal
func (v Value) Bool() bool     { return v.num == 1 }
func (v Value) Int() int64     { return v.num }

// Elems returns the elements of a multi-valued attribute, nil for others. The
// slice must not be changed.
func (v Value) Elems() []Value {
	if v.kind != KindList {
		return nil
	}
	return v.list
}

// Get returns the value of the sub-attribute sub of a complex value.
func (v Value) Get(sub *Attribute) Value {
	if v.kind != KindComplex {
		return Value{}
	}
	return v.list[sub.slot]
}

// Set changes the value of the sub-attribute sub of a complex value in place;
// the value must have been made or cloned by the caller.
func (v Value) Set(sub *Attribute, to Value) { v.list[sub.slot] = to }

// Clone returns a copy that shares nothing that can change.
func (v Value) Clone() Value {
	if v.list == nil {
		return v
	}
	c := v
	c.list = make([]Value, len(v.list))
	for i, e := range v.list {
		c.list[i] = e.Clone()
	}
	return c
}

// Compact returns v with everything that counts as unassigned taken away: a
// complex value without present sub-attributes and a list without present
// elements are absent (RFC 7643 section 2.5).
func (v Value) Compact() Value {
	switch v.kind {
	case KindComplex:
		out := make([]Value, len(v.list))
		any := false
		for i, e := range v.list {
			out[i] = e.Compact()
			any = any || out[i].Present()
		}
		if !any {
			return Value{}
		}
		v.list = out
	case KindList:
		out := make([]Value, 0, len(v.list))
		for _, e := range v.list {
			if e = e.Compact(); e.Present() {
				out = append(out, e)
			}
		}
		return List(out...)
	}
	return v
}

// Equal reports whether two values are the same, byte for byte; lists compare
// in order.
func (v Value) Equal(w Value) bool {
	return v.kind == w.kind && v.num == w.num && v.str == w.str &&
		slices.EqualFunc(v.list, w.list, Value.Equal)
}

// Fold is the comparison key of strings whose attribute is not caseExact:
// simple Unicode case folding, without locale (RFC 7644 section 7.8).
func Fold(s string) string {
	return strings.Map(foldRune, s)
}
