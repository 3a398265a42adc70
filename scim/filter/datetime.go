package filter

import (
	"cmp"
	"strings"
	"time"
)

// An instant is a dateTime, exact to the last digit of its fraction.
type instant struct {
	sec  int64  // since 1970
	frac string // digits after the point, without zeros at the end
}

func (t instant) compare(u instant) int {
	return cmp.Or(cmp.Compare(t.sec, u.sec), strings.Compare(t.frac, u.frac))
}

// parseInstant reads a dateTime of RFC 3339 with any number of digits in its
// fraction. As xsd:dateTime allows it (RFC 7643 section 2.3.5), the zone may be
// missing, which means UTC, and 24:00:00 is the end of the day. A leap second is
// the first second of the next minute.
func parseInstant(s string) (instant, bool) {
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return instant{}, false
	}
	year := 100*two(s[0:]) + two(s[2:])
	month, day, hour, minute, sec := two(s[5:]), two(s[8:]), two(s[11:]), two(s[14:]), two(s[17:])
	if two(s[0:]) < 0 || two(s[2:]) < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year) ||
		hour < 0 || hour > 24 || minute < 0 || minute > 59 || sec < 0 || sec > 60 {
		return instant{}, false
	}
	t := instant{sec: time.Date(year, time.Month(month), day, hour, minute, sec, 0, time.UTC).Unix()}
	rest, ok := t.fraction(s[19:])
	if !ok || hour == 24 && (minute > 0 || sec > 0 || t.frac != "") {
		return instant{}, false
	}
	offset, ok := zone(rest)
	t.sec -= offset
	if sec == 60 && t.sec%86400 != 0 { // a leap second ends a day of UTC
		return instant{}, false
	}
	return t, ok
}

// two is the number that two digits make, or -1.
func two(s string) int {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return -1
	}
	return 10*int(s[0]-'0') + int(s[1]-'0')
}

func daysIn(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// fraction reads .123 and returns what follows it.
func (t *instant) fraction(s string) (rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return s, true
	}
	rest = strings.TrimLeft(s[1:], "0123456789")
	digits := s[1 : len(s)-len(rest)]
	t.frac = strings.TrimRight(digits, "0")
	return rest, digits != ""
}

// zone reads Z, +02:00 or nothing, as seconds east of Greenwich.
func zone(s string) (int64, bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, m := two(s[1:]), two(s[4:])
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	offset := int64(3600*h + 60*m)
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// String is the instant in UTC, with no more digits than it needs.
func (t instant) String() string {
	s := time.Unix(t.sec, 0).UTC().Format("2006-01-02T15:04:05")
	if t.frac != "" {
		s += "." + t.frac
	}
	return s + "Z"
}

// printable reports whether the year in UTC has four digits.
func (t instant) printable() bool {
	y := time.Unix(t.sec, 0).UTC().Year()
	return y >= 0 && y <= 9999
}
