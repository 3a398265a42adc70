package identity

import (
	"context"
	"encoding/json"
)

// A Veil is what must stay out of a client's lists of one type in one backend.
type Veil struct {
	// Version changes whenever the set of records does that a merge made secondary:
	// whoever has that set, from Merged, need not read it again until then.
	Version int64
	// Held are the keys of the identities that were split off and not released to
	// the client.
	Held []string
}

// Veil answers what must stay out of this client's lists, in time that does not
// depend on how much it is.
func (s *Store) Veil(ctx context.Context, d Domain, typ, backend string) (Veil, error) {
	var v Veil
	var held []byte
	err := s.reading(ctx).row(qVeil, d.Tenant, d.Client, typ, backend).Scan(&v.Version, &held)
	if err == nil {
		v.Held, err = keysIn(held)
	}
	return v, s.fail("veil", err)
}

// Merged answers the keys of the records of one backend that a merge made
// secondary, and the version of that set.
func (s *Store) Merged(ctx context.Context, tenant, typ, backend string) (keys []string, version int64, err error) {
	var array []byte
	err = s.reading(ctx).row(qMerged, tenant, typ, backend).Scan(&version, &array)
	if err == nil {
		keys, err = keysIn(array)
	}
	return keys, version, s.fail("merged", err)
}

// keysIn reads an array of stored keys.
func keysIn(array []byte) (keys []string, err error) {
	err = json.Unmarshal(array, &keys)
	for i := range keys {
		keys[i] = originalKey(keys[i])
	}
	return keys, err
}
