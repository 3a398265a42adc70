package main

import (
	"context"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/rest"
	"github.com/postern/postern/adapters/scim"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// This file says the configuration of other SCIM servers in the words of package scim.

// scimKind is the type of backend.
const scimKind = "scim"

// A scimServer is a backend of type scim. Its credential and its session are those
// that an API over HTTP has.
type scimServer struct {
	*scim.Backend
	http *rest.Backend
}

// openServer opens a backend. Nothing is sent.
func openServer(c *config.Config, b *config.Backend, t *trialRun) (opened, []steps.Problem, error) {
	api, problems, err := restBackend(c, b, t.transport(b.Name.Value))
	if err != nil {
		return nil, problems, err
	}
	w := &b.SCIM
	cfg := scim.Config{URL: b.REST.URL.Value, Version: w.Version.Value, Size: b.REST.Size.Value,
		NoPatch: w.Patch.Set && !w.Patch.Value, NoFind: w.Filter.Set && !w.Filter.Value, Send: api.Send}
	made, err := scim.Open(cfg)
	return scimServer{made, api}, problems, err
}

func (s scimServer) adapter(m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem) {
	a, problems := s.New(scimTarget(m, r))
	if a == nil {
		return nil, problems
	}
	return a, nil
}

// scimTarget is the target of a resource type.
func scimTarget(m *rules.Mapping, r *config.Resource) scim.Target {
	said := r.Target.SCIM.Endpoint
	t := scim.Target{Kind: r.Name.Value, Endpoint: said.Value, Said: said.IsSet(), Schema: r.SchemaURN, All: steps.Text(r.All), At: steps.Text(said)}
	if !t.Said {
		t.Endpoint, t.At = m.Type.Endpoint, steps.Text(r.Target.Backend)
	}
	at := map[string]config.Text{}
	for _, rule := range r.Attributes {
		at[rule.Name.Value] = rule.Name
	}
	for _, name := range m.Shape().Names() {
		t.Fields = append(t.Fields, steps.Text{Value: name, Line: at[name].Line, Column: at[name].Column})
	}
	for _, rule := range m.Rules() {
		if _, list := rule.Refers(); list && !slices.Contains(t.Multi, rule.Field()) {
			t.Multi = append(t.Multi, rule.Field())
		}
	}
	return t
}

func (s scimServer) inspect(ctx context.Context, cfg *config.Config, m *rules.Mapping, r *config.Resource) (bool, error) {
	problems, err := s.Inspect(ctx, scimTarget(m, r))
	reportSteps(cfg, problems)
	return false, err
}

func (s scimServer) close() { s.http.Close() }
