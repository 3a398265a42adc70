package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/postern/postern/adapters/trace"
	"github.com/postern/postern/config"
	"github.com/postern/postern/gateway/auth"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
)

// principal is a client as whom a request is sent without its token.
func (a *assembly) principal(name string) auth.Principal {
	for _, c := range clients(a.cfg) {
		if c.Principal.Client == name {
			return c.Principal
		}
	}
	return auth.Principal{}
}

// record writes what was asked and answered, and the ids by which the client knows
// the records of it.
func (a *assembly) record(ctx context.Context, file string, req trace.Request) error {
	tape := a.trial.tape
	r := &trace.Recording{Request: req, Steps: tape.Steps()}
	r.Request.Body = []byte(tape.BlotBody(string(req.Body)))
	if len(r.Request.Body) == 0 {
		r.Request.Body = nil
	}
	var err error
	if r.IDs, err = a.idsOf(ctx, req.Client, r.Steps); err != nil {
		return err
	}
	data, err := r.JSON()
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// idsOf lists the ids that the client has for the records of the steps, and for
// those that they refer to.
func (a *assembly) idsOf(ctx context.Context, client string, steps []trace.Step) ([]trace.ID, error) {
	var links []identity.Link
	seen := map[identity.Link]bool{}
	add := func(typ, key string) {
		r := a.cfg.Resource(typ)
		if r == nil || key == "" {
			return
		}
		l := identity.Link{Type: typ, Backend: r.Target.Backend.Value, Key: key}
		if !seen[l] {
			seen[l] = true
			links = append(links, l)
		}
	}
	for _, s := range steps {
		add(s.Type, s.Key)
		for _, rec := range s.Records {
			add(s.Type, rec.Key)
			for _, m := range a.mappings {
				if m.Type.Name == s.Type {
					eachReference(m, rec, add)
				}
			}
		}
	}
	found, err := a.ids.Find(ctx, identity.Domain{Tenant: a.cfg.Tenant, Client: client}, links)
	if err != nil {
		return nil, err
	}
	var out []trace.ID
	for i, e := range found {
		if e.ID != "" {
			out = append(out, trace.ID{Type: links[i].Type, Backend: links[i].Backend, Key: links[i].Key, ID: e.ID, ExternalID: e.ExternalID})
		}
	}
	return out, nil
}

// eachReference tells the keys that a record refers to.
func eachReference(m *rules.Mapping, rec trace.Record, tell func(typ, key string)) {
	for _, r := range m.Rules() {
		typ, _ := r.Refers()
		if typ == "" {
			continue
		}
		for _, k := range r.Keys(rec.Fields[r.Field()].V) {
			tell(typ, k)
		}
	}
}

// seed makes a mapping table of a recording's ids, for this run alone.
func (t *trialRun) seed(ctx context.Context, cfg *config.Config, rec *trace.Recording) error {
	if rec == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "postern-*")
	if err != nil {
		return err
	}
	t.scratch, t.table = dir, filepath.Join(dir, "ids.db")
	next := ""
	store, err := identity.Open(ctx, t.table, identity.Options{NewID: func() string { return next }})
	if err != nil {
		return err
	}
	defer store.Close()
	d := identity.Domain{Tenant: cfg.Tenant, Client: rec.Request.Client}
	for _, i := range rec.IDs {
		next = i.ID
		if _, err := store.Create(ctx, d, identity.Link{Type: i.Type, Backend: i.Backend, Key: i.Key}, i.ExternalID); err != nil {
			return err
		}
	}
	return nil
}

// close removes what the run needed for itself.
func (t *trialRun) close() {
	if t.scratch != "" {
		_ = os.RemoveAll(t.scratch)
	}
}
