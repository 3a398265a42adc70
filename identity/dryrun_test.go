package identity

import (
	"path/filepath"
	"testing"
)

// TestDryRun: ids are given, and none is kept.
func TestDryRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	if _, err := Open(t.Context(), at(t, path), Options{DryRun: true}); err == nil {
		t.Fatal("a dry run made the table")
	}
	d := Domain{Tenant: "t", Client: "c"}
	open := func(o Options) *Store {
		t.Helper()
		s, err := Open(t.Context(), at(t, path), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	real := open(Options{})
	dry := open(Options{DryRun: true})
	links := []Link{{Type: "User", Backend: "b", Key: "1"}, {Type: "User", Backend: "b", Key: "2"}}
	given, err := dry.Ensure(t.Context(), d, links)
	if err != nil || len(given) != 2 || given[0].ID == "" || given[0].Key != "1" {
		t.Fatalf("%+v, %v", given, err)
	}
	for _, s := range []*Store{dry, real} {
		if found, err := s.Find(t.Context(), d, links); err != nil || found[0].ID != "" || found[1].ID != "" {
			t.Errorf("ids were kept: %+v, %v", found, err)
		}
	}
	kept, err := real.Ensure(t.Context(), d, links)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := dry.Ensure(t.Context(), d, links); err != nil || again[0].ID != kept[0].ID {
		t.Errorf("the dry run gives %+v where there is %+v; %v", again[0], kept[0], err)
	}
	if err := dry.Forget(t.Context(), "t", links...); err != nil {
		t.Fatal(err)
	}
	if found, err := real.Find(t.Context(), d, links); err != nil || found[1].ID != kept[1].ID {
		t.Errorf("the dry run forgot: %+v, %v", found, err)
	}
}
