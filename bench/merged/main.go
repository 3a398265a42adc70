package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

type options struct {
	identities, rounds, connections int
	turn                            time.Duration
	only                            string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{}
	quick := flag.Bool("quick", false, "a short form, with 50,000 identities")
	flag.IntVar(&o.identities, "identities", 0, "how many; 0: 1,000,000, or 50,000 if quick")
	flag.IntVar(&o.rounds, "rounds", 0, "turns of each server; 0: 9, or 3 if quick")
	flag.IntVar(&o.connections, "connections", 8, "connections that are kept open and used at once")
	flag.DurationVar(&o.turn, "turn", 0, "how long a turn lasts; 0: 2s, or 300ms if quick")
	flag.StringVar(&o.only, "case", "", "only this case")
	flag.Parse()
	o.defaults(*quick)
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func (o *options) defaults(quick bool) {
	identities, rounds, turn := 1_000_000, 9, 2*time.Second
	if quick {
		identities, rounds, turn = 50_000, 3, 300*time.Millisecond
	}
	if o.identities <= 0 {
		o.identities = identities
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	if o.turn <= 0 {
		o.turn = turn
	}
}

// say tells what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "postern-merged-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/postern").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	w, err := newWorld(ctx, dir, o.identities)
	if err != nil {
		return err
	}
	plain, err := startServer(ctx, bin, w.plain)
	if err != nil {
		return err
	}
	defer plain.stop()
	merged, err := startServer(ctx, bin, w.merged)
	if err != nil {
		return err
	}
	defer merged.stop()
	for _, c := range w.cases() {
		if o.only != "" && c.name != o.only {
			continue
		}
		if err := compare(ctx, o, c, plain, merged); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// target is what counts as no slower: a twentieth is within what the machine does
// to two equal programs.
const target = 0.95

// compare loads both servers in turns and prints the median of the ratios.
func compare(ctx context.Context, o options, c testCase, plain, merged *server) error {
	for _, s := range []*server{plain, merged} { // fills caches, and finds mistakes
		if _, err := s.load(ctx, o.connections, o.turn/2, c); err != nil {
			return err
		}
	}
	var ratios, without, with []float64
	for n := range o.rounds {
		turn := []*server{plain, merged}
		if n%2 == 1 {
			slices.Reverse(turn)
		}
		got := map[*server]float64{}
		for _, s := range turn {
			rate, err := s.load(ctx, o.connections, o.turn, c)
			if err != nil {
				return err
			}
			got[s] = rate
		}
		ratios, without, with = append(ratios, got[merged]/got[plain]), append(without, got[plain]), append(with, got[merged])
	}
	fmt.Printf("%-24s without merges %7.0f/s, with merges %7.0f/s\n", c.name, median(without), median(with))
	if c.target == 0 {
		return nil
	}
	fmt.Printf("RATIO case=%s identities=%d value=%.2f target=%.2f\n", c.name, o.identities, median(ratios), c.target)
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// copyFile copies a database that nobody has open.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
