package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/conform"
)

// The checks of package conform are held to two things: they pass on a correct
// server, which is Postern before a database that has everything, and each fails
// on a server that breaks just its requirement. The broken servers are the correct
// one behind something that turns one thing into a wrong one.

const sampleSchema = `
schemas:
  - id: urn:example:scim:schemas:Sample
    name: Sample
    attributes:
      level: integer
      ratio: decimal
      since: dateTime
      key: binary
      badge: {mutability: immutable}
`

const sampleRules = `      Sample:level: level
      Sample:ratio: ratio
      Sample:since: since
      Sample:key: key
      Sample:badge: badge
`

const sampleColumns = `
ALTER TABLE person ADD COLUMN level INTEGER;
ALTER TABLE person ADD COLUMN ratio REAL;
ALTER TABLE person ADD COLUMN since TEXT;
ALTER TABLE person ADD COLUMN key TEXT;
ALTER TABLE person ADD COLUMN badge TEXT;
`

// everything is a server that has everything that checks can ask for.
func everything(t *testing.T) *rig {
	t.Helper()
	yaml := read(t, "../../examples/full/postern.yaml")
	for _, s := range [][2]string{
		{"init: schema.sqlite.sql", "init: legacy.sql"}, {"${env:SCIM_TOKEN}", "quickstart"},
		{"extensions: [EnterpriseUser]", "extensions: [EnterpriseUser, Sample]"},
		{"      meta.created: created_at\n", sampleRules + "      meta.created: created_at\n"},
		{"\nresources:", sampleSchema + "resources:"},
	} {
		if !strings.Contains(yaml, s[0]) {
			t.Fatalf("the example does not hold %q", s[0])
		}
		yaml = strings.Replace(yaml, s[0], s[1], 1)
	}
	r := stage(t, yaml, read(t, "../../examples/full/schema.sqlite.sql")+sampleColumns)
	r.serve()
	return r
}

func (r *rig) conform(o conform.Options) *conform.Report {
	r.t.Helper()
	o.URL, o.Token = r.base, r.token
	report, err := conform.Run(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestConform(t *testing.T) {
	r := everything(t)
	before := r.do("GET", "/Users?count=0", "").want(200).at("totalResults")
	report := r.conform(conform.Options{})
	if report.Count(conform.Passed) != len(conform.Checks()) {
		var text strings.Builder
		report.Text(&text, false)
		t.Error(text.String())
	}
	r.do("GET", "/Users?count=0", "").want(200)
	if after := r.do("GET", "/Users?count=0", "").at("totalResults"); after != before || len(report.Left) > 0 {
		t.Errorf("there were %v users before and are %v after; left are %v", before, after, report.Left)
	}
}

// TestConformQuickstart: on what make run starts, no MUST and no SHOULD fails.
func TestConformQuickstart(t *testing.T) {
	report := start(t).conform(conform.Options{})
	if report.Count(conform.Failed) > 0 || report.Count(conform.Passed) < 180 {
		var text strings.Builder
		report.Text(&text, false)
		t.Error(text.String())
	}
}

// TestConformReadOnly: nothing is written.
func TestConformReadOnly(t *testing.T) {
	r := everything(t)
	writes := 0
	report := r.conform(conform.Options{ReadOnly: true, Transport: &broken{ask: func(q *request) {
		if q.method != "GET" && !strings.HasSuffix(q.path, ".search") && !strings.HasSuffix(q.path, "/Bulk") && !strings.Contains(q.path, "none") {
			writes++
		}
	}}})
	if report.Count(conform.Passed) < 20 || report.Count(conform.Failed) > 0 {
		t.Error(report.Summary())
	}
	// PUT, POST and DELETE of what is no resource are sent, to see them refused.
	if n := r.do("GET", "/Users?count=0", "").at("totalResults"); n != 0.0 {
		t.Errorf("%v users were made in %d writes", n, writes)
	}
}

// TestConformInterrupted: what was made is gone also after an interruption.
func TestConformInterrupted(t *testing.T) {
	r := everything(t)
	o := conform.Options{URL: r.base, Token: r.token}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o.Progress = func(done, _ int, _ string) {
		if done == 120 {
			stop()
		}
	}
	if report, err := conform.Run(ctx, o); err == nil || report == nil || len(report.Results) != 120 {
		t.Errorf("the run ended with %v", err)
	}
	if n := r.do("GET", "/Users?count=0", "").at("totalResults"); n != 0.0 {
		t.Errorf("%v users are left", n)
	}
}

// TestConformNoticesWhatIsBroken: every check fails on a server that breaks it.
func TestConformNoticesWhatIsBroken(t *testing.T) {
	r := everything(t)
	tried := map[string]bool{}
	for _, b := range slices.Concat(brokenDiscovery, brokenHTTP, brokenSchemas, brokenResources, brokenPatches, brokenQueries, brokenBulk) {
		for row := range strings.FieldsSeq(b.rows) {
			tried[row] = true
			t.Run(row, func(t *testing.T) {
				x := &b.broken
				report := r.conform(conform.Options{Only: []string{row}, Transport: x})
				if got := report.Results[0]; got.Verdict != conform.Failed {
					t.Errorf("%s %s on a server that breaks it: %s", row, got.Verdict, got.Reason)
				}
			})
		}
	}
	for _, c := range conform.Checks() {
		if !tried[c.Row] {
			t.Errorf("%s: no server breaks it", c.Row)
		}
	}
}

// A breakage is what is wrong with a server, and the rows whose checks must notice.
type breakage struct {
	rows string
	broken
}

// A broken server is the correct one with something in between.
type broken struct {
	ask  func(*request)         // changes what is asked
	tell func(*request, *reply) // changes what is answered
}

type request struct {
	method, path string // the path below the base
	query        url.Values
	header       http.Header
	body         map[string]any
	raw          string
	status       int // if set, the answer, which the server is not asked for
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

const basePath = "/scim/v2"

// RoundTrip is how a transport is used.
func (b *broken) RoundTrip(req *http.Request) (*http.Response, error) {
	q := &request{method: req.Method, path: strings.TrimPrefix(req.URL.EscapedPath(), basePath), query: req.URL.Query(), header: req.Header.Clone()}
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		q.raw = string(data)
		_ = json.Unmarshal(data, &q.body)
	}
	if b.ask != nil {
		b.ask(q)
	}
	a := &reply{status: q.status, header: http.Header{"Content-Type": {"application/scim+json"}}}
	if q.status == 0 {
		if err := q.send(req, a); err != nil {
			return nil, err
		}
	}
	if b.tell != nil {
		b.tell(q, a)
	}
	return a.response(req), nil
}

// send asks the correct server.
func (q *request) send(req *http.Request, a *reply) error {
	raw := q.raw
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return err
		}
		raw = string(data)
	}
	at := req.URL.Scheme + "://" + req.URL.Host + basePath + q.path
	if len(q.query) > 0 {
		at += "?" + strings.ReplaceAll(q.query.Encode(), "+", "%20")
	}
	out, err := http.NewRequestWithContext(req.Context(), q.method, at, strings.NewReader(raw))
	if err != nil {
		return err
	}
	out.Header = q.header
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	a.status, a.header, a.raw = res.StatusCode, res.Header.Clone(), string(data)
	_ = json.Unmarshal(data, &a.body)
	return err
}

func (a *reply) response(req *http.Request) *http.Response {
	data := []byte(a.raw)
	if a.body != nil {
		data, _ = json.Marshal(a.body)
	}
	a.header.Del("Content-Length")
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req}
}

// is reports whether a request has the method and a path that begins so.
func (q *request) is(method, path string) bool {
	return q.method == method && strings.HasPrefix(q.path, path)
}

// one reports whether a single resource is asked for.
func (q *request) one() bool { return strings.Count(q.path, "/") == 2 }

// list are the resources of an answer: of a list, or the one.
func (a *reply) list() []map[string]any {
	if all, ok := a.body["Resources"].([]any); ok {
		return asObjects(all)
	}
	if a.body == nil {
		return nil
	}
	return []map[string]any{a.body}
}

func asObjects(v any) []map[string]any {
	all, _ := v.([]any)
	var out []map[string]any
	for _, e := range all {
		if o, ok := e.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func asObject(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}
