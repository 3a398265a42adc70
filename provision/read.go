package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// Get retrieves one resource (RFC 7644 section 3.4.1).
func (s *Service) Get(ctx context.Context, c Call, id string) (*scim.Resource, error) {
	t := s.target(c)
	e, err := s.resolve(ctx, c, t, id)
	if err != nil {
		return nil, err
	}
	rec, err := s.readRecord(ctx, c, t, e, t.plan(c).Want)
	if err != nil {
		return nil, s.fail(t, err)
	}
	return s.one(ctx, c, t, rec)
}

// one makes the resource of one record.
func (s *Service) one(ctx context.Context, c Call, t *target, rec adapters.Record) (*scim.Resource, error) {
	pg, err := s.build(ctx, c, t, []adapters.Record{rec}, t.plan(c))
	if err != nil {
		return nil, s.fail(t, err)
	}
	return pg.resources[0], nil
}

// resolve finds the identity behind an id of the calling client. What another
// client, another tenant or another resource type has looks like nothing.
func (s *Service) resolve(ctx context.Context, c Call, t *target, id string) (identity.Entry, error) {
	found, err := s.ids.Resolve(ctx, c.Caller.domain(), t.name, []string{id})
	if err != nil {
		return identity.Entry{}, s.fail(t, err)
	}
	e := found[0]
	if e.ID != "" && e.Identity == "" { // ids: existing, and a record that nobody has seen yet
		e.Backend = t.Backend
	}
	if _, ok := e.KeyIn(t.Backend); !ok {
		return identity.Entry{}, notFound(c)
	}
	return e, nil
}

// readRecord reads an identity's record. One that is out of scope is not there.
func (s *Service) readRecord(ctx context.Context, c Call, t *target, e identity.Entry, want adapters.Fields) (adapters.Record, error) {
	key, _ := e.KeyIn(t.Backend)
	rec, err := t.Adapter.Get(ctx, adapters.Key(key), want)
	if err != nil {
		if adapters.Is(err, adapters.NotFound) {
			return rec, notFound(c)
		}
		return rec, err
	}
	if !t.Mapping.InScope(rec) {
		return rec, notFound(c)
	}
	return rec, nil
}
