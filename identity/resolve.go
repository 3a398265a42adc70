package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"
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
	var row foundRow
	err := s.reading(ctx).each(qExternalID, []any{d.Tenant, d.Client, typ, storedKey(externalID)}, func(scan func(...any) error) error {
		if err := row.scan(scan); err != nil {
			return err
		}
		if row.n != last {
			entries, last = append(entries, Entry{}), row.n
		}
		entries[len(entries)-1].add(&row)
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
	err := error(nil)
	if found, plain, failed := x.one(d, typ, asked); plain || failed != nil {
		entries[at[0]], err = found, failed
	} else {
		err = x.several(d, typ, asked, at, entries)
	}
	if err != nil || !d.Existing || typ == "" {
		return entries, err
	}
	return entries, x.unseen(d, typ, ids, entries)
}

// one is several for a single id. Most ids are primary, and then all is told by the row of
// the id itself and those of the links; plain says that it is so.
func (x *session) one(d Domain, typ string, asked []string) (found Entry, plain bool, err error) {
	if len(asked) != 1 {
		return Entry{}, false, nil
	}
	f := finders.Get().(*finder)
	defer f.free()
	if err = x.each(qID, []any{d.Tenant, d.Client, typ, asked[0]}, f.take); err != nil {
		return Entry{}, false, err
	}
	slices.SortFunc(f.rows, before)
	for i := range f.rows {
		if !f.rows[i].Primary || f.rows[i].Identity != f.rows[0].Identity {
			return Entry{}, false, nil
		}
		found.add(&f.rows[i])
	}
	return found, true, nil
}

// A finder has room for the rows of an id, which a GET by id would need anew each time.
type finder struct {
	row  foundRow
	into []any // the fields of row
	rows []foundRow
}

var finders = sync.Pool{New: func() any {
	f := &finder{}
	f.into = f.row.into()
	return f
}}

func (f *finder) take(scan func(...any) error) error {
	if err := scan(f.into...); err != nil {
		return err
	}
	f.row.settle()
	f.rows = append(f.rows, f.row)
	return nil
}

// free gives the room back, unless it has become large; nothing that was found stays in it.
func (f *finder) free() {
	if clear(f.rows); cap(f.rows) > 16 {
		f.rows = nil
	}
	f.row, f.rows = foundRow{}, f.rows[:0]
	finders.Put(f)
}

// before is the order of an identity's links: primary ones first, then by age.
func before(a, b foundRow) int {
	switch {
	case a.link.Primary == b.link.Primary:
		return cmp.Compare(a.n, b.n)
	case a.link.Primary:
		return -1
	}
	return 1
}

// several fills in the entries of ids.
func (x *session) several(d Domain, typ string, asked []string, at []int, entries []Entry) error {
	ambiguous := map[int]bool{}
	var row foundRow
	err := x.each(qIDs, []any{d.Tenant, d.Client, typ, list(asked)}, func(scan func(...any) error) error {
		if err := row.scan(scan); err != nil {
			return err
		}
		to := &entries[at[row.n]]
		if to.Identity != "" && to.Identity != row.Identity {
			ambiguous[at[row.n]] = true // ids that are keys may be the same for two types
			return nil
		}
		to.add(&row)
		return nil
	})
	for i := range ambiguous {
		entries[i] = Entry{}
	}
	return err
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

// A foundRow is a row of qID, qIDs or qExternalID: an id with one of its links.
type foundRow struct {
	Entry
	n    int64
	link Linked

	externalID              sql.NullString
	created, made, modified int64
}

func (r *foundRow) scan(scan func(...any) error) error {
	err := scan(r.into()...)
	r.settle()
	return err
}

// into is where the columns go, which settle makes sense of.
func (r *foundRow) into() []any {
	return []any{&r.n, &r.Identity, &r.Type, &r.Primary, &r.DeletionRequired, &r.ID, &r.externalID, &r.created,
		&r.link.Backend, &r.link.Key, &r.link.Primary, &r.link.Birth, &r.made, &r.modified}
}

func (r *foundRow) settle() {
	l := &r.link
	l.Type, l.Key, l.Made, l.Modified = r.Type, originalKey(l.Key), micros(r.made), micros(max(r.made, r.modified))
	r.ExternalID, r.Created = originalKey(r.externalID.String), micros(r.created)
}

// add takes a row into the entry: the first link as its own, the further ones as others.
func (e *Entry) add(row *foundRow) {
	if e.Identity != "" {
		e.Others = append(e.Others, row.link)
		return
	}
	*e = row.Entry
	e.Backend, e.Key, e.Birth, e.Made, e.Modified = row.link.Backend, row.link.Key, row.link.Birth, row.link.Made, row.link.Modified
}
