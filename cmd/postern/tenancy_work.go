package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

// What is done beside requests, once for all tenants: one look at the mapping table
// tells for whom there is something to do, and only these are put to work.

// chores implements house.
func (t *tenancy) chores() []func(context.Context) {
	return []func(context.Context){
		func(ctx context.Context) { t.sweep(ctx, time.Minute) },
		t.follow,
		t.watch,
		func(ctx context.Context) { watchMaintenance(ctx, maintenanceEvery, t.lookForMaintenance) },
		func(ctx context.Context) { t.resume(ctx, resumeEvery) },
		func(ctx context.Context) { t.housekeep(ctx, housekeepingEvery) },
		func(ctx context.Context) { t.ends(ctx, endEvery) },
	}
}

// each puts tenants to work, one after the other. One that is not there any more is
// left out, and one that fails does not keep the others waiting.
func (t *tenancy) each(ctx context.Context, what string, names []string, do func(context.Context, *worker, *provision.Identities) error) error {
	for _, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w, err := t.enter(ctx, name, true)
		if errors.Is(err, errNoTenant) {
			continue
		}
		if err == nil {
			err = do(ctx, w, w.a.identities())
			t.leave(w)
		}
		if err != nil && ctx.Err() == nil {
			t.file.log.WarnContext(ctx, what, "tenant", name, "error", err)
		}
	}
	return ctx.Err()
}

// resume carries on what was left behind.
func (t *tenancy) resume(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		names, err := t.file.ids.TenantsInJournal(ctx)
		if err != nil && ctx.Err() == nil {
			t.file.log.WarnContext(ctx, "the journal", "error", err)
		}
		_ = t.each(ctx, "the journal", names, func(ctx context.Context, w *worker, n *provision.Identities) error {
			done, left, err := n.Resume(ctx)
			if done > 0 {
				w.a.log.InfoContext(ctx, "entries of the journal were settled", "settled", done, "left", left)
			}
			return err
		})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// housekeep finishes what merges left to do, and retires ids that have waited for
// long enough.
func (t *tenancy) housekeep(ctx context.Context, every time.Duration) {
	t.file.regularly(ctx, "housekeeping", every, func(ctx context.Context) error {
		names, err := t.file.ids.TenantsToKeep(ctx)
		if err != nil {
			return err
		}
		return t.each(ctx, "housekeeping", names, func(ctx context.Context, w *worker, n *provision.Identities) error {
			_, _, err := n.Work(ctx)
			if after := w.a.cfg.Housekeeping.Retire; after.Set {
				_, failed := n.Retire(ctx, "", time.Now().Add(-after.Value), "housekeeping")
				err = errors.Join(err, failed)
			}
			return err
		})
	})
}

// ends sets resources inactive whose end date is past. Their backends know which, so
// this is the one thing for which every tenant must be asked: one after the other.
func (t *tenancy) ends(ctx context.Context, every time.Duration) {
	if !t.file.hasEnds() {
		return
	}
	t.file.regularly(ctx, "end dates", every, func(ctx context.Context) error {
		return t.each(ctx, "end dates", t.names(), func(ctx context.Context, _ *worker, n *provision.Identities) error {
			_, err := n.End(ctx, time.Now())
			return err
		})
	})
}

func (a *assembly) hasEnds() bool {
	for _, m := range a.mappings {
		if m.Ends() != nil {
			return true
		}
	}
	return false
}

// How often it is looked whether there are other tenants than before: in a file, where
// nobody tells, a look costs some microseconds.
const (
	lookAtTenants     = 100 * time.Millisecond
	lookAtTenantsFar  = 2 * time.Second
	tenantsAreKnownBy = 3 * lookAtTenants // by every process, after a change
)

// watch looks whether there are other tenants than before.
func (t *tenancy) watch(ctx context.Context) {
	every := lookAtTenants
	if t.file.ids.Shared() {
		every = lookAtTenantsFar // follow is told
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if v, err := t.file.ids.TenantsVersion(ctx); err == nil && v != t.version.Load() {
			t.reloaded(ctx)
		}
	}
}

func (t *tenancy) reloaded(ctx context.Context) {
	if err := t.reload(ctx); err != nil && ctx.Err() == nil {
		t.file.log.WarnContext(ctx, "tenants", "error", err)
	}
}

// follow hears what other nodes have written, and forgets what is old by now.
func (t *tenancy) follow(ctx context.Context) {
	t.file.ids.Follow(ctx, func(topic string) {
		if topic == "" || topic == identity.TenantsTopic {
			t.reloaded(ctx)
		}
		rest, ok := strings.CutPrefix(topic, backendTopic)
		if topic != "" && !ok {
			return
		}
		backend, tenant, _ := strings.Cut(rest, " ")
		t.forget(backend, tenant)
	})
}

// forget forgets what is remembered of a backend as a tenant has it, by whoever
// shares it. Where that cannot be known, all forget.
func (t *tenancy) forget(backend, tenant string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	var only *openedBackend
	if w := t.atWork[tenant]; w != nil && w.built() {
		only = w.a.opened[backend]
	}
	for _, w := range t.atWork {
		if !w.built() || only != nil && w.a.opened[backend] != only {
			continue
		}
		for name, g := range w.a.guards {
			if backend == "" || name == backend {
				g.Forget()
			}
		}
		w.a.service.Forget(backend)
	}
}

// built reports whether a worker can work.
func (w *worker) built() bool {
	select {
	case <-w.ready:
		return w.err == nil && w.a != nil
	default:
		return false
	}
}

func (t *tenancy) names() []string {
	var out []string
	for name := range t.known.Load().tenants {
		out = append(out, name)
	}
	return out
}

// handler implements house.
func (t *tenancy) handler() (http.Handler, error) { return t.hall() }

// adminHandler implements house.
func (t *tenancy) adminHandler(c *chores) (http.Handler, error) {
	o := admin.Options{Ready: t.file.ids.Ping, Version: versionText(), Logger: t.file.log}
	if len(t.file.cfg.Admins) > 0 {
		bearer, err := auth.NewBearer("postern-admin", admins(t.file.cfg), time.Now)
		if err != nil {
			return nil, err
		}
		o.API = &admin.API{Tenants: t.registry(), Enter: t.admit, Authenticator: bearer, Run: c.run}
	}
	return admin.New(o), nil
}

// admit lets an administrator into a tenant; "" stands for all of them.
func (t *tenancy) admit(ctx context.Context, name string) (*provision.Identities, func(), error) {
	if name == everyTenant {
		return t.file.service.Identities(everyTenant, nil), func() {}, nil
	}
	w, err := t.enter(ctx, name, false)
	switch {
	case errors.Is(err, errNoTenant):
		return nil, nil, scim.Errorf(http.StatusNotFound, "", "There is no tenant %q.", name)
	case err != nil:
		t.file.log.WarnContext(ctx, "a tenant cannot be served", "tenant", name, "error", err.Error())
		return nil, nil, scim.Errorf(http.StatusServiceUnavailable, "", "The tenant cannot be served just now; the log says why.")
	}
	return w.a.identities(), func() { t.leave(w) }, nil
}
