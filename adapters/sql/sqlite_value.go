package sql

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
)

// timeForms are the forms in which SQLite, its drivers and the libraries above
// them write instants. Without a zone they are UTC.
var timeForms = [...]string{
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999",
}

// timeForm is the form in which SQLite itself writes.
const timeForm = "2006-01-02 15:04:05.999999999"

// read answers what is stored: text, integers and floating point as they are,
// never a boolean, which SQLite does not have. Columns declared DATETIME or
// TIMESTAMP give instants where they hold one. A BLOB is a value only in columns
// that are declared BLOB or without a type.
func (sqlite) read(c *column, v any) any { return sqliteRead(c.kind, v) }

func sqliteRead(k kind, v any) any {
	if b, ok := v.([]byte); ok {
		if k != anyKind || len(b) == 0 {
			return nil
		}
		return v
	}
	if k != timeKind {
		return v
	}
	switch v := v.(type) {
	case string:
		if t, ok := parseTime(v); ok {
			return t
		}
	case int64:
		return time.Unix(v, 0).UTC()
	}
	return v
}

func parseTime(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02 15:04:05") {
		return time.Time{}, false
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// write refuses text where a number is declared: SQLite would store it.
func (sqlite) write(c *column, v any) (any, error) {
	if adapters.NoValue(v) {
		if c.notNull && c.emptyText {
			return "", nil
		}
		return nil, nil
	}
	switch v := v.(type) {
	case string:
		return v, numeric(c, v)
	case bool:
		if c.kind == textKind {
			return strconv.FormatBool(v), nil
		}
		return v, nil
	case time.Time:
		switch c.kind {
		case integerKind, realKind:
			return v.Unix(), nil
		case timeKind:
			return v.UTC().Format(timeForm), nil
		}
		return adapters.Text(v), nil
	case int64, float64, []byte:
		return v, nil
	}
	return nil, errors.New("a column holds no value of this type")
}

func numeric(c *column, text string) error {
	if !c.number {
		return nil
	}
	if _, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
		return errors.New("the column holds numbers")
	}
	return nil
}
