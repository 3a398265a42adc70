package gateway

import (
	"math"
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// window reads startIndex and count (RFC 7644 table 6). Values out of range are
// brought into it; values that are no number are refused (N-07).
func (q *query) window(lim *Limits) (start, count int, err error) {
	start, count = 1, lim.Page
	if q.startIndex.given {
		if start, err = number("startIndex", q.startIndex.text); err != nil {
			return 0, 0, err
		}
		start = max(start, 1)
	}
	if q.count.given {
		if count, err = number("count", q.count.text); err != nil {
			return 0, 0, err
		}
		count = max(count, 0)
	}
	return start, min(count, lim.PageMax), nil
}

// number reads an integer. One that is too large to be held is still a number:
// it stands for the largest or smallest, with room for sums.
func number(name, text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err == nil {
		return int(n), nil
	}
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, scim.Bad(scim.InvalidValue, "The parameter %q must be an integer, not %q.", name, clip(text))
	}
	if text[0] == '-' {
		return math.MinInt32, nil
	}
	return math.MaxInt32, nil
}

// descending reads sortOrder (O-04).
func (q *query) descending() (bool, error) {
	switch {
	case !q.sortOrder.given, strings.EqualFold(q.sortOrder.text, "ascending"):
		return false, nil
	case strings.EqualFold(q.sortOrder.text, "descending"):
		return true, nil
	}
	return false, scim.Bad(scim.InvalidValue, "The parameter \"sortOrder\" must be \"ascending\" or \"descending\", not %q.", clip(q.sortOrder.text))
}

// clip shortens what a client sent for use in a detail.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
