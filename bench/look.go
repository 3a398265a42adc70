package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/bench/observe"
)

// An observation is what one request of a kind costs inside.
type observation struct {
	statements, mallocs, bytes float64
	texts                      []string // the statements that each request sends
}

// looks is how many requests an observation is made of: a page deep in a long list
// takes a good part of a second.
func (t *task) looks() int {
	if strings.HasPrefix(t.name, "list") {
		return 20
	}
	return 200
}

// look sends requests one after the other to a server that is observed.
func (s *server) look(ctx context.Context, t *task) (observation, error) {
	if err := t.prepare(ctx, s); err != nil {
		return observation{}, err
	}
	r := rand.New(rand.NewPCG(11, 11))
	n := 0
	if t.grows {
		n = s.serial
	}
	send := func(times int) error {
		for range times {
			status, body, err := s.ask(t.make(s, r, n))
			if err != nil || status != t.status {
				return fmt.Errorf("%s: %s: status %d: %w\n%.300s", s.name, t.name, status, err, body)
			}
			n++
		}
		return nil
	}
	requests := t.looks()
	if err := send(requests / 4); err != nil {
		return observation{}, err
	}
	before, err := s.counts(ctx)
	if err != nil {
		return observation{}, err
	}
	if err := send(requests); err != nil {
		return observation{}, err
	}
	after, err := s.counts(ctx)
	s.serial = max(s.serial, n)
	if err != nil {
		return observation{}, err
	}
	o := observation{mallocs: float64(after.Mallocs-before.Mallocs) / float64(requests), bytes: float64(after.Bytes-before.Bytes) / float64(requests)}
	for text, n := range after.Statements {
		n -= before.Statements[text]
		o.statements += float64(n) / float64(requests)
		if n >= requests/2 {
			o.texts = append(o.texts, fmt.Sprintf("%.1f x %s", float64(n)/float64(requests), text))
		}
	}
	slices.Sort(o.texts)
	return o, nil
}

func (s *server) counts(ctx context.Context) (c observe.Counts, err error) {
	body, err := s.inside(ctx, "/counts")
	if err != nil {
		return c, err
	}
	defer body.Close()
	return c, json.NewDecoder(body).Decode(&c)
}

// inside asks package observe.
func (s *server) inside(ctx context.Context, path string) (io.ReadCloser, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.process.socket)
	}}}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://observe"+path, nil)
	if err != nil {
		return nil, err
	}
	r, err := client.Do(q)
	if err != nil {
		return nil, err
	}
	return r.Body, nil
}

// profile loads a server and keeps profiles of its processor time and of what it
// allocates.
func (s *server) profile(ctx context.Context, t *task, file string) error {
	work := []func() error{
		func() error { _, err := s.load(ctx, t, 5*time.Second, 3); return err },
		func() error { return s.keepProfile(ctx, "profile", file+".cpu.pprof") },
		func() error { return s.keepProfile(ctx, "allocs", file+".allocs.pprof") },
	}
	failed := make(chan error, len(work))
	for _, w := range work {
		go func() { failed <- w() }()
	}
	var err error
	for range work {
		err = errors.Join(err, <-failed)
	}
	return err
}

func (s *server) keepProfile(ctx context.Context, kind, file string) error {
	body, err := s.inside(ctx, "/debug/pprof/"+kind+"?seconds=4")
	if err != nil {
		return err
	}
	defer body.Close()
	return keep(file, body)
}

func keep(file string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	w, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}
