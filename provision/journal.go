package provision

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
	"github.com/postern/postern/scim/filter"
	"github.com/postern/postern/scim/schema"
)

// There is no transaction over a backend and the mapping table. A write that
// touches both writes its intent down first (identity.Intent). One that is left
// behind, because the process died or the backend gave no answer, is carried on
// forward: the backend is asked what became of it, and the table follows.

// settleTime is how long a backend that gave no answer may still carry out what it
// was sent: until then it is not said that nothing happened.
const settleTime = 30 * time.Second

// mostTries is after how many failures somebody has to look at an intent.
const mostTries = 8

// askTime bounds the look at what became of a write that had no answer.
const askTime = 5 * time.Second

// intend writes down that a resource is about to be created.
func (s *Service) intend(ctx context.Context, c Call, t *target, r *scim.Resource, kept []rules.KeptChange) (identity.Intent, error) {
	in := identity.Intent{Domain: c.Caller.domain(), Type: t.name, Backend: t.Backend, Kind: identity.IntentCreate, ExternalID: s.externalID(t, r),
		Follow: identity.Follow{Keep: keepings(kept)}}
	if a, err := t.telling(""); err == nil {
		in.Attribute, in.Value, in.Sole = a.Path(), r.Get(a).String(), slices.Contains(t.unique, a)
		if !a.CaseExact {
			in.Value = scim.Fold(in.Value)
		}
	}
	return s.begin(ctx, t, in, "", func() error { return s.free(ctx, in.Domain.Tenant, t, r, nil, "") })
}

// begin writes an intent down that gives a record a value, of the record with the
// key or of a new one. Nobody else may be giving it to another. Where other
// processes are at work, one may have done so since it was found to be free.
func (s *Service) begin(ctx context.Context, t *target, in identity.Intent, key adapters.Key, free func() error) (identity.Intent, error) {
	for try := 1; ; try++ {
		begun, err := s.ids.Begin(ctx, in)
		if err == nil && begun.Sole && (begun.Shared || try > 1) {
			if err = free(); err != nil {
				s.drop(context.WithoutCancel(ctx), begun)
			}
			return begun, err
		}
		if !errors.Is(err, identity.ErrPending) {
			return begun, err
		}
		if in.Sole, err = s.await(ctx, t, in, key, try); err != nil {
			return in, err
		}
	}
}

// patience is how often and how long one looks whether another process has done
// what it has begun.
const (
	patience      = 30
	patiencePause = 30 * time.Millisecond
)

// await deals with an earlier intent to give the same value: it is carried on, if
// that is possible now. If it was a success, the value is taken. sole is false if
// the earlier intent is of the same record, and in nobody's way.
func (s *Service) await(ctx context.Context, t *target, in identity.Intent, key adapters.Key, try int) (sole bool, err error) {
	pending := &scim.Error{Status: 503, RetryAfter: busyRetryAfter,
		Detail: "The same " + t.name + " is being created already, and it is not known yet what became of it; try again."}
	all, err := s.ids.Intents(ctx, in.Domain.Tenant)
	if err != nil {
		return true, err
	}
	for _, other := range all {
		if other.Kind == identity.IntentDelete || other.State == identity.IntentStuck || other.Type != in.Type || other.Backend != in.Backend ||
			other.Attribute != in.Attribute || other.Value != in.Value {
			continue
		}
		if in.Identity != "" && other.Identity == in.Identity {
			return false, nil
		}
		if !s.ids.Orphaned(other) {
			return true, s.pause(ctx, try, pending)
		}
		switch settled, err := s.resume(ctx, other); {
		case err != nil:
			return true, err
		case !settled || try >= patience:
			pending.RetryAfter = defaultRetryAfter
			return true, pending
		}
		if held, err := s.heldBy(ctx, t, in, key); err != nil || held {
			return true, errors.Join(err, taken(t, in.Attribute, nil))
		}
	}
	return true, nil
}

// pause waits a moment for another process.
func (s *Service) pause(ctx context.Context, try int, pending error) error {
	if try >= patience {
		return pending
	}
	select {
	case <-time.After(patiencePause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heldBy reports whether a record other than the one with the key has an intent's
// value.
func (s *Service) heldBy(ctx context.Context, t *target, in identity.Intent, key adapters.Key) (bool, error) {
	l := t.Mapping.Type.Layout
	e, err := schema.Bind(l, &filter.Compare{Name: in.Attribute, Op: filter.Eq, Value: filter.StringValue(in.Value)}, schema.BindOptions{})
	if err != nil {
		return false, err
	}
	return s.held(ctx, in.Domain.Tenant, t, l.Resolve(in.Attribute), e, key)
}

// uncreated decides what a create has come to that failed. Where the backend may
// have done it all the same, it is asked; if it cannot tell yet, the intent stays.
func (s *Service) uncreated(ctx context.Context, c Call, t *target, in identity.Intent, p *rules.Plan, who *cast, cause error) (*scim.Resource, error) {
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	if !unsure(cause) {
		s.drop(settle, in)
		return nil, cause
	}
	found, err := s.correlated(settle, t, in, p.Want)
	if err != nil || len(found) != 1 || !t.inScope(found[0]) {
		return nil, s.unfinished(ctx, in, cause)
	}
	e, ok, err := s.ids.CreateFound(settle, in, string(found[0].Key))
	if err != nil || !ok {
		return nil, errors.Join(err, cause)
	}
	t.recall.forget(found[0].Key)
	if len(in.Follow.Rest) > 0 {
		if found[0], err = s.finishCreate(settle, t, leftAt(in, e.Identity, found[0].Key), p.Want, cause); err != nil {
			return nil, err
		}
	}
	s.log.InfoContext(ctx, "the backend gave no answer to a create, but made it", "type", t.name, "backend", t.Backend, "identity", e.Identity)
	return s.answer(settle, c, t, found[0], e, p, who)
}

// unsure reports whether a write that failed may have been done.
func unsure(err error) bool {
	var ae *adapters.Error
	return errors.As(err, &ae) && ae.Unsure
}

// unfinished ends an intent that failed, or leaves it to be carried on if the
// backend may have done it.
func (s *Service) unfinished(ctx context.Context, in identity.Intent, cause error) error {
	ctx = context.WithoutCancel(ctx)
	if !unsure(cause) {
		s.drop(ctx, in)
	} else if err := s.ids.Put(ctx, in.Nr, identity.IntentWaiting, "the backend gave no answer"); err != nil {
		s.log.ErrorContext(ctx, "the mapping table", "error", err)
	}
	return cause
}

func (s *Service) drop(ctx context.Context, in identity.Intent) {
	if err := s.ids.Drop(ctx, in.Nr); err != nil { // then it is carried on later, with nothing left to do
		s.log.ErrorContext(ctx, "the mapping table", "error", err)
	}
}

// intendDelete writes down that all records of an entry are about to be deleted.
func (s *Service) intendDelete(ctx context.Context, c Call, t *target, e identity.Entry) (identity.Intent, error) {
	in := identity.Intent{Domain: c.Caller.domain(), Type: t.name, Backend: t.Backend, Kind: identity.IntentDelete, Identity: e.Identity}
	for _, k := range t.keys(e) {
		in.Keys = append(in.Keys, string(k))
	}
	return s.ids.Begin(ctx, in)
}

// correlated finds the records that have the value by which an intent's record is
// found again, in scope or not: three at most.
func (s *Service) correlated(ctx context.Context, t *target, in identity.Intent, want adapters.Fields) ([]adapters.Record, error) {
	l := t.Mapping.Type.Layout
	a := l.Resolve(in.Attribute)
	if a == nil || in.Value == "" {
		return nil, nil
	}
	e, err := schema.Bind(l, &filter.Compare{Name: in.Attribute, Op: filter.Eq, Value: filter.StringValue(in.Value)}, schema.BindOptions{})
	if err != nil {
		return nil, err
	}
	return s.satisfying(adapters.WithoutCache(ctx), in.Domain.Tenant, t, t.all(), e, func(other *scim.Attribute) bool { return other == a }, want)
}

// satisfying finds the records that satisfy an expression over some attributes, in
// scope or not, a hundred at most. Where the backend cannot tell, all are read.
func (s *Service) satisfying(ctx context.Context, tenant string, t *target, from adapters.Adapter, e filter.Expr, over func(*scim.Attribute) bool, want adapters.Fields) ([]adapters.Record, error) {
	kept, err := s.keptLookup(ctx, tenant, t, e)
	if err != nil {
		return nil, err
	}
	if pushed, rest := t.Mapping.Push(e, rules.Lookup{Kept: kept}); rest == nil && pushed != nil {
		pg, err := from.List(ctx, adapters.Query{Filter: pushed, Limit: 100, Want: want})
		return pg.Records, err
	}
	x := &scan{Service: s, t: t, plan: t.Mapping.Plan(over), everyone: true, hidden: veil{merged: &mergedSet{}}}
	x.c.Caller.Tenant, x.d.rest = tenant, e
	if err := x.walk(ctx); err != nil {
		return nil, err
	}
	var out []adapters.Record
	for _, f := range x.found {
		rec, err := t.Adapter.Get(ctx, f.record.Key, want)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
