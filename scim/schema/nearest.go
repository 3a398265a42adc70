package schema

import (
	"fmt"
	"strings"
)

// didYouMean proposes the name that a client may have meant, as the end of a
// sentence; empty if none is close.
func didYouMean(name string, names []string) string {
	if best := nearest(name, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// longestName bounds the work that a client's spelling can cause.
const longestName = 100

func nearest(name string, names []string) string {
	if len(name) > longestName {
		return ""
	}
	low := strings.ToLower(name)
	best, least := "", len(low)/3+2
	for _, n := range names {
		if max(len(n)-len(low), len(low)-len(n)) >= least {
			continue // so many letters are missing or too many
		}
		if d := distance(low, strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
