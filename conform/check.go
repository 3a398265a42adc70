package conform

import (
	"slices"
	"strings"
)

// A Level says how binding a requirement is (RFC 2119).
type Level string

// The levels.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
)

// A Check is one requirement that can be seen from outside.
type Check struct {
	Row    string // "P-48"
	Level  Level
	Says   string // the requirement, in one sentence
	Source string // "RFC 7644 section 3.5.2"
	Reads  bool   // it needs nothing that was written
	run    func(p *probe)
}

// Checks lists all checks, area by area.
func Checks() []Check {
	return slices.Concat(discoveryChecks, httpChecks, errorChecks, schemaChecks, createChecks, readChecks, replaceChecks, deleteChecks,
		patchChecks, patchValueChecks, patchPathChecks, filterChecks, filterValueChecks, sortChecks, pageChecks, cursorChecks, selectChecks, searchChecks, bulkChecks, versionChecks)
}

// Areas are the headings of reports: the letters of rows.
var areas = map[string]string{"D": "Discovery", "H": "HTTP", "E": "Errors", "T": "Authentication", "S": "Schemas and attributes", "R": "Users and groups",
	"C": "Create", "G": "Retrieve and query", "U": "Replace", "X": "Delete", "P": "PATCH", "F": "Filters", "O": "Sorting", "N": "Paging", "K": "Cursors",
	"A": "Attribute selection", "Q": "Search by POST", "M": "/Me", "B": "Bulk", "V": "Versions"}

// Area is the heading of a row: the name of what its letters stand for.
func Area(row string) string {
	letters, _, _ := strings.Cut(row, "-")
	return areas[letters]
}

// names reports whether a list of rows, letters or the beginnings of rows has the row.
func names(list []string, row string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		return strings.EqualFold(l, row) || !strings.Contains(l, "-") && strings.EqualFold(l+"-", row[:min(len(l)+1, len(row))])
	})
}

// chosen are the checks that options ask for.
func (o *Options) chosen() []Check {
	var out []Check
	for _, c := range Checks() {
		if (len(o.Only) == 0 || names(o.Only, c.Row)) && !names(o.Skip, c.Row) {
			out = append(out, c)
		}
	}
	return out
}

// unknown are the rows asked for that no check has.
func unknown(list []string) []string {
	var out []string
	for _, l := range list {
		if !slices.ContainsFunc(Checks(), func(c Check) bool { return names([]string{l}, c.Row) }) {
			out = append(out, l)
		}
	}
	return out
}
