package provision

import (
	"context"
	"errors"
	"time"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// A record may be met before its create is entered in the mapping table, by a list that
// shows it: the create is still under way, or was left behind. Whatever it has still to
// enter, externalId and what is kept, never takes the place of what somebody has set since
// (identity.Store.CreateFor). What somebody has taken away cannot be told from what was
// never there: who replaces the whole resource waits until the create is entered.

// youth is up to which age of a record a create of it may still be open.
const youth = time.Hour

// errEntered says that a create was open, and is not any more: what was read of the
// resource has changed.
var errEntered = errors.New("a create of the resource was open")

// entered sees to it that no create of the very record is open.
func (u *update) entered(ctx context.Context) error {
	made, _ := u.e.TimesIn(u.t.Backend)
	if u.t.Mapping.MapsExternalID() && !u.plan.Keeping() || u.e.Identity != "" && u.ids.Age(made) > youth {
		return nil
	}
	pending := &scim.Error{Status: 503, RetryAfter: busyRetryAfter, Detail: "It is not known yet what became of the create of this " + u.t.name + "; try again."}
	for try := 1; ; try++ {
		in, open, err := u.creation(ctx, made)
		switch {
		case err != nil:
			return err
		case !open && try > 1:
			return errEntered
		case !open:
			return nil
		case !u.ids.Orphaned(in):
			if err := u.pause(ctx, try, pending); err != nil {
				return err
			}
			continue
		}
		switch settled, err := u.resume(ctx, in); {
		case err != nil:
			return err
		case !settled:
			pending.RetryAfter = defaultRetryAfter
			return pending
		}
	}
}

// creation finds an open create that is of the record, which the table has met at a time.
func (u *update) creation(ctx context.Context, met time.Time) (in identity.Intent, open bool, err error) {
	a, err := u.t.telling("")
	if err != nil {
		return in, false, nil // no create is ever found again
	}
	value := u.before.Get(a).String()
	if !a.CaseExact {
		value = scim.Fold(value)
	}
	all, err := u.ids.Intents(ctx, u.c.Caller.Tenant)
	for _, in := range all {
		if in.Kind == identity.IntentCreate && in.Type == u.t.name && in.Backend == u.t.Backend && in.State != identity.IntentStuck &&
			in.Attribute == a.Path() && in.Value == value && (u.e.Identity == "" || !met.Before(in.Begun)) {
			return in, true, err
		}
	}
	return in, false, err
}
