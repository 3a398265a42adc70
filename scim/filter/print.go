package filter

import (
	"strconv"
	"unicode/utf8"
)

// Print is the text of a filter in its canonical form: Parse of it gives an
// equal tree. True and False, which have no text, print as true and false; nil
// prints as nothing.
func Print(e Expr) string {
	if e == nil {
		return ""
	}
	return string(appendExpr(nil, e))
}

// String is the canonical text of a path.
func (t Target) String() string {
	b := []byte(t.Name)
	if t.Where != nil {
		b = append(appendExpr(append(b, '['), t.Where), ']')
	}
	if t.Sub != "" {
		b = append(append(b, '.'), t.Sub...)
	}
	return string(b)
}

func appendExpr(b []byte, e Expr) []byte {
	switch e := e.(type) {
	case And:
		return appendTerms(b, e, " and ")
	case Or:
		return appendTerms(b, e, " or ")
	case Not:
		return append(appendExpr(append(b, "not ("...), e.Term), ')')
	case *Compare:
		return appendCompare(b, e)
	case *Element:
		b = append(append(b, e.Name...), '[')
		return append(appendExpr(b, e.Where), ']')
	case False:
		return append(b, "false"...)
	}
	return append(b, "true"...)
}

func appendTerms(b []byte, terms []Expr, word string) []byte {
	for i, t := range terms {
		if i > 0 {
			b = append(b, word...)
		}
		_, or := t.(Or)
		if _, and := t.(And); or || and && word == " and " {
			b = append(appendExpr(append(b, '('), t), ')')
		} else {
			b = appendExpr(b, t)
		}
	}
	return b
}

func appendCompare(b []byte, c *Compare) []byte {
	b = append(append(append(b, c.Name...), ' '), c.Op.String()...)
	if c.Op == Pr {
		return b
	}
	return appendValue(append(b, ' '), c.Value)
}

func appendValue(b []byte, v Value) []byte {
	switch v.Kind {
	case String:
		return appendString(b, v.Str)
	case Bool:
		return strconv.AppendBool(b, v.Num == 1)
	case Int:
		return strconv.AppendInt(b, v.Num, 10)
	case Number:
		return append(b, v.Str...)
	}
	return append(b, "null"...)
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			const hex = "0123456789abcdef"
			b = append(b, `\u00`...)
			b = append(b, hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// String shows a value as a filter would hold it.
func (v Value) String() string { return string(appendValue(nil, v)) }
