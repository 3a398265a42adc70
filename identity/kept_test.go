package identity

import (
	"strconv"
	"testing"
	"time"
)

func keepOf(name, value, search string) Follow {
	return Follow{Keep: []Keeping{{name, value, search}}}
}

func (s *Store) change(t *testing.T, in Intent) time.Time {
	t.Helper()
	return must[time.Time](t)(s.ChangeFor(t.Context(), in, in.Keys[0]))
}

// TestKept: what is kept belongs to the link.
func TestKept(t *testing.T) { onBoth(t, testKept) }

func testKept(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	kept := func(key string) Kept {
		t.Helper()
		return must[[]Kept](t)(s.Kept(ctx, d1.Tenant, "User", "hr", []string{"nobody", key}))[1]
	}
	in := create("ada")
	in.Follow = keepOf("nickName", `"Ady"`, "ady")
	e := must[Entry](t)(s.CreateFor(ctx, must[Intent](t)(s.Begin(ctx, in)), "1"))
	if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID})); e.Made.IsZero() || e.Made != now[0].Made || e.Modified != now[0].Modified {
		t.Errorf("made %s, and then %s", e.Made, now[0].Made)
	}
	other := must[Entry](t)(s.Create(ctx, d1, Link{"User", "hr", "2"}, ""))
	if k := kept("1"); len(k) != 1 || k["nickName"] != `"Ady"` || kept("2") != nil {
		t.Errorf("%v, %v", k, kept("2"))
	}
	change := Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentChange, Identity: e.Identity, Keys: []string{"1"}}

	early := change // is killed before it is entered
	early.Follow = Follow{Keep: []Keeping{{"nickName", `"Early"`, "early"}, {"title", `"T"`, ""}}, Touch: true}
	early = must[Intent](t)(s.Begin(ctx, early))
	late := change
	late.Follow = keepOf("nickName", `"Late"`, "late")
	s.change(t, must[Intent](t)(s.Begin(ctx, late)))
	for _, in := range must[[]Intent](t)(s.Intents(ctx, d1.Tenant)) {
		in.Tries = 1
		s.change(t, in)
	}
	if k := kept("1"); k["nickName"] != `"Late"` || k["title"] != `"T"` {
		t.Errorf("an earlier change brought back what a later one had changed, or was lost: %v", k)
	}
	if found := must[[]KeptValue](t)(s.KeptBy(ctx, d1.Tenant, "User", "hr", "nickName", "late", 9)); len(found) != 1 || found[0] != (KeptValue{"1", `"Late"`}) {
		t.Errorf("found %v", found)
	}
	if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID})); now[0].Modified.Before(early.Begun) || !now[0].Made.Before(now[0].Modified) && now[0].Made != now[0].Modified {
		t.Errorf("made %s, modified %s", now[0].Made, now[0].Modified)
	}
	change.Follow = keepOf("title", "", "")
	s.change(t, change)
	moved := change
	moved.Follow = Follow{}
	_, err := s.ChangeFor(ctx, moved, "3")
	noErr(t, err)
	if k := kept("3"); len(k) != 1 || kept("1") != nil {
		t.Errorf("after a renaming: %v", k)
	}
	other2 := change
	other2.Keys, other2.Identity, other2.Follow = []string{"2"}, other.Identity, keepOf("nickName", `"Other"`, "other")
	s.change(t, other2)
	noErr(t, s.Forget(ctx, d1.Tenant, Link{"User", "hr", "3"}))
	if k := kept("3"); k != nil || kept("2")["nickName"] != `"Other"` {
		t.Errorf("after a deletion: %v, %v", k, kept("2"))
	}
	must[Entry](t)(s.Create(ctx, d1, Link{"User", "hr", "3"}, ""))
	if k := kept("3"); k != nil {
		t.Errorf("another record with the key: %v", k)
	}
}

// TestKeptBeforeEntered: a create that is entered late keeps what nobody has kept since.
func TestKeptBeforeEntered(t *testing.T) { onBoth(t, testKeptBeforeEntered) }

func testKeptBeforeEntered(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	for n, enter := range []func(Intent, string) error{
		func(in Intent, key string) error { _, err := s.CreateFor(ctx, in, key); return err },
		func(in Intent, key string) error { _, _, err := s.CreateFound(ctx, in, key); return err },
	} {
		key := strconv.Itoa(n)
		in := create("ada" + key)
		in.Follow = Follow{Keep: []Keeping{{"nickName", `"First"`, "first"}, {"title", `"T"`, ""}}}
		in = must[Intent](t)(s.Begin(ctx, in))
		seen := must[[]Entry](t)(s.Ensure(ctx, d1, []Link{{"User", "hr", key}}))[0]
		external := "E2"
		s.change(t, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentChange, Identity: seen.Identity, Keys: []string{key},
			Follow: Follow{Keep: []Keeping{{"nickName", `"Later"`, "later"}}, ExternalID: &external, ID: seen.ID}})
		if err := enter(in, key); err != nil {
			t.Fatal(err)
		}
		if k := must[[]Kept](t)(s.Kept(ctx, d1.Tenant, "User", "hr", []string{key}))[0]; k["nickName"] != `"Later"` || k["title"] != `"T"` {
			t.Errorf("kept: %v", k)
		}
		if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{seen.ID}))[0]; now.ExternalID != external {
			t.Errorf("externalId: %q", now.ExternalID)
		}
	}
}
