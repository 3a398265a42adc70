package identity

import (
	"context"
	"database/sql"
)

// Resolve answers, in the order asked, whom the ids mean to the client; typ ""
// means any type. ID is empty where the client has no such id, or had it once.
// For a secondary id, ID is the primary one that the answer must carry, and
// Primary is false.
//
// Where the client's ids are keys, an id that was never given may be the key of a
// record that the client has not met: then Identity and Backend are empty and Key
// is the id. Ensure, once the record is read, makes the entry whole.
func (s *Store) Resolve(ctx context.Context, d Domain, typ string, ids []string) ([]Entry, error) {
	entries, err := s.reading(ctx).resolve(d, typ, ids)
	return entries, s.fail("resolve", err)
}

// ByExternalID answers the identities whose attribute externalId has this value
// for the client: several are possible (S-33).
func (s *Store) ByExternalID(ctx context.Context, d Domain, typ, externalID string) ([]Entry, error) {
	if externalID == "" {
		return nil, nil
	}
	var entries []Entry
	last := int64(-1)
	err := s.reading(ctx).each(qExternalID, []any{d.Tenant, d.Client, typ, storedKey(externalID)}, func(scan func(...any) error) error {
		nr, e, err := scanEntry(scan)
		if err != nil {
			return err
		}
		if nr != last {
			entries, last = append(entries, Entry{}), nr
		}
		entries[len(entries)-1].add(e)
		return nil
	})
	return entries, s.fail("by externalId", err)
}

// SetExternalID sets the attribute externalId as this client sees it, "" clears
// it. ErrUnknown if the client has no such id.
func (s *Store) SetExternalID(ctx context.Context, d Domain, typ, id, externalID string) error {
	return s.write(ctx, "set externalId", func(x *session) error {
		return known(x.exec(qSetExternalID, d.Tenant, d.Client, typ, id, storedKey(externalID)))
	})
}

// Acknowledge retires a secondary id of the client: it has seen the merge.
// ErrUnknown if there is no such id, or if it is primary.
func (s *Store) Acknowledge(ctx context.Context, d Domain, typ, id string) error {
	return s.write(ctx, "acknowledge", func(x *session) error {
		return known(x.exec(qAcknowledge, d.Tenant, d.Client, typ, id, x.now))
	})
}

func known(changed int64, err error) error {
	if err == nil && changed == 0 {
		return ErrUnknown
	}
	return err
}

func (x *session) resolve(d Domain, typ string, ids []string) ([]Entry, error) {
	entries := make([]Entry, len(ids))
	asked, at := make([]string, 0, len(ids)), make([]int, 0, len(ids))
	for i, id := range ids {
		if id != "" && isText(id) { // nothing else was ever given
			asked, at = append(asked, id), append(at, i)
		}
	}
	if len(asked) == 0 {
		return entries, nil
	}
	ambiguous := map[int]bool{}
	q, wanted := qID, asked[0]
	if len(asked) > 1 {
		q, wanted = qIDs, list(asked)
	}
	err := x.each(q, []any{d.Tenant, d.Client, typ, wanted}, func(scan func(...any) error) error {
		n, e, err := scanEntry(scan)
		if err != nil {
			return err
		}
		to := &entries[at[n]]
		if to.Identity != "" && to.Identity != e.Identity {
			ambiguous[at[n]] = true // ids that are keys may be the same for two types
			return nil
		}
		to.add(e)
		return nil
	})
	for i := range ambiguous {
		entries[i] = Entry{}
	}
	if err != nil || !d.Existing || typ == "" {
		return entries, err
	}
	return entries, x.unseen(d, typ, ids, entries)
}

// unseen fills in the keys of records that the client has not met.
func (x *session) unseen(d Domain, typ string, ids []string, entries []Entry) error {
	var asked []string
	var at []int
	for i, id := range ids {
		if entries[i].ID == "" && isID(id) {
			asked, at = append(asked, id), append(at, i)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return x.each(qUnseen, []any{d.Tenant, d.Client, typ, list(asked)}, func(scan func(...any) error) error {
		var n int
		if err := scan(&n); err != nil {
			return err
		}
		entries[at[n]] = Entry{ID: asked[n], Type: typ, Key: asked[n], Primary: true}
		return nil
	})
}

// scanEntry reads a row of qIDs or qExternalID: an id with one of its links.
func scanEntry(scan func(...any) error) (n int64, e Entry, err error) {
	var externalID sql.NullString
	var created, made, modified int64
	var l Linked
	err = scan(&n, &e.Identity, &e.Type, &e.Primary, &e.DeletionRequired, &e.ID, &externalID, &created,
		&l.Backend, &l.Key, &l.Primary, &l.Birth, &made, &modified)
	l.Type, l.Key, l.Made, l.Modified = e.Type, originalKey(l.Key), micros(made), micros(max(made, modified))
	e.ExternalID, e.Created, e.Others = originalKey(externalID.String), micros(created), []Linked{l}
	return n, e, err
}

// add takes a row, which holds one link in Others, into the entry: the first as
// its own, the further ones as others.
func (e *Entry) add(row Entry) {
	if e.Identity != "" {
		e.Others = append(e.Others, row.Others...)
		return
	}
	*e = row
	first := row.Others[0]
	e.Backend, e.Key, e.Birth, e.Others = first.Backend, first.Key, first.Birth, nil
	e.Made, e.Modified = first.Made, first.Modified
}
