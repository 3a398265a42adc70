package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A memory is the resident memory of both processes after all cases of a size.
type memory struct {
	users                                              int
	engine                                             string
	facade, postern                                    int64
	facadePeak, posternPeak, facadeStart, posternStart int64
}

// A table is written for the terminal, or as docs/performance.md has it.
type table struct {
	markdown bool
	rows     [][]string // the first is the head
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	if !t.markdown {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, r := range t.rows {
			fmt.Fprintln(tw, strings.Join(r, "\t")+"\t")
		}
		_ = tw.Flush()
		return
	}
	for i, r := range t.rows {
		fmt.Fprintln(w, "| "+strings.Join(r, " | ")+" |")
		if i == 0 {
			fmt.Fprintln(w, strings.Repeat("|---", len(r))+"|")
		}
	}
}

// report writes the tables, and a line for each ratio.
func report(w io.Writer, all []*comparison, mem []memory, markdown bool) {
	t := &table{markdown: markdown}
	t.add("engine", "users", "case", "façade/s", "postern/s", "ratio", "spread", "p50", "p99", "cpu", "cpu ratio")
	for _, c := range all {
		t.add(c.engine, strconv.Itoa(c.users), c.task.name, fmt.Sprintf("%.0f", c.facade.rate), fmt.Sprintf("%.0f", c.postern.rate),
			fmt.Sprintf("%.2f", median(c.ratios)), fmt.Sprintf("%.2f-%.2f", slices.Min(c.ratios), slices.Max(c.ratios)),
			short(c.facade.p50)+"/"+short(c.postern.p50), short(c.facade.p99)+"/"+short(c.postern.p99),
			short(c.facade.cpu)+"/"+short(c.postern.cpu), share(c.shares))
	}
	t.write(w)
	fmt.Fprint(w, "\nPairs are façade/Postern; cpu is the server's processor time for a request.\n\n")
	reportInside(w, all, markdown)
	for _, m := range mem {
		fmt.Fprintf(w, "MEMORY engine=%s users=%d resident after all cases: postern=%s facade=%s, at the largest: postern=%s facade=%s, after the start: postern=%s facade=%s\n",
			m.engine, m.users, mebi(m.postern), mebi(m.facade), mebi(m.posternPeak), mebi(m.facadePeak), mebi(m.posternStart), mebi(m.facadeStart))
	}
	fmt.Fprintln(w)
	for _, c := range all {
		fmt.Fprintf(w, "RATIO case=%s users=%d engine=%s value=%.2f target=%.2f\n", c.task.name, c.users, c.engine, median(c.ratios), c.task.target)
	}
}

func reportInside(w io.Writer, all []*comparison, markdown bool) {
	if !slices.ContainsFunc(all, func(c *comparison) bool { return len(c.seen) > 0 }) {
		return
	}
	t := &table{markdown: markdown}
	t.add("engine", "users", "case", "statements", "allocations", "KiB allocated")
	for _, c := range all {
		f, p := c.seen["facade"], c.seen["postern"]
		t.add(c.engine, strconv.Itoa(c.users), c.task.name, fmt.Sprintf("%.1f/%.1f", f.statements, p.statements),
			fmt.Sprintf("%.0f/%.0f", f.mallocs, p.mallocs), fmt.Sprintf("%.1f/%.1f", f.bytes/1024, p.bytes/1024))
	}
	t.write(w)
	fmt.Fprint(w, "\nPairs are façade/Postern, for one request; BEGIN and COMMIT count as statements; of PostgreSQL only those to the table of ids, which is in SQLite, are counted.\n\n")
}

// reportStatements writes which statements each case sends.
func reportStatements(w io.Writer, all []*comparison) {
	for _, c := range all {
		for _, name := range []string{"facade", "postern"} {
			fmt.Fprintf(w, "%s, %s, %d users, %s:\n", c.task.name, c.engine, c.users, name)
			for _, text := range c.seen[name].texts {
				fmt.Fprintf(w, "    %s\n", text)
			}
		}
	}
	fmt.Fprintln(w)
}

func short(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%dµs", d.Microseconds())
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

// share is what part of Postern's processor time the façade needs: the median over
// the turns, for what else the machine does slows both down at the same time.
func share(ratios []float64) string {
	if len(ratios) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", median(ratios))
}

func mebi(b int64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fMiB", float64(b)/(1<<20))
}
