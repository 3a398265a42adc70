package file

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

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
