package sql

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// pgColumn is what only PostgreSQL knows of a column.
type pgColumn struct {
	typ     string // what a parameter is cast to that is compared with the column
	plain   bool   // text that "=" compares byte for byte
	padded  bool   // CHAR(n)
	citext  bool
	strange bool // of a collation by which texts are equal that differ
	uuid    bool
	decimal bool // NUMERIC without a fraction, that is read as an integer
	instant bool // WITH TIME ZONE
	bits    int  // of integers
	lower   bool // leads an index on lower(column)
	upper   bool // leads an index on upper(column)
	direct  bool // leads an index on the column itself
	begins  bool // leads an index that can be asked for beginnings, by ~>=~
}

// Instants that a record can hold; what is outside, infinity included, is none.
const (
	firstInstant = "'0001-01-01 00:00:00+00'"
	lastInstant  = "'9999-12-31 23:59:59.999999+00'"
)

// text is adapters.Text of a column: null or empty where there is no value.
func (d postgres) text(c *column) string {
	switch {
	case c.pg.plain:
		return c.ref
	case c.pg.strange:
		return `(` + c.ref + ` COLLATE "C")`
	case c.kind == timeKind:
		return "(rtrim(rtrim(to_char(" + d.selected(c) + d.utc(c) + `, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z')`
	}
	if c.pg.decimal {
		return "nullif(" + c.ref + ", 'NaN')::text"
	}
	return c.ref + "::text"
}

func (postgres) utc(c *column) string {
	if c.pg.instant {
		return " AT TIME ZONE 'UTC'"
	}
	return ""
}

func (d postgres) selected(c *column) string {
	switch {
	case c.kind == integerKind && c.pg.decimal:
		return "nullif(" + c.ref + ", 'NaN')::int8"
	case c.kind == integerKind, c.kind == boolKind, c.kind == bytesKind, c.pg.plain:
		return c.ref
	case c.kind == timeKind:
		return "(CASE WHEN " + d.during(c) + " THEN " + c.ref + " END)"
	}
	return d.text(c)
}

func (postgres) during(c *column) string {
	return c.ref + " BETWEEN " + firstInstant + " AND " + lastInstant
}

func (postgres) read(c *column, v any) any {
	if t, ok := v.(time.Time); ok {
		return t.UTC()
	}
	if b, ok := v.([]byte); ok && len(b) == 0 {
		return nil
	}
	return v
}

// write gives text where the type is not one of the driver's own: the database
// reads it as it reads what people write.
func (postgres) write(c *column, v any) (any, error) {
	if adapters.NoValue(v) {
		if c.notNull && c.emptyText {
			return "", nil
		}
		return nil, nil
	}
	text := adapters.Text(v)
	switch c.kind {
	case bytesKind:
		return []byte(text), nil
	case integerKind:
		return postgresInteger(c, v, text)
	case boolKind:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, errors.New("the column holds true and false")
		}
		return b, nil
	case timeKind:
		if t, ok := v.(time.Time); ok {
			return t.UTC(), nil
		}
	}
	switch v.(type) {
	case string, int64, float64, bool, time.Time, []byte:
	default:
		return nil, errors.New("a column holds no value of this type")
	}
	if !storable(text) {
		return nil, errors.New("the database keeps no text with a NUL or with broken UTF-8")
	}
	return text, nil
}

func postgresInteger(c *column, v any, text string) (any, error) {
	switch x := v.(type) {
	case bool:
		text = "0"
		if x {
			text = "1"
		}
	case time.Time:
		text = strconv.FormatInt(x.Unix(), 10)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			text = strconv.FormatInt(int64(x), 10)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, c.pg.bits)
	if err != nil {
		return nil, errors.New("the column holds integers, and none so large")
	}
	if c.pg.decimal {
		return strconv.FormatInt(n, 10), nil
	}
	return n, nil
}

// storable reports whether PostgreSQL can hold a text.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func (postgres) element(c *column, text string) (any, bool) {
	switch {
	case text == "" || odd(text):
		return nil, false
	case c.kind == integerKind:
		n, ok := integer(text)
		return n, ok
	case c.pg.uuid:
		return text, uuidForm.MatchString(text)
	}
	return text, c.kind == textKind
}

func (d postgres) fits(c *column, v any) bool {
	switch v := v.(type) {
	case int64:
		return c.kind == integerKind
	case string:
		return c.kind != integerKind && storable(v) && (!c.pg.uuid || uuidForm.MatchString(v)) &&
			(c.kind != timeKind || !postgresInstant(v).IsZero())
	case []byte:
		return c.kind == bytesKind
	}
	return false
}

// stored gives the text of a key to a column of another type: the key of one
// table is a column in another.
func (d postgres) stored(b *builder, c *column, v any) {
	if raw, ok := v.([]byte); ok && c.kind == bytesKind {
		b.bind(raw).add("::bytea")
		return
	}
	if c.kind != integerKind {
		b.bind(adapters.Text(v)).add("::", c.pg.typ)
		return
	}
	n, whole := v.(int64)
	if text, ok := v.(string); ok {
		n, whole = integer(text)
	}
	if !whole {
		b.add("NULL::int8") // no row holds it
		return
	}
	b.bind(n).add("::int8")
}

// postgresInstant reads an instant as adapters.Text writes it; zero if it is none.
func postgresInstant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || adapters.Text(t) != s || t.Nanosecond()%1000 != 0 || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
