package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Reporter collects the problems of one file. Rooms that judge parts of the
// configuration later report to the same Reporter.
type Reporter struct {
	Source   *Source
	problems Problems
	hidden   []string // what no message may hold
}

// NewReporter makes a Reporter for a file.
func NewReporter(s *Source) *Reporter { return &Reporter{Source: s} }

// hide keeps a secret out of all messages from here on: a parameter is one in one
// place, and a part of an ordinary setting in another, which is quoted if it is wrong.
func (r *Reporter) hide(secret string) {
	q := strconv.Quote(secret)
	r.hidden = append(r.hidden, secret, hidden, q[1:len(q)-1], hidden, escaped(secret), hidden)
}

// Errorf reports a mistake at a scalar. The hint may be empty.
func (r *Reporter) Errorf(at Text, hint, format string, args ...any) {
	r.put(at, hint, fmt.Sprintf(format, args...), false)
}

// Warnf reports something that works but is unwise.
func (r *Reporter) Warnf(at Text, hint, format string, args ...any) {
	r.put(at, hint, fmt.Sprintf(format, args...), true)
}

// Inside reports a problem at a byte offset within a scalar's value, such as
// the place in an expression. Width is in bytes too; 0 means one character.
func (r *Reporter) Inside(at Text, offset, width int, message, hint string, warning bool) {
	p := Problem{Message: message, Hint: hint, Warning: warning}
	p.Line, p.Column = r.Source.Locate(at, offset)
	line, column := r.Source.Locate(at, offset+width)
	if p.Width = 1; line == p.Line && column > p.Column {
		p.Width = column - p.Column
	}
	r.Add(p)
}

// Add reports a problem whose place is known; the source line is filled in. A
// place behind the file, where YAML puts what is missing, becomes its end.
func (r *Reporter) Add(p Problem) {
	if p.Line > 0 {
		at := clamp(r.Source, Text{Line: p.Line, Column: p.Column})
		p.Line, p.Column = at.Line, at.Column
	}
	if len(r.hidden) > 0 {
		p.Message = strings.NewReplacer(r.hidden...).Replace(p.Message)
	}
	p.File, p.Source = r.Source.File, r.Source.Line(p.Line)
	r.problems.Add(p)
}

func (r *Reporter) put(at Text, hint, message string, warning bool) {
	r.Add(Problem{Line: at.Line, Column: at.Column, Width: r.Source.width(at), Message: message, Hint: hint, Warning: warning})
}

// Problems are all that was reported, in the order of the file, each once.
// Problems of the file as a whole come last.
func (r *Reporter) Problems() Problems {
	ps := slices.Clone(r.problems)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := cmp.Compare(min(a.Line, 1), min(b.Line, 1)); c != 0 {
			return -c
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for i := range ps {
		ps[i].Source = r.Source.Line(ps[i].Line) // secrets may have been found since
	}
	return slices.Compact(ps)
}

// Err is all problems if one of them is more than a warning, and nil otherwise.
func (r *Reporter) Err() error {
	if ps := r.Problems(); ps.Broken() {
		return ps
	}
	return nil
}
