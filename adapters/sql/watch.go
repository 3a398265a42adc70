package sql

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/postern/postern/adapters"
)

// sends tells whoever watches about a statement. What it answers is to be called
// with what came of it.
func (s session) sends(ctx context.Context, statement string, args []any) (func(answer string, err error), error) {
	return s.tells(ctx, statement, args, func() bool { return onlyReads(statement) })
}

// tells is sends for a statement of which it is known what it does.
func (s session) tells(ctx context.Context, statement string, args []any, reads func() bool) (func(answer string, err error), error) {
	if s.db.trace != nil {
		s.db.trace(statement)
	}
	if s.db.watch == nil {
		return unwatched, nil
	}
	e := &adapters.Exchange{Request: statement, Parameters: args, Reads: reads()}
	if err := s.db.watch.Before(ctx, e); err != nil {
		return nil, err
	}
	return func(answer string, err error) {
		e.Answer, e.Err = answer, err
		s.db.watch.After(ctx, e)
	}, nil
}

func unwatched(string, error) {}

var (
	quotedName = regexp.MustCompile("'[^']*'|\"[^\"]*\"|`[^`]*`|\\[[^\\]]*\\]")
	changing   = regexp.MustCompile(`(?i)\b(?:INSERT|UPDATE|DELETE|MERGE|CALL|TRUNCATE|DROP|ALTER|CREATE|INTO)\b`)
)

// onlyReads reports whether a statement looks as if it asked and did no more. A
// function that it calls may do more all the same: what must change nothing is not
// committed either.
func onlyReads(statement string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(statement), " ")
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "VALUES":
		bare := quotedName.ReplaceAllString(statement, "")
		return !changing.MatchString(forUpdate.ReplaceAllString(bare, ""))
	case "PRAGMA":
		return !strings.Contains(statement, "=") || strings.Contains(statement, "defer_foreign_keys")
	case "SHOW", "SET", "EXPLAIN", "DESCRIBE", "SAVEPOINT", "RELEASE":
		return true
	case "ROLLBACK":
		return strings.Contains(strings.ToUpper(statement), " TO ")
	}
	return false
}

// forUpdate ends a SELECT that locks rows.
var forUpdate = regexp.MustCompile(`(?i)\s+FOR\s+(?:NO\s+KEY\s+)?UPDATE\b.*$`)

func changed(n int64) string {
	if n == 1 {
		return "1 row changed"
	}
	return fmt.Sprintf("%d rows changed", n)
}
