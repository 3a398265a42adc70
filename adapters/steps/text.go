package steps

import "fmt"

// A Text is a scalar of the configuration and where it stands.
type Text struct {
	Value        string
	Line, Column int
}

// A Problem is a mistake in the configuration.
type Problem struct {
	At             Text
	Offset, Length int // bytes into the text; Length 0: all of it
	Message, Hint  string
	Warning        bool
}

func (p Problem) Error() string {
	s := fmt.Sprintf("%d:%d: %s", p.At.Line, p.At.Column, p.Message)
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Add notes a problem of a text as a whole.
func (c *Compiler) Add(at Text, hint, format string, args ...any) {
	c.add(at, 0, 0, hint, format, args...)
}

func (c *Compiler) add(at Text, offset, length int, hint, format string, args ...any) {
	c.Problems = append(c.Problems, Problem{At: at, Offset: offset, Length: length, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Nearest is the name that was probably meant, or "".
func Nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range names {
		if d := distance(name, n); d <= least && (best == "" || d < least) {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters must be changed, added or left out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := before
			if a[i-1] != b[j-1] {
				cost++
			}
			before = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
