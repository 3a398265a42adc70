package identity

import (
	"context"
	"fmt"
	"reflect"
	"testing"
)

// TestFewAndMany holds the statements for a few links or one id to those for many.
func TestFewAndMany(t *testing.T) { onBoth(t, testFewAndMany) }

func testFewAndMany(t *testing.T) {
	s := open(t, Options{})
	ctx := context.Background()
	known := page(3 * fewLinks)
	ensure(t, s, d1, known...)
	merged := ensure(t, s, d1, known[:2]...)
	if _, err := s.Merge(ctx, "t", merged[0].ID, []string{merged[1].ID}, because); err != nil {
		t.Fatal(err)
	}
	links := append([]Link{user("nobody"), user("no\x00text")}, known...)
	many, err := s.Find(ctx, d1, links)
	noErr(t, err)
	ids := make([]string, len(many))
	for i, e := range many {
		ids[i] = e.ID
	}
	ids = append(ids, merged[1].ID, "never") // a secondary one, and none
	for n := 0; n <= fewLinks+1; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			for from := 0; from+n <= len(links); from++ {
				found, err := s.Find(ctx, d1, links[from:from+n])
				noErr(t, err)
				listed, hides, err := s.Listed(ctx, d1, links[from:from+n])
				noErr(t, err)
				if want := many[from : from+n]; !reflect.DeepEqual(found, want) || !reflect.DeepEqual(listed, want) || !hides {
					t.Fatalf("from %d: found %v, listed %v (%t), want %v and true", from, found, listed, hides, want)
				}
			}
		})
	}
	for _, typ := range []string{"User", "", "Group"} {
		oneByOne(t, s, d1, typ, ids)
	}
	// Where ids are keys, a user and a group may have the same.
	keys := Domain{Tenant: "t", Client: "keys", Existing: true}
	ensure(t, s, keys, Link{"User", "hr", "5"}, Link{"Group", "hr", "5"}, Link{"User", "hr", "6"}, Link{"Group", "ad", "7"})
	for _, typ := range []string{"User", "", "Group"} {
		oneByOne(t, s, keys, typ, []string{"5", "6", "7", "8"})
	}
}

func oneByOne(t *testing.T, s *Store, d Domain, typ string, ids []string) {
	t.Helper()
	all, err := s.Resolve(t.Context(), d, typ, ids)
	noErr(t, err)
	for i, id := range ids {
		one, err := s.Resolve(t.Context(), d, typ, []string{id})
		noErr(t, err)
		if !reflect.DeepEqual(one[0], all[i]) {
			t.Errorf("type %q, id %d of %s: %v, among others %v", typ, i, d.Client, one[0], all[i])
		}
	}
}
