package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

type explainCommand struct {
	source
	tenantFlag
	Type     string `short:"t" help:"The resource type (default: ${default})." default:"User" placeholder:"NAME"`
	Filter   string `help:"A SCIM filter: what the backend evaluates, and what remains for the gateway." placeholder:"FILTER" xor:"what"`
	Resource string `help:"A file with a SCIM resource in JSON, or - for standard input: the record it becomes, and by which rule." placeholder:"FILE" xor:"what"`
	Online   bool   `help:"With --filter, also show the condition that is sent; what the tables are like is asked of the database."`
}

// Help is printed below the summary.
func (explainCommand) Help() string {
	return `Without --filter and --resource, every rule of the resource type is listed. Nothing is changed, and no record is read.
The keys behind ids, which only the mapping table knows, are shown as <key of ...>, and as 1 in statements.

    postern explain --type Group
    postern explain --filter 'userName eq "ada" and active eq true'
    postern explain --resource user.json`
}

// Validate refuses what would silently mean nothing.
func (c explainCommand) Validate() error {
	if c.Online && c.Filter == "" {
		return fmt.Errorf("--online goes with --filter")
	}
	return nil
}

func (c explainCommand) Run(ctx context.Context, m *Main) error {
	cfg, mappings, err := load(c.file())
	if err == nil {
		cfg, mappings, err = c.as(ctx, cfg, mappings)
	}
	if err != nil {
		return err
	}
	a := &assembly{cfg: cfg, mappings: mappings, log: slog.New(slog.DiscardHandler), lookOnly: true}
	if err := a.openBackends(); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	i := slices.IndexFunc(mappings, func(m *rules.Mapping) bool { return m.Type.Name == c.Type })
	if i < 0 {
		return fmt.Errorf("there is no resource type %q in %s; there is %s", c.Type, c.file(), typeNames(cfg))
	}
	mappings[i].Bind(a.targets[i].Adapter.Capabilities())
	switch {
	case c.Filter != "":
		return c.explainFilter(ctx, m.Stdout, a, i)
	case c.Resource != "":
		return c.explainResource(m, mappings[i])
	}
	if err := explainRules(m.Stdout, mappings[i]); err != nil {
		return err
	}
	if err := explainPlaces(m.Stdout, cfg.Resource(mappings[i].Type.Name)); err != nil {
		return err
	}
	return explainStatements(m.Stdout, cfg.Resource(mappings[i].Type.Name))
}

func typeNames(cfg *config.Config) string {
	var names []string
	for _, r := range cfg.Resources {
		names = append(names, r.Name.Value)
	}
	return strings.Join(names, ", ")
}

func explainRules(w io.Writer, m *rules.Mapping) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "LINE\tATTRIBUTE\tFILTERS\tMADE OF")
	for _, r := range m.Rules() {
		where := "gateway"
		switch r.Pushable(m) {
		case "yes":
			where = "backend"
		case "in part":
			where = "both"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", r.Line, r.Path, where, r.Describe())
	}
	return t.Flush()
}
