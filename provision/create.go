package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/schema"
)

// Create stores a new resource (RFC 7644 section 3.3) and answers what the
// backend then holds.
func (s *Service) Create(ctx context.Context, c Call, d *schema.Decoded) (*scim.Resource, error) {
	t := s.target(c)
	ctx = adapters.ForClient(ctx, c.Caller.Client)
	res, err := s.create(ctx, c, t, d)
	if err != nil {
		return nil, s.fail(ctx, t, err)
	}
	return res, nil
}

func (s *Service) create(ctx context.Context, c Call, t *target, d *schema.Decoded) (*scim.Resource, error) {
	if err := c.gate(); err != nil {
		return nil, err
	}
	if t.caps.NoCreate {
		return nil, scim.Errorf(501, "", "This backend lets nobody create a %s.", t.name)
	}
	who := c.cast()
	if err := s.introduce(ctx, c, t, who, d.Resource); err != nil {
		return nil, err
	}
	rec, err := t.Mapping.NewRecord(d.Resource, nulls(d), who.key)
	if err != nil {
		return nil, err
	}
	if err := s.placed(ctx, c, t, d.Resource); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		res, err := s.createOrAdopt(ctx, c, t, d, rec, who)
		switch {
		case !errors.Is(err, errVanished):
			return res, err
		case try == attempts || ctx.Err() != nil:
			return nil, &scim.Error{Status: 503, RetryAfter: busyRetryAfter, Detail: "What is to be created is there and is just being deleted; try again."}
		}
	}
}

// nulls tells which attributes a client sent as null.
func nulls(d *schema.Decoded) func(*scim.Attribute) bool {
	return func(a *scim.Attribute) bool { return slices.Contains(d.Nulls, a) }
}

// createOrAdopt stores the record, unless the create is correlated with one that is there.
func (s *Service) createOrAdopt(ctx context.Context, c Call, t *target, d *schema.Decoded, rec adapters.Record, who *cast) (*scim.Resource, error) {
	release, err := s.values.take(ctx, s.queues(t, d.Resource, nil)...)
	if err != nil {
		return nil, err
	}
	defer release()
	if t.Correlate.given() {
		if e, ok, err := s.correlation(ctx, c, t, d.Resource); err != nil || ok {
			if err != nil {
				return nil, err
			}
			return s.adopt(ctx, c, t, e, d, who)
		}
	}
	if err := s.free(ctx, c.Caller.Tenant, t, d.Resource, nil, ""); err != nil {
		e, ok, failed := s.adoptable(ctx, c, t, d.Resource)
		switch {
		case failed != nil:
			return nil, failed
		case ok:
			return s.adopt(ctx, c, t, e, d, who)
		}
		return nil, err
	}
	kept := t.Mapping.KeptOf(d.Resource, nulls(d))
	if c.trying() {
		c.supposed = keepings(kept)
		return s.pretend(ctx, c, t, rec, who, d.Resource)
	}
	in, err := s.intend(ctx, c, t, d.Resource, kept)
	if err != nil {
		return nil, err
	}
	return s.insert(ctx, c, t, in, rec, who)
}

// insert stores the record and enters it in the mapping table. If that fails, the
// record goes again: what has no id for its creator was not created.
func (s *Service) insert(ctx context.Context, c Call, t *target, in identity.Intent, rec adapters.Record, who *cast) (*scim.Resource, error) {
	p := t.plan(c)
	stored, err := t.Adapter.Create(s.noting(ctx, t, &in), rec, p.Want)
	if left := leftOf(err); left != nil {
		return nil, s.leave(ctx, t, in, left, func(ctx context.Context) error {
			_, err := s.ids.CreateFor(ctx, in, string(left.Key))
			return err
		})
	}
	if err != nil {
		return s.uncreated(ctx, c, t, in, p, who, err)
	}
	in.Follow.Rest = nil
	settle := context.WithoutCancel(ctx) // the backend has it: the rest must not stop halfway
	t.recall.forget(stored.Key)
	if !t.inScope(stored) || !t.Mapping.Managed(stored) {
		s.takeBack(settle, t, in, stored.Key)
		return nil, scim.Bad(scim.InvalidValue, "This %s would be outside what provisioning may manage here.", t.name)
	}
	e, err := s.ids.CreateFor(settle, in, string(stored.Key))
	if errors.Is(err, identity.ErrUnsure) { // it is entered, or else it will be: the intent is there then
		return nil, err
	}
	if err != nil {
		s.takeBack(settle, t, in, stored.Key)
		return nil, err
	}
	s.remember(settle, c, t, []identity.Entry{e}, []adapters.Record{stored})
	return s.answer(ctx, c, t, stored, e, p, who)
}

// takeBack removes a record that was created in vain.
func (s *Service) takeBack(ctx context.Context, t *target, in identity.Intent, key adapters.Key) {
	in.Follow.Rest = nil
	err := t.Adapter.Delete(s.noting(ctx, t, &in), key)
	t.recall.forget(key)
	if left := leftOf(err); left != nil {
		in.Keys = []string{string(key)}
		_ = s.leave(ctx, t, in, left, func(ctx context.Context) error { return s.ids.ForgetFor(ctx, in) })
		return
	}
	defer s.drop(ctx, in)
	if err != nil {
		s.log.ErrorContext(ctx, "a record that was created in vain is still in the backend", "type", t.name, "kind", adapters.KindOf(err).String())
	}
}

// externalID is the value to keep in the mapping table.
func (s *Service) externalID(t *target, r *scim.Resource) string {
	if t.Mapping.MapsExternalID() {
		return ""
	}
	return r.Get(r.Layout().ExternalID).String()
}

// placed reports elements of multi-valued attributes that have no place in the
// backend: an error for clients that want to know, a line in the log otherwise.
func (s *Service) placed(ctx context.Context, c Call, t *target, r *scim.Resource) error {
	lost := t.Mapping.Unplaced(r)
	if len(lost) == 0 {
		return nil
	}
	if c.Caller.Reject {
		return scim.Bad(scim.InvalidValue, "%s has no place in the backend; see the canonical values in /Schemas.", lost[0])
	}
	s.log.WarnContext(ctx, "values left out: no rule stores them", "type", t.name, "attributes", lost)
	return nil
}
