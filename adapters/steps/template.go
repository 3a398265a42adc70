package steps

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Template is text with holes: "/users/{key}.json". What an expression gives
// is escaped as its place demands, never pasted as it is.
type Template struct {
	At    Text
	parts []part
}

type part struct {
	text string
	hole *Expr // nil: text
}

// Template compiles a text with holes. A brace for itself is doubled.
func (c *Compiler) Template(at Text, roots Roots) *Template {
	t := &Template{At: at}
	s := at.Value
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			t.parts = append(t.parts, part{text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "{{"), strings.HasPrefix(s[i:], "}}"):
			lit.WriteByte(s[i])
			i++
		case s[i] == '{':
			end := holeEnd(s[i+1:])
			if end < 0 {
				c.add(at, i, 1, "a brace for itself is written twice", "the closing } is missing")
				return nil
			}
			flush()
			e := c.compile(at, i+1, s[i+1:i+1+end], roots)
			if e == nil {
				return nil
			}
			t.parts = append(t.parts, part{hole: e})
			i += end + 1
		default:
			lit.WriteByte(s[i])
		}
	}
	flush()
	return t
}

// holeEnd is where the hole that begins at the start of s ends; quotes and
// braces inside the expression are skipped.
func holeEnd(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// ErrHole is an expression in a template that gives no text.
var ErrHole = errors.New("a part of the text has no value")

// Fill writes the template; escape is told the text so far and a hole's value.
func (t *Template) Fill(s Scope, escape func(before, value string) (string, error)) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.hole == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.hole.Eval(s)
		if err != nil {
			return "", err
		}
		text := textOf(v)
		if text == "" {
			return "", fmt.Errorf("line %d: %w", t.At.Line, ErrHole)
		}
		if text, err = escape(b.String(), text); err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// Words writes the template as arguments of a program, each of them one whatever it
// holds. A hole with a list makes an argument for each element. A text that begins
// as an option does, --name={...}, is left out where its hole has no value; elsewhere
// a missing value would move the arguments behind it, and is refused.
func (t *Template) Words(s Scope) ([]string, error) {
	words := []string{""}
	for _, p := range t.parts {
		values := []any{p.text}
		if p.hole != nil {
			v, err := p.hole.Eval(s)
			switch {
			case err != nil:
				return nil, err
			case v == nil && strings.HasPrefix(words[0], "-"):
				return nil, nil
			case v == nil:
				return nil, fmt.Errorf("line %d: %w", t.At.Line, ErrHole)
			}
			if values = listOf(v); slices.ContainsFunc(values, composed) {
				return nil, fmt.Errorf("line %d: an argument is a text", t.At.Line)
			}
		}
		if len(values) != 1 && len(words) != 1 {
			return nil, fmt.Errorf("line %d: two lists in one argument", t.At.Line)
		}
		var longer []string
		for _, w := range words {
			for _, v := range values {
				longer = append(longer, w+textOf(v))
			}
		}
		words = longer
		if len(words) == 0 {
			return nil, nil
		}
	}
	return words, nil
}

func composed(v any) bool {
	switch v.(type) {
	case nil, map[string]any, []any:
		return true
	}
	return false
}

// BeginsOpen reports whether the text begins with a hole.
func (t *Template) BeginsOpen() bool { return len(t.parts) > 0 && t.parts[0].hole != nil }

// Uses reports whether a hole names a value.
func (t *Template) Uses(name string) bool {
	for _, p := range t.parts {
		if p.hole.Uses(name) {
			return true
		}
	}
	return false
}

// Exprs are the expressions of the holes.
func (t *Template) Exprs() []*Expr {
	var out []*Expr
	for _, p := range t.parts {
		if p.hole != nil {
			out = append(out, p.hole)
		}
	}
	return out
}
