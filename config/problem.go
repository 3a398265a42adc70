package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Problem is one mistake, or a warning, and the place where it stands.
type Problem struct {
	File         string
	Line, Column int    // from 1; Line 0: the file as a whole
	Width        int    // how many characters the caret underlines
	Source       string // the line, with secrets blotted out
	Message      string
	Hint         string
	Warning      bool
}

// Error is the problem as a compiler prints it, without a last line break:
//
//	postern.yaml:14:7: unknown key "tabel" in target
//	   14 |       tabel: employee
//	      |       ^^^^^ did you mean "table"?
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	switch {
	case p.Line > 0:
		p.writeSource(&b)
	case p.Hint != "":
		b.WriteString("\n      | " + p.Hint)
	}
	return b.String()
}

func (p Problem) writeSource(b *strings.Builder) {
	line, column := clip(p.Source, p.Column)
	fmt.Fprintf(b, "\n%5d | %s\n      | ", p.Line, line)
	for i, c := range []rune(line) {
		if i >= column-1 {
			break
		}
		if c != '\t' {
			c = ' '
		}
		b.WriteRune(c)
	}
	width := min(max(p.Width, 1), max(1, utf8.RuneCountInString(line)-column+1))
	b.WriteString(strings.Repeat("^", width))
	if p.Hint != "" {
		b.WriteString(" " + p.Hint)
	}
}

// lineWidth is how much of a source line is shown.
const lineWidth = 120

// clip cuts a long line so that the column stays in sight.
func clip(line string, column int) (string, int) {
	rs := []rune(line)
	column = min(max(column, 1), len(rs)+1)
	if len(rs) <= lineWidth {
		return line, column
	}
	from := max(0, min(column-1-lineWidth/2, len(rs)-lineWidth))
	cut := rs[from : from+lineWidth]
	out := string(cut)
	if from+lineWidth < len(rs) {
		out += "…"
	}
	if from == 0 {
		return out, column
	}
	return "…" + out, column - from + 1
}

// Problems are all problems of a file. As an error it prints them all.
type Problems []Problem

func (ps Problems) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.Error()
	}
	return strings.Join(texts, "\n")
}

// Add appends a problem.
func (ps *Problems) Add(p Problem) { *ps = append(*ps, p) }

// Broken reports whether there is more than warnings.
func (ps Problems) Broken() bool {
	for _, p := range ps {
		if !p.Warning {
			return true
		}
	}
	return false
}

// Summary counts: "2 problems, 1 warning".
func (ps Problems) Summary() string {
	warnings := 0
	for _, p := range ps {
		if p.Warning {
			warnings++
		}
	}
	return count(len(ps)-warnings, "problem") + ", " + count(warnings, "warning")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
