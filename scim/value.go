package scim

import (
	"slices"
	"strconv"
	"strings"
	"unsafe"
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
//
// A page of resources is some ten thousand of them, so that their size decides how
// much memory a request takes: 32 bytes, where fields for each kind would take 56.
type Value struct {
	str  string // also the digits of an integer
	list *Value // the first of the elements, or of the slots of a complex value
	size uint32 // how many there are
	kind Kind
	yes  bool // of KindBool
}

// items are the elements of a list, or the slots of a complex value.
func (v Value) items() []Value { return unsafe.Slice(v.list, v.size) }

// holding is a value of that kind with these items.
func holding(k Kind, items []Value) Value {
	return Value{kind: k, list: unsafe.SliceData(items), size: uint32(len(items))}
}

// Str is a string, dateTime, binary or reference value.
func Str(s string) Value { return Value{kind: KindString, str: s} }

// Bool is a boolean value.
func Bool(b bool) Value { return Value{kind: KindBool, yes: b} }

// Int is an integer value.
func Int(n int64) Value { return Value{kind: KindInt, str: strconv.FormatInt(n, 10)} }

// Decimal is a decimal value, given as the text of a JSON number.
func Decimal(text string) Value { return Value{kind: KindDecimal, str: text} }

// List is the value of a multi-valued attribute. No elements: unassigned.
func List(elems ...Value) Value {
	if len(elems) == 0 {
		return Value{}
	}
	return holding(KindList, elems)
}

// NewComplex is an empty value for the complex attribute a; fill it with Set.
func NewComplex(a *Attribute) Value {
	return holding(KindComplex, make([]Value, len(a.Sub)))
}

func (v Value) Kind() Kind    { return v.kind }
func (v Value) Present() bool { return v.kind != KindAbsent }
func (v Value) Bool() bool    { return v.yes }

// String is the text of KindString and KindDecimal, "" of all others.
func (v Value) String() string {
	if v.kind == KindInt {
		return ""
	}
	return v.str
}

// Int is the number of KindInt, 0 of all others.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	n, _ := strconv.ParseInt(v.str, 10, 64) // Int wrote it
	return n
}

// Elems returns the elements of a multi-valued attribute, nil for others. The
// slice must not be changed.
func (v Value) Elems() []Value {
	if v.kind != KindList {
		return nil
	}
	return v.items()
}

// Get returns the value of the sub-attribute sub of a complex value.
func (v Value) Get(sub *Attribute) Value {
	if v.kind != KindComplex {
		return Value{}
	}
	return v.items()[sub.slot]
}

// Set changes the value of the sub-attribute sub of a complex value in place;
// the value must have been made or cloned by the caller.
func (v Value) Set(sub *Attribute, to Value) { v.items()[sub.slot] = to }

// Clone returns a copy that shares nothing that can change.
func (v Value) Clone() Value {
	if v.list == nil {
		return v
	}
	items := slices.Clone(v.items())
	for i, e := range items {
		items[i] = e.Clone()
	}
	return holding(v.kind, items)
}

// Compact returns v with everything that counts as unassigned taken away: a
// complex value without present sub-attributes and a list without present
// elements are absent (RFC 7643 section 2.5).
func (v Value) Compact() Value {
	switch v.kind {
	case KindComplex:
		out := make([]Value, v.size)
		any := false
		for i, e := range v.items() {
			out[i] = e.Compact()
			any = any || out[i].Present()
		}
		if !any {
			return Value{}
		}
		return holding(KindComplex, out)
	case KindList:
		out := make([]Value, 0, v.size)
		for _, e := range v.items() {
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
	return v.kind == w.kind && v.yes == w.yes && v.str == w.str &&
		slices.EqualFunc(v.items(), w.items(), Value.Equal)
}

// Fold is the comparison key of strings whose attribute is not caseExact:
// simple Unicode case folding, without locale (RFC 7644 section 7.8).
func Fold(s string) string {
	return strings.Map(foldRune, s)
}
