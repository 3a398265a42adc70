package named

import (
	"fmt"
	"slices"
	"strings"
)

// A Kind is a kind of database, as far as its quotes differ.
type Kind uint8

// The kinds of database.
const (
	SQLite Kind = iota
	Postgres
	MariaDB
	Unknown // whichever understands the statement
)

// A Statement is a statement taken apart at its parameters.
type Statement struct {
	Verb      string // its first word, in capitals
	Returning bool   // it says RETURNING
	Target    string // what a CALL calls
	Arguments int    // in the first parentheses
	Pieces    []string
	Params    []Param // one behind each piece but the last
}

// A Param is a value that is bound.
type Param struct {
	Name string
	At   int // where its colon stands
}

// A Mistake is what is wrong with a statement.
type Mistake struct {
	At, Length    int
	Message, Hint string
}

// verbs begin statements that can be a part of a transaction.
var verbs = []string{"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CALL", "DO", "SET"}

// Parse reads a statement.
func Parse(text string, kind Kind) (*Statement, []Mistake) {
	if kind != Unknown {
		return parse(text, kind)
	}
	for _, k := range []Kind{Postgres, MariaDB, SQLite} {
		if s, wrong := parse(text, k); len(wrong) == 0 {
			return s, nil
		}
	}
	return parse(text, Postgres)
}

func parse(text string, kind Kind) (*Statement, []Mistake) {
	r := &reader{text: text, kind: kind, out: &Statement{}}
	r.read()
	r.out.Pieces = append(r.out.Pieces, strings.TrimRight(text[r.from:r.end], " \t\r\n"))
	r.judge()
	return r.out, r.wrong
}

// Changes reports whether the statement says by itself how many rows it changed.
func (s *Statement) Changes() bool {
	return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"}, s.Verb)
}

// Answers reports whether the statement answers rows, or may.
func (s *Statement) Answers() bool {
	return s.Returning || slices.Contains([]string{"SELECT", "WITH", "VALUES", "CALL"}, s.Verb)
}

// Text is the statement with a mark for each parameter, counted from 1.
func (s *Statement) Text(mark func(n int) string) string {
	var b strings.Builder
	for i, p := range s.Pieces {
		if i > 0 {
			b.WriteString(mark(i))
		}
		b.WriteString(p)
	}
	return b.String()
}

// Origin is the place in the text as it was written of a place in Text.
func (s *Statement) Origin(mark func(n int) string, at int) int {
	written, sent := 0, 0
	for i, p := range s.Pieces {
		if at <= sent+len(p) {
			return written + at - sent
		}
		written, sent = written+len(p), sent+len(p)
		if i < len(s.Params) {
			m := len(mark(i + 1))
			if at < sent+m {
				return s.Params[i].At
			}
			written, sent = written+1+len(s.Params[i].Name), sent+m
		}
	}
	return written
}

// A reader is a statement being read.
type reader struct {
	text  string
	kind  Kind
	at    int
	from  int // where the piece begins
	end   int // where the statement ends
	words []word
	depth int // of parentheses
	first int // where the first begins; 0: none yet
	out   *Statement
	wrong []Mistake
}

// A word stands outside of quotes.
type word struct {
	text string
	at   int
}

func (r *reader) fail(at, length int, hint, format string, args ...any) {
	r.wrong = append(r.wrong, Mistake{At: at, Length: length, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) read() {
	r.end = len(r.text)
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch {
		case r.quoted(), r.comment():
		case c == ':':
			r.colon()
		case letter(c):
			r.word()
		case c >= '0' && c <= '9':
			r.at = r.span(r.at) // also 1e5 and 0x1f
		case c == ';':
			r.finish()
			return
		case c == '?' || r.foreign(c):
			r.fail(r.at, 1, "write :name", "values are given by name, and not as %s", r.text[r.at:max(r.span(r.at+1), r.at+1)])
			r.at++
		default:
			r.mark(c)
			r.at++
		}
	}
}

// mark counts what stands in the first parentheses.
func (r *reader) mark(c byte) {
	switch c {
	case '(':
		if r.depth++; r.first == 0 {
			r.first = r.at + 1
		}
	case ',':
		if r.depth == 1 && r.first > 0 {
			r.out.Arguments++
		}
	case ')':
		if r.depth--; r.depth == 0 && r.first > 0 {
			if strings.TrimSpace(r.text[r.first:r.at]) != "" {
				r.out.Arguments++
			}
			r.first = -1
		}
	}
}

// foreign reports whether a parameter of the database's own begins here.
func (r *reader) foreign(c byte) bool {
	next := byte(0)
	if r.at+1 < len(r.text) {
		next = r.text[r.at+1]
	}
	switch r.kind {
	case SQLite:
		return c == '$' || c == '@'
	case Postgres:
		return c == '$' && next >= '0' && next <= '9'
	}
	return false
}

// word reads a word, and what is quoted in a way of its own behind it.
func (r *reader) word() {
	begin := r.at
	r.at = r.span(r.at)
	w := r.text[begin:r.at]
	if r.kind == Postgres && strings.EqualFold(w, "E") && r.at < len(r.text) && r.text[r.at] == '\'' {
		r.until(r.at, '\'', true)
		return
	}
	r.words = append(r.words, word{w, begin})
}

// span is the end of the word that begins at a place.
func (r *reader) span(at int) int {
	for at < len(r.text) && (letter(r.text[at]) || r.text[at] >= '0' && r.text[at] <= '9' || r.text[at] == '$' && at > 0 && r.kind != SQLite) {
		at++
	}
	return at
}

func letter(c byte) bool {
	return c == '_' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// colon reads a parameter, a cast, or an assignment.
func (r *reader) colon() {
	begin := r.at
	r.at++
	if r.at < len(r.text) && (r.text[r.at] == ':' || r.text[r.at] == '=') {
		r.at++
		return
	}
	if r.at == len(r.text) || !letter(r.text[r.at]) {
		return
	}
	r.at = r.span(r.at)
	r.out.Pieces = append(r.out.Pieces, r.text[r.from:begin])
	r.out.Params = append(r.out.Params, Param{Name: r.text[begin+1 : r.at], At: begin})
	r.from = r.at
}

// finish ends the statement at a semicolon, behind which there must be nothing.
func (r *reader) finish() {
	end := r.at
	r.at++
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case strings.ContainsRune(" \t\r\n;", rune(c)):
			r.at++
		case r.comment():
		default:
			r.fail(r.at, len(r.text)-r.at, "make another step of it", "there is more than one statement")
			r.at = len(r.text)
		}
	}
	r.end = end
}

// quoted reads a text or a name in quotes.
func (r *reader) quoted() bool {
	switch c := r.text[r.at]; c {
	case '\'':
		r.until(r.at, c, r.kind == MariaDB)
	case '"':
		r.until(r.at, c, r.kind == MariaDB)
	case '`':
		if r.kind == Postgres {
			return false
		}
		r.until(r.at, c, false)
	case '[':
		if r.kind != SQLite {
			return false
		}
		r.until(r.at, ']', false)
	case '$':
		return r.kind == Postgres && r.dollar()
	default:
		return false
	}
	return true
}

// until reads to a quote that is not doubled.
func (r *reader) until(begin int, quote byte, escapes bool) {
	for r.at = begin + 1; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case escapes && c == '\\':
			r.at++
		case c != quote:
		case quote != ']' && r.at+1 < len(r.text) && r.text[r.at+1] == quote:
			r.at++
		default:
			r.at++
			return
		}
	}
	r.at = len(r.text)
	r.fail(begin, 1, "", "the quote that begins here does not end")
}

// dollar reads $tag$ text $tag$.
func (r *reader) dollar() bool {
	rest := r.text[r.at+1:]
	n := strings.IndexByte(rest, '$')
	if n < 0 || n > 0 && !letter(rest[0]) || strings.ContainsFunc(rest[:n], func(c rune) bool { return c < 0x80 && !letter(byte(c)) && (c < '0' || c > '9') }) {
		return false
	}
	tag := r.text[r.at : r.at+n+2]
	end := strings.Index(r.text[r.at+len(tag):], tag)
	if end < 0 {
		r.fail(r.at, len(tag), "", "the quote that begins here does not end")
		r.at = len(r.text)
		return true
	}
	r.at += len(tag) + end + len(tag)
	return true
}

// comment reads a comment.
func (r *reader) comment() bool {
	rest := r.text[r.at:]
	switch {
	case strings.HasPrefix(rest, "--"), r.kind == MariaDB && rest[0] == '#':
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		r.at += n
	case strings.HasPrefix(rest, "/*"):
		n := commentEnd(rest, r.kind == Postgres)
		if n < 0 {
			r.fail(r.at, 2, "", "the comment that begins here does not end")
			n = len(rest)
		}
		r.at += n
	default:
		return false
	}
	return true
}

// commentEnd is where a comment ends that may hold others.
func commentEnd(text string, nested bool) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch {
		case text[i:i+2] == "/*" && (nested || depth == 0):
			depth++
			i++
		case text[i:i+2] == "*/":
			if depth--; depth == 0 {
				return i + 2
			}
			i++
		}
	}
	return -1
}

// judge finds what the statement does, and whether it may.
func (r *reader) judge() {
	if len(r.words) == 0 {
		r.fail(0, len(r.text), "as in CALL leave(:key)", "this is no statement")
		return
	}
	first := r.words[0]
	r.out.Verb = strings.ToUpper(first.text)
	switch {
	case !slices.Contains(verbs, r.out.Verb):
		r.fail(first.at, len(first.text), "one of "+strings.Join(verbs, ", "), "no step can begin with %s", r.out.Verb)
	case r.out.Verb == "SET" && !r.sets():
		r.fail(first.at, len(first.text), "SET can give a value to a variable of the session's (@name), or, in PostgreSQL, be SET LOCAL", "this would outlast the transaction")
	case r.out.Verb == "CALL" && len(r.words) > 1:
		r.out.Target = r.target(r.words[1].at)
	}
	for _, w := range r.words {
		r.out.Returning = r.out.Returning || strings.EqualFold(w.text, "RETURNING")
	}
}

// sets reports whether a SET lasts no longer than the transaction, or is the
// statement's own business.
func (r *reader) sets() bool {
	rest := strings.TrimLeft(r.text[r.words[0].at+len("SET"):], " \t\r\n")
	if r.kind == Postgres {
		return len(r.words) > 1 && strings.EqualFold(r.words[1].text, "LOCAL")
	}
	return r.kind == MariaDB && strings.HasPrefix(rest, "@") && !strings.HasPrefix(rest, "@@")
}

// target is the name of what is called, with its schema.
func (r *reader) target(at int) string {
	name, _, _ := strings.Cut(r.text[at:], "(")
	return strings.TrimSpace(name)
}
