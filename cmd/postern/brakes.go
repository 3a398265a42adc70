package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/postern/postern/gateway"
	"github.com/postern/postern/identity"
)

type maintenanceCommand struct {
	Show  maintenanceShow  `cmd:"" help:"Show whether clients are served."`
	Begin maintenanceBegin `cmd:"" help:"Refuse clients, or only their changes."`
	End   maintenanceEnd   `cmd:"" help:"Serve clients again."`
}

// Help is printed below the summary.
func (maintenanceCommand) Help() string {
	return `During maintenance clients get 503 and Retry-After. It is kept in the mapping table: every postern serve that uses it follows within
a second, also after a new start. What administrators do goes on. Where there are several tenants, --tenant names the one that is
meant; without it all of them are.

    postern maintenance begin --refuse writes --retry 10m --why "the backend is being upgraded"
    postern maintenance end --why "done"
`
}

type maintenanceShow struct{ identitiesFlags }

func (c maintenanceShow) Run(ctx context.Context, m *Main) error {
	return c.ofEvery().with(ctx, m, func(o *office) error { return o.maintenance(ctx) })
}

func (o *office) maintenance(ctx context.Context) error {
	m, err := o.Maintenance(ctx)
	if err != nil {
		return err
	}
	return o.print(m, func(w io.Writer) {
		if m.Since.IsZero() {
			fmt.Fprintln(w, "off")
			return
		}
		fmt.Fprintf(w, "%s\tsince %s\tby %s: %s\t\n", m.Mode, when(m.Since), m.Who, m.Why)
	})
}

type maintenanceBegin struct {
	identitiesFlags
	Refuse string        `enum:"all,writes" default:"all" help:"What is refused: all, or writes."`
	Retry  time.Duration `default:"5m" help:"When clients may come again."`
	Why    string        `required:"" help:"Why; it is kept." placeholder:"TEXT"`
}

func (c maintenanceBegin) Run(ctx context.Context, m *Main) error {
	return c.set(ctx, m, identity.Maintenance{Mode: c.Refuse, RetryAfter: int(c.Retry.Seconds()), Why: c.Why})
}

type maintenanceEnd struct {
	identitiesFlags
	Why string `required:"" help:"Why; it is kept." placeholder:"TEXT"`
}

func (c maintenanceEnd) Run(ctx context.Context, m *Main) error {
	return c.set(ctx, m, identity.Maintenance{Mode: identity.MaintenanceOff, RetryAfter: 1, Why: c.Why})
}

func (f identitiesFlags) set(ctx context.Context, m *Main, to identity.Maintenance) error {
	to.Who = operator()
	return f.ofEvery().with(ctx, m, func(o *office) error {
		return errors.Join(o.SetMaintenance(ctx, to), o.maintenance(ctx))
	})
}

type removalsCommand struct {
	List  removalsList  `cmd:"" help:"Show what clients with a limit have removed of late."`
	Allow removalsAllow `cmd:"" help:"Let a client go on that was stopped."`
}

// Help is printed below the summary.
func (removalsCommand) Help() string {
	return `A client with "removals" in the configuration may delete or set inactive so many resources within a time. One that goes further is
stopped, for a mistake at its end must not empty the backend, until somebody has looked and lets it go on.

    postern removals list
    postern removals allow entra --for 1h --why "the branch in Lyon was closed"
`
}

type removalsList struct{ identitiesFlags }

func (c removalsList) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error { return o.removals(ctx) })
}

func (o *office) removals(ctx context.Context) error {
	all, err := o.Removals(ctx)
	if err != nil {
		return err
	}
	if all == nil {
		all = []identity.Removals{}
	}
	return o.print(all, func(w io.Writer) {
		fmt.Fprintln(w, "CLIENT\tREMOVED\tSINCE\tSTOPPED\tALLOWED\t")
		for _, r := range all {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t\n", r.Client, r.Count, when(r.Begun), orNo(r.Stopped), allowed(r))
		}
	})
}

func orNo(t *time.Time) string {
	if t == nil {
		return "no"
	}
	return when(*t)
}

func allowed(r identity.Removals) string {
	switch {
	case r.Who == "":
		return ""
	case r.Until == nil:
		return fmt.Sprintf("by %s: %s", r.Who, r.Why)
	}
	return fmt.Sprintf("by %s, freely until %s: %s", r.Who, when(*r.Until), r.Why)
}

type removalsAllow struct {
	identitiesFlags
	changing
	Client string        `arg:"" help:"The client's name."`
	For    time.Duration `help:"For so long nothing is counted. Default: the count begins anew."`
}

func (c removalsAllow) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		if err := o.LetRemove(ctx, c.Client, c.For, c.reason()); err != nil {
			return err
		}
		return o.removals(ctx)
	})
}

// maintenanceEvery is how often postern serve looks whether there is maintenance.
const maintenanceEvery = time.Second

// watchMaintenance looks again and again, so that pause answers what is so now. A mapping table that gives no answer
// changes nothing.
func watchMaintenance(ctx context.Context, every time.Duration, look func(context.Context)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *assembly) lookForMaintenance(ctx context.Context) {
	if m, err := a.ids.Maintenance(ctx, a.cfg.Tenant); err == nil {
		p := pauseFor(m)
		a.paused.Store(&p)
	}
}

// pause is what the door asks at every request.
func (a *assembly) pause() gateway.Pause {
	if p := a.paused.Load(); p != nil {
		return *p
	}
	return gateway.Pause{}
}
