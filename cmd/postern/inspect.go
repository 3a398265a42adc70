package main

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// inspect compares one target with the live backend and reports what does not
// fit where the configuration says it.
func (a *assembly) inspect(ctx context.Context, i int) {
	m, r := a.mappings[i], a.cfg.Resource(a.mappings[i].Type.Name)
	if a.tables[i] == nil {
		if err := a.targets[i].Adapter.Probe(ctx); err != nil {
			a.cfg.Report.Errorf(r.Target.Backend, "", "backend %s does not answer (%s)", r.Target.Backend.Value, adapters.KindOf(err))
		}
		return
	}
	problems, err := a.tables[i].Inspect(ctx, lookups(m)...)
	if err != nil {
		a.cfg.Report.Errorf(r.Target.Backend, "is the database there, and may this user read it?",
			"backend %s does not answer (%s)", r.Target.Backend.Value, adapters.KindOf(err))
		return
	}
	for _, p := range problems {
		at := placeOf(r, p.Column)
		if p.Warning {
			a.cfg.Report.Warnf(at, "", "%s", p.String())
		} else {
			a.cfg.Report.Errorf(at, "", "%s", p.String())
		}
	}
}

// placeOf is where the configuration names a column, or else its table.
func placeOf(r *config.Resource, column string) config.Text {
	for _, k := range r.Target.Key {
		if k.Value == column {
			return k
		}
	}
	for _, rule := range r.Attributes {
		for _, t := range []config.Text{rule.Name, rule.Owner, rule.Member} {
			if column != "" && t.Value == column {
				return t
			}
		}
	}
	return r.Target.SQL.Table
}

// lookups are the fields by which clients look for one resource.
func lookups(m *rules.Mapping) []string {
	var out []string
	for _, rule := range m.Rules() {
		a := rule.Attribute()
		if rule.Field() != "" && !rule.Costly() && (a.Uniqueness != scim.UniqueNone || a.Name == "displayName" && m.Type.Name == "Group") {
			out = append(out, rule.Field())
		}
	}
	return out
}
