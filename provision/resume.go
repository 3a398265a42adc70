package provision

import (
	"context"
	"errors"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// Resume carries on what is left behind in the journal, one for one: what cannot
// be settled yet stands in nobody's way. It answers how many were settled and how
// many are left.
func (n *Identities) Resume(ctx context.Context) (done, left int, err error) {
	all, err := n.ids.Intents(ctx, n.tenant)
	if err != nil {
		return 0, 0, err
	}
	for _, in := range all {
		if !n.ids.Orphaned(in) {
			continue
		}
		settled, err := n.resume(ctx, in)
		if ctx.Err() != nil {
			return done, left, ctx.Err()
		}
		if err != nil {
			n.log.WarnContext(ctx, "an entry of the journal could not be settled", "entry", in.Nr, "kind", in.Kind, "type", in.Type, "reason", reasonOf(err))
		}
		if settled {
			done++
		} else {
			left++
		}
	}
	return done, left, nil
}

// resume carries one intent on. It is settled if it is known what became of it.
func (s *Service) resume(ctx context.Context, in identity.Intent) (settled bool, err error) {
	mine, err := s.ids.Take(ctx, in)
	if err != nil || !mine {
		return false, err
	}
	in.Tries++
	note, err := s.settle(ctx, in)
	if err == nil && note == "" {
		return true, nil
	}
	state := identity.IntentWaiting
	if err != nil {
		note = reasonOf(err)
	}
	var poison *poisonError
	away := (len(in.Follow.Rest) > 0 || in.Follow.At != "") && adapters.Is(err, adapters.Unavailable) // it will be done, be it tomorrow
	if errors.As(err, &poison) || in.Tries >= mostTries && s.ids.Age(in.Begun) > settleTime && !away {
		state = identity.IntentStuck
		s.log.ErrorContext(ctx, "an entry of the journal needs somebody to look at it", "entry", in.Nr, "kind", in.Kind, "type", in.Type, "reason", note)
	}
	return false, errors.Join(err, s.ids.Put(context.WithoutCancel(ctx), in.Nr, state, note))
}

// A poisonError says that trying again will not help.
type poisonError struct{ why string }

func (e *poisonError) Error() string { return e.why }

// open is the note of what the backend may still carry out.
const open = "the backend may still do it"

// settle finds out what became of an intent, and lets the table follow. A note
// says why that is not possible yet.
func (s *Service) settle(ctx context.Context, in identity.Intent) (note string, err error) {
	t := s.targets[in.Type]
	if t == nil || t.Backend != in.Backend {
		return "", &poisonError{"the configuration has no " + in.Type + " in this backend any more"}
	}
	if err := t.Adapter.Probe(ctx); err != nil { // an expired credential may look like an empty backend
		return "", err
	}
	switch in.Kind {
	case identity.IntentCreate:
		return s.settleCreate(ctx, t, in)
	case identity.IntentRename:
		if in.Follow.Into != nil {
			return s.settleMove(ctx, t, in)
		}
		return s.settleRename(ctx, t, in)
	case identity.IntentChange:
		return s.settleChange(ctx, t, in)
	case identity.IntentParts:
		return s.finish(ctx, t, in)
	}
	return s.settleDelete(ctx, t, in)
}

// unmade ends an intent that the backend has not carried out, once it is sure that
// it will not.
func (s *Service) unmade(ctx context.Context, in identity.Intent) (note string, err error) {
	if s.ids.Age(in.Begun) < settleTime {
		return open, nil
	}
	return "", s.ids.Drop(ctx, in.Nr)
}

func (s *Service) settleCreate(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	found, err := s.strangers(ctx, t, in)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0 && isTakenBack(in):
		delete(in.Follow.Rest, "")
		return s.finish(ctx, t, in)
	case len(found) == 0:
		return s.unmade(ctx, in)
	case len(found) > 1:
		return "", &poisonError{"several new records could be the one"}
	case !t.inScope(found[0]):
		return "", &poisonError{"the record is outside what provisioning may manage"}
	}
	t.recall.forget(found[0].Key)
	e, ok, err := s.ids.CreateFound(ctx, in, string(found[0].Key))
	if !ok || err != nil {
		return "", err
	}
	s.log.InfoContext(ctx, "a create that was left behind is entered", "type", t.name, "backend", t.Backend, "entry", in.Nr)
	return s.finish(ctx, t, leftAt(in, e.Identity, found[0].Key))
}

// isTakenBack reports whether a create was just being taken back.
func isTakenBack(in identity.Intent) bool {
	for key := range in.Follow.Rest {
		if key != "" {
			return true
		}
	}
	return false
}

// strangers are the records with an intent's value that the table knew nothing of
// when it began.
func (s *Service) strangers(ctx context.Context, t *target, in identity.Intent) ([]adapters.Record, error) {
	all, err := s.correlated(ctx, t, in, t.scope.Want)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	links := make([]identity.Link, len(all))
	for i, rec := range all {
		links[i] = t.link(rec.Key)
	}
	known, err := s.ids.LinkedBefore(ctx, in.Domain.Tenant, in.Begun, links)
	var out []adapters.Record
	for i, rec := range all {
		if err == nil && !known[i] {
			out = append(out, rec)
		}
	}
	return out, err
}

func (s *Service) settleRename(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	old, note, err := s.finishFirst(ctx, t, in)
	if err != nil || note != "" {
		return note, err
	}
	if string(old) != in.Keys[0] { // by that it was renamed
		return s.renamed(ctx, t, in, old)
	}
	_, err = t.all().Get(adapters.WithoutCache(ctx), old, t.scope.Want)
	switch {
	case err == nil && in.Follow.Rest != nil: // it has been carried out, and that changes no key
		return s.renamed(ctx, t, in, old)
	case err == nil && in.Follow.Empty():
		return s.unmade(ctx, in)
	case err == nil: // the key is the old one, also if the backend has done it
		return s.settleChange(ctx, t, in)
	case !adapters.Is(err, adapters.NotFound):
		return "", err
	}
	found, err := s.strangers(ctx, t, in)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0: // it is gone, and not by this
		return "", s.ids.Drop(ctx, in.Nr)
	case len(found) > 1:
		return "", &poisonError{"several new records could be the one"}
	}
	t.recall.forget(old)
	return s.renamed(ctx, t, in, found[0].Key)
}

// renamed lets the table follow a renaming that was left behind, and carries on what is
// left of it.
func (s *Service) renamed(ctx context.Context, t *target, in identity.Intent, key adapters.Key) (note string, err error) {
	t.recall.forget(key)
	_, err = s.ids.ChangeFor(ctx, in, string(key))
	if errors.Is(err, identity.ErrUnknown) {
		return "", s.ids.Drop(ctx, in.Nr)
	}
	if err != nil {
		return "", err
	}
	s.log.InfoContext(ctx, "a renaming that was left behind is entered", "type", t.name, "backend", t.Backend, "entry", in.Nr)
	return s.finish(ctx, t, leftAt(in, in.Identity, key))
}

// settleDelete finishes a deletion that has begun: of several records some may be
// left. If none is gone, it did not begin.
func (s *Service) settleDelete(ctx context.Context, t *target, in identity.Intent) (note string, err error) {
	var left []adapters.Key
	for _, k := range in.Keys {
		rec, err := t.all().Get(adapters.WithoutCache(ctx), adapters.Key(k), t.scope.Want)
		if adapters.Is(err, adapters.NotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		if other, err := s.another(ctx, in.Domain.Tenant, t, rec); err != nil {
			return "", err
		} else if !other && t.inScope(rec) {
			left = append(left, rec.Key)
		}
	}
	if len(left) == len(in.Keys) {
		return s.unmade(ctx, in)
	}
	for _, k := range left {
		if err := ignore(adapters.NotFound, t.Adapter.Delete(s.noting(ctx, t, &in), k)); err != nil && leftOf(err) == nil {
			return "", err
		}
		t.recall.forget(k)
	}
	t.gone.Add(1)
	s.log.InfoContext(ctx, "a deletion that was left behind is finished", "type", t.name, "backend", t.Backend, "entry", in.Nr)
	if err := s.ids.ForgetFor(ctx, in); err != nil {
		return "", err
	}
	return s.finish(ctx, t, in)
}

// Journal answers what is written down and not settled, oldest first.
func (n *Identities) Journal(ctx context.Context) ([]identity.Intent, error) {
	all, err := n.ids.Intents(ctx, n.tenant)
	return all, n.explain(ctx, err)
}

func (n *Identities) entry(ctx context.Context, nr int64) (identity.Intent, error) {
	all, err := n.Journal(ctx)
	for _, in := range all {
		if in.Nr == nr {
			return in, err
		}
	}
	return identity.Intent{}, orElse(err, scim.Errorf(404, "", "The journal has no entry %d; it may be settled by now.", nr))
}

func orElse(err error, other *scim.Error) error {
	if err != nil {
		return err
	}
	return other
}

// Retry tries to settle an entry now.
func (n *Identities) Retry(ctx context.Context, nr int64) (settled bool, err error) {
	in, err := n.entry(ctx, nr)
	if err != nil {
		return false, err
	}
	if in.State == identity.IntentRunning && !n.ids.Orphaned(in) {
		return false, scim.Errorf(409, "", "The entry is being worked at.")
	}
	settled, err = n.resume(ctx, in)
	var se *scim.Error
	if err != nil && !errors.As(err, &se) {
		return false, scim.Errorf(409, "", "The entry cannot be settled: %s.", reasonOf(err))
	}
	return settled, err
}

// GiveUp takes an entry out of the journal without settling it. What the backend
// holds stays as it is: a record that nobody knows gets its id at first sight.
func (n *Identities) GiveUp(ctx context.Context, nr int64, r identity.Reason) error {
	if err := reasoned(r); err != nil {
		return err
	}
	in, err := n.entry(ctx, nr)
	if err != nil {
		return err
	}
	if in.State == identity.IntentRunning && !n.ids.Orphaned(in) {
		return scim.Errorf(409, "", "The entry is being worked at.")
	}
	if r.DryRun {
		return nil
	}
	n.log.WarnContext(ctx, "an entry of the journal was given up", "entry", in.Nr, "kind", in.Kind, "type", in.Type, "by", r.Who, "why", r.Why)
	return n.explain(ctx, n.ids.Drop(ctx, nr))
}
