package identity

import (
	"context"
	"strconv"
)

// Find answers, in the order asked, what the client knows of the records: ID is
// empty where it has no id for one, and Identity too where nobody knows it yet.
// The id of a link that is not primary is that of its identity.
func (s *Store) Find(ctx context.Context, d Domain, links []Link) ([]Entry, error) {
	entries, _, err := s.reading(ctx).find(d, links)
	return entries, s.fail("find", err)
}

// Listed answers as Find does about the records of a list, and whether the tenant
// has any that may have to stay out of lists at all: Hidden says which.
func (s *Store) Listed(ctx context.Context, d Domain, links []Link) ([]Entry, bool, error) {
	entries := unknown(links)
	_, hides, err := s.reading(ctx).findBy(qListed, d, links, entries)
	return entries, hides, s.fail("listed", err)
}

// Ensure answers as Find does, but gives identities and ids at first sight. ID is
// empty only where the identity was split off and not released to this client.
// When all are known it is one read; otherwise one transaction more.
func (s *Store) Ensure(ctx context.Context, d Domain, links []Link) ([]Entry, error) {
	entries, missing, err := s.reading(ctx).find(d, links)
	if err != nil || len(missing) == 0 {
		return entries, s.fail("ensure", err)
	}
	return s.Allot(ctx, d, links)
}

// Allot answers as Ensure does, without the read at its beginning: for links that
// were just found to be without ids.
func (s *Store) Allot(ctx context.Context, d Domain, links []Link) (entries []Entry, err error) {
	err = s.write(ctx, "ensure", func(x *session) error {
		fresh, missing, err := x.find(d, links) // another one may have been faster
		if err != nil {
			return err
		}
		entries = fresh
		return s.allocate(x, d, entries, missing)
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// Hidden answers the keys of one backend that must not appear in this client's
// lists: records that a merge made secondary, and those of identities that were
// split off and not released to the client. It reads them all: see Veil.
func (s *Store) Hidden(ctx context.Context, d Domain, typ, backend string) ([]string, error) {
	v, err := s.Veil(ctx, d, typ, backend)
	if err != nil {
		return nil, err
	}
	keys, _, err := s.Merged(ctx, d.Tenant, typ, backend)
	return append(keys, v.Held...), err
}

// A linkGroup holds the keys of one type and backend, so that a page costs one
// short JSON text.
type linkGroup struct {
	Type    string   `json:"t"`
	Backend string   `json:"b"`
	Keys    []string `json:"k"`
	at      []int    // position in the request of each key
}

func groupLinks(links []Link) []linkGroup {
	var groups []linkGroup
	last := -1
	for i, l := range links {
		if last < 0 || groups[last].Type != l.Type || groups[last].Backend != l.Backend {
			last = groupOf(groups, l)
			if last < 0 {
				last = len(groups)
				groups = append(groups, linkGroup{Type: l.Type, Backend: l.Backend})
			}
		}
		g := &groups[last]
		g.Keys = append(g.Keys, storedKey(l.Key))
		g.at = append(g.at, i)
	}
	return groups
}

func groupOf(groups []linkGroup, l Link) int {
	for i := range groups {
		if groups[i].Type == l.Type && groups[i].Backend == l.Backend {
			return i
		}
	}
	return -1
}

// find reads the links and answers besides which of them an id is to be made for.
func (x *session) find(d Domain, links []Link) ([]Entry, []int, error) {
	entries := unknown(links)
	if len(links) == 0 {
		return entries, nil, nil
	}
	missing, _, err := x.findBy(qLinks, d, links, entries)
	return entries, missing, err
}

// unknown is what is known of links before anybody was asked.
func unknown(links []Link) []Entry {
	entries := make([]Entry, len(links))
	for i, l := range links {
		entries[i] = Entry{Type: l.Type, Backend: l.Backend, Key: l.Key, Primary: true}
	}
	return entries
}

func (x *session) findBy(q query, d Domain, links []Link, entries []Entry) (missing []int, hides bool, err error) {
	q, args, groups := q.linkArguments(d, links)
	var g, k, created, made, modified int64 // one set for all rows
	var e Entry
	var state string
	into := []any{&g, &k, &e.Identity, &e.Primary, &e.ID, &e.ExternalID, &created, &e.Birth, &made, &modified, &state}
	err = x.each(q, args, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		if g < 0 {
			hides = true
			return nil
		}
		to := &entries[groups[g].at[k]]
		to.Identity, to.Primary, to.ID, to.ExternalID, to.Birth = e.Identity, e.Primary, e.ID, originalKey(e.ExternalID), e.Birth
		if e.ID != "" {
			to.Created = micros(created)
		}
		to.Made, to.Modified = micros(made), micros(max(made, modified))
		to.Held = state == stateHeld
		return nil
	})
	for i := range entries {
		if entries[i].ID == "" && !entries[i].Held {
			missing = append(missing, i)
		}
	}
	return missing, hides, err
}

// allocate makes what is missing: an identity and a link where there is none, and
// an id for this client. It must run in the transaction that found them missing.
func (s *Store) allocate(x *session, d Domain, entries []Entry, missing []int) error {
	if len(missing) == 0 {
		return nil
	}
	var identities, links [][]any
	byLink := map[Link]string{} // one record may be asked for twice
	for _, i := range missing {
		e := &entries[i]
		l := Link{e.Type, e.Backend, e.Key}
		if e.Identity != "" {
			continue
		}
		if byLink[l] == "" {
			byLink[l] = s.newIdentity()
			identities = append(identities, []any{byLink[l], e.Type})
			links = append(links, []any{byLink[l], e.Type, e.Backend, storedKey(e.Key)})
		}
		e.Identity, e.Made, e.Modified = byLink[l], micros(x.now), micros(x.now)
	}
	if len(identities) > 0 {
		if err := x.insert(qNewIdentity, qNewIdentities, identities, d.Tenant, stateLive, x.now); err != nil {
			return err
		}
		if err := x.insert(qNewLink, qNewLinks, links, d.Tenant, x.now); err != nil {
			return err
		}
	}
	return s.giveIDs(x, d, entries, missing)
}

// giveIDs gives every identity that is missing one an id for the client.
func (s *Store) giveIDs(x *session, d Domain, entries []Entry, missing []int) error {
	ids, own, err := s.chooseIDs(x, d, entries, missing)
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(ids))
	given := map[string]bool{}
	for _, i := range missing {
		e := &entries[i]
		e.ID, e.Created, e.Held = ids[e.Identity], micros(x.now), false
		if !given[e.Identity] {
			given[e.Identity] = true
			rows = append(rows, []any{e.Identity, e.Type, e.ID, own[e.ID], storedKey(e.ExternalID)})
		}
	}
	return x.insert(qNewID, qNewIDs, rows, d.Tenant, d.Client, x.now)
}

// chooseIDs answers an id per identity, and which of them come from keys.
func (s *Store) chooseIDs(x *session, d Domain, entries []Entry, missing []int) (ids map[string]string, own map[string]int, err error) {
	ids, own = map[string]string{}, map[string]int{}
	if d.Existing {
		if err := x.existingIDs(d, entries, missing, ids, own); err != nil {
			return nil, nil, err
		}
	}
	for _, i := range missing {
		if ids[entries[i].Identity] == "" {
			ids[entries[i].Identity] = s.newID()
		}
	}
	return ids, own, nil
}

// existingIDs takes keys for ids. An id that was given before is not given again:
// the key gets a suffix.
func (x *session) existingIDs(d Domain, entries []Entry, missing []int, ids map[string]string, own map[string]int) error {
	type wish struct {
		identity, typ, key string
		n                  int
	}
	var open []wish
	for _, i := range missing {
		e := entries[i]
		key, err := x.primaryKey(e)
		if err != nil {
			return err
		}
		if _, seen := ids[e.Identity]; !seen && isID(key) {
			ids[e.Identity] = key
			open = append(open, wish{e.Identity, e.Type, key, 1})
		}
	}
	used := map[[2]string]bool{}
	for len(open) > 0 {
		taken, err := x.taken(d, func(yield func(typ, id string) bool) {
			for _, w := range open {
				if !yield(w.typ, ids[w.identity]) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		var again []wish
		for _, w := range open {
			id := [2]string{w.typ, ids[w.identity]}
			if taken[id] || used[id] {
				w.n++
				ids[w.identity] = w.key + "~" + strconv.Itoa(w.n)
				again = append(again, w)
				continue
			}
			used[id], own[id[1]] = true, 1
		}
		open = again
	}
	return nil
}

// taken answers which ids, by type, the client was ever given.
func (x *session) taken(d Domain, wanted func(func(typ, id string) bool)) (map[[2]string]bool, error) {
	byType := map[string][]string{}
	for typ, id := range wanted {
		byType[typ] = append(byType[typ], id)
	}
	taken := map[[2]string]bool{}
	for typ, ids := range byType {
		found, err := x.texts(qTaken, d.Tenant, d.Client, typ, list(ids))
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			taken[[2]string{typ, id}] = true
		}
	}
	return taken, nil
}

// primaryKey answers the key of the primary link beside e's link.
func (x *session) primaryKey(e Entry) (string, error) {
	if e.Primary {
		return e.Key, nil
	}
	found := e.Key
	err := x.eachLink([]string{e.Identity}, func(l linkRow) {
		if l.Primary && l.Backend == e.Backend {
			found = originalKey(l.Key)
		}
	})
	return found, err
}
