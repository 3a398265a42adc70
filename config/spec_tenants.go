package config

import (
	"regexp"
	"strings"
)

// A Tenant is an isolated set of clients, parameters and identities.
type Tenant struct {
	Name    Text
	Clients []Client
	Params  []NamedSecret
	Rate    Rate
	Limits  *Limits // nil: as those of the gateway
}

// tenantName is what can stand in a path and in a host's name without being
// written in another way.
var tenantName = naming{regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`), "small letters, digits and hyphens, as in the name of a host"}

// TenantName reports whether a tenant may have the name.
func TenantName(name string) bool { return tenantName.rule.MatchString(name) }

// tenantMark is what stands for the tenant's name in gateway: base.
const tenantMark = "{tenant}"

var paramName = naming{regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`), "a letter, then letters, digits and underscores"}

func params() form[[]NamedSecret] {
	return named("parameter", inside(secret(nil), func(s *NamedSecret) *Secret { return &s.Value }), paramName, func(s *NamedSecret) *Text { return &s.Name })
}

func tenant() form[Tenant] {
	type T = Tenant
	return block[T]{
		title: "tenant",
		doc: "A tenant has clients, parameters and identities of its own, and sees nothing of another one's. A request belongs to the tenant whose client's token it shows. " +
			"With `{tenant}` in `gateway: base` it must name the same tenant in its path, or host. What `backends` and `resources` say holds for all tenants.",
		example: `
acme:
  clients: {entra: {token: "${env:ACME_TOKEN}", profile: entra}}
  params: {database: acme}
  rate: {reads: 200, writes: 50}
`,
		keys: []key[T]{
			field("clients", named("client", client(), plainName, func(c *Client) *Text { return &c.Name }), func(t *T) *[]Client { return &t.Clients }).required().
				like("{entra: {token: \"${env:ACME_TOKEN}\"}}").
				says("Who may call for this tenant."),
			field("params", params(), func(t *T) *[]NamedSecret { return &t.Params }).like("{database: acme}").
				says("What differs from tenant to tenant, by a name of your choice: `${param:NAME}` in `backends` and in a target's `constants`, `params.NAME` in expressions."),
			field("rate", rateForm(), func(t *T) *Rate { return &t.Rate }).or("{}").like("{reads: 200, writes: 50}").
				says("How many requests a second its clients may make, all together."),
			field("limits", tenantLimits(), func(t *T) **Limits { return &t.Limits }).like("{pageMax: 200}").
				says("What one request may cost. What is not said is as in `gateway`."),
		},
		check: func(r *reader, t *Tree, where string, v *T) {
			if item := t.Find("clients"); item != nil && len(item.Items) == 0 && (item.Kind == NullNode || item.Kind == MappingNode) {
				r.report.Errorf(item.Key, "", "%s has no client, and so nobody could call", where)
			}
		},
	}.form()
}

// tenantLimits are limits whose defaults are those of the gateway.
func tenantLimits() form[*Limits] {
	long := limits()
	return form[*Limits]{shape: long.shape, read: func(r *reader, t *Tree, into **Limits) {
		if t.Kind != MappingNode {
			r.report.Errorf(t.Text, "as in limits: {pageMax: 200}", "limits must be a block of keys, each with a colon")
			return
		}
		whole := *t
		if r.limits != nil {
			for _, item := range r.limits.Items {
				if t.Find(item.Key.Value) == nil {
					whole.Items = append(whole.Items[:len(whole.Items):len(whole.Items)], item)
				}
			}
		}
		*into = new(Limits)
		long.read(r, &whole, *into)
	}}
}

// TenantBy is how requests name their tenant besides by their token: "path", "host",
// or "" for not at all.
func (g *Gateway) TenantBy() string {
	before, _, named := strings.Cut(g.Base.Value, tenantMark)
	switch _, rest, _ := strings.Cut(before, "://"); {
	case !named:
		return ""
	case strings.Contains(rest, "/"):
		return "path"
	}
	return "host"
}

// checkTenantBase finds what is wrong with the place of the tenant in the base URL.
func (r *reader) checkTenantBase(c *Config) {
	base := c.Gateway.Base
	before, after, named := strings.Cut(base.Value, tenantMark)
	if !named {
		return
	}
	begins, ends := strings.HasSuffix(before, "/") || strings.HasSuffix(before, "."), after == "" || after[0] == '/' || after[0] == '.' || after[0] == ':'
	switch {
	case !c.ManyTenants:
		r.report.Errorf(base, "add tenants, or delete it", "base names a tenant, and there are none")
	case strings.Contains(after, tenantMark) || !begins || !ends:
		r.report.Errorf(base, "as in https://{tenant}.scim.example.com/scim/v2 or https://scim.example.com/{tenant}/v2",
			"%s must stand once, as a part of the path or of the host's name by itself", tenantMark)
	}
}
