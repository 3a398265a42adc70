package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/postern/postern/config"
	"github.com/postern/postern/identity"
)

// copyFlags are what both commands know.
type copyFlags struct {
	source
	From   string `help:"The mapping table to copy. Default: that of the configuration." placeholder:"DATABASE"`
	To     string `help:"The database to copy it to, without a mapping table or with an empty one." required:"" placeholder:"DATABASE"`
	DryRun bool   `name:"dry-run" help:"Only read, count and look whether the copy could be made."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

type identitiesMigrate struct{ copyFlags }

// Help is printed below the summary.
func (identitiesMigrate) Help() string {
	return `The whole mapping table is copied, in one transaction: ids, history, journal and keys. What was written is read again and
compared, row by row, before it is kept. Stop postern before, and start it with the other database afterwards. A
DATABASE is written as identities: is in the configuration, with ${env:NAME} or ${file:/path} for what others should not see.

    postern identities migrate --to '${env:POSTERN_IDENTITIES}'
    postern identities migrate --from sqlite:postern.db --to postgres://postern@db.example.com/postern`
}

// A migration is what was done, as --json prints it.
type migration struct {
	DryRun bool              `json:"dryRun"`
	Rows   int               `json:"rows"`
	Tables []identity.Copied `json:"tables"`
}

func (c identitiesMigrate) Run(ctx context.Context, m *Main) error {
	return c.copy(ctx, m, identity.CopyOptions{})
}

type identitiesBackup struct{ copyFlags }

// Help is printed below the summary.
func (identitiesBackup) Help() string {
	return `The mapping table is copied as it is in one moment, also while postern serves, from and to any database that can hold one.
What was written is read again and compared before it is kept. To restore, stop postern, and put the file back in place of
the table, without the -wal and -shm beside that, or let postern identities migrate copy it to a new database.

    postern identities backup --to sqlite:/backup/postern.db`
}

func (c identitiesBackup) Run(ctx context.Context, m *Main) error {
	return c.copy(ctx, m, identity.CopyOptions{AtWork: true})
}

func (c copyFlags) copy(ctx context.Context, m *Main, o identity.CopyOptions) error {
	from, err := c.place(c.From)
	if err != nil {
		return err
	}
	to, err := c.place(c.To)
	if err != nil {
		return err
	}
	if from == to {
		return errors.New("--from and --to are the same")
	}
	done, err := c.between(ctx, m, from, to, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(m.Stdout, done)
	}
	w := tabwriter.NewWriter(m.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tROWS\tHASH\t")
	for _, t := range done.Tables {
		fmt.Fprintf(w, "%s\t%d\t%.12s\t\n", t.Table, t.Rows, t.Hash)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(m.Stdout, choose(done.DryRun, "Nothing was copied: a dry run. The copy could be made.", "Copied, read again and compared."))
	return nil
}

// place is where a table is; "" is that of the configuration.
func (c copyFlags) place(text string) (string, error) {
	if text != "" {
		s, err := config.Store(text, ".")
		return s.Reveal(), err
	}
	cfg, _, err := load(c.file())
	if err != nil {
		return "", err
	}
	return cfg.Identities.Reveal(), nil
}

func (c copyFlags) between(ctx context.Context, m *Main, from, to string, o identity.CopyOptions) (migration, error) {
	out := migration{DryRun: c.DryRun}
	if path, ok := strings.CutPrefix(from, "sqlite:"); ok && missing(path) {
		return out, fmt.Errorf("there is no mapping table at %s", path)
	}
	source, err := identity.Open(ctx, from, identity.Options{DryRun: c.DryRun})
	if err != nil {
		return out, err
	}
	defer source.Close() //nolint:errcheck // it was only read
	var target *identity.Store
	if c.DryRun {
		err = identity.Vacant(ctx, to)
	} else if target, err = identity.Open(ctx, to, identity.Options{PowerSafe: true}); err == nil {
		defer target.Close() //nolint:errcheck // what was committed is there
	}
	if err != nil {
		return out, err
	}
	bar := newRowBar(m.Stderr)
	o.Progress = bar.progress
	out.Tables, err = identity.Copy(ctx, source, target, o)
	bar.end()
	for _, t := range out.Tables {
		out.Rows += t.Rows
	}
	return out, err
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// A rowBar shows how many rows are copied, if there is somebody to see it.
type rowBar struct {
	w    io.Writer
	made *progressbar.ProgressBar
}

func newRowBar(w io.Writer) *rowBar {
	if !isTerminal(w) {
		return &rowBar{}
	}
	return &rowBar{w: w}
}

func (b *rowBar) progress(done, all int) {
	if b.w == nil {
		return
	}
	if b.made == nil {
		b.made = progressbar.NewOptions(all, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription("rows"),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	}
	_ = b.made.Set(done)
}

func (b *rowBar) end() {
	if b.made != nil {
		_ = b.made.Finish()
	}
}
