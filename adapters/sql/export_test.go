package sql

import (
	"context"
	"strings"
)

// Explain answers SQLite's plan of a statement whose parameters are null.
func (db *Database) Explain(ctx context.Context, statement string) (string, error) {
	rows, err := db.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var a, b, c any
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			return "", err
		}
		out.WriteString(detail + "\n")
	}
	return out.String(), rows.Err()
}

// Exec changes a database as its own application would.
func (db *Database) Exec(statement string) error {
	_, err := db.write.Exec(statement)
	return err
}

// AsMySQL makes a database that is MariaDB be treated as MySQL.
func (db *Database) AsMySQL() {
	d := db.dialect.(maria)
	d.mysql = true
	db.dialect = d
}
