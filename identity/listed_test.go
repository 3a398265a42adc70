package identity

import "testing"

// TestListed: what is known of a page, and whether anything is hidden at all.
func TestListed(t *testing.T) { onBoth(t, testListed) }

func testListed(t *testing.T) {
	s := open(t, Options{})
	a := Domain{Tenant: "t", Client: "a"}
	listed := func(what string, want bool, links ...Link) []Entry {
		t.Helper()
		entries, hides, err := s.Listed(t.Context(), a, links)
		noErr(t, err)
		if hides != want {
			t.Errorf("%s: hides %t", what, hides)
		}
		return entries
	}
	listed("an empty table", false)
	ids := ensure(t, s, a, user("1"), user("2"), user("3"))
	for i, e := range listed("three users", false, user("1"), user("2"), user("4"))[:2] {
		if e.ID != ids[i].ID || !e.Primary {
			t.Errorf("%d: %+v", i, e)
		}
	}
	_, err := s.Merge(t.Context(), "t", ids[0].ID, []string{ids[1].ID}, Reason{Who: "w"})
	noErr(t, err)
	found := listed("after a merge", true, user("1"), user("2"))
	if !found[0].Primary || found[1].Primary || found[1].ID != ids[0].ID {
		t.Errorf("%+v", found)
	}
	listed("no records", true)
	if _, hides, err := s.Listed(t.Context(), Domain{Tenant: "other", Client: "a"}, nil); err != nil || hides {
		t.Errorf("another tenant: %t, %v", hides, err)
	}
	_, err = s.Split(t.Context(), "t", ids[0].ID, [][]Link{{user("2")}}, Reason{Who: "w"})
	noErr(t, err)
	found = listed("after a split", true, user("2"))
	if found[0].ID != "" || !found[0].Held {
		t.Errorf("%+v", found)
	}
}
