package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/postern/postern/config"
)

type checkCommand struct {
	source
	File   string `arg:"" optional:"" help:"The configuration file, without -c." placeholder:"FILE"`
	Online bool   `help:"Also ask the backends: are the tables and columns there, do keys and indexes fit?"`
}

// Help is printed below the summary.
func (checkCommand) Help() string {
	return `Every problem is printed at once, with file, line and column, the nearest right name, and what to do.
Nothing is changed, neither in a backend nor in a file.

The exit status is 0 if Postern can serve, though there may be warnings; 1 if it cannot; 2 if the command itself is mistyped.

    postern check                     postern.yaml, in this folder
    postern check --online hr.yaml    hr.yaml, and whether its backends fit it`
}

// Validate refuses two files.
func (c checkCommand) Validate() error {
	if c.File != "" && c.Config != "" {
		return fmt.Errorf("one file is enough: %s or %s", c.File, c.Config)
	}
	return nil
}

func (c checkCommand) Run(ctx context.Context, m *Main) error {
	if c.File != "" {
		c.Config = c.File
	}
	cfg, mappings, err := load(c.file())
	if err != nil {
		return err
	}
	verdict := "is in order"
	if c.Online {
		a := &assembly{cfg: cfg, mappings: mappings, log: slog.New(slog.DiscardHandler), lookOnly: true}
		if err := a.probe(ctx); err != nil {
			return err
		}
		if !slices.ContainsFunc(cfg.Backends, unborn) {
			verdict = "is in order, and the backends fit it"
		}
	}
	warnings := cfg.Warnings()
	if len(warnings) > 0 {
		fmt.Fprintf(m.Stderr, "%s\n\n", warnings)
	}
	fmt.Fprintf(m.Stdout, "%s %s: %s, %s, %s", c.file(), verdict, count(len(cfg.Resources), "resource type"),
		count(len(cfg.Backends), "backend"), callers(cfg))
	if len(warnings) > 0 {
		fmt.Fprintf(m.Stdout, "; %s", count(len(warnings), "warning"))
	}
	fmt.Fprintln(m.Stdout, ".")
	return nil
}

// callers counts who may call: clients, or tenants with theirs.
func callers(cfg *config.Config) string {
	if cfg.ManyTenants {
		return count(len(cfg.Tenants), "tenant")
	}
	return count(len(cfg.Clients), "client")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// probe asks every backend whether it is as the configuration says.
func (a *assembly) probe(ctx context.Context) error {
	if err := a.openBackends(); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	for i := range a.targets {
		a.inspect(ctx, i)
	}
	return a.cfg.Report.Err()
}

// unborn reports whether a backend is a database that the first start makes.
func unborn(b config.Backend) bool {
	path, _, _ := strings.Cut(strings.TrimPrefix(b.SQL.DSN.Reveal(), "sqlite:"), "?")
	_, err := os.Stat(path)
	return b.SQL.Init.Resolved != "" && os.IsNotExist(err)
}
