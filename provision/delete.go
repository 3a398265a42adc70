package provision

import (
	"cmp"
	"context"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// Delete removes a resource (RFC 7644 section 3.6). Its id is never used again.
func (s *Service) Delete(ctx context.Context, c Call, id string) error {
	t := s.target(c)
	return s.fail(ctx, t, s.remove(ctx, c, t, id))
}

func (s *Service) remove(ctx context.Context, c Call, t *target, id string) error {
	if err := c.gate(); err != nil {
		return err
	}
	ctx = adapters.ForClient(ctx, c.Caller.Client)
	if made, ok := c.Pretence.find(t.name, id); ok {
		return s.removePretended(ctx, c, t, made)
	}
	e, release, err := s.claimSettled(ctx, c, t, id)
	if err == nil {
		defer release()
	}
	switch {
	case t.caps.NoDelete && (err != nil || e.Primary):
		return scim.Errorf(501, "", "This backend lets nobody delete a %s.", t.name)
	case err != nil:
		return err
	}
	if err := s.permitDelete(ctx, c, t, e); err != nil {
		return err
	}
	if c.trying() {
		s.tried(ctx, c, t, "delete", e.Identity)
		return nil
	}
	if !e.Primary { // the client lets go of an id that a merge made superfluous; the record stays
		err := s.ids.Acknowledge(ctx, c.Caller.domain(), t.name, id)
		if errors.Is(err, identity.ErrUnknown) {
			return notFound(t)
		}
		return err
	}
	if err := s.spare(ctx, c); err != nil {
		return err
	}
	if err := s.settleParts(ctx, c, t, e); err != nil {
		return err
	}
	return s.destroy(ctx, c, t, e)
}

// destroy deletes an entry's records from the backend, and lets the table follow.
func (s *Service) destroy(ctx context.Context, c Call, t *target, e identity.Entry) error {
	in, err := s.intendDelete(ctx, c, t, e)
	if err != nil {
		return err
	}
	keys, left, err := s.erase(ctx, t, e, &in)
	t.gone.Add(1)
	switch {
	case err != nil && left != nil: // of one record something is left, and another one is there
		err = &adapters.Error{Kind: adapters.KindOf(err), Op: "delete", Err: err, Unsure: true}
		fallthrough
	case err != nil:
		return s.unfinished(ctx, in, err)
	case left != nil:
		return s.leave(ctx, t, in, left, func(ctx context.Context) error { return s.ids.ForgetFor(ctx, in) })
	}
	in.Follow.Rest = nil
	if len(keys) == 0 { // an expired credential may look like an empty backend
		is, _, err := s.present(ctx, t, e, t.key(e))
		if is == there || err != nil {
			s.drop(context.WithoutCancel(ctx), in)
			return cmp.Or(err, error(notFound(t)))
		}
	}
	if err := s.ids.ForgetFor(context.WithoutCancel(ctx), in); err != nil {
		return err
	}
	if len(keys) == 0 {
		return notFound(t) // gone already, without our doing
	}
	return nil
}

// permitDelete carries the call's condition out. Between this and the deletion
// nobody else changes the record through Postern; the backend's own users may. Of a
// client that only tries it makes sure that there is something to delete.
func (s *Service) permitDelete(ctx context.Context, c Call, t *target, e identity.Entry) error {
	if !c.If.Given() && !c.trying() {
		return nil
	}
	rec, err := s.read(adapters.WithoutCache(ctx), t, e, t.standard.Want)
	if err != nil {
		return gone(t, err)
	}
	if err := t.manages(rec); err != nil || !c.If.Given() {
		return err
	}
	res, err := s.answer(ctx, c, t, rec, e, t.standard, nil)
	if err != nil {
		return err
	}
	return c.If.permit(t, versionOf(res))
}

// erase deletes all records of an entry from the backend, the one that is read
// and written last, and answers which ones were there. Further records that are
// out of scope are left alone. left says that of one that is gone something is left.
func (s *Service) erase(ctx context.Context, t *target, e identity.Entry, in *identity.Intent) (done []adapters.Key, left *adapters.Error, err error) {
	keys := t.keys(e)
	if t.watched() {
		shown, err := s.shownOf(ctx, t, e, keys)
		if err != nil {
			return nil, nil, err
		}
		keys = shown
	}
	ctx = s.noting(ctx, t, in)
	for i := len(keys) - 1; i >= 0; i-- {
		err := t.Adapter.Delete(ctx, keys[i])
		t.recall.forget(keys[i])
		switch {
		case adapters.Is(err, adapters.NotFound):
		case leftOf(err) != nil:
			left = leftOf(err)
			done = append(done, keys[i])
		case err != nil:
			return nil, left, err
		default:
			done = append(done, keys[i])
		}
	}
	return done, left, nil
}

// shownOf leaves out records that are not there, not in scope, or others by now. If the first is
// out of scope, so is the resource.
func (s *Service) shownOf(ctx context.Context, t *target, e identity.Entry, keys []adapters.Key) ([]adapters.Key, error) {
	ctx = adapters.WithoutCache(ctx)
	var out []adapters.Key
	rec, err := s.read(ctx, t, e, t.scope.Want)
	switch {
	case err == nil:
		if err := t.manages(rec); err != nil {
			return nil, err
		}
		out = append(out, keys[0])
	case !adapters.Is(err, adapters.NotFound):
		return nil, err
	}
	if len(keys) == 1 {
		return out, nil
	}
	shown, err := t.fetch(ctx, keys[1:], t.scope.Want)
	for _, k := range keys[1:] {
		if rec, ok := shown[k]; ok && t.isOf(e, rec) && t.Mapping.Managed(rec) {
			out = append(out, k)
		}
	}
	return out, err
}
