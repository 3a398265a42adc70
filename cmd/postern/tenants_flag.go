package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postern/postern/config"
	"github.com/postern/postern/identity"
	"github.com/postern/postern/rules"
)

// tenantFlag is what commands know that look at a configuration as a tenant has it.
type tenantFlag struct {
	Tenant string `help:"As which tenant, where there are several (default: the first of the configuration)." placeholder:"NAME"`
}

// as is the configuration, and the rules, as the tenant has them.
func (f tenantFlag) as(ctx context.Context, cfg *config.Config, mappings []*rules.Mapping) (*config.Config, []*rules.Mapping, error) {
	switch {
	case !cfg.ManyTenants && f.Tenant == "", f.Tenant == "" && len(cfg.Tenants) == 0:
		return cfg, mappings, nil
	case !cfg.ManyTenants:
		return nil, nil, errOneTenant(f.Tenant)
	case f.Tenant == "":
		return configurationOf(cfg, mappings, &cfg.Tenants[0])
	case cfg.TenantNamed(f.Tenant) != nil:
		return configurationOf(cfg, mappings, cfg.TenantNamed(f.Tenant))
	}
	ids, err := identity.Open(ctx, cfg.Identities.Reveal(), identity.Options{DryRun: true}) // which makes nothing
	if err != nil {
		return nil, nil, fmt.Errorf("identities: %w", err)
	}
	defer ids.Close() //nolint:errcheck // it was only read
	return tenantNamed(ctx, cfg, mappings, ids, f.Tenant)
}

func errOneTenant(name string) error {
	return fmt.Errorf("there is no tenant %q: the configuration has clients, and so one tenant, which is not named", name)
}

// tenantNamed is the configuration, and the rules, of a tenant of either kind.
func tenantNamed(ctx context.Context, cfg *config.Config, mappings []*rules.Mapping, ids *identity.Store, name string) (*config.Config, []*rules.Mapping, error) {
	if name == "" {
		return nil, nil, errors.New("say which tenant, with --tenant NAME; postern tenants list shows them")
	}
	t := cfg.TenantNamed(name)
	if t == nil {
		added, err := ids.Tenant(ctx, name)
		if errors.Is(err, identity.ErrNoTenant) {
			return nil, nil, fmt.Errorf("there is no tenant %q; postern tenants list shows them", name)
		}
		if err == nil {
			t, err = readAdded(cfg, name, added.Said)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return configurationOf(cfg, mappings, t)
}

// latestGood is the token that goes on beside a new one: the last that has not expired.
func latestGood(tokens []identity.TenantToken, now time.Time) []identity.TenantToken {
	good := slices.DeleteFunc(slices.Clone(tokens), func(t identity.TenantToken) bool { return expired(t, now) })
	return good[max(0, len(good)-1):]
}

// expired reports whether a token is of no use any more. What is no date is found where
// all of the settings are checked.
func expired(t identity.TenantToken, now time.Time) bool {
	until, ok := config.Moment(t.Expires)
	return ok && !until.After(now)
}

// useful refuses to make a token that is of no use.
func useful(t identity.TenantToken) error {
	if expired(t, time.Now()) {
		return fmt.Errorf("a token that expires on %s would be of no use: that is over", t.Expires)
	}
	return nil
}
