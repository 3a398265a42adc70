package exampletest

import (
	"database/sql"
	"testing"
)

// Logins are what a query answers, a row for each member of a group, and one without a
// login where the group has none; there says whether there is such a group.
func Logins(t *testing.T, db *sql.DB, query string, args ...any) (logins []string, there bool) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var login sql.NullString
		if err := rows.Scan(&login); err != nil {
			t.Fatal(err)
		}
		if there = true; login.Valid {
			logins = append(logins, login.String)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return logins, there
}

// Text is a column as attributes hold it: nil where there is none.
func Text(v sql.NullString) any {
	if v.Valid {
		return v.String
	}
	return nil
}
