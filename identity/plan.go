package identity

import "fmt"

// planMerge gives the first identity of the snapshot all that the others have. In
// every backend, and for every client, what was primary in the first stays so;
// where it had none, what was primary in the first of the others that has one.
func planMerge(before snapshot) snapshot {
	after := before.clone()
	keep := &after.Identities[0]
	for i := range after.Identities[1:] {
		drop := &after.Identities[1+i]
		if drop.State == stateLive {
			keep.State = stateLive // somebody who may be seen stays visible
		}
		drop.State = stateGone
		after.takeLinks(keep.ID, drop.ID)
		after.takeIDs(keep.ID, drop.ID)
	}
	return after
}

func (s snapshot) takeLinks(keep, drop string) {
	has := map[string]bool{}
	for _, l := range s.linksOf(keep) {
		has[l.Backend] = has[l.Backend] || l.Primary
	}
	for _, l := range s.linksOf(drop) {
		l.Identity = keep
		l.Primary = l.Primary && !has[l.Backend]
	}
}

func (s snapshot) takeIDs(keep, drop string) {
	has := map[string]bool{}
	for _, e := range s.idsOf(keep) {
		has[e.Client] = has[e.Client] || e.Primary
	}
	for _, e := range s.idsOf(drop) {
		e.Identity = keep
		e.Primary = e.Primary && !has[e.Client]
		e.DeletionRequired = !e.Primary
	}
}

// planSplit takes links out of the one identity of the snapshot into new ones
// with the given ids, which nobody sees until they are released. Ids stay.
func planSplit(before snapshot, into [][]linkRow, ids []string) (snapshot, error) {
	after := before.clone()
	old := after.Identities[0]
	for i, group := range into {
		if len(group) == 0 {
			return after, fmt.Errorf("%w: a new identity needs at least one record", ErrConflict)
		}
		after.Identities = append(after.Identities,
			identityRow{ID: ids[i], Tenant: old.Tenant, Type: old.Type, State: stateHeld})
		for _, l := range group {
			if err := after.takeLink(old.ID, ids[i], l); err != nil {
				return after, err
			}
		}
		after.promote(ids[i])
	}
	if len(after.linksOf(old.ID)) == 0 {
		return after, fmt.Errorf("%w: the identity that is split must keep at least one record", ErrConflict)
	}
	after.promote(old.ID)
	return after, nil
}

// takeLink moves a link of the old identity to the new one, or adds it there if
// nobody had it.
func (s *snapshot) takeLink(old, to string, l linkRow) error {
	for i := range s.Links {
		have := &s.Links[i]
		if have.Backend != l.Backend || have.Key != l.Key {
			continue
		}
		if have.Identity != old {
			return fmt.Errorf("%w: a record is named twice", ErrConflict)
		}
		have.Identity, have.Primary = to, false
		return nil
	}
	if l.Nr != 0 {
		return fmt.Errorf("%w: a record belongs to another identity; merge or split that one first", ErrConflict)
	}
	s.Links = append(s.Links, linkRow{Identity: to, Backend: l.Backend, Key: l.Key})
	return nil
}

// planUndo answers how current must change so that a move from before to after
// has not happened. Whatever the move touched must be as the move left it.
func planUndo(before, after, current snapshot) (snapshot, error) {
	target := current.clone()
	if err := unmoved(after, current); err != nil {
		return target, err
	}
	for i := range target.Identities {
		row := &target.Identities[i]
		row.State = stateGone // a split made it
		if was := before.identity(row.ID); was != nil {
			row.State = was.State
		}
	}
	was := map[int64]linkRow{}
	for _, l := range before.Links {
		was[l.Nr] = l
	}
	target.Links = nil
	for _, l := range current.Links {
		if old, ok := was[l.Nr]; ok { // else the move made it
			l.Identity, l.Primary = old.Identity, old.Primary
			target.Links = append(target.Links, l)
		}
	}
	return target, target.restoreIDs(before, after)
}

// unmoved reports what is no longer as a move left it.
func unmoved(after, current snapshot) error {
	for _, row := range after.Identities {
		if now := current.identity(row.ID); now == nil || now.State != row.State {
			return fmt.Errorf("%w: an identity of the move was deleted or released since", ErrConflict)
		}
	}
	links := map[int64]linkRow{}
	for _, l := range current.Links {
		l.Key = ""
		links[l.Nr] = l
	}
	for _, l := range after.Links {
		l.Key = "" // may change
		if links[l.Nr] != l {
			return fmt.Errorf("%w: a record of the move was deleted since", ErrConflict)
		}
	}
	if len(current.Links) != len(after.Links) {
		return fmt.Errorf("%w: a record was linked since", ErrConflict)
	}
	ids := map[int64]idRow{}
	for _, e := range current.IDs {
		ids[e.Nr] = e
	}
	for _, e := range after.IDs {
		if ids[e.Nr] != e {
			return fmt.Errorf("%w: client %q has deleted an id of the move since; split instead", ErrConflict, e.Client)
		}
	}
	return nil
}

// restoreIDs puts the ids of before back. Ids that were given since stay with
// their identity, which must live.
func (s *snapshot) restoreIDs(before, after snapshot) error {
	was := map[int64]idRow{}
	for _, e := range before.IDs {
		was[e.Nr] = e
	}
	for i := range s.IDs {
		e := &s.IDs[i]
		if old, ok := was[e.Nr]; ok {
			*e = old
			continue
		}
		if s.identity(e.Identity).State == stateGone {
			return fmt.Errorf("%w: client %q knows the new identity; merge instead", ErrConflict, e.Client)
		}
	}
	return nil
}
