package rules

import (
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim"
)

// The words that a rule's format may be, besides a layout of package time.
const (
	formatUnix      = "unix"
	formatUnixMilli = "unixMilli"
	formatDate      = "date"
)

// The forms in which legacy systems write dates. Those without a zone are UTC.
var dateLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "20060102150405Z", "20060102"}

// The instants that a dateTime can be: the year has four digits (S-09), and the
// first instant of the first year, which many systems put for "never", is none.
var (
	firstInstant = time.Time{}.Add(1)
	lastInstant  = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
)

// toDateTime reads a date in UTC, as SCIM writes it; the zero Value for none.
func toDateTime(v any, format string) (scim.Value, error) {
	if adapters.NoValue(v) {
		return scim.Value{}, nil
	}
	t, err := parseTime(v, format)
	switch {
	case err != nil:
		return scim.Value{}, err
	case t.IsZero():
		return scim.Value{}, nil
	case t.Before(firstInstant) || t.After(lastInstant):
		return scim.Value{}, errNoDateTime
	}
	return scim.Str(t.UTC().Format(time.RFC3339Nano)), nil
}

func parseTime(v any, format string) (time.Time, error) {
	s := text(v)
	if format == formatUnix || format == formatUnixMilli {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || !isUnixTime(n, format) {
			return time.Time{}, errNoUnixTime
		}
		return unixTime(n, format), nil
	}
	if t, ok := v.(time.Time); ok {
		return t.UTC(), nil
	}
	if strings.HasPrefix(s, "0000-00-00") {
		return time.Time{}, nil // as MySQL writes "never"
	}
	if format != "" && format != formatDate {
		return parseLayout(s, format)
	}
	switch v := v.(type) {
	case int64:
		return numberTime(v)
	case int:
		return numberTime(int64(v))
	}
	s = strings.TrimSpace(s)
	if t, err := time.Parse(likelyLayout(s), s); err == nil {
		return t.UTC(), nil
	}
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errNoDateTime
}

// likelyLayout is the layout that a date has by its looks: a wrong guess, of which
// there may be many for one page, costs more than a right one.
func likelyLayout(s string) string {
	switch zoned := strings.HasSuffix(s, "Z") || len(s) > 19 && strings.ContainsAny(s[19:], "+-"); {
	case len(s) == 8:
		return "20060102"
	case len(s) <= 10:
		return "2006-01-02"
	case s[10] == 'T' && zoned:
		return time.RFC3339Nano
	case s[10] == 'T':
		return "2006-01-02T15:04:05.999999999"
	case zoned:
		return "2006-01-02 15:04:05.999999999Z07:00"
	case len(s) == 16:
		return "2006-01-02 15:04"
	}
	return "2006-01-02 15:04:05.999999999"
}

func parseLayout(s, layout string) (time.Time, error) {
	t, err := time.Parse(layout, strings.TrimSpace(s))
	if err != nil {
		return t, errNoDateTime
	}
	return t.UTC(), nil
}

// numberTime takes a number for seconds where no format says otherwise.
func numberTime(n int64) (time.Time, error) {
	if !isUnixTime(n, formatUnix) {
		return time.Time{}, errNoDateTime
	}
	return unixTime(n, formatUnix), nil
}

func unixTime(n int64, format string) time.Time {
	if format == formatUnixMilli {
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// unixRange is the first and the last number that is an instant.
func unixRange(format string) (first, last int64) {
	if format == formatUnixMilli {
		return time.Time{}.UnixMilli() + 1, lastInstant.UnixMilli()
	}
	return time.Time{}.Unix() + 1, lastInstant.Unix()
}

func isUnixTime(n int64, format string) bool {
	first, last := unixRange(format)
	return first <= n && n <= last
}

// fromDateTime writes a dateTime as the backend holds it: without a format as
// an instant, which every adapter writes in its backend's own way.
func fromDateTime(s, format string) (any, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, errNoDateTime
	}
	t = t.UTC()
	switch format {
	case "":
		return t, nil
	case formatUnix:
		return t.Unix(), nil
	case formatUnixMilli:
		return t.UnixMilli(), nil
	case formatDate:
		return t.Format(time.DateOnly), nil
	}
	return t.Format(format), nil
}
