package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TenantsTopic is what Follow hears when there are other tenants than before.
const TenantsTopic = "tenants"

// A Tenant is one that was added at run time.
type Tenant struct {
	Name    string         `json:"name"`
	Version int64          `json:"version"` // how often it was changed
	Created time.Time      `json:"created"`
	Since   time.Time      `json:"since"` // of the version
	Who     string         `json:"who"`
	Why     string         `json:"why"`
	Said    TenantSettings `json:"settings"`
}

// TenantSettings are what was said about a tenant. There is no secret in them.
type TenantSettings struct {
	Clients map[string]TenantClient `json:"clients,omitempty"`
	// Params are to be seen by administrators; Secrets are parameters too, and say only
	// where their values are.
	Params  map[string]string `json:"params,omitempty"`
	Secrets map[string]string `json:"secrets,omitempty"`
	Rate    *TenantRate       `json:"rate,omitempty"`
	Limits  map[string]any    `json:"limits,omitempty"`
}

// A TenantClient is a client of a tenant, in the words of the configuration.
type TenantClient struct {
	Tokens    []TenantToken   `json:"tokens,omitempty"`
	Profile   string          `json:"profile,omitempty"`
	IDs       string          `json:"ids,omitempty"`
	Unknown   string          `json:"unknown,omitempty"`
	Access    string          `json:"access,omitempty"`
	Secondary string          `json:"secondary,omitempty"`
	Rate      *TenantRate     `json:"rate,omitempty"`
	Removals  *TenantRemovals `json:"removals,omitempty"`
}

// A TenantToken is the hash of a token.
type TenantToken struct {
	Hash    string `json:"hash,omitempty"`
	Expires string `json:"expires,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// A TenantRate is how many requests a second there may be; 0: any number.
type TenantRate struct {
	Reads  int `json:"reads,omitempty"`
	Writes int `json:"writes,omitempty"`
}

// TenantRemovals are how many resources may be removed within a time, as in 1h.
type TenantRemovals struct {
	Most   int    `json:"most,omitempty"`
	Within string `json:"within,omitempty"`
}

// A TenantChange is one line of a tenant's history.
type TenantChange struct {
	Kind string    `json:"kind"` // add, change, remove, purge
	Who  string    `json:"who"`
	Why  string    `json:"why"`
	At   time.Time `json:"at"`
}

// The errors of tenants that callers tell apart.
var (
	ErrNoTenant    = errors.New("there is no such tenant")
	ErrTenant      = errors.New("there is a tenant of this name already")
	ErrTokenTaken  = errors.New("the token is another tenant's already")
	ErrOtherChange = errors.New("the tenant was changed meanwhile: look at it again")
)

// Tenants lists those that there are, by name.
func (s *Store) Tenants(ctx context.Context) ([]Tenant, error) {
	x := s.reading(ctx)
	x.trace = nil
	all, err := x.tenants("")
	return all, s.fail("tenants", err)
}

// Tenant answers one, or ErrNoTenant.
func (s *Store) Tenant(ctx context.Context, name string) (Tenant, error) {
	t, err := s.reading(ctx).tenant(name)
	return t, s.fail("tenant", err)
}

func (x *session) tenant(name string) (Tenant, error) {
	if name == "" { // which would be all of them
		return Tenant{}, ErrNoTenant
	}
	all, err := x.tenants(name)
	if err == nil && len(all) == 0 {
		err = ErrNoTenant
	}
	if err != nil {
		return Tenant{}, err
	}
	return all[0], nil
}

func (x *session) tenants(name string) ([]Tenant, error) {
	var all []Tenant
	err := x.each(qTenants, []any{name}, func(scan func(...any) error) error {
		var t Tenant
		var settings string
		var created, since int64
		if err := scan(&t.Name, &t.Version, &settings, &created, &since, &t.Who, &t.Why); err != nil {
			return err
		}
		t.Created, t.Since = micros(created), micros(since)
		all = append(all, t)
		return json.Unmarshal([]byte(settings), &all[len(all)-1].Said)
	})
	return all, err
}

// TenantsVersion is another number after each change of a tenant.
func (s *Store) TenantsVersion(ctx context.Context) (version int64, err error) {
	x := s.reading(ctx)
	x.trace = nil // it is asked all the time, and belongs to no request
	err = x.row(qVersion, TenantsTopic).Scan(&version)
	return version, s.fail("tenants", err)
}

// TenantHistory answers what was done with a tenant, latest first.
func (s *Store) TenantHistory(ctx context.Context, name string) ([]TenantChange, error) {
	var all []TenantChange
	err := s.reading(ctx).each(qTenantChanges, []any{name}, func(scan func(...any) error) error {
		var c TenantChange
		var at int64
		err := scan(&c.Kind, &c.Who, &c.Why, &at)
		c.At = micros(at)
		all = append(all, c)
		return err
	})
	return all, s.fail("tenant history", err)
}

// AddTenant adds a tenant. One of this name that was removed finds its identities
// again, unless they were purged.
func (s *Store) AddTenant(ctx context.Context, name string, said TenantSettings, r Reason) (Tenant, error) {
	return s.putTenant(ctx, "add", name, said, r, func(x *session) error {
		if _, err := x.tenant(name); !errors.Is(err, ErrNoTenant) {
			return errors.Join(err, choose(err == nil, ErrTenant))
		}
		return nil
	})
}

func choose(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

// ChangeTenant says something else about a tenant, if it is at a version still.
func (s *Store) ChangeTenant(ctx context.Context, name string, version int64, said TenantSettings, r Reason) (Tenant, error) {
	return s.putTenant(ctx, "change", name, said, r, func(x *session) error {
		t, err := x.tenant(name)
		if err == nil && t.Version != version {
			err = ErrOtherChange
		}
		return err
	})
}

func (s *Store) putTenant(ctx context.Context, kind, name string, said TenantSettings, r Reason, may func(*session) error) (t Tenant, err error) {
	settings, err := json.Marshal(said)
	if err != nil {
		return t, s.fail("tenant", err)
	}
	err = s.write(ctx, "tenant", func(x *session) error {
		if err := may(x); err != nil {
			return err
		}
		if _, err := x.exec(qPutTenant, name, string(settings), x.now, r.Who, r.Why); err != nil {
			return err
		}
		if err := x.putTokens(name, said); err != nil {
			return err
		}
		var err error
		if t, err = x.tenant(name); err != nil {
			return err
		}
		return s.changedTenant(x, kind, name, r)
	})
	return t, err
}

// putTokens writes down whose the tokens are.
func (x *session) putTokens(name string, said TenantSettings) error {
	if _, err := x.exec(qDropTokens, name); err != nil {
		return err
	}
	for _, c := range said.Clients {
		for _, tk := range c.Tokens {
			n, err := x.exec(qPutToken, tk.Hash, name)
			if err == nil && n == 0 {
				err = ErrTokenTaken
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// changedTenant keeps who did it, and tells the others.
func (s *Store) changedTenant(x *session, kind, name string, r Reason) error {
	if _, err := x.exec(qTenantChange, name, kind, r.Who, r.Why, x.now); err != nil {
		return err
	}
	if r.DryRun {
		return errDryRun
	}
	if _, err := x.number(qTell, TenantsTopic); err != nil || !s.dialect.notifies() {
		return err
	}
	return x.notify(TenantsTopic)
}

// RemoveTenant takes a tenant out. Its identities stay for when it is added again.
func (s *Store) RemoveTenant(ctx context.Context, name string, r Reason) (t Tenant, err error) {
	err = s.write(ctx, "tenant", func(x *session) error {
		if t, err = x.tenant(name); err != nil {
			return err
		}
		if _, err := x.exec(qDropTokens, name); err != nil {
			return err
		}
		if _, err := x.exec(qRemoveTenant, name, x.now, r.Who, r.Why); err != nil {
			return err
		}
		return s.changedTenant(x, "remove", name, r)
	})
	return t, err
}

// A Purged is what was purged of a tenant.
type Purged struct {
	Identities int64 `json:"identities"`
	Records    int64 `json:"records"` // that are not known any more
	Writes     int64 `json:"writes"`  // of the journal that were given up
}

// PurgeTenant forgets what is known of the records of a tenant that is not there.
// Its ids are retired: none is ever given again. Backends keep what they have.
func (s *Store) PurgeTenant(ctx context.Context, name string, r Reason) (p Purged, err error) {
	err = s.write(ctx, "purge", func(x *session) error {
		p = Purged{}
		if _, err := x.tenant(name); !errors.Is(err, ErrNoTenant) {
			return errors.Join(err, choose(err == nil, fmt.Errorf("%w: the tenant is there; remove it first", ErrConflict)))
		}
		for _, step := range []struct {
			q     query
			args  []any
			count *int64
		}{
			{qPurgeJournal, []any{name}, &p.Writes}, {qPurgeTasks, []any{name, x.now}, nil}, {qPurgeScans, []any{name, x.now}, nil},
			{qPurgeSightings, []any{name}, nil}, {qPurgeLinks, []any{name}, &p.Records}, {qPurgeIDs, []any{name, x.now}, nil},
			{qPurgeIdentities, []any{name, x.now}, &p.Identities}, {qPurgeRemovals, []any{name}, nil}, {qPurgeMaintenance, []any{name}, nil},
		} {
			n, err := x.exec(step.q, step.args...)
			if err != nil {
				return err
			}
			if step.count != nil {
				*step.count = n
			}
		}
		return s.changedTenant(x, "purge", name, r)
	})
	return p, err
}

// TenantsKnown lists every tenant of which something is kept, though it may not be
// there: those that could be purged are among them.
func (s *Store) TenantsKnown(ctx context.Context) ([]string, error) {
	names, err := s.reading(ctx).texts(qTenantsKnown)
	slices.Sort(names)
	return names, s.fail("tenants", err)
}

// Which tenants have something left to do, in one look.

// TenantsInJournal lists the tenants with entries in the journal.
func (s *Store) TenantsInJournal(ctx context.Context) ([]string, error) {
	x := s.reading(ctx)
	x.trace = nil // it is asked every few seconds, and belongs to no request
	names, err := x.texts(qTenantsInJournal)
	return names, s.fail("tenants", err)
}

// TenantsToKeep lists the tenants with open tasks, or with ids that wait.
func (s *Store) TenantsToKeep(ctx context.Context) ([]string, error) {
	names, err := s.reading(ctx).texts(qTenantsToKeep)
	return names, s.fail("tenants", err)
}
