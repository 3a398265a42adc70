package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// A conn is one keep-alive connection. It does as little as it can: the processor
// that it uses is taken from what is measured.
type conn struct {
	c    net.Conn
	r    *bufio.Reader
	out  []byte
	body []byte
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// get sends a request and keeps the answer's body.
func (c *conn) get(path, headers string) error {
	c.out = append(append(append(append(c.out[:0], "GET "...), path...), " HTTP/1.1\r\n"...), headers...)
	if _, err := c.c.Write(append(c.out, '\r', '\n')); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(line, []byte("HTTP/1.1 200"))
	status, length := string(line), 0
	for len(bytes.TrimSpace(line)) > 0 {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return err
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	if _, err = io.ReadFull(c.r, c.body); err == nil && (!ok || length == 0) {
		err = fmt.Errorf("GET %s: %s %s", path, status, c.body)
	}
	return err
}

// A side is one of the two that are compared.
type side struct {
	name    string
	process *process
	headers string
	paths   []string // of each user
	conns   []*conn

	requests int
	took     time.Duration
	cpu      time.Duration
	rates    []float64
}

func (s *side) connect(n int) error {
	for len(s.conns) < n {
		c, err := dial(s.process.host())
		if err != nil {
			return err
		}
		s.conns = append(s.conns, c)
	}
	return nil
}

func (s *side) hangUp() {
	for _, c := range s.conns {
		_ = c.c.Close()
	}
}

// load asks for users at random on all connections for a while, and answers how
// many there were.
func (s *side) load(ctx context.Context, d time.Duration, seed uint64) (int, error) {
	counts, errs := make([]int, len(s.conns)), make([]error, len(s.conns))
	var all sync.WaitGroup
	cpu, begun := s.process.cpu(), time.Now()
	end := begun.Add(d)
	for i, c := range s.conns {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for time.Now().Before(end) && ctx.Err() == nil && errs[i] == nil {
				if errs[i] = c.get(s.paths[r.IntN(len(s.paths))], s.headers); errs[i] == nil {
					counts[i]++
				}
			}
		})
	}
	all.Wait()
	n := 0
	for i := range counts {
		if n += counts[i]; errs[i] != nil {
			return n, fmt.Errorf("%s: %w", s.name, errs[i])
		}
	}
	took := time.Since(begun)
	s.requests, s.took, s.cpu = s.requests+n, s.took+took, s.cpu+s.process.cpu()-cpu
	s.rates = append(s.rates, float64(n)/took.Seconds())
	return n, ctx.Err()
}

func (s *side) forget() { s.requests, s.took, s.cpu, s.rates = 0, 0, 0, nil }
