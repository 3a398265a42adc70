package sql

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Where a database can make one text of all members of a row, they are read with
// the row: one statement, which needs no transaction to be of one moment, in place
// of two that do. In the text members are separated by commas: integers as they are
// written, all else as "x" and the hexadecimal digits of its bytes.

// A gatherer is a dialect that can do so.
type gatherer interface {
	// gather is an aggregate that makes the text of a column's values, "" if those
	// of such a column cannot all be told exactly.
	gather(c *column) string
}

// gathered writes the expression of the members of a row, given by its key. Nothing
// where the database cannot, or would read the whole join table for each row.
func (l *link) gathered(key *column) *builder {
	key = l.ours(key)
	g, ok := l.d.(gatherer)
	if x, y := l.d.pair(l.owner, key); !ok || !l.owner.indexed || l.owner.kind != key.kind || x != l.owner.ref || y != key.ref {
		return nil
	}
	text := g.gather(l.shown)
	if text == "" {
		return nil
	}
	b := newBuilder().add("(SELECT ", text)
	l.from(b, "")
	return b.add(" AND ", l.owner.ref, " = ", key.ref, ")")
}

// gather tells what SQLite's columns hold by the code that defines what is exact,
// unless it is sure to be an integer or text.
func (sqlite) gather(c *column) string {
	switch {
	case c.rowid:
		return "group_concat(" + c.ref + ")"
	case c.kind == textKind:
		return "group_concat('x' || hex(" + c.ref + "))"
	case c.kind == integerKind:
		return "group_concat(CASE WHEN typeof(" + c.ref + ") = 'integer' THEN " + c.ref + " ELSE 'x' || hex(" + textOf(c) + ") END)"
	}
	return ""
}

func (d postgres) gather(c *column) string {
	switch {
	case c.kind == integerKind:
		return "string_agg(" + d.selected(c) + "::text, ',')"
	case c.kind == textKind:
		return "string_agg('x' || encode(convert_to(" + d.text(c) + ", 'UTF8'), 'hex'), ',')"
	}
	return ""
}

// ungather takes such a text apart: in the order of keys, each once.
func ungather(v any) any {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	out := strings.Split(text, ",")
	if text[0] == 'x' || strings.Contains(text, ",x") {
		return ungatherTexts(out)
	}
	if !slices.IsSortedFunc(out, compareDigits) {
		slices.SortFunc(out, compareDigits)
	}
	return slices.Compact(out)
}

// compareDigits orders integers as they are written.
func compareDigits(a, b string) int {
	switch {
	case len(a) > 0 && len(b) > 0 && (a[0] == '-' || b[0] == '-'):
		x, _ := strconv.ParseInt(a, 10, 64)
		y, _ := strconv.ParseInt(b, 10, 64)
		return compareStored(x, y)
	case len(a) != len(b):
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// ungatherTexts puts integers before texts, as the database does.
func ungatherTexts(parts []string) []string {
	var numbers, texts []string
	for _, p := range parts {
		if p[0] != 'x' {
			numbers = append(numbers, p)
			continue
		}
		raw, _ := hex.DecodeString(p[1:]) // the database wrote it
		if len(raw) > 0 {
			texts = append(texts, string(raw))
		}
	}
	slices.SortFunc(numbers, compareDigits)
	slices.Sort(texts)
	return append(slices.Compact(numbers), slices.Compact(texts)...)
}
