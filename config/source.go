package config

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Source is the text of a configuration file, for showing lines and for
// finding where a part of a scalar stands.
type Source struct {
	File  string
	lines []string
	blots []blot
}

// A blot covers a secret when its line is shown.
type blot struct{ line, column, width int }

// NewSource takes the text of a file.
func NewSource(file string, data []byte) *Source {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	return &Source{File: file, lines: strings.Split(text, "\n")}
}

// secretLine finds values of keys that hold secrets. It covers lines that were
// never decoded because the file is no YAML.
var secretLine = regexp.MustCompile(`(?i)\b(?:token|password|secret|dsn)["']?\s*:\s*("[^"]*"?|'[^']*'?|[^\s,}"'#&*|>{\[][^\s,}#]*)`)

// Line is a line by its number, secrets blotted out; "" if there is none.
func (s *Source) Line(n int) string {
	raw := s.raw(n)
	line := []rune(strings.Map(printable, raw))
	for _, b := range s.blots {
		if b.line == n {
			cover(line, b.column-1, b.column-1+b.width)
		}
	}
	for _, m := range secretLine.FindAllStringSubmatchIndex(raw, -1) {
		if value := raw[m[2]:m[3]]; !strings.Contains(value, "${") && !strings.HasPrefix(strings.Trim(value, `"'`), sqliteScheme) {
			from := utf8.RuneCountInString(raw[:m[2]])
			cover(line, from, from+utf8.RuneCountInString(value))
		}
	}
	return string(line)
}

// printable keeps a line from playing tricks on a terminal.
func printable(r rune) rune {
	if r != '\t' && !unicode.IsPrint(r) {
		return utf8.RuneError
	}
	return r
}

func cover(line []rune, from, to int) {
	for i := max(from, 0); i < min(to, len(line)); i++ {
		line[i] = '*'
	}
}

// blot hides the scalar at a place, whatever its style, from then on.
func (s *Source) blot(at Text) {
	from, fromColumn := s.Locate(at, 0)
	to, toColumn := s.Locate(at, len(strings.TrimRight(at.Value, "\n")))
	for n := from; n <= to && n <= len(s.lines); n++ {
		b := blot{line: n, column: 1, width: utf8.RuneCountInString(s.raw(n))}
		if n == from {
			b.column = fromColumn
		}
		if n == to {
			b.width = toColumn - b.column
		}
		s.blots = append(s.blots, b)
	}
}

// blotTree hides every scalar of a tree.
func (s *Source) blotTree(t *Tree) {
	if t.Kind == ScalarNode {
		s.blot(t.Text)
	}
	for _, i := range t.Items {
		s.blotTree(i)
	}
}

func (s *Source) raw(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// rest is what stands from a place to the end of its line.
func (s *Source) rest(line, column int) []rune {
	rs := []rune(s.raw(line))
	return rs[min(max(column-1, 0), len(rs)):]
}

// width is how many characters a scalar takes on its first line.
func (s *Source) width(at Text) int {
	rest := s.rest(at.Line, at.Column)
	switch {
	case len(rest) == 0:
		return 1
	case at.Value != "" && strings.HasPrefix(string(rest), at.Value):
		return utf8.RuneCountInString(at.Value)
	case rest[0] == '"' || rest[0] == '\'':
		return quotedWidth(rest)
	}
	word, _, _ := strings.Cut(strings.NewReplacer(",", " ", "]", " ", "}", " ").Replace(string(rest)), " ")
	return max(1, utf8.RuneCountInString(word))
}

func quotedWidth(rest []rune) int {
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && rest[0] == '"':
			i++
		case rest[i] == rest[0] && rest[0] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
			i++
		case rest[i] == rest[0]:
			return i + 1
		}
	}
	return len(rest)
}
