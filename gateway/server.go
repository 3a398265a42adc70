package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A Door is one listener and what stands behind it.
type Door struct {
	Name     string // for the log: "scim", "admin"
	Listener net.Listener
	Handler  http.Handler
	TLS      *tls.Config // nil: plain HTTP
	Plain    bool        // plain HTTP is wanted even where others can listen in
}

// Timing bounds connections and the stop. Zero fields have defaults.
type Timing struct {
	Header time.Duration // to read a request's headers: 10 s
	Read   time.Duration // to read a request: 60 s
	Write  time.Duration // from the end of the headers to the end of the answer: 2 min
	Idle   time.Duration // between two requests: 2 min
	Drain  time.Duration // for requests under way when the stop begins: 20 s
}

func (t Timing) withDefaults() Timing {
	t.Header = cmp.Or(t.Header, 10*time.Second)
	t.Read = cmp.Or(t.Read, time.Minute)
	t.Write = cmp.Or(t.Write, 2*time.Minute)
	t.Idle = cmp.Or(t.Idle, 2*time.Minute)
	t.Drain = cmp.Or(t.Drain, 20*time.Second)
	return t
}

// maxHeaderBytes bounds a request's line and headers together. Beyond it net/http
// refuses by itself, without a SCIM body, so the bound on URLs is lower.
const (
	maxHeaderBytes = 128 << 10
	maxURLBytes    = 64 << 10
)

// Serve answers on all doors until ctx ends or one of them fails. At the end no
// new request is taken, those under way have Drain to finish, and then they are
// cancelled. It returns nil after a stop that was asked for.
func Serve(ctx context.Context, log *slog.Logger, t Timing, doors ...Door) error {
	t = t.withDefaults()
	for _, d := range doors {
		if err := d.check(); err != nil {
			return errors.Join(err, closeAll(doors))
		}
	}
	// Requests outlive the order to stop: they end by themselves or when their
	// connection is closed.
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	servers := make([]*http.Server, len(doors))
	failed := make(chan error, len(doors))
	for i, d := range doors {
		servers[i] = d.server(requests, log, t)
		go func() { failed <- d.serve(servers[i]) }()
		log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("door", d.Name),
			slog.String("address", d.Listener.Addr().String()), slog.Bool("tls", d.TLS != nil))
	}
	var err error
	select {
	case <-ctx.Done():
		log.LogAttrs(ctx, slog.LevelInfo, "stopping", slog.Duration("drain", t.Drain))
	case err = <-failed:
	}
	return errors.Join(err, stop(servers, t.Drain))
}

// check refuses to send tokens and personal data in the clear over a network
// (RFC 7644 section 7.2), unless the configuration says so.
func (d Door) check() error {
	if d.TLS != nil || d.Plain || isLocal(d.Listener.Addr()) {
		return nil
	}
	return fmt.Errorf("%s: plain HTTP on %s would send tokens in the clear; give a certificate, listen on a loopback address, or allow plain HTTP explicitly",
		d.Name, d.Listener.Addr())
}

func isLocal(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

func closeAll(doors []Door) (err error) {
	for _, d := range doors {
		err = errors.Join(err, d.Listener.Close())
	}
	return err
}

func (d Door) server(base context.Context, log *slog.Logger, t Timing) *http.Server {
	return &http.Server{
		Handler:           d.Handler,
		TLSConfig:         d.TLS,
		ReadHeaderTimeout: t.Header,
		ReadTimeout:       t.Read,
		WriteTimeout:      t.Write,
		IdleTimeout:       t.Idle,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func (d Door) serve(s *http.Server) error {
	var err error
	if d.TLS != nil {
		err = s.ServeTLS(d.Listener, "", "")
	} else {
		err = s.Serve(d.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", d.Name, err)
}

// stop drains all servers at once, within one deadline.
func stop(servers []*http.Server, drain time.Duration) error {
	ctx, done := context.WithTimeout(context.Background(), drain)
	defer done()
	results := make(chan error, len(servers))
	for _, s := range servers {
		go func() {
			err := s.Shutdown(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				err = s.Close() // cancels what is still under way
			}
			results <- err
		}()
	}
	var all error
	for range servers {
		all = errors.Join(all, <-results)
	}
	return all
}
