package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseTree reads one YAML document. It reports what keeps it from being YAML
// and returns nil then.
func parseTree(data []byte, report *Reporter) *Tree {
	if !checkCharacters(report) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		report.Add(Problem{Message: err.Error()})
		return nil
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		report.Add(Problem{Message: "the file is empty", Hint: "examples/quickstart/postern.yaml is a good beginning"})
		return nil
	case err != nil:
		reportSyntax(report, err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		at := Text{Line: second.Line, Column: second.Column}
		if len(second.Content) > 0 {
			at = Text{Line: second.Content[0].Line, Column: second.Content[0].Column}
		}
		report.Errorf(at, "delete the line ---", "a second YAML document begins here; a configuration is one")
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(report, err)
	}
	if len(document.Content) == 0 {
		return nil
	}
	g := grower{report: report}
	return g.grow(document.Content[0], Text{}, "the file")
}

// badLines is how many lines with bad bytes are reported: a file with more is
// something else altogether.
const badLines = 10

// checkCharacters finds bytes that no YAML file may hold, the first of each line;
// the YAML library would not say where they are.
func checkCharacters(report *Reporter) bool {
	bad := 0
	for i, line := range report.Source.lines {
		if p, ok := badCharacter(line); ok {
			p.Line = i + 1
			report.Add(p)
			if bad++; bad == badLines {
				break
			}
		}
	}
	return bad == 0
}

func badCharacter(line string) (Problem, bool) {
	column := 1
	for j := 0; j < len(line); column++ {
		r, n := utf8.DecodeRuneInString(line[j:])
		switch {
		case r == utf8.RuneError && n == 1:
			return Problem{Column: column, Width: 1, Message: "this is no UTF-8", Hint: "save the file as UTF-8"}, true
		case r < ' ' && r != '\t', r == 0x7f, r == 0x85, r == 0x2028, r == 0x2029, r == 0xfeff:
			return Problem{Column: column, Width: 1, Message: fmt.Sprintf("the control character U+%04X is not allowed", r),
				Hint: `in double quotes such a character is written \u0001`}, true
		}
		j += n
	}
	return Problem{}, false
}

// reportSyntax says in our words what the YAML library complains about.
func reportSyntax(report *Reporter, err error) {
	var e *yaml.LoadError
	var es *yaml.LoadErrors
	if !errors.As(err, &e) {
		if !errors.As(err, &es) || len(es.Errors) == 0 {
			report.Add(Problem{Message: "this is no YAML: " + err.Error()})
			return
		}
		e = es.Errors[0]
	}
	at := clamp(report.Source, Text{Line: e.Mark.Line, Column: e.Mark.Column})
	context := clamp(report.Source, Text{Line: e.ContextMark.Line, Column: e.ContextMark.Column})
	at, message, hint := translate(report.Source, e, at, context)
	report.Add(Problem{Line: at.Line, Column: at.Column, Width: 1, Message: message, Hint: hint})
}

// clamp keeps a mark within the file: the end of the stream is one line below.
func clamp(s *Source, at Text) Text {
	if at.Line > len(s.lines) {
		at.Line = len(s.lines)
		at.Column = utf8.RuneCountInString(s.raw(at.Line)) + 1
	}
	at.Column = min(max(at.Column, 1), utf8.RuneCountInString(s.raw(at.Line))+1)
	return at
}

const bracketHint = `inside { } a key with brackets must be quoted: 'emails[type eq "work"].value'`

func translate(s *Source, e *yaml.LoadError, at, context Text) (Text, string, string) {
	m := e.Message
	switch {
	case strings.Contains(m, "cannot start any token"):
		return cannotStart(s, at)
	case strings.Contains(m, "mapping values are not allowed"):
		return at, "a colon that begins a value is not possible here", "quote the whole value if the colon belongs to it; otherwise look at the indentation"
	case strings.Contains(m, "unexpected end of stream") && strings.Contains(e.ContextMsg, "quoted scalar"):
		return context, "this quote is never closed", ""
	case strings.Contains(m, "did not find expected ',' or"):
		hint := "close it, or put a comma before this"
		if strings.ContainsAny(s.raw(context.Line), "[") && strings.Contains(e.ContextMsg, "flow mapping") {
			hint = bracketHint
		}
		return at, fmt.Sprintf("the bracket of line %d, column %d is still open here", context.Line, context.Column), hint
	case strings.Contains(m, "did not find expected key"):
		return at, fmt.Sprintf("this does not fit into the block that begins in line %d", context.Line),
			"keys of one block begin in the same column; nothing may follow a closing quote"
	case strings.Contains(m, "could not find expected ':'"):
		return at, "a colon is missing before this place", "a key is followed by a colon and a space"
	case strings.Contains(m, "unknown anchor"):
		return at, m, "anchors are written &name, and before their aliases"
	case strings.Contains(m, "escape character"):
		return at, "this escape does not exist in double quotes", `write \\ for a backslash, or use single quotes`
	}
	return at, "this is no YAML: " + m, ""
}

func cannotStart(s *Source, at Text) (Text, string, string) {
	rest := s.rest(at.Line, at.Column)
	if len(rest) > 0 && rest[0] != '\t' {
		return at, fmt.Sprintf("a value cannot begin with %s", string(rest[0])), "put it in quotes"
	}
	return at, "a tab cannot indent YAML", "use spaces"
}
