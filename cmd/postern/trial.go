package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A trialRun is what differs when one request is tried out. Its methods may be
// called on nil, which is how a gateway that serves has it.
type trialRun struct {
	tape     *trace.Tape
	dry      bool   // no id is kept
	replayed bool   // no backend is asked
	scratch  string // a folder for this run
	table    string // keep ids here instead; "" for the table of the configuration

	// Of a test: what stands in for backends, by resource type (nil: nothing does),
	// and the backends whose answers are given instead.
	stands    map[string][]givenRecord
	answered  map[string]bool
	made      map[string]*standIn
	relations map[string]*memory.Relation
}

func (t *trialRun) transport(backend string) func(http.RoundTripper) http.RoundTripper {
	if t == nil {
		return nil
	}
	return t.tape.Transport(backend)
}

func (t *trialRun) watcher(backend string) adapters.Watcher {
	if t == nil {
		return nil
	}
	return t.tape.Watcher(backend)
}

// A givenRecord is one that a test gives.
type givenRecord struct {
	Key    adapters.Key
	Fields map[string]any
}

// watch puts the tape before an adapter.
func (t *trialRun) watch(a adapters.Adapter, b *config.Backend, m *rules.Mapping) adapters.Adapter {
	if t == nil {
		return a
	}
	kind := b.Type.Value
	native := t.standsIn(b) || kind == restKind || kind == scimKind || slices.Contains([]string{"sql", fileKind, commandKind, ldapKind}, kind) && !t.replayed
	return t.tape.Watch(a, b.Name.Value, m.Type.Name, native, secretField(m))
}

// secretField reports which fields hold what clients may never read, or what looks
// as if they should not.
func secretField(m *rules.Mapping) func(string) bool {
	return func(field string) bool {
		for _, r := range m.Rules() {
			if r.Field() == field && r.Attribute().Returned == scim.ReturnedNever {
				return true
			}
		}
		return trace.SecretName(field)
	}
}

// identities opens the mapping table. A dry run that finds none works on one that
// is thrown away, which is what the other would be like.
func (t *trialRun) identities(ctx context.Context, dsn string, trace func(string)) (*identity.Store, error) {
	o := identity.Options{Trace: trace}
	if t != nil {
		if t.table != "" {
			dsn = t.table
		} else if path, file := strings.CutPrefix(dsn, "sqlite:"); file && t.dry && missing(path) {
			var err error
			if t.scratch, err = os.MkdirTemp("", "postern-*"); err != nil {
				return nil, err
			}
			dsn = filepath.Join(t.scratch, "ids.db")
		} else {
			o.DryRun = t.dry
		}
	}
	return identity.Open(ctx, dsn, o)
}

// secrets are the texts of a configuration that nobody is to see.
func secrets(cfg *config.Config) []string {
	out := passwordIn(cfg.Identities.Reveal())
	for _, b := range cfg.Backends {
		out = append(out, passwordIn(b.SQL.DSN.Reveal())...)
		for _, list := range [][]config.NamedSecret{b.REST.Headers, b.REST.Secrets, b.Command.Environment, b.Command.Secrets} {
			for _, s := range list {
				out = append(out, s.Value.Reveal())
			}
		}
		if b.REST.Basic != nil {
			out = append(out, b.REST.Basic.Password.Reveal())
		}
		if b.REST.OAuth != nil {
			out = append(out, b.REST.OAuth.Secret.Reveal())
		}
		if b.LDAP.Bind != nil {
			out = append(out, b.LDAP.Bind.Password.Reveal())
		}
	}
	return out
}

// passwordIn is the password of a database's URL, if there is one.
func passwordIn(dsn string) []string {
	_, after, _ := strings.Cut(dsn, "://")
	user, _, found := strings.Cut(after, "@")
	if _, password, ok := strings.Cut(user, ":"); ok && found {
		return []string{password}
	}
	return nil
}

// clientOf finds the client as whom a request is sent: the only one, unless it is
// named.
func clientOf(cfg *config.Config, name string) (*config.Client, error) {
	var names []string
	for i := range cfg.Clients {
		if cfg.Clients[i].Name.Value == name || name == "" {
			return &cfg.Clients[i], nil
		}
		names = append(names, cfg.Clients[i].Name.Value)
	}
	return nil, fmt.Errorf("there is no client %q; there is %s", name, strings.Join(names, ", "))
}

// printJSON is for programs, and for people who look at what programs get.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
