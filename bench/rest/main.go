package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	users  = 2000
	target = 0.60
	token  = "a-token-of-the-benchmark"
)

type options struct {
	rounds, connections int
	turn                time.Duration
	bin                 string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{}
	quick := flag.Bool("quick", false, "a short form, of ten seconds")
	flag.IntVar(&o.rounds, "rounds", 0, "turns of each; 0: 9, or 5 if quick")
	flag.IntVar(&o.connections, "connections", 0, "connections that are kept open and used at once; 0: 8, and then 32")
	flag.DurationVar(&o.turn, "turn", 0, "how long a turn lasts; 0: 2s, or 500ms if quick")
	flag.StringVar(&o.bin, "postern", "", "the program to measure; none: it is built")
	part := flag.String("serve", "", "for itself: be the backend, or the proxy")
	to := flag.String("to", "", "for itself: the backend's URL")
	flag.Parse()
	o.defaults(*quick)
	var err error
	if *part != "" {
		err = serve(ctx, *part, *to)
	} else {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func (o *options) defaults(quick bool) {
	rounds, turn := 9, 2*time.Second
	if quick {
		rounds, turn = 5, 500*time.Millisecond
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	if o.turn <= 0 {
		o.turn = turn
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "postern-rest-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.bin == "" {
		o.bin = filepath.Join(dir, "postern")
		if out, err := exec.CommandContext(ctx, "go", "build", "-tags", "nomsgpack", "-o", o.bin, "./cmd/postern").CombinedOutput(); err != nil {
			return fmt.Errorf("building: %w\n%s", err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	app, err := start(ctx, dir, "backend", self, "-serve", "backend")
	if err != nil {
		return err
	}
	defer app.stop()
	plain, err := start(ctx, dir, "proxy", self, "-to", app.base.String(), "-serve", "proxy")
	if err != nil {
		return err
	}
	defer plain.stop()
	if err := os.WriteFile(filepath.Join(dir, "bench.yaml"), []byte(strings.NewReplacer("@URL@", app.base.String(), "@HASH@", hash(token)).Replace(configuration)), 0o600); err != nil {
		return err
	}
	gateway, err := start(ctx, dir, "postern", o.bin, "serve", "--config", "bench.yaml")
	if err != nil {
		return err
	}
	defer gateway.stop()
	levels := []int{8, 32} // with few, processors wait for the network; with many, all work
	if o.connections > 0 {
		levels = []int{o.connections}
	}
	for _, o.connections = range levels {
		if err := compare(ctx, o, app, plain, gateway); err != nil {
			return err
		}
	}
	return nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// compare loads both in turns, and prints what came of it.
func compare(ctx context.Context, o options, app, plain, gateway *process) error {
	proxied := &side{name: "proxy", process: plain, headers: "Host: " + plain.host() + "\r\nAccept: application/json\r\n"}
	for id := range users {
		proxied.paths = append(proxied.paths, "/users/"+strconv.Itoa(id+1))
	}
	postern := &side{name: "postern", process: gateway, headers: "Host: " + gateway.host() + "\r\nAuthorization: Bearer " + token + "\r\nAccept: application/scim+json\r\n"}
	sides := []*side{proxied, postern}
	for _, s := range sides {
		if err := s.connect(o.connections); err != nil {
			return err
		}
		defer s.hangUp()
	}
	if err := postern.learn(); err != nil {
		return err
	}
	for _, s := range sides { // connections are opened, caches filled
		if _, err := s.load(ctx, o.turn, 0); err != nil {
			return err
		}
		s.forget()
	}
	var ratios []float64
	for n := range o.rounds {
		if n%2 == 1 {
			slices.Reverse(sides)
		}
		for _, s := range sides {
			if err := s.counted(ctx, app, o.turn, uint64(n+1)); err != nil {
				return err
			}
		}
		ratios = append(ratios, postern.rates[n]/proxied.rates[n])
	}
	cpu := func(s *side) time.Duration { return s.cpu / time.Duration(max(s.requests, 1)) }
	for _, s := range []*side{proxied, postern} {
		fmt.Printf("%-8s %7.0f/s, cpu=%dµs/request, %d requests, as many calls to the backend\n", s.name, median(s.rates), cpu(s).Round(time.Microsecond).Microseconds(), s.requests)
	}
	fmt.Printf("ratios of the turns from %.2f to %.2f; by processor time %.2f\n", slices.Min(ratios), slices.Max(ratios), float64(cpu(proxied))/float64(max(cpu(postern), 1)))
	fmt.Printf("RATIO case=rest-get-by-id connections=%d value=%.2f target=%.2f\n", o.connections, median(ratios), target)
	return nil
}

// counted is a turn of which every request is one call to the backend.
func (s *side) counted(ctx context.Context, app *process, d time.Duration, seed uint64) error {
	before, err := calls(app)
	if err != nil {
		return err
	}
	n, err := s.load(ctx, d, seed)
	if err != nil {
		return err
	}
	after, err := calls(app)
	if err == nil && after-before != n {
		err = fmt.Errorf("%s: %d requests were %d calls to the backend, not one for each", s.name, n, after-before)
	}
	return err
}

// calls is how often the backend was asked.
func calls(app *process) (int, error) {
	c, err := dial(app.host())
	if err != nil {
		return 0, err
	}
	defer c.c.Close()
	if err := c.get("/calls", "Host: "+app.host()+"\r\n"); err != nil {
		return 0, err
	}
	return strconv.Atoi(string(c.body))
}

// learn lists all users, so that each has its id.
func (s *side) learn() error {
	for len(s.paths) < users {
		c := s.conns[0]
		if err := c.get(fmt.Sprintf("/scim/v2/Users?count=500&startIndex=%d", len(s.paths)+1), s.headers); err != nil {
			return err
		}
		var page struct{ Resources []struct{ ID string } }
		if err := json.Unmarshal(c.body, &page); err != nil {
			return err
		}
		if len(page.Resources) == 0 {
			return errors.New("the list is too short")
		}
		for _, r := range page.Resources {
			s.paths = append(s.paths, "/scim/v2/Users/"+r.ID)
		}
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
