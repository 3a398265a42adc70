package identity

import (
	"errors"
	"testing"
	"time"
)

// TestRelocate: the link follows a record into another place, with all that goes with
// it, and what it leaves is a further record until it is forgotten.
func TestRelocate(t *testing.T) { onBoth(t, testRelocate) }

func testRelocate(t *testing.T) {
	now := time.Now()
	s := open(t, Options{Now: func() time.Time { return now }})
	ctx := t.Context()
	e := ensure(t, s, d1, user("1"))[0]
	other := ensure(t, s, d2, user("1"))[0]
	noErr(t, s.Mark(ctx, d1.Tenant, Born{Link: user("1"), Birth: BirthOf("at", "x")}))
	place, value := "away", "E"
	in := must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentRename, Identity: e.Identity, Keys: []string{"1"},
		Follow: Follow{Into: &place, Keep: []Keeping{{Name: "nick", Value: `"n"`}}, ExternalID: &value, ID: e.ID}}))
	now = now.Add(time.Second)
	ghost := ensure(t, s, d2, user("|away|\xff"))[0] // somebody has met the record on its way
	done, _, err := s.Relocate(ctx, in, "|away|\xff")
	noErr(t, err)
	all := must[[]Intent](t)(s.Intents(ctx, d1.Tenant))
	if len(all) != 1 || all[0].Follow.At != "|away|\xff" || all[0].Follow.Into == nil || *all[0].Follow.Into != "away" || !all[0].Follow.Empty() || done.Follow.At != all[0].Follow.At {
		t.Errorf("%+v", all)
	}
	is := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID}))[0]
	if is.Key != "|away|\xff" || is.ExternalID != "E" || is.Birth != "" || len(is.Others) != 1 || is.Others[0].Key != "1" || is.Others[0].Primary {
		t.Errorf("%+v", is)
	}
	if got := must[[]Entry](t)(s.Resolve(ctx, d2, "User", []string{other.ID, ghost.ID})); got[0].Identity != e.Identity || got[1].ID != "" {
		t.Errorf("%+v", got)
	}
	if kept := must[[]Kept](t)(s.Kept(ctx, d1.Tenant, "User", "hr", []string{"|away|\xff", "1"})); kept[0]["nick"] != `"n"` || kept[1] != nil {
		t.Errorf("%v", kept)
	}
	if hidden := must[[]string](t)(s.Hidden(ctx, d1, "User", "hr")); len(hidden) != 1 || hidden[0] != "1" {
		t.Errorf("%q", hidden)
	}
	// And back, while the old one is still there.
	back := must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentRename, Identity: e.Identity, Keys: []string{"|away|\xff", "1"}, Follow: Follow{Into: new(string)}}))
	_, _, err = s.Relocate(ctx, back, "1")
	noErr(t, err)
	is = must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID}))[0]
	if is.Key != "1" || len(is.Others) != 1 || is.Others[0].Key != "|away|\xff" {
		t.Errorf("%+v", is)
	}
	noErr(t, s.Forget(ctx, d1.Tenant, user("|away|\xff")))
	if _, _, err := s.Relocate(ctx, in, "2"); err != nil { // as one that is carried on: its key is the right one again
		t.Error(err)
	}
	gone := Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentRename, Identity: "nobody", Keys: []string{"2"}, Follow: Follow{Into: &place}}
	if _, _, err := s.Relocate(ctx, gone, "3"); !errors.Is(err, ErrUnknown) {
		t.Errorf("of somebody else: %v", err)
	}
}
