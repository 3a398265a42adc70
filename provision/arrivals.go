package provision

import (
	"context"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// What is to be done about moves that are under way, or were left behind.

// settleMove carries a move on: it has not begun, and then it never will, or the
// record is in its new place, and the table follows.
func (s *Service) settleMove(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	leave, _, err := s.turn(ctx, Call{Caller: Caller{Tenant: in.Domain.Tenant}}, t, identity.Entry{Identity: in.Identity})
	if err != nil {
		return "", err
	}
	defer leave()
	defer s.changes.Add(1)
	t.moves.Add(1)
	if in.Follow.At == "" {
		key, note, err := s.arrived(ctx, t, in)
		if key == "" || err != nil {
			return note, err
		}
		t.recall.forget(adapters.Key(in.Keys[0]), key)
		if in, _, err = s.ids.Relocate(ctx, in, string(key)); err != nil {
			if errors.Is(err, identity.ErrUnknown) { // the resource was deleted: its new record is nobody's
				s.takeBack(ctx, t, in, key)
				return "", nil
			}
			return "", err
		}
		s.log.InfoContext(ctx, "a move that was left behind is entered", "type", t.name, "backend", t.Backend, "entry", in.Nr)
	}
	if err := s.left(ctx, t, in); err != nil {
		return "", err
	}
	return "", s.ids.Drop(ctx, in.Nr)
}

// arrived finds a move's record in its new place. Without a key, and without a note,
// the move has not begun, and its intent is no more.
func (s *Service) arrived(ctx context.Context, t *target, in identity.Intent) (key adapters.Key, note string, err error) {
	if len(in.Keys) > 1 {
		return s.changedBack(ctx, t, in)
	}
	all, err := s.strangers(ctx, t, in)
	var found []adapters.Record
	for _, rec := range all {
		if t.Mapping.IsIn(rec) == *in.Follow.Into {
			found = append(found, rec)
		}
	}
	switch {
	case err != nil:
		return "", "", err
	case len(found) == 0:
		note, err = s.unmade(ctx, in)
		return "", note, err
	case len(found) > 1:
		return "", "", &poisonError{"several new records could be the one"}
	}
	return found[0].Key, "", nil
}

// changedBack asks whether the record that was in the place already has been changed.
func (s *Service) changedBack(ctx context.Context, t *target, in identity.Intent) (key adapters.Key, note string, err error) {
	key = adapters.Key(in.Keys[1])
	rec, err := t.all().Get(adapters.WithoutCache(ctx), key, adapters.AllFields)
	if adapters.Is(err, adapters.NotFound) {
		return "", "", s.ids.Drop(ctx, in.Nr)
	}
	if err != nil {
		return "", "", err
	}
	if f := in.Follow; f.Before != "" && digest(saltOf(f.Before), rec, f.Fields) == f.Before {
		note, err = s.unmade(ctx, in)
		return "", note, err
	}
	return key, "", nil
}

// claimSettled is claim, after moves of the same record that were left behind.
func (s *Service) claimSettled(ctx context.Context, c Call, t *target, id string) (e identity.Entry, release func(), err error) {
	if !t.Mapping.HasPlaces() {
		return s.claim(ctx, c, t, id)
	}
	for try := 1; ; try++ {
		if e, release, err = s.claim(ctx, c, t, id); err != nil {
			return e, nil, err
		}
		in, open, err := s.moveOf(ctx, c, t, e)
		if err == nil && !open {
			return e, release, nil
		}
		release()
		if err != nil {
			return e, nil, err
		}
		pending := &scim.Error{Status: 503, RetryAfter: busyRetryAfter,
			Detail: "It is not known yet what became of an earlier change of this " + t.name + "; try again."}
		if !s.ids.Orphaned(in) {
			if err := s.pause(ctx, try, pending); err != nil {
				return e, nil, err
			}
			continue
		}
		settled, err := s.resume(ctx, in)
		switch {
		case err != nil:
			return e, nil, err
		case !settled || try >= patience:
			pending.RetryAfter = defaultRetryAfter
			return e, nil, pending
		}
	}
}

// moveOf finds a move of an identity's record whose outcome is not known. One that
// has only left something behind stands in nobody's way.
func (s *Service) moveOf(ctx context.Context, c Call, t *target, e identity.Entry) (in identity.Intent, open bool, err error) {
	all, err := s.ids.Intents(ctx, c.Caller.Tenant)
	for _, in := range all {
		if in.Follow.Into != nil && in.Follow.At == "" && in.Type == t.name && in.Identity == e.Identity && in.State != identity.IntentStuck {
			return in, true, err
		}
	}
	return in, false, err
}

// fleeting tells which records of a roll that nobody knows get no ids: those that a move
// is about to enter, and those that are gone.
func (s *Service) fleeting(ctx context.Context, c Call, t *target, r *roll, recs []adapters.Record, resources []*scim.Resource) (func(i int) bool, error) {
	vanished, err := s.vanished(ctx, c, t, r)
	if err != nil || !t.Mapping.HasPlaces() {
		return vanished, err
	}
	arriving, err := s.arriving(ctx, c.Caller.Tenant, t, recs, resources)
	return func(i int) bool { return vanished(i) || arriving(i) }, err
}

// vanished tells which records nobody knows because they were deleted, and forgotten,
// since they were read: they would be given new ids. If none was deleted meanwhile,
// none of them can be such a one, and nobody need ask.
func (s *Service) vanished(ctx context.Context, c Call, t *target, r *roll) (func(i int) bool, error) {
	if c.begun == 0 || t.gone.Load()+1 == c.begun {
		return func(int) bool { return false }, nil
	}
	var keys []adapters.Key
	for i := r.known; i < r.own; i++ {
		if r.entries[i].Identity == "" {
			keys = append(keys, adapters.Key(r.links[i].Key))
		}
	}
	is, err := t.present(adapters.WithoutCache(ctx), keys)
	return func(i int) bool { return !is[adapters.Key(r.links[i].Key)] }, err
}

// arriving tells which records, by position, may be those that a move is about to
// enter: they get no ids of their own. It is asked after the records were read, so
// that a move of which it knows nothing has ended.
func (s *Service) arriving(ctx context.Context, tenant string, t *target, recs []adapters.Record, resources []*scim.Resource) (func(i int) bool, error) {
	all, err := s.ids.Intents(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var moves []identity.Intent
	for _, in := range all {
		if in.Follow.Into != nil && in.Follow.At == "" && in.Type == t.name && in.Backend == t.Backend && in.State != identity.IntentStuck {
			moves = append(moves, in)
		}
	}
	a, err := t.telling("")
	if err != nil {
		return func(int) bool { return false }, nil
	}
	return func(i int) bool {
		for _, in := range moves {
			v := resources[i].Get(a)
			value := v.String()
			if !a.CaseExact {
				value = scim.Fold(value)
			}
			if t.Mapping.IsIn(recs[i]) == *in.Follow.Into && (!v.Present() || value == in.Value) {
				return true
			}
		}
		return false
	}, nil
}
