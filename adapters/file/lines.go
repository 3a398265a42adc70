package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// Lines is the format of JSON lines: an object on each line.
type lines struct{ lists map[string]string }

// A member is one of an object as it stands in a line.
type member struct {
	name     string
	from, to int // of its value
}

var (
	errObject  = errors.New("the line is no JSON object")
	errDoubled = errors.New("a member of the object stands there twice")
	errNested  = errors.New("a member that is mapped holds an object, or a list where one value is wanted")
	errItems   = errors.New("a list holds something else than texts and numbers")
)

// split implements format.
func (l lines) split(name, text string) *content {
	c := &content{name: name, form: l}
	rest := strings.TrimPrefix(text, mark)
	c.head = text[:len(text)-len(rest)]
	for line := 1; rest != ""; line++ {
		whole := strings.IndexByte(rest, '\n') + 1
		if whole == 0 {
			whole = len(rest)
		}
		body := strings.TrimSuffix(strings.TrimSuffix(rest[:whole], "\n"), "\r")
		if !strings.HasSuffix(rest[:whole], "\n") {
			body = rest[:whole]
		}
		r := &row{line: line, text: body, end: rest[len(body):whole], blank: strings.TrimSpace(body) == ""}
		if !r.blank {
			if _, err := members(body); err != nil {
				c.problem(line, err.Error())
				r.blank = true
			}
		}
		c.rows = append(c.rows, r)
		rest = rest[whole:]
	}
	return c
}

// members takes a line apart.
func members(text string) ([]member, error) {
	if !utf8.ValidString(text) {
		return nil, errEncoding
	}
	at := space(text, 0)
	if !json.Valid([]byte(text)) || text[at] != '{' {
		return nil, errObject
	}
	var out []member
	for at = space(text, at+1); text[at] != '}'; {
		end := value(text, at)
		var name string
		if err := json.Unmarshal([]byte(text[at:end]), &name); err != nil {
			return nil, errObject
		}
		from := space(text, space(text, end)+1) // past the colon
		to := value(text, from)
		if slices.ContainsFunc(out, func(m member) bool { return m.name == name }) {
			return nil, errDoubled
		}
		out = append(out, member{name, from, to})
		if at = space(text, to); text[at] == ',' {
			at = space(text, at+1)
		}
	}
	return out, nil
}

// space is the first place from at on that holds no space.
func space(text string, at int) int {
	for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
		at++
	}
	return at
}

// value is the end of the value that begins at a place. The text is valid JSON.
func value(text string, at int) int {
	depth := 0
	for ; at < len(text); at++ {
		switch c := text[at]; c {
		case '"':
			for at++; text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return at
			}
		}
	}
	return at
}

// list implements format.
func (l lines) list(column, separator string) { l.lists[column] = separator }

// has implements format: any object can have any member.
func (lines) has(*content, string) bool { return true }

// read implements format.
func (l lines) read(_ *content, r *row, columns []string) ([]any, error) {
	all, err := members(r.text)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(columns))
	for _, m := range all {
		at := slices.Index(columns, m.name)
		if at < 0 {
			continue
		}
		separator, list := l.lists[m.name]
		if out[at], err = decode(r.text[m.from:m.to], list, separator); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decode makes a value of its text.
func decode(raw string, list bool, separator string) (any, error) {
	if raw[0] == '[' && list {
		return decodeList(raw)
	}
	v, err := scalar(raw)
	if err != nil || !list || v == nil {
		return v, err
	}
	if text := adapters.Text(v); separator != "" {
		return items(text, separator), nil
	} else if text != "" {
		return []string{text}, nil
	}
	return nil, nil
}

func decodeList(raw string) (any, error) {
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		return nil, errItems
	}
	var out []string
	for _, e := range all {
		v, err := scalar(string(e))
		if err != nil || v == nil {
			return nil, errItems
		}
		if text := adapters.Text(v); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, nil
}

// scalar is a value that is no list and no object. A number that no type of records
// holds as it is written stays text.
func scalar(raw string) (any, error) {
	switch raw[0] {
	case '{', '[':
		return nil, errNested
	case 'n':
		return nil, nil
	case 't', 'f':
		if raw == "true" || raw == "false" {
			return raw == "true", nil
		}
	case '"':
		var text string
		err := json.Unmarshal([]byte(raw), &text)
		return text, err
	}
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil && strconv.FormatInt(n, 10) == raw {
		return n, nil
	}
	if f, err := strconv.ParseFloat(raw, 64); err == nil && adapters.Text(f) == raw {
		return f, nil
	}
	return raw, nil
}

// write implements format.
func (l lines) write(c *content, r *row, set []cell) (string, *unfit) {
	if r == nil {
		return l.add(c, set)
	}
	all, err := members(r.text)
	if err != nil {
		return "", &unfit{"", err.Error()}
	}
	var b strings.Builder
	from := 0
	for _, m := range all {
		at := slices.IndexFunc(set, func(s cell) bool { return s.column == m.name })
		if at < 0 {
			continue
		}
		raw, bad := l.encode(c, r.text[m.from:m.to], set[at])
		if bad != nil {
			return "", bad
		}
		b.WriteString(r.text[from:m.from])
		b.WriteString(raw)
		from = m.to
	}
	// What is new goes behind the last member.
	end := strings.LastIndexByte(r.text, '}')
	if n := len(all); n > 0 {
		end = max(from, all[n-1].to)
	}
	b.WriteString(r.text[from:end])
	comma, colon := style(r.text, all)
	empty := len(all) == 0
	for _, s := range set {
		if adapters.NoValue(s.value) || slices.ContainsFunc(all, func(m member) bool { return m.name == s.column }) {
			continue
		}
		raw, bad := l.encode(c, "", s)
		if bad != nil {
			return "", bad
		}
		if !empty {
			b.WriteString(comma)
		}
		empty = false
		b.WriteString(quoted(s.column) + colon + raw)
	}
	b.WriteString(r.text[end:])
	return b.String(), nil
}

// add makes a new line, in the order of the last one.
func (l lines) add(c *content, set []cell) (string, *unfit) {
	comma, colon := ",", ":"
	if last := c.last(); last != nil {
		all, _ := members(last.text)
		comma, colon = style(last.text, all)
		place := func(s cell) int {
			if i := slices.IndexFunc(all, func(m member) bool { return m.name == s.column }); i >= 0 {
				return i
			}
			return len(all)
		}
		set = slices.SortedStableFunc(slices.Values(set), func(x, y cell) int { return place(x) - place(y) })
	}
	var parts []string
	for _, s := range set {
		if adapters.NoValue(s.value) {
			continue
		}
		raw, bad := l.encode(c, "", s)
		if bad != nil {
			return "", bad
		}
		parts = append(parts, quoted(s.column)+colon+raw)
	}
	return "{" + strings.Join(parts, comma) + "}", nil
}

// style is what a line has between its members, and after their names.
func style(text string, all []member) (comma, colon string) {
	comma, colon = ",", ":"
	if len(all) > 0 && text[all[0].from-1] == ' ' {
		comma, colon = ", ", ": "
	}
	return comma, colon
}

// encode is a value as it stands in a line: of the type that was there, or else of
// that which other lines have.
func (l lines) encode(c *content, was string, s cell) (string, *unfit) {
	list, several := s.value.([]string)
	_, listed := l.lists[s.column]
	if was == "" || was == "null" || was == "[]" {
		was = example(c, s.column)
	}
	switch {
	case listed && (several || s.value == nil) && !(l.lists[s.column] != "" && strings.HasPrefix(was, `"`)):
		return encodeList(list, was), nil
	case several:
		joined, why := (&table{lists: l.lists}).value(s)
		if why != "" {
			return "", &unfit{s.column, why}
		}
		return quoted(joined), nil
	case adapters.NoValue(s.value):
		return "null", nil
	}
	text := adapters.Text(s.value)
	if !utf8.ValidString(text) {
		return "", &unfit{s.column, "the value is no valid text"}
	}
	if kind := kindOf(text); kind != textKind && written(s, was) == kind {
		return text, nil
	}
	return quoted(text), nil
}

// The kinds of values that stand in a line.
const (
	textKind = iota
	numberKind
	truthKind
)

// written is of which kind a value is to be.
func written(s cell, was string) int {
	_, isText := s.value.(string)
	_, isTruth := s.value.(bool)
	switch {
	case was != "" && was[0] == '"':
		return textKind
	case was != "" && (isText || s.number):
		return kindOf(was)
	case isTruth:
		return truthKind
	case isText && !s.number:
		return textKind
	}
	return numberKind
}

// kindOf is of which kind a text could be, and be read as this text again.
func kindOf(text string) int {
	switch v, err := scalar(text); v.(type) {
	case bool:
		return truthKind
	case nil:
	default:
		if err == nil && text[0] != '"' && json.Valid([]byte(text)) && adapters.Text(v) == text {
			return numberKind
		}
	}
	return textKind
}

func encodeList(list []string, was string) string {
	numbers := false
	if strings.HasPrefix(was, "[") {
		first := was[space(was, 1)]
		numbers = first != '"' && first != ']'
	}
	parts := make([]string, len(list))
	for i, v := range list {
		if parts[i] = quoted(v); numbers && kindOf(v) == numberKind {
			parts[i] = v
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// example is how the first line that has a member writes it, "" if none does.
func example(c *content, name string) string {
	for r := range c.records {
		if !strings.Contains(r.text, name) {
			continue // a name with escapes is no example
		}
		all, _ := members(r.text)
		for _, m := range all {
			if raw := r.text[m.from:m.to]; m.name == name && raw != "null" && raw != "[]" {
				return raw
			}
		}
	}
	return ""
}

// quoted is a text in JSON.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // texts can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
