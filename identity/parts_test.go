package identity

import (
	"errors"
	"testing"
)

// TestJournalParts: what the adapter has noted outlives the table's following, as an entry
// of its own kind, and prevents nobody from taking the value again.
func TestJournalParts(t *testing.T) { onBoth(t, testJournalParts) }

func testJournalParts(t *testing.T) {
	s := open(t, Options{})
	ctx := t.Context()
	list := func() []Intent { t.Helper(); return must[[]Intent](t)(s.Intents(ctx, d1.Tenant)) }
	in := must[Intent](t)(s.Begin(ctx, create("ada")))
	noErr(t, s.Note(ctx, in.Nr, "", Rest{Fields: []string{"mail.address"}, Text: "the address"}))
	if err := s.Note(ctx, in.Nr+100, "", Rest{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a note to no intent: %v", err)
	}
	in = list()[0]
	if in.Kind != IntentCreate || in.Follow.Rest[""].Text != "the address" {
		t.Fatalf("%+v", in)
	}
	e := must[Entry](t)(s.CreateFor(ctx, in, "1"))
	left := list()
	if len(left) != 1 || left[0].Kind != IntentParts || left[0].Identity != e.Identity || left[0].Keys[0] != "1" || left[0].Follow.Rest["1"].Text != "the address" || left[0].Value != "" {
		t.Fatalf("%+v", left)
	}
	if _, err := s.Begin(ctx, create("ada")); err != nil {
		t.Errorf("the value is still taken: %v", err)
	}
	noErr(t, s.Drop(ctx, left[0].Nr))

	// One that begins with its note has nothing that the table follows.
	in = must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentChange, Identity: e.Identity, Keys: []string{"1"},
		Follow: Follow{Rest: map[string]Rest{"1": {Text: "x", Secrets: true}}}}))
	if all := list(); all[1].Kind != IntentParts || !all[1].Follow.Rest["1"].Secrets {
		t.Errorf("%+v", all)
	}
	in.Follow.Rest = nil
	if _, err := s.ChangeFor(ctx, in, "1"); err != nil {
		t.Error(err)
	}

	in = must[Intent](t)(s.Begin(ctx, Intent{Domain: d1, Type: "User", Backend: "hr", Kind: IntentDelete, Identity: e.Identity, Keys: []string{"1"}}))
	in.Follow.Rest = map[string]Rest{"1": {Text: "the mailbox"}}
	noErr(t, s.ForgetFor(ctx, in))
	if all := list(); len(all) != 2 || all[1].Kind != IntentParts || all[1].Follow.Rest["1"].Text != "the mailbox" {
		t.Errorf("%+v", all)
	}
	if now := must[[]Entry](t)(s.Resolve(ctx, d1, "User", []string{e.ID})); now[0].ID != "" {
		t.Errorf("%+v", now)
	}
}
