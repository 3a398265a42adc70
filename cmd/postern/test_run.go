package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/internal/trial"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A tester tries tests, each by itself: they share the compiled configuration and a
// mapping table that is thrown away, in which each is a tenant of its own.
type tester struct {
	cfg      *config.Config
	mappings []*rules.Mapping
	dir      string
}

func newTester(_ context.Context, cfg *config.Config, mappings []*rules.Mapping) (*tester, error) {
	dir, err := os.MkdirTemp("", "postern-*")
	return &tester{cfg, mappings, dir}, err
}

func (t *tester) close() { _ = os.RemoveAll(t.dir) }

// An attempt is one test while it is tried.
type attempt struct {
	*tester
	test     *config.Test
	report   *config.Reporter
	resource *config.Resource
	mapping  *rules.Mapping
	client   *config.Client
	run      *trialRun
	title    string
	key      string // of the record that is given
	request  trace.Request
	out      *trial.Report
}

func (t *tester) run(ctx context.Context, number int, test *config.Test, report *config.Reporter) result {
	a := &attempt{tester: t, test: test, report: config.NewReporter(report.Source)}
	a.try(ctx, number)
	r := result{Name: a.title, File: report.Source.File, Line: test.Place.Line, Problems: a.report.Problems()}
	if r.Passed = len(r.Problems) == 0; !r.Passed && a.out != nil {
		var b strings.Builder
		a.out.Text(&b)
		r.shown = b.String()
	}
	return r
}

// wrong reports a problem of the test.
func (a *attempt) wrong(at config.Text, hint, format string, args ...any) {
	a.report.Errorf(at, hint, "test %q: %s", a.title, fmt.Sprintf(format, args...))
}

func (a *attempt) try(ctx context.Context, number int) {
	a.title = a.test.Name.Value
	if a.title == "" {
		a.title = fmt.Sprintf("number %d", number+1)
	}
	if a.resource, a.mapping = resourceOf(a.cfg, a.mappings, a.test); a.mapping == nil {
		a.wrong(a.test.Type, "known here: "+typeNames(a.cfg), "there is no resource type %q", a.test.Type.Value)
		return
	}
	var err error
	if a.client, err = clientOf(a.cfg, a.test.Client.Value); err != nil {
		a.wrong(a.test.Client, "", "%s", err)
		return
	}
	a.run = &trialRun{replayed: true, table: filepath.Join(a.dir, "ids.db"), stands: map[string][]givenRecord{}, answered: map[string]bool{}}
	if !a.give() || !a.ask() {
		return
	}
	if err := a.send(ctx, number); err != nil {
		a.wrong(a.test.Place, "", "%s", err)
		return
	}
	a.judge(ctx)
}

// ask makes the request.
func (a *attempt) ask() bool {
	t := a.test
	a.request = trace.Request{Client: a.client.Name.Value}
	switch {
	case t.Create != nil:
		a.request.Method, a.request.Path = "POST", a.resource.Endpoint.Value
		return a.body(t.Create)
	case t.Request.IsSet():
		method, path, ok := strings.Cut(t.Request.Value, " ")
		if !ok || !strings.HasPrefix(strings.TrimSpace(path), "/") {
			a.wrong(t.Request, "as in GET /Users/7", "%q is no request", t.Request.Value)
			return false
		}
		a.request.Method, a.request.Path = strings.ToUpper(method), tidyPath(strings.TrimSpace(path))
		return t.Body == nil || a.body(t.Body)
	}
	a.request.Method, a.request.Path = "GET", a.resource.Endpoint.Value+"/"+url.PathEscape(a.key)
	return true
}

// body makes the body of a request: schemas may be left out, and around the
// operations of a PATCH everything.
func (a *attempt) body(t *config.Tree) bool {
	v := t.Any()
	if list, ok := v.([]any); ok && a.request.Method == "PATCH" {
		v = map[string]any{"Operations": list}
	}
	if object, ok := v.(map[string]any); ok && object["schemas"] == nil {
		object["schemas"] = a.schemas(object)
	}
	data, err := json.Marshal(v)
	if err != nil {
		a.wrong(t.Text, "", "the body cannot be JSON: %s", err)
		return false
	}
	a.request.Body = data
	return true
}

func (a *attempt) schemas(object map[string]any) []string {
	switch {
	case a.request.Method == "PATCH":
		return []string{scim.PatchOpMessage}
	case strings.HasSuffix(a.request.Path, "/.search"):
		return []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}
	}
	out := []string{a.resource.SchemaURN}
	for _, e := range a.resource.Extensions {
		if object[e.URN] != nil {
			out = append(out, e.URN)
		}
	}
	return out
}

// send makes a gateway of the configuration, with what is given in place of the
// backends, and sends it the request. Ids are keys.
func (a *attempt) send(ctx context.Context, number int) error {
	cfg := *a.cfg
	cfg.Tenant = fmt.Sprintf("test %d", number)
	cfg.Clients = append([]config.Client(nil), a.cfg.Clients...)
	for i := range cfg.Clients {
		cfg.Clients[i].IDs.Value = "existing"
	}
	cfg.Backends = append([]config.Backend(nil), a.cfg.Backends...)
	for i := range cfg.Backends { // what opens the way to a backend is no part of a mapping
		r := &cfg.Backends[i].REST
		r.Probe, r.Login, r.OAuth = nil, nil, nil
	}
	gw := &assembly{cfg: &cfg, mappings: a.mappings, log: trial.Logger(), lookOnly: true, trial: a.run}
	defer func() { _ = gw.close() }()
	if err := gw.open(ctx); err != nil {
		return err
	}
	out, err := gw.send(ctx, a.request, nil)
	if err != nil {
		return err
	}
	a.out = trial.NewReport(a.request, out, a.run.tape, a.mappings)
	return nil
}
