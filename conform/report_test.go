package conform

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func sampleReport() *Report {
	return &Report{URL: "https://example.com/scim/v2", Took: 1500 * time.Millisecond, Left: []string{"/Users/7"}, Results: []Result{
		{Check: Check{Row: "D-01", Level: Must, Says: "It says what it can.", Source: "RFC 7643 section 5"}, Verdict: Passed},
		{Check: Check{Row: "P-48", Level: Should, Says: "It removes these.", Source: "the practice of clients"}, Verdict: Failed, Reason: "GET /Groups/1: none",
			Exchanges: []Exchange{{Method: "GET", Path: "/Groups/1", Status: 200, Answer: `{"a":"<b>"}`}, {Method: "POST", Path: "/Groups", Request: "{}", Failure: "EOF"}}},
		{Check: Check{Row: "B-02", Level: Must, Says: "It is answered."}, Verdict: Skipped, Reason: "no bulk"},
		{Check: Check{Row: "B-03", Level: Must, Says: "It needs an id."}, Verdict: Skipped, Reason: "no bulk"},
	}}
}

func TestReportText(t *testing.T) {
	const want = `FAILED P-48 (SHOULD, the practice of clients)
  It removes these.
  GET /Groups/1: none
    > GET /Groups/1
    < 200 {"a":"<b>"}
    > POST /Groups
    > {}
    < no answer: EOF

Skipped:
  no bulk: B-02, B-03

passed   D-01  It says what it can.

These could not be deleted:
  /Users/7

4 checks: 1 passed, 1 failed (0 MUST, 1 SHOULD), 2 skipped.
`
	var b strings.Builder
	if sampleReport().Text(&b, true); b.String() != want {
		t.Errorf("the report is\n%s\nwant\n%s", b.String(), want)
	}
}

func TestReportJSON(t *testing.T) {
	var b strings.Builder
	if err := sampleReport().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Failed, FailedMust int
		Results            []struct {
			Row, Result, Requirement string
			Exchanges                []Exchange
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Failed != 1 || got.FailedMust != 0 || len(got.Results) != 4 || got.Results[1].Result != "failed" || got.Results[1].Exchanges[0].Answer != `{"a":"<b>"}` {
		t.Errorf("the report is %s", b.String())
	}
}

func TestReportJUnit(t *testing.T) {
	var b strings.Builder
	if err := sampleReport().JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got suiteXML
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 4 || got.Failures != 1 || got.Skipped != 2 || got.Cases[1].Failure.Kind != "SHOULD" || got.Cases[1].Class != "PATCH" || got.Cases[2].Skipped.Message != "no bulk" {
		t.Errorf("the report is %s", b.String())
	}
}

func TestBlot(t *testing.T) {
	r := &run{opts: Options{Token: "a-secret-token", Headers: http.Header{"X-Key": {"another-key"}}}}
	got := r.blot(`{"password":"x\"y","userName":"a","z":"a-secret-token another-key ` + passphrase + `"}`)
	if want := `{"password":"***","userName":"a","z":"*** *** ***"}`; got != want {
		t.Errorf("blotted is %s, want %s", got, want)
	}
}

func TestChosen(t *testing.T) {
	rows := func(o Options) []string {
		var out []string
		for _, c := range o.chosen() {
			out = append(out, c.Row)
		}
		return out
	}
	if got := rows(Options{Only: []string{"q", "P-48"}, Skip: []string{"Q-04"}}); !slices.Equal(got, []string{"P-48", "Q-01", "Q-02", "Q-03"}) {
		t.Errorf("chosen are %v", got)
	}
	if got := unknown([]string{"P", "p-48", "P-4", "Z"}); !slices.Equal(got, []string{"P-4", "Z"}) {
		t.Errorf("unknown are %v", got)
	}
}

// TestChecks: every check says what it is about, once.
func TestChecks(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Checks() {
		if seen[c.Row] || Area(c.Row) == "" || !strings.HasSuffix(c.Says, ".") || c.Source == "" || c.Level != Must && c.Level != Should {
			t.Errorf("%+v", c)
		}
		seen[c.Row] = true
	}
}
