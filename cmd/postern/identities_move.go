package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

type identitiesMerge struct {
	identitiesFlags
	changing
	Keep        string   `required:"" help:"The identity whose ids stay." placeholder:"ID"`
	Drop        []string `required:"" sep:"none" help:"An identity that becomes part of it; may be repeated." placeholder:"ID"`
	Record      string   `help:"What happens to the dropped record in its backend: ${enum}." enum:"keep,deactivate,delete" default:"keep"`
	Memberships bool     `help:"The record kept becomes a member of the groups that the dropped one is a member of."`
}

// Help is printed below the summary.
func (identitiesMerge) Help() string {
	return `All ids of the dropped identities go on leading to the one that is kept, and every client is expected to delete
those that became superfluous: postern identities pending shows which. In a backend where both had a record,
the one of --keep is used from now on, and --record says what becomes of the other one.

The mapping table changes first. A step in a backend that fails is reported, and tried again by postern serve once
an hour, by the same command, or by postern identities tasks --do.`
}

func (c identitiesMerge) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		done, err := o.Merge(ctx, provision.MergeOrder{Keep: c.Keep, Drop: c.Drop, Record: c.Record, Memberships: c.Memberships, Reason: c.reason()})
		if err != nil {
			return err
		}
		if err := o.moved(done.Move); err != nil {
			return err
		}
		if !o.json {
			o.steps(done.Tasks, done.Failed, c.DryRun)
		}
		return o.unfinished(done.Failed)
	})
}

// moved prints the identities that a move left, and on standard error its number.
func (o *office) moved(mv identity.Move) error {
	if mv.Nr != 0 {
		fmt.Fprintf(o.err, "This is move %d; postern identities undo %d takes it back.\n", mv.Nr, mv.Nr)
	}
	return o.identities(mv.After)
}

// steps prints what there was, or would be, to do in backends.
func (o *office) steps(tasks, failed []identity.Task, dry bool) {
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	for _, t := range tasks {
		state := choose(dry, "would be done", "done")
		for _, f := range failed {
			if f.Nr == t.Nr && !dry {
				state = "failed: " + f.Note
			}
		}
		fmt.Fprintf(w, "  %s\t%s:%s\t%s\t\n", stepName(t), t.Backend, t.Key, state)
	}
	_ = w.Flush()
}

func stepName(t identity.Task) string {
	switch t.Kind {
	case identity.TaskMemberships:
		return "carry memberships over to " + t.Into
	case identity.TaskReferences:
		return "carry references over to " + t.Into
	}
	return t.Kind
}

func (o *office) unfinished(failed []identity.Task) error {
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%s failed in the backend, and will be tried again; the first because %s; postern identities tasks --do tries at once",
		count(len(failed), "step"), failed[0].Note)
}

type identitiesTasks struct {
	identitiesFlags
	Do bool `help:"Do them now."`
}

func (c identitiesTasks) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		open, err := o.Tasks(ctx)
		var failed []identity.Task
		if err == nil && c.Do {
			_, failed, err = o.Work(ctx)
			open = failed
		}
		if err != nil {
			return err
		}
		if open == nil {
			open = []identity.Task{}
		}
		err = o.print(open, func(w io.Writer) {
			fmt.Fprintln(w, "TASK\tSTEP\tRECORD\tMERGE\tSINCE\tTRIES\tNOTE\t")
			for _, t := range open {
				fmt.Fprintf(w, "%d\t%s\t%s:%s\t%d\t%s\t%d\t%s\t\n", t.Nr, stepName(t), t.Backend, t.Key, t.Move, when(t.Since), t.Tries, t.Note)
			}
		})
		return errors.Join(err, o.unfinished(failed))
	})
}

type identitiesSplit struct {
	identitiesFlags
	changing
	Link []string `required:"" sep:"none" help:"A record that becomes part of the new identity; may be repeated." placeholder:"BACKEND:KEY"`
	Each bool     `help:"Every --link becomes an identity of its own."`
	ID   string   `arg:"" help:"The identity to split: a client's id, or its own."`
}

// Help is printed below the summary.
func (identitiesSplit) Help() string {
	return `A record is one of the identity's, or one of a backend that belongs to no identity yet. All ids stay where they were.
No client sees the new identity until it is released to it, or until the client creates it with the same userName.`
}

func (c identitiesSplit) Run(ctx context.Context, m *Main) error {
	order := provision.SplitOrder{ID: c.ID, Reason: c.reason()}
	var group []identity.IdentityLink
	for _, text := range c.Link {
		backend, key, ok := strings.Cut(text, ":")
		if !ok || backend == "" || key == "" {
			return usageError{text: fmt.Sprintf("--link: %q is not BACKEND:KEY", text), help: "postern identities split --help"}
		}
		group = append(group, identity.IdentityLink{Backend: backend, Key: key})
		if c.Each {
			order.Into, group = append(order.Into, group), nil
		}
	}
	if group != nil {
		order.Into = append(order.Into, group)
	}
	return c.with(ctx, m, func(o *office) error {
		mv, err := o.Split(ctx, order)
		if err != nil {
			return err
		}
		return o.moved(mv)
	})
}

type identitiesUndo struct {
	identitiesFlags
	changing
	Move string `arg:"" help:"The number of the move, or an id: then its latest merge or split."`
}

func (c identitiesUndo) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		nr, err := strconv.ParseInt(c.Move, 10, 64)
		if err != nil {
			if nr, err = o.Last(ctx, c.Move); err != nil {
				return err
			}
		}
		mv, err := o.Undo(ctx, nr, c.reason())
		if err != nil {
			return err
		}
		return o.identities(mv.After)
	})
}

type identitiesRelease struct {
	identitiesFlags
	changing
	Client []string `xor:"to" sep:"none" help:"The client that may see it; may be repeated." placeholder:"NAME"`
	All    bool     `xor:"to" help:"Every client may see it, and gets an id when it looks."`
	ID     string   `arg:"" help:"The identity: a client's id, or its own."`
}

// Validate asks for whom.
func (c identitiesRelease) Validate() error {
	if len(c.Client) == 0 && !c.All {
		return errors.New("say to whom, with --client NAME or --all")
	}
	return c.changing.Validate()
}

func (c identitiesRelease) Run(ctx context.Context, m *Main) error {
	to := c.Client
	if c.All {
		to = []string{""}
	}
	return c.with(ctx, m, func(o *office) error {
		var it identity.Identity
		for _, client := range to {
			var err error
			if it, err = o.Release(ctx, client, c.ID, c.reason()); err != nil {
				return err
			}
		}
		return o.identities([]identity.Identity{it})
	})
}
