package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A registry is where tenants are added, changed and removed at run time, by command
// and over the admin API. What is said about one is checked as if it stood in the
// configuration before it is kept.
type registry struct {
	cfg      *config.Config
	mappings []*rules.Mapping
	ids      *identity.Store
	// compiling runs one compilation at a time; changed is called after each change.
	compiling func(func() error) error
	changed   func(ctx context.Context) error
}

func (t *tenancy) registry() *registry {
	return &registry{cfg: t.file.cfg, mappings: t.file.mappings, ids: t.file.ids, changed: t.reload, compiling: func(do func() error) error {
		t.building.Lock()
		defer t.building.Unlock()
		return do()
	}}
}

// readAdded reads what was said about a tenant at run time.
func readAdded(cfg *config.Config, name string, said identity.TenantSettings) (*config.Tenant, error) {
	text, err := json.MarshalIndent(said, "", "  ")
	if err != nil {
		return nil, err
	}
	return cfg.AddedTenant(name, "tenant "+name, text)
}

// List implements admin.Tenants.
func (r *registry) List(ctx context.Context) ([]admin.Tenant, error) {
	added, err := r.ids.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	all := []admin.Tenant{}
	for i := range r.cfg.Tenants {
		all = append(all, ofFile(&r.cfg.Tenants[i]))
	}
	for i := range added {
		if r.cfg.TenantNamed(added[i].Name) == nil {
			all = append(all, ofTable(&added[i]))
		}
	}
	slices.SortFunc(all, func(a, b admin.Tenant) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// ofFile is a tenant of the configuration, of which everything else is to be read there.
func ofFile(t *config.Tenant) admin.Tenant {
	return admin.Tenant{Name: t.Name.Value, From: "configuration"}
}

const hashShown = len("sha256:") + 12

// ofTable is a tenant that was added. Of hashes the beginning is shown, by which they
// can be told apart.
func ofTable(t *identity.Tenant) admin.Tenant {
	said := t.Said
	said.Clients = maps.Clone(said.Clients)
	for name, c := range said.Clients {
		c.Tokens = slices.Clone(c.Tokens)
		for i := range c.Tokens {
			c.Tokens[i].Hash = c.Tokens[i].Hash[:min(len(c.Tokens[i].Hash), hashShown)] + "…"
		}
		said.Clients[name] = c
	}
	return admin.Tenant{Name: t.Name, From: "added", Version: t.Version, Created: &t.Created, Since: &t.Since, Who: t.Who, Why: t.Why, Settings: &said}
}

// Show implements admin.Tenants.
func (r *registry) Show(ctx context.Context, name string) (admin.Tenant, error) {
	if t := r.cfg.TenantNamed(name); t != nil {
		return ofFile(t), nil
	}
	t, err := r.ids.Tenant(ctx, name)
	if err != nil {
		return admin.Tenant{}, r.explain(name, err)
	}
	out := ofTable(&t)
	out.History, err = r.ids.TenantHistory(ctx, name)
	return out, err
}

// Add implements admin.Tenants.
func (r *registry) Add(ctx context.Context, name string, said identity.TenantSettings, why identity.Reason) (admin.Tenant, error) {
	if err := r.mayChange(name); err != nil {
		return admin.Tenant{}, err
	}
	made, err := r.fit(name, &said, nil)
	if err != nil {
		return admin.Tenant{}, r.explain(name, err)
	}
	t, err := r.ids.AddTenant(ctx, name, said, why)
	return r.done(ctx, name, t, made, why, err)
}

// Change implements admin.Tenants.
func (r *registry) Change(ctx context.Context, name string, version int64, said identity.TenantSettings, why identity.Reason) (admin.Tenant, error) {
	if err := r.mayChange(name); err != nil {
		return admin.Tenant{}, err
	}
	before, err := r.ids.Tenant(ctx, name)
	if err == nil && version != 0 && version != before.Version {
		err = identity.ErrOtherChange
	}
	if err != nil {
		return admin.Tenant{}, r.explain(name, err)
	}
	made, err := r.fit(name, &said, &before)
	if err != nil {
		return admin.Tenant{}, r.explain(name, err)
	}
	t, err := r.ids.ChangeTenant(ctx, name, before.Version, said, why)
	return r.done(ctx, name, t, made, why, err)
}

// done is the answer to a change. Tokens that were made for a dry run are of no use.
func (r *registry) done(ctx context.Context, name string, t identity.Tenant, made map[string][]string, why identity.Reason, err error) (admin.Tenant, error) {
	if err != nil {
		return admin.Tenant{}, r.explain(name, err)
	}
	out := ofTable(&t)
	if why.DryRun {
		return out, nil
	}
	out.Tokens = made
	if err := r.changed(ctx); err != nil && len(made) == 0 {
		return out, err
	}
	return out, nil // what was made is kept, and would be shown to nobody else
}

// Remove implements admin.Tenants. A tenant that is not there any more can still be
// purged.
func (r *registry) Remove(ctx context.Context, name string, purge bool, why identity.Reason) (admin.TenantRemoved, error) {
	out := admin.TenantRemoved{Name: name}
	if err := r.mayChange(name); err != nil {
		return out, err
	}
	_, err := r.ids.Tenant(ctx, name)
	switch {
	case err == nil:
		_, err = r.ids.RemoveTenant(ctx, name, why)
		out.Removed = err == nil
		if out.Removed && !why.DryRun {
			err = r.changed(ctx)
		}
	case errors.Is(err, identity.ErrNoTenant) && purge:
		err = r.leftBehind(ctx, name)
	}
	if err != nil || !purge {
		return out, r.explain(name, err)
	}
	if why.DryRun && out.Removed {
		return out, nil // what would be purged can be seen once the tenant is removed
	}
	p, err := r.ids.PurgeTenant(ctx, name, why)
	out.Purged = &p
	return out, r.explain(name, err)
}

// leftBehind refuses a name of which nothing is kept.
func (r *registry) leftBehind(ctx context.Context, name string) error {
	known, err := r.ids.TenantsKnown(ctx)
	if err == nil && !slices.Contains(known, name) {
		return identity.ErrNoTenant
	}
	return err
}

// mayChange refuses what is not the business of the mapping table.
func (r *registry) mayChange(name string) error {
	switch {
	case !r.cfg.ManyTenants:
		return scim.Errorf(http.StatusNotImplemented, "", "This configuration has clients, and so one tenant; with tenants: {} instead, all can be added at run time.")
	case r.cfg.TenantNamed(name) != nil:
		return scim.Errorf(http.StatusConflict, "", "Tenant %q stands in the configuration: change it there.", name)
	}
	return nil
}

// fit makes the tokens that are to be made, and checks what was said as if it stood
// in the configuration. It answers the tokens by client.
func (r *registry) fit(name string, said *identity.TenantSettings, before *identity.Tenant) (map[string][]string, error) {
	made := map[string][]string{}
	if len(said.Clients) == 0 {
		return nil, scim.Errorf(http.StatusBadRequest, "", "Tenant %q has no client, and so nobody could call.", name)
	}
	said.Clients = maps.Clone(said.Clients)
	for client, c := range said.Clients {
		var old []identity.TenantToken
		if before != nil {
			old = before.Said.Clients[client].Tokens
		}
		tokens, fresh, err := tokensOf(client, c.Tokens, old)
		if err != nil {
			return nil, err
		}
		if c.Tokens = tokens; len(fresh) > 0 {
			made[client] = fresh
		}
		said.Clients[client] = c
	}
	tenant, err := readAdded(r.cfg, name, *said)
	if err != nil {
		return nil, err
	}
	return made, r.compiling(func() error {
		_, _, err := configurationOf(r.cfg, r.mappings, tenant)
		return err
	})
}

// tokensOf are the tokens of a client: those that it has if nothing is said, and a new
// one where there is no hash.
func tokensOf(client string, said, old []identity.TenantToken) (all []identity.TenantToken, made []string, err error) {
	if said == nil && old != nil {
		return old, nil, nil
	}
	if said == nil {
		said = []identity.TenantToken{{}}
	}
	all = slices.Clone(said)
	for i, tk := range all {
		start := strings.TrimSuffix(tk.Hash, "…")
		switch {
		case tk.Hash == "":
			var token string
			token, all[i].Hash = auth.NewToken()
			made = append(made, token)
		case len(start) == hashShown:
			n := slices.IndexFunc(old, func(o identity.TenantToken) bool { return strings.HasPrefix(o.Hash, start) })
			if n < 0 {
				return nil, nil, scim.Errorf(http.StatusBadRequest, "", "Client %q has no token whose hash begins with %s.", client, start)
			}
			all[i].Hash = old[n].Hash
		default:
			all[i].Hash = strings.ToLower(tk.Hash)
		}
	}
	return all, made, nil
}

// explain says in an answer what an administrator can do about an error.
func (r *registry) explain(name string, err error) error {
	var problems config.Problems
	var known *scim.Error
	var unfit config.TenantError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.As(err, &problems):
		return settingsError{slices.DeleteFunc(problems, func(p config.Problem) bool { return p.Warning })}
	case errors.Is(err, identity.ErrNoTenant):
		return scim.Errorf(http.StatusNotFound, "", "There is no tenant %q.", name)
	case errors.Is(err, identity.ErrTenant):
		return scim.Errorf(http.StatusConflict, "", "There is a tenant %q already.", name)
	case errors.Is(err, identity.ErrTokenTaken):
		return scim.Errorf(http.StatusConflict, "", "A token is another tenant's, or given twice: give everybody their own.")
	case errors.Is(err, identity.ErrOtherChange), errors.Is(err, identity.ErrConflict):
		return scim.Errorf(http.StatusConflict, "", "Tenant %q was changed meanwhile; look at it again.", name)
	case errors.As(err, &unfit):
		return scim.Errorf(http.StatusBadRequest, "", "%s.", err.Error())
	}
	return err
}

// A settingsError is what is wrong with what was said about a tenant: for the command
// problems with their places, for the admin API a text.
type settingsError struct{ problems config.Problems }

func (e settingsError) Error() string { return e.problems.Error() }

func (e settingsError) Unwrap() []error {
	var all []string
	for _, p := range e.problems {
		text := p.Message
		if p.Hint != "" {
			text = fmt.Sprintf("%s (%s)", text, p.Hint)
		}
		all = append(all, text)
	}
	return []error{e.problems, scim.Errorf(http.StatusBadRequest, "", "%s.", strings.Join(all, "; "))}
}
