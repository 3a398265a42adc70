package provision

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A Secondary is what a request gets on an id that a merge made superfluous. A
// DELETE acknowledges the merge in any case.
type Secondary uint8

// The policies.
const (
	Follow   Secondary = iota // it acts on the merged resource, under the id that stays
	Redirect                  // 308 to the id that stays
	Gone                      // 404
)

// admits carries the client's policy out: nil if the request may go on.
func (c Call) admits(t *target, e identity.Entry) error {
	switch {
	case e.Primary || c.Caller.Secondary == Follow:
		return nil
	case c.Caller.Secondary == Gone:
		return notFound(t)
	}
	err := scim.Errorf(308, "", "This %s was merged with another one; use the URL in the Location header from now on.", t.name)
	err.Location = c.Base + c.Type.Endpoint + "/" + url.PathEscape(e.ID)
	return err
}

// as lets work see a resource under the id by which the client knows it, which it
// may repeat in what it sends, and not change.
func (c Call) as(id string, work func(*scim.Resource) (*scim.Resource, error)) func(*scim.Resource) (*scim.Resource, error) {
	return func(before *scim.Resource) (*scim.Resource, error) {
		sent := identity.Entry{ID: before.ID()}
		if sent.ID == id {
			return work(before)
		}
		known := before.Clone()
		name := func(r *scim.Resource, id string) {
			l := r.Layout()
			r.Set(l.ID, scim.Str(id))
			r.Set(l.Meta.Find("location"), scim.Str(c.Base+c.Type.Endpoint+"/"+url.PathEscape(id)))
		}
		name(known, id)
		after, err := work(known)
		if err == nil {
			name(after, sent.ID)
		}
		return after, err
	}
}

// disables reports whether the change sets the resource inactive.
func (u *update) disables() bool {
	active := u.t.active()
	if active == nil {
		return false
	}
	was, is := u.before.Get(active), u.after.Get(active)
	return is.Present() && !is.Bool() && !was.Equal(is)
}

// disableFurther sets the further records of a merged identity inactive, before
// the one that is read and written.
func (u *update) disableFurther(ctx context.Context) error {
	keys := u.t.keys(u.e)
	if len(keys) < 2 || !u.disables() {
		return nil
	}
	for _, k := range keys[1:] {
		err := u.deactivate(ctx, u.c.Caller.Tenant, u.t, k)
		if err = ignore(adapters.NotFound, err); err != nil {
			return err
		}
	}
	return nil
}

// lost is called when the backend has no record for an entry. If it really has
// none, the record was deleted behind our back: it is forgotten, so that its id
// does not come to stand for another record if the backend uses the key again.
// A backend that does not answer, or whose credential has expired, may look
// empty: then nothing is forgotten, and the client is not told 404. again says
// that the identity has another record, or has it under another key by now.
func (s *Service) lost(ctx context.Context, c Call, t *target, id string, e identity.Entry) (again bool, err error) {
	if e.Identity == "" { // a client whose ids are keys, and a key that nobody has
		return false, nil
	}
	key := t.key(e)
	is, again, err := s.present(ctx, t, e, key)
	if is == there || err != nil {
		return again, err
	}
	t.recall.forget(key)
	if is == supplanted {
		err := s.supplant(ctx, c, t, e, key)
		if err != nil {
			return false, err
		}
		now, err := s.resolve(ctx, c, t, id)
		return err == nil && t.key(now) != key, nil
	}
	if !t.losses.allow(time.Now()) {
		s.log.ErrorContext(ctx, "more records are gone than is plausible, and their ids are kept: may the gateway still see them all?",
			"type", t.name, "backend", t.Backend)
		return false, nil
	}
	if err := s.ids.ForgetOf(context.WithoutCancel(ctx), c.Caller.Tenant, e.Identity, t.link(key)); err != nil {
		return false, err
	}
	s.log.WarnContext(ctx, "a record is gone from its backend, and its id is retired", "type", t.name, "backend", t.Backend, "identity", e.Identity)
	now, err := s.resolve(ctx, c, t, id)
	return err == nil && t.key(now) != key, nil
}

// losses bounds how many ids are retired because their records are gone. A
// backend that hides what a credential may not see any more looks just like one
// from which it was deleted.
type losses struct {
	mu    sync.Mutex
	begun time.Time
	n     int
}

const (
	mostLosses = 100 // in lossTime
	lossTime   = time.Hour
)

func (l *losses) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.begun) >= lossTime {
		l.begun, l.n = now, 0
	}
	l.n++
	return l.n <= mostLosses
}

// A presence is what a backend has under a key.
type presence uint8

const (
	nowhere    presence = iota // nothing
	there                      // the record
	supplanted                 // another record
)

// present reports what a backend that answers has under the key of an entry after
// all, and whether that is in scope. A record out of scope may come back.
func (s *Service) present(ctx context.Context, t *target, e identity.Entry, key adapters.Key) (is presence, shown bool, err error) {
	ctx = adapters.WithoutCache(ctx)
	if err := t.Adapter.Probe(ctx); err != nil {
		return nowhere, false, err
	}
	rec, err := t.all().Get(ctx, key, t.scope.Want)
	switch {
	case adapters.Is(err, adapters.NotFound):
		return nowhere, false, nil
	case err != nil:
		return nowhere, false, err
	case !t.isOf(e, rec):
		return supplanted, false, nil
	}
	return there, t.inScope(rec), nil
}

// all is an adapter that shows records out of scope too.
func (t *target) all() adapters.Adapter {
	if t.All != nil {
		return t.All
	}
	return t.Adapter
}
