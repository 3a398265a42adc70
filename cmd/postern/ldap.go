package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/adapters/ldap"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// This file says the configuration of directories in the words of package ldap.

// ldapKind is the type of backend.
const ldapKind = "ldap"

// directory opens a backend. Nothing is sent.
func (a *assembly) directory(b *config.Backend) (*ldap.Directory, error) {
	l := &b.LDAP
	cfg := ldap.Config{URL: l.URL.Value, StartTLS: l.StartTLS.Value, Base: l.Base.Value, Proof: l.Proof.Value, Passwords: ldap.Passwords(l.Passwords.Value),
		Referrals: l.Referrals.Value == "ignore", Connections: b.Concurrency.Value, Page: l.Page.Value, Timeout: b.Timeout.Value, Trace: a.trace, Watch: a.trial.watcher(b.Name.Value),
		TLS: ldap.TLS{CA: l.TLS.CA.Resolved, Cert: l.TLS.Cert.Resolved, Key: l.TLS.Key.Resolved}}
	if l.Bind != nil {
		cfg.BindDN, cfg.Password = l.Bind.DN.Value, l.Bind.Password.Reveal()
	}
	return ldap.Open(cfg)
}

// branch makes the adapter of a resource type. Without its references it says only
// what attributes can do.
func (a *assembly) branch(m *rules.Mapping, r *config.Resource, references bool) (*ldap.Adapter, error) {
	w := &r.Target.LDAP
	g := generated(m, r)
	t := ldap.Target{Entries: entries(m, r), Auxiliary: wordsOf(w.Auxiliary), Container: w.Container.Value, RDN: w.RDN.Value,
		Given: g == nil || !*g, Placeholder: w.Placeholder.Value}
	for _, rule := range m.Rules() {
		typ, list := rule.Refers()
		if (list || rule.List()) && !slices.Contains(t.Lists, rule.Field()) {
			t.Lists = append(t.Lists, rule.Field())
		}
		if typ != "" && references {
			if ref, ok := a.reference(r, rule.Field(), typ); ok {
				t.References = append(t.References, ref)
			}
		}
	}
	return a.directories[r.Target.Backend.Value].Branch(t, m.Shape())
}

// entries are the entries of a resource type.
func entries(m *rules.Mapping, r *config.Resource) ldap.Entries {
	w := &r.Target.LDAP
	return ldap.Entries{Base: w.Base.Value, Subtree: w.Subtree.Value, Classes: wordsOf(w.Classes), Key: m.Key()[0]}
}

// reference says what the values of a field name. What is not in the same directory
// is no entry, and its keys stand there as they are.
func (a *assembly) reference(r *config.Resource, field, typ string) (ldap.Reference, bool) {
	other, ok := a.endOf(r, typ)
	if !ok || other.resource.Target.Backend.Value != r.Target.Backend.Value {
		return ldap.Reference{}, false
	}
	to := entries(other.mapping, other.resource)
	scope, ok := other.mapping.ScopeFilter()
	to.Where = scope
	if !ok {
		to.Where = nil
	}
	out := ldap.Reference{Field: field, To: &to, Unchecked: !ok}
	out.By, _ = pairOf(r.Target.LDAP.By, field)
	if from, reversed := pairOf(r.Target.LDAP.Reverse, field); reversed {
		out.From = from
		out.By, _ = pairOf(other.resource.Target.LDAP.By, from) // as those name this one
	}
	return out, true
}

func pairOf(all []config.Pair, name string) (string, bool) {
	for _, p := range all {
		if p.Name.Value == name {
			return p.Value.Value, true
		}
	}
	return "", false
}

func wordsOf(all []config.Text) []string {
	var out []string
	for _, t := range all {
		out = append(out, t.Value)
	}
	return out
}

// checkLDAP reports what is wrong with the names in the configuration of directories.
func checkLDAP(cfg *config.Config, units []*unit) {
	for i := range cfg.Backends {
		if b := &cfg.Backends[i]; b.Type.Value == ldapKind {
			checkDNs(cfg, b.LDAP.Base, b.LDAP.Proof)
			if b.LDAP.Bind != nil && strings.Contains(b.LDAP.Bind.DN.Value, "=") { // Active Directory takes other names, too
				checkDNs(cfg, b.LDAP.Bind.DN)
			}
		}
	}
	for _, r := range resourcesOf(cfg) {
		if b := cfg.Backend(r.Target.Backend.Value); b == nil || b.Type.Value != ldapKind {
			continue
		}
		checkDNs(cfg, r.Target.LDAP.Base, r.Target.LDAP.Container, r.Target.LDAP.Placeholder)
	}
	for _, u := range units {
		if b := cfg.Backend(u.resource.Target.Backend.Value); b != nil && b.Type.Value == ldapKind {
			checkBranch(cfg, u.mapping, u.resource)
		}
	}
}

func checkDNs(cfg *config.Config, all ...config.Text) {
	for _, t := range all {
		if err := ldap.CheckDN(t.Value); err != nil {
			cfg.Report.Errorf(t, "as in ou=people,dc=example,dc=com", "%s", err)
		}
	}
}

func checkBranch(cfg *config.Config, m *rules.Mapping, r *config.Resource) {
	has := func(field string) bool { return m.Shape().Index(field) >= 0 }
	w := &r.Target.LDAP
	unknown, err := ldap.CheckRDN(w.RDN.Value, has)
	switch {
	case err != nil:
		cfg.Report.Errorf(w.RDN, "as in uid, or cn={givenName} {sn}", "rdn: %s", err)
	case unknown != "":
		cfg.Report.Errorf(w.RDN, "map an attribute to it, or name it under constants", "rdn: no rule makes the field %q, so new entries would have no name", unknown)
	}
	for _, rule := range m.Rules() {
		if err := ldap.CheckField(rule.Field()); rule.Field() != "" && err != nil {
			cfg.Report.Errorf(nameOf(r, rule), "", "%s", err)
		}
	}
	for key, pairs := range map[string][]config.Pair{"by": w.By, "reverse": w.Reverse} {
		for _, p := range pairs {
			if !slices.ContainsFunc(m.Rules(), func(rule *rules.Rule) bool { return rule.Field() == p.Name.Value && rule.IsReference() }) {
				cfg.Report.Errorf(p.Name, "as in members: {name: "+p.Name.Value+", refers: User}", "%s: no rule with refers has the field %q", key, p.Name.Value)
			}
		}
	}
}

// nameOf is where a rule names its field.
func nameOf(r *config.Resource, rule *rules.Rule) config.Text {
	for _, a := range r.Attributes {
		if a.Name.Value == rule.Field() {
			return a.Name
		}
	}
	return r.Name
}

// inspectBranch compares a resource type with the live directory.
func (a *assembly) inspectBranch(ctx context.Context, m *rules.Mapping, r *config.Resource) error {
	var written, given []string
	for _, rule := range m.Rules() {
		if rule.Field() == "" {
			continue
		}
		given = append(given, rule.Field())
		if rule.Writable() {
			written = append(written, rule.Field())
		}
	}
	for _, c := range r.Target.Constants {
		given, written = append(given, c.Field.Value), append(written, c.Field.Value)
	}
	problems, err := a.branches[m].Inspect(ctx, written, given)
	for _, p := range problems {
		hint := p.Hint
		if p.Near != "" && hint == "" {
			hint = fmt.Sprintf("did you mean %q?", p.Near)
		}
		if at := placeInBranch(r, p); p.Warning {
			a.cfg.Report.Warnf(at, hint, "%s", p.Text)
		} else {
			a.cfg.Report.Errorf(at, hint, "%s", p.Text)
		}
	}
	return err
}

// placeInBranch is where the configuration says what a problem is about.
func placeInBranch(r *config.Resource, p ldap.Problem) config.Text {
	w := &r.Target.LDAP
	named := func(all []config.Text) config.Text {
		for _, t := range all {
			if t.Value == p.Name {
				return t
			}
		}
		if len(all) > 0 {
			return all[0]
		}
		return r.Target.Backend
	}
	switch p.Key {
	case "base":
		if w.Base.IsSet() {
			return w.Base
		}
	case "container":
		return w.Container
	case "classes":
		return named(w.Classes)
	case "auxiliary":
		return named(w.Auxiliary)
	case "key":
		return named(r.Target.Key)
	case "rdn":
		return w.RDN
	case "attributes":
		for _, rule := range r.Attributes {
			if rule.Name.Value == p.Name {
				return rule.Name
			}
		}
		for _, c := range r.Target.Constants {
			if c.Field.Value == p.Name {
				return c.Field
			}
		}
		for _, rule := range r.Attributes {
			if strings.Contains(rule.In.Value, "record."+p.Name) {
				return rule.In
			}
		}
		if strings.Contains(r.Target.Scope.Value, "record."+p.Name) {
			return r.Target.Scope
		}
	}
	return r.Target.Backend
}
