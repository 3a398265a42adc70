package main

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// This file knows the types of backend that are opened alike.

// An opened backend makes the adapter of each of its resource types.
type opened interface {
	adapter(m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem)

	// inspect compares a resource type with the live backend and reports what does not
	// fit; false if there is no more to do than to ask whether it is there.
	inspect(ctx context.Context, c *config.Config, m *rules.Mapping, r *config.Resource) (bool, error)
	close()
}

// opener opens backends of a type; nil for types that are opened in another way.
// It does no more than to look whether what the configuration says can be so.
func opener(kind string) func(*config.Config, *config.Backend, *trialRun) (opened, []steps.Problem, error) {
	switch kind {
	case commandKind:
		return openProgram
	case scimKind:
		return openServer
	case fileKind:
		return openFolder
	}
	return nil
}

// checkKinds compiles what is said about backends and their targets and reports its
// mistakes, so that check and serve find them with all others.
func checkKinds(cfg *config.Config, units []*unit) {
	all := map[string]opened{}
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		open := opener(b.Type.Value)
		if open == nil || !whole(b) {
			continue
		}
		made, problems, err := open(cfg, b, nil)
		reportSteps(cfg, problems)
		if err != nil {
			cfg.Report.Errorf(placeOfBackend(b), "", "backend %s: %s", b.Name.Value, err)
			continue
		}
		defer made.close()
		all[b.Name.Value] = made
	}
	for _, u := range units {
		m, r := u.mapping, u.resource
		if b := all[r.Target.Backend.Value]; b != nil {
			_, problems := b.adapter(m, r)
			reportSteps(cfg, u.sure(problems))
		}
	}
}

// whole reports whether a backend has what it needs; the lack of it is reported.
func whole(b *config.Backend) bool { return placeOfBackend(b).Value != "" }

// placeOfBackend is where the configuration says where the backend is.
func placeOfBackend(b *config.Backend) config.Text {
	switch b.Type.Value {
	case commandKind:
		return b.Command.Program.Text
	case scimKind:
		return b.REST.URL
	case fileKind:
		return b.File.Path.Text
	}
	return b.Name
}
