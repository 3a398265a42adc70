package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim/filter"
)

// This file says the configuration of REST backends in the words of package rest.

// restKind is the type of backend.
const restKind = "rest"

// restBackend opens a backend. Nothing is sent. The transport may be nil.
func restBackend(b *config.Backend, transport func(http.RoundTripper) http.RoundTripper) (*rest.Backend, []steps.Problem, error) {
	r := &b.REST
	cfg := rest.Config{URL: r.URL.Value, Headers: revealed(r.Headers), Secrets: revealed(r.Secrets), Namespace: r.Namespace.Value,
		Format: r.Format.Value, Cookies: r.Cookies.Value, Size: r.Size.Value, UserAgent: r.UserAgent.Value, Transport: transport,
		TLS: rest.TLS{CA: r.TLS.CA.Resolved, Cert: r.TLS.Cert.Resolved, Key: r.TLS.Key.Resolved}}
	if r.Basic != nil {
		cfg.User, cfg.Password = r.Basic.User.Value, r.Basic.Password.Reveal()
	}
	if o := r.OAuth; o != nil {
		cfg.OAuth = &rest.OAuth{URL: o.URL.Value, Client: o.Client.Value, Secret: o.Secret.Reveal(), Scope: o.Scope.Value}
	}
	if l := r.Login; l != nil {
		cfg.Login = &rest.Login{Steps: restSteps(l.Steps), Headers: restPairs(l.Headers), Expires: rest.Text(l.Expires), Time: l.Time.Value, Again: rest.Text(l.Again)}
	}
	if p := r.Probe; p != nil {
		cfg.Probe = &rest.Probe{Step: restStep(&p.Step), Expect: rest.Text(p.Expect), Every: p.Every.Value}
	}
	return rest.Open(cfg)
}

func revealed(all []config.NamedSecret) map[string]string {
	out := make(map[string]string, len(all))
	for _, s := range all {
		out[s.Name.Value] = s.Value.Reveal()
	}
	return out
}

// restAdapter makes the adapter of a resource type.
func restAdapter(b *rest.Backend, m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem) {
	w := &r.Target.REST
	g := generated(m, r)
	t := rest.Target{Kind: r.Name.Value, Fields: m.Shape().Names(), Refers: map[string]string{}, Key: m.Key(), Given: g == nil || !*g,
		Read: restPairs(w.Read), Clear: rest.Text(w.Clear), Fails: restFails(w.Fails),
		Get: restSteps(w.Get), List: restSteps(w.List), Create: restSteps(w.Create), Update: restSteps(w.Update), Delete: restSteps(w.Delete)}
	for _, rule := range m.Rules() {
		to, list := rule.Refers()
		if list && !slices.Contains(t.Multi, rule.Field()) {
			t.Multi = append(t.Multi, rule.Field())
		}
		if to != "" {
			t.Refers[rule.Field()] = to
		}
	}
	for _, f := range w.Finds {
		t.Finds = append(t.Finds, restFind(f))
	}
	for _, x := range w.Members {
		t.Members = append(t.Members, rest.Members{Field: rest.Text(x.Field), Add: restSteps(x.Add), Remove: restSteps(x.Remove), Change: restSteps(x.Change)})
	}
	a, problems := b.New(t)
	if a == nil {
		return nil, problems
	}
	return a, nil
}

func restFind(f config.Find) rest.Find {
	out := rest.Find{Exact: f.Exact.Value, IgnoresCase: f.IgnoresCase.Value, Steps: restSteps(f.Steps)}
	if len(f.Steps) == 0 {
		out.Steps = []rest.Step{restStep(&f.Step)}
	}
	for _, a := range f.Answers {
		var ops filter.Ops
		for _, o := range a.Ops {
			for op := filter.Eq; op <= filter.Pr; op++ {
				if op.String() == o.Value {
					ops |= filter.OpsOf(op)
				}
			}
		}
		out.Answers = append(out.Answers, rest.Answer{Field: rest.Text(a.Field), Ops: ops})
	}
	return out
}

func restSteps(all []config.Step) []rest.Step {
	var out []rest.Step
	for i := range all {
		out = append(out, restStep(&all[i]))
	}
	return out
}

func restStep(s *config.Step) rest.Step {
	verb, path := s.Verb()
	out := rest.Step{Written: writtenStep(s), Verb: rest.Text{Value: verb, Line: path.Line, Column: path.Column}, Path: rest.Text(path),
		Send: rest.Text(s.Send), Format: rest.Text(s.Format), Query: restPairs(s.Query), Headers: restPairs(s.Headers)}
	if s.Undo != nil {
		undo := restStep(s.Undo)
		out.Undo = &undo
	}
	return out
}

// writtenStep is what a step says whatever its call.
func writtenStep(s *config.Step) steps.Written {
	out := steps.Written{At: rest.Text(s.At), Name: rest.Text(s.Name), When: rest.Text(s.When), Each: rest.Text(s.Each),
		Fails: restFails(s.Fails), Let: restPairs(s.Let), Set: restPairs(s.Set),
		Record: rest.Text(s.Record), Records: rest.Text(s.Records), Key: rest.Text(s.Key), Total: rest.Text(s.Total), Next: rest.Text(s.Next),
		Truncated: rest.Text(s.Truncated), Size: s.Size.Value, Ordered: s.Ordered.Value}
	for _, l := range s.Lacks {
		out.Lacks = append(out.Lacks, rest.Text(l))
	}
	return out
}

func restPairs(all []config.Pair) []rest.Pair {
	var out []rest.Pair
	for _, p := range all {
		out = append(out, rest.Pair{Name: rest.Text(p.Name), Value: rest.Text(p.Value)})
	}
	return out
}

func restFails(all []config.Fail) []rest.Fail {
	var out []rest.Fail
	for _, f := range all {
		out = append(out, rest.Fail{When: rest.Text(f.When), Kind: rest.Text(f.Kind), Field: rest.Text(f.Field)})
	}
	return out
}

// checkREST compiles what is said about REST backends and reports its mistakes,
// so that check and serve find them with all others.
func checkREST(cfg *config.Config, mappings []*rules.Mapping) {
	backends := map[string]*rest.Backend{}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		if b.Type.Value != restKind || b.REST.URL.Value == "" {
			continue
		}
		opened, problems, err := restBackend(b, nil)
		reportSteps(cfg, problems)
		if err != nil {
			cfg.Report.Errorf(b.Name, "", "backend %s: %s", b.Name.Value, err)
			continue
		}
		backends[b.Name.Value] = opened
	}
	for _, m := range mappings {
		r := cfg.Resource(m.Type.Name)
		if b := backends[r.Target.Backend.Value]; b != nil {
			_, problems := restAdapter(b, m, r)
			reportSteps(cfg, problems)
		}
	}
}

func reportSteps(cfg *config.Config, problems []steps.Problem) {
	for _, p := range problems {
		at := config.Text(p.At)
		if p.Length > 0 {
			cfg.Report.Inside(at, p.Offset, p.Length, p.Message, p.Hint, false)
		} else {
			cfg.Report.Errorf(at, p.Hint, "%s", p.Message)
		}
	}
}

// faults are the problems of a file that was changed since it was checked.
func faults(problems []steps.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.Error())
	}
	return fmt.Errorf("%s", strings.Join(all, "; "))
}
