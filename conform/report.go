package conform

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Text writes what was found for people: what failed with what was sent and
// answered, what was skipped and why, and the sums.
func (r *Report) Text(w io.Writer, all bool) {
	for _, x := range r.Results {
		if x.Verdict == Failed {
			x.text(w)
		}
	}
	if n := r.Count(Skipped); n > 0 {
		fmt.Fprintf(w, "Skipped:\n")
		for _, reason := range r.reasons() {
			fmt.Fprintf(w, "  %s: %s\n", reason, strings.Join(r.because(reason), ", "))
		}
		fmt.Fprintln(w)
	}
	if all {
		for _, x := range r.Results {
			if x.Verdict == Passed {
				fmt.Fprintf(w, "passed   %-5s %s\n", x.Check.Row, x.Check.Says)
			}
		}
		fmt.Fprintln(w)
	}
	if len(r.Left) > 0 {
		fmt.Fprintf(w, "These could not be deleted:\n  %s\n\n", strings.Join(r.Left, "\n  "))
	}
	fmt.Fprintln(w, r.Summary())
}

// Summary is one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("%d checks: %d passed, %d failed (%d MUST, %d SHOULD), %d skipped.", len(r.Results), r.Count(Passed),
		r.Count(Failed), r.Count(Failed, Must), r.Count(Failed, Should), r.Count(Skipped))
}

func (x *Result) text(w io.Writer) {
	fmt.Fprintf(w, "FAILED %s (%s, %s)\n  %s\n  %s\n", x.Check.Row, x.Check.Level, x.Check.Source, x.Check.Says, x.Reason)
	for _, e := range x.Exchanges {
		fmt.Fprintf(w, "    > %s %s\n", e.Method, e.Path)
		if e.Request != "" {
			fmt.Fprintf(w, "    > %s\n", clip(e.Request))
		}
		if e.Failure != "" {
			fmt.Fprintf(w, "    < no answer: %s\n", e.Failure)
			continue
		}
		fmt.Fprintf(w, "    < %d %s\n", e.Status, clip(e.Answer))
	}
	fmt.Fprintln(w)
}

// clip keeps long bodies from filling the screen; JSON has them whole.
func clip(s string) string {
	const most = 1200
	s = strings.ReplaceAll(s, "\n", " ")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (r *Report) reasons() []string {
	var out []string
	for _, x := range r.Results {
		if x.Verdict == Skipped && !slices.Contains(out, x.Reason) {
			out = append(out, x.Reason)
		}
	}
	return out
}

func (r *Report) because(reason string) []string {
	var out []string
	for _, x := range r.Results {
		if x.Verdict == Skipped && x.Reason == reason {
			out = append(out, x.Check.Row)
		}
	}
	return out
}

type resultJSON struct {
	Row       string     `json:"row"`
	Level     Level      `json:"level"`
	Says      string     `json:"requirement"`
	Source    string     `json:"source"`
	Verdict   Verdict    `json:"result"`
	Reason    string     `json:"reason,omitempty"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	Seconds   float64    `json:"seconds"`
}

// JSON writes everything as one object.
func (r *Report) JSON(w io.Writer) error {
	out := struct {
		URL     string       `json:"url"`
		Passed  int          `json:"passed"`
		Failed  int          `json:"failed"`
		Must    int          `json:"failedMust"`
		Skipped int          `json:"skipped"`
		Seconds float64      `json:"seconds"`
		Left    []string     `json:"left,omitempty"`
		Results []resultJSON `json:"results"`
	}{URL: r.URL, Passed: r.Count(Passed), Failed: r.Count(Failed), Must: r.Count(Failed, Must), Skipped: r.Count(Skipped), Seconds: seconds(r.Took), Left: r.Left}
	for _, x := range r.Results {
		out.Results = append(out.Results, resultJSON{x.Check.Row, x.Check.Level, x.Check.Says, x.Check.Source, x.Verdict, x.Reason, x.Exchanges, seconds(x.Took)})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

type suiteXML struct {
	XMLName  xml.Name  `xml:"testsuite"`
	Name     string    `xml:"name,attr"`
	Tests    int       `xml:"tests,attr"`
	Failures int       `xml:"failures,attr"`
	Skipped  int       `xml:"skipped,attr"`
	Time     float64   `xml:"time,attr"`
	Cases    []caseXML `xml:"testcase"`
}

type caseXML struct {
	Name    string    `xml:"name,attr"`
	Class   string    `xml:"classname,attr"`
	Time    float64   `xml:"time,attr"`
	Failure *faultXML `xml:"failure,omitempty"`
	Skipped *faultXML `xml:"skipped,omitempty"`
}

type faultXML struct {
	Message string `xml:"message,attr"`
	Kind    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a test suite as build servers read it. A SHOULD that was not
// followed is a failure there of the type SHOULD.
func (r *Report) JUnit(w io.Writer) error {
	s := suiteXML{Name: "SCIM conformance of " + r.URL, Tests: len(r.Results), Failures: r.Count(Failed), Skipped: r.Count(Skipped), Time: seconds(r.Took)}
	for _, x := range r.Results {
		c := caseXML{Name: x.Check.Row + " " + x.Check.Says, Class: Area(x.Check.Row), Time: seconds(x.Took)}
		switch x.Verdict {
		case Failed:
			var b strings.Builder
			x.text(&b)
			c.Failure = &faultXML{x.Reason, string(x.Check.Level), b.String()}
		case Skipped:
			c.Skipped = &faultXML{Message: x.Reason}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
