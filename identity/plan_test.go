package identity

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestNoStatementScans holds every statement to its index: what costs a page at
// a thousand identities must cost the same at a million.
func TestNoStatementScans(t *testing.T) {
	s := open(t, Options{})
	scan := regexp.MustCompile(`SCAN (\w+)( |$)`)
	for _, q := range append(readQueries(), writeQueries()...) {
		for _, step := range explain(t, s, q) {
			t.Logf("%.50q %s", q, step)
			m := scan.FindStringSubmatch(step)
			if m != nil && !strings.Contains(step, "VIRTUAL TABLE") && !strings.Contains(step, "CONSTANT ROW") && m[1] != "g" && m[1] != "change" /* a row for each backend */ {
				t.Errorf("%s\nscans: %s", q, step)
			}
		}
	}
}

func explain(t *testing.T, s *Store, q query) []string {
	t.Helper()
	n := 0
	for _, m := range regexp.MustCompile(`\?(\d+)`).FindAllStringSubmatch(string(q), -1) {
		i, _ := strconv.Atoi(m[1])
		n = max(n, i)
	}
	args := make([]any, n)
	for i := range args {
		args[i] = "[]"
	}
	rows, err := s.writer.db.Query("EXPLAIN QUERY PLAN "+sqlite{}.text(q), args...)
	noErr(t, err)
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var a, b, c int
		var step string
		noErr(t, rows.Scan(&a, &b, &c, &step))
		steps = append(steps, step)
	}
	return steps
}
