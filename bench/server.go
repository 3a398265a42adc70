package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "embed"
)

const token = "a-token-of-the-benchmark"

//go:embed postern.yaml
var posternYAML string

// A server is Postern or the façade, running on its copy of the database, and
// what is known of the ids that it gave.
type server struct {
	name    string
	process *process
	staff   string // path of its database
	addr    string
	path    string // "/scim/v2"
	headers []byte // of every request, with the end of the request line
	conns   []*conn

	known
	serial int // numbers of records made so far
}

// A site is a folder with the databases of both servers.
type site struct {
	dir              string
	postern, facade  string // binaries
	observed         bool
	posternDB, ownDB string            // as Postern's dsn
	known            map[string]*known // by server
}

func (s *site) startPostern(ctx context.Context) (*server, error) {
	text := strings.NewReplacer("@IDS@", filepath.Join(s.dir, "postern-ids.db"), "@STAFF@", s.posternDB, "@HASH@", tokenHash()).Replace(posternYAML)
	file := filepath.Join(s.dir, "postern.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := start(ctx, s.dir, "postern", s.observed, s.postern, "serve", "--config", file)
	return newServer("postern", p, s.posternDB, err)
}

func (s *site) startFacade(ctx context.Context) (*server, error) {
	p, err := start(ctx, s.dir, "facade", s.observed, s.facade, "-staff", strings.TrimPrefix(s.ownDB, "sqlite:"), "-ids", filepath.Join(s.dir, "facade-ids.db"), "-token", tokenHash())
	return newServer("facade", p, s.ownDB, err)
}

func tokenHash() string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func newServer(name string, p *process, staff string, err error) (*server, error) {
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(p.base)
	if err != nil {
		p.stop()
		return nil, err
	}
	return &server{name: name, process: p, staff: staff, addr: u.Host, path: u.Path, known: known{names: map[string]string{}},
		headers: []byte(" HTTP/1.1\r\nHost: " + u.Host + "\r\nAuthorization: Bearer " + token + "\r\nAccept: application/scim+json\r\n")}, nil
}

func (s *server) stop() {
	s.hangUp()
	s.process.stop()
}

// hangUp closes all connections, before the server finds them idle for too long.
func (s *server) hangUp() {
	for _, c := range s.conns {
		_ = c.c.Close()
	}
	s.conns = nil
}

// connect opens connections up to n.
func (s *server) connect(n int) error {
	for len(s.conns) < n {
		c, err := dial(s.addr)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, c)
	}
	return nil
}

// ask sends one request on the first connection.
func (s *server) ask(q request) (status int, body []byte, err error) {
	if err := s.connect(1); err != nil {
		return 0, nil, err
	}
	status, err = s.conns[0].do(s, q)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w\n%s", s.name, err, s.process.said())
	}
	return status, s.conns[0].body, nil
}

const pageSize = 1000

// walk lists everything once, so that every record has its id.
func (s *server) walk(users int) error {
	defer s.hangUp()
	err := s.each("/Users?count=%d&startIndex=%d", users, func(r named) {
		s.users, s.names[r.ID] = append(s.users, r.ID), "User "+r.UserName
	})
	if err != nil {
		return err
	}
	groups := 1 + len(departments) + teams(users)
	err = s.each("/Groups?excludedAttributes=members&count=%d&startIndex=%d", groups, func(r named) {
		s.names[r.ID] = "Group " + r.DisplayName
		switch {
		case r.DisplayName == "Everyone":
			s.all = r.ID
		case strings.HasPrefix(r.DisplayName, "Team "):
			s.teams = append(s.teams, r.ID)
		}
	})
	if err != nil {
		return err
	}
	if s.all == "" || len(s.teams) != teams(users) {
		return errors.New(s.name + ": groups are missing")
	}
	for i, id := range s.users {
		if s.names[id] != "User "+loginOf(i) {
			return fmt.Errorf("%s: the list is not in the order of keys", s.name)
		}
	}
	return nil
}

type named struct {
	ID          string `json:"id"`
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
}

func (s *server) each(path string, want int, f func(named)) error {
	for have := 0; have < want; {
		status, body, err := s.ask(request{method: "GET", path: fmt.Sprintf(path, pageSize, have+1)})
		if err != nil {
			return err
		}
		var page struct {
			TotalResults int
			Resources    []named
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			return fmt.Errorf("%s: listing: status %d, %w\n%.500s", s.name, status, err, body)
		}
		if page.TotalResults < want || len(page.Resources) == 0 {
			return fmt.Errorf("%s: %d of %d records in a list, %d on the page at %d", s.name, page.TotalResults, want, len(page.Resources), have+1)
		}
		page.Resources = page.Resources[:min(len(page.Resources), want-have)] // what follows was created since
		for _, r := range page.Resources {
			f(r)
		}
		have += len(page.Resources)
	}
	return nil
}
