package schema

import (
	"strings"
	"time"
)

// normalDateTime reads an xsd:dateTime and writes it in UTC with Z, its fraction
// without trailing zeros (S-09, S-10). A missing offset means UTC.
func normalDateTime(s string) (string, bool) {
	t, ok := parseDateTime(s)
	if !ok {
		return "", false
	}
	return t.Format(time.RFC3339Nano), true
}

const dateTimeShape = "dddd-dd-ddTdd:dd:dd"

func parseDateTime(s string) (time.Time, bool) {
	s = strings.ToUpper(s)
	if len(s) < len(dateTimeShape) || !shaped(s[:len(dateTimeShape)], dateTimeShape) {
		return time.Time{}, false
	}
	base, rest := s[:len(dateTimeShape)], s[len(dateTimeShape):]
	fraction, zone := cutFraction(rest)
	if fraction == "." || !validZone(zone) {
		return time.Time{}, false
	}
	if zone == "" {
		zone = "Z"
	}
	midnight := strings.HasSuffix(base, "T24:00:00") && strings.Trim(fraction, ".0") == ""
	if midnight { // xsd:dateTime's end of the day
		base = strings.TrimSuffix(base, "T24:00:00") + "T00:00:00"
	}
	t, err := time.Parse(time.RFC3339, base+fraction+zone)
	if err != nil {
		return time.Time{}, false
	}
	if midnight {
		t = t.AddDate(0, 0, 1)
	}
	t = t.UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

func cutFraction(s string) (fraction, zone string) {
	if s == "" || s[0] != '.' {
		return "", s
	}
	end := 1
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	return s[:end], s[end:]
}

// validZone knows the offsets of XML Schema, which end at 14:00.
func validZone(s string) bool {
	if s == "" || s == "Z" {
		return true
	}
	return (shaped(s, "+dd:dd") || shaped(s, "-dd:dd")) && s[1:] <= "14:00" && s[4:] <= "59"
}

// shaped compares with a pattern in which d stands for a digit.
func shaped(s, pattern string) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if pattern[i] == 'd' && !digit || pattern[i] != 'd' && s[i] != pattern[i] {
			return false
		}
	}
	return true
}
