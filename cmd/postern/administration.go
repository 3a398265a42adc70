package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
)

// chores is work beside requests. All of it ends with the context, and is waited
// for, so that the databases are closed when nobody uses them any more.
type chores struct {
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func newChores(ctx context.Context) *chores {
	c := &chores{}
	c.ctx, c.stop = context.WithCancel(ctx)
	return c
}

func (c *chores) run(work func(context.Context)) {
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		work(c.ctx)
	}()
}

func (c *chores) end() {
	c.stop()
	c.wg.Wait()
}

// adminHandler is what answers on the second listener.
func (a *assembly) adminHandler(c *chores) (http.Handler, error) {
	o := admin.Options{Ready: a.service.Ready, Version: versionText(), Logger: a.log}
	if len(a.cfg.Admins) > 0 {
		bearer, err := auth.NewBearer("postern-admin", admins(a.cfg), time.Now)
		if err != nil {
			return nil, err
		}
		o.API = &admin.API{Identities: a.identities(), Authenticator: bearer, Run: c.run}
	}
	return admin.New(o), nil
}

func admins(cfg *config.Config) []auth.Client {
	var out []auth.Client
	for _, a := range cfg.Admins {
		n := auth.Client{Principal: auth.Principal{Caller: provision.Caller{Tenant: cfg.Tenant, Client: a.Name.Value}}}
		for _, s := range a.Scopes {
			n.Principal.Scopes = append(n.Principal.Scopes, s.Value)
		}
		for _, t := range a.Tokens {
			n.Tokens = append(n.Tokens, auth.Token{Hash: t.Hash, Expires: t.Expires.Value})
		}
		out = append(out, n)
	}
	return out
}

// adminDoor is the second listener. It speaks TLS where others can listen in, if
// there is a certificate.
func adminDoor(l net.Listener, h http.Handler, cert *tls.Config, plain bool) gateway.Door {
	d := gateway.Door{Name: "admin", Listener: l, Handler: h, Plain: plain}
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		d.TLS = cert
	}
	return d
}

// housekeepingEvery is how often postern serve looks after things.
const housekeepingEvery = time.Hour

// housekeep finishes what merges left to do, and retires ids that have waited for
// long enough: at the start, and then again and again. Of several nodes one does it.
// endEvery is how often postern serve looks for resources whose end date is past.
const endEvery = time.Minute

// end sets resources inactive whose end date is past.
func (a *assembly) end(ctx context.Context, every time.Duration) {
	if !a.service.Ends() {
		return
	}
	a.regularly(ctx, "end dates", every, func(ctx context.Context) error {
		if _, err := a.identities().End(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "end dates", "error", err)
		}
		return ctx.Err()
	})
}

func (a *assembly) housekeep(ctx context.Context, every time.Duration) {
	a.regularly(ctx, "housekeeping", every, func(ctx context.Context) error {
		n := a.identities()
		if _, _, err := n.Work(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "housekeeping: the steps of merges", "error", err)
		}
		if after := a.cfg.Housekeeping.Retire; after.Set {
			if _, err := n.Retire(ctx, "", time.Now().Add(-after.Value), "housekeeping"); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "housekeeping: ids that wait", "error", err)
			}
		}
		return ctx.Err()
	})
}
