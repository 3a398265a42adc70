package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	osuser "os/user"
	"text/tabwriter"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/config"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
	"github.com/postern/postern/scim"
)

type identitiesCommand struct {
	List    identitiesList    `cmd:"" help:"List identities."`
	Show    identitiesShow    `cmd:"" help:"Show an identity: its records, and its ids for every client."`
	Merge   identitiesMerge   `cmd:"" help:"Make one identity of several."`
	Split   identitiesSplit   `cmd:"" help:"Make new identities of records."`
	Undo    identitiesUndo    `cmd:"" help:"Take a merge or a split back."`
	Release identitiesRelease `cmd:"" help:"Let a client see an identity that was split off."`
	Pending identitiesPending `cmd:"" help:"Show what waits for a client's acknowledgement."`
	Tasks   identitiesTasks   `cmd:"" help:"Show, or do, what merges still have to do in backends."`
	History identitiesHistory `cmd:"" help:"Show who merged, split and released, when and why."`
	Scan    identitiesScan    `cmd:"" help:"Compare a backend with the mapping table, and give ids ahead of time."`
	Rekey   identitiesRekey   `cmd:"" help:"Follow a backend that has renumbered its records."`
	Migrate identitiesMigrate `cmd:"" help:"Copy the mapping table to another database."`
	Backup  identitiesBackup  `cmd:"" help:"Copy the mapping table while it is in use."`
}

// Help is printed below the summary.
func (identitiesCommand) Help() string {
	return `These commands work on the mapping table and the backends of a configuration, also while postern serve runs,
which sees every change at once. An ID is a client's id of a resource, or the identity's own.
Administrators see what clients never do: the keys of backends.

    postern identities show 0u3k...
    postern identities merge --keep 0u3k... --drop 8f2m... --record deactivate --why "the same person"`
}

// identitiesFlags are what all these commands know.
type identitiesFlags struct {
	source
	JSON   bool   `name:"json" help:"Print JSON."`
	Tenant string `help:"The tenant, where there are several." placeholder:"NAME"`

	every bool // without a tenant, all of them are meant
}

// ofEvery is for what can be said of all tenants at once.
func (f identitiesFlags) ofEvery() identitiesFlags {
	f.every = true
	return f
}

// changing are what commands know that change something.
type changing struct {
	Why    string `help:"Why; the history keeps it." placeholder:"TEXT"`
	DryRun bool   `name:"dry-run" help:"Change nothing, and show what would be."`
}

// Validate asks for a reason.
func (c changing) Validate() error {
	if c.Why == "" && !c.DryRun {
		return errors.New("say why, with --why TEXT, or look first, with --dry-run")
	}
	return nil
}

func (c changing) reason() identity.Reason {
	return identity.Reason{Who: operator(), Why: c.Why, DryRun: c.DryRun}
}

// operator is who runs the command.
func operator() string {
	if u, err := osuser.Current(); err == nil {
		return u.Username + " (command)"
	}
	return "command"
}

// An office is what a command works with.
type office struct {
	*provision.Identities
	a    *assembly
	out  io.Writer
	err  io.Writer
	json bool
}

// open opens the mapping table and the backends of the configuration.
func (f identitiesFlags) open(ctx context.Context, m *Main) (*office, error) {
	cfg, mappings, err := load(f.file())
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.NewTextHandler(m.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a := &assembly{cfg: cfg, mappings: mappings, log: quiet, trace: m.Trace, traceIDs: m.TraceIDs}
	if err := errors.Join(a.makeFolders(), a.openTable(ctx)); err != nil {
		return nil, errors.Join(err, a.close())
	}
	if err := f.settle(ctx, a); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return &office{Identities: a.identities(), a: a, out: m.Stdout, err: m.Stderr, json: f.JSON}, nil
}

// settle makes the assembly that of the tenant, with its backends.
func (f identitiesFlags) settle(ctx context.Context, a *assembly) (err error) {
	switch {
	case !a.cfg.ManyTenants && f.Tenant != "":
		return errOneTenant(f.Tenant)
	case a.cfg.ManyTenants && f.Tenant == "" && f.every:
		all := *a.cfg
		all.Tenant = everyTenant
		a.cfg = &all
		return nil
	case a.cfg.ManyTenants:
		if a.cfg, a.mappings, err = tenantNamed(ctx, a.cfg, a.mappings, a.ids, f.Tenant); err != nil {
			return err
		}
	}
	if err := a.openBackends(); err != nil {
		return err
	}
	for i := range a.targets {
		if t := &a.targets[i]; a.cfg.Backend(t.Backend).Type.Value == "memory" {
			t.Adapter = elsewhere{t.Adapter}
		}
	}
	a.service = a.newService()
	return nil
}

// identities is the administrators' view of the service.
func (a *assembly) identities() *provision.Identities {
	var all []provision.Caller
	for _, c := range clients(a.cfg) {
		all = append(all, c.Principal.Caller)
	}
	return a.service.Identities(a.cfg.Tenant, all)
}

// secondary is what a client gets on an id that a merge made superfluous.
func secondary(c config.Client) provision.Secondary {
	switch c.Secondary.Value {
	case "redirect":
		return provision.Redirect
	case "gone":
		return provision.Gone
	}
	return provision.Follow
}

// elsewhere stands for records that live in another process: a memory backend is
// as good as absent here, and must not look empty.
type elsewhere struct{ adapters.Adapter }

var errElsewhere = errors.New("the records of a memory backend live in the server's process: use the admin API there")

func away(op string) error {
	return &adapters.Error{Kind: adapters.Unavailable, Op: op, Err: errElsewhere}
}

func (elsewhere) Get(context.Context, adapters.Key, adapters.Fields) (adapters.Record, error) {
	return adapters.Record{}, away("get")
}

func (elsewhere) List(context.Context, adapters.Query) (adapters.Page, error) {
	return adapters.Page{}, away("list")
}

func (elsewhere) Create(context.Context, adapters.Record, adapters.Fields) (adapters.Record, error) {
	return adapters.Record{}, away("create")
}

func (elsewhere) Update(context.Context, adapters.Key, adapters.Delta, adapters.Fields) (adapters.Record, error) {
	return adapters.Record{}, away("update")
}

func (elsewhere) Delete(context.Context, adapters.Key) error { return away("delete") }
func (elsewhere) Probe(context.Context) error                { return away("probe") }

// with opens an office for f, and says in plain words what failed.
func (f identitiesFlags) with(ctx context.Context, m *Main, do func(*office) error) error {
	o, err := f.open(ctx, m)
	if err != nil {
		return err
	}
	return inWords(errors.Join(do(o), o.a.close()))
}

// inWords is an error without its status. What a backend says helps here.
func inWords(err error) error {
	var e *scim.Error
	if !errors.As(err, &e) {
		return err
	}
	var cause *adapters.Error
	if errors.As(e.Err, &cause) && cause.Err != nil {
		return fmt.Errorf("%s (%w)", e.Detail, cause.Err)
	}
	return errors.New(e.Detail)
}

// print prints a value as JSON, or as table does.
func (o *office) print(v any, table func(w io.Writer)) error {
	if o.json {
		e := json.NewEncoder(o.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	table(w)
	return w.Flush()
}

const moment = "2006-01-02T15:04:05Z"

func when(t time.Time) string { return t.UTC().Format(moment) }

// identities prints the forms of identities one below the other.
func (o *office) identities(all []identity.Identity) error {
	if all == nil {
		all = []identity.Identity{}
	}
	return o.print(all, func(w io.Writer) {
		for _, it := range all {
			describeIdentity(w, it)
		}
	})
}

func describeIdentity(w io.Writer, it identity.Identity) {
	state := ""
	if it.Held {
		state = "hidden from clients until it is released"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t\n", it.Type, it.ID, state)
	for _, l := range it.Links {
		fmt.Fprintf(w, "  record\t%s:%s\t%s\t\n", l.Backend, l.Key, choose(l.Primary, "primary", "further"))
	}
	for _, e := range it.ExternalIDs {
		fmt.Fprintf(w, "  id of %s\t%s\t%s\t\n", e.Client, e.ID,
			choose(e.Primary, "primary", choose(e.DeletionRequired, "secondary, to be deleted by the client", "secondary")))
	}
}

func choose(yes bool, one, other string) string {
	if yes {
		return one
	}
	return other
}

// isTerminal reports whether somebody looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
