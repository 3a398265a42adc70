package config

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Locate finds the line and column of a byte offset within a scalar's value, by
// reading the source again beside the value: quotes, escapes, line folding and
// the indentation of block scalars put the two out of step.
func (s *Source) Locate(at Text, offset int) (line, column int) {
	if at.Line < 1 || at.Line > len(s.lines) {
		return at.Line, at.Column
	}
	w := walker{source: s, line: at.Line}
	w.enter(s.rest(at.Line, at.Column), at)
	end := min(max(offset, 0), len(at.Value))
	for i := 0; i < end; {
		r, n := utf8.DecodeRuneInString(at.Value[i:])
		w.step(r)
		i += n
	}
	if end < len(at.Value) {
		w.skipBreak(at.Value[end])
	}
	return w.line, w.column + 1
}

// A walker stands at the character of the source that the next character of
// the value comes from.
type walker struct {
	source       *Source
	line, column int // the column counts from 0
	style        rune
	indent       int // of block scalars
	pending      int // line breaks that are still to come of several skipped at once
}

func (w *walker) text() []rune { return w.source.rest(w.line, 1) }

func (w *walker) enter(rest []rune, at Text) {
	w.column = at.Column - 1
	if len(rest) == 0 {
		return
	}
	switch rest[0] {
	case '"', '\'':
		w.style = rest[0]
		w.column++
	case '|', '>':
		w.enterBlock(rest[0], at.Value)
	}
}

// enterBlock goes to the first line of a block scalar. Spaces with which the
// value begins are not indentation.
func (w *walker) enterBlock(style rune, value string) {
	if w.line >= len(w.source.lines) {
		return
	}
	w.style = style
	trimmed := strings.TrimLeft(value, "\n")
	own := len(trimmed) - len(strings.TrimLeft(trimmed, " "))
	for n := w.line + 1; n <= len(w.source.lines); n++ {
		if raw := w.source.raw(n); strings.TrimSpace(raw) != "" {
			w.indent = max(0, len(raw)-len(strings.TrimLeft(raw, " "))-own)
			break
		}
	}
	w.line++
	w.column = w.indent
}

// step passes the source of one character of the value.
func (w *walker) step(r rune) {
	if w.pending > 0 && r == '\n' {
		w.pending--
		return
	}
	w.pending = 0
	if w.style == '"' {
		w.skipEscapedBreak()
	}
	line := w.text()
	switch {
	case w.atBreak(line, r):
		w.nextLine()
	case w.style == '"' && w.column < len(line) && line[w.column] == '\\':
		w.column += escapeWidth(line[w.column:])
	case w.style == '\'' && w.column < len(line) && line[w.column] == '\'':
		w.column += 2
	case w.column < len(line):
		w.column++
	}
}

// atBreak reports whether r, a space or a line break, comes from the end of a
// source line. Flow scalars lose the spaces around it.
func (w *walker) atBreak(line []rune, r rune) bool {
	if r != ' ' && r != '\n' || w.line >= len(w.source.lines) {
		return false
	}
	if w.style == '|' || w.style == '>' {
		return w.column >= len(line)
	}
	for _, c := range line[min(w.column, len(line)):] {
		if !unicode.IsSpace(c) {
			return false
		}
	}
	return true
}

func (w *walker) nextLine() {
	w.line++
	if w.style == '|' {
		w.column = w.indent
		return
	}
	blank := 0
	for w.line < len(w.source.lines) && strings.TrimSpace(w.source.raw(w.line)) == "" {
		w.line++
		blank++
	}
	w.pending = max(0, blank-1)
	if w.style == '>' {
		w.column = w.indent
		return
	}
	raw := w.source.raw(w.line)
	w.column = len(raw) - len(strings.TrimLeft(raw, " \t"))
}

// skipBreak goes past a line end when the value goes on with something else
// than a line break: an offset belongs to the character that it names.
func (w *walker) skipBreak(next byte) {
	if w.style == '"' {
		w.skipEscapedBreak()
	}
	if line := w.text(); next != '\n' && next != ' ' && w.column >= len(line) && w.line < len(w.source.lines) {
		w.nextLine()
	}
}

// skipEscapedBreak passes a backslash at the end of a line, which joins lines.
func (w *walker) skipEscapedBreak() {
	line := w.text()
	if w.column == len(line)-1 && line[w.column] == '\\' && w.line < len(w.source.lines) {
		w.nextLine()
	}
}

// escapeWidth is the length of an escape in double quotes.
func escapeWidth(s []rune) int {
	if len(s) > 1 {
		switch s[1] {
		case 'x':
			return min(4, len(s))
		case 'u':
			return min(6, len(s))
		case 'U':
			return min(10, len(s))
		}
	}
	return min(2, len(s))
}
