package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// load reads a configuration and compiles its rules. Every problem, of either,
// is in the error; warnings are in the configuration's report.
func load(path string) (*config.Config, []*rules.Mapping, error) {
	cfg, err := config.Load(path)
	return compiled(path, cfg, err)
}

// loadWithoutSecrets is load for what asks no backend.
func loadWithoutSecrets(path string) (*config.Config, []*rules.Mapping, error) {
	cfg, err := config.LoadWithoutSecrets(path)
	return compiled(path, cfg, err)
}

func compiled(path string, cfg *config.Config, err error) (*config.Config, []*rules.Mapping, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no file %s here; say which one with -c FILE", path)
	}
	if cfg == nil || cfg.Report == nil {
		return nil, nil, err
	}
	mappings := compile(cfg) // also of a broken configuration: all problems at once
	units := append(allUnits(cfg, mappings), sketches(cfg, mappings)...)
	checkPartsCompiled(cfg, mappings)
	checkPlaces(cfg, mappings)
	checkREST(cfg, units)
	checkKinds(cfg, units)
	checkTables(cfg)
	checkStatements(cfg, units)
	checkLDAP(cfg, units)
	return cfg, mappings, cfg.Report.Err()
}

// compile turns each resource type of the configuration into a mapping.
func compile(cfg *config.Config) []*rules.Mapping {
	schemas := ownSchemas(cfg)
	checkSchemas(cfg, schemas)
	var out []*rules.Mapping
	for i := range cfg.Resources {
		takeOver(cfg, &cfg.Resources[i], schemas)
		in, ok := completeInput(cfg, &cfg.Resources[i], schemas)
		if !ok {
			continue
		}
		m, problems := rules.Compile(in)
		for _, p := range problems {
			report(cfg, p)
		}
		if m != nil {
			out = append(out, m)
		}
	}
	return out
}

// sketches are units of resource types whose rules have mistakes, without those rules:
// what is said about the calls of a target can be checked all the same.
func sketches(cfg *config.Config, mappings []*rules.Mapping) []*unit {
	schemas := ownSchemas(cfg)
	var out []*unit
	for i := range cfg.Resources {
		r := &cfg.Resources[i]
		b := cfg.Backend(r.Target.Backend.Value)
		if b == nil || !described(b.Type.Value) || len(r.Parts)+len(r.Places) > 0 ||
			slices.ContainsFunc(mappings, func(m *rules.Mapping) bool { return m.Type.Name == r.Name.Value }) {
			continue
		}
		in, ok := completeInput(cfg, r, schemas)
		if !ok {
			continue
		}
		_, problems := rules.Compile(in)
		in.Attributes = slices.DeleteFunc(in.Attributes, func(s rules.Spec) bool {
			return slices.ContainsFunc(problems, func(p rules.Problem) bool { return !p.Warning && isAbout(p, s) })
		})
		if m, _ := rules.Compile(in); m != nil {
			out = append(out, &unit{mapping: m, resource: r, sketch: true})
		}
	}
	return out
}

// isAbout reports whether a problem is about a rule.
func isAbout(p rules.Problem, s rules.Spec) bool {
	all := []rules.Text{s.Path, s.Field, s.In, s.Out, s.Split, s.Format, s.Refers, s.Mutability, s.Uniqueness}
	for _, v := range s.Values {
		all = append(all, v.Backend, v.SCIM)
	}
	if s.Default != nil {
		all = append(all, *s.Default)
	}
	return slices.ContainsFunc(all, func(t rules.Text) bool { return t.Line > 0 && t.Line == p.At.Line && t.Column == p.At.Column })
}

// completeInput is input with what depends on the backend and on other types.
func completeInput(cfg *config.Config, r *config.Resource, schemas map[string]*schema.Schema) (rules.Input, bool) {
	in, ok := input(cfg, r, schemas)
	if !ok {
		return in, false
	}
	in.Types = map[string]string{}
	for _, other := range cfg.Resources {
		in.Types[other.Name.Value] = other.Endpoint.Value
	}
	in.Tenant, in.Params = cfg.Tenant, cfg.Values
	if b := cfg.Backend(r.Target.Backend.Value); b != nil {
		in.Texts = b.Type.Value == ldapKind || b.Type.Value == fileKind
		in.Lists = described(b.Type.Value) || in.Texts
		if b.Type.Value == fileKind {
			separated(in.Attributes)
		}
	}
	return in, true
}

func report(cfg *config.Config, p rules.Problem) {
	at := config.Text(p.At)
	switch {
	case known(cfg, p):
	case p.Width > 0:
		cfg.Report.Inside(at, p.Offset, p.Width, p.Message, p.Hint, p.Warning)
	case p.Warning:
		cfg.Report.Warnf(at, p.Hint, "%s", p.Message)
	default:
		cfg.Report.Errorf(at, p.Hint, "%s", p.Message)
	}
}

// known reports whether the same is said of the same place already: some mistakes
// can be seen without knowing SCIM as well as with.
func known(cfg *config.Config, p rules.Problem) bool {
	return slices.ContainsFunc(cfg.Report.Problems(), func(k config.Problem) bool {
		return k.Line == p.At.Line && k.Column == p.At.Column && k.Message == p.Message
	})
}

// input says a resource type in the words of rules.
func input(cfg *config.Config, r *config.Resource, own map[string]*schema.Schema) (rules.Input, bool) {
	in := rules.Input{Name: r.Name.Value, Endpoint: r.Endpoint.Value, Description: r.Description.Value, At: rules.Text(r.Name),
		Aliases: map[string]string{}, Scope: rules.Text(r.Target.Scope), Managed: rules.Text(r.Target.Managed), When: rules.Text(r.Target.When), Birth: rules.Text(r.Target.Birth)}
	var ok bool
	if in.Schema, ok = findSchema(r.SchemaURN, own); !ok {
		return in, false
	}
	for _, e := range r.Extensions {
		s, ok := findSchema(e.URN, own)
		if !ok {
			return in, false
		}
		in.Extensions = append(in.Extensions, schema.Extension{Schema: s, Required: e.Required.Value})
		in.Aliases[e.Prefix] = e.URN
		for _, a := range s.Attributes {
			if short := schema.NestedName(a.Name); a.Nested() && in.Aliases[short] == "" {
				in.Aliases[short] = a.Name
			}
		}
	}
	for _, by := range r.Correlate.By {
		in.Correlate = append(in.Correlate, rules.Text(by))
	}
	in.Ends = rules.Text(r.Ends)
	in.Reactivate = rules.Text(policy(r, "reactivate"))
	for _, k := range r.Target.Key {
		in.Key = append(in.Key, rules.Text(k))
	}
	for _, c := range r.Target.Constants {
		in.Constants = append(in.Constants, rules.Constant{Field: rules.Text(c.Field), Value: rules.Text(c.Value)})
	}
	in.NewKey = rules.Text(r.Target.SQL.NewKey.Value)
	in.Places = placesOf(r)
	for _, j := range r.Target.SQL.Joins {
		in.Joins = append(in.Joins, j.Name.Value)
	}
	in.Joins = append(in.Joins, partNames(r)...)
	for _, a := range r.Attributes {
		s := ruleSpec(a)
		s.Required = s.Required || needsMembers(r, a)
		in.Attributes = append(in.Attributes, s)
	}
	return in, true
}

// policy is where a resource type's correlate names a policy, if it does.
func policy(r *config.Resource, name string) config.Text {
	for _, p := range r.Correlate.Policy {
		if p.Value == name {
			return p
		}
	}
	return config.Text{}
}

func ruleSpec(r config.Rule) rules.Spec {
	s := rules.Spec{Path: rules.Text(r.Path), Field: rules.Text(r.Name), In: rules.Text(r.In), Out: rules.Text(r.Out),
		Split: rules.Text(r.Split), Format: rules.Text(r.Format), Refers: rules.Text(r.Refers),
		Mutability: rules.Text(r.Mutability), Uniqueness: rules.Text(r.Uniqueness), Required: r.Required.Value, Kept: r.Kept.Value, Sensitive: r.Sensitive.Value}
	for _, v := range r.Values {
		s.Values = append(s.Values, rules.Coded{Backend: rules.Text(v.Backend), SCIM: rules.Text(v.SCIM)})
	}
	if r.Kept.Set {
		s.KeptAt = rules.Text{Value: strconv.FormatBool(r.Kept.Value), Line: r.Kept.Line, Column: r.Kept.Column}
	}
	s.Lookup = lookupSpec(r.Lookup)
	switch {
	case r.Table.IsSet() && len(r.Columns) > 0:
		s.Rows = rowsSpec(r)
	case r.Table.IsSet() && len(r.Owner) > 0:
		s.Relation = &rules.Relation{Table: rules.Text(r.Table), Owner: rules.Text(r.Owner[0]), Member: rules.Text(r.Member)}
	case r.Table.IsSet(): // of which config has said that it is not enough
		s.Relation = &rules.Relation{Table: rules.Text(r.Table), Member: rules.Text(r.Member)}
	}
	if r.Default != nil {
		d := rules.Text(*r.Default)
		s.Default = &d
	}
	return s
}

func findSchema(urn string, own map[string]*schema.Schema) (*schema.Schema, bool) {
	if s, ok := own[urn]; ok {
		return s.Clone(), true
	}
	return schema.Builtin(urn)
}

// ownSchemas makes the schemas that the configuration declares.
func ownSchemas(cfg *config.Config) map[string]*schema.Schema {
	out := map[string]*schema.Schema{}
	for i := range cfg.Schemas {
		s := &cfg.Schemas[i]
		out[s.ID.Value] = &schema.Schema{ID: s.ID.Value, Name: s.Name.Value, Description: s.Description.Value, Attributes: attributes(s.Attributes)}
	}
	return out
}

// checkSchemas reports what is wrong with them.
func checkSchemas(cfg *config.Config, schemas map[string]*schema.Schema) {
	for _, s := range cfg.Schemas {
		for _, err := range schema.Check(schemas[s.ID.Value]) {
			var w *schema.Warning
			if errors.As(err, &w) {
				continue // config warns of the same, with the place
			}
			cfg.Report.Errorf(s.ID, "", "schema %s: %s", s.Name.Value, strings.TrimSuffix(err.Error(), "."))
		}
	}
}

func attributes(as []config.Attribute) []*scim.Attribute {
	var out []*scim.Attribute
	for _, a := range as {
		n := &scim.Attribute{Name: a.Name.Value, Description: a.Description.Value, MultiValued: a.MultiValued.Value,
			Required: a.Required.Value, CaseExact: a.CaseExact.Value, CanonicalValues: values(a.CanonicalValues),
			EnforceCanonical: a.EnforceCanonical.Value, ReferenceTypes: values(a.ReferenceTypes), Sub: attributes(a.SubAttributes)}
		n.Type, _ = scim.ParseType(a.Type.Value)
		n.Mutability, _ = scim.ParseMutable(a.Mutability.Value)
		n.Returned, _ = scim.ParseReturned(a.Returned.Value)
		n.Uniqueness, _ = scim.ParseUnique(a.Uniqueness.Value)
		out = append(out, n)
	}
	return out
}

func values(ts []config.Text) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.Value)
	}
	return out
}
