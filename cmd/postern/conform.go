package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/postern/postern/conform"
)

type conformCommand struct {
	URL       string        `arg:"" optional:"" help:"The base URL of a SCIM server: what stands before /Users." placeholder:"URL"`
	Token     string        `help:"The bearer token." env:"SCIM_TOKEN" placeholder:"TOKEN"`
	TokenFile string        `help:"A file that holds the bearer token." placeholder:"FILE" type:"existingfile"`
	Header    []string      `short:"H" sep:"none" help:"A header of every request, as in 'Authorization: Basic ...'." placeholder:"NAME: VALUE"`
	CA        string        `help:"The certificates to trust, as a PEM file." placeholder:"FILE" type:"existingfile"`
	Insecure  bool          `help:"Trust any certificate."`
	Timeout   time.Duration `help:"For one request." default:"60s" placeholder:"60s"`
	Only      []string      `help:"Only these checks: rows as P-48, or letters as P for all of PATCH." placeholder:"ROW,..."`
	Skip      []string      `help:"Not these checks." placeholder:"ROW,..."`
	ReadOnly  bool          `help:"Only checks that write nothing."`
	User      string        `help:"What users need besides what the schemas say: JSON, or @FILE; {n} stands for a unique word." placeholder:"JSON"`
	Group     string        `help:"The same for groups." placeholder:"JSON"`
	Strict    bool          `help:"Fail also if a SHOULD is not followed."`
	List      bool          `help:"Print the checks, and run none."`
	Verbose   bool          `short:"v" help:"Print what passed, too."`
	JSON      bool          `help:"Print everything as JSON." xor:"form"`
	JUnit     bool          `name:"junit" help:"Print everything as JUnit does, for build servers." xor:"form"`
}

// Help is printed below the summary.
func (conformCommand) Help() string {
	return `The server may be any, of whatever make. It is asked what it supports, and then held to that: one check per requirement of RFC 7643, 7644
and 9865 that can be seen from outside. Each has a row, such as P-48, a sentence, and the section that it comes from.

The checks make users and groups of their own, whose names begin with "conform-", and delete them at the end, also after Ctrl-C.
Nothing else is changed. What failed is shown with its requests and answers, without secrets.

The exit status is 0 if no MUST failed (with --strict: no SHOULD either), 1 if one did or the server cannot be reached, 2 for a mistake in the
command line.

    postern conform https://example.com/scim/v2 --token-file token.txt
    postern conform http://127.0.0.1:8080/scim/v2 --only P,F --junit > conform.xml
    postern conform https://example.com/scim/v2 --user '{"userName":"{n}@example.com"}'`
}

// Validate lets only --list stand without a URL.
func (c conformCommand) Validate() error {
	if c.URL == "" && !c.List {
		return errors.New("expected URL, as in https://example.com/scim/v2")
	}
	return nil
}

func (c *conformCommand) options(m *Main) (conform.Options, error) {
	o := conform.Options{URL: c.URL, Token: c.Token, Timeout: c.Timeout, Only: c.Only, Skip: c.Skip, ReadOnly: c.ReadOnly, Headers: http.Header{}}
	for name, v := range headersOf(c.Header) {
		o.Headers[http.CanonicalHeaderKey(name)] = v
	}
	if c.TokenFile != "" {
		data, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return o, err
		}
		o.Token = strings.TrimSpace(string(data))
	}
	var err error
	if o.User, err = template(m, c.User); err != nil {
		return o, fmt.Errorf("--user: %w", err)
	}
	if o.Group, err = template(m, c.Group); err != nil {
		return o, fmt.Errorf("--group: %w", err)
	}
	o.Transport, err = c.transport()
	return o, err
}

// template reads a JSON object.
func template(m *Main, text string) (conform.Object, error) {
	if text == "" {
		return nil, nil
	}
	data, err := readBody(m, text)
	if err != nil {
		return nil, err
	}
	var o conform.Object
	if json.Unmarshal(data, &o) != nil {
		return nil, errors.New(`expected a JSON object, such as {"userName":"{n}@example.com"}`)
	}
	return o, nil
}

func (c *conformCommand) transport() (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // as asked for
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", c.CA)
		}
	}
	return t, nil
}

func (c *conformCommand) Run(ctx context.Context, m *Main) error {
	if c.List {
		for _, x := range conform.Checks() {
			fmt.Fprintf(m.Stdout, "%-5s %-6s %s (%s)\n", x.Row, x.Level, x.Says, x.Source)
		}
		return nil
	}
	o, err := c.options(m)
	if err != nil {
		return err
	}
	show := newCheckBar(m.Stderr)
	o.Progress = show.progress
	report, stopped := conform.Run(ctx, o)
	show.end()
	if report == nil {
		return stopped
	}
	if err := c.print(m.Stdout, report); err != nil {
		return err
	}
	switch {
	case stopped != nil:
		return errors.New("interrupted; what was made is deleted")
	case report.Count(conform.Failed, conform.Must) > 0, c.Strict && report.Count(conform.Failed) > 0:
		return errFailed
	}
	return nil
}

func (c *conformCommand) print(w io.Writer, report *conform.Report) error {
	switch {
	case c.JSON:
		return report.JSON(w)
	case c.JUnit:
		return report.JUnit(w)
	}
	report.Text(w, c.Verbose)
	return nil
}

// A checkBar shows how far the checks are, if there is somebody to see it.
type checkBar struct {
	w    io.Writer
	made *progressbar.ProgressBar
}

func newCheckBar(w io.Writer) *checkBar {
	if !isTerminal(w) {
		return &checkBar{}
	}
	return &checkBar{w: w}
}

func (b *checkBar) progress(done, all int, row string) {
	if b.w == nil {
		return
	}
	if b.made == nil {
		b.made = progressbar.NewOptions(all, progressbar.OptionSetWriter(b.w), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	b.made.Describe(fmt.Sprintf("%-5s", row))
	_ = b.made.Set(done)
}

func (b *checkBar) end() {
	if b.made != nil {
		_ = b.made.Finish()
	}
}
