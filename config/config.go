package config

import (
	"path/filepath"
	"slices"
)

// A Config is one configuration file.
type Config struct {
	File, Dir string // as given; the folder in which relative paths start
	Tenant    string // "default", unless the file has tenants and this is the configuration of one (For)

	Gateway    Gateway
	Identities Secret // "sqlite:/path" or the URL of a PostgreSQL database
	Clients    []Client
	Admins     []Admin
	Backends   []Backend
	Schemas    []Schema
	Resources  []Resource

	// ManyTenants: the file has tenants. Those that are added at run time are not in Tenants.
	ManyTenants bool
	Tenants     []Tenant
	TenantRate  Rate // of this tenant (For)
	Params      []NamedSecret
	Values      map[string]string // of parameters, here

	Housekeeping Housekeeping
	Tests        Tests

	uses  []Text     // the parameters that are named, each where it is first
	again rereadable // what For needs

	// Report holds the warnings, and takes what other rooms find.
	Report *Reporter
}

// theTenant is the only tenant where the file has none.
const theTenant = "default"

// Warnings are what is unwise though it works.
func (c *Config) Warnings() Problems {
	return slices.DeleteFunc(c.Report.Problems(), func(p Problem) bool { return !p.Warning })
}

// Backend finds a backend by name, or nil.
func (c *Config) Backend(name string) *Backend {
	return find(c.Backends, name, func(b *Backend) Text { return b.Name })
}

// Resource finds a resource type by name, or nil.
func (c *Config) Resource(name string) *Resource {
	return find(c.Resources, name, func(r *Resource) Text { return r.Name })
}

// Schema finds one of the file's own schemas by name or URN, or nil.
func (c *Config) Schema(name string) *Schema {
	if s := find(c.Schemas, name, func(s *Schema) Text { return s.ID }); s != nil {
		return s
	}
	return find(c.Schemas, name, func(s *Schema) Text { return s.Name })
}

func find[T any](all []T, name string, of func(*T) Text) *T {
	for i := range all {
		if of(&all[i]).Value == name {
			return &all[i]
		}
	}
	return nil
}

// Folders are the folders that must be there before the databases are opened.
func (c *Config) Folders() []string {
	var out []string
	add := func(dsn string) {
		if f := sqliteFolder(dsn); f != "" && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	add(c.Identities.Reveal())
	for _, b := range c.Backends {
		add(b.SQL.DSN.Reveal())
	}
	return out
}

// root is what the whole file is made of.
func root() form[Config] {
	return block[Config]{
		title: "the file",
		doc: "One YAML file says everything. Relative paths start in its folder. In `identities`, `token`, `hash`, `dsn`, `params` and the secrets of a backend, `${env:NAME}` stands for an " +
			"environment variable, `${file:/path}` for the content of a file, and `${command:program argument}` for what a program prints (`$${` is a plain `${`). `postern check` finds every problem at once.",
		keys: []key[Config]{
			field("gateway", gateway(), func(c *Config) *Gateway { return &c.Gateway }).or("{}").
				says("The door: where Postern listens and what it lets in."),
			field("identities", store(), func(c *Config) *Secret { return &c.Identities }).or("sqlite:postern.db").like("sqlite:state/postern.db").
				says("The database of the mapping table: which id stands for which record. Losing it changes every id. `sqlite:` and a path, whose folder is created, for one node; `postgres://user:password@host:5432/database` for any number of them. See [operating](operating.md#many-nodes)."),
			field("clients", named("client", client(), plainName, func(c *Client) *Text { return &c.Name }), func(c *Config) *[]Client { return &c.Clients }).
				like("{entra: {token: \"${env:ENTRA_TOKEN}\"}}").
				says("Who may call: one entry for each identity provider, by a name of your choice. Ids and externalIds are kept apart by this name: do not change it. Required, unless there are `tenants`."),
			field("params", params(), func(c *Config) *[]NamedSecret { return &c.Params }).like("{region: eu}").
				says("Values for `${param:NAME}` in `backends` and constants, and for `params.NAME` in expressions: of all tenants that do not say another one."),
			field("tenants", tenants(), func(c *Config) *[]Tenant { return &c.Tenants }).
				like(`{acme: {clients: {entra: {token: "${env:ACME_TOKEN}"}}}}`).
				says("Instead of `clients`: isolated customers in one process, by name. More can be added at run time (`postern tenants add`); `{}` if all are. See [operating](operating.md#many-tenants)."),
			field("admins", named("admin", admin(), plainName, func(a *Admin) *Text { return &a.Name }), func(c *Config) *[]Admin { return &c.Admins }).
				like("{helpdesk: {token: \"${env:ADMIN_TOKEN}\"}}").
				says("Who may look into the mapping table, and merge and split: by a name of your choice, which the history records."),
			field("housekeeping", housekeeping(), func(c *Config) *Housekeeping { return &c.Housekeeping }).or("{}").
				says("What Postern does by itself from time to time."),
			field("backends", backends(), func(c *Config) *[]Backend { return &c.Backends }).required().
				like(`{hr: {type: sql, dsn: "sqlite:state/legacy.db"}}`).
				says("The legacy systems, by a name of your choice."),
			field("schemas", list(ownSchema()), func(c *Config) *[]Schema { return &c.Schemas }).
				says("Schemas and extensions of your own. Those of User, Group, EnterpriseUser, roles and devices are there already."),
			field("resources", resources(), func(c *Config) *[]Resource { return &c.Resources }).required().
				like("{User: {target: {...}, attributes: {...}}}").
				says("The resource types that clients see, and what each is made of."),
			field("tests", tests(), func(c *Config) *Tests { return &c.Tests }).like("tests.yaml").
				says("What must come of records and requests, for `postern test`: a list, or the path of a file that holds one. Default: tests.yaml, if there is one."),
		},
	}.form()
}

func (r *reader) config(file string, t *Tree) *Config {
	c := &Config{File: file, Dir: filepath.Dir(file), Tenant: theTenant, Report: r.report}
	r.blocks, r.limits = make(map[string]string), t.Find("gateway").Find("limits")
	form := root()
	index(form.shape, r.blocks)
	r.prepareParams(c, t)
	form.read(r, t, c)
	r.check(c, t)
	return c
}

func backends() form[[]Backend] {
	return filling(fillSettings, named("backend", backend(), plainName, func(b *Backend) *Text { return &b.Name }))
}

func resources() form[[]Resource] {
	return named("resource type", resource(), typeName, func(r *Resource) *Text { return &r.Name })
}

func tenants() form[[]Tenant] {
	return named("tenant", tenant(), tenantName, func(t *Tenant) *Text { return &t.Name })
}
