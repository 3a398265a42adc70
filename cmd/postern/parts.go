package main

import (
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/several"
	"github.com/postern/postern/adapters/sql"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// This file takes a resource type whose record has parts in several backends apart, and
// puts the adapters together. Each kind of backend is told of one of them as if it were
// all there is.

// A unit is what one backend holds of a resource type: the record itself, or a part.
type unit struct {
	mapping  *rules.Mapping
	resource *config.Resource
	part     *config.Part // nil: the record itself
	place    string       // of a type with places: its name, "" of the target
	sketch   bool         // some of its rules are wrong, and not there

	adapter adapters.Adapter // when it is open
	table   *sql.Adapter     // nil for other kinds
}

// allUnits are the units of all resource types.
func allUnits(cfg *config.Config, mappings []*rules.Mapping) []*unit {
	var out []*unit
	for _, m := range mappings {
		out = append(out, unitsOf(cfg, m)...)
	}
	return out
}

// views are the mappings of all units.
func views(cfg *config.Config, mappings []*rules.Mapping) []*rules.Mapping {
	var out []*rules.Mapping
	for _, u := range allUnits(cfg, mappings) {
		out = append(out, u.mapping)
	}
	return out
}

// unitsOf are the record itself and its parts.
func unitsOf(cfg *config.Config, m *rules.Mapping) []*unit {
	r := cfg.Resource(m.Type.Name)
	if len(r.Places) > 0 {
		return placesUnits(cfg, m)
	}
	if len(r.Parts) == 0 {
		return []*unit{{mapping: m, resource: r}}
	}
	names := partNames(r)
	apart := takenApart(r)
	var links []string
	for i := range r.Parts {
		if f := fromOf(r, &r.Parts[i]); f != adapters.KeyField {
			links = append(links, f)
		}
	}
	out := []*unit{{mapping: m.View(names, "", m.Key(), links...), resource: apart[0]}}
	for i := range r.Parts {
		p := &r.Parts[i]
		further := []string{onOf(p)}
		for _, c := range p.Target.Constants {
			further = append(further, c.Field.Value)
		}
		out = append(out, &unit{mapping: m.View(names, p.Name.Value, values(p.Target.Key), further...), resource: apart[i+1], part: p})
	}
	return out
}

// takenApart is a resource type taken apart: the record itself and its parts, each as if it
// were a resource type of its own.
func takenApart(r *config.Resource) []*config.Resource {
	if len(r.Places) > 0 {
		var out []*config.Resource
		for _, u := range takenToPlaces(r) {
			out = append(out, u.resource)
		}
		return out
	}
	if len(r.Parts) == 0 {
		return []*config.Resource{r}
	}
	names := partNames(r)
	own := *r
	own.Parts, own.Attributes = nil, rulesOf(r, names, "")
	out := []*config.Resource{&own}
	for i := range r.Parts {
		p := &r.Parts[i]
		res := *r
		res.Name = config.Text{Value: r.Name.Value + "." + p.Name.Value, Line: p.Name.Line, Column: p.Name.Column}
		res.Parts, res.Target, res.Attributes = nil, p.Target, rulesOf(r, names, p.Name.Value)
		out = append(out, &res)
	}
	return out
}

// resourcesOf are all resource types of a configuration, taken apart.
func resourcesOf(cfg *config.Config) []*config.Resource {
	var out []*config.Resource
	for i := range cfg.Resources {
		out = append(out, takenApart(&cfg.Resources[i])...)
	}
	return out
}

func partNames(r *config.Resource) []string {
	var out []string
	for _, p := range r.Parts {
		out = append(out, p.Name.Value)
	}
	return out
}

// onOf is the part's field that says whose record it is.
func onOf(p *config.Part) string {
	if len(p.On) == 0 {
		return ""
	}
	return p.On[0].Field.Value
}

// fromOf is the field of the record itself that it must equal.
func fromOf(r *config.Resource, p *config.Part) string {
	if len(p.On) == 0 || !p.On[0].Value.IsSet() || len(r.Target.Key) == 1 && r.Target.Key[0].Value == p.On[0].Value.Value {
		return adapters.KeyField
	}
	return p.On[0].Value.Value
}

// rulesOf are the attributes that a part holds, with its own names for the fields.
func rulesOf(r *config.Resource, names []string, part string) []config.Rule {
	var out []config.Rule
	for _, rule := range r.Attributes {
		of, own := rules.PartOf(names, rule.Name.Value)
		if of != part || part != "" && !rule.Name.IsSet() {
			continue
		}
		rule.Name.Column += len(rule.Name.Value) - len(own)
		rule.Name.Value = own
		out = append(out, rule)
	}
	return out
}

// checkPartsCompiled reports what a resource type's parts cannot be, and what only its
// compiled rules show.
func checkPartsCompiled(cfg *config.Config, mappings []*rules.Mapping) {
	for _, m := range mappings {
		r := cfg.Resource(m.Type.Name)
		names := partNames(r)
		if len(names) == 0 {
			continue
		}
		for what, at := range map[string]config.Text{"scope": r.Target.Scope, "managed": r.Target.Managed, "birth": r.Target.Birth} {
			for _, n := range names {
				if strings.Contains(at.Value, "record."+n+".") || strings.HasPrefix(at.Value, n+".") {
					cfg.Report.Errorf(at, "say it by fields of the resource's own record", "%s looks at part %q, which may not be there, or not answer", what, n)
				}
			}
		}
		for i := range r.Parts {
			p := &r.Parts[i]
			if fromOf(r, p) == adapters.KeyField && len(r.Target.Key) > 1 && len(p.On) > 0 {
				cfg.Report.Errorf(p.On[0].Field, "as in on: {owner: login}", "the key of the %s has %d fields: say which field the part holds", r.Name.Value, len(r.Target.Key))
			}
		}
	}
}

// join makes one adapter of the units of a resource type. all says that records out of
// scope are shown, too.
func (a *assembly) join(m *rules.Mapping, units []*unit, main adapters.Adapter) (adapters.Adapter, error) {
	if len(units) == 1 {
		return main, nil
	}
	r := a.cfg.Resource(m.Type.Name)
	o := several.Options{Main: main, Key: m.Key(), Shape: m.Shape(), Secret: secretField(m)}
	for _, u := range units[1:] {
		p := several.Part{Name: u.part.Name.Value, Adapter: u.adapter, On: onOf(u.part), From: fromOf(r, u.part), Create: u.part.Create.Value,
			Keep: u.part.Delete.Value == "nothing", Constants: map[string]any{}}
		p.ByKey = len(u.part.Target.Key) == 1 && u.part.Target.Key[0].Value == p.On
		for _, c := range u.part.Target.Constants {
			p.Constants[c.Field.Value] = c.Value.Value
		}
		p.Ask = askable(m, p.Name)
		switch a.cfg.Backend(u.part.Target.Backend.Value).Type.Value {
		case "sql", fileKind, "memory":
			p.Sure = true
		}
		o.Parts = append(o.Parts, p)
	}
	made, err := several.New(o)
	if err != nil {
		return nil, fmt.Errorf("parts: %w", err)
	}
	return made, nil
}

// askable are the fields of a part of which few records have the same value: those of
// unique attributes, and the values of addresses and the like.
func askable(m *rules.Mapping, part string) []string {
	var out []string
	for _, rule := range m.Rules() {
		if of, _ := rules.PartOf([]string{part}, rule.Field()); of == "" {
			continue
		}
		if a := rule.Attribute(); a.Uniqueness != scim.UniqueNone || a.Name == "value" && a.Parent() != nil && a.Parent().MultiValued {
			out = append(out, rule.Field())
		}
	}
	return out
}
