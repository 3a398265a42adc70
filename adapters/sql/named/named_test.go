package named

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func numbered(n int) string { return "$" + strconv.Itoa(n) }

// TestParse: what is a parameter and what is not, on each kind of database.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		text string
		want string // the statement with numbers, or the mistakes
	}{
		{Postgres, "CALL hire(:login, :mail)", "CALL hire($1, $2)"},
		{Postgres, "SELECT hire(:login::text, :login)", "SELECT hire($1::text, $2)"},
		{Postgres, `UPDATE t SET a = ':no', b = $x$ :no ' $x$, ":no" = :yes -- :no`, `UPDATE t SET a = ':no', b = $x$ :no ' $x$, ":no" = $1 -- :no`},
		{Postgres, `SELECT E'it\'s :no', 'c:\', :yes /* :no /* :no */ ; */`, `SELECT E'it\'s :no', 'c:\', $1 /* :no /* :no */ ; */`},
		{Postgres, "SELECT a$b$c, :x$y", "SELECT a$b$c, $1"},
		{Postgres, "SELECT $$a$$ || :é;  -- the end\n", "SELECT $$a$$ || $1"},
		{MariaDB, `SET @x := :v`, `SET @x := $1`},
		{MariaDB, `CALL p('it\'s :no', "\":no", ` + "`:no`" + `, :yes, @id) # :no`, `CALL p('it\'s :no', "\":no", ` + "`:no`" + `, $1, @id) # :no`},
		{SQLite, `INSERT INTO t VALUES ('\', [a:no], ":no", :yes)`, `INSERT INTO t VALUES ('\', [a:no], ":no", $1)`},
		{SQLite, "DELETE FROM t WHERE a = 1e5 AND b = 'it''s' AND c = :k ;\n", "DELETE FROM t WHERE a = 1e5 AND b = 'it''s' AND c = $1"},
		{SQLite, "INSERT INTO t VALUES (?, @a, $b)", "22+1 25+1 29+1"},
		{Postgres, "SELECT $1, a ? 'b'", "7+1 13+1"},
		{Postgres, "SELECT 'open", "7+1"},
		{Postgres, "SELECT $t$ open", "7+3"},
		{MariaDB, "SELECT 1 /* open", "9+2"},
		{Postgres, "DELETE FROM a; DELETE FROM b", "15+13"},
		{Postgres, "COMMIT", "0+6"},
		{MariaDB, "SET autocommit = 1", "0+3"},
		{MariaDB, "SET @@autocommit = 1", "0+3"},
		{Postgres, "SET LOCAL app.client = 'x'", "SET LOCAL app.client = 'x'"},
		{SQLite, "-- nothing", "0+10"},
		{SQLite, "", "0+0"},
		{Unknown, "SELECT $$ :no $$, :yes", "SELECT $$ :no $$, $1"},
		{Unknown, `SET @x = 'it\'s :no', @y = :yes`, `SET @x = 'it\'s :no', @y = $1`},
		{Unknown, "SELECT ?", "7+1"},
	} {
		s, wrong := Parse(c.text, c.kind)
		got := s.Text(numbered)
		if len(wrong) > 0 {
			var places []string
			for _, w := range wrong {
				places = append(places, fmt.Sprintf("%d+%d", w.At, w.Length))
			}
			got = strings.Join(places, " ")
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s (%v)", c.text, got, c.want, wrong)
		}
	}
}

// TestWhatItDoes: the verb, what is called, whether it answers.
func TestWhatItDoes(t *testing.T) {
	for text, want := range map[string]string{
		"call hr.leave (:key)":                            "CALL hr.leave answers",
		"/* x */ insert into t values (1) returning id":   "INSERT  changes answers",
		"UPDATE t SET a = 'RETURNING'":                    "UPDATE  changes",
		"WITH x AS (SELECT 1) UPDATE t SET a = (TABLE x)": "WITH  answers",
		"(SELECT 1)":                 "SELECT  answers",
		"SET LOCAL lock_timeout = 1": "SET ",
	} {
		s, _ := Parse(text, Postgres)
		got := s.Verb + " " + s.Target
		if s.Changes() {
			got += " changes"
		}
		if s.Answers() {
			got += " answers"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestArguments: how many values a procedure is given.
func TestArguments(t *testing.T) {
	for text, want := range map[string]int{
		"CALL p": 0, "CALL p()": 0, "CALL p( )": 0, "CALL p(:a)": 1, "CALL p(:a, f(:b, 'x,)'), @c)": 3, "CALL p((SELECT 1, 2), 3); ": 2, "CALL p(1) -- (2, 3)": 1,
	} {
		if s, _ := Parse(text, MariaDB); s.Arguments != want {
			t.Errorf("%s: %d, want %d", text, s.Arguments, want)
		}
	}
}

// FuzzParse: nothing of a statement is lost, and places lead back.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"CALL a(:b)", "SELECT $x$ :a $x$, :b::int", `SET @x := 'it\'s'`, "a;b", "[", "/*/**/", ":", "::", ":a:b", "$1$", "E'\\", "é:é"} {
		for kind := SQLite; kind <= Unknown; kind++ {
			f.Add(text, uint8(kind))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		s, wrong := Parse(text, Kind(kind%4))
		if len(s.Pieces) != len(s.Params)+1 {
			t.Fatalf("%d pieces, %d parameters", len(s.Pieces), len(s.Params))
		}
		back := s.Text(func(n int) string { return ":" + s.Params[n-1].Name })
		if !strings.HasPrefix(text, back) {
			t.Errorf("%q became %q", text, back)
		}
		for _, w := range wrong {
			if w.At < 0 || w.At+w.Length > len(text) {
				t.Errorf("%q: a mistake at %d+%d", text, w.At, w.Length)
			}
		}
		for i, p := range s.Params {
			sent := 0
			for n := range i + 1 {
				sent += len(s.Pieces[n])
				if n < i {
					sent += len(numbered(n + 1))
				}
			}
			if got := s.Origin(numbered, sent+1); p.At != got && len(numbered(i+1)) > 1 {
				t.Errorf("%q: the parameter at %d is found at %d", text, p.At, got)
			}
		}
	})
}
