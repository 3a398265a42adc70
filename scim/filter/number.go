package filter

import (
	"cmp"
	"strconv"
	"strings"
)

// A decimal is a number as its text says it: 0.d1d2d3… times ten to the power of
// scale. Comparing texts is exact and costs the same for every exponent.
type decimal struct {
	sign   int    // -1, 0, 1
	whole  string // the digits before the point, without zeros in front
	frac   string // the digits after it; zeros in front are gone if whole is empty
	scale  int64
	digits int // of both together, without zeros at the end
}

// decimalOf reads a value of Kind Int or Number.
func decimalOf(v Value) (decimal, bool) {
	switch v.Kind {
	case Int:
		return parseDecimal(strconv.FormatInt(v.Num, 10))
	case Number:
		if !isNumber(v.Str) {
			return decimal{}, false
		}
		return parseDecimal(v.Str)
	}
	return decimal{}, false
}

func parseDecimal(s string) (decimal, bool) {
	d := decimal{sign: 1}
	if s[0] == '-' {
		d.sign, s = -1, s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.ParseInt(s[i+1:], 10, 32)
		if err != nil {
			return decimal{}, false
		}
		d.scale, s = n, s[:i]
	}
	d.whole, d.frac, _ = strings.Cut(s, ".")
	d.whole = strings.TrimLeft(d.whole, "0")
	d.scale += int64(len(d.whole))
	if d.whole == "" {
		n := len(d.frac)
		d.frac = strings.TrimLeft(d.frac, "0")
		d.scale -= int64(n - len(d.frac))
	}
	d.frac = strings.TrimRight(d.frac, "0")
	if d.frac == "" {
		d.whole = strings.TrimRight(d.whole, "0")
	}
	d.digits = len(d.whole) + len(d.frac)
	if d.digits == 0 {
		return decimal{}, true
	}
	return d, true
}

func (d decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.frac[i-len(d.whole)]
}

func (d decimal) compare(e decimal) int {
	if d.sign != e.sign || d.sign == 0 {
		return d.sign - e.sign
	}
	if c := cmp.Compare(d.scale, e.scale); c != 0 {
		return d.sign * c
	}
	for i := range min(d.digits, e.digits) {
		if c := cmp.Compare(d.digit(i), e.digit(i)); c != 0 {
			return d.sign * c
		}
	}
	return d.sign * cmp.Compare(d.digits, e.digits)
}

// integer is the 64-bit integer that d is, if it is one.
func (d decimal) integer() (int64, bool) {
	if d.sign == 0 {
		return 0, true
	}
	if d.scale < int64(d.digits) || d.scale > 19 {
		return 0, false
	}
	s := d.whole + d.frac + strings.Repeat("0", int(d.scale)-d.digits)
	if d.sign < 0 {
		s = "-" + s
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// compareNumbers orders two numbers; false if either is none.
func compareNumbers(a, b Value) (int, bool) {
	if a.Kind == Int && b.Kind == Int {
		return cmp.Compare(a.Num, b.Num), true
	}
	x, ok := decimalOf(a)
	y, also := decimalOf(b)
	return x.compare(y), ok && also
}
