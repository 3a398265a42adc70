package provision

import (
	"cmp"
	"context"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
)

// resolve finds the identity behind an id of the calling client. What another
// client, another tenant or another resource type has looks like nothing.
func (s *Service) resolve(ctx context.Context, c Call, t *target, id string) (identity.Entry, error) {
	found, err := s.ids.Resolve(ctx, c.Caller.domain(), t.name, []string{id})
	if err != nil {
		return identity.Entry{}, err
	}
	e := found[0]
	if e.ID != "" && e.Identity == "" { // ids: existing, and a record that this client has not met
		e.Backend = t.Backend
	}
	if _, ok := e.KeyIn(t.Backend); !ok {
		return identity.Entry{}, notFound(t)
	}
	return e, nil
}

// key is where to read and write an identity's record.
func (t *target) key(e identity.Entry) adapters.Key {
	key, _ := e.KeyIn(t.Backend)
	return adapters.Key(key)
}

// queue is where those stand who change the entry's record.
func (s *Service) queue(t *target, e identity.Entry) int {
	if e.Identity == "" {
		return s.records.queue(t.name, e.Key)
	}
	return s.records.queue(e.Identity)
}

// claim resolves an id for somebody who will change its record: until release is
// called, nobody else in this process does, nor in another one where the backend
// would not notice.
func (s *Service) claim(ctx context.Context, c Call, t *target, id string) (e identity.Entry, release func(), err error) {
	for {
		before := s.changes.Load()
		if e, err = s.resolve(ctx, c, t, id); err != nil {
			return e, nil, err
		}
		leave, far, err := s.turn(ctx, c, t, e)
		if err != nil {
			return e, nil, err
		}
		if s.changes.Load() == before && !far {
			return e, func() { s.changes.Add(1); leave() }, nil
		}
		// Somebody finished a change meanwhile, perhaps of this record's key.
		now, err := s.resolve(ctx, c, t, id)
		if err == nil && s.queue(t, now) == s.queue(t, e) {
			return now, func() { s.changes.Add(1); leave() }, nil
		}
		leave()
		if err != nil {
			return now, nil, err
		}
	}
}

// turn waits until it is one's turn to change the record of an entry: in this
// process, and in all of them if that is far.
func (s *Service) turn(ctx context.Context, c Call, t *target, e identity.Entry) (leave func(), far bool, err error) {
	near, err := s.records.take(ctx, s.queue(t, e))
	if err != nil || !t.Alone || !s.ids.Shared() {
		return near, false, err
	}
	name := "record " + e.Identity
	if e.Identity == "" {
		name = "record " + c.Caller.Tenant + " " + t.name + " " + e.Key
	}
	others, err := s.ids.Turn(ctx, name)
	if err != nil {
		near()
		return nil, false, err
	}
	return func() { others(); near() }, true, nil
}

// at calls f with the entry of an id. If the record is not where the entry says,
// it may just be getting another key: then f is called again after that.
func (s *Service) at(ctx context.Context, c Call, t *target, id string, f func(identity.Entry) error) error {
	e, err := s.resolve(ctx, c, t, id)
	if err != nil {
		return err
	}
	if err := c.admits(t, e); err != nil {
		return err
	}
	if err = f(e); !adapters.Is(err, adapters.NotFound) {
		return err
	}
	now, release, err := s.claim(ctx, c, t, id)
	if err != nil {
		return err
	}
	defer release()
	if t.key(now) == t.key(e) {
		again, err := s.lost(ctx, c, t, id, now)
		if err != nil || !again {
			return gone(t, cmp.Or(err, error(notFound(t))))
		}
		if now, err = s.resolve(ctx, c, t, id); err != nil {
			return err
		}
	}
	return gone(t, f(now))
}

// gone makes 404 of a record that its backend does not have.
func gone(t *target, err error) error {
	if adapters.Is(err, adapters.NotFound) {
		return notFound(t)
	}
	return err
}

// read reads an identity's record. One that is out of scope is not there, and
// neither is one in whose place there is another.
func (s *Service) read(ctx context.Context, t *target, e identity.Entry, want adapters.Fields) (adapters.Record, error) {
	rec, err := t.Adapter.Get(ctx, t.key(e), want)
	if err == nil && !t.isOf(e, rec) { // perhaps it was from a cache
		if rec, err = t.Adapter.Get(adapters.WithoutCache(ctx), t.key(e), want); err == nil && !t.isOf(e, rec) {
			rec, err = adapters.Record{}, adapters.Errorf(adapters.NotFound, "get", "there is another record with this key")
		}
	}
	switch {
	case adapters.Is(err, adapters.NotFound):
		t.recall.forget(t.key(e))
	case err == nil && !t.inScope(rec):
		t.recall.forget(t.key(e))
		err = notFound(t)
	}
	return rec, err
}
