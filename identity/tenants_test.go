package identity

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"
)

var someSettings = TenantSettings{
	Clients: map[string]TenantClient{"entra": {Tokens: []TenantToken{{Hash: "sha256:aa", Expires: "2099-01-31"}}, Profile: "entra",
		Rate: &TenantRate{Reads: 2}, Removals: &TenantRemovals{Most: 5, Within: "1h"}}},
	Params: map[string]string{"database": "acme"}, Secrets: map[string]string{"password": "${file:tenants/acme}"}, Limits: map[string]any{"pageMax": 7.0},
}

// withToken are settings with one token.
func withToken(hash string) TenantSettings {
	return TenantSettings{Clients: map[string]TenantClient{"entra": {Tokens: []TenantToken{{Hash: hash}}}}}
}

// TestTenantsAtRunTime: added, changed, removed and added again, with their history.
func TestTenantsAtRunTime(t *testing.T) { onBoth(t, testTenantsAtRunTime) }

func testTenantsAtRunTime(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	first := must[int64](t)(s.TenantsVersion(ctx))
	dry := because
	dry.DryRun = true
	must[Tenant](t)(s.AddTenant(ctx, "acme", someSettings, dry))
	if all := must[[]Tenant](t)(s.Tenants(ctx)); len(all) != 0 || must[int64](t)(s.TenantsVersion(ctx)) != first {
		t.Fatalf("a dry run has added %v", all)
	}
	made := must[Tenant](t)(s.AddTenant(ctx, "acme", someSettings, because))
	got := must[Tenant](t)(s.Tenant(ctx, "acme"))
	if !reflect.DeepEqual(got, made) || !reflect.DeepEqual(got.Said, someSettings) || got.Version != 1 || got.Who != because.Who {
		t.Errorf("%+v\n%+v", got, made)
	}
	if must[int64](t)(s.TenantsVersion(ctx)) == first {
		t.Error("nobody would notice")
	}
	fails(t, ErrTenant)(s.AddTenant(ctx, "acme", someSettings, because))
	fails(t, ErrTokenTaken)(s.AddTenant(ctx, "globex", someSettings, because))
	must[Tenant](t)(s.AddTenant(ctx, "globex", withToken("sha256:bb"), because))
	fails(t, ErrTokenTaken)(s.ChangeTenant(ctx, "globex", 1, withToken("sha256:aa"), because))
	fails(t, ErrOtherChange)(s.ChangeTenant(ctx, "acme", 7, withToken("sha256:cc"), because))
	fails(t, ErrNoTenant)(s.ChangeTenant(ctx, "nobody", 1, withToken("sha256:cc"), because))
	must[Tenant](t)(s.ChangeTenant(ctx, "acme", 1, withToken("sha256:cc"), because))
	must[Tenant](t)(s.ChangeTenant(ctx, "globex", 1, withToken("sha256:aa"), because)) // it is free now
	fails(t, ErrNoTenant)(s.Tenant(ctx, ""))
	fails(t, ErrNoTenant)(s.RemoveTenant(ctx, "", because))
	fails(t, ErrConflict)(s.PurgeTenant(ctx, "acme", because))
	must[Tenant](t)(s.RemoveTenant(ctx, "acme", because))
	fails(t, ErrNoTenant)(s.RemoveTenant(ctx, "acme", because))
	fails(t, ErrNoTenant)(s.Tenant(ctx, "acme"))
	back := must[Tenant](t)(s.AddTenant(ctx, "acme", withToken("sha256:cc"), because))
	if back.Version != 4 {
		t.Errorf("version %d: whoever remembers an earlier one would not notice", back.Version)
	}
	var kinds []string
	for _, c := range must[[]TenantChange](t)(s.TenantHistory(ctx, "acme")) {
		kinds = append(kinds, c.Kind)
	}
	if !slices.Equal(kinds, []string{"add", "remove", "change", "add"}) {
		t.Errorf("history %v", kinds)
	}
}

func fails(t *testing.T, want error) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// TestRemovedTenant: what a removed tenant's ids stand for is there when it is added
// again; after a purge no id comes back, and no other tenant is touched (Y-04).
func TestRemovedTenant(t *testing.T) { onBoth(t, testRemovedTenant) }

func testRemovedTenant(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	acme, other := Domain{Tenant: "acme", Client: "entra"}, Domain{Tenant: "globex", Client: "entra"}
	links := []Link{user("1"), user("2"), user("3")}
	must[Tenant](t)(s.AddTenant(ctx, "acme", withToken("sha256:aa"), because))
	first := must[[]Entry](t)(s.Ensure(ctx, acme, links))
	theirs := must[[]Entry](t)(s.Ensure(ctx, other, links))
	_, _, err := s.MergeThen(ctx, "acme", first[0].ID, []string{first[1].ID}, []string{TaskDelete}, because)
	noErr(t, err)
	in := create("ada")
	in.Domain.Tenant = "acme"
	must[Intent](t)(s.Begin(ctx, in))
	must[Tenant](t)(s.RemoveTenant(ctx, "acme", because))
	if again := must[[]Entry](t)(s.Ensure(ctx, acme, links)); again[2].ID != first[2].ID {
		t.Error("a removed tenant has other ids")
	}
	dry := because
	dry.DryRun = true
	would := must[Purged](t)(s.PurgeTenant(ctx, "acme", dry))
	if !slices.Contains(must[[]string](t)(s.TenantsKnown(ctx)), "acme") {
		t.Error("a dry run has purged")
	}
	purged := must[Purged](t)(s.PurgeTenant(ctx, "acme", because))
	if purged != would || purged != (Purged{Identities: 2, Records: 3, Writes: 1}) {
		t.Errorf("purged %+v, as said %+v", purged, would)
	}
	if known := must[[]string](t)(s.TenantsKnown(ctx)); !slices.Equal(known, []string{"globex"}) {
		t.Errorf("known: %v", known)
	}
	if n := must[[]string](t)(s.TenantsInJournal(ctx)); len(n) != 0 {
		t.Errorf("the journal has %v", n)
	}
	if n := must[[]string](t)(s.TenantsToKeep(ctx)); len(n) != 0 {
		t.Errorf("tasks of %v", n)
	}
	for i, e := range must[[]Entry](t)(s.Ensure(ctx, acme, links)) {
		if slices.ContainsFunc(first, func(f Entry) bool { return f.ID == e.ID }) {
			t.Errorf("id %d is given again", i)
		}
	}
	if now := must[[]Entry](t)(s.Ensure(ctx, other, links)); now[0].ID != theirs[0].ID {
		t.Error("another tenant was touched")
	}
}

// TestTenantsAtOnce: of many who add the same at once, one does.
func TestTenantsAtOnce(t *testing.T) { onBoth(t, testTenantsAtOnce) }

func testTenantsAtOnce(t *testing.T) {
	path := file(t)
	a, b := openAt(t, path, Options{}), openAt(t, path, Options{})
	var wg sync.WaitGroup
	results := make([]error, 16)
	for i := range results {
		wg.Go(func() {
			s := []*Store{a, b}[i%2]
			_, results[i] = s.AddTenant(t.Context(), fmt.Sprintf("t%d", i%4), withToken(fmt.Sprintf("sha256:%d", i%4)), because)
		})
	}
	wg.Wait()
	added := 0
	for _, err := range results {
		if err == nil {
			added++
		} else if !errors.Is(err, ErrTenant) {
			t.Error(err)
		}
	}
	if all := must[[]Tenant](t)(a.Tenants(t.Context())); added != 4 || len(all) != 4 {
		t.Errorf("%d were told that they added it, there are %d", added, len(all))
	}
}

// TestTenantsAreHeard: a change by one process is heard by another.
func TestTenantsAreHeard(t *testing.T) { onBoth(t, testTenantsAreHeard) }

func testTenantsAreHeard(t *testing.T) {
	path := file(t)
	a, b := openAt(t, path, Options{}), openAt(t, path, Options{})
	heard := make(chan string, 16)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wg.Go(func() { b.Follow(ctx, func(topic string) { heard <- topic }) })
	deadline := time.After(30 * time.Second)
	for n := 0; ; n++ {
		must[Tenant](t)(a.AddTenant(t.Context(), fmt.Sprintf("t%d", n), withToken(fmt.Sprintf("sha256:%d", n)), because))
		select {
		case topic := <-heard:
			if topic != TenantsTopic {
				t.Errorf("heard of %q", topic)
			}
			return
		case <-time.After(time.Second): // it may not have listened yet
		case <-deadline:
			t.Fatal("nothing was heard")
		}
	}
}
