package provision

import (
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// Get retrieves one resource (RFC 7644 section 3.4.1).
func (s *Service) Get(ctx context.Context, c Call, id string) (*scim.Resource, error) {
	t := s.target(c)
	p := t.plan(c)
	var res *scim.Resource
	err := s.at(ctx, c, t, id, func(e identity.Entry) error {
		rec, err := s.read(ctx, t, e, p.Want)
		if err != nil {
			return err
		}
		res, err = s.answer(ctx, c, t, rec, e, p, nil)
		return err
	})
	if err != nil {
		return nil, s.fail(ctx, t, err)
	}
	return res, nil
}

// one makes the resource of the record of an entry.
func (s *Service) one(ctx context.Context, c Call, t *target, rec adapters.Record, e identity.Entry, p *rules.Plan, who *cast) (*scim.Resource, error) {
	pg, err := s.build(ctx, c, t, []adapters.Record{rec}, p, &e, who)
	if err != nil {
		return nil, err
	}
	return pg.resources[0], nil
}

// answer is one, with its version.
func (s *Service) answer(ctx context.Context, c Call, t *target, rec adapters.Record, e identity.Entry, p *rules.Plan, who *cast) (*scim.Resource, error) {
	res, err := s.one(ctx, c, t, rec, e, p, who)
	if err == nil {
		t.stamp(p, res)
	}
	return res, err
}
