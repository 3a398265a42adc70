package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/postern/postern/config"
)

type checkCommand struct {
	Config string `arg:"" help:"The configuration file." type:"path" default:"postern.yaml"`
	Online bool   `help:"Also ask the backends: do tables, columns, keys and rights fit?"`
}

// Help is printed below the summary.
func (checkCommand) Help() string {
	return "Every problem is printed at once, with file, line, column and the nearest right name. " +
		"The exit status is 1 if something would keep Postern from serving, and 0 if there are only warnings."
}

func (c checkCommand) Run(ctx context.Context, m *Main) error {
	cfg, mappings, err := load(c.Config)
	if err != nil {
		return err
	}
	if c.Online {
		if err := c.probe(ctx, cfg, &assembly{cfg: cfg, mappings: mappings, log: slog.New(slog.DiscardHandler)}); err != nil {
			return err
		}
	}
	warnings := cfg.Warnings()
	if len(warnings) > 0 {
		fmt.Fprintln(m.Stderr, warnings)
	}
	fmt.Fprintf(m.Stdout, "%s is in order: %s, %s, %s", c.Config, count(len(cfg.Resources), "resource type"),
		count(len(cfg.Backends), "backend"), count(len(cfg.Clients), "client"))
	if len(warnings) > 0 {
		fmt.Fprintf(m.Stdout, "; %s", count(len(warnings), "warning"))
	}
	fmt.Fprintln(m.Stdout, ".")
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// probe asks every backend whether it is as the configuration says.
func (c checkCommand) probe(ctx context.Context, cfg *config.Config, a *assembly) error {
	if err := a.openBackends(); err != nil {
		return err
	}
	defer a.close()
	for i := range a.targets {
		a.inspect(ctx, i)
	}
	return cfg.Report.Err()
}
