package identity

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// The kinds of intent.
const (
	IntentCreate = "create"
	IntentRename = "rename" // a change by which the record may get another key
	IntentChange = "change" // any other that the table must follow
	IntentDelete = "delete"
	IntentParts  = "parts" // the table has followed, and of the record something is left to do
)

// The states of an intent.
const (
	IntentRunning = "running" // a process is at work on it, or was when it died
	IntentWaiting = "waiting" // it is to be carried on
	IntentStuck   = "stuck"   // somebody must look at it
)

// An Intent is a write that touches a backend and the mapping table, or several
// records. It is written down before the first is touched, in a transaction that
// it may share with others, and goes in the one in which the table follows.
type Intent struct {
	Nr         int64     `json:"nr"`
	Client     string    `json:"client"`
	Type       string    `json:"type"`
	Backend    string    `json:"backend"`
	Kind       string    `json:"kind"`
	Identity   string    `json:"identity,omitempty"`
	Keys       []string  `json:"keys,omitempty"`
	Attribute  string    `json:"attribute,omitempty"` // by which the record is found again
	Value      string    `json:"value,omitempty"`
	ExternalID string    `json:"externalId,omitempty"`
	Follow     Follow    `json:"-"` // what the table does then
	Sole       bool      `json:"-"` // nobody else may have the value
	State      string    `json:"state"`
	Tries      int       `json:"tries"`
	Note       string    `json:"note,omitempty"` // why it is not done
	Begun      time.Time `json:"begun"`
	Since      time.Time `json:"since"`
	Node       string    `json:"-"`
	Domain     Domain    `json:"-"`
	// Shared says, of Begin, that other processes may have been at work on the table
	// then.
	Shared bool  `json:"-"`
	until  int64 // when its process is taken to be no more
}

// ErrPending is the answer to a create of what somebody is creating already.
var ErrPending = errors.New("the same is being created already")

// Begin writes an intent down and answers its number. Several that begin at the
// same time share a transaction.
func (s *Store) Begin(ctx context.Context, in Intent) (Intent, error) {
	in.State, in.Node = IntentRunning, s.node
	if err := s.live(ctx); err != nil {
		return in, err
	}
	err := s.together(ctx, func(x *session) error {
		in.Begun = micros(x.now)
		keys := make([]string, len(in.Keys))
		for i, k := range in.Keys {
			keys[i] = storedKey(k)
		}
		value := in.Value
		if !isText(value) {
			value = ""
		}
		in.Nr = 0
		kind := in.Kind
		if kind == IntentParts {
			kind = IntentChange
		}
		err := x.row(qBegin, in.Domain.Tenant, in.Domain.Client, in.Domain.Existing, in.Type, in.Backend, kind,
			in.Identity, list(keys), in.Attribute, value, in.ExternalID, in.Node, x.now, in.Sole && value != "", in.Follow.text(),
			x.now-buried.Microseconds()).Scan(&in.Nr, &in.Shared)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && in.Nr == 0 {
		err = ErrPending
	}
	return in, s.fail("begin", err)
}

// Drop ends an intent of which nothing was done, or all.
func (s *Store) Drop(ctx context.Context, nr int64) error {
	return s.fail("drop", s.together(ctx, func(x *session) error { return x.end(nr) }))
}

// end is part of the transaction in which the table follows the backend.
func (x *session) end(nr int64) error {
	if nr == 0 {
		return nil
	}
	_, err := x.exec(qEnd, nr)
	return err
}

// Put leaves an intent to whoever carries it on, or to an administrator.
func (s *Store) Put(ctx context.Context, nr int64, state, note string) error {
	return s.write(ctx, "put", func(x *session) error { return known(x.exec(qPut, nr, state, note, x.now)) })
}

// Take makes an intent one's own, to carry it on: false if another one was faster.
func (s *Store) Take(ctx context.Context, in Intent) (mine bool, err error) {
	if err := s.live(ctx); err != nil {
		return false, err
	}
	err = s.write(ctx, "take", func(x *session) error {
		n, err := x.exec(qTake, in.Nr, in.Node, in.State, in.Tries, s.node, x.now)
		mine = n == 1
		return err
	})
	return mine, err
}

// Intents answers the journal of a tenant, oldest first.
func (s *Store) Intents(ctx context.Context, tenant string) ([]Intent, error) {
	var all []Intent
	err := s.reading(ctx).each(qIntents, []any{tenant}, func(scan func(...any) error) error {
		var in Intent
		var begun, since int64
		var keys, follow string
		err := scan(&in.Nr, &in.Domain.Tenant, &in.Domain.Client, &in.Domain.Existing, &in.Type, &in.Backend, &in.Kind, &in.Identity, &keys,
			&in.Attribute, &in.Value, &in.ExternalID, &follow, &in.Node, &in.State, &in.Tries, &in.Note, &begun, &since, &in.until)
		if err != nil {
			return err
		}
		in.Client, in.Begun, in.Since = in.Domain.Client, micros(begun), micros(since)
		in.Keys, err = keysIn([]byte(keys))
		if err == nil {
			in.Follow, err = followIn(follow)
		}
		if in.Kind == IntentChange && in.Follow.Empty() && len(in.Follow.Rest) > 0 {
			in.Kind = IntentParts
		}
		all = append(all, in)
		return err
	})
	return all, s.fail("intents", err)
}

// Orphaned reports whether an intent is to be carried on by whoever comes: it
// waits, or the process that was at work on it is no more: its number on this
// machine is free, or it has long not said that it lives.
func (s *Store) Orphaned(in Intent) bool {
	switch in.State {
	case IntentWaiting:
		return true
	case IntentRunning:
		return dead(in.Node, s.node) || s.Age(in.Since) > mostAlive ||
			in.until > 0 && in.until < s.tableTime() && s.steady()
	}
	return false
}

// close ends an intent whose record has these keys, as part of the transaction in which
// the table follows the backend; or leaves of it what is still to be done.
func (x *session) close(in Intent, identity string, keys ...string) error {
	if in.Nr == 0 || len(in.Follow.Rest) == 0 {
		return x.end(in.Nr)
	}
	rest := Follow{Rest: in.Follow.Rest}
	if in.Kind != IntentDelete && len(keys) == 1 {
		rest.Rest = make(map[string]Rest, 1)
		for _, r := range in.Follow.Rest {
			rest.Rest[keys[0]] = r
		}
	}
	stored := make([]string, len(keys))
	for i, k := range keys {
		stored[i] = storedKey(k)
	}
	_, err := x.exec(qLeaveParts, in.Nr, identity, list(stored), rest.text(), x.now)
	return err
}

// Note writes down in an intent what is left to do of the record with a key; in
// place of what was left of it.
func (s *Store) Note(ctx context.Context, nr int64, key string, r Rest) error {
	if s.dry { // then the intent was not written down, either
		return nil
	}
	return s.fail("note", s.together(ctx, func(x *session) error {
		var f Follow
		err := x.each(qFollow, []any{nr}, func(scan func(...any) error) error {
			var text string
			err := scan(&text)
			if err == nil {
				f, err = followIn(text)
			}
			return err
		})
		if err != nil {
			return err
		}
		if f.Rest == nil {
			f.Rest = map[string]Rest{}
		}
		f.Rest[key] = r
		return known(x.exec(qAmend, nr, f.text()))
	}))
}

// CreateFor is CreateSince for an intent, which ends with it.
func (s *Store) CreateFor(ctx context.Context, in Intent, key string) (Entry, error) {
	var e Entry
	l := Link{in.Type, in.Backend, key}
	err := s.together(ctx, func(x *session) error {
		made, ok, err := s.stranger(x, in.Domain, l, in.ExternalID)
		if err == nil && !ok {
			var fresh bool
			if fresh, err = x.unlinkOlder(in.Domain.Tenant, l, in.Begun); err == nil {
				made, err = s.bind(x, in.Domain, l, in.ExternalID, fresh, true)
			}
		}
		if err != nil {
			return err
		}
		if err := x.follow(in, key); err != nil {
			return err
		}
		e = made
		return x.close(in, e.Identity, key)
	})
	if err != nil {
		return Entry{}, s.fail("create", err)
	}
	return e, nil
}

// stranger enters a record that nobody is linked to, as those are that were just
// created: false, and nothing was done, if somebody is.
func (s *Store) stranger(x *session, d Domain, l Link, externalID string) (Entry, bool, error) {
	if d.Existing || !isText(externalID) {
		return Entry{}, false, nil // the id depends on what was given before
	}
	e := Entry{Identity: s.newIdentity(), ID: s.newID(), Type: l.Type, Backend: l.Backend, Key: l.Key, Primary: true,
		ExternalID: externalID, Created: micros(x.now), Made: micros(x.now), Modified: micros(x.now)}
	n, err := x.exec(qNewPerson, d.Tenant, stateLive, x.now, e.Identity, l.Type, storedKey(l.Key), l.Backend)
	if err != nil || n == 0 {
		return Entry{}, false, err
	}
	if _, err = x.exec(qNewLink, d.Tenant, x.now, e.Identity, l.Type, l.Backend, storedKey(l.Key)); err == nil {
		_, err = x.exec(qNewID, d.Tenant, d.Client, x.now, e.Identity, l.Type, e.ID, 0, externalID)
	}
	return e, true, err
}

// CreateFound is CreateFor for a record that was found again. One that was linked
// before the intent began is not the one: then nothing is done but that the intent
// ends, and ok is false.
func (s *Store) CreateFound(ctx context.Context, in Intent, key string) (e Entry, ok bool, err error) {
	l := Link{in.Type, in.Backend, key}
	err = s.write(ctx, "create", func(x *session) error {
		row, linked, err := x.linkAt(in.Domain.Tenant, l)
		if err != nil {
			return err
		}
		if ok = !linked || row.created >= in.Begun.UnixMicro(); ok {
			if e, err = s.bind(x, in.Domain, l, in.ExternalID, !linked, true); err != nil {
				return err
			}
			if err := x.follow(in, key); err != nil {
				return err
			}
			return x.close(in, e.Identity, key)
		}
		return x.end(in.Nr)
	})
	return e, ok && err == nil, err
}

// ForgetFor is ForgetOf for an intent, which ends with it.
func (s *Store) ForgetFor(ctx context.Context, in Intent) error {
	err := s.together(ctx, func(x *session) error {
		for _, k := range in.Keys {
			row, ok, err := x.linkAt(in.Domain.Tenant, Link{in.Type, in.Backend, k})
			if err == nil && ok && (in.Identity == "" || row.Identity == in.Identity) {
				err = x.unlink(row)
			}
			if err != nil {
				return err
			}
		}
		return x.close(in, in.Identity, in.Keys...)
	})
	return s.fail("forget", err)
}

// LinkedBefore answers which of the links were there before a time.
func (s *Store) LinkedBefore(ctx context.Context, tenant string, when time.Time, links []Link) ([]bool, error) {
	x := s.reading(ctx)
	out := make([]bool, len(links))
	for i, l := range links {
		row, ok, err := x.linkAt(tenant, l)
		if err != nil {
			return nil, s.fail("linked before", err)
		}
		out[i] = ok && row.created < when.UnixMicro()
	}
	return out, nil
}

// A job is one of several writes that share a transaction.
type job struct {
	do   func(*session) error
	done chan error
}

// mostTogether bounds how many share one.
const mostTogether = 64

// together runs f in a transaction with whatever else comes at the same time.
// While one is written, the next ones gather.
func (s *Store) together(ctx context.Context, f func(*session) error) error {
	j := job{f, make(chan error, 1)}
	select {
	case s.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return errors.New("the mapping table is closed")
	}
	return <-j.done
}

func (s *Store) gather() {
	for {
		select {
		case j := <-s.jobs:
			s.commit(s.more([]job{j}))
		case <-s.closed:
			return
		}
	}
}

// more takes whatever waits already.
func (s *Store) more(batch []job) []job {
	for len(batch) < mostTogether {
		select {
		case j := <-s.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (s *Store) commit(batch []job) {
	err := s.write(context.Background(), "journal", func(x *session) error {
		for _, j := range batch {
			if err := j.do(x); err != nil {
				return err
			}
		}
		return nil
	})
	for _, j := range batch {
		if err != nil && len(batch) > 1 && !hopeless(err) { // by one of them, perhaps: each for itself
			j.done <- s.write(context.Background(), "journal", j.do)
			continue
		}
		j.done <- err
	}
}

// hopeless reports whether what failed would fail again, or has perhaps been done.
func hopeless(err error) bool {
	return errors.Is(err, ErrBusy) || errors.Is(err, ErrAway) || errors.Is(err, ErrUnsure)
}
