package main

import (
	"net/http"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// This file says the configuration of REST backends in the words of package rest.

// restKind is the type of backend.
const restKind = "rest"

// restBackend opens a backend. Nothing is sent. The transport may be nil.
func restBackend(c *config.Config, b *config.Backend, transport func(http.RoundTripper) http.RoundTripper) (*rest.Backend, []steps.Problem, error) {
	r := &b.REST
	cred := credentials(r, config.Secret.Reveal)
	cfg := rest.Config{URL: r.URL.Value, Values: tenantValues(c), Headers: cred.Headers, Secrets: cred.Secrets, User: cred.User, Password: cred.Password, OAuth: cred.OAuth,
		Refresh: func() rest.Config { return credentials(r, config.Secret.Again) }, Namespace: r.Namespace.Value,
		Format: r.Format.Value, Cookies: r.Cookies.Value, Size: r.Size.Value, Repeats: r.Repeats.Value, UserAgent: r.UserAgent.Value, Transport: transport,
		TLS: rest.TLS{CA: r.TLS.CA.Resolved, Cert: r.TLS.Cert.Resolved, Key: r.TLS.Key.Resolved}}
	if l := r.Login; l != nil {
		cfg.Login = &rest.Login{Steps: stepsOf(l.Steps, restStep), Refresh: stepsOf(l.Refresh, restStep), Headers: pairs(l.Headers), Expires: rest.Text(l.Expires), Time: l.Time.Value, Again: rest.Text(l.Again)}
	}
	if p := r.Probe; p != nil {
		cfg.Probe = &rest.Probe{Step: restStep(&p.Step), Expect: rest.Text(p.Expect), Every: p.Every.Value}
	}
	return rest.Open(cfg)
}

// tenantValues are what the expressions of steps know of the tenant.
func tenantValues(c *config.Config) map[string]any {
	params := map[string]any{}
	for name, v := range c.Values {
		params[name] = v
	}
	return map[string]any{"params": params, "tenant": c.Tenant}
}

func revealed(list []config.NamedSecret) map[string]string {
	return secretsOf(list, config.Secret.Reveal)
}

func secretsOf(list []config.NamedSecret, reveal func(config.Secret) string) map[string]string {
	out := make(map[string]string, len(list))
	for _, s := range list {
		out[s.Name.Value] = reveal(s.Value)
	}
	return out
}

// credentials are what opens a backend.
func credentials(r *config.RESTBackend, reveal func(config.Secret) string) rest.Config {
	cfg := rest.Config{Headers: secretsOf(r.Headers, reveal), Secrets: secretsOf(r.Secrets, reveal)}
	if r.Basic != nil {
		cfg.User, cfg.Password = r.Basic.User.Value, reveal(r.Basic.Password)
	}
	if o := r.OAuth; o != nil {
		cfg.OAuth = &rest.OAuth{URL: o.URL.Value, Client: o.Client.Value, Secret: reveal(o.Secret), Scope: o.Scope.Value}
	}
	return cfg
}

// restAdapter makes the adapter of a resource type.
func restAdapter(b *rest.Backend, m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem) {
	a, problems := b.New(stepTarget(m, r, restStep))
	if a == nil {
		return nil, problems
	}
	return a, nil
}

func restStep(s *config.Step) rest.Step {
	verb, path := s.Verb()
	out := rest.Step{Written: writtenStep(s), Verb: rest.Text{Value: verb, Line: path.Line, Column: path.Column}, Path: rest.Text(path),
		Send: rest.Text(s.Send), Format: rest.Text(s.Format), Query: pairs(s.Query), Headers: pairs(s.Headers)}
	if s.Undo != nil {
		undo := restStep(s.Undo)
		out.Undo = &undo
	}
	return out
}

// checkREST compiles what is said about REST backends and reports its mistakes,
// so that check and serve find them with all others.
func checkREST(cfg *config.Config, units []*unit) {
	backends := map[string]*rest.Backend{}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		if b.Type.Value != restKind || b.REST.URL.Value == "" {
			continue
		}
		opened, problems, err := restBackend(cfg, b, nil)
		reportSteps(cfg, problems)
		if err != nil {
			cfg.Report.Errorf(b.Name, "", "backend %s: %s", b.Name.Value, err)
			continue
		}
		backends[b.Name.Value] = opened
	}
	for _, u := range units {
		m, r := u.mapping, u.resource
		if b := backends[r.Target.Backend.Value]; b != nil {
			_, problems := restAdapter(b, m, r)
			reportSteps(cfg, u.sure(problems))
		}
	}
}
