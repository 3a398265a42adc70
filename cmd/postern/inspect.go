package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/adapters/steps"
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
		a.warn(p)
	}
}

func (a *assembly) warn(p config.Problem) {
	a.log.Warn(p.Message, "at", fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column), "hint", p.Hint)
}

// inspect compares one target with the live backend and reports what does not
// fit where the configuration says it.
func (a *assembly) inspect(ctx context.Context, i int) {
	for _, u := range a.units[i] {
		a.inspectUnit(ctx, u)
	}
}

func (a *assembly) inspectUnit(ctx context.Context, u *unit) {
	m, r := u.mapping, u.resource
	b := a.cfg.Backend(r.Target.Backend.Value)
	if a.lookOnly && unborn(*b) {
		a.cfg.Report.Warnf(b.SQL.Init.Text, "", "backend %s is not there yet; postern serve makes it by this script", b.Name.Value)
		return
	}
	var problems []sql.Problem
	var err error
	switch table := u.table; {
	case table != nil:
		if problems, err = table.Inspect(ctx, lookups(m)...); err == nil {
			var own []steps.Problem
			own, err = table.InspectOwn(ctx)
			reportSteps(a.cfg, own)
		}
	case a.branches[m] != nil:
		err = a.inspectBranch(ctx, m, r)
	default:
		var asked bool
		if kind := a.kinds[b.Name.Value]; kind != nil {
			asked, err = kind.inspect(ctx, a.cfg, m, r)
		}
		if !asked && err == nil {
			err = u.adapter.Probe(ctx)
		}
	}
	if err != nil {
		a.cfg.Report.Errorf(b.Name, "is it there, and may this user read it?",
			"backend %s does not answer (%s)", b.Name.Value, adapters.KindOf(err))
	}
	for _, p := range problems {
		if !p.Written || writes(m, p.Column) {
			reportMisfit(a.cfg, r, p)
		}
	}
}

// writes reports whether a rule writes the field.
func writes(m *rules.Mapping, field string) bool {
	return slices.ContainsFunc(m.Rules(), func(r *rules.Rule) bool { return r.Field() == field && r.Writable() })
}

// reportMisfit reports a problem of a table where the configuration names it. What
// is wrong with another resource type's table is reported there.
func reportMisfit(cfg *config.Config, r *config.Resource, p sql.Problem) {
	at, offset, ok := placeOf(r, p.Table, p.Column)
	if !ok {
		return
	}
	message, hint, _ := strings.Cut(p.String(), "; ")
	if p.Reuse {
		if r.Target.Birth.IsSet() {
			return
		}
		hint = "make it so, or name in birth a column that never changes and tells the two apart"
	}
	switch {
	case offset > 0:
		cfg.Report.Inside(at, offset, len(p.Column), message, hint, p.Warning)
	case p.Warning:
		cfg.Report.Warnf(at, hint, "%s", message)
	default:
		cfg.Report.Errorf(at, hint, "%s", message)
	}
}

// placeOf is where the configuration names a column, or else its table. The
// offset is that of a column within an expression.
func placeOf(r *config.Resource, table, column string) (at config.Text, offset int, ok bool) {
	if !strings.EqualFold(table, r.Target.SQL.Table.Value) {
		if at, ok = placeBeside(r, table, column); ok {
			return at, 0, true
		}
		at, ok = placeInJoin(r, table, column)
		return at, 0, ok
	}
	for _, k := range r.Target.Key {
		if first, _, _ := strings.Cut(column, ", "); k.Value == first {
			return k, 0, true
		}
	}
	if column != "" && r.Target.Birth.Value == column {
		return r.Target.Birth, 0, true
	}
	expressions := []config.Text{r.Target.Scope}
	for _, rule := range r.Attributes {
		if column != "" && rule.Name.Value == column {
			return rule.Name, 0, true
		}
		expressions = append(expressions, rule.In)
	}
	for _, e := range expressions {
		if i := strings.Index(e.Value, "record."+column); i >= 0 && column != "" {
			return e, i + len("record."), true
		}
	}
	return r.Target.SQL.Table, 0, true
}

// placeInJoin is the same for a join table.
func placeInJoin(r *config.Resource, table, column string) (config.Text, bool) {
	for _, rule := range r.Attributes {
		if !strings.EqualFold(rule.Table.Value, table) {
			continue
		}
		for _, t := range append([]config.Text{rule.Member}, rule.Owner...) {
			if strings.EqualFold(t.Value, column) {
				return t, true
			}
		}
		return rule.Table, true
	}
	return config.Text{}, false
}

// placeBeside is the same for tables that a join, a column or a look-up names.
func placeBeside(r *config.Resource, table, column string) (config.Text, bool) {
	find := func(named config.Text, columns ...config.Text) (config.Text, bool) {
		if !strings.EqualFold(named.Value, table) {
			return named, false
		}
		for _, t := range columns {
			if strings.EqualFold(t.Value, column) {
				return t, true
			}
		}
		return named, true
	}
	looked := func(l *config.Lookup) (config.Text, bool) {
		if l == nil {
			return config.Text{}, false
		}
		return find(l.Table, l.Key, l.Name)
	}
	for _, rule := range r.Attributes {
		columns := append([]config.Text{rule.Order}, slices.Concat(rule.Owner, rule.Key)...)
		for _, c := range rule.Columns {
			if at, ok := looked(c.Lookup); ok {
				return at, true
			}
			columns = append(columns, c.Name)
		}
		if at, ok := looked(rule.Lookup); ok {
			return at, true
		}
		if at, ok := find(rule.Table, columns...); ok && len(rule.Columns) > 0 {
			return at, true
		}
	}
	for _, j := range r.Target.SQL.Joins {
		columns := append([]config.Text{j.Names, j.Values}, j.On...)
		for _, rule := range r.Attributes {
			if name, c, ok := strings.Cut(rule.Name.Value, "."); ok && name == j.Name.Value && strings.EqualFold(c, column) && strings.EqualFold(j.Table.Value, table) {
				return rule.Name, true
			}
		}
		if at, ok := find(j.Table, columns...); ok {
			return at, true
		}
	}
	return config.Text{}, false
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
