package identity

import (
	"cmp"
	"slices"
)

// The states of an identity.
const (
	stateLive = "live"
	stateHeld = "held"
	stateGone = "gone"
)

// A snapshot is some identities with all their links and live ids. Moves are
// planned from one snapshot to another without I/O, and both are kept in the
// history: what a move did, and what its undoing must find and restore.
type snapshot struct {
	Identities []identityRow `json:"identities"`
	Links      []linkRow     `json:"links"`
	IDs        []idRow       `json:"ids"`
}

type identityRow struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant"`
	Type    string `json:"type"`
	State   string `json:"state"`
	Created int64  `json:"created"`
}

type linkRow struct {
	Nr       int64  `json:"nr"` // 0: not stored yet
	Identity string `json:"identity"`
	Backend  string `json:"backend"`
	Key      string `json:"key"` // as stored
	Primary  bool   `json:"primary"`
	created  int64  // of linkAt only, as birth is
	birth    Birth
}

type idRow struct {
	Nr               int64  `json:"nr"`
	Identity         string `json:"identity"`
	Client           string `json:"client"`
	ID               string `json:"id"`
	Primary          bool   `json:"primary"`
	DeletionRequired bool   `json:"deletionRequired"`
}

func (s snapshot) clone() snapshot {
	return snapshot{slices.Clone(s.Identities), slices.Clone(s.Links), slices.Clone(s.IDs)}
}

func (s snapshot) identity(id string) *identityRow {
	for i := range s.Identities {
		if s.Identities[i].ID == id {
			return &s.Identities[i]
		}
	}
	return nil
}

func (s snapshot) names() []string {
	names := make([]string, len(s.Identities))
	for i, row := range s.Identities {
		names[i] = row.ID
	}
	return names
}

// linksOf answers the links of an identity, oldest first.
func (s snapshot) linksOf(identity string) []*linkRow {
	var of []*linkRow
	for i := range s.Links {
		if s.Links[i].Identity == identity {
			of = append(of, &s.Links[i])
		}
	}
	return of
}

func (s snapshot) idsOf(identity string) []*idRow {
	var of []*idRow
	for i := range s.IDs {
		if s.IDs[i].Identity == identity {
			of = append(of, &s.IDs[i])
		}
	}
	return of
}

// promote makes the first link of each backend primary where none is.
func (s snapshot) promote(identity string) {
	has := map[string]bool{}
	for _, l := range s.linksOf(identity) {
		has[l.Backend] = has[l.Backend] || l.Primary
	}
	for _, l := range s.linksOf(identity) {
		if !has[l.Backend] {
			l.Primary, has[l.Backend] = true, true
		}
	}
}

// form makes the public form of one identity of the snapshot.
func (s snapshot) form(row identityRow) Identity {
	out := Identity{ID: row.ID, Type: row.Type, Held: row.State == stateHeld, Tenant: row.Tenant, Created: micros(row.Created),
		Links: []IdentityLink{}, ExternalIDs: []IdentityID{}}
	for _, l := range s.linksOf(row.ID) {
		out.Links = append(out.Links, IdentityLink{l.Backend, originalKey(l.Key), l.Primary})
	}
	for _, e := range s.idsOf(row.ID) {
		out.ExternalIDs = append(out.ExternalIDs, IdentityID{e.Client, e.ID, e.Primary, e.DeletionRequired})
	}
	slices.SortStableFunc(out.Links, func(a, b IdentityLink) int {
		return cmp.Or(first(a.Primary, b.Primary), cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Key, b.Key))
	})
	slices.SortStableFunc(out.ExternalIDs, func(a, b IdentityID) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), first(a.Primary, b.Primary), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// first orders true before false.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// forms answers the identities that are not gone, in the snapshot's order.
func (s snapshot) forms() []Identity {
	var out []Identity
	for _, row := range s.Identities {
		if row.State != stateGone {
			out = append(out, s.form(row))
		}
	}
	return out
}

// load reads identities in the order named.
func (x *session) load(names []string) (snapshot, error) {
	var s snapshot
	err := x.each(qIdentities, []any{list(names)}, func(scan func(...any) error) error {
		var r identityRow
		err := scan(&r.ID, &r.Tenant, &r.Type, &r.State, &r.Created)
		s.Identities = append(s.Identities, r)
		return err
	})
	if err != nil {
		return s, err
	}
	slices.SortFunc(s.Identities, func(a, b identityRow) int {
		return cmp.Compare(slices.Index(names, a.ID), slices.Index(names, b.ID))
	})
	if err := x.eachLink(names, func(l linkRow) { s.Links = append(s.Links, l) }); err != nil {
		return s, err
	}
	err = x.each(qIDsOf, []any{list(names)}, func(scan func(...any) error) error {
		var r idRow
		err := scan(&r.Nr, &r.Identity, &r.Client, &r.ID, &r.Primary, &r.DeletionRequired)
		s.IDs = append(s.IDs, r)
		return err
	})
	return s, err
}

func (x *session) eachLink(identities []string, f func(linkRow)) error {
	return x.each(qLinksOf, []any{list(identities)}, func(scan func(...any) error) error {
		var r linkRow
		if err := scan(&r.Nr, &r.Identity, &r.Backend, &r.Key, &r.Primary); err != nil {
			return err
		}
		f(r)
		return nil
	})
}

// apply makes the table go from one snapshot to another. Identities come to life
// first and go last; primary flags are given up before they are taken. Links that
// had no number get one in to.
func (x *session) apply(from, to snapshot) error {
	if err := x.applyStates(from, to, false); err != nil {
		return err
	}
	if err := x.applyLinks(from, to); err != nil {
		return err
	}
	if err := x.applyIDs(from, to); err != nil {
		return err
	}
	return x.applyStates(from, to, true)
}

func (x *session) applyStates(from, to snapshot, gone bool) error {
	for _, r := range to.Identities {
		was := from.identity(r.ID)
		if (r.State == stateGone) != gone || was != nil && was.State == r.State {
			continue
		}
		var err error
		if was == nil {
			_, err = x.exec(qNewIdentities, r.Tenant, r.State, x.now, list([][]string{{r.ID, r.Type}}))
		} else {
			err = known(x.exec(qSetState, r.ID, r.State, x.now))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *session) applyLinks(from, to snapshot) error {
	was := map[int64]linkRow{}
	for _, l := range from.Links {
		was[l.Nr] = l
	}
	var changed []*linkRow
	for i := range to.Links {
		l := &to.Links[i]
		if l.Nr == 0 || was[l.Nr] != *l {
			changed = append(changed, l)
		}
		if old := was[l.Nr]; l.Nr != 0 && old.Primary && old != *l {
			if err := known(x.exec(qSetLink, l.Nr, old.Identity, false)); err != nil {
				return err
			}
		}
		delete(was, l.Nr)
	}
	for nr := range was { // a move made it, and is undone
		if err := known(x.exec(qDropLink, nr)); err != nil {
			return err
		}
	}
	for _, l := range changed {
		if err := x.storeLink(to, l); err != nil {
			return err
		}
	}
	return nil
}

func (x *session) storeLink(to snapshot, l *linkRow) error {
	if l.Nr != 0 {
		return known(x.exec(qSetLink, l.Nr, l.Identity, l.Primary))
	}
	owner := to.identity(l.Identity)
	var err error
	l.Nr, err = x.number(qInsertLink, owner.ID, owner.Tenant, owner.Type, l.Backend, l.Key, l.Primary, x.now)
	return err
}

func (x *session) applyIDs(from, to snapshot) error {
	was := map[int64]idRow{}
	for _, e := range from.IDs {
		was[e.Nr] = e
	}
	for _, e := range to.IDs {
		if old := was[e.Nr]; old.Primary && old != e {
			if err := known(x.exec(qSetID, e.Nr, old.Identity, false, false, x.now)); err != nil {
				return err
			}
		}
	}
	for _, e := range to.IDs {
		if old, ok := was[e.Nr]; !ok || old == e { // ids come into being elsewhere
			continue
		}
		if err := known(x.exec(qSetID, e.Nr, e.Identity, e.Primary, e.DeletionRequired, x.now)); err != nil {
			return err
		}
	}
	return nil
}
