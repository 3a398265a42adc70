package rows

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/conform"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

const page = "../../docs/conformance.md"

// A requirement is a row.
type requirement struct {
	row, level, says, source, reason string
	checked                          bool // by package conform
}

// requirements are those of the checks, and those of rows.txt.
func requirements(t *testing.T) []requirement {
	t.Helper()
	var out []requirement
	for _, c := range conform.Checks() {
		out = append(out, requirement{row: c.Row, level: string(c.Level), says: c.Says, source: c.Source, checked: true})
	}
	data, err := os.ReadFile("rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^([A-Z]+-\d\d) +(MUST|SHOULD|MAY) +([^|]+?)(?: \| (.+))?$`)
	for l := range strings.Lines(string(data)) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "#") {
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("rows.txt: %q is no row", l)
		}
		out = append(out, requirement{row: m[1], level: m[2], says: m[3], reason: m[4]})
	}
	slices.SortFunc(out, func(a, b requirement) int {
		return cmp.Or(cmp.Compare(place(a.row), place(b.row)), strings.Compare(a.row, b.row))
	})
	return out
}

var order = strings.Fields("D H T E S R C G U X P F O N K A Q M B V L RE DV GW")

func letters(row string) string { l, _, _ := strings.Cut(row, "-"); return l }
func place(row string) int      { return slices.Index(order, letters(row)) }

// tests are the tests that name a row, as package and function.
func tests(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	name, row := regexp.MustCompile(`^func ((?:Test|Fuzz)\w+)`), regexp.MustCompile(`\b[A-Z]{1,2}-\d\d\b`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || strings.Contains(path, "conform_broken") || strings.Contains(path, "internal/rows") || strings.HasPrefix(path, "../../conform/") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		within, dir := "", strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../")
		for l := range strings.Lines(string(data)) {
			if m := name.FindStringSubmatch(l); m != nil {
				within = " " + m[1]
			}
			if within == "" || strings.Contains(l, `"--skip"`) { // what is not looked at there
				continue
			}
			for _, r := range row.FindAllString(l, -1) {
				if w := dir + within; !slices.Contains(out[r], w) {
					out[r] = append(out[r], w)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const head = `# Conformance

What SCIM demands of a server, row by row, and which test looks at it: everything of RFC 7643, 7644 and 9865 that can be seen from outside, what
clients demand beyond it, [roles and entitlements](resources.md) and devices (RFC 9944). Generated from the code and its tests; ` + "`make docs`" + ` writes it anew.

Rows with a mark are checked by ` + "`postern conform`" + `, which examines any server:

` + "```sh" + `
postern conform http://127.0.0.1:8080/scim/v2 --token quickstart
` + "```" + `

It asks what the server supports and holds it to that, with users and groups of its own that it deletes at the end; it shows what failed with its
requests and answers. ` + "`--only P-48`" + ` runs one row, ` + "`--only P,F`" + ` those of PATCH and of filters, ` + "`--read-only`" + ` what writes nothing; ` + "`--json`" + ` and ` + "`--junit`" + ` are for
build servers. Servers that demand more of a user than their schemas say are given it: ` + "`--user '{\"userName\":\"{n}@example.com\"}'`" + `. The exit status
is 0 if no MUST failed. Each check is itself tested on a server that breaks just its row (` + "`cmd/postern/conform_test.go`" + `), and CI runs them on the
quickstart and on the examples, Redmine, WordPress and PocketBase among them; what an example skips stands in its test.

The parsers of what clients send are fuzzed: all targets for half a minute each in every run of CI; on 29 November 2026 those of filters, paths, PATCH bodies, bulk
requests and resources for an hour each in one piece, and that of cursors in pieces, on two busy processors (0.7 to 2.7 million inputs each), without a crash.
What the fuzzer found worth trying is kept, and tried in every test run (` + "`testdata/corpus`" + `).

What is not implemented says so.
`

// Not implemented as a whole.
const tail = `
## Not implemented

| what | why |
|---|---|
| events (RFC 9967) and delivery (RFC 8935, 8936) | a gateway sees only the changes that go through it; an event feed that misses those made in the application would be wrong |
| asynchronous requests (RFC 9967 section 2.5.1) | every answer comes within its time budget |
| delta queries (an individual draft) | for the same reason as events |
`

func render(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(head)
	named, area := tests(t), ""
	for _, r := range requirements(t) {
		if a := letters(r.row); a != area {
			area = a
			fmt.Fprintf(&b, "\n## %s\n\n| row | | requirement | postern conform | tests |\n|---|---|---|---|---|\n", title(a))
		}
		mark := ""
		if r.checked {
			mark = "✓"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.row, r.level, strings.ReplaceAll(r.says, "|", `\|`), mark, witnesses(r, named[r.row]))
	}
	b.WriteString(tail)
	return b.Bytes()
}

func title(letters string) string {
	switch letters {
	case "L":
		return "Rates and speed"
	case "RE":
		return "Roles and entitlements"
	case "GW":
		return "What the gateway does beyond the standards"
	case "DV":
		return "Devices"
	}
	return conform.Area(letters + "-01")
}

// witnesses are a few of the tests, or the reason why there is none.
func witnesses(r requirement, all []string) string {
	const most = 3
	slices.Sort(all)
	var out []string
	for _, w := range all[:min(len(all), most)] {
		out = append(out, "`"+w+"`")
	}
	if len(all) > most {
		out = append(out, "and others")
	}
	if r.reason != "" {
		out = append(out, r.reason)
	}
	if len(out) == 0 && r.checked {
		out = append(out, "`cmd/postern TestConform`")
	}
	return strings.Join(out, ", ")
}

// TestConformancePage: the page is what the code says. -update writes it.
func TestConformancePage(t *testing.T) {
	want := render(t)
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/conformance.md is stale: make docs (%v)", err)
	}
}

// TestEveryRowHasATest: or a reason.
func TestEveryRowHasATest(t *testing.T) {
	named := tests(t)
	seen := map[string]bool{}
	for _, r := range requirements(t) {
		if seen[r.row] {
			t.Errorf("%s is there twice", r.row)
		}
		if seen[r.row] = true; !r.checked && len(named[r.row]) == 0 && r.reason == "" {
			t.Errorf("%s: no test names it, and no reason is given", r.row)
		}
		if place(r.row) < 0 {
			t.Errorf("%s: of what is it?", r.row)
		}
	}
}
