package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// Tenants are those of a gateway that serves many. Its errors are *scim.Error where
// an administrator can be told something.
type Tenants interface {
	List(ctx context.Context) ([]Tenant, error)
	Show(ctx context.Context, name string) (Tenant, error)
	Add(ctx context.Context, name string, said identity.TenantSettings, r identity.Reason) (Tenant, error)
	// Change says something else about a tenant, if it is at a version still; 0: at any.
	Change(ctx context.Context, name string, version int64, said identity.TenantSettings, r identity.Reason) (Tenant, error)
	Remove(ctx context.Context, name string, purge bool, r identity.Reason) (TenantRemoved, error)
}

// A Tenant is what administrators see of one. Of a tenant of the configuration that
// is its name, and where it is from.
type Tenant struct {
	Name     string                   `json:"name"`
	From     string                   `json:"from"` // configuration, added
	Version  int64                    `json:"version,omitempty"`
	Created  *time.Time               `json:"created,omitempty"`
	Since    *time.Time               `json:"since,omitempty"`
	Who      string                   `json:"who,omitempty"`
	Why      string                   `json:"why,omitempty"`
	Settings *identity.TenantSettings `json:"settings,omitempty"`
	// Tokens were made just now, by client. They are shown this once.
	Tokens  map[string][]string     `json:"tokens,omitempty"`
	History []identity.TenantChange `json:"history,omitempty"`
}

// A TenantRemoved is a tenant that was removed, or purged.
type TenantRemoved struct {
	Name    string           `json:"name"`
	Removed bool             `json:"removed"` // just now
	Purged  *identity.Purged `json:"purged,omitempty"`
}

type tenantsOut struct {
	Tenants []Tenant `json:"tenants"`
}

type tenantIn struct {
	reasonIn
	Settings identity.TenantSettings `json:"settings"`
}

type tenantAddIn struct {
	tenantIn
	Name string `json:"name"`
}

type tenantChangeIn struct {
	tenantIn
	Version int64 `json:"version"`
}

// many are the tenants, if there are any.
func (a *API) many() (Tenants, error) {
	if a.Tenants == nil {
		return nil, scim.Errorf(http.StatusNotImplemented, "", "This gateway has one tenant: its configuration has clients, and no tenants.")
	}
	return a.Tenants, nil
}

func (a *API) listTenants(x *request) error {
	t, err := a.many()
	if err != nil {
		return err
	}
	all, err := t.List(x.ctx)
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, tenantsOut{some(all)})
}

func (a *API) showTenant(x *request) error {
	t, err := a.many()
	if err != nil {
		return err
	}
	one, err := t.Show(x.ctx, x.r.PathValue("tenant"))
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, one)
}

func (a *API) addTenant(x *request) error {
	t, err := a.many()
	if err != nil {
		return err
	}
	in, err := read[tenantAddIn](x)
	if err != nil {
		return err
	}
	if in.Why == "" && !in.DryRun {
		return scim.Errorf(http.StatusBadRequest, "", "Say why.")
	}
	one, err := t.Add(x.ctx, in.Name, in.Settings, in.reason(x))
	if err != nil {
		return err
	}
	if in.DryRun {
		return x.send(http.StatusOK, one)
	}
	x.w.Header().Set("Location", "/v1/tenants/"+one.Name)
	return x.send(http.StatusCreated, one)
}

func (a *API) changeTenant(x *request) error {
	t, err := a.many()
	if err != nil {
		return err
	}
	in, err := read[tenantChangeIn](x)
	if err != nil {
		return err
	}
	if in.Why == "" && !in.DryRun {
		return scim.Errorf(http.StatusBadRequest, "", "Say why.")
	}
	one, err := t.Change(x.ctx, x.r.PathValue("tenant"), in.Version, in.Settings, in.reason(x))
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, one)
}

// removeTenant has its reason in the URL: a DELETE has no body.
func (a *API) removeTenant(x *request) error {
	t, err := a.many()
	if err != nil {
		return err
	}
	q := x.r.URL.Query()
	for name := range q {
		if name != "why" && name != "dryRun" && name != "purge" {
			return scim.Errorf(http.StatusBadRequest, "", "There is no parameter %q here.", name)
		}
	}
	in := reasonIn{Why: q.Get("why")}
	purge := false
	for name, into := range map[string]*bool{"dryRun": &in.DryRun, "purge": &purge} {
		switch v := q.Get(name); v {
		case "", "false":
		case "true":
			*into = true
		default:
			return scim.Errorf(http.StatusBadRequest, "", "%s is true or false.", name)
		}
	}
	if in.Why == "" && !in.DryRun {
		return scim.Errorf(http.StatusBadRequest, "", "Say why, with ?why=TEXT.")
	}
	done, err := t.Remove(x.ctx, x.r.PathValue("tenant"), purge, in.reason(x))
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, done)
}
