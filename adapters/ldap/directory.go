package ldap

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// A Directory is one server, shared by the adapters of its branches. Its methods
// may be called from many goroutines.
type Directory struct {
	cfg   Config
	url   *url.URL
	tls   *tls.Config
	pool  chan *connection // one element for each connection that may be open
	locks locks

	asking sync.Mutex
	known  atomic.Pointer[server]
	proven atomic.Int64 // until when the proof is good, in Unix nanoseconds

	mu      sync.RWMutex
	referrs []*referrer // fields whose values name entries of other branches

	written atomic.Int64 // how many operations that may have changed something have ended

	membersRead atomic.Int64 // values of references that were read, for tests
}

// A connection is bound and used by one operation at a time.
type connection struct {
	*ldap.Conn
	raw net.Conn
}

// cut ends a connection at once, also while the server does not read.
func (c *connection) cut() {
	_ = c.raw.Close()
	_ = c.Close()
}

// connect opens a connection and binds.
func (d *Directory) connect(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	port := d.url.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[d.url.Scheme]
	}
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(d.url.Hostname(), port))
	if err != nil {
		return nil, err
	}
	secure := d.url.Scheme == "ldaps"
	if secure {
		t := tls.Client(raw, d.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		raw = t
	}
	c := &connection{ldap.NewConn(raw, secure), raw}
	c.Start()
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	if err := d.bind(c); err != nil {
		c.cut()
		return nil, err
	}
	return c, nil
}

func (d *Directory) bind(c *connection) error {
	if d.cfg.StartTLS {
		if err := c.StartTLS(d.tls); err != nil {
			return refusedTLS(err)
		}
	}
	switch {
	case d.cfg.BindDN != "":
		return c.Bind(d.cfg.BindDN, d.cfg.Password)
	case d.cfg.TLS.Cert != "":
		return c.ExternalBind()
	}
	return nil
}

// refusedTLS tells of a server that wants no TLS (RFC 4511 section 4.14.2): nothing is
// sent to it without.
func refusedTLS(err error) error {
	if !answered(err) {
		return err
	}
	return &adapters.Error{Kind: adapters.Denied, Err: fmt.Errorf("the server does not begin TLS, as startTLS wants: %w", err)}
}

// A session is one operation's use of a connection.
type session struct {
	*server
	ctx   context.Context
	d     *Directory
	c     *connection
	wrote bool // a request that changes something was sent
}

// use runs f with a connection, once more with another if the server had closed
// the first one, and if nothing can have changed.
func (d *Directory) use(ctx context.Context, op string, f func(s *session) error) error {
	for again := false; ; again = true {
		fresh, err := d.attempt(ctx, op, f)
		if err == nil || fresh || again || !adapters.Is(err, adapters.Unavailable) || ctx.Err() != nil || unsure(err) {
			return err
		}
	}
}

// attempt runs f with a connection. fresh says that it was opened for it.
func (d *Directory) attempt(ctx context.Context, op string, f func(s *session) error) (fresh bool, err error) {
	c, err := d.take(ctx)
	if err != nil {
		return true, fault(ctx, op, err, false)
	}
	defer func() { d.give(c) }()
	if fresh = c == nil; fresh {
		if c, err = d.connect(ctx); err != nil {
			return true, fault(ctx, op, err, false)
		}
	}
	s := &session{ctx: ctx, d: d, c: c}
	// The library knows no context: whoever stops waiting closes the connection.
	stop := context.AfterFunc(ctx, c.cut)
	defer stop()
	if s.server, err = d.server(s); err == nil {
		if err = ctx.Err(); err == nil {
			err = f(s)
		}
	}
	if s.wrote {
		d.written.Add(1)
	}
	return fresh, fault(ctx, op, err, s.wrote)
}

// take waits for a place in the pool; nil if it has no connection yet.
func (d *Directory) take(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c := <-d.pool:
		if c != nil && c.IsClosing() {
			return nil, nil
		}
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *Directory) give(c *connection) {
	if c != nil && c.IsClosing() {
		c = nil
	}
	d.pool <- c
}

// Ping proves that the directory answers, that the credential is good, and that
// it sees what it must.
func (d *Directory) Ping(ctx context.Context) error {
	return d.use(ctx, "probe", func(s *session) error { return s.prove() })
}

// Close closes all connections that are not in use.
func (d *Directory) Close() error {
	for range cap(d.pool) {
		select {
		case c := <-d.pool:
			if c != nil {
				c.cut()
			}
			d.pool <- nil
		default:
		}
	}
	return nil
}

// proofTime is how long one proof is good.
const proofTime = 30 * time.Second

// prove fails unless the credential sees the base and the entry that it must see: one
// that has lost its rights sees an empty directory.
func (s *session) prove() error {
	if time.Now().UnixNano() < s.d.proven.Load() {
		return nil
	}
	for _, dn := range []string{s.d.cfg.Base, s.d.cfg.Proof} {
		if dn == "" {
			continue
		}
		found, err := s.base(dn, "(objectClass=*)", noAttributes)
		if err != nil {
			return err
		}
		if found == nil {
			return adapters.Errorf(adapters.Unavailable, "", "the credential does not see %s", dn)
		}
	}
	s.d.proven.Store(time.Now().Add(proofTime).UnixNano())
	return nil
}
