package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/postern/postern/adapters"
)

// A Config says how to reach a directory. Only URL is needed.
type Config struct {
	URL      string // ldap://host:port, or ldaps://
	StartTLS bool   // begin TLS on a connection without
	TLS      TLS

	// BindDN and Password are the credential of a simple bind. Without a BindDN a
	// client certificate is the credential (SASL EXTERNAL), or there is none.
	BindDN, Password string

	Base  string // above the bases of all targets
	Proof string // the DN of an entry that the credential must see, or nothing else is believed

	Passwords Passwords
	Referrals bool // pass over what other servers hold, instead of failing

	Connections int           // at a time; 0: eight
	Page        int           // entries in one answer; 0: 500
	Entries     int           // that a list may walk; 0: 1,000,000
	Timeout     time.Duration // to connect; 0: five seconds

	// Trace, if set, is told every request: its kind, the DN, the filter.
	Trace func(request string)

	Watch adapters.Watcher // told every request of an operation, and its answer; nil: nobody
}

// A TLS names files in PEM.
type TLS struct{ CA, Cert, Key string }

// Passwords says how userPassword is written.
type Passwords string

// The ways to write a password.
const (
	Extended Passwords = "extended" // by the extended operation of RFC 3062: the server hashes it
	SSHA     Passwords = "ssha"     // as salted SHA-1
	Plain    Passwords = "plain"    // as it is: servers hash what they are configured to hash
)

const (
	defaultConnections = 8
	defaultPage        = 500
	defaultEntries     = 1_000_000
	defaultTimeout     = 5 * time.Second
)

// Open prepares the use of a directory. It reads the files of the configuration
// and does no other I/O: the first operation connects.
func Open(cfg Config) (*Directory, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "ldap" && u.Scheme != "ldaps") {
		return nil, errors.New("the url is no ldap or ldaps URL")
	}
	if u.Scheme == "ldaps" && cfg.StartTLS {
		return nil, errors.New("startTLS is for ldap URLs; an ldaps URL is TLS from the start")
	}
	if cfg.Connections <= 0 {
		cfg.Connections = defaultConnections
	}
	if cfg.Page <= 0 {
		cfg.Page = defaultPage
	}
	if cfg.Entries <= 0 {
		cfg.Entries = defaultEntries
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Passwords == "" {
		cfg.Passwords = Extended
	}
	d := &Directory{cfg: cfg, url: u, pool: make(chan *connection, cfg.Connections), locks: newLocks()}
	for range cfg.Connections {
		d.pool <- nil // a place, without a connection yet
	}
	d.tls, err = tlsConfig(cfg.TLS, u.Hostname())
	return d, err
}

func tlsConfig(files TLS, host string) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if files.CA != "" {
		pem, err := os.ReadFile(files.CA)
		if err != nil {
			return nil, err
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", files.CA)
		}
	}
	if files.Cert != "" {
		pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			return nil, err
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
