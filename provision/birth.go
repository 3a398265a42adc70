package provision

import (
	"context"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A backend may give the key of a deleted record to a new one. Where the
// configuration names a field that tells the two apart (`birth`), whatever reads a
// record compares it with what the mapping table keeps; nothing is read for that
// alone, except before somebody is deleted or made a member.

// birth is by what a record is told from others that get its key.
func (t *target) birth(rec adapters.Record) identity.Birth {
	if !t.born || rec.IsZero() {
		return ""
	}
	return identity.BirthOf(t.Mapping.Birth(rec))
}

// isOf reports whether a record is the one that an entry knows, and not another one
// under its key.
func (t *target) isOf(e identity.Entry, rec adapters.Record) bool {
	if !t.born {
		return true
	}
	known := e.Birth
	if string(rec.Key) != e.Key || e.Backend != t.Backend {
		known = ""
		for _, o := range e.Others {
			if o.Backend == t.Backend && o.Key == string(rec.Key) {
				known = o.Birth
			}
		}
	}
	return !t.birth(rec).Differs(known)
}

// remember keeps the births of records of which none was known. Should the table
// be busy, the next one to read them will.
func (s *Service) remember(ctx context.Context, c Call, t *target, entries []identity.Entry, recs []adapters.Record) {
	if !t.born {
		return
	}
	var news []identity.Born
	for i, rec := range recs {
		e := entries[i]
		known := e.Birth
		if e.Backend != t.Backend || e.Key != string(rec.Key) {
			known = e.BirthIn(t.Backend)
		}
		if b := t.birth(rec); e.Identity != "" && b.News(known) {
			news = append(news, identity.Born{Link: t.link(rec.Key), Birth: b})
		}
	}
	if err := s.ids.Mark(context.WithoutCancel(ctx), c.Caller.Tenant, news...); err != nil {
		s.log.WarnContext(ctx, "the mapping table did not take by what records are told apart", "type", t.name, "error", err)
	}
}

// replaced retires the ids of those records of a page in whose place there are
// others now, and gives these their own. It reports whether there were any.
func (s *Service) replaced(ctx context.Context, c Call, t *target, r *roll, recs []adapters.Record) (bool, error) {
	var links []identity.Link
	var at []int
	for i := r.known; t.born && i < r.own; i++ {
		e := r.entries[i]
		if e.Identity == "" || t.isOf(e, recs[i]) {
			continue
		}
		really, err := s.supplanted(ctx, t, e, recs[i].Key)
		if err != nil {
			return false, err
		}
		if !really {
			continue
		}
		if err := s.supplant(ctx, c, t, e, recs[i].Key); err != nil {
			return false, err
		}
		links, at = append(links, t.link(recs[i].Key)), append(at, i)
	}
	if len(links) == 0 {
		return false, nil
	}
	made, err := s.ids.Ensure(ctx, c.Caller.domain(), links)
	for j, e := range made {
		r.entries[at[j]] = e
	}
	return true, err
}

// supplanted asks the backend itself, for what was read may be from a cache.
func (s *Service) supplanted(ctx context.Context, t *target, e identity.Entry, key adapters.Key) (bool, error) {
	rec, err := t.all().Get(adapters.WithoutCache(ctx), key, t.scope.Want)
	if err != nil {
		return false, ignore(adapters.NotFound, err)
	}
	return !t.isOf(e, rec), nil
}

// supplant retires the ids of a record in whose place there is another one.
func (s *Service) supplant(ctx context.Context, c Call, t *target, e identity.Entry, key adapters.Key) error {
	t.recall.forget(key)
	if !t.losses.allow(time.Now()) {
		s.log.ErrorContext(ctx, "more records were replaced by others with their keys than is plausible, and their ids are kept: does the field that birth names stay what it is?",
			"type", t.name, "backend", t.Backend)
		return &scim.Error{Status: 503, RetryAfter: defaultRetryAfter,
			Detail: "Too many records of the backend are others than before; its administrator must look at it."}
	}
	if err := s.ids.ForgetOf(context.WithoutCancel(ctx), c.Caller.Tenant, e.Identity, t.link(key)); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "a record was replaced by another one with its key, and its id is retired", "type", t.name, "backend", t.Backend, "identity", e.Identity)
	return nil
}

// another reports whether a record that was read is another one than the mapping
// table knows by its key.
func (s *Service) another(ctx context.Context, tenant string, t *target, rec adapters.Record) (bool, error) {
	if !t.born {
		return false, nil
	}
	found, err := s.ids.Find(ctx, identity.Domain{Tenant: tenant}, []identity.Link{t.link(rec.Key)})
	return err == nil && found[0].Identity != "" && !t.isOf(found[0], rec), err
}

// supplantedNow is another, of what the backend has now.
func (n *Identities) supplantedNow(ctx context.Context, t *target, key adapters.Key) (bool, error) {
	if !t.born {
		return false, nil
	}
	rec, err := t.all().Get(adapters.WithoutCache(ctx), key, t.scope.Want)
	if err != nil {
		return false, ignore(adapters.NotFound, err)
	}
	return n.another(ctx, n.tenant, t, rec)
}
