package identity

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func brakes(t *testing.T, now *time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), at(t, filepath.Join(t.TempDir(), "ids.db")), Options{Now: func() time.Time { return *now }})
	noErr(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// TestRemovals: within its time a client removes so many, is stopped by the next
// one, and stays so until somebody lets it go on (GW-29).
func TestRemovals(t *testing.T) { onBoth(t, testRemovals) }

func testRemovals(t *testing.T) {
	now := time.UnixMicro(1_800_000_000_000_000)
	s := brakes(t, &now)
	d, other := Domain{Tenant: "t", Client: "entra"}, Domain{Tenant: "t", Client: "okta"}
	remove := func(d Domain, wantOK, wantFirst bool) {
		t.Helper()
		ok, first, err := s.Remove(t.Context(), d, 3, time.Hour)
		if ok != wantOK || first != wantFirst || err != nil {
			t.Errorf("GW-29: ok %v, first %v, %v", ok, first, err)
		}
	}
	for range 3 {
		remove(d, true, false)
	}
	now = now.Add(61 * time.Minute)
	for range 3 { // the hour is over: it is counted anew
		remove(d, true, false)
	}
	remove(d, false, true)
	remove(d, false, false)
	now = now.Add(48 * time.Hour)
	remove(d, false, false) // until somebody says so
	remove(other, true, false)
	noErr(t, s.Resume(t.Context(), d, 0, Reason{Who: "root", Why: "dry", DryRun: true}))
	remove(d, false, false)
	noErr(t, s.Resume(t.Context(), d, 0, Reason{Who: "root", Why: "they all left"}))
	for range 3 {
		remove(d, true, false)
	}
	remove(d, false, true)
	noErr(t, s.Resume(t.Context(), d, time.Hour, Reason{Who: "root", Why: "many more"}))
	for range 10 {
		remove(d, true, false)
	}
	now = now.Add(2 * time.Hour)
	for range 3 {
		remove(d, true, false)
	}
	remove(d, false, true)
	all, err := s.Removals(t.Context(), "t")
	noErr(t, err)
	if len(all) != 2 || all[0].Client != "entra" || all[0].Stopped == nil || all[0].Why != "many more" || all[1].Stopped != nil || all[1].Count != 1 {
		t.Errorf("%+v", all)
	}
}

// TestRemovalsTogether: however many ask at once, no more get through.
func TestRemovalsTogether(t *testing.T) { onBoth(t, testRemovalsTogether) }

func testRemovalsTogether(t *testing.T) {
	now := time.UnixMicro(1_800_000_000_000_000)
	s := brakes(t, &now)
	var done, firsts atomic.Int32
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			ok, first, err := s.Remove(t.Context(), Domain{Client: "c"}, 10, time.Hour)
			if err != nil {
				t.Error(err)
			}
			if ok {
				done.Add(1)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 10 || firsts.Load() != 1 {
		t.Errorf("GW-29: %d got through, %d were the first too many", done.Load(), firsts.Load())
	}
}

// TestMaintenance: what one process sets, all others read.
func TestMaintenance(t *testing.T) { onBoth(t, testMaintenance) }

func testMaintenance(t *testing.T) {
	now := time.UnixMicro(1_800_000_000_000_000)
	s := brakes(t, &now)
	if m, err := s.Maintenance(t.Context(), "t"); err != nil || m.Mode != MaintenanceOff {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, mode := range []string{MaintenanceWrites, MaintenanceAll, MaintenanceOff} {
		want := Maintenance{Mode: mode, RetryAfter: 60, Who: "root", Why: "upgrade"}
		noErr(t, s.SetMaintenance(t.Context(), "t", want))
		want.Since = now.UTC()
		if m, err := s.Maintenance(t.Context(), "t"); err != nil || m != want {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if err := s.SetMaintenance(t.Context(), "t", Maintenance{Mode: "some"}); err == nil {
		t.Error("the table takes any mode")
	}
}
