package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/stdlib"
)

// What tests know of the databases behind the program.

// statements are what backends were sent.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) note(statement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, statement)
}

// during lists what is sent while f runs.
func (s *statements) during(f func()) []string {
	s.mu.Lock()
	s.sent = nil
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// open opens one of the program's databases beside it.
func (r *rig) open(name string) *sql.DB {
	r.t.Helper()
	if name == "legacy.db" && r.legacy != nil {
		return r.legacy
	}
	db, err := sql.Open("sqlite3", "file:"+r.path("state/"+name)+"?mode=rw&_busy_timeout=5000&_foreign_keys=1")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = db.Close() })
	return db
}

// sql changes the legacy database as its own application would.
func (r *rig) sql(statement string, args ...any) {
	r.t.Helper()
	db := r.open("legacy.db")
	if _, err := db.Exec(r.placed(statement), args...); err != nil {
		r.t.Fatalf("%s: %v", clip(statement), err)
	}
}

// value reads one value from the legacy database, as text; "NULL" for none.
func (r *rig) value(query string, args ...any) string {
	r.t.Helper()
	db := r.open("legacy.db")
	return r.valueIn(db, r.placed(query), args...)
}

// lines are all rows of a query to the legacy database, as text.
func (r *rig) lines(query string, args ...any) string {
	r.t.Helper()
	return strings.Join(r.rows(r.open("legacy.db"), r.placed(query), args...), "")
}

// placed writes a statement to the legacy database with parameters as its driver
// wants them.
func (r *rig) placed(statement string) string {
	if r.legacy == nil {
		return statement
	}
	if _, ok := r.legacy.Driver().(*stdlib.Driver); !ok {
		return statement
	}
	for n := 1; strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", fmt.Sprint("$", n), 1)
	}
	return statement
}

func (r *rig) valueIn(db *sql.DB, query string, args ...any) string {
	r.t.Helper()
	var v sql.NullString
	if err := db.QueryRow(query, args...).Scan(&v); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	if !v.Valid {
		return "NULL"
	}
	return v.String
}

// holds checks one value of the legacy database.
func (r *rig) holds(want, query string, args ...any) {
	r.t.Helper()
	if got := r.value(query, args...); got != want {
		r.t.Errorf("%s is %q, want %q", query, got, want)
	}
}

// dump is the content of every table of a database.
func (r *rig) dump(name string) string {
	r.t.Helper()
	db := r.open(filepath.Base(name))
	defer db.Close()
	var out strings.Builder
	for _, table := range r.column(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
		fmt.Fprintf(&out, "== %s\n", table)
		lines := r.rows(db, `SELECT * FROM "`+table+`"`)
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, ""))
	}
	return out.String()
}

// rows lists all rows, each as a line.
func (r *rig) rows(db *sql.DB, query string, args ...any) []string {
	r.t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	held, into := make([]any, len(names)), make([]any, len(names))
	for i := range held {
		into[i] = &held[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, fmt.Sprintln(held...))
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// column lists the only column of all rows.
func (r *rig) column(db *sql.DB, query string, args ...any) []string {
	r.t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// id is the id of the user with that name, as the current client sees it.
func (r *rig) id(userName string) string {
	r.t.Helper()
	a := r.do("GET", `/Users?attributes=userName&filter=userName eq "`+userName+`"`, "").want(200)
	id, _ := a.at("Resources.0.id").(string)
	if id == "" {
		r.t.Fatalf("no user %s: %s", userName, a.body)
	}
	return id
}

// groupID is the id of the group with that name.
func (r *rig) groupID(displayName string) string {
	r.t.Helper()
	a := r.do("GET", `/Groups?attributes=displayName&filter=displayName eq "`+displayName+`"`, "").want(200)
	id, _ := a.at("Resources.0.id").(string)
	if id == "" {
		r.t.Fatalf("no group %s: %s", displayName, a.body)
	}
	return id
}
