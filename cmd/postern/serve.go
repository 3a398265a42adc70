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
	"slices"
	"syscall"
	"time"

	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

type serveCommand struct {
	source
	Listen string `help:"Listen here instead of where the configuration says." placeholder:"HOST:PORT"`
	Admin  string `help:"Answer administrators and probes here instead of where the configuration says." placeholder:"HOST:PORT"`
}

// Help is printed below the summary.
func (serveCommand) Help() string {
	return `The base URL goes to standard output once requests are answered, the log to standard error.
SIGINT and SIGTERM let running requests finish, then Postern ends.

A configuration with problems is not served: they are printed, as check prints them, and the exit status is 1.`
}

func (c serveCommand) Run(ctx context.Context, m *Main) error {
	cfg, mappings, err := load(c.file())
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
	log, end := logger(m.Stderr, cfg.Gateway.Log)
	defer end()
	a := &assembly{cfg: cfg, mappings: mappings, log: log, trace: m.Trace, traceIDs: m.TraceIDs}
	defer func() { _ = a.close() }()
	if cfg.ManyTenants {
		return c.serveTenants(ctx, m, a)
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	a.inspectAll(ctx)
	return c.listen(ctx, m, a, a)
}

// serveTenants serves many tenants. Their backends are opened when they are needed.
func (c serveCommand) serveTenants(ctx context.Context, m *Main, a *assembly) error {
	if err := errors.Join(a.makeFolders(), a.openTable(ctx)); err != nil {
		return err
	}
	for _, p := range a.cfg.Report.Problems() {
		a.warn(p)
	}
	t, err := newTenancy(ctx, a)
	if err != nil {
		return err
	}
	defer t.end()
	return c.listen(ctx, m, a, t)
}

// A house is what is served: one tenant, or many.
type house interface {
	handler() (http.Handler, error)
	adminHandler(*chores) (http.Handler, error)
	chores() []func(context.Context) // beside requests
}

func (c serveCommand) listen(ctx context.Context, m *Main, a *assembly, h house) error {
	g := &a.cfg.Gateway
	scim, err := open("--listen", g.Listen.Value)
	if err != nil {
		return err
	}
	if _, port, _ := net.SplitHostPort(g.Listen.Value); port == "0" {
		g.Listen.Value = scim.Addr().String() // a port of the system's choice is part of the base URL
	}
	handler, err := h.handler()
	if err != nil {
		return errors.Join(err, scim.Close())
	}
	door := gateway.Door{Name: "scim", Listener: scim, Handler: handler, Plain: g.Insecure.Value}
	if door.TLS, err = certificate(g, a.log); err != nil {
		return errors.Join(err, scim.Close())
	}
	doors := []gateway.Door{door}
	beside := newChores(ctx)
	defer beside.end()
	adminAddress := ""
	if g.Admin.Value != "" {
		l, err := open("--admin", g.Admin.Value)
		if err != nil {
			return errors.Join(err, scim.Close())
		}
		adminAddress = l.Addr().String()
		admins, err := h.adminHandler(beside)
		if err != nil {
			return errors.Join(err, scim.Close(), l.Close())
		}
		doors = append(doors, adminDoor(l, admins, door.TLS, g.Insecure.Value))
	}
	for _, work := range h.chores() {
		beside.run(work)
	}
	fmt.Fprintf(m.Stdout, "Postern serves SCIM 2.0 at %s\n", g.BaseURL())
	if m.Listening != nil {
		m.Listening(scim.Addr().String(), adminAddress)
	}
	return gateway.Serve(ctx, a.log, gateway.Timing{}, doors...)
}

// chores implements house.
func (a *assembly) chores() []func(context.Context) {
	return []func(context.Context){
		func(ctx context.Context) { a.housekeep(ctx, housekeepingEvery) },
		func(ctx context.Context) { a.resume(ctx, resumeEvery) },
		a.follow,
		func(ctx context.Context) { a.end(ctx, endEvery) },
		func(ctx context.Context) { watchMaintenance(ctx, maintenanceEvery, a.lookForMaintenance) },
	}
}

// open listens, or says what to do about an address that is taken.
func open(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use already; %s HOST:PORT takes another address", address, flag)
	}
	return l, err
}

// handler is the door's: authentication, limits, routes.
func (a *assembly) handler() (http.Handler, error) {
	o, err := a.doorOptions()
	if err != nil {
		return nil, err
	}
	return gateway.New(o)
}

// doorOptions is what the door is made of.
func (a *assembly) doorOptions() (gateway.Options, error) {
	cursors, err := a.ids.Secret(context.Background(), "cursors")
	if err != nil {
		return gateway.Options{}, err
	}
	return a.doorOptionsWith(cursors)
}

// doorOptionsWith is the same with the key of cursors, which all tenants share: a
// cursor is sealed for one of them.
func (a *assembly) doorOptionsWith(cursors []byte) (gateway.Options, error) {
	g := &a.cfg.Gateway
	bearer, err := auth.NewBearer("postern", clients(a.cfg), time.Now)
	if err != nil {
		return gateway.Options{}, err
	}
	o := gateway.Options{
		Base:          g.BaseURL(),
		Proxies:       proxies(a.cfg),
		Types:         a.service.Types(),
		Provider:      a.service,
		Authenticator: bearer,
		Limits: gateway.Limits{Body: g.Limits.Body.Value, Depth: g.Limits.Depth.Value, Elements: g.Limits.Elements.Value,
			Filter: int(g.Limits.Filter.Value), Page: g.Limits.Page.Value, PageMax: g.Limits.PageMax.Value, Time: g.Limits.Time.Value,
			BulkOperations: g.Limits.Bulk.Operations.Value, BulkBody: int64(g.Limits.Bulk.Body.Value)},
		Pause:      a.pause,
		Proposals:  gateway.Proposals{MultiStatus: proposed(g, "multiStatus")},
		Reads:      a.cfg.TenantRate.Reads.Value,
		Writes:     a.cfg.TenantRate.Writes.Value,
		CursorKey:  cursors,
		CursorTime: g.Limits.Cursor.Value,
		Config:     providerConfig(a.cfg, a.service.Types()),
		Profiles:   profiles(),
		Logger:     a.log,
	}
	if proposed(g, elementKeys) {
		name := "elements"
		if a.shared != nil {
			name += " " + a.cfg.Tenant // or two that share records could know them by their elements
		}
		secret, err := a.ids.Secret(context.Background(), name)
		if err != nil {
			return o, err
		}
		o.Elements = a.service.Keyed(secret)
	}
	return o, nil
}

func proxies(cfg *config.Config) (out []netip.Prefix) {
	for _, p := range cfg.Gateway.Proxies {
		out = append(out, p.Value)
	}
	return out
}

func clients(cfg *config.Config) []auth.Client {
	var out []auth.Client
	for _, c := range cfg.Clients {
		n := auth.Client{Principal: auth.Principal{Profile: c.Profile.Value, Reads: c.Rate.Reads.Value, Writes: c.Rate.Writes.Value, Caller: provision.Caller{Tenant: cfg.Tenant, Client: c.Name.Value,
			Existing: c.IDs.Value == "existing", Reject: c.Unknown.Value == "reject", Secondary: secondary(c), Access: access(c),
			Removals: provision.Quota{Most: int(c.Removals.Most.Value), Within: c.Removals.Within.Value}}}}
		for _, t := range c.Tokens {
			n.Tokens = append(n.Tokens, auth.Token{Hash: t.Hash, Expires: t.Expires.Value, Subject: t.Subject.Value})
		}
		out = append(out, n)
	}
	return out
}

// elementKeys is the proposal that gives elements keys and URLs.
const elementKeys = "elementKeys"

// proposed reports whether something that is no standard is switched on.
func proposed(g *config.Gateway, name string) bool {
	return slices.ContainsFunc(g.Proposals, func(p config.Text) bool { return p.Value == name })
}

func access(c config.Client) provision.Access {
	switch c.Access.Value {
	case "read":
		return provision.Reading
	case "dryRun":
		return provision.Trying
	}
	return provision.Full
}

func certificate(g *config.Gateway, log *slog.Logger) (*tls.Config, error) {
	if g.TLS == nil {
		return nil, nil
	}
	return gateway.TLSConfig(g.TLS.Certificate.Resolved, g.TLS.Key.Resolved, log)
}

// providerConfig is what /ServiceProviderConfig says of this configuration.
func providerConfig(cfg *config.Config, types []*schema.ResourceType) schema.ProviderConfig {
	l := cfg.Gateway.Limits
	return schema.ProviderConfig{
		Patch: true, Filter: true, FilterMaxResults: l.PageMax.Value, Sort: true, ETag: cfg.Gateway.ETags.Value,
		Bulk: true, BulkMaxOperations: l.Bulk.Operations.Value, BulkMaxPayloadSize: int(l.Bulk.Body.Value),
		Pagination: &schema.Pagination{Index: true, Cursor: true, CursorTimeout: int(l.Cursor.Value / time.Second), DefaultMethod: "index", DefaultPageSize: l.Page.Value, MaxPageSize: l.PageMax.Value},
		Authentication: []schema.AuthenticationScheme{{Type: "oauthbearertoken", Name: "Bearer token",
			Description: "A token of the configuration, in the Authorization header.",
			SpecURI:     "https://www.rfc-editor.org/info/rfc6750", Primary: true}},
		More: more(&cfg.Gateway, types),
	}
}

// more is what is supported beyond RFC 7643.
func more(g *config.Gateway, types []*schema.ResourceType) []scim.Member {
	out := schema.Grants(types)
	if proposed(g, elementKeys) {
		yes := scim.Member{Name: "supported", Value: scim.Node{Kind: scim.NodeBool, Str: "true"}}
		out = append(out, scim.Member{Name: elementKeys, Value: scim.Node{Kind: scim.NodeObject, Members: []scim.Member{yes}}})
	}
	return out
}
