package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A server is a Postern that runs in a folder.
type server struct {
	cmd    *exec.Cmd
	base   string
	client *http.Client
}

func startServer(ctx context.Context, bin, dir string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, bin, "serve"), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	s.cmd.Dir, s.cmd.Stderr = dir, os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, base, found := strings.Cut(strings.TrimSpace(line), " at ")
	if err != nil || !found {
		s.stop()
		return nil, fmt.Errorf("the server in %s says %q: %w", dir, line, err)
	}
	s.base = base
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// load sends requests over some connections for some time, and answers how many
// there were per second.
func (s *server) load(ctx context.Context, connections int, d time.Duration, c testCase) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var done atomic.Int64
	errs := make([]error, connections)
	var wg sync.WaitGroup
	begun := time.Now()
	for n := range connections {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 7))
			for ctx.Err() == nil {
				if errs[n] = s.get(ctx, c.path(r), c.holds); errs[n] != nil {
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if errors.Is(err, context.DeadlineExceeded) {
			errs[i] = nil
		}
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), errors.Join(errs...)
}

func (s *server) get(ctx context.Context, path, holds string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer bench")
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(holds))) {
		err = fmt.Errorf("GET %s: %d %s", path, res.StatusCode, body)
	}
	return err
}
