package identity

import (
	"context"
	"time"
)

// Relocate lets the table follow a record that an intent has brought to another
// place: its link gets the key that it has there, and what goes with the change is
// kept. What is left where it was is a further record of the same identity, until it
// is forgotten. The intent stays, for there is that to do yet, and says so: its
// Follow.At is the new key. It answers the intent as it is then, and the time that is
// kept of the change.
func (s *Store) Relocate(ctx context.Context, in Intent, newKey string) (Intent, time.Time, error) {
	var now int64
	out := in
	err := s.together(ctx, func(x *session) error {
		now = x.now
		done := in
		if err := x.amended(&done); err != nil {
			return err
		}
		old := Link{in.Type, in.Backend, in.Keys[0]}
		row, ok, err := x.linkAt(in.Domain.Tenant, old)
		if err != nil {
			return err
		}
		if !ok || row.Identity != in.Identity {
			return ErrUnknown
		}
		if err := x.rekey(in.Domain.Tenant, old, newKey); err != nil {
			return err
		}
		// The new record may say something else of how it came into being.
		if err := known(x.exec(qSetBirth, row.Nr, "")); err != nil {
			return err
		}
		if _, err := x.number(qInsertLink, row.Identity, in.Domain.Tenant, in.Type, in.Backend, storedKey(in.Keys[0]), false, x.now); err != nil {
			return err
		}
		if err := x.follow(done, newKey); err != nil {
			return err
		}
		done.Follow = Follow{Into: done.Follow.Into, At: newKey}
		_, err = x.exec(qAmend, in.Nr, done.Follow.text())
		out = done
		return err
	})
	return out, micros(now), s.fail("relocate", err)
}
