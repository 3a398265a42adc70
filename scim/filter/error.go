package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits bound what Parse and ParsePath take (F-33); zero means the default.
type Limits struct {
	Length int // bytes of text
	Depth  int // parentheses and brackets within one another
	Terms  int // comparisons

	// Lenient also takes strings in single quotes or without any, and true and
	// false in any case (F-11).
	Lenient bool
}

const (
	defaultLength = 8192
	defaultDepth  = 32
	defaultTerms  = 512
)

func (l Limits) withDefaults() Limits {
	set := func(n *int, to int) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&l.Length, defaultLength)
	set(&l.Depth, defaultDepth)
	set(&l.Terms, defaultTerms)
	return l
}

// An Error says what is wrong with a text and where.
type Error struct {
	Pos int    // in characters, from 1
	Msg string // what is wrong, and what would be right

	// InFilter: it is the filter that is wrong (scimType invalidFilter), and not
	// the path around it (invalidPath). Always true of Parse.
	InFilter bool
}

func (e *Error) Error() string { return fmt.Sprintf("at %d: %s", e.Pos, e.Msg) }

// longestQuote is how many characters of the client's text a message repeats.
const longestQuote = 32

// quote shows a piece of the text: in double quotes, or as it is if it begins
// with a quote itself. What cannot be printed is escaped.
func quote(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > longestQuote {
			b.WriteRune('…')
			break
		}
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		return b.String()
	}
	return `"` + b.String() + `"`
}

// synonym knows what people write who come from another language.
func synonym(word string) (Op, bool) {
	switch strings.ToLower(word) {
	case "=", "==", "is", "equals", "equal":
		return Eq, true
	case "!=", "<>", "neq", "isnot":
		return Ne, true
	case "contains", "like", "has":
		return Co, true
	case "startswith", "starts", "beginswith":
		return Sw, true
	case "endswith", "ends":
		return Ew, true
	case ">":
		return Gt, true
	case ">=", "=>", "gte":
		return Ge, true
	case "<":
		return Lt, true
	case "<=", "=<", "lte":
		return Le, true
	case "present", "exists":
		return Pr, true
	}
	return 0, false
}

func unknownOperator(word string) string {
	msg := "unknown operator " + quote(word)
	if o, ok := synonym(word); ok {
		return fmt.Sprintf("%s, did you mean %q?", msg, o)
	}
	for _, name := range opNames {
		if oneEdit(strings.ToLower(word), name) {
			return fmt.Sprintf("%s, did you mean %q?", msg, name)
		}
	}
	return msg + "; the operators are " + strings.Join(opNames[:], ", ")
}

// oneEdit reports whether one letter too many, or two letters swapped, make s of
// the operator t. A wrong letter is no hint: half of all pairs differ by one.
func oneEdit(s, t string) bool {
	switch len(s) {
	case 2:
		return s[0] == t[1] && s[1] == t[0]
	case 3:
		return s[1:] == t || s[:1]+s[2:] == t || s[:2] == t
	}
	return false
}
