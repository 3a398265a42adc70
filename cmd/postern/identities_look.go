package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/postern/postern/identity"
)

// identitiesPage is how many rows are read at a time.
const identitiesPage = 500

type identitiesList struct {
	identitiesFlags
	Type  string `short:"t" help:"Of this resource type only."`
	After string `help:"Begin after this identity." placeholder:"ID"`
	Limit int    `help:"At most so many; 0: all." default:"0"`
}

func (c identitiesList) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		rows := newRows(o, func(w io.Writer) { fmt.Fprintln(w, "TYPE\tIDENTITY\tRECORDS\tIDS\t") }, func(w io.Writer, it identity.Identity) {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", it.Type, it.ID, recordsOf(it), idsOf(it))
		})
		for left := c.Limit; ; {
			page := identitiesPage
			if c.Limit > 0 {
				page = min(page, left)
			}
			all, err := o.ListIdentities(ctx, c.Type, c.After, page)
			if err != nil {
				return err
			}
			for _, it := range all {
				if err := rows.add(it); err != nil {
					return err
				}
				c.After = it.ID
			}
			if left -= len(all); len(all) < page || c.Limit > 0 && left == 0 {
				return rows.end()
			}
		}
	})
}

func recordsOf(it identity.Identity) string {
	text := ""
	for _, l := range it.Links {
		text += choose(text == "", "", ", ") + l.Backend + ":" + l.Key
	}
	return text
}

func idsOf(it identity.Identity) string {
	clients, waiting := map[string]bool{}, 0
	for _, e := range it.ExternalIDs {
		clients[e.Client] = true
		if e.DeletionRequired {
			waiting++
		}
	}
	text := count(len(clients), "client")
	if waiting > 0 {
		text += fmt.Sprintf(", %d to be deleted", waiting)
	}
	if it.Held {
		text += ", hidden"
	}
	return text
}

// rows prints many things, one at a time, as a table or as a JSON array, without
// holding them all.
type rows[T any] struct {
	o     *office
	table *tabwriter.Writer
	row   func(io.Writer, T)
	n     int
}

func newRows[T any](o *office, head func(io.Writer), row func(io.Writer, T)) *rows[T] {
	r := &rows[T]{o: o, table: tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0), row: row}
	if !o.json {
		head(r.table)
	}
	return r
}

func (r *rows[T]) add(v T) error {
	r.n++
	if !r.o.json {
		r.row(r.table, v)
		if r.n%identitiesPage == 0 {
			return r.table.Flush()
		}
		return nil
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(r.o.out, "%s\n  %s", choose(r.n == 1, "[", ","), b)
	}
	return err
}

func (r *rows[T]) end() error {
	switch {
	case !r.o.json:
		return r.table.Flush()
	case r.n == 0:
		fmt.Fprintln(r.o.out, "[]")
	default:
		fmt.Fprintln(r.o.out, "\n]")
	}
	return nil
}

type identitiesShow struct {
	identitiesFlags
	ID string `arg:"" help:"A client's id, or the identity's."`
}

func (c identitiesShow) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		it, err := o.Show(ctx, c.ID)
		if err != nil {
			return err
		}
		moves, err := o.Moves(ctx, it.ID, 0, 10)
		if err != nil {
			return err
		}
		return o.print(it, func(w io.Writer) {
			describeIdentity(w, it)
			for _, mv := range moves {
				describeMove(w, "  ", mv)
			}
		})
	})
}

func describeMove(w io.Writer, indent string, mv identity.Move) {
	what := fmt.Sprintf("%s %d", mv.Kind, mv.Nr)
	if mv.Undoes != 0 {
		what = fmt.Sprintf("%s %d, of %d", mv.Kind, mv.Nr, mv.Undoes)
	}
	if mv.Undone {
		what += " (undone)"
	}
	fmt.Fprintf(w, "%s%s\t%s\tby %s: %s\t\n", indent, what, when(mv.At), mv.Who, mv.Why)
}

type identitiesHistory struct {
	identitiesFlags
	Limit int    `help:"At most so many, the latest first." default:"50"`
	ID    string `arg:"" optional:"" help:"Of this identity only."`
}

func (c identitiesHistory) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		moves, err := o.Moves(ctx, c.ID, 0, c.Limit)
		if err != nil {
			return err
		}
		if moves == nil {
			moves = []identity.Move{}
		}
		return o.print(moves, func(w io.Writer) {
			for _, mv := range moves {
				describeMove(w, "", mv)
			}
		})
	})
}

type identitiesPending struct {
	identitiesFlags
	Client string        `help:"Of this client only."`
	Older  time.Duration `help:"Only what has waited for longer, as in 720h." placeholder:"DURATION"`
	Retire bool          `help:"Give up waiting: the ids are gone for the client."`
	Why    string        `help:"Why; the log has it." placeholder:"TEXT"`
	DryRun bool          `name:"dry-run" help:"With --retire: change nothing, and show what would be."`
}

// Validate asks for a reason where something changes.
func (c identitiesPending) Validate() error {
	if c.Retire {
		return changing{c.Why, c.DryRun}.Validate()
	}
	return nil
}

func (c identitiesPending) Run(ctx context.Context, m *Main) error {
	return c.with(ctx, m, func(o *office) error {
		before := time.Now().Add(-c.Older)
		var all []identity.Pending
		var err error
		if c.Retire && !c.DryRun {
			all, err = o.Retire(ctx, c.Client, before, operator())
		} else {
			all, err = o.Pending(ctx, c.Client, before)
		}
		if err != nil {
			return err
		}
		if all == nil {
			all = []identity.Pending{}
		}
		return o.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "CLIENT\tTYPE\tID\tSTAYS\tSINCE\t")
			for _, p := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", p.Client, p.Type, p.ID, p.Primary, when(p.Since))
			}
		})
	})
}
