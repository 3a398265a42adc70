package identity

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"
)

// Kept is what is kept for one record because its backend has no room for it: JSON
// texts by name. It belongs to the link, so that it goes where the record goes: to
// another identity with a merge or a split, back with an undo, away with the record.
type Kept map[string]string

// A Keeping is one value to keep.
type Keeping struct {
	Name   string `json:"n"`
	Value  string `json:"v"`           // JSON; "": it is not kept any more
	Search string `json:"s,omitempty"` // by which KeptBy finds it
}

// A Follow is what the table does when the backend has carried out a change.
type Follow struct {
	Keep       []Keeping `json:"keep,omitempty"`
	ExternalID *string   `json:"externalId,omitempty"` // for the client's id ID; "" clears it
	ID         string    `json:"id,omitempty"`
	Touch      bool      `json:"touch,omitempty"` // the time of the last change is kept

	// By these the backend is asked whether it has carried the change out: it has not
	// if a digest of what the fields hold is still Before. "" means that it is taken
	// to have.
	Fields []string `json:"fields,omitempty"`
	Before string   `json:"before,omitempty"`

	// Into is, of a change by which the record goes to another place, the name of that
	// place; At is its key there, once the link has followed (Store.Relocate).
	Into *string `json:"into,omitempty"`
	At   string  `json:"at,omitempty"`

	// Rest is what the adapter has still to do, by the records' keys: "" for one that is
	// to be created. While there is any, the intent does not end when the table has
	// followed: it becomes one of kind parts.
	Rest map[string]Rest `json:"rest,omitempty"`
}

// A Rest is what a write of several backends has still to do of a record.
type Rest struct {
	Fields []string `json:"fields,omitempty"`
	Text   string   `json:"text"` // the adapter's own words

	Secrets bool `json:"secrets,omitempty"` // there was more, which is not written down
}

// Empty reports whether there is nothing to do.
func (f Follow) Empty() bool { return len(f.Keep) == 0 && f.ExternalID == nil && !f.Touch }

// text is the form in which a Follow is written down.
func (f Follow) text() string {
	f.At = storedKey(f.At)
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // texts always have a JSON form
	}
	return string(b)
}

// Kept answers what is kept for records of one backend, in the order of the keys;
// nil where there is nothing.
func (s *Store) Kept(ctx context.Context, tenant, typ, backend string, keys []string) ([]Kept, error) {
	out := make([]Kept, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	stored := make([]string, len(keys))
	for i, k := range keys {
		stored[i] = storedKey(k)
	}
	err := s.reading(ctx).each(qKept, []any{tenant, typ, backend, list(stored)}, func(scan func(...any) error) error {
		var n int
		var name, value string
		if err := scan(&n, &name, &value); err != nil {
			return err
		}
		if out[n] == nil {
			out[n] = Kept{}
		}
		out[n][name] = value
		return nil
	})
	return out, s.fail("kept", err)
}

// A KeptValue is a record's value of one name.
type KeptValue struct{ Key, Value string }

// KeptBy answers the values of a name that are found by search, most at most.
func (s *Store) KeptBy(ctx context.Context, tenant, typ, backend, name, search string, most int) ([]KeptValue, error) {
	var out []KeptValue
	err := s.reading(ctx).each(qKeptBy, []any{tenant, typ, backend, name, search, most}, func(scan func(...any) error) error {
		var v KeptValue
		err := scan(&v.Key, &v.Value)
		v.Key = originalKey(v.Key)
		out = append(out, v)
		return err
	})
	return out, s.fail("kept by", err)
}

// ChangeFor ends an intent to change a record: the link follows a key that the
// backend has changed, as with Rekey, and what goes with the change is kept. It
// answers the time that is kept of the change.
func (s *Store) ChangeFor(ctx context.Context, in Intent, newKey string) (time.Time, error) {
	var now int64
	err := s.together(ctx, func(x *session) error {
		now = x.now
		if err := x.amended(&in); err != nil {
			return err
		}
		if err := x.close(in, in.Identity, newKey); err != nil {
			return err
		}
		if in.Keys[0] != newKey {
			if err := x.rekey(in.Domain.Tenant, Link{in.Type, in.Backend, in.Keys[0]}, newKey); err != nil {
				return err
			}
		}
		return x.follow(in, newKey)
	})
	return micros(now), s.fail("change", err)
}

// amended reads again what an intent says that is carried on: a later change may have
// been entered since it was read.
func (x *session) amended(in *Intent) error {
	if in.Tries == 0 {
		return nil
	}
	return x.each(qFollow, []any{in.Nr}, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		if err == nil {
			in.Follow, err = followIn(text)
		}
		return err
	})
}

// follow is part of the transaction in which the table follows the backend.
func (x *session) follow(in Intent, key string) error {
	f := in.Follow
	if f.Empty() {
		return nil
	}
	if err := x.supersede(in); err != nil {
		return err
	}
	if f.ExternalID != nil {
		if err := known(x.exec(qSetExternalID, in.Domain.Tenant, in.Domain.Client, in.Type, f.ID, storedKey(*f.ExternalID))); err != nil {
			return err
		}
	}
	if len(f.Keep) == 0 && !f.Touch {
		return nil
	}
	row, ok, err := x.linkAt(in.Domain.Tenant, Link{in.Type, in.Backend, key})
	switch {
	case err != nil:
		return err
	case !ok || in.Kind != IntentCreate && in.Nr != 0 && row.created > in.Begun.UnixMicro(): // another record has the key by now
		return ErrUnknown
	}
	if f.Touch {
		if _, err := x.exec(qTouch, row.Nr, x.now); err != nil {
			return err
		}
	}
	if in.Kind == IntentCreate { // who saw the record before this was entered may have changed it since
		return x.keep(row.Nr, qKeepFirst, f.Keep)
	}
	return x.keep(row.Nr, qKeep, f.Keep)
}

// supersede takes out of earlier intents about the same identity what this one says
// otherwise: when they are carried on, they must not bring it back.
func (x *session) supersede(in Intent) error {
	if in.Identity == "" {
		return nil
	}
	before := in.Nr
	if before == 0 {
		before = math.MaxInt64
	}
	earlier := map[int64]Follow{}
	err := x.each(qEarlier, []any{in.Domain.Tenant, in.Identity, before}, func(scan func(...any) error) error {
		var nr int64
		var text string
		if err := scan(&nr, &text); err != nil {
			return err
		}
		f, err := followIn(text)
		earlier[nr] = f
		return err
	})
	for nr, f := range earlier {
		if err == nil {
			_, err = x.exec(qAmend, nr, f.without(in.Follow).text())
		}
	}
	return err
}

// without is what remains of a change when a later one has been entered.
func (f Follow) without(later Follow) Follow {
	f.Keep = slices.DeleteFunc(slices.Clone(f.Keep), func(k Keeping) bool {
		return slices.ContainsFunc(later.Keep, func(l Keeping) bool { return l.Name == k.Name })
	})
	if later.ExternalID != nil && later.ID == f.ID {
		f.ExternalID = nil
	}
	return f
}

func followIn(text string) (f Follow, err error) {
	err = json.Unmarshal([]byte(text), &f)
	f.At = originalKey(f.At)
	return f, err
}

func (x *session) keep(link int64, how query, values []Keeping) error {
	for _, v := range values {
		var err error
		if v.Value == "" {
			_, err = x.exec(qUnkeep, link, v.Name)
		} else {
			_, err = x.exec(how, link, v.Name, v.Value, v.Search)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
