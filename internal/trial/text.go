package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/rules"
)

// A Report is all that is told about a request that was tried out.
type Report struct {
	Request trace.Request `json:"request"`
	*Outcome
	Stopped bool     `json:"stopped,omitempty"` // before the first change
	Missing []string `json:"missing,omitempty"` // in the recording
	Steps   []Step   `json:"steps"`
}

// A Step is an operation on a backend with the rules that it concerns.
type Step struct {
	trace.Step
	Mapped []Field `json:"mapped,omitempty"`
}

// NewReport puts together what the tape kept and what came out.
func NewReport(r trace.Request, o *Outcome, tape *trace.Tape, mappings []*rules.Mapping) *Report {
	out := &Report{Request: r, Outcome: o, Stopped: tape.Stopped(), Missing: tape.Missing()}
	for _, s := range tape.Steps() {
		step := Step{Step: s}
		i := slices.IndexFunc(mappings, func(m *rules.Mapping) bool { return m.Type.Name == s.Type })
		if i >= 0 {
			step.Mapped = Mapped(mappings[i], &s)
		}
		out.Steps = append(out.Steps, step)
	}
	o.Cause = tape.Blot(o.Cause)
	for i := range o.Notes {
		o.Notes[i] = tape.Blot(o.Notes[i])
	}
	if out.Stopped { // what the gateway made of that is no answer
		o.Status, o.Answer, o.Cause, o.Location = 0, nil, "", ""
	}
	return out
}

// Text is the report for people at a terminal.
func (r *Report) Text(w io.Writer) {
	path := r.Request.Path
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	fmt.Fprintf(w, "%s %s as %s\n", r.Request.Method, path, r.Request.Client)
	for _, x := range r.Rewrites {
		fmt.Fprintf(w, "  Operations[%d] is read with tolerance, %s: %s\n", x.Operation, x.Name, x.Doc)
	}
	if r.Filter != "" {
		fmt.Fprintf(w, "  filter: %s\n", r.Filter)
	}
	for i := range r.Steps {
		r.Steps[i].text(w)
	}
	fmt.Fprintln(w)
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	for _, n := range r.Missing {
		fmt.Fprintf(w, "not recorded: %s\n", n)
	}
	if r.Stopped {
		fmt.Fprintln(w, "Stopped before the first change; nothing was changed.")
		return
	}
	fmt.Fprintf(w, "%d %s\n", r.Status, http.StatusText(r.Status))
	if r.Location != "" {
		fmt.Fprintf(w, "Location: %s\n", r.Location)
	}
	if r.Cause != "" {
		fmt.Fprintf(w, "cause: %s\n", r.Cause)
	}
	fmt.Fprint(w, indented(r.Answer))
}

func indented(body []byte) string {
	var b bytes.Buffer
	if len(body) == 0 || json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String() + "\n"
}

func (s *Step) text(w io.Writer) {
	title := s.Title()
	if s.Op == "beside" {
		title = "beside the request"
	}
	fmt.Fprintf(w, "\n%s: %s\n", s.Backend, title)
	for _, e := range s.Exchanges {
		exchange(w, e)
	}
	if n := len(s.Records); s.Op == "list" {
		total := ""
		if s.Total != nil && *s.Total >= 0 {
			total = fmt.Sprintf(" of %d", *s.Total)
		}
		fmt.Fprintf(w, "  %s%s%s\n", count(n, "record"), total, first(n))
	}
	fields(w, s.Mapped)
	if f := s.Failure; f != nil {
		fmt.Fprintf(w, "  failed: %s\n", strings.Join(slices.DeleteFunc([]string{f.Kind, f.Field, f.Text}, func(s string) bool { return s == "" }), ", "))
	}
	if s.Stopped && len(s.Exchanges) == 0 {
		fmt.Fprintln(w, "  (not made)")
	}
}

func first(n int) string {
	if n > 1 {
		return ", the first:"
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// exchange shows a message, and what came of it.
func exchange(w io.Writer, e *trace.Exchange) {
	fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(e.Request, "\n", "\n  "))
	for i, p := range e.Parameters {
		fmt.Fprintf(w, "  %6d: %s\n", i+1, p)
	}
	body(w, "  > ", e.Body)
	switch {
	case e.Stopped:
		fmt.Fprintln(w, "  (not sent)")
	case e.Error != "":
		fmt.Fprintf(w, "  < failed: %s\n", e.Error)
	case e.Answer != "":
		fmt.Fprintf(w, "  < %s\n", e.Answer)
	}
	if e.Binary {
		fmt.Fprintln(w, "  < (no text)")
		return
	}
	body(w, "  < ", e.AnswerBody)
}

// maxLines bounds what is shown of a body; --json has all of it.
const maxLines = 40

func body(w io.Writer, prefix, text string) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimRight(indented([]byte(text)), "\n"), "\n")
	for i, l := range lines {
		if i == maxLines {
			fmt.Fprintf(w, "%s… %d more lines\n", prefix, len(lines)-i)
			return
		}
		fmt.Fprintf(w, "%s%s\n", prefix, l)
	}
}

func fields(w io.Writer, all []Field) {
	if len(all) == 0 {
		return
	}
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "  FIELD\tVALUE\tATTRIBUTE\tLINE")
	for _, f := range all {
		value := f.Value.String()
		if f.Old != nil {
			value = f.Old.String() + " -> " + value
		}
		by := f.Attribute + "\t"
		if f.Line > 0 {
			by = fmt.Sprintf("%s\t%d", f.Attribute, f.Line)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", f.Name, clip(value), by)
	}
	_ = t.Flush()
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// clip shortens what would break the table.
func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
