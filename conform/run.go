package conform

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Options say which server is asked, and how.
type Options struct {
	URL     string      // the base, before /Users
	Token   string      // the bearer token; "" sends none
	Headers http.Header // of every request
	// Transport carries the requests; nil is the usual one.
	Transport http.RoundTripper
	Timeout   time.Duration // of one request
	Only      []string      // rows, or the letters of many
	Skip      []string
	ReadOnly  bool // send nothing that could change anything
	// User and Group are put over the resources that are made, for servers that
	// demand more than they say. "{n}" in a text stands for a unique word.
	User, Group Object
	// Progress, if set, is told how far the run is.
	Progress func(done, all int, row string)
}

// A Verdict is what became of a check.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Failed  Verdict = "failed"
	Skipped Verdict = "skipped"
)

// A Result is a check with its verdict.
type Result struct {
	Check     Check
	Verdict   Verdict
	Reason    string     // why it failed or was skipped
	Exchanges []Exchange // of a check that failed: what was sent and answered
	Took      time.Duration
}

// A Report is what a run found.
type Report struct {
	URL     string
	Results []Result
	// Left are resources that could not be deleted.
	Left []string
	Took time.Duration
}

// Count counts results.
func (r *Report) Count(v Verdict, levels ...Level) int {
	n := 0
	for _, x := range r.Results {
		if x.Verdict != v {
			continue
		}
		for _, l := range levels {
			if x.Check.Level == l {
				n++
			}
		}
		if len(levels) == 0 {
			n++
		}
	}
	return n
}

// A run is one examination of a server.
type run struct {
	ctx    context.Context
	opts   Options
	base   string
	client *http.Client
	tag    string // in the names of everything that is made
	made   []string
	gone   map[string]bool
	number int
	server server
	shared fixtures
}

// Run examines a server. An error means that there was none to examine, or that
// the options cannot be followed.
func Run(ctx context.Context, o Options) (*Report, error) {
	for _, rows := range [][]string{o.Only, o.Skip} {
		if u := unknown(rows); len(u) > 0 {
			return nil, fmt.Errorf("there is no check of %s; rows look like P-48, and P stands for all that begin with it", strings.Join(u, ", "))
		}
	}
	r, err := newRun(ctx, o)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	report := &Report{URL: r.base}
	defer func() { report.Took = time.Since(began) }()
	if err := r.discover(); err != nil {
		return nil, err
	}
	defer func() { report.Left = r.clean() }()
	checks := r.opts.chosen()
	for i, c := range checks {
		if o.Progress != nil {
			o.Progress(i, len(checks), c.Row)
		}
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
		if x := r.try(c); ctx.Err() == nil { // what was cut off says nothing
			report.Results = append(report.Results, x)
		}
	}
	if o.Progress != nil {
		o.Progress(len(checks), len(checks), "")
	}
	return report, ctx.Err()
}

func newRun(ctx context.Context, o Options) (*run, error) {
	base := strings.TrimRight(o.URL, "/")
	if !strings.HasPrefix(base, "http://") && !strings.HasPrefix(base, "https://") {
		return nil, fmt.Errorf("%q is no base URL; it looks like https://example.com/scim/v2", o.URL)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	var b [4]byte
	_, _ = rand.Read(b[:])
	return &run{ctx: ctx, opts: o, base: base, tag: "conform-" + hex.EncodeToString(b[:]), gone: map[string]bool{},
		client: &http.Client{Transport: o.Transport, Timeout: o.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// A stop ends a check.
type stop struct {
	verdict Verdict
	reason  string
}

// try runs one check.
func (r *run) try(c Check) (res Result) {
	res = Result{Check: c, Verdict: Passed}
	p := &probe{run: r}
	began := time.Now()
	defer func() {
		res.Took = time.Since(began)
		switch e := recover().(type) {
		case nil:
		case stop:
			res.Verdict, res.Reason = e.verdict, e.reason
		default:
			panic(e)
		}
		if res.Verdict == Failed {
			res.Exchanges = p.said
		}
	}()
	if r.opts.ReadOnly && !c.Reads {
		p.skip("nothing may be written")
	}
	c.run(p)
	return res
}

// clean deletes what was made, groups before their members, and tells what is left.
func (r *run) clean() []string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), 2*time.Minute)
	defer cancel()
	r.ctx = ctx
	var left []string
	for i := len(r.made) - 1; i >= 0; i-- {
		path := r.made[i]
		if r.gone[path] {
			continue
		}
		p := &probe{run: r}
		a, err := p.exchange(http.MethodDelete, path, nil, nil)
		if err != nil || a.status/100 != 2 && a.status != http.StatusNotFound && a.status != http.StatusGone {
			left = append(left, path)
		}
		r.gone[path] = true
	}
	return left
}
