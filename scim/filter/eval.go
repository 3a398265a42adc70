package filter

import (
	"bytes"
	"cmp"
	"strings"
)

// Matches reports whether e is true of s. nil is true of everything. The package
// documentation says what a comparison means for no value and for several.
// Leaves must be bound, their literals checked by CheckLiteral; an unbound leaf
// compares as its literal's type suggests, strings exactly.
func Matches(e Expr, s Subject) bool {
	switch e.(type) {
	case nil, True:
		return true
	case False:
		return false
	}
	var v evaluation
	v.yield = v.value
	return v.matches(e, s)
}

// An evaluation asks one leaf at a time. It is made once for a whole tree, so
// that asking a leaf allocates nothing.
type evaluation struct {
	leaf  *Compare
	found bool // a value was yielded
	fits  bool // one that the comparison is true of
	yield func(Value) bool
}

func (v *evaluation) matches(e Expr, s Subject) bool {
	switch e := e.(type) {
	case And:
		for _, t := range e {
			if !v.matches(t, s) {
				return false
			}
		}
		return true
	case Or:
		for _, t := range e {
			if v.matches(t, s) {
				return true
			}
		}
		return false
	case Not:
		return !v.matches(e.Term, s)
	case *Compare:
		return v.compare(e, s)
	case *Element:
		return v.element(e, s)
	case False:
		return false
	}
	return true
}

func (v *evaluation) compare(c *Compare, s Subject) bool {
	v.leaf, v.found, v.fits = c, false, false
	s.Values(c, v.yield)
	if !v.found {
		return withoutValue(c)
	}
	return v.fits
}

// value takes one value from the subject and says whether another is wanted.
func (v *evaluation) value(x Value) bool {
	if x.Kind == String && x.Str == "" {
		return true // no value
	}
	c := v.leaf
	if c.Op == Pr || c.Match == Presence {
		v.found, v.fits = true, c.Op != Eq // of these, Eq is "eq null"
		return false
	}
	if x.Kind == Null {
		return true
	}
	v.found = true
	v.fits = v.fits || withValue(c, x)
	return !v.fits
}

func (v *evaluation) element(e *Element, s Subject) bool {
	found := false
	s.Elements(e, func(el Subject) bool {
		found = v.matches(e.Where, el)
		return !found
	})
	return found
}

// Test reports whether c is true of a single-valued attribute that has the value
// v, where Null and the empty string are no value.
func Test(c *Compare, v Value) bool {
	if v.none() {
		return withoutValue(c)
	}
	return withValue(c, v)
}

// none reports whether v is no value.
func (v Value) none() bool { return v.Kind == Null || v.Kind == String && v.Str == "" }

func withoutValue(c *Compare) bool {
	if c.Op == Eq {
		return c.Value.Kind == Null
	}
	return c.Op == Ne && c.Value.Kind != Null
}

func withValue(c *Compare, v Value) bool {
	if c.Op == Pr {
		return true
	}
	if c.Value.Kind == Null {
		return c.Op == Ne
	}
	m := c.Match
	if m == Unbound {
		m = naturalMatch(c.Value.Kind)
	}
	switch c.Op {
	case Eq:
		return equal(m, v, c.Value)
	case Ne:
		return !equal(m, v, c.Value)
	case Co, Sw, Ew:
		return contains(m, c.Op, v, c.Value)
	}
	n, ok := compare(m, v, c.Value)
	switch c.Op {
	case Gt:
		return ok && n > 0
	case Ge:
		return ok && n >= 0
	case Lt:
		return ok && n < 0
	}
	return ok && n <= 0
}

func naturalMatch(k Kind) Match {
	switch k {
	case Bool:
		return Boolean
	case Int, Number:
		return Decimal
	}
	return Exact
}

func equal(m Match, a, b Value) bool {
	switch {
	case m == Exact && a.Kind == String && b.Kind == String:
		return a.Str == b.Str
	case m == Folded && a.Kind == String && b.Kind == String:
		return strings.EqualFold(a.Str, b.Str)
	}
	n, ok := compare(m, a, b)
	return ok && n == 0
}

// compare orders two values; false if they are not what m compares.
func compare(m Match, a, b Value) (int, bool) {
	switch m {
	case Integer, Decimal:
		return compareNumbers(a, b)
	case Boolean:
		return cmp.Compare(a.Num, b.Num), a.Kind == Bool && b.Kind == Bool
	}
	if a.Kind != String || b.Kind != String {
		return 0, false
	}
	switch m {
	case Exact:
		return strings.Compare(a.Str, b.Str), true
	case Folded:
		return compareFold(a.Str, b.Str), true
	case DateTime:
		x, ok := parseInstant(a.Str)
		y, also := parseInstant(b.Str)
		return x.compare(y), ok && also
	}
	return 0, false
}

func contains(m Match, op Op, v, part Value) bool {
	if v.Kind != String || part.Kind != String {
		return false
	}
	switch m {
	case Exact:
		switch op {
		case Co:
			return strings.Contains(v.Str, part.Str)
		case Sw:
			return strings.HasPrefix(v.Str, part.Str)
		}
		return strings.HasSuffix(v.Str, part.Str)
	case Folded:
		var b1, b2 [128]byte
		s, t := appendFold(b1[:0], v.Str), appendFold(b2[:0], part.Str)
		switch op {
		case Co:
			return bytes.Contains(s, t)
		case Sw:
			return bytes.HasPrefix(s, t)
		}
		return bytes.HasSuffix(s, t)
	}
	return false
}

// CompareValues orders two values for sorting: negative if a comes before b. It
// is the order of gt and lt, and it is total: false before true, values that m
// cannot compare after those it can, and no value, which is Null or the empty
// string, after all.
func CompareValues(m Match, a, b Value) int {
	if a.none() || b.none() {
		return cmp.Compare(rank(m, a), rank(m, b))
	}
	if n, ok := compare(m, a, b); ok {
		return n
	}
	return cmp.Or(cmp.Compare(rank(m, a), rank(m, b)),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Num, b.Num), strings.Compare(a.Str, b.Str))
}

// rank groups values: 0 comparable as m, 1 not, 2 no value.
func rank(m Match, v Value) int {
	if v.none() {
		return 2
	}
	if _, ok := compare(m, v, v); ok {
		return 0
	}
	return 1
}
