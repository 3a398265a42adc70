package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/gateway/admin"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim/schema"
)

type serveCommand struct {
	Config string `short:"c" help:"The configuration file." type:"path" default:"postern.yaml"`
	Listen string `help:"Listen here instead of where the configuration says." placeholder:"HOST:PORT"`
	Admin  string `help:"The second listener, with /healthz and /readyz, instead of the configuration's." placeholder:"HOST:PORT"`
}

func (c serveCommand) Run(ctx context.Context, m *Main) error {
	cfg, mappings, err := load(c.Config)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		if err := cfg.SetListen(c.Listen); err != nil {
			return err
		}
	}
	if c.Admin != "" {
		cfg.Gateway.Admin.Value = c.Admin
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(m.Stderr, w)
	}
	a := &assembly{cfg: cfg, mappings: mappings, log: logger(m.Stderr, cfg.Gateway.Log), trace: m.Trace}
	defer func() { _ = a.close() }()
	if err := a.open(ctx); err != nil {
		return err
	}
	return c.listen(ctx, m, a)
}

func (c serveCommand) listen(ctx context.Context, m *Main, a *assembly) error {
	g := &a.cfg.Gateway
	scim, err := net.Listen("tcp", g.Listen.Value)
	if err != nil {
		return err
	}
	if _, port, _ := net.SplitHostPort(g.Listen.Value); port == "0" {
		g.Listen.Value = scim.Addr().String() // a port of the system's choice is part of the base URL
	}
	handler, err := a.handler()
	if err != nil {
		return errors.Join(err, scim.Close())
	}
	door := gateway.Door{Name: "scim", Listener: scim, Handler: handler, Plain: g.Insecure.Value}
	if door.TLS, err = certificate(g, a.log); err != nil {
		return errors.Join(err, scim.Close())
	}
	doors := []gateway.Door{door}
	adminAddress := ""
	if g.Admin.Value != "" {
		l, err := net.Listen("tcp", g.Admin.Value)
		if err != nil {
			return errors.Join(err, scim.Close())
		}
		adminAddress = l.Addr().String()
		doors = append(doors, gateway.Door{Name: "admin", Listener: l, Plain: g.Insecure.Value,
			Handler: admin.New(admin.Options{Ready: a.service.Ready, Version: versionText(), Logger: a.log})})
	}
	fmt.Fprintf(m.Stdout, "Postern serves SCIM 2.0 at %s\n", g.BaseURL())
	if m.Listening != nil {
		m.Listening(scim.Addr().String(), adminAddress)
	}
	return gateway.Serve(ctx, a.log, gateway.Timing{}, doors...)
}

// handler is the door's: authentication, limits, routes.
func (a *assembly) handler() (http.Handler, error) {
	g := &a.cfg.Gateway
	bearer, err := auth.NewBearer("postern", clients(a.cfg), time.Now)
	if err != nil {
		return nil, err
	}
	var proxies []netip.Prefix
	for _, p := range g.Proxies {
		proxies = append(proxies, p.Value)
	}
	return gateway.New(gateway.Options{
		Base:          g.BaseURL(),
		Proxies:       proxies,
		Types:         a.service.Types(),
		Provider:      a.service,
		Authenticator: bearer,
		Limits: gateway.Limits{Body: g.Limits.Body.Value, Depth: g.Limits.Depth.Value, Elements: g.Limits.Elements.Value,
			Filter: int(g.Limits.Filter.Value), Page: g.Limits.Page.Value, PageMax: g.Limits.PageMax.Value, Time: g.Limits.Time.Value},
		Config:   providerConfig(a.cfg),
		Profiles: profiles(),
		Logger:   a.log,
	})
}

func clients(cfg *config.Config) []auth.Client {
	var out []auth.Client
	for _, c := range cfg.Clients {
		n := auth.Client{Principal: auth.Principal{Profile: c.Profile.Value, Caller: provision.Caller{Tenant: cfg.Tenant, Client: c.Name.Value,
			Existing: c.IDs.Value == "existing", Reject: c.Unknown.Value == "reject"}}}
		for _, t := range c.Tokens {
			n.Tokens = append(n.Tokens, auth.Token{Hash: t.Hash, Expires: t.Expires.Value})
		}
		out = append(out, n)
	}
	return out
}

func certificate(g *config.Gateway, log *slog.Logger) (*tls.Config, error) {
	if g.TLS == nil {
		return nil, nil
	}
	return gateway.TLSConfig(g.TLS.Certificate.Resolved, g.TLS.Key.Resolved, log)
}

// providerConfig is what /ServiceProviderConfig says of this configuration.
func providerConfig(cfg *config.Config) schema.ProviderConfig {
	l := cfg.Gateway.Limits
	return schema.ProviderConfig{
		Patch: true, Filter: true, FilterMaxResults: l.PageMax.Value, Sort: true,
		Pagination: &schema.Pagination{Index: true, DefaultMethod: "index", DefaultPageSize: l.Page.Value, MaxPageSize: l.PageMax.Value},
		Authentication: []schema.AuthenticationScheme{{Type: "oauthbearertoken", Name: "Bearer token",
			Description: "A token of the configuration, in the Authorization header.",
			SpecURI:     "https://www.rfc-editor.org/info/rfc6750", Primary: true}},
	}
}
