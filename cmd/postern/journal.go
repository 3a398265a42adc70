package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/postern/postern/identity"
)

type journalCommand struct {
	List   journalList   `cmd:"" help:"Show what is not settled yet."`
	Retry  journalRetry  `cmd:"" help:"Try to settle entries now."`
	GiveUp journalGiveUp `cmd:"" name:"give-up" help:"Take an entry out, and leave the backend as it is."`
}

// Help is printed below the summary.
func (journalCommand) Help() string {
	return `A write that touches a backend and the mapping table is written down before it begins. What is left behind, because Postern
was killed or a backend gave no answer, is carried on by postern serve, at its start and every few seconds. An entry that
cannot be settled is "stuck", with the reason; it stands in nobody's way.

    postern journal list
    postern journal retry 17
    postern journal give-up 17 --why "made by hand"`
}

type journalList struct{ identitiesFlags }

func (c journalList) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		all, err := o.Journal(ctx)
		if err != nil {
			return err
		}
		return o.entries(all)
	})
}

func (o *office) entries(all []identity.Intent) error {
	if all == nil {
		all = []identity.Intent{}
	}
	return o.print(all, func(w io.Writer) {
		fmt.Fprintln(w, "ENTRY\tSTATE\tKIND\tTYPE\tBACKEND\tCLIENT\tRECORD\tBEGUN\tTRIES\tNOTE\t")
		for _, in := range all {
			record := in.Value
			if in.Kind != identity.IntentCreate && len(in.Keys) > 0 {
				record = in.Keys[0]
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t\n", in.Nr, in.State, in.Kind, in.Type, in.Backend, in.Client, record,
				when(in.Begun), in.Tries, in.Note)
		}
	})
}

type journalRetry struct {
	identitiesFlags
	Entry []int64 `arg:"" optional:"" help:"The entries' numbers; none: all that nobody is at work on."`
}

func (c journalRetry) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		var errs []error
		if len(c.Entry) == 0 {
			_, _, err := o.Resume(ctx)
			errs = append(errs, err)
		}
		for _, nr := range c.Entry {
			_, err := o.Retry(ctx, nr)
			errs = append(errs, err)
		}
		left, err := o.Journal(ctx)
		if err == nil {
			err = o.entries(left)
		}
		return errors.Join(append(errs, err)...)
	})
}

type journalGiveUp struct {
	identitiesFlags
	changing
	Entry int64 `arg:"" help:"The entry's number."`
}

func (c journalGiveUp) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		if err := o.GiveUp(ctx, c.Entry, c.reason()); err != nil {
			return err
		}
		left, err := o.Journal(ctx)
		if err != nil {
			return err
		}
		return o.entries(left)
	})
}

// resumeEvery is how often postern serve looks for what was left behind.
const resumeEvery = 5 * time.Second

// resume carries on what was left behind: at the start, and then again and again.
func (a *assembly) resume(ctx context.Context, every time.Duration) {
	n := a.identities()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		done, left, err := n.Resume(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.WarnContext(ctx, "the journal", "error", err)
		case done > 0:
			a.log.InfoContext(ctx, "entries of the journal were settled", "settled", done, "left", left)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
