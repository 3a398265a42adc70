package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what the flags say.
type options struct {
	users       []int
	engines     []string
	only        *regexp.Regexp
	rounds      int
	turn, warm  time.Duration
	connections int
	look        bool
	quick       bool
	markdown    bool
	statements  bool
	profiles    string
}

func flags(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := f.Bool("quick", false, "a short form, within three minutes")
	users := f.String("users", "", "sizes of the staff database; none: 1000,100000,1000000, or 1000,100000 if quick")
	engines := f.String("engines", "sqlite,postgresql", "the databases of the staff; if quick, PostgreSQL has the smallest size only")
	only := f.String("cases", "", "only the cases that this expression finds")
	f.IntVar(&o.rounds, "rounds", 0, "turns of each server; 0: 7, or 3 if quick")
	f.DurationVar(&o.turn, "turn", 0, "how long a turn lasts; 0: 3s, or 500ms if quick")
	f.IntVar(&o.connections, "connections", 8, "connections that are kept open and used at once")
	f.BoolVar(&o.look, "look", true, "also count statements and allocations, with binaries of their own")
	f.BoolVar(&o.markdown, "markdown", false, "print the tables as docs/performance.md has them")
	f.BoolVar(&o.statements, "statements", false, "also print the statements")
	f.StringVar(&o.profiles, "profiles", "", "also keep profiles of both servers in this folder")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if *users == "" {
		if *users = "1000,100000,1000000"; *quick {
			*users = "1000,100000"
		}
	}
	for s := range strings.SplitSeq(*engines, ",") {
		if s != "sqlite" && s != "postgresql" {
			return nil, fmt.Errorf("-engines: there are sqlite and postgresql, not %q", s)
		}
		o.engines = append(o.engines, s)
	}
	o.quick = *quick
	for s := range strings.SplitSeq(*users, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 50 {
			return nil, fmt.Errorf("-users: %q is no number of at least 50", s)
		}
		o.users = append(o.users, n)
	}
	o.defaults(*quick)
	var err error
	if o.profiles != "" {
		o.profiles, err = filepath.Abs(o.profiles)
	}
	if err == nil {
		o.only, err = regexp.Compile(*only)
	}
	return o, err
}

func (o *options) defaults(quick bool) {
	rounds, turn := 7, 3*time.Second
	if quick {
		rounds, turn = 3, 500*time.Millisecond
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	if o.turn <= 0 {
		o.turn = turn
	}
	o.warm = max(o.turn/4, 200*time.Millisecond)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := flags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// say tells what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func run(ctx context.Context, o *options) error {
	dir, err := os.MkdirTemp("", "postern-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := buildAll(ctx, dir, o.look || o.profiles != "")
	if err != nil {
		return err
	}
	var all []*comparison
	var mem []memory
	for _, engine := range o.engines {
		for i, n := range o.users {
			if o.quick && i > 0 && engine != "sqlite" {
				continue
			}
			got, m, err := b.measure(ctx, dir, engine, n, o)
			if err != nil {
				return fmt.Errorf("%s, %d users: %w", engine, n, err)
			}
			all, mem = append(all, got...), append(mem, m)
		}
	}
	fmt.Printf("%s/%s, %d processors, %s; %d connections, %d turns of %s each\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.connections, o.rounds, o.turn)
	if o.statements {
		reportStatements(os.Stdout, all)
	}
	report(os.Stdout, all, mem, o.markdown)
	return nil
}

// binaries are the programs to run, as they are and observed.
type binaries struct{ plain, observed site }

func buildAll(ctx context.Context, dir string, observed bool) (*binaries, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	say("building")
	b := &binaries{}
	b.plain, err = buildBoth(ctx, root, dir, "", false)
	if err == nil && observed {
		b.observed, err = buildBoth(ctx, root, dir, "-observed", true)
	}
	return b, err
}

func buildBoth(ctx context.Context, root, dir, suffix string, observed bool) (site, error) {
	s := site{postern: filepath.Join(dir, "postern"+suffix), facade: filepath.Join(dir, "facade"+suffix), observed: observed}
	return s, errors.Join(build(ctx, root, "cmd/postern", s.postern, observed), build(ctx, root, "bench/facade", s.facade, observed))
}

// at makes the databases of so many users, and answers what takes those away that
// are not in the folder.
func (b *binaries) at(ctx context.Context, dir, engine string, users int) (drop func() error, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	p, drop := pair{filepath.Join(dir, "facade-staff.db"), filepath.Join(dir, "postern-staff.db")}, func() error { return nil }
	if engine == "sqlite" {
		if err = generate(ctx, p.facade, users); err == nil {
			err = copyFile(p.facade, p.postern)
		}
		p = pair{"sqlite:" + p.facade, "sqlite:" + p.postern}
	} else {
		p, drop, err = postgresPair(ctx, users)
	}
	met := map[string]*known{}
	for _, s := range []*site{&b.plain, &b.observed} {
		s.dir, s.ownDB, s.posternDB, s.known = dir, p.facade, p.postern, met
	}
	return drop, err
}

// measure runs all cases at one size.
func (b *binaries) measure(ctx context.Context, dir, engine string, users int, o *options) (out []*comparison, m memory, err error) {
	dir = filepath.Join(dir, engine+strconv.Itoa(users))
	say("%s, %d users: making the databases", engine, users)
	drop, err := b.at(ctx, dir, engine, users)
	if drop != nil {
		defer func() { err = errors.Join(err, drop()) }()
	}
	if err != nil {
		return nil, m, err
	}
	defer os.RemoveAll(dir)
	m = memory{users: users, engine: engine}
	serial := 0
	err = b.plain.both(ctx, users, func(facade, postern *server) error {
		var err error
		m.facadeStart, _ = facade.process.resident()
		m.posternStart, _ = postern.process.resident()
		if err := same(facade, postern, users); err != nil {
			return err
		}
		out, err = compareAll(ctx, facade, postern, engine, users, o)
		m.facade, m.facadePeak = facade.process.resident()
		m.postern, m.posternPeak = postern.process.resident()
		serial = max(facade.serial, postern.serial)
		return err
	})
	if err != nil || b.observed.postern == "" {
		return out, m, err
	}
	say("%s, %d users: looking inside", engine, users)
	err = b.observed.both(ctx, users, func(facade, postern *server) error {
		facade.serial, postern.serial = serial, serial
		return lookAll(ctx, facade, postern, out, o)
	})
	return out, m, err
}

func compareAll(ctx context.Context, facade, postern *server, engine string, users int, o *options) ([]*comparison, error) {
	if err := errors.Join(facade.connect(o.connections), postern.connect(o.connections)); err != nil {
		return nil, err
	}
	var out []*comparison
	for _, t := range tasks(users) {
		if !o.only.MatchString(t.name) {
			continue
		}
		c, err := compare(ctx, facade, postern, &t, o)
		if err != nil {
			return nil, err
		}
		c.users, c.engine = users, engine
		say("%s, %d users: %s %.2f", engine, users, t.name, median(c.ratios))
		out = append(out, c)
	}
	return out, nil
}

func lookAll(ctx context.Context, facade, postern *server, all []*comparison, o *options) error {
	if err := errors.Join(facade.connect(o.connections), postern.connect(o.connections)); err != nil {
		return err
	}
	for _, c := range all {
		c.seen = map[string]observation{}
		for _, s := range []*server{facade, postern} {
			seen, err := s.look(ctx, c.task)
			if err != nil {
				return err
			}
			c.seen[s.name] = seen
			if o.profiles == "" {
				continue
			}
			if err := s.profile(ctx, c.task, filepath.Join(o.profiles, fmt.Sprintf("%s-%s-%d-%s", s.name, c.engine, c.users, c.task.name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// both starts both servers, sees to it that all records have ids, runs f, and stops both.
func (s *site) both(ctx context.Context, users int, f func(facade, postern *server) error) error {
	facade, err := s.startFacade(ctx)
	if err != nil {
		return err
	}
	defer facade.stop()
	postern, err := s.startPostern(ctx)
	if err != nil {
		return err
	}
	defer postern.stop()
	walked := make(chan error, 1)
	go func() { walked <- s.meet(ctx, facade, users) }()
	if err := errors.Join(s.meet(ctx, postern, users), <-walked); err != nil {
		return err
	}
	return f(facade, postern)
}
