package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/internal/trial"
	"github.com/postern/postern/rules"
)

type tryCommand struct {
	source
	tenantFlag
	Method string   `arg:"" optional:"" help:"GET, POST, PUT, PATCH or DELETE." placeholder:"METHOD"`
	Path   string   `arg:"" optional:"" help:"What is asked for, below the base URL: /Users/1, or '/Users?filter=userName eq \"ada\"'." placeholder:"PATH"`
	Body   string   `short:"d" help:"The body: JSON, @FILE, or - for standard input." placeholder:"JSON"`
	Header []string `short:"H" sep:"none" help:"A header of the request, as in 'If-Match: \"1\"'." placeholder:"NAME: VALUE"`
	Client string   `help:"As which client of the configuration (default: the first)." placeholder:"NAME"`
	DryRun bool     `help:"Stop before the first change, and show it. No id is kept."`
	Record string   `help:"Write the request and what the backends answered to a file." placeholder:"FILE" xor:"tape"`
	Replay string   `help:"Let such a file answer instead of the backends; without METHOD and PATH, to its own request." placeholder:"FILE" xor:"tape"`
	JSON   bool     `help:"Print everything as JSON."`
}

// Help is printed below the summary.
func (tryCommand) Help() string {
	return `Shown are: what of the request was read with tolerance, every operation on a backend with the statements or calls that it took, which
field belongs to which attribute by which line of the configuration, and the answer. Passwords and other secrets are hidden, in
recordings too.

The request is really made, unless --dry-run or --replay is given. The exit status is 0 if there is an answer, whatever it says.

    postern try GET '/Users?filter=userName eq "ada.lovelace"'
    postern try --dry-run POST /Users -d @ada.json
    postern try --record ada.rec GET /Users/1re2253qto6it6te9t1shq2mp8
    postern try --replay ada.rec`
}

// Validate refuses what would silently mean nothing.
func (c tryCommand) Validate() error {
	switch {
	case c.Replay == "" && (c.Method == "" || c.Path == ""):
		return errors.New("expected METHOD and PATH, as in GET /Users")
	case (c.Method == "") != (c.Path == ""):
		return errors.New("expected METHOD and PATH, or neither with --replay")
	case c.Method == "" && c.Body != "":
		return errors.New("--body goes with METHOD and PATH")
	}
	return nil
}

func (c tryCommand) Run(ctx context.Context, m *Main) error {
	rec, err := c.recording()
	if err != nil {
		return err
	}
	req, err := c.request(m, rec)
	if err != nil {
		return err
	}
	load := load
	if rec != nil {
		load = loadWithoutSecrets
	}
	cfg, mappings, err := load(c.file())
	if err == nil {
		cfg, mappings, err = c.as(ctx, cfg, mappings)
	}
	if err != nil {
		return err
	}
	client, err := clientOf(cfg, req.Client)
	if err != nil {
		return err
	}
	req.Client = client.Name.Value
	for i := range cfg.Backends {
		if b := &cfg.Backends[i]; c.DryRun && unborn(*b) {
			return fmt.Errorf("backend %s is not there yet; postern serve makes it by %s, and a dry run makes nothing", b.Name.Value, b.SQL.Init.Value)
		}
	}
	return c.try(ctx, m, cfg, mappings, req, rec)
}

func (c tryCommand) recording() (*trace.Recording, error) {
	if c.Replay == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Replay)
	if err != nil {
		return nil, err
	}
	rec, err := trace.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Replay, err)
	}
	return rec, nil
}

// request is what is asked on the command line, or else what was recorded.
func (c tryCommand) request(m *Main, rec *trace.Recording) (trace.Request, error) {
	if c.Method == "" {
		req := rec.Request
		if c.Client != "" {
			req.Client = c.Client
		}
		return req, nil
	}
	req := trace.Request{Method: strings.ToUpper(c.Method), Path: tidyPath(c.Path), Client: c.Client}
	if rec != nil && req.Client == "" {
		req.Client = rec.Request.Client
	}
	body, err := readBody(m, c.Body)
	if err != nil {
		return req, err
	}
	if len(body) > 0 && !json.Valid(body) {
		return req, errors.New("the body is no JSON; a file is written @FILE")
	}
	req.Body = body
	return req, nil
}

func readBody(m *Main, text string) ([]byte, error) {
	file, named := strings.CutPrefix(text, "@")
	switch {
	case text == "-":
		return io.ReadAll(io.LimitReader(m.Stdin, 64<<20))
	case named:
		return os.ReadFile(file)
	}
	return []byte(text), nil
}

// tidyPath escapes what people leave as it is on a command line.
func tidyPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	var b strings.Builder
	for _, c := range []byte(path) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (c tryCommand) try(ctx context.Context, m *Main, cfg *config.Config, mappings []*rules.Mapping, req trace.Request, rec *trace.Recording) error {
	run := &trialRun{dry: c.DryRun, replayed: rec != nil,
		tape: trace.New(trace.Options{DryRun: c.DryRun, Replay: rec, Secrets: append(secrets(cfg), secretsIn(req.Body)...)})}
	defer run.close()
	a := &assembly{cfg: cfg, mappings: mappings, log: trial.Logger(), trace: m.Trace, lookOnly: c.DryRun || rec != nil, trial: run}
	defer func() { _ = a.close() }()
	if err := run.seed(ctx, cfg, rec); err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	out, err := a.send(ctx, req, headersOf(c.Header))
	if err != nil {
		return err
	}
	if c.Record != "" {
		if err := a.record(ctx, c.Record, req); err != nil {
			return err
		}
	}
	report := trial.NewReport(req, out, run.tape, views(cfg, mappings))
	report.Request.Body = json.RawMessage(run.tape.BlotBody(string(req.Body)))
	if c.JSON {
		return printJSON(m.Stdout, report)
	}
	report.Text(m.Stdout)
	return nil
}

func headersOf(lines []string) map[string][]string {
	out := map[string][]string{}
	for _, l := range lines {
		name, v, _ := strings.Cut(l, ":")
		out[strings.TrimSpace(name)] = append(out[strings.TrimSpace(name)], strings.TrimSpace(v))
	}
	return out
}

// send sends a request as one of the configuration's clients.
func (a *assembly) send(ctx context.Context, req trace.Request, headers map[string][]string) (*trial.Outcome, error) {
	o, err := a.doorOptions()
	if err != nil {
		return nil, err
	}
	r := trial.Request{Method: req.Method, Path: req.Path, Body: req.Body, Header: map[string][]string{}}
	for name, v := range headers {
		for _, x := range v {
			r.Header.Add(name, x)
		}
	}
	if base, err := url.Parse(o.Base); err == nil {
		r.Path = strings.TrimPrefix(r.Path, strings.TrimRight(base.Path, "/"))
	}
	return trial.Send(ctx, o, a.principal(req.Client), r)
}

// secretsIn finds the texts in a body under names that look like a secret's.
func secretsIn(body []byte) []string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var out []string
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			path, _ := v["path"].(string)
			for k, e := range v {
				if k == "value" && path != "" {
					k = path
				}
				walk(k, e)
			}
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case string:
			if trace.SecretName(name) {
				out = append(out, v)
			}
		}
	}
	walk("", v)
	return out
}
