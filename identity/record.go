package identity

import (
	"context"
	"database/sql"
	"time"
)

// Create enters a record that this client has created, or that its creation was
// correlated with, with the attribute externalId that it sent. If the record is
// known already, its identity gets an id for this client, also when it was held
// back from it.
func (s *Store) Create(ctx context.Context, d Domain, l Link, externalID string) (Entry, error) {
	return s.CreateSince(ctx, d, l, externalID, time.Time{})
}

// CreateSince is Create for a record that was certainly made after begun. Whoever
// was linked to its key before then had a record that is no more, and is
// forgotten: the backend has used the key again. A link made since is that of
// another client that saw the new record first.
func (s *Store) CreateSince(ctx context.Context, d Domain, l Link, externalID string, begun time.Time) (Entry, error) {
	var e Entry
	err := s.write(ctx, "create", func(x *session) (err error) {
		fresh := false
		if !begun.IsZero() {
			if fresh, err = x.unlinkOlder(d.Tenant, l, begun); err != nil {
				return err
			}
		}
		e, err = s.bind(x, d, l, externalID, fresh, false)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// unlinkOlder answers whether the link is then free.
func (x *session) unlinkOlder(tenant string, l Link, begun time.Time) (free bool, err error) {
	row, ok, err := x.linkAt(tenant, l)
	if err != nil || !ok {
		return !ok, err
	}
	if row.created >= begun.UnixMicro() {
		return false, nil
	}
	return true, x.unlink(row)
}

// bind answers the client's entry for a record, which it makes if need be. A
// fresh link is known to nobody. Who is late comes after others who have met the
// record, and changes no externalId that they gave it.
func (s *Store) bind(x *session, d Domain, l Link, externalID string, fresh, late bool) (Entry, error) {
	entries := unknown([]Link{l})
	if !fresh {
		var err error
		if entries, _, err = x.find(d, []Link{l}); err != nil {
			return Entry{}, err
		}
	}
	e := &entries[0]
	if e.ID == "" {
		e.ExternalID = externalID
		if err := s.allocate(x, d, entries, []int{0}); err != nil {
			return Entry{}, err
		}
	}
	if externalID == "" || externalID == e.ExternalID || late && e.ExternalID != "" {
		return *e, nil
	}
	e.ExternalID = externalID
	return *e, known(x.exec(qSetExternalID, d.Tenant, d.Client, l.Type, e.ID, storedKey(externalID)))
}

// Rekey follows a key that our own write has changed: ids stay. Whoever was known
// under the new key is forgotten, for the backend now has another record there:
// an id that points at nobody is better than one that points at somebody else.
func (s *Store) Rekey(ctx context.Context, tenant string, old Link, newKey string) error {
	if old.Key == newKey {
		return nil
	}
	return s.write(ctx, "rekey", func(x *session) error { return x.rekey(tenant, old, newKey) })
}

func (x *session) rekey(tenant string, old Link, newKey string) error {
	mine, ok, err := x.linkAt(tenant, old)
	if err != nil {
		return err
	}
	if !ok {
		return ErrUnknown
	}
	there, ok, err := x.linkAt(tenant, Link{old.Type, old.Backend, newKey})
	if err == nil && ok {
		err = x.unlink(there)
	}
	if err != nil {
		return err
	}
	return known(x.exec(qSetKey, mine.Nr, storedKey(newKey)))
}

// Forget unlinks records that are no longer in their backend. An identity that
// has none left is gone: its ids are retired for every client and never given
// again, also if the backend uses the key again. Unknown links are passed over.
func (s *Store) Forget(ctx context.Context, tenant string, links ...Link) error {
	return s.ForgetOf(ctx, tenant, "", links...)
}

// ForgetOf is Forget for links that are still those of an identity: if others
// found out first that a record is gone, its key may be that of another by now.
func (s *Store) ForgetOf(ctx context.Context, tenant, identity string, links ...Link) error {
	if len(links) == 0 {
		return nil
	}
	return s.write(ctx, "forget", func(x *session) error {
		for _, l := range links {
			row, ok, err := x.linkAt(tenant, l)
			if err == nil && ok && (identity == "" || row.Identity == identity) {
				err = x.unlink(row)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// A Change of key, for Relink.
type Change struct {
	Link   Link
	NewKey string
}

// Relink follows a backend that has renumbered its records: all changes at once,
// so that keys may be exchanged. It answers the positions of changes that cannot
// be made, because the link is not known or the new key is taken by a record that
// keeps it; if there are any, or r.DryRun is set, nothing is changed.
func (s *Store) Relink(ctx context.Context, tenant string, changes []Change, r Reason) (unknown, taken []int, err error) {
	err = s.write(ctx, "relink", func(x *session) error {
		unknown, taken = nil, nil
		rows := make([]linkRow, len(changes))
		moving := map[int64]bool{}
		for i, c := range changes {
			row, ok, err := x.linkAt(tenant, c.Link)
			if err != nil {
				return err
			}
			if !ok || moving[row.Nr] {
				unknown = append(unknown, i)
				continue
			}
			rows[i], moving[row.Nr] = row, true
		}
		if taken, err = x.aims(tenant, changes, moving); err != nil {
			return err
		}
		if r.DryRun || len(unknown)+len(taken) > 0 {
			return errDryRun
		}
		if err := x.setKeys(rows, changes); err != nil {
			return err
		}
		_, err := x.exec(qInsertRelink, tenant, r.Who, r.Why, x.now, list(noted(changes)))
		return err
	})
	return unknown, taken, err
}

// aims answers which changes lead to a key that a link has which stays, or that
// another change leads to.
func (x *session) aims(tenant string, changes []Change, moving map[int64]bool) (taken []int, err error) {
	aimed := map[Link]bool{}
	for i, c := range changes {
		to := Link{c.Link.Type, c.Link.Backend, c.NewKey}
		row, ok, err := x.linkAt(tenant, to)
		if err != nil {
			return nil, err
		}
		if ok && !moving[row.Nr] || aimed[to] {
			taken = append(taken, i)
		}
		aimed[to] = true
	}
	return taken, nil
}

// noted is the form in which changes are on record: type, backend, old key, new key.
func noted(changes []Change) [][4]string {
	out := make([][4]string, len(changes))
	for i, c := range changes {
		out[i] = [4]string{c.Link.Type, c.Link.Backend, storedKey(c.Link.Key), storedKey(c.NewKey)}
	}
	return out
}

// setKeys first moves the links out of each other's way.
func (x *session) setKeys(rows []linkRow, changes []Change) error {
	for _, r := range rows {
		// No stored key looks like this: what follows the mark is hexadecimal.
		if err := known(x.exec(qSetKey, r.Nr, hexMark+"moving "+r.Key)); err != nil {
			return err
		}
		// The migration may have written the record anew.
		if err := known(x.exec(qSetBirth, r.Nr, "")); err != nil {
			return err
		}
	}
	for i, r := range rows {
		if err := known(x.exec(qSetKey, r.Nr, storedKey(changes[i].NewKey))); err != nil {
			return err
		}
	}
	return nil
}

// linkAt looks a link up; where there is none, the row has no number.
func (x *session) linkAt(tenant string, l Link) (row linkRow, ok bool, err error) {
	row.Backend, row.Key = l.Backend, storedKey(l.Key)
	err = x.row(qLinkAt, tenant, l.Type, row.Key, l.Backend).
		Scan(&row.Nr, &row.Identity, &row.Primary, &row.created, &row.birth)
	if err == sql.ErrNoRows {
		return row, false, nil
	}
	return row, err == nil, err
}

// unlink removes one link, and with the last one the identity.
func (x *session) unlink(row linkRow) error {
	if _, err := x.exec(qDropLink, row.Nr); err != nil {
		return err
	}
	left := 0
	if err := x.eachLink([]string{row.Identity}, func(linkRow) { left++ }); err != nil {
		return err
	}
	if left > 0 {
		_, err := x.exec(qPromote, row.Identity, row.Backend)
		return err
	}
	if _, err := x.exec(qRetireAll, row.Identity, x.now); err != nil {
		return err
	}
	return known(x.exec(qSetState, row.Identity, stateGone, x.now))
}
