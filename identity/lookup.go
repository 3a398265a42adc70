package identity

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// Of a look-up in a file, package database/sql takes half the time: it locks, checks and
// converts, column by column. So the rows of look-ups are taken from the driver itself, on
// a connection that database/sql lends.

// conn is what a session's statements are sent on, for a look-up.
func (x *session) conn() (c *sql.Conn, done func(), err error) {
	if c, lent := x.on.(*sql.Conn); lent {
		return c, func() {}, nil
	}
	if c, err = x.pool.db.Conn(x.ctx); err != nil {
		return nil, nil, err
	}
	return c, func() { _ = c.Close() }, nil
}

// near is each for a look-up in a file. A row must not send statements itself.
func (x *session) near(q query, args []any, row func(scan func(...any) error) error) error {
	c, done, err := x.conn()
	if err != nil {
		return err
	}
	defer done()
	return c.Raw(func(dc any) error {
		lite, ok := dc.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("a connection of type %T", dc)
		}
		x.traced(q)
		l := lines.Get().(*line)
		defer l.free()
		for i, a := range args {
			l.args = append(l.args, driver.NamedValue{Ordinal: i + 1, Value: a})
		}
		rows, err := lite.QueryContext(brief{x.ctx}, x.pool.texts[q], l.args)
		if err != nil {
			return err
		}
		defer rows.Close()
		return eachOf(rows, l, row)
	})
}

// A line has room for a look-up's parameters, and the columns of a row.
type line struct {
	args   []driver.NamedValue
	values []driver.Value
}

var lines = sync.Pool{New: func() any { return new(line) }}

// free gives the room back, with nothing in it.
func (l *line) free() {
	clear(l.args)
	clear(l.values)
	l.args, l.values = l.args[:0], l.values[:0]
	lines.Put(l)
}

func eachOf(rows driver.Rows, l *line, row func(scan func(...any) error) error) error {
	l.values = slices.Grow(l.values, len(rows.Columns()))[:len(rows.Columns())]
	values := l.values
	scan := func(into ...any) error { return assignAll(into, values) }
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := row(scan); err != nil {
			return err
		}
	}
}

func assignAll(into []any, values []driver.Value) error {
	if len(into) != len(values) {
		return fmt.Errorf("%d values for %d columns", len(into), len(values))
	}
	for i, v := range values {
		if !assign(into[i], v) {
			return fmt.Errorf("column %d holds a %T for a %T", i, v, into[i])
		}
	}
	return nil
}

// assign stores what a column of the mapping table may hold where the look-ups want it,
// and refuses what does not fit.
func assign(into any, v driver.Value) bool {
	switch v := v.(type) {
	case string:
		switch to := into.(type) {
		case *string:
			*to = v
		case *Birth:
			*to = Birth(v)
		case *sql.NullString:
			*to = sql.NullString{String: v, Valid: true}
		default:
			return false
		}
	case int64:
		switch to := into.(type) {
		case *int64:
			*to = v
		case *int:
			*to = int(v)
		case *bool:
			*to = v == 1
			return v == 0 || v == 1
		default:
			return false
		}
	case nil:
		to, ok := into.(*sql.NullString)
		if ok {
			*to = sql.NullString{}
		}
		return ok
	default:
		return false
	}
	return true
}
