package main

import (
	"context"
	"net/http"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

// door is the way into a tenant.
func (t *tenancy) door(a *assembly) (http.Handler, error) {
	o, err := a.doorOptionsWith(t.cursors)
	if err != nil {
		return nil, err
	}
	o.ConfigNeedsCredentials = true // what is open would tell which tenants there are
	o.Logger = t.file.log
	name := a.cfg.Tenant
	o.Pause = func() gateway.Pause { return t.pauseOf(name) }
	return gateway.New(o)
}

// hall is the way to all doors.
func (t *tenancy) hall() (http.Handler, error) {
	nobody, err := t.outside(nil)
	if err != nil {
		return nil, err
	}
	shut, err := t.outside(gateway.Refusing{RetryAfter: 30})
	if err != nil {
		return nil, err
	}
	return gateway.NewHall(gateway.Hall{Base: t.file.cfg.Gateway.BaseURL(), Proxies: proxies(t.file.cfg), Find: t.find, Nobody: nobody, Shut: shut,
		Enter: func(ctx context.Context, tenant string) (http.Handler, func(), error) {
			w, err := t.enter(ctx, tenant, false)
			if err != nil {
				return nil, nil, err
			}
			return w.door, func() { t.leave(w) }, nil
		}})
}

// outside is a door without clients.
func (t *tenancy) outside(authenticator gateway.Authenticator) (http.Handler, error) {
	f := *t.file.cfg
	f.Clients, f.Tenant = nil, ""
	f.Gateway.Base = config.Text{Value: f.NobodysBase(gateway.NobodysName)}
	a := assembly{cfg: &f, mappings: t.file.mappings, log: t.file.log, ids: t.file.ids, service: provision.New(provision.Options{IDs: t.file.ids, Log: t.file.log})}
	o, err := a.doorOptionsWith(nil)
	if err != nil {
		return nil, err
	}
	for _, m := range a.mappings {
		o.Types = append(o.Types, m.Type)
	}
	o.ConfigNeedsCredentials, o.Pause = true, nil
	if authenticator != nil {
		o.Authenticator = authenticator
	}
	return gateway.New(o)
}

// lookForMaintenance asks for all tenants at once.
func (t *tenancy) lookForMaintenance(ctx context.Context) {
	all, err := t.file.ids.AllMaintenance(ctx)
	if err != nil {
		return
	}
	now := map[string]gateway.Pause{}
	for tenant, m := range all {
		now[tenant] = pauseFor(m)
	}
	t.paused.Store(&now)
}

// pauseOf is what is refused for a tenant: what is refused for it, or for all.
func (t *tenancy) pauseOf(tenant string) gateway.Pause {
	all := *t.paused.Load()
	own, every := all[tenant], all[everyTenant]
	if every.All || every.Writes && !own.All {
		return every
	}
	return own
}

func pauseFor(m identity.Maintenance) gateway.Pause {
	return gateway.Pause{All: m.Mode == identity.MaintenanceAll, Writes: m.Mode != identity.MaintenanceOff, RetryAfter: m.RetryAfter}
}
