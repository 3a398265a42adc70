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
	people, err := s.Resolve(ctx, d1, "User", ids)
	noErr(t, err)
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
	for i, id := range ids {
		one, err := s.Resolve(ctx, d1, "User", []string{id})
		noErr(t, err)
		if !reflect.DeepEqual(one[0], people[i]) {
			t.Errorf("id %d: %v, among others %v", i, one[0], people[i])
		}
	}
}
