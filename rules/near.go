package rules

import (
	"strconv"
	"strings"

	"github.com/postern/postern/scim"
)

// didYouMean is the hint for a name that nobody knows: the nearest one that
// somebody does, "" if none comes close.
func didYouMean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return "did you mean " + strconv.Quote(n) + "?"
	}
	return ""
}

// nearest is the known name that a slip of the pen may have turned into name.
func nearest(name string, known []string) string {
	best, least := "", 0
	folded := strings.ToLower(name)
	for _, k := range known {
		d := distance(folded, strings.ToLower(k))
		near := d <= max(1, min(len(name), len(k))/3) || beginning(folded, strings.ToLower(k))
		if near && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// beginning reports whether one is the beginning of the other: upper and uppercase.
func beginning(a, b string) bool {
	return min(len(a), len(b)) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// distance counts the letters to insert, delete, replace or swap with the next.
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

// attributePaths lists every path of a layout as a configuration writes it:
// attributes of extensions under their short name.
func attributePaths(l *scim.Layout, aliases map[string]string) []string {
	var out []string
	var walk func(prefix string, as []*scim.Attribute)
	walk = func(prefix string, as []*scim.Attribute) {
		for _, a := range as {
			if a.IsExtension() || a.Nested() {
				walk(shortened(a.Name+":", aliases), a.Sub)
				continue
			}
			out = append(out, prefix+a.Name)
			walk(prefix+a.Name+".", a.Sub)
		}
	}
	walk("", l.Attributes())
	return out
}

// shortened writes the short name of an extension in place of its URN.
func shortened(path string, aliases map[string]string) string {
	for alias, urn := range aliases {
		if rest, ok := strings.CutPrefix(path, urn); ok && (rest == "" || rest[0] == ':') {
			return alias + rest
		}
	}
	return path
}
