package config

import (
	"fmt"
	"strings"
)

// didYouMean is the hint for a name that nobody knows: the nearest one that
// somebody does, or all of them if they are few.
func didYouMean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	return "known here: " + strings.Join(known, ", ")
}

// nearest is the known name that a typing mistake may have turned into name,
// "" if none comes close.
func nearest(name string, known []string) string {
	best, least := "", 0
	folded := strings.ToLower(name)
	for _, k := range known {
		d := distance(folded, strings.ToLower(k))
		near := d <= max(1, min(len(name), len(k))/3) || isPrefix(folded, strings.ToLower(k))
		if near && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// isPrefix reports whether one is the beginning of the other: warning and warn.
func isPrefix(a, b string) bool {
	return min(len(a), len(b)) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// distance counts the letters to insert, delete, replace or swap with the next
// (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return max(len(x), len(y))
	}
	var before []int
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next := make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}

// Nearest is the name among those that are known that was probably meant, "" if
// none is near.
func Nearest(name string, known []string) string { return nearest(name, known) }
