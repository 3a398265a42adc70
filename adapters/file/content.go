package file

import (
	"errors"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
)

// A content is what a file holds, taken apart without loss: head and rows put
// together are the file. It is never changed.
type content struct {
	name  string   // of the file, for problems
	head  string   // a byte order mark and the line of names
	names []string // of the columns, of CSV
	rows  []*row   // blank ones too
	bad   []Problem
	ended [2]*row // of a content that was made: a row that got the end of its line, before and now

	form format
}

// A row is a record as it stands in a file.
type row struct {
	line  int // where it stood when the file was read; 0: it was made since
	text  string
	end   string // the end of its line; "" of a last one without
	blank bool
}

// A format is how rows are read and written.
type format interface {
	// split takes a text apart. What it cannot read is among the problems.
	split(name, text string) *content

	// list says that a column holds several values, and what stands between them.
	list(column, separator string)

	// has reports whether a row of the content can have a column.
	has(c *content, column string) bool

	// read gives what a row holds in some columns: nil, string, int64, float64, bool
	// or []string. The error says what is wrong with the row, and no value.
	read(c *content, r *row, columns []string) ([]any, error)

	// write gives the text of a row in which some columns hold other values, or of a
	// new one, for no row. The error names the column whose value cannot be held.
	write(c *content, r *row, set []cell) (string, *unfit)
}

// A cell is what a column is to hold: nil, string, int64, float64, bool or []string.
type cell struct {
	column string
	value  any
	number bool // of a new value: a number, if the format has some
}

// An unfit value cannot be held.
type unfit struct{ column, why string }

// records are the rows that are no blank lines.
func (c *content) records(yield func(*row) bool) {
	for _, r := range c.rows {
		if !r.blank && !yield(r) {
			return
		}
	}
}

// last is the last record, nil without any.
func (c *content) last() *row {
	for _, r := range slices.Backward(c.rows) {
		if !r.blank {
			return r
		}
	}
	return nil
}

// text is the whole file.
func (c *content) text() string {
	n := len(c.head)
	for _, r := range c.rows {
		n += len(r.text) + len(r.end)
	}
	var b strings.Builder
	b.Grow(n)
	b.WriteString(c.head)
	for _, r := range c.rows {
		b.WriteString(r.text)
		b.WriteString(r.end)
	}
	return b.String()
}

// end is how lines end in this file.
func (c *content) end() string {
	for _, r := range c.rows {
		if r.end != "" {
			return r.end
		}
	}
	if strings.HasSuffix(c.head, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// with is the content with some rows in place of others, without those for which
// there is nothing, and with new ones at the end. If the last line had no end, the
// new last one has none. A row that the content does not have is none to change:
// nothing would say that the change is lost.
func (c *content) with(instead map[*row]*row, added []*row) (*content, error) {
	out := *c
	out.ended = [2]*row{}
	out.rows = make([]*row, 0, len(c.rows)+len(added))
	changed := 0
	for _, r := range c.rows {
		now, changes := instead[r]
		if changes {
			changed++
		}
		switch {
		case !changes:
			out.rows = append(out.rows, r)
		case now != nil:
			out.rows = append(out.rows, now)
		}
	}
	if changed != len(instead) {
		return nil, &adapters.Error{Kind: adapters.Internal, Err: errNoRow}
	}
	out.append(c, added)
	return &out, nil
}

var errNoRow = errors.New("a record is to be changed that is not in the file")

// append adds new rows to a content that was made of another one, whose end decides.
func (c *content) append(of *content, added []*row) {
	end := of.end()
	open := len(of.rows) > 0 && of.rows[len(of.rows)-1].end == "" || len(of.rows) == 0 && of.head != "" && !strings.HasSuffix(of.head, "\n") && of.head != mark
	if open && len(added) > 0 {
		if n := len(c.rows); n > 0 && c.rows[n-1].end == "" {
			ended := *c.rows[n-1]
			ended.end = end
			c.ended = [2]*row{c.rows[n-1], &ended}
			c.rows[n-1] = &ended
		} else if n == 0 && len(of.rows) == 0 {
			c.head += end
		}
	}
	for i, r := range added {
		if r.end = end; open && i == len(added)-1 {
			r.end = ""
		}
		c.rows = append(c.rows, r)
	}
}

func (c *content) problem(line int, text string) {
	c.bad = append(c.bad, Problem{File: c.name, Line: line, Text: text})
}

// mark is the byte order mark.
const mark = "\ufeff"
