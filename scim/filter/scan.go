package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A parser reads one text.
type parser struct {
	text   string
	pos    int // byte offset
	lim    Limits
	depth  int
	terms  int
	inside bool // within [ ]
}

// newParser checks what must hold before anything is read.
func newParser(text, what string, lim Limits) (*parser, error) {
	p := &parser{text: text, lim: lim.withDefaults()}
	if len(text) > p.lim.Length {
		return nil, p.errorf(p.lim.Length, "the %s is longer than %d bytes", what, p.lim.Length)
	}
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return nil, p.errorf(i, "the %s is not valid UTF-8", what)
		}
	}
	return p, nil
}

func (p *parser) errorf(at int, format string, args ...any) *Error {
	return &Error{
		Pos: utf8.RuneCountInString(p.text[:at]) + 1, Msg: fmt.Sprintf(format, args...), InFilter: true}
}

func (p *parser) atEnd() bool { return p.pos == len(p.text) }

// peek is the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.atEnd() {
		return 0
	}
	return p.text[p.pos]
}

// take consumes c if it is next.
func (p *parser) take(c byte) bool {
	if p.peek() != c || p.atEnd() {
		return false
	}
	p.pos++
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *parser) spaces() {
	for !p.atEnd() && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

// isDelim: bytes that end a word.
func isDelim(c byte) bool {
	return isSpace(c) || c == '(' || c == ')' || c == '[' || c == ']' || c == '"' || c == '\''
}

// word is what stands from offset at to the next delimiter.
func (p *parser) word(at int) string {
	end := at
	for end < len(p.text) && !isDelim(p.text[end]) {
		end++
	}
	return p.text[at:end]
}

// keyword consumes the word k, in any case, after any spaces.
func (p *parser) keyword(k string) bool {
	at := p.pos
	for at < len(p.text) && isSpace(p.text[at]) {
		at++
	}
	if w := p.word(at); len(w) != len(k) || !strings.EqualFold(w, k) {
		return false
	}
	p.pos = at + len(k)
	return true
}

// token is what a message shows of the text at offset at.
func (p *parser) token(at int) string {
	rest := p.text[at:]
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		if end := strings.IndexByte(rest[1:], rest[0]); end >= 0 {
			return quote(rest[:end+2])
		}
		return quote(rest)
	}
	if w := p.word(at); w != "" {
		return quote(w)
	}
	_, n := utf8.DecodeRuneInString(rest)
	return quote(rest[:n])
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func isNameStart(c byte) bool { return isLetter(c) || c == '$' }

func isNameByte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '-' || c == '$'
}

// isURIByte: what the URI of a schema may hold beyond the bytes of a name.
func isURIByte(c byte) bool { return c != 0 && strings.IndexByte("/%+@~!*;=,&", c) >= 0 }

// name reads an attribute path: name, name.sub, or either after a schema's URI.
// What is URI and what is attribute only the schema knows.
func (p *parser) name() (string, error) {
	at := p.pos
	colon := false
	for ; !p.atEnd(); p.pos++ {
		c := p.text[p.pos]
		if c == ':' {
			colon = true
		} else if c != '.' && !isNameByte(c) && (!colon || !isURIByte(c)) {
			break
		}
	}
	name := p.text[at:p.pos]
	if !p.atEnd() && !isDelim(p.peek()) {
		_, n := utf8.DecodeRuneInString(p.text[p.pos:])
		return "", p.errorf(p.pos, "%s is not allowed in an attribute name", quote(p.text[p.pos:p.pos+n]))
	}
	if msg := badName(name, colon); msg != "" {
		return "", p.errorf(at, "%s is no attribute name: %s", quote(name), msg)
	}
	return name, nil
}

// badName says what is wrong with a name, "" if nothing is.
func badName(name string, colon bool) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == ':' })
	if n := strings.Count(name, ".") + strings.Count(name, ":") + 1; n != len(parts) {
		return "it has an empty part"
	}
	if colon {
		return ""
	}
	if len(parts) > 2 {
		return "it has more than one sub-attribute"
	}
	for _, s := range parts {
		if !isNameStart(s[0]) {
			return quote(s) + " does not begin with a letter"
		}
	}
	return ""
}
