package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/identity"
)

type tenantsCommand struct {
	List   tenantsList   `cmd:"" help:"List the tenants."`
	Show   tenantsShow   `cmd:"" help:"Show a tenant: its clients, parameters and history."`
	Add    tenantsAdd    `cmd:"" help:"Add a tenant."`
	Change tenantsChange `cmd:"" help:"Change a tenant."`
	Remove tenantsRemove `cmd:"" help:"Remove a tenant, or purge what is left of one."`
}

// Help is printed below the summary.
func (tenantsCommand) Help() string {
	return `Tenants that are added here are kept in the mapping table. Every postern serve that uses it knows of a change at once. Those of the
configuration are listed, and changed there. A client gets a token, which is shown this once; its hash is kept.

    postern tenants add acme --client entra=entra --param database=acme --why "a new customer"
    postern tenants change acme --new-token entra --why "the old token runs out"
    postern tenants remove acme --why "the contract has ended"`
}

type tenantsFlags struct {
	source
	JSON bool `name:"json" help:"Print JSON."`
}

// A tenantsDesk is what these commands work with.
type tenantsDesk struct {
	*registry
	office
}

func (f tenantsFlags) with(ctx context.Context, m *Main, do func(*tenantsDesk) error) error {
	cfg, mappings, err := load(f.file())
	if err != nil {
		return err
	}
	a := &assembly{cfg: cfg, mappings: mappings, traceIDs: m.TraceIDs}
	if err := a.makeFolders(); err != nil {
		return err
	}
	ids, err := identity.Open(ctx, cfg.Identities.Reveal(), identity.Options{Trace: m.TraceIDs})
	if err != nil {
		return fmt.Errorf("identities: %w", err)
	}
	d := &tenantsDesk{&registry{cfg: cfg, mappings: mappings, ids: ids, changed: noticed, compiling: func(do func() error) error { return do() }},
		office{out: m.Stdout, err: m.Stderr, json: f.JSON}}
	return problemsOrWords(errors.Join(do(d), ids.Close()))
}

// problemsOrWords is an error as people read it: problems with their places.
func problemsOrWords(err error) error {
	var s settingsError
	if errors.As(err, &s) {
		return s.problems
	}
	return inWords(err)
}

// noticed waits until every process has noticed a change, so that what comes after the
// command finds it done.
func noticed(ctx context.Context) error {
	select {
	case <-time.After(tenantsAreKnownBy):
	case <-ctx.Done():
	}
	return ctx.Err()
}

type tenantsList struct{ tenantsFlags }

func (c tenantsList) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(d *tenantsDesk) error {
		all, err := d.List(ctx)
		if err != nil {
			return err
		}
		return d.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "TENANT\tFROM\tCLIENTS\tSINCE\tBY\t")
			for _, t := range all {
				if t.Settings == nil {
					fmt.Fprintf(w, "%s\t%s\t%s\t\t\t\n", t.Name, t.From, strings.Join(d.clientsOfFile(t.Name), " "))
					continue
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s: %s\t\n", t.Name, t.From, strings.Join(sorted(t.Settings.Clients), " "), when(*t.Since), t.Who, t.Why)
			}
		})
	})
}

func (d *tenantsDesk) clientsOfFile(tenant string) (names []string) {
	for _, c := range d.cfg.TenantNamed(tenant).Clients {
		names = append(names, c.Name.Value)
	}
	return names
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

type tenantsShow struct {
	tenantsFlags
	Tenant string `arg:"" help:"The tenant's name."`
}

func (c tenantsShow) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(d *tenantsDesk) error {
		t, err := d.Show(ctx, c.Tenant)
		if err != nil {
			return err
		}
		return d.tenant(t)
	})
}

func (d *tenantsDesk) tenant(t admin.Tenant) error {
	return d.print(t, func(w io.Writer) {
		if t.Settings == nil {
			fmt.Fprintf(w, "%s\tstands in the configuration\t\n", t.Name)
			return
		}
		fmt.Fprintf(w, "%s\tversion %d\tsince %s\tby %s: %s\t\n", t.Name, t.Version, when(*t.Since), t.Who, t.Why)
		describeSettings(w, t.Settings)
		for _, client := range sorted(t.Tokens) {
			for _, token := range t.Tokens[client] {
				fmt.Fprintf(w, "  token of %s\t%s\tshown this once\t\n", client, token)
			}
		}
		for _, h := range t.History {
			fmt.Fprintf(w, "  %s\t%s\tby %s: %s\t\n", h.Kind, when(h.At), h.Who, h.Why)
		}
	})
}

func describeSettings(w io.Writer, s *identity.TenantSettings) {
	for _, name := range sorted(s.Clients) {
		c := s.Clients[name]
		for i, tk := range c.Tokens {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t\n", choose(i == 0, "client "+name, ""), tk.Hash, choose(tk.Expires == "", "", "until "+tk.Expires), choose(i == 0, c.Profile, ""))
		}
	}
	for _, name := range sorted(s.Params) {
		fmt.Fprintf(w, "  param %s\t%s\t\n", name, s.Params[name])
	}
	for _, name := range sorted(s.Secrets) {
		fmt.Fprintf(w, "  secret %s\t%s\t\n", name, s.Secrets[name])
	}
}

// tenantSaid is what flags say about a tenant.
type tenantSaid struct {
	File    string            `help:"What is said about the tenant, as under tenants in the configuration, in YAML or JSON; - is standard input." placeholder:"FILE"`
	Client  []string          `help:"A client, and perhaps its profile; it gets a token. Several: once for each." placeholder:"NAME[=PROFILE]" sep:"none"`
	Param   map[string]string `help:"A parameter. Several: once for each." placeholder:"NAME=VALUE" mapsep:"none"`
	Secret  map[string]string `help:"A parameter that is secret, and where it is." placeholder:"NAME=REFERENCE" mapsep:"none"`
	Expires string            `help:"When tokens that are made expire." placeholder:"DATE"`
}

// settings reads the file, if there is one.
func (c tenantSaid) settings(d *tenantsDesk, m *Main, name string, otherwise identity.TenantSettings) (said identity.TenantSettings, err error) {
	if c.File == "" {
		return otherwise, nil
	}
	var text []byte
	if c.File == "-" {
		text, err = io.ReadAll(m.Stdin)
	} else {
		text, err = os.ReadFile(c.File)
	}
	if err != nil {
		return said, err
	}
	if text, err = d.cfg.TenantDraft(name, c.File, text); err != nil {
		return said, err
	}
	return said, json.Unmarshal(text, &said)
}

// add puts what the flags say into settings.
func (c tenantSaid) add(said *identity.TenantSettings) {
	for _, client := range c.Client {
		name, profile, _ := strings.Cut(client, "=")
		one, there := said.Clients[name]
		if profile != "" {
			one.Profile = profile
		}
		if !there {
			one.Tokens = []identity.TenantToken{{Expires: c.Expires}}
		}
		said.Clients = with(said.Clients, name, one)
	}
	for name, value := range c.Param {
		delete(said.Secrets, name)
		said.Params = with(said.Params, name, value)
	}
	for name, value := range c.Secret {
		delete(said.Params, name)
		said.Secrets = with(said.Secrets, name, value)
	}
}

func with[V any](m map[string]V, name string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[name] = v
	return m
}

type tenantsAdd struct {
	tenantsFlags
	changing
	tenantSaid
	Tenant string `arg:"" help:"The tenant's name: small letters, digits and hyphens."`
}

func (c tenantsAdd) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(d *tenantsDesk) error {
		if err := useful(identity.TenantToken{Expires: c.Expires}); err != nil {
			return err
		}
		if err := d.mayChange(c.Tenant); err != nil {
			return err
		}
		said, err := c.settings(d, m, c.Tenant, identity.TenantSettings{})
		if err != nil {
			return err
		}
		c.add(&said)
		t, err := d.Add(ctx, c.Tenant, said, c.reason())
		if err != nil {
			return err
		}
		return d.tenant(t)
	})
}

type tenantsChange struct {
	tenantsFlags
	changing
	tenantSaid
	NewToken   []string `help:"Make a further token for a client. Of the older ones the latest that is still good stays." placeholder:"CLIENT"`
	Revoke     []string `help:"Make a new token for a client, and end all others now." placeholder:"CLIENT"`
	DropClient []string `help:"Take a client out." placeholder:"CLIENT"`
	DropParam  []string `help:"Take a parameter or a secret out." placeholder:"NAME"`
	Tenant     string   `arg:"" help:"The tenant's name."`
}

// Help is printed below the summary.
func (tenantsChange) Help() string {
	return `What no flag names stays as it is. With --file, what the file says is all that is said; a client there without tokens keeps
those that it has, and the hash of one may be written as postern tenants show prints it.`
}

func (c tenantsChange) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(d *tenantsDesk) error {
		if err := useful(identity.TenantToken{Expires: c.Expires}); err != nil {
			return err
		}
		if err := d.mayChange(c.Tenant); err != nil {
			return err
		}
		before, err := d.ids.Tenant(ctx, c.Tenant)
		if err != nil {
			return d.explain(c.Tenant, err)
		}
		said, err := c.settings(d, m, c.Tenant, before.Said)
		if err != nil {
			return err
		}
		for name, one := range said.Clients {
			if one.Tokens == nil { // a file need not repeat those that there are
				one.Tokens = before.Said.Clients[name].Tokens
				said.Clients[name] = one
			}
		}
		c.add(&said)
		if err := c.edit(&said); err != nil {
			return err
		}
		t, err := d.registry.Change(ctx, c.Tenant, before.Version, said, c.reason())
		if err != nil {
			return err
		}
		return d.tenant(t)
	})
}

// edit does what the flags of change say.
func (c tenantsChange) edit(said *identity.TenantSettings) error {
	for _, name := range slices.Concat(c.NewToken, c.Revoke, c.DropClient) {
		if _, ok := said.Clients[name]; !ok {
			return fmt.Errorf("there is no client %q; there are: %s", name, strings.Join(sorted(said.Clients), ", "))
		}
	}
	fresh := identity.TenantToken{Expires: c.Expires}
	for _, name := range c.NewToken {
		one := said.Clients[name]
		one.Tokens = append(latestGood(one.Tokens, time.Now()), fresh)
		said.Clients[name] = one
	}
	for _, name := range c.Revoke {
		one := said.Clients[name]
		one.Tokens = []identity.TenantToken{fresh}
		said.Clients[name] = one
	}
	for _, name := range c.DropClient {
		delete(said.Clients, name)
	}
	for _, name := range c.DropParam {
		_, param := said.Params[name]
		if _, secret := said.Secrets[name]; !param && !secret {
			return fmt.Errorf("there is no parameter %q", name)
		}
		delete(said.Params, name)
		delete(said.Secrets, name)
	}
	return nil
}

type tenantsRemove struct {
	tenantsFlags
	changing
	Purge  bool   `help:"Forget its identities, too. Its ids are never given again."`
	Tenant string `arg:"" help:"The tenant's name."`
}

// Help is printed below the summary.
func (tenantsRemove) Help() string {
	return `From then on its requests are answered as those of an unknown tenant. Backends keep what they have. The identities stay: when the
tenant is added again, its resources have the ids that they had. With --purge they are forgotten, now or later.`
}

func (c tenantsRemove) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(d *tenantsDesk) error {
		done, err := d.registry.Remove(ctx, c.Tenant, c.Purge, c.reason())
		if err != nil {
			return err
		}
		return d.print(done, func(w io.Writer) {
			if done.Removed {
				fmt.Fprintf(w, "%s\tremoved\t\n", done.Name)
			}
			if p := done.Purged; p != nil {
				fmt.Fprintf(w, "%s\tpurged\t%d identities, %d records, %d writes given up\t\n", done.Name, p.Identities, p.Records, p.Writes)
			}
		})
	})
}
