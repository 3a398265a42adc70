package filter

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxNumber   = 512 // characters of a number
	maxExponent = 400 // either way
)

// value reads the literal after the operator op.
func (p *parser) value(op string) (Value, error) {
	at := p.pos
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted(c)
	}
	word := p.word(at)
	if word == "" {
		return Value{}, p.errorf(at, "unexpected %s; expected a value after %q", p.token(at), op)
	}
	switch word {
	case "true", "false":
		p.pos += len(word)
		return BoolValue(word == "true"), nil
	case "null":
		p.pos += len(word)
		return Value{}, nil
	}
	if isDigit(word[0]) || word[0] == '-' {
		v, msg := number(word)
		if msg == "" {
			p.pos += len(word)
			return v, nil
		}
		if !p.lim.Lenient || isNumber(word) {
			return Value{}, p.errorf(at, "%s", msg)
		}
	}
	return p.bare(word, op)
}

// bare reads a word that is no JSON literal.
func (p *parser) bare(word, op string) (Value, error) {
	at := p.pos
	isWord := func(s string) bool { return strings.EqualFold(word, s) }
	switch {
	case isWord("and"), isWord("or"):
		return Value{}, p.errorf(at, "unexpected %q; expected a value after %q", word, op)
	case !p.lim.Lenient && (isWord("true") || isWord("false") || isWord("null")):
		return Value{}, p.errorf(at, "%q must be written in small letters: %s", word, strings.ToLower(word))
	case !p.lim.Lenient:
		return Value{}, p.errorf(at, "%s is no value; strings are written in double quotes", quote(word))
	}
	p.pos += len(word)
	if isWord("true") || isWord("false") {
		return BoolValue(isWord("true")), nil
	}
	for i, r := range word {
		if r < ' ' {
			return Value{}, p.errorf(at+i, "control characters must be escaped, as in \\u%04x", r)
		}
	}
	return StringValue(word), nil
}

// number reads a JSON number, or says why it is none.
func number(s string) (Value, string) {
	if !isNumber(s) {
		return Value{}, quote(s) + " is no JSON number"
	}
	if msg := tooWide(s); msg != "" {
		return Value{}, msg
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return IntValue(n), ""
	}
	return NumberValue(s), ""
}

// tooWide says why a number, though well-formed, is not taken.
func tooWide(s string) string {
	if len(s) > maxNumber {
		return "a number has more than " + strconv.Itoa(maxNumber) + " characters"
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err != nil || n > maxExponent || n < -maxExponent {
			return quote(s) + ": exponents go from -400 to 400"
		}
	}
	return ""
}

// isNumber checks the grammar of RFC 8259 section 6.
func isNumber(s string) bool {
	digits := func() bool {
		n := len(s)
		s = strings.TrimLeft(s, "0123456789")
		return len(s) < n
	}
	s = strings.TrimPrefix(s, "-")
	if strings.HasPrefix(s, "0") {
		s = s[1:]
	} else if !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// quoted reads a string between two q.
func (p *parser) quoted(q byte) (Value, error) {
	at := p.pos
	if q == '\'' && !p.lim.Lenient {
		return Value{}, p.errorf(at, "%s must be in double quotes", p.token(at))
	}
	p.pos++
	from := p.pos
	for !p.atEnd() && p.text[p.pos] != q && p.text[p.pos] != '\\' && p.text[p.pos] >= ' ' {
		p.pos++
	}
	if p.take(q) { // nothing to unescape
		return StringValue(p.text[from : p.pos-1]), nil
	}
	out := []byte(p.text[from:p.pos])
	for !p.atEnd() {
		c := p.text[p.pos]
		switch {
		case c == q:
			p.pos++
			return StringValue(string(out)), nil
		case c < ' ':
			return Value{}, p.errorf(p.pos, "control characters must be escaped, as in \\u%04x", c)
		case c != '\\':
			out = append(out, c)
			p.pos++
		default:
			var err error
			if out, err = p.escape(out, q); err != nil {
				return Value{}, err
			}
		}
	}
	return Value{}, p.errorf(at, "the string is not closed: %s", p.token(at))
}

// escape reads one escape sequence.
func (p *parser) escape(out []byte, q byte) ([]byte, error) {
	if p.pos+1 == len(p.text) {
		p.pos++
		return out, nil // the string is not closed, which is the better message
	}
	c := p.text[p.pos+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 || c == q {
		if i >= 0 {
			c = "\"\\/\b\f\n\r\t"[i]
		}
		p.pos += 2
		return append(out, c), nil
	}
	if c == 'u' {
		return p.unicode(out)
	}
	_, n := utf8.DecodeRuneInString(p.text[p.pos+1:])
	return nil, p.errorf(p.pos, "%s is no escape sequence of JSON", quote(p.text[p.pos:p.pos+1+n]))
}

// unicode reads \uXXXX, or two of them that make one character.
func (p *parser) unicode(out []byte) ([]byte, error) {
	at := p.pos
	r, ok := p.hex4()
	if !ok {
		return nil, p.errorf(at, `"\u" needs four hexadecimal digits after it`)
	}
	if utf16.IsSurrogate(r) {
		low, ok := p.hex4()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return nil, p.errorf(at, "%s is half a surrogate pair", quote(p.text[at:at+6]))
		}
	}
	return utf8.AppendRune(out, r), nil
}

func (p *parser) hex4() (rune, bool) {
	s := p.text[p.pos:]
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	p.pos += 6
	return rune(n), err == nil
}
