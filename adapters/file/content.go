package file

import (
	"slices"
	"strings"
)

// A content is what a file holds, taken apart without loss: head and rows put
// together are the file. It is never changed.
type content struct {
	name  string   // of the file, for problems
	head  string   // a byte order mark and the line of names
	names []string // of the columns, of CSV
	rows  []*row   // blank ones too
	bad   []Problem

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
// new last one has none.
func (c *content) with(instead map[*row]*row, added []*row) *content {
	out := *c
	out.rows = make([]*row, 0, len(c.rows)+len(added))
	for _, r := range c.rows {
		now, changes := instead[r]
		switch {
		case !changes:
			out.rows = append(out.rows, r)
		case now != nil:
			out.rows = append(out.rows, now)
		}
	}
	end := c.end()
	open := len(c.rows) > 0 && c.rows[len(c.rows)-1].end == "" || len(c.rows) == 0 && c.head != "" && !strings.HasSuffix(c.head, "\n") && c.head != mark
	if open && len(added) > 0 {
		if n := len(out.rows); n > 0 && out.rows[n-1].end == "" {
			ended := *out.rows[n-1]
			ended.end = end
			out.rows[n-1] = &ended
		} else if n == 0 && len(c.rows) == 0 {
			out.head += end
		}
	}
	for i, r := range added {
		if r.end = end; open && i == len(added)-1 {
			r.end = ""
		}
		out.rows = append(out.rows, r)
	}
	return &out
}

func (c *content) problem(line int, text string) {
	c.bad = append(c.bad, Problem{File: c.name, Line: line, Text: text})
}

// mark is the byte order mark.
const mark = "\ufeff"
