package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/provision"
)

type identitiesScan struct {
	identitiesFlags
	Type   []string `short:"t" help:"The resource type to look at; may be repeated. Default: all."`
	Client []string `sep:"none" help:"The client that gets ids; may be repeated. Default: all." placeholder:"NAME"`
	By     string   `help:"The attribute by which records are told apart. Default: the unique one, as userName." placeholder:"ATTRIBUTE"`
	Format string   `help:"How the report looks: ${enum}." enum:"table,csv,json" default:"table"`
	DryRun bool     `name:"dry-run" help:"Look, and give no ids."`
	Anew   bool     `help:"Begin anew, though a scan was broken off."`
	Why    string   `help:"Why; it is only for those who read the command." placeholder:"TEXT"`
}

// Help is printed below the summary.
func (identitiesScan) Help() string {
	return `Every record is looked at, page by page. A scan that is broken off goes on where it was when the same command is given again.

    managed      the mapping table knew the record
    unmanaged    it did not; unless with --dry-run, the record has an identity and ids now
    conflicting  the record has the userName (--by) of another one
    vanished     the table knows the record, and the backend does not have it; nothing is forgotten for that
    outside      the record is out of scope

A table shows the first few of each; csv and json show all.`
}

func (c identitiesScan) Run(ctx context.Context, m *Main) error {
	if c.JSON {
		c.Format = "json"
	}
	return c.with(ctx, m, func(o *office) error {
		if len(c.Type) == 0 {
			for _, t := range o.Types() {
				c.Type = append(c.Type, t.Name)
			}
		}
		var scans []identity.Scan
		for _, typ := range c.Type {
			bar := newBar(m.Stderr, typ)
			sc, err := o.Scan(ctx, provision.ScanOrder{Type: typ, Clients: c.Client, By: c.By, DryRun: c.DryRun, Anew: c.Anew, Progress: bar.show})
			bar.end()
			if err != nil {
				if sc.Looked() > 0 {
					fmt.Fprintf(m.Stderr, "%s of %s were looked at; the same command goes on from there.\n", count(sc.Looked(), "record"), typ)
				}
				return err
			}
			scans = append(scans, sc)
		}
		return c.report(ctx, o, scans)
	})
}

func (c identitiesScan) report(ctx context.Context, o *office, scans []identity.Scan) error {
	switch c.Format {
	case "csv":
		return reportCSV(ctx, o, scans)
	case "json":
		return reportJSON(ctx, o, scans)
	}
	return reportTable(ctx, o, scans)
}

// findings calls f with all that scans found, page by page.
func findings(ctx context.Context, o *office, scans []identity.Scan, f func(identity.Finding) error) error {
	for _, sc := range scans {
		for after := int64(0); ; {
			page, err := o.Findings(ctx, sc.Nr, after, identitiesPage)
			if err != nil {
				return err
			}
			for _, one := range page {
				if err := f(one); err != nil {
					return err
				}
				after = one.Nr
			}
			if len(page) < identitiesPage {
				break
			}
		}
	}
	return nil
}

func reportCSV(ctx context.Context, o *office, scans []identity.Scan) error {
	w := csv.NewWriter(o.out)
	_ = w.Write([]string{"situation", "type", "backend", "key", "other", "identity"}) // Error says
	err := findings(ctx, o, scans, func(f identity.Finding) error {
		return w.Write([]string{f.Situation, f.Type, f.Backend, f.Key, f.Other, f.Identity})
	})
	w.Flush()
	return errors.Join(err, w.Error())
}

func reportJSON(ctx context.Context, o *office, scans []identity.Scan) error {
	head, err := json.Marshal(scans)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "{\"scans\":%s,\n\"accounts\":", head)
	o.json = true
	r := newRows(o, nil, func(io.Writer, identity.Finding) {})
	if err := findings(ctx, o, scans, r.add); err != nil {
		return err
	}
	err = r.end()
	fmt.Fprintln(o.out, "}")
	return err
}

// fewFindings is how many of each situation a table shows.
const fewFindings = 10

func reportTable(ctx context.Context, o *office, scans []identity.Scan) error {
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TYPE\tBACKEND\tMANAGED\tUNMANAGED\tCONFLICTING\tVANISHED\tOUTSIDE\t")
	for _, sc := range scans {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t\n", sc.Type, sc.Backend, sc.Managed, sc.Unmanaged, sc.Conflicting, sc.Vanished, sc.Outside)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	shown := map[string]int{}
	err := findings(ctx, o, scans, func(f identity.Finding) error {
		what := f.Type + f.Situation
		if shown[what]++; shown[what] > fewFindings {
			return nil
		}
		if len(shown) == 1 && shown[what] == 1 {
			fmt.Fprintln(o.out)
		}
		fmt.Fprintf(w, "%s\t%s\t%s:%s\t%s\t\n", f.Situation, f.Type, f.Backend, f.Key, choose(f.Other == "", f.Identity, "like "+f.Other))
		return nil
	})
	more := 0
	for _, n := range shown {
		more += max(0, n-fewFindings)
	}
	if more > 0 {
		fmt.Fprintf(w, "and %d more, which --format csv shows\n", more)
	}
	return errors.Join(err, w.Flush())
}

// A bar shows how far a scan is, if there is somebody to see it.
type bar struct {
	w    io.Writer
	typ  string
	made *progressbar.ProgressBar
}

func newBar(w io.Writer, typ string) *bar {
	if !isTerminal(w) {
		w = nil
	}
	return &bar{w: w, typ: typ}
}

func (b *bar) show(sc identity.Scan) {
	if b.w == nil {
		return
	}
	if b.made == nil {
		b.made = progressbar.NewOptions(sc.Total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(b.typ),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(sc.Total > 0))
	}
	_ = b.made.Set(sc.Looked())
}

func (b *bar) end() {
	if b.made != nil {
		_ = b.made.Finish()
	}
}

type identitiesRekey struct {
	identitiesFlags
	changing
	Type      string `short:"t" help:"The resource type." default:"User"`
	File      string `xor:"how" help:"A CSV file with two columns, the old key and the new one; - for standard input." placeholder:"FILE"`
	Correlate bool   `xor:"how" help:"Compare the records with what the latest scan saw."`
	By        string `help:"With --correlate: the attribute by which records are known again. Default: the unique one, as userName." placeholder:"ATTRIBUTE"`
	Partial   bool   `help:"Make the changes that can be made, though others cannot."`
}

// Help is printed below the summary.
func (identitiesRekey) Help() string {
	return `After a migration that gave records other keys, ids must go on standing for the same people. Look first, with --dry-run:

    ready      the key can be changed, or was
    unknown    no identity has the old key
    taken      another identity has the new key: merge the two instead
    missing    the backend has no record with the new key that provisioning may see
    ambiguous  several records could be the one
    unmatched  the record is gone, and no other is like it

For --correlate, let postern identities scan run before the migration, and rekey after it before anything else.`
}

// Validate asks how.
func (c identitiesRekey) Validate() error {
	if c.File == "" && !c.Correlate {
		return errors.New("say how, with --file FILE or --correlate")
	}
	return c.changing.Validate()
}

func (c identitiesRekey) Run(ctx context.Context, m *Main) error {
	order := provision.RekeyOrder{Type: c.Type, Correlate: c.Correlate, By: c.By, Partial: c.Partial, Reason: c.reason()}
	if c.File != "" {
		var err error
		if order.Changes, err = readChanges(c.File, m.Stdin); err != nil {
			return err
		}
	}
	return c.with(ctx, m, func(o *office) error {
		bar := newBar(m.Stderr, c.Type)
		order.Progress = bar.show
		report, err := o.Rekey(ctx, order)
		bar.end()
		if report.Rows == nil && err != nil {
			return err
		}
		if report.Rows == nil {
			report.Rows = []provision.RekeyRow{}
		}
		return errors.Join(err, o.print(report, func(w io.Writer) { describeRekey(w, report) }))
	})
}

func describeRekey(w io.Writer, report provision.RekeyReport) {
	fmt.Fprintln(w, "OLD\tNEW\tSITUATION\t\t")
	for _, r := range report.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", r.Old, r.New, r.Situation, choose(r.Identity != "", "by identity "+r.Identity, strings.Join(r.Others, ", ")))
	}
	what := choose(report.Applied, "changed", "could be changed")
	fmt.Fprintf(w, "%s %s.\n", count(report.Ready, "key"), what)
}

// readChanges reads old and new keys. A first line that says "old,new" is a title.
func readChanges(file string, stdin io.Reader) ([]provision.KeyChange, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord = 2
	var out []provision.KeyChange
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", file, err)
		case len(out) == 0 && strings.EqualFold(strings.TrimSpace(row[0]), "old") && strings.EqualFold(strings.TrimSpace(row[1]), "new"):
			continue
		case row[0] == "" || row[1] == "":
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: a key is missing", file, line)
		}
		out = append(out, provision.KeyChange{Old: row[0], New: row[1]})
	}
}
