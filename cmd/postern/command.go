package main

import (
	"context"

	"github.com/postern/postern/adapters"
	programs "github.com/postern/postern/adapters/command"
	"github.com/postern/postern/adapters/steps"
	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

// This file says the configuration of programs in the words of package command.

// commandKind is the type of backend.
const commandKind = "command"

// A program is a backend of type command.
type program struct{ *programs.Backend }

// openProgram finds the program. Nothing is started.
func openProgram(c *config.Config, b *config.Backend, t *trialRun) (opened, []steps.Problem, error) {
	w := &b.Command
	cfg := programs.Config{Program: w.Program.Resolved, Arguments: values(w.Arguments), Directory: w.Directory.Resolved, Environment: revealed(w.Environment),
		Secrets: revealed(w.Secrets), Values: tenantValues(c), Format: w.Format.Value, Size: int(w.Size.Value), Processes: b.Concurrency.Value, Dashes: w.Dashes.Value,
		Watch: t.watcher(b.Name.Value)}
	if cfg.Directory == "" {
		cfg.Directory = c.Dir
	}
	if p := w.Probe; p != nil {
		cfg.Probe = &programs.Probe{Step: commandStep(&p.Step), Expect: steps.Text(p.Expect), Every: p.Every.Value}
	}
	made, problems, err := programs.Open(cfg)
	return program{made}, problems, err
}

func (p program) adapter(m *rules.Mapping, r *config.Resource) (adapters.Adapter, []steps.Problem) {
	a, problems := p.New(stepTarget(m, r, commandStep))
	if a == nil {
		return nil, problems
	}
	return a, nil
}

func (program) close() {}

func (program) inspect(context.Context, *config.Config, *rules.Mapping, *config.Resource) (bool, error) {
	return false, nil
}

func commandStep(s *config.Step) programs.Step {
	out := programs.Step{Written: writtenStep(s), Send: steps.Text(s.Send), Format: steps.Text(s.Format)}
	for _, a := range s.Run {
		out.Run = append(out.Run, steps.Text(a))
	}
	if s.Undo != nil {
		undo := commandStep(s.Undo)
		out.Undo = &undo
	}
	return out
}
