package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A TenantError is the problem of one tenant's parameters.
type TenantError struct{ tenant, text, hint string }

func (e TenantError) Error() string {
	if e.hint == "" {
		return fmt.Sprintf("tenant %q: %s", e.tenant, e.text)
	}
	return fmt.Sprintf("tenant %q: %s (%s)", e.tenant, e.text, e.hint)
}

// TenantNamed finds a tenant of the file by name, or nil.
func (c *Config) TenantNamed(name string) *Tenant {
	return find(c.Tenants, name, func(t *Tenant) Text { return t.Name })
}

// For is the configuration as one tenant has it: its clients, its limits, and its
// parameters in the settings of backends and in constants. What no parameter
// touches is shared with c.
func (c *Config) For(t *Tenant) (*Config, error) {
	return c.derive(&reader{env: c.again.env, standIns: c.again.standIns, dir: c.again.dir, report: NewReporter(c.Report.Source)}, t)
}

func (c *Config) derive(r *reader, t *Tenant) (*Config, error) {
	values := c.valuesOf(t)
	r.report.hideSecrets(c.Params, t.Params)
	for _, u := range c.uses {
		if _, ok := values[u.Value]; !ok {
			return nil, TenantError{t.Name.Value, fmt.Sprintf("the parameter %q is missing", u.Value), fmt.Sprintf("line %d uses it", u.Line)}
		}
	}
	out := *c
	out.Report, out.Tenant, out.Clients, out.Values, out.Tests = r.report, t.Name.Value, t.Clients, values, Tests{}
	out.Tenants, out.TenantRate = nil, t.Rate
	out.Gateway.Base.Value = strings.ReplaceAll(c.Gateway.Base.Value, tenantMark, t.Name.Value)
	if t.Limits != nil {
		out.Gateway.Limits = *t.Limits
	}
	r.values, r.kinds = values, map[string]string{}
	if mentions(c.again.backends) {
		out.Backends = nil
		backends().read(r, c.again.backends.clone(), &out.Backends)
		for i := range out.Backends {
			r.checkLDAP(&out.Backends[i])
		}
	}
	if mentions(c.again.resources) {
		for _, b := range c.Backends {
			r.kinds[b.Name.Value] = b.Type.Value
		}
		out.Resources = nil
		resources().read(r, c.again.resources.clone(), &out.Resources)
		for i := range out.Resources {
			r.resolveSchema(&out, &out.Resources[i])
			r.resolveExtensions(&out, &out.Resources[i])
		}
	}
	for _, p := range r.report.Problems() {
		if !p.Warning {
			return nil, TenantError{t.Name.Value, p.Message, p.Hint}
		}
	}
	return &out, nil
}

// valuesOf are the parameters of a tenant: its own, and the file's for what it does
// not say.
func (c *Config) valuesOf(t *Tenant) map[string]string {
	out := map[string]string{}
	for _, list := range [][]NamedSecret{c.Params, t.Params} {
		for _, p := range list {
			out[p.Name.Value] = p.Value.Reveal()
		}
	}
	return out
}

// hideSecrets keeps parameters out of messages that were taken from elsewhere.
func (r *Reporter) hideSecrets(lists ...[]NamedSecret) {
	for _, list := range lists {
		for _, p := range list {
			if v := p.Value.Reveal(); !p.Value.Clear && v != "" {
				r.hide(v)
			}
		}
	}
}

// ParamNames are the parameters that backends and rules use, or that have a value for
// all tenants.
func (c *Config) ParamNames() []string {
	names := map[string]bool{}
	for _, u := range c.uses {
		names[u.Value] = true
	}
	for _, p := range c.Params {
		names[p.Name.Value] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// rereadable is what For needs of the file.
type rereadable struct {
	env                 func(string) (string, bool)
	standIns            bool
	dir                 string
	backends, resources *Tree // as written
	limits              *Tree // of the gateway, as written
}

// clone copies a tree, so that reading it may fill it in.
func (t *Tree) clone() *Tree {
	if t == nil {
		return nil
	}
	out := *t
	out.Items = make([]*Tree, len(t.Items))
	for i, item := range t.Items {
		out.Items[i] = item.clone()
	}
	return &out
}

var (
	paramReference = regexp.MustCompile(`\$\{param:[A-Za-z_][A-Za-z0-9_]*\}`)
	paramInRules   = regexp.MustCompile(`\bparams\??\.([A-Za-z_][A-Za-z0-9_]*)`)
)

// mentions reports whether a parameter stands anywhere in a tree.
func mentions(t *Tree) bool {
	return t != nil && (t.Kind == ScalarNode && paramReference.MatchString(t.Value) || slices.ContainsFunc(t.Items, mentions))
}

// usesOf lists the parameters that a tree names, each where it is named first.
func usesOf(t *Tree, seen map[string]bool) (out []Text) {
	if t == nil {
		return nil
	}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			out = append(out, Text{Value: name, Line: t.Line, Column: t.Column})
		}
	}
	if t.Kind == ScalarNode {
		for _, ref := range paramReference.FindAllString(t.Value, -1) {
			add(ref[len("${param:") : len(ref)-1])
		}
		for _, m := range paramInRules.FindAllStringSubmatch(t.Value, -1) {
			add(m[1])
		}
	}
	for _, item := range t.Items {
		out = append(out, usesOf(item, seen)...)
	}
	return out
}

// prepareParams finds out which parameters there are before the rest is read. The
// file itself is read with the values of all tenants, or else the first one's, so
// that every mistake shows that does not depend on them.
func (r *reader) prepareParams(c *Config, t *Tree) {
	seen := map[string]bool{}
	c.uses = append(usesOf(t.Find("backends"), seen), usesOf(t.Find("resources"), seen)...)
	c.again = rereadable{env: r.env, standIns: r.standIns, dir: r.dir, limits: r.limits, backends: t.Find("backends").clone(), resources: t.Find("resources").clone()}
	c.ManyTenants = t.has("tenants")
	quiet := reader{report: NewReporter(r.report.Source), env: r.env, dir: r.dir, standIns: r.standIns}
	r.values = map[string]string{}
	first := t.Find("tenants")
	if first != nil && len(first.Items) > 0 {
		first = first.Items[0].Find("params")
	} else {
		first = nil
	}
	for _, from := range []*Tree{t.Find("params"), first} {
		var list []NamedSecret
		if from != nil && from.Kind == MappingNode {
			params().read(&quiet, from, &list)
		}
		r.report.hideSecrets(list)
		for _, p := range list {
			r.values[p.Name.Value] = p.Value.Reveal()
		}
	}
	for _, u := range c.uses {
		if _, ok := r.values[u.Value]; !ok && c.ManyTenants {
			r.values[u.Value] = "param-" + strings.ReplaceAll(strings.ToLower(u.Value), "_", "-")
			r.made = append(r.made, u.Value)
		}
	}
	c.Values = r.values
}

// checkTenants finds what is wrong with tenants, and with the parameters of each.
func (r *reader) checkTenants(c *Config, t *Tree) {
	switch {
	case c.ManyTenants && t.has("clients"):
		r.report.Errorf(t.Find("clients").Key, "move them under a tenant; one with the name default keeps the ids that there are", "there are clients beside tenants")
	case !c.ManyTenants && !t.has("clients"):
		r.report.Errorf(t.place(), `as in clients: {entra: {token: "${env:ENTRA_TOKEN}"}}`, "%s needs the key %q", "the file", "clients")
	}
	r.checkTenantBase(c)
	if r.report.Err() != nil {
		return
	}
	memo := map[string][3]string{}
	for i := range c.Tenants {
		q := &reader{env: r.env, dir: r.dir, standIns: r.standIns, report: NewReporter(r.report.Source), memo: memo}
		if _, err := c.derive(q, &c.Tenants[i]); err != nil {
			e := err.(TenantError) //nolint:errorlint // derive makes no other
			r.report.Errorf(c.Tenants[i].Name, e.hint, "tenant %q: %s", e.tenant, e.text)
		}
	}
}

// checkParams reports names that nothing uses, and used ones without a value.
func (r *reader) checkParams(c *Config) {
	var used []string
	for _, u := range c.uses {
		used = append(used, u.Value)
	}
	unused := func(list []NamedSecret) {
		for _, p := range list {
			if !slices.Contains(used, p.Name.Value) {
				r.report.Warnf(p.Name, didYouMean(p.Name.Value, used), "nothing uses the parameter %q", p.Name.Value)
			}
		}
	}
	unused(c.Params)
	for _, t := range c.Tenants {
		unused(t.Params)
	}
	if c.ManyTenants {
		return // each tenant is asked
	}
	var known []string
	for _, p := range c.Params {
		known = append(known, p.Name.Value)
	}
	for _, u := range c.uses {
		if !slices.Contains(known, u.Value) {
			hint := didYouMean(u.Value, known)
			if hint == "" {
				hint = "as in params: {" + u.Value + ": ...}"
			}
			r.report.Errorf(u, hint, "there is no parameter %q", u.Value)
		}
	}
}

// ParamsInSteps reports whether the steps of a backend, or those of its resource
// types, may name a parameter or the tenant. Rules are no steps.
func (c *Config) ParamsInSteps(backend string) bool {
	only := len(itemsOf(c.again.backends)) == 1
	return speaks(c.again.backends.Find(backend)) || stepsSpeak(c.again.resources, backend, only, false)
}

// stepsSpeak looks at the targets in a backend, wherever they stand in a tree. only:
// there is no other backend, and so a target need not say it; target: t is one.
func stepsSpeak(t *Tree, backend string, only, target bool) bool {
	name := t.Find("backend")
	if name == nil && only && target || name != nil && name.Value == backend {
		for _, item := range t.Items {
			if item.Key.Value != "scope" && item.Key.Value != "managed" && speaks(item) {
				return true
			}
		}
	}
	return slices.ContainsFunc(itemsOf(t), func(item *Tree) bool {
		return stepsSpeak(item, backend, only, item.Key.Value == "target" || t.Key.Value == "places")
	})
}

var tenantInSteps = regexp.MustCompile(`\bparams\b|\btenant\b`)

// speaks reports whether an expression in a tree may name a parameter or the tenant.
func speaks(t *Tree) bool {
	return t != nil && (t.Kind == ScalarNode && tenantInSteps.MatchString(t.Value) || slices.ContainsFunc(t.Items, speaks))
}

// OwnResources reports whether parameters stand in what resource types say besides
// expressions, so that the configuration of a tenant (For) has its own.
func (c *Config) OwnResources() bool { return mentions(c.again.resources) }

// NobodysBase is the base URL with something in the place of a tenant's name.
func (c *Config) NobodysBase(name string) string {
	return strings.ReplaceAll(c.Gateway.BaseURL(), tenantMark, name)
}
