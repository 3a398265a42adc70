package file

import (
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
