package identity

import (
	"context"
	"fmt"
	"time"
)

// An Identity is one person or group with its links and live external ids, in
// the form that administrators see. Keys are in it: it is not for clients.
type Identity struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	Links       []IdentityLink `json:"links"`
	ExternalIDs []IdentityID   `json:"externalIds"`
	Held        bool           `json:"-"` // only for clients to which it was released
	Tenant      string         `json:"-"`
	Created     time.Time      `json:"-"`
}

// An IdentityLink is one record of an Identity.
type IdentityLink struct {
	Backend string `json:"backend"`
	Key     string `json:"key"`
	Primary bool   `json:"primary"`
}

// An IdentityID is what one client calls an Identity.
type IdentityID struct {
	Client           string `json:"client"`
	ID               string `json:"id"`
	Primary          bool   `json:"primary"`
	DeletionRequired bool   `json:"deletionRequired"`
}

// Show answers the identity that id names: its own id, or one of any client.
func (s *Store) Show(ctx context.Context, tenant, id string) (Identity, error) {
	x := s.reading(ctx)
	name, err := x.ref(tenant, id)
	if err != nil {
		return Identity{}, s.fail("show", err)
	}
	all, err := s.Describe(ctx, tenant, []string{name})
	if err == nil && len(all) == 0 {
		err = s.fail("show", ErrUnknown) // it went between two reads
	}
	if err != nil {
		return Identity{}, err
	}
	return all[0], nil
}

// Describe answers the living ones of the identities, in the order named.
func (s *Store) Describe(ctx context.Context, tenant string, identities []string) ([]Identity, error) {
	snap, err := s.reading(ctx).load(identities)
	if err != nil {
		return nil, s.fail("describe", err)
	}
	var out []Identity
	for _, row := range snap.Identities {
		if row.Tenant == tenant && row.State != stateGone {
			out = append(out, snap.form(row))
		}
	}
	return out, nil
}

// List answers a page of the living identities of a tenant, by id: those after
// the given one. Type "" means any.
func (s *Store) List(ctx context.Context, tenant, typ, after string, limit int) ([]Identity, error) {
	names, err := s.reading(ctx).texts(qPage, tenant, typ, after, limit)
	if err != nil {
		return nil, s.fail("list", err)
	}
	return s.Describe(ctx, tenant, names)
}

// A Pending id is secondary since a merge, and waits for its client to delete it.
type Pending struct {
	Client   string    `json:"client"`
	Type     string    `json:"type"`
	ID       string    `json:"id"`
	Identity string    `json:"identity"`
	Primary  string    `json:"primary"` // the id that stands for it
	Since    time.Time `json:"since"`
	nr       int64
}

// Pending answers what has waited since before the given time, oldest first;
// client "" means all.
func (s *Store) Pending(ctx context.Context, tenant, client string, before time.Time) ([]Pending, error) {
	all, err := s.reading(ctx).pending(tenant, client, before)
	return all, s.fail("pending", err)
}

// Retire gives up waiting for what Pending answers, and answers what it retired.
func (s *Store) Retire(ctx context.Context, tenant, client string, before time.Time) ([]Pending, error) {
	var all []Pending
	err := s.write(ctx, "retire", func(x *session) (err error) {
		if all, err = x.pending(tenant, client, before); err != nil || len(all) == 0 {
			return err
		}
		nrs := make([]int64, len(all))
		for i, p := range all {
			nrs[i] = p.nr
		}
		return known(x.exec(qRetire, list(nrs), x.now))
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func (x *session) pending(tenant, client string, before time.Time) ([]Pending, error) {
	var all []Pending
	err := x.each(qPending, []any{tenant, client, before.UnixMicro()}, func(scan func(...any) error) error {
		var p Pending
		var since int64
		err := scan(&p.nr, &p.Client, &p.Type, &p.ID, &p.Identity, &p.Primary, &since)
		p.Since = micros(since)
		all = append(all, p)
		return err
	})
	return all, err
}

// ref answers the one identity that a reference names.
func (x *session) ref(tenant, id string) (string, error) {
	names, err := x.texts(qRef, tenant, id)
	switch {
	case err != nil:
		return "", err
	case len(names) == 0:
		return "", ErrUnknown
	case len(names) > 1:
		return "", fmt.Errorf("%w", ErrAmbiguous)
	}
	return names[0], nil
}
