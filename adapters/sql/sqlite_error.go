package sql

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/mattn/go-sqlite3"
	"github.com/postern/postern/adapters"
)

// classify reads SQLite's codes and, for constraints, its words, which have been
// the same since version 3.8.
func (sqlite) classify(err error) failure {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return otherFailure(err)
	}
	switch e.Code {
	case sqlite3.ErrConstraint:
		return sqliteConstraint(e)
	case sqlite3.ErrMismatch:
		return failure{kind: adapters.Invalid}
	case sqlite3.ErrTooBig:
		return failure{kind: adapters.Invalid}
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return failure{kind: adapters.Unavailable, busy: true}
	case sqlite3.ErrReadonly:
		if e.ExtendedCode == sqlite3.ErrReadonlyDbMoved {
			return failure{kind: adapters.Unavailable}
		}
		return failure{kind: adapters.Denied}
	case sqlite3.ErrPerm, sqlite3.ErrAuth:
		return failure{kind: adapters.Denied}
	case sqlite3.ErrSchema:
		return failure{kind: adapters.Unavailable, stale: true}
	case sqlite3.ErrError:
		text := e.Error()
		if strings.HasPrefix(text, "no such ") || strings.Contains(text, " has no column named ") {
			return failure{kind: adapters.Unavailable, stale: true}
		}
		return failure{kind: adapters.Internal}
	case sqlite3.ErrCantOpen, sqlite3.ErrNotADB, sqlite3.ErrCorrupt, sqlite3.ErrIoErr, sqlite3.ErrFull,
		sqlite3.ErrProtocol, sqlite3.ErrInterrupt, sqlite3.ErrNomem, sqlite3.ErrAbort:
		return failure{kind: adapters.Unavailable}
	}
	return failure{kind: adapters.Internal}
}

func otherFailure(err error) failure {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failure{kind: adapters.Unavailable}
	case errors.Is(err, fs.ErrPermission):
		return failure{kind: adapters.Denied}
	case errors.As(err, new(*fs.PathError)), errors.Is(err, errNoTable), errors.Is(err, errStale):
		return failure{kind: adapters.Unavailable}
	}
	return failure{kind: adapters.Internal}
}

func sqliteConstraint(e sqlite3.Error) failure {
	before, named, _ := strings.Cut(e.Error(), ": ")
	f := failure{kind: adapters.Invalid}
	switch e.ExtendedCode {
	case sqlite3.ErrConstraintUnique, sqlite3.ErrConstraintPrimaryKey, sqlite3.ErrConstraintRowID:
		f.kind = adapters.Exists
		if index, ok := strings.CutPrefix(named, "index '"); ok {
			f.index = strings.TrimSuffix(index, "'")
		} else {
			f.table, f.columns = constrained(named)
		}
	case sqlite3.ErrConstraintNotNull:
		f.table, f.columns = constrained(named)
	case sqlite3.ErrConstraintCheck:
		f.columns = words(named)
	case sqlite3.ErrConstraintForeignKey:
		f.foreign = true
	case sqlite3.ErrConstraintTrigger: // so SQLite carries out RESTRICT, too
		f.foreign = e.Error() == "FOREIGN KEY constraint failed"
	default: // of a STRICT table: cannot store TEXT value in INTEGER column t.c
		if i := strings.LastIndex(before, " column "); i >= 0 {
			f.table, f.columns = constrained(before[i+len(" column "):])
		}
	}
	return f
}

// constrained reads "table.column, table.column".
func constrained(named string) (table string, columns []string) {
	for _, part := range strings.Split(named, ", ") {
		t, column, ok := strings.Cut(part, ".")
		if !ok {
			return "", nil
		}
		table = t
		columns = append(columns, column)
	}
	return table, columns
}

var word = regexp.MustCompile(`[\pL_][\pL\pN_$]*`)

// words lists what may be names of columns in the text of a CHECK.
func words(text string) []string {
	found := word.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}
