package file

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// A table is the format of CSV files (RFC 4180), with the characters that the
// configuration says.
type table struct {
	comma   string
	quote   string            // "": cells are never quoted
	columns []string          // nil: the first line names them
	lists   map[string]string // columns with several values, and what stands between those
}

// A part is a cell as it stands in a line.
type part struct {
	raw    string // with its quotes
	value  string
	quoted bool
}

var (
	errOpen   = errors.New("a quoted cell does not end")
	errBehind = errors.New("there is something between the end of a quoted cell and the next delimiter")
	errBare   = errors.New("there is a quote within a cell that is not quoted")
	errReturn = errors.New("there is a carriage return within a cell that is not quoted")
)

// line takes the first line off a text: its cells, and how long it is without and
// with its end. A quoted cell may hold line ends.
func (t *table) line(text string, into []part) (parts []part, length, whole int, err error) {
	parts = into[:0]
	at := 0
	for {
		p, next, err := t.cell(text, at)
		if err != nil {
			return parts, 0, 0, err
		}
		parts = append(parts, p)
		rest := text[next:]
		switch {
		case strings.HasPrefix(rest, t.comma):
			at = next + len(t.comma)
		case rest == "":
			return parts, next, next, nil
		case rest[0] == '\n':
			return parts, next, next + 1, nil
		case strings.HasPrefix(rest, "\r\n"):
			return parts, next, next + 2, nil
		default:
			return parts, 0, 0, errBehind
		}
	}
}

// cell reads the cell that begins at a place.
func (t *table) cell(text string, at int) (part, int, error) {
	if t.quote != "" && strings.HasPrefix(text[at:], t.quote) {
		return t.quoted(text, at)
	}
	end := at
	for ; end < len(text); end++ {
		switch c := text[end]; {
		case c == '\n' || c == t.comma[0] && strings.HasPrefix(text[end:], t.comma) || c == '\r' && strings.HasPrefix(text[end:], "\r\n"):
			return part{raw: text[at:end], value: text[at:end]}, end, nil
		case c == '\r':
			return part{}, 0, errReturn
		case t.quote != "" && c == t.quote[0] && strings.HasPrefix(text[end:], t.quote):
			return part{}, 0, errBare
		}
	}
	return part{raw: text[at:end], value: text[at:end]}, end, nil
}

func (t *table) quoted(text string, at int) (part, int, error) {
	from := at + len(t.quote)
	doubled := false
	for end := from; ; {
		i := strings.Index(text[end:], t.quote)
		if i < 0 {
			return part{}, 0, errOpen
		}
		end += i + len(t.quote)
		if strings.HasPrefix(text[end:], t.quote) {
			doubled = true
			end += len(t.quote)
			continue
		}
		p := part{raw: text[at:end], value: text[from : end-len(t.quote)], quoted: true}
		if doubled {
			p.value = strings.ReplaceAll(p.value, t.quote+t.quote, t.quote)
		}
		return p, end, nil
	}
}

// split implements format. Behind a line whose quotes are wrong nobody can say
// where the next one begins: all of the rest is unreadable.
func (t *table) split(name, text string) *content {
	c := &content{name: name, form: t, names: t.columns}
	rest := strings.TrimPrefix(text, mark)
	line, parts := 1, []part(nil)
	if t.columns == nil {
		var err error
		var length, whole int
		if parts, length, whole, err = t.line(rest, nil); err != nil || length == 0 {
			c.head = text
			c.problem(1, "there is no line that names the columns")
			return c
		}
		for _, p := range parts {
			c.names = append(c.names, strings.TrimSpace(p.value))
		}
		line += strings.Count(rest[:whole], "\n")
		rest = rest[whole:]
		t.checkNames(c)
	}
	c.head = text[:len(text)-len(rest)]
	for rest != "" {
		var err error
		var length, whole int
		if parts, length, whole, err = t.line(rest, parts); err != nil {
			c.problem(line, err.Error()+"; what is behind it cannot be read")
			c.rows = append(c.rows, &row{line: line, text: rest, blank: true})
			return c
		}
		r := &row{line: line, text: rest[:length], end: rest[length:whole], blank: length == 0}
		if n := len(parts); !r.blank && n != len(c.names) {
			c.problem(line, fmt.Sprintf("the line has %s, and %s", cells(n), columnsOf(len(c.names))))
			r.blank = true
		}
		c.rows = append(c.rows, r)
		line += strings.Count(rest[:whole], "\n")
		rest = rest[whole:]
	}
	return c
}

func cells(n int) string {
	if n == 1 {
		return "1 cell"
	}
	return fmt.Sprintf("%d cells", n)
}

func columnsOf(n int) string {
	if n == 1 {
		return "there is 1 column"
	}
	return fmt.Sprintf("there are %d columns", n)
}

// checkNames reports columns that have one name.
func (t *table) checkNames(c *content) {
	for i, name := range c.names {
		if slices.Contains(c.names[:i], name) {
			c.problem(1, fmt.Sprintf("column %d has the name of another", i+1))
		}
	}
}

// list implements format.
func (t *table) list(column, separator string) { t.lists[column] = separator }

// has implements format.
func (t *table) has(c *content, column string) bool { return slices.Contains(c.names, column) }

// read implements format.
func (t *table) read(c *content, r *row, columns []string) ([]any, error) {
	parts, _, _, err := t.line(r.text, make([]part, 0, len(c.names)))
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(r.text) {
		return nil, errEncoding
	}
	out := make([]any, len(columns))
	for i, name := range columns {
		at := slices.Index(c.names, name)
		if at < 0 || at >= len(parts) || parts[at].value == "" {
			continue
		}
		if separator, list := t.lists[name]; list {
			out[i] = items(parts[at].value, separator)
			continue
		}
		out[i] = parts[at].value
	}
	return out, nil
}

var errEncoding = errors.New("the line is not in the encoding of the file")

// items are the values in a cell, each once. Nothing between two separators is no
// value.
func items(text, separator string) []string {
	var out []string
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, separator) {
		if item != "" && !seen[item] {
			seen[item] = true
			out = append(out, item)
		}
	}
	return out
}

// write implements format. Cells that stay are written as they stand; one that
// changes is quoted if it was, and a new one if that of the last row is.
func (t *table) write(c *content, r *row, set []cell) (string, *unfit) {
	like := r
	if like == nil {
		like = c.last()
	}
	var old []part
	if like != nil {
		old, _, _, _ = t.line(like.text, nil)
	} else if t.columns == nil {
		old, _, _, _ = t.line(strings.TrimPrefix(c.head, mark), nil)
	}
	raw := make([]string, len(c.names))
	for i, name := range c.names {
		quoted := i < len(old) && old[i].quoted
		at := slices.IndexFunc(set, func(s cell) bool { return s.column == name })
		switch {
		case at >= 0:
			value, why := t.value(set[at])
			if why == "" {
				raw[i], why = t.raw(value, quoted, len(c.names) == 1)
			}
			if why != "" {
				return "", &unfit{name, why}
			}
		case r != nil && i < len(old):
			raw[i] = old[i].raw
		default:
			raw[i], _ = t.raw("", quoted, len(c.names) == 1)
		}
	}
	return strings.Join(raw, t.comma), nil
}

// value is what a cell is to hold, as text.
func (t *table) value(s cell) (text, why string) {
	list, ok := s.value.([]string)
	if !ok {
		return adapters.Text(s.value), ""
	}
	separator := t.lists[s.column]
	for _, v := range list {
		if strings.Contains(v, separator) {
			return "", "a value holds what stands between values"
		}
	}
	text = strings.Join(list, separator)
	if !slices.Equal(items(text, separator), list) && len(list) > 0 { // as with "a" and "ba" around "ab"
		return "", "the values cannot be told apart in one cell"
	}
	return text, ""
}

// raw is a value as it stands in a line.
func (t *table) raw(value string, quoted, alone bool) (raw, why string) {
	special := strings.Contains(value, t.comma) || strings.ContainsAny(value, "\r\n") || strings.HasPrefix(value, mark) ||
		t.quote != "" && strings.Contains(value, t.quote) || alone && value == ""
	switch {
	case !utf8.ValidString(value):
		return "", "the value is no valid text"
	case special && t.quote == "":
		return "", "the value holds a delimiter or a line end, and cells are not quoted here"
	case special || quoted && t.quote != "":
		return t.quote + strings.ReplaceAll(value, t.quote, t.quote+t.quote) + t.quote, ""
	}
	return value, ""
}

// checkCharacters says what is wrong with a delimiter and a quote.
func checkCharacters(comma, quote string) error {
	for _, c := range []string{comma, quote} {
		if utf8.RuneCountInString(c) > 1 || strings.ContainsAny(c, "\r\n") || !utf8.ValidString(c) || c == string(utf8.RuneError) || c == mark {
			return fmt.Errorf("%s is not one character", strconv.Quote(c))
		}
	}
	if comma == quote {
		return errors.New("the delimiter is also the quote")
	}
	return nil
}
