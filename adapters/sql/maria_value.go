package sql

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern/postern/adapters"
)

// myColumn is what only MariaDB and MySQL know of a column.
type myColumn struct {
	typ       string   // as in DATA_TYPE
	charset   string   // of text, "" of other types
	collation string   // of text
	longest   int      // characters, or octets of the TEXT types
	octets    bool     // longest is of octets
	words     []string // of ENUM and SET
	precision int      // of DECIMAL and BIT; digits of a second
	scale     int      // of DECIMAL
	bits      int      // of integers
	unsigned  bool
	counts    bool // AUTO_INCREMENT
	cased     bool // leads an index, but letters that differ by case only are not always equal in it
	kelvin    bool // the collation takes the Kelvin sign for a k and the long s for an s
}

// wide reports whether a column holds integers beyond those of 64 bits with sign.
func (c *column) wide() bool { return c.my.unsigned && c.my.bits == 64 }

const (
	mariaInstant = "2006-01-02 15:04:05.999999"
	mariaDay     = "2006-01-02"
)

// read turns text into what the column holds.
func (maria) read(c *column, v any) any {
	switch x := v.(type) {
	case uint64:
		if x > math.MaxInt64 {
			return strconv.FormatUint(x, 10)
		}
		return int64(x)
	case []byte:
		switch c.kind {
		case bytesKind:
			if len(x) == 0 {
				return nil
			}
			return x
		case integerKind:
			if n, ok := integer(string(x)); ok {
				return n
			}
		case timeKind:
			if t, err := time.Parse(mariaInstant, string(x)); err == nil {
				return t.UTC()
			}
			return nil
		}
		return string(x)
	}
	return v
}

// write checks what the database would cut off, round, or take for something else.
func (d maria) write(c *column, v any) (any, error) {
	if adapters.NoValue(v) {
		switch {
		case !c.notNull:
			return nil, nil
		case c.emptyText && c.kind == textKind:
			return "", nil
		}
		return nil, errors.New("the column must have a value")
	}
	text := adapters.Text(v)
	switch c.kind {
	case bytesKind:
		return []byte(text), nil
	case integerKind:
		return mariaWhole(c, v, text)
	case timeKind:
		return mariaTime(c, v, text)
	}
	switch v.(type) {
	case string, int64, float64, bool, time.Time, []byte:
	default:
		return nil, errors.New("a column holds no value of this type")
	}
	if !utf8.ValidString(text) {
		return nil, errors.New("the database keeps no text with broken UTF-8")
	}
	switch c.my.typ {
	case "date":
		return mariaDate(v, text)
	case "decimal":
		return mariaDecimal(c, v, text)
	case "float", "double":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return nil, errors.New("the column holds numbers")
		}
	case "time":
		if !mariaClock.MatchString(text) {
			return nil, errors.New("the column holds times, as in 10:00:00")
		}
	case "enum", "set":
		return text, mariaWord(c, text)
	}
	return text, mariaLength(c, text)
}

var mariaClock = regexp.MustCompile(`^-?[0-9]{1,3}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$`)

// mariaLength refuses what is too long: of spaces at the end the database would
// drop those that do not fit.
func mariaLength(c *column, text string) error {
	if c.my.longest == 0 {
		return nil
	}
	n := utf8.RuneCountInString(text)
	if c.my.octets {
		switch {
		case strings.HasPrefix(c.my.charset, "utf8"):
			n = len(text)
		case strings.HasPrefix(c.my.charset, "u"): // utf16, utf32, ucs2
			n *= 4
		}
	}
	if n > c.my.longest && (!c.my.octets || strings.HasSuffix(text, " ")) {
		return fmt.Errorf("the column holds no more than %d characters", c.my.longest)
	}
	return nil
}

// mariaWord refuses what is not in the list: a number would count its words.
func mariaWord(c *column, text string) error {
	parts := []string{text}
	if c.my.typ == "set" {
		parts = strings.Split(text, ",")
	}
	for _, part := range parts {
		if !slices.ContainsFunc(c.my.words, func(w string) bool { return strings.EqualFold(w, part) }) {
			return errors.New("the column holds one of a list of words, and this is none of them")
		}
	}
	return nil
}

func mariaWhole(c *column, v any, text string) (any, error) {
	switch x := v.(type) {
	case bool:
		text = strconv.Itoa(boolean(x))
	case time.Time:
		text = strconv.FormatInt(x.Unix(), 10)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			text = strconv.FormatInt(int64(x), 10)
		}
	}
	text = strings.TrimSpace(text)
	wrong := errors.New("the column holds integers, and none so large or so small")
	if c.my.typ == "year" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n != 0 && (n < 1901 || n > 2155) {
			return nil, errors.New("the column holds years, from 1901 to 2155")
		}
		return n, nil
	}
	if c.my.unsigned {
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, c.my.bits)
		if err != nil {
			return nil, wrong
		}
		return n, nil
	}
	n, err := strconv.ParseInt(text, 10, c.my.bits)
	if err != nil {
		return nil, wrong
	}
	return n, nil
}

func boolean(is bool) int {
	if is {
		return 1
	}
	return 0
}

// mariaForms are those in which instants are written.
var mariaForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", mariaDay}

// mariaTime writes an instant in UTC, with as much of a second as the column holds.
func mariaTime(c *column, v any, text string) (any, error) {
	t, ok := v.(time.Time)
	for _, form := range mariaForms {
		if ok {
			break
		}
		var err error
		t, err = time.Parse(form, text)
		ok = err == nil
	}
	if !ok || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return nil, errors.New("the column holds dates with a time, as in 2006-01-02T15:04:05Z")
	}
	unit := time.Second
	for range c.my.precision {
		unit /= 10
	}
	return t.UTC().Truncate(unit).Format(mariaInstant), nil
}

func mariaDate(v any, text string) (any, error) {
	if t, ok := v.(time.Time); ok {
		if t = t.UTC(); !t.Equal(t.Truncate(24 * time.Hour)) {
			return nil, errors.New("the column holds dates without a time")
		}
		text = t.Format(mariaDay)
	}
	if _, err := time.Parse(mariaDay, text); err != nil {
		return nil, errors.New("the column holds dates, as in 2006-01-02")
	}
	return text, nil
}

var mariaNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// mariaDecimal refuses more digits after the point than are kept.
func mariaDecimal(c *column, v any, text string) (any, error) {
	switch x := v.(type) {
	case float64:
		text = strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		text = strconv.Itoa(boolean(x))
	}
	if !mariaNumber.MatchString(text) {
		return nil, errors.New("the column holds decimal numbers")
	}
	if _, fraction, _ := strings.Cut(text, "."); len(strings.TrimRight(fraction, "0")) > c.my.scale {
		return nil, fmt.Errorf("the column keeps %d digits after the point", c.my.scale)
	}
	return text, nil
}

// number is an integer column as the driver reads integers.
func (maria) number(c *column) string {
	switch c.my.typ {
	case "bit":
		return "(" + c.ref + " + 0)"
	case "decimal":
		return "CAST(" + c.ref + " AS SIGNED)"
	}
	return c.ref
}

// compared is a column as it is compared with numbers: of years the database
// takes 1 for 2001.
func (maria) compared(c *column) string {
	if c.my.typ == "year" {
		return "(" + c.ref + " + 0)"
	}
	return c.ref
}

// utf8 is the text of a column, in UTF-8: null or empty where there is no value.
func (d maria) utf8(c *column) string {
	switch {
	case c.my.charset == "utf8mb4" && c.kind == textKind && c.my.words == nil:
		return c.ref
	case c.kind == textKind:
		return "CONVERT(" + c.ref + " USING utf8mb4)"
	case c.kind == integerKind:
		return "CAST((" + d.number(c) + " + 0) AS CHAR)"
	case c.kind == timeKind:
		return "CASE WHEN " + d.during(c) + " THEN CONCAT(TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM DATE_FORMAT(" + c.ref +
			", '%Y-%m-%dT%H:%i:%s.%f'))), 'Z') END"
	case c.my.typ == "date":
		return "NULLIF(CAST(" + c.ref + " AS CHAR), '0000-00-00')"
	}
	return "CAST(" + c.ref + " AS CHAR)"
}

// text is adapters.Text of a column, as bytes: they are compared one by one, and
// no spaces are padded.
func (d maria) text(c *column) string { return "CAST(" + d.utf8(c) + " AS BINARY)" }

func (d maria) selected(c *column) string {
	switch c.kind {
	case textKind, bytesKind:
		return c.ref
	case integerKind:
		return d.number(c)
	case timeKind:
		return "CASE WHEN " + d.during(c) + " THEN DATE_FORMAT(" + c.ref + ", '%Y-%m-%d %H:%i:%s.%f') END"
	}
	return d.utf8(c)
}

// during keeps out zero dates and what is no day, which are no value.
func (maria) during(c *column) string {
	return "(" + c.ref + " >= '0001-01-01' AND MONTH(" + c.ref + ") > 0 AND DAYOFMONTH(" + c.ref + ") > 0 AND (DAYOFMONTH(" + c.ref +
		") < 29 OR DAYOFMONTH(" + c.ref + ") <= DAYOFMONTH(LAST_DAY(DATE_FORMAT(" + c.ref + ", '%Y-%m-01')))))"
}

// into is a text in UTF-8 as one that an index of a column can be asked for: null
// if it has letters that the column cannot hold.
func (d maria) into(c *column, text string) string {
	switch {
	case c.kind != textKind || c.my.collation == "":
		return text
	case c.my.charset == "utf8mb4":
		return "CONVERT(" + text + " USING utf8mb4) COLLATE " + c.my.collation
	}
	there := "CONVERT(" + text + " USING " + c.my.charset + ")"
	return "CASE WHEN CAST(CONVERT(" + there + " USING utf8mb4) AS BINARY) = CAST(" + text + " AS BINARY) THEN " + there + " END COLLATE " + c.my.collation
}

func (maria) element(c *column, text string) (any, bool) {
	switch {
	case text == "" || odd(text) || len(text) > maxElement:
		return nil, false
	case c.kind == integerKind:
		n, ok := integer(text)
		return n, ok
	}
	return text, c.kind != bytesKind
}

func (maria) fits(c *column, v any) bool {
	switch v := v.(type) {
	case int64:
		return c.kind == integerKind
	case string:
		return utf8.ValidString(v) && (c.kind != integerKind || c.wide())
	case []byte:
		return c.kind == bytesKind
	}
	return false
}

// stored gives the text of a key to a column of another type: the key of one
// table is a column in another.
func (maria) stored(b *builder, c *column, v any) {
	if raw, ok := v.([]byte); ok && c.kind == bytesKind {
		b.add("CAST(").bind(raw).add(" AS BINARY)")
		return
	}
	text := adapters.Text(v)
	if c.kind != integerKind {
		if t, ok := v.(time.Time); ok {
			text = t.UTC().Format(mariaInstant)
		}
		b.bind(text)
		return
	}
	if n, ok := mariaInteger(c, text); ok {
		b.bind(n)
		return
	}
	b.add("NULL") // no row holds it
}

// mariaInteger reads a text that is exactly what an integer column shows.
func mariaInteger(c *column, text string) (any, bool) {
	if n, ok := integer(text); ok {
		return n, true
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil && c.wide() && strconv.FormatUint(n, 10) == text
}
