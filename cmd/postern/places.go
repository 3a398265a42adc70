package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/route"
	"github.com/postern/postern/config"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/rules"
)

// A type's places are units of it, each with the mapping in the words of that place.

// placesUnits are the target of a type and its other places. Those with which
// something is wrong are left out; it is reported.
func placesUnits(cfg *config.Config, m *rules.Mapping) []*unit {
	var out []*unit
	for _, at := range takenToPlaces(cfg.Resource(m.Type.Name)) {
		if at.mapping = compilePlace(cfg, at.resource); at.mapping != nil {
			out = append(out, at)
		}
	}
	return out
}

func compilePlace(cfg *config.Config, r *config.Resource) *rules.Mapping {
	in, ok := completeInput(cfg, r, ownSchemas(cfg))
	if !ok {
		return nil
	}
	m, problems := rules.Compile(in)
	for _, p := range problems {
		report(cfg, p)
	}
	return m
}

// takenToPlaces are a resource type as if it lived in each of its places alone.
func takenToPlaces(r *config.Resource) []*unit {
	home := *r
	home.Places, home.Target.When = nil, config.Text{}
	out := []*unit{{resource: &home}}
	for _, p := range r.Places {
		own := home
		own.Target = p
		own.Target.When, own.Target.Scope, own.Target.Managed, own.Target.Birth = config.Text{}, config.Text{}, config.Text{}, config.Text{}
		own.Target.Constants = append(slices.Clone(p.Constants), r.Target.Constants...)
		own.Attributes = nil
		own.Correlate, own.Ends = config.Correlate{}, config.Text{}
		for _, rule := range r.Attributes {
			if !slices.ContainsFunc(p.Lacks, func(l config.Text) bool { return l.Value == rule.Path.Value }) {
				own.Attributes = append(own.Attributes, ruleIn(rule, p.Names))
			}
		}
		for i, c := range own.Target.Constants {
			own.Target.Constants[i].Field.Value = nameIn(p.Names, c.Field.Value)
		}
		out = append(out, &unit{place: p.Name.Value, resource: &own})
	}
	return out
}

func nameIn(names []config.Constant, field string) string {
	for _, n := range names {
		if n.Field.Value == field {
			return n.Value.Value
		}
	}
	return field
}

// ruleIn is a rule in the words of a place.
func ruleIn(r config.Rule, names []config.Constant) config.Rule {
	for _, n := range names {
		if r.Name.Value == n.Field.Value {
			r.Name.Value = n.Value.Value
		}
		in := regexp.MustCompile(`\brecord(\??)\.` + regexp.QuoteMeta(n.Field.Value) + `\b`)
		r.In.Value = in.ReplaceAllString(r.In.Value, "record${1}."+n.Value.Value)
	}
	return r
}

// endOf is the unit of a type that a resource type's own keys speak of, where it refers
// to that type: of several places its own, or else the first in the same backend.
// Without one the keys of all places stand there as they are.
func (a *assembly) endOf(r *config.Resource, typ string) (*unit, bool) {
	i := slices.IndexFunc(a.mappings, func(m *rules.Mapping) bool { return m.Type.Name == typ })
	if i < 0 {
		return nil, false
	}
	if !a.mappings[i].HasPlaces() {
		return &unit{mapping: a.mappings[i], resource: a.cfg.Resource(typ)}, true
	}
	var found *unit
	for _, u := range a.places[typ] {
		if u.resource == r {
			return u, true
		}
		if found == nil && u.resource.Target.Backend.Value == r.Target.Backend.Value {
			found = u
		}
	}
	return found, found != nil
}

// bound are the fields of a unit that hold keys of one place alone, by that.
func (a *assembly) bound(u *unit) map[string]string {
	out := map[string]string{}
	for _, rule := range u.mapping.Rules() {
		typ, _ := rule.Refers()
		if !a.cfg.Placed(typ) || rule.Field() == "" {
			continue
		}
		if to, ok := a.endOf(u.resource, typ); ok {
			out[rule.Field()] = to.place
		}
	}
	return out
}

// joinPlaces makes one adapter of those of all places of a type, and one that shows
// records out of scope too, if any of them hides some.
func (a *assembly) joinPlaces(m *rules.Mapping, r *config.Resource, units []*unit) (joined, all adapters.Adapter, err error) {
	var places, unscoped []route.Place
	for i, u := range units {
		if r.Moving.Left.Value == provision.RecordDelete && u.adapter.Capabilities().NoDelete {
			return nil, nil, fmt.Errorf("backend %s lets nobody delete what a move leaves there: write moving: {left: deactivate} or {left: keep}", u.resource.Target.Backend.Value)
		}
		p := route.Place{Name: u.place, Adapter: u.adapter, Names: map[string]string{}, Lacks: map[string]bool{}}
		if i > 0 {
			spot(&p, m, r)
		}
		places = append(places, p)
		shown, err := a.unscoped(u.mapping, u.resource)
		if err != nil {
			return nil, nil, err
		}
		if shown != nil {
			p.Adapter, all = route.Bind(shown, a.bound(u)), shown
		}
		unscoped = append(unscoped, p)
	}
	if all != nil {
		all = route.New(m.Shape(), unscoped...)
	}
	return route.New(m.Shape(), places...), all, nil
}

// spot says what a place calls the fields, and which it lacks.
func spot(p *route.Place, m *rules.Mapping, r *config.Resource) {
	i := slices.IndexFunc(r.Places, func(c config.Place) bool { return c.Name.Value == p.Name })
	for _, n := range r.Places[i].Names {
		p.Names[n.Field.Value] = n.Value.Value
	}
	for _, rule := range m.Rules() {
		if rule.Field() != "" && slices.ContainsFunc(r.Places[i].Lacks, func(l config.Text) bool { return l.Value == rule.Path }) {
			p.Lacks[rule.Field()] = true
		}
	}
}

// moving is what the configuration says about records that move.
func moving(r *config.Resource) provision.Moving {
	return provision.Moving{Left: r.Moving.Left.Value, WithoutPassword: r.Moving.Password.Value == "without"}
}

// further are the backends of a type's places beside its target's.
func further(r *config.Resource) []string {
	var out []string
	for _, p := range r.Places {
		if !slices.Contains(out, p.Backend.Value) {
			out = append(out, p.Backend.Value)
		}
	}
	return out
}

// placesOf are the places of a resource type in the words of rules.
func placesOf(r *config.Resource) []rules.Place {
	var out []rules.Place
	for _, p := range r.Places {
		in := rules.Place{Name: rules.Text(p.Name), When: rules.Text(p.When)}
		for _, l := range p.Lacks {
			in.Lacks = append(in.Lacks, rules.Text(l))
		}
		for _, c := range p.Constants {
			in.Constants = append(in.Constants, rules.Constant{Field: rules.Text(c.Field), Value: rules.Text(c.Value)})
		}
		out = append(out, in)
	}
	return out
}

// checkPlaces reports what is named in places and is not there.
func checkPlaces(cfg *config.Config, mappings []*rules.Mapping) {
	for _, m := range mappings {
		r := cfg.Resource(m.Type.Name)
		for _, p := range r.Places {
			for _, n := range p.Names {
				if m.Shape().Index(n.Field.Value) < 0 {
					cfg.Report.Errorf(n.Field, "name one that attributes names", "names renames the field %q, which attributes does not name", n.Field.Value)
				}
			}
		}
		if len(r.Places) > 0 && r.Moving.Left.Value == provision.RecordDeactivate && !slices.ContainsFunc(m.Rules(), isActive) {
			cfg.Report.Errorf(r.Moving.Left, "map active, or write left: delete", "what is left behind cannot be deactivated: active is not mapped")
		}
	}
}

func isActive(r *rules.Rule) bool { return r.Attribute().Path() == "active" && r.Writable() }

// explainPlaces shows where resources live, in the order in which the conditions are
// asked.
func explainPlaces(w io.Writer, r *config.Resource) error {
	if len(r.Places) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nPLACE\tBACKEND\tWHEN\tLACKS")
	for _, p := range r.Places {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Name.Value, p.Backend.Value, p.When.Value, strings.Join(values(p.Lacks), ", "))
	}
	rest := "all others"
	if r.Target.When.IsSet() {
		rest += ", and " + r.Target.When.Value
	}
	fmt.Fprintf(t, "target\t%s\t%s\t\n", r.Target.Backend.Value, rest)
	return t.Flush()
}
