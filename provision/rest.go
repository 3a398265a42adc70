package provision

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A resource's record may have parts in several backends, over which there is no
// transaction. Their adapter notes what it is about to do before it does the first of
// it, and the note goes into the intent of the write. What is left undone is carried on
// when the table has followed.

// noting is ctx for a write whose intent keeps what the adapter notes. If there is no
// intent yet, it begins with the first note.
func (s *Service) noting(ctx context.Context, t *target, in *identity.Intent) context.Context {
	if t.caps.Finish == nil {
		return ctx
	}
	return adapters.WithJournal(ctx, &noter{s, in})
}

type noter struct {
	s  *Service
	in *identity.Intent
}

// Note implements adapters.Journal.
func (n *noter) Note(ctx context.Context, key adapters.Key, r adapters.Rest) (err error) {
	rest := maps.Clone(n.in.Follow.Rest)
	if rest == nil {
		rest = map[string]identity.Rest{}
	}
	rest[string(key)] = identity.Rest(r)
	n.in.Follow.Rest = rest
	if n.in.Nr == 0 {
		n.in.Sole = false
		*n.in, err = n.s.ids.Begin(ctx, *n.in)
		return err
	}
	return n.s.ids.Note(ctx, n.in.Nr, string(key), identity.Rest(r))
}

// leftOf is the error of a write that was carried out in part.
func leftOf(err error) *adapters.Error {
	var ae *adapters.Error
	if errors.As(err, &ae) && ae.Left {
		return ae
	}
	return nil
}

// leave lets the table follow what was carried out, and leaves the rest to be carried
// on. It answers why.
func (s *Service) leave(ctx context.Context, t *target, in identity.Intent, cause *adapters.Error, follow func(context.Context) error) error {
	ctx = context.WithoutCancel(ctx)
	t.recall.forget(cause.Key)
	if err := follow(ctx); err != nil && !errors.Is(err, identity.ErrUnknown) {
		s.log.ErrorContext(ctx, "the mapping table", "error", err) // it follows when this is carried on
	}
	s.log.WarnContext(ctx, "a write was carried out in part; the rest is carried on", "type", t.name, "entry", in.Nr, "kind", cause.Kind.String())
	if err := s.ids.Put(ctx, in.Nr, identity.IntentWaiting, reasonOf(cause)); err != nil {
		s.log.ErrorContext(ctx, "the mapping table", "error", err)
	}
	return cause
}

// partly says what became of a write that was carried out in part.
func partly(t *target, ae *adapters.Error) error {
	what := "The change of the " + t.name + " is stored only in part"
	switch ae.Op {
	case "create":
		what = "The " + t.name + " is created, but not all of it is stored"
	case "delete":
		what = "The " + t.name + " is deleted, but not all that belongs to it"
	}
	e := &scim.Error{Status: 503, RetryAfter: defaultRetryAfter, Err: ae}
	switch ae.Kind {
	case adapters.Unavailable, adapters.Internal, adapters.Defect:
		e.Detail = what + " yet. The rest is carried on by itself: do not repeat it, but read the resource again later."
	default:
		e.Status, e.RetryAfter, e.Traced = 502, 0, true
		e.Detail = what + ": a backend refuses the rest. The gateway's administrator finds it in the journal."
	}
	return e
}

// leftAt is an intent that the table has followed: the record has this key.
func leftAt(in identity.Intent, of string, key adapters.Key) identity.Intent {
	rest := map[string]identity.Rest{}
	for _, r := range in.Follow.Rest {
		rest[string(key)] = r
	}
	in.Identity, in.Keys, in.Follow = of, []string{string(key)}, identity.Follow{Rest: rest}
	return in
}

// finishCreate carries on what is left of a create that had no answer and was found
// again, and answers the record that is stored then.
func (s *Service) finishCreate(ctx context.Context, t *target, in identity.Intent, want adapters.Fields, cause error) (adapters.Record, error) {
	key := adapters.Key(in.Keys[0])
	note, err := s.finish(ctx, t, in)
	if err != nil || note != "" {
		left := &adapters.Error{Kind: adapters.Unavailable, Op: "create", Err: cause, Left: true, Key: key}
		return adapters.Record{}, s.leave(ctx, t, in, left, func(context.Context) error { return nil })
	}
	return t.Adapter.Get(adapters.WithoutCache(ctx), key, want)
}

// finish carries on what is left of an intent that the table has followed.
func (s *Service) finish(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	if len(in.Follow.Rest) == 0 {
		return "", nil
	}
	for _, key := range slices.Sorted(maps.Keys(in.Follow.Rest)) {
		now, note, err := s.finishOne(ctx, t, in, adapters.Key(key))
		if err != nil || note != "" {
			return note, err
		}
		if string(now) != key {
			in.Keys = []string{key}
			if _, err := s.ids.ChangeFor(ctx, in, string(now)); err != nil && !errors.Is(err, identity.ErrUnknown) {
				return "", err
			}
		}
	}
	s.log.InfoContext(ctx, "what was left of a write is done", "type", t.name, "entry", in.Nr)
	return "", s.ids.Drop(ctx, in.Nr)
}

// finishFirst carries on what is left of a change that the table has not followed yet,
// and answers the key that the record has then.
func (s *Service) finishFirst(ctx context.Context, t *target, in identity.Intent) (key adapters.Key, note string, err error) {
	if len(in.Follow.Rest) == 0 {
		return adapters.Key(in.Keys[0]), "", nil
	}
	return s.finishOne(ctx, t, in, adapters.Key(in.Keys[0]))
}

// finishOne carries on what is left to do of one record, unless somebody is just
// changing it. What a backend refuses, it will refuse again.
func (s *Service) finishOne(ctx context.Context, t *target, in identity.Intent, key adapters.Key) (now adapters.Key, note string, err error) {
	if t.caps.Finish == nil {
		return key, "", &poisonError{"the configuration has no parts of it any more"}
	}
	rest, ok := in.Follow.Rest[string(key)]
	if !ok || rest.Text == "" {
		return key, "", nil
	}
	leave, err := s.turnOf(ctx, t, in, key)
	if err != nil {
		return key, "it is just being changed", nil
	}
	defer leave()
	defer t.recall.forget(key)
	now, err = t.caps.Finish(adapters.WithJournal(ctx, &amender{s, in.Nr, rest}), key, rest.Text, s.ids.Age(in.Begun) > settleTime)
	var ae *adapters.Error
	switch {
	case adapters.Is(err, adapters.NotFound): // nothing can be left of what is gone
		return key, "", nil
	case err == nil && rest.Secrets:
		return now, "", &poisonError{"a password, or the like, was part of it and is not written down: it must be sent again"}
	case !errors.As(err, &ae):
		return now, "", err
	}
	switch ae.Kind {
	case adapters.Unavailable, adapters.Internal, adapters.Defect:
		return now, "", err
	}
	why := "the backend says: " + ae.Kind.String()
	if ae.Field != "" {
		why += ", of " + ae.Field
	}
	return now, "", &poisonError{why}
}

// An amender keeps that some of a rest was done.
type amender struct {
	s    *Service
	nr   int64
	rest identity.Rest
}

// Note implements adapters.Journal.
func (a *amender) Note(ctx context.Context, key adapters.Key, r adapters.Rest) error {
	a.rest.Text = r.Text
	return a.s.ids.Note(context.WithoutCancel(ctx), a.nr, string(key), a.rest)
}

type claimedKey struct{}

// turnTime bounds the wait for whoever changes a record: who waits may have what that
// one is waiting for.
const turnTime = time.Second

// turnOf waits until it is one's turn to change a record, unless it is already.
func (s *Service) turnOf(ctx context.Context, t *target, in identity.Intent, key adapters.Key) (leave func(), err error) {
	if ctx.Value(claimedKey{}) != nil {
		return func() {}, nil
	}
	wait, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	e := identity.Entry{Identity: in.Identity, Type: t.name, Backend: t.Backend, Key: string(key)}
	leave, _, err = s.turn(wait, Call{Caller: Caller{Tenant: in.Domain.Tenant}}, t, e)
	return leave, err
}

// unsettled is the answer to a change that must wait for an earlier one.
func unsettled(t *target) error {
	return &scim.Error{Status: 503, RetryAfter: defaultRetryAfter,
		Detail: "An earlier change of this " + t.name + " is not yet stored everywhere, because a backend does not answer; try again later."}
}

// settled sees to it that nothing is left of earlier changes of the record: it would be
// carried on later, and take back what is changed now. Changes of other fields go on,
// though a part does not answer.
func (u *update) settled(ctx context.Context) error {
	if u.t.caps.Finish == nil || u.pretended {
		return nil
	}
	settled, open, err := u.carryOn(ctx, u.c, u.t, u.rec.Key)
	switch {
	case err != nil:
		return err
	case settled:
		return errEntered
	}
	for _, rest := range open {
		if u.whole || u.touches(rest.Fields) {
			return unsettled(u.t)
		}
		u.open = true
	}
	return nil
}

// settleParts is the same for a deletion, which must find all that belongs to the
// record.
func (s *Service) settleParts(ctx context.Context, c Call, t *target, e identity.Entry) error {
	if t.caps.Finish == nil {
		return nil
	}
	for _, key := range t.keys(e) {
		_, open, err := s.carryOn(ctx, c, t, key)
		if err == nil && len(open) > 0 {
			err = unsettled(t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// carryOn carries on what is left of earlier writes of a record, for somebody whose turn
// it is, and answers what is still left, and whether something was done. What is stuck
// stands in nobody's way.
func (s *Service) carryOn(ctx context.Context, c Call, t *target, key adapters.Key) (settled bool, open []identity.Rest, err error) {
	all, err := s.ids.Intents(ctx, c.Caller.Tenant)
	for _, in := range all {
		rest, ok := in.Follow.Rest[string(key)]
		if !ok || in.Type != t.name || in.Backend != t.Backend || in.State == identity.IntentStuck || in.Kind == identity.IntentDelete {
			continue
		}
		done, poison := false, (*poisonError)(nil)
		if s.ids.Orphaned(in) {
			var failed error
			done, failed = s.resume(context.WithValue(ctx, claimedKey{}, true), in)
			errors.As(failed, &poison)
		}
		if settled = settled || done; !done && poison == nil {
			open = append(open, rest)
		}
	}
	return settled, open, err
}

// touches reports whether the change is about one of the fields: those of parts are
// read only then.
func (u *update) touches(fields []string) bool {
	return slices.ContainsFunc(fields, func(f string) bool {
		i := u.rec.Shape().Index(f)
		return i >= 0 && u.plan.Want.Has(i)
	})
}
