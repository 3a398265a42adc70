package sql

import "strings"

// Many clients add members to one group at once. Each needs the group to stay as it
// is, and none changes it: so they all may hold its row at the same time, where two
// that add the same member cannot both do so, which an index sees to.

// A sharing dialect has locks that several transactions hold at once.
type sharing interface {
	// share ends a SELECT from a table under an alias whose rows nobody is to change meanwhile.
	share(alias string) string

	// unless ends an INSERT that leaves out the rows that a unique index on some columns refuses.
	unless(columns ...string) string
}

func (postgres) share(alias string) string { return " FOR SHARE OF " + alias }

func (postgres) unless(columns ...string) string {
	return " ON CONFLICT (" + strings.Join(columns, ", ") + ") DO NOTHING"
}

// A pairing is the columns of unique indexes as they are read, by the index.
type pairing map[string][]string

// note notes the columns so far, nil if the index is not on columns alone. What
// is refused at the end of a transaction only does not keep anybody from anything.
func (p pairing) note(index string, columns []string, immediate bool) {
	if immediate && columns != nil {
		p[index] = columns
	} else {
		delete(p, index)
	}
}

func (p pairing) all() [][2]string {
	var out [][2]string
	for _, columns := range p {
		if len(columns) == 2 {
			out = append(out, pairOf(columns[0], columns[1]))
		}
	}
	return out
}

// pairOf puts the names of two columns in order.
func pairOf(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }
