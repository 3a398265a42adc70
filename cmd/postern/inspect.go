package main

import (
	"context"
	"fmt"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// inspectAll logs what is unwise in the configuration, and what of it does not fit
// the backends. Nothing of this keeps Postern from serving: a backend that is
// down may be up soon.
func (a *assembly) inspectAll(ctx context.Context) {
	for i := range a.targets {
		a.inspect(ctx, i)
	}
	for _, p := range a.cfg.Report.Problems() {
		at := fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
		a.log.Warn(p.Message, "at", at, "hint", p.Hint)
	}
}

// inspect compares one target with the live backend and reports what does not
// fit where the configuration says it.
func (a *assembly) inspect(ctx context.Context, i int) {
	m, r := a.mappings[i], a.cfg.Resource(a.mappings[i].Type.Name)
	if b := a.cfg.Backend(r.Target.Backend.Value); a.lookOnly && unborn(*b) {
		a.cfg.Report.Warnf(b.SQL.Init.Text, "", "backend %s is not there yet; postern serve makes it by this script", b.Name.Value)
		return
	}
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
