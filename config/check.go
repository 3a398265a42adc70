package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// A builtin is a schema that Postern brings along.
type builtin struct{ name, urn, prefix, endpoint string }

// builtins are those of RFC 7643, of roles and entitlements, and of devices (RFC
// 9944). Those with an endpoint are resource types.
func builtins() []builtin {
	return []builtin{
		{"User", "urn:ietf:params:scim:schemas:core:2.0:User", "", "/Users"},
		{"Group", "urn:ietf:params:scim:schemas:core:2.0:Group", "", "/Groups"},
		{"EnterpriseUser", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "enterprise", ""},
		{"Role", "urn:ietf:params:scim:schemas:core:2.0:Role", "", "/Roles"},
		{"Entitlement", "urn:ietf:params:scim:schemas:core:2.0:Entitlement", "", "/Entitlements"},
		{"Device", "urn:ietf:params:scim:schemas:core:2.0:Device", "", "/Devices"},
		{"EndpointApp", "urn:ietf:params:scim:schemas:core:2.0:EndpointApp", "", "/EndpointApps"},
		{"BLE", "urn:ietf:params:scim:schemas:extension:ble:2.0:Device", "ble", ""},
		{"DPP", "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device", "dpp", ""},
		{"EthernetMAB", "urn:ietf:params:scim:schemas:extension:ethernet-mab:2.0:Device", "mab", ""},
		{"FDO", "urn:ietf:params:scim:schemas:extension:fido-device-onboard:2.0:Device", "fdo", ""},
		{"Zigbee", "urn:ietf:params:scim:schemas:extension:zigbee:2.0:Device", "zigbee", ""},
		{"EndpointApps", "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device", "apps", ""},
	}
}

var endpointText = regexp.MustCompile(`^/[A-Za-z][A-Za-z0-9._-]*$`)

// endpoint is the place of a resource type under the base URL.
func endpoint() form[Text] {
	reserved := []string{"/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Bulk", "/Me"}
	s := &shape{word: "endpoint", types: []string{"string"}, match: endpointText.String()}
	return textForm(s, func(s string) (string, string) {
		switch {
		case !endpointText.MatchString(s):
			return quoted(s) + " is no endpoint", "a slash and one word, as in /Badges"
		case slices.ContainsFunc(reserved, func(e string) bool { return strings.EqualFold(e, s) }):
			return s + " is an endpoint of SCIM itself", "choose another"
		}
		return "", ""
	})
}

// check finds what only the file as a whole can show.
func (r *reader) check(c *Config, t *Tree) {
	if t.Kind != MappingNode && t.Kind != NullNode {
		return
	}
	for _, k := range []string{"clients", "backends", "resources"} { // tenants may all be added later
		if item := t.Find(k); item != nil && len(item.Items) == 0 && (item.Kind == NullNode || item.Kind == MappingNode) {
			r.report.Errorf(item.Key, "", "%s is empty, and Postern needs at least one", k)
		}
	}
	if strings.HasPrefix(c.Identities.Reveal(), sqliteScheme+":memory:") {
		r.report.Warnf(Text{Line: c.Identities.Line, Column: c.Identities.Column}, "as in sqlite:state/postern.db", "every id will change when Postern starts again")
	}
	checkTokens(r, c)
	checkAdmins(r, c)
	r.checkParams(c)
	for i := range c.Backends {
		r.checkLDAP(&c.Backends[i])
	}
	r.checkSchemas(c)
	for i := range c.Resources {
		r.resolveSchema(c, &c.Resources[i])
		r.resolveExtensions(c, &c.Resources[i])
		r.takeAll(c, &c.Resources[i])
		r.checkRefers(c, &c.Resources[i])
		r.checkLDAPTarget(c, &c.Resources[i].Target)
		r.checkParts(c, &c.Resources[i])
		r.checkPlaces(c, &c.Resources[i])
	}
	r.checkEndpoints(c)
	r.checkTenants(c, t)
	if r.report.Err() == nil { // after a mistake, being unused is often its consequence
		r.checkUnused(c)
	}
}

// checkSchemas refuses a second schema of the same name or URN.
func (r *reader) checkSchemas(c *Config) {
	for i, s := range c.Schemas {
		for _, b := range builtins() {
			r.sameSchema(s, b.urn, b.name, "one that Postern brings along")
		}
		for _, o := range c.Schemas[:i] {
			r.sameSchema(s, o.ID.Value, o.Name.Value, "the one above")
		}
	}
}

func (r *reader) sameSchema(s Schema, urn, name, other string) {
	if s.ID.IsSet() && strings.EqualFold(s.ID.Value, urn) {
		r.report.Errorf(s.ID, "", "this schema has the same id as %s", other)
	}
	if s.Name.IsSet() && strings.EqualFold(s.Name.Value, name) {
		r.report.Errorf(s.Name, "", "this schema has the same name as %s", other)
	}
}

// resolveSchema finds the resource type's schema, and its defaults.
func (r *reader) resolveSchema(c *Config, res *Resource) {
	i := slices.IndexFunc(builtins(), func(b builtin) bool { return b.name == res.Name.Value && b.endpoint != "" })
	if i >= 0 {
		b := builtins()[i]
		res.Endpoint = cmp.Or(res.Endpoint, Text{b.endpoint, res.Name.Line, res.Name.Column})
		res.Schema = cmp.Or(res.Schema, Text{b.urn, res.Name.Line, res.Name.Column})
	} else {
		hint := ""
		if n := nearest(res.Name.Value, []string{"User", "Group"}); n != "" {
			hint = "did you mean " + n + "?"
		}
		if !res.Schema.IsSet() {
			r.report.Errorf(res.Name, cmp.Or(hint, "as in schema: Badge"), "resource type %q needs the key \"schema\"", res.Name.Value)
		}
		if !res.Endpoint.IsSet() {
			r.report.Errorf(res.Name, cmp.Or(hint, "as in endpoint: /Badges"), "resource type %q needs the key \"endpoint\"", res.Name.Value)
		}
	}
	if res.Schema.IsSet() {
		res.SchemaURN, _ = r.findSchema(c, res.Schema)
	}
}

// findSchema resolves a schema's name or URN.
func (r *reader) findSchema(c *Config, name Text) (urn, prefix string) {
	var names []string
	for _, b := range builtins() {
		if name.Value == b.name || strings.EqualFold(name.Value, b.urn) {
			return b.urn, b.prefix
		}
		names = append(names, b.name)
	}
	for _, s := range c.Schemas {
		if name.Value == s.Name.Value || strings.EqualFold(name.Value, s.ID.Value) {
			return s.ID.Value, s.Name.Value
		}
		names = append(names, s.Name.Value)
	}
	r.report.Errorf(name, didYouMean(name.Value, names), "there is no schema %q", name.Value)
	return "", ""
}

func (r *reader) resolveExtensions(c *Config, res *Resource) {
	for i := range res.Extensions {
		e := &res.Extensions[i]
		if !e.Schema.IsSet() {
			continue
		}
		e.URN, e.Prefix = r.findSchema(c, e.Schema)
		if e.URN == "" {
			continue
		}
		if e.URN == res.SchemaURN {
			r.report.Errorf(e.Schema, "delete it", "a resource type's own schema cannot extend it")
		}
		if slices.ContainsFunc(res.Extensions[:i], func(o Extension) bool { return o.URN == e.URN }) {
			r.report.Errorf(e.Schema, "delete one of the two", "this extension stands here a second time")
		}
	}
}

func (r *reader) checkRefers(c *Config, res *Resource) {
	names := make([]string, len(c.Resources))
	for i, o := range c.Resources {
		names[i] = o.Name.Value
	}
	for _, rule := range res.Attributes {
		if rule.Refers.IsSet() && !slices.Contains(names, rule.Refers.Value) {
			r.report.Errorf(rule.Refers, didYouMean(rule.Refers.Value, names), "there is no resource type %q", rule.Refers.Value)
		}
	}
}

func (r *reader) checkEndpoints(c *Config) {
	for i, res := range c.Resources {
		for _, o := range c.Resources[:i] {
			if strings.EqualFold(res.Name.Value, o.Name.Value) {
				r.report.Errorf(res.Name, "rename one of the two", "resource types %q and %q differ only in case", o.Name.Value, res.Name.Value)
			}
			if res.Endpoint.IsSet() && strings.EqualFold(res.Endpoint.Value, o.Endpoint.Value) {
				r.report.Errorf(res.Endpoint, "give it another", "the endpoint %s belongs to resource type %q already", res.Endpoint.Value, o.Name.Value)
			}
		}
	}
}

// checkUnused warns of what is declared and never used: often a typing mistake.
func (r *reader) checkUnused(c *Config) {
	for _, b := range c.Backends {
		if !slices.ContainsFunc(c.Resources, func(res Resource) bool { return res.uses(b.Name.Value) }) {
			r.report.Warnf(b.Name, "", "no resource type uses backend %q", b.Name.Value)
		}
	}
	for _, s := range c.Schemas {
		used := slices.ContainsFunc(c.Resources, func(res Resource) bool {
			return res.SchemaURN == s.ID.Value ||
				slices.ContainsFunc(res.Extensions, func(e Extension) bool { return e.URN == s.ID.Value })
		})
		if !used && s.ID.IsSet() {
			r.report.Warnf(s.ID, "name it as the schema or an extension of a resource type", "no resource type uses schema %q", s.Name.Value)
		}
	}
}
